package object

import (
	"encoding/binary"
	"time"
)

// Chunk is one piece of an answer as it came: a read, or a message.
type Chunk struct {
	Data []byte
	At   time.Duration // since the flow started; kept in microseconds
}

// AppendChunks encodes chunks: first their times and lengths, then their
// bytes in one run, which compresses better.
func AppendChunks(dst []byte, chunks []Chunk) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(chunks)))
	var last time.Duration
	for _, c := range chunks {
		at := max(last, c.At.Truncate(time.Microsecond))
		dst = binary.AppendUvarint(dst, uint64((at-last)/time.Microsecond))
		dst = binary.AppendUvarint(dst, uint64(len(c.Data)))
		last = at
	}
	for _, c := range chunks {
		dst = append(dst, c.Data...)
	}
	return dst
}

// DecodeChunks reads chunks and gives what follows them. They alias b.
func DecodeChunks(b []byte) ([]Chunk, []byte, error) {
	r := reader{b: b}
	chunks := make([]Chunk, r.count(2))
	sizes := make([]int, len(chunks))
	var last time.Duration
	for i := range chunks {
		last += time.Duration(r.count(0)) * time.Microsecond
		chunks[i].At = last
		sizes[i] = r.count(1)
	}
	for i, n := range sizes {
		if n > len(r.b) {
			r.fail()
			break
		}
		chunks[i].Data = r.b[:n:n]
		r.b = r.b[n:]
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return chunks, r.b, nil
}

// Edit replaces Cut bytes at offset At of a body by Put. Offsets count in the
// body as it was; a list is in their order and does not overlap.
type Edit struct {
	At, Cut int64
	Put     []byte
}

// AppendEdits encodes a list of edits.
func AppendEdits(dst []byte, edits []Edit) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(edits)))
	for _, e := range edits {
		dst = binary.AppendUvarint(dst, uint64(e.At))
		dst = binary.AppendUvarint(dst, uint64(e.Cut))
		dst = appendBytes(dst, e.Put)
	}
	return dst
}

// DecodeEdits reads a list of edits and gives what follows it.
func DecodeEdits(b []byte) ([]Edit, []byte, error) {
	r := reader{b: b}
	var edits []Edit
	for range r.count(3) {
		edits = append(edits, Edit{At: int64(r.count(0)), Cut: int64(r.count(0)), Put: r.bytes()})
	}
	return edits, r.b, r.err
}

// Check reports whether edits are in order, do not overlap, and fit a body of
// n bytes.
func Check(edits []Edit, n int64) error {
	at := int64(0)
	for _, e := range edits {
		if e.At < at || e.Cut < 0 || e.Cut > n-e.At {
			return ErrMalformed
		}
		at = e.At + e.Cut
	}
	return nil
}

// Apply gives the body with the edits made.
func Apply(body []byte, edits []Edit) ([]byte, error) {
	if err := Check(edits, int64(len(body))); err != nil {
		return nil, err
	}
	if len(edits) == 0 {
		return body, nil
	}
	var out []byte
	at := int64(0)
	for _, e := range edits {
		out = append(out, body[at:e.At]...)
		out = append(out, e.Put...)
		at = e.At + e.Cut
	}
	return append(out, body[at:]...), nil
}

// ApplyChunks makes the edits of a body that came in chunks, and keeps each
// chunk's time. What an edit puts in goes with the chunk in which it begins;
// behind the last one it is a chunk of its own at that one's time.
func ApplyChunks(chunks []Chunk, edits []Edit) ([]Chunk, error) {
	if len(edits) == 0 {
		return chunks, nil
	}
	var out []Chunk
	off := int64(0)
	for _, c := range chunks {
		var data []byte
		data, edits = applyPart(c.Data, off, edits)
		off += int64(len(c.Data))
		if len(data) > 0 || len(c.Data) == 0 {
			out = append(out, Chunk{Data: data, At: c.At})
		}
	}
	var last time.Duration
	if len(chunks) > 0 {
		last = chunks[len(chunks)-1].At
	}
	for _, e := range edits {
		if e.At > off || e.Cut > 0 {
			return nil, ErrMalformed
		}
		out = append(out, Chunk{Data: e.Put, At: last})
	}
	return out, nil
}

// applyPart makes the edits that touch the bytes [off, off+len(data)) and
// gives the edits that are left, an unfinished one without what is done.
func applyPart(data []byte, off int64, edits []Edit) ([]byte, []Edit) {
	end, at := off+int64(len(data)), off
	var out []byte
	for len(edits) > 0 && edits[0].At < end {
		e := edits[0]
		if e.At > at {
			out = append(out, data[at-off:e.At-off]...)
			at = e.At
		}
		out = append(out, e.Put...)
		cut := min(e.Cut, end-at)
		at += cut
		if cut < e.Cut {
			rest := append([]Edit{{At: at, Cut: e.Cut - cut}}, edits[1:]...)
			return out, rest
		}
		edits = edits[1:]
	}
	return append(out, data[at-off:]...), edits
}
