package object

import (
	"encoding/binary"
	"slices"
	"time"
)

// Edit replaces Cut bytes at offset At of a body by Put. Offsets count in the
// body as it was; a list is in their order and does not overlap.
type Edit struct {
	At, Cut int64
	Put     []byte
	Secret  bool // Put is a value that is kept under the vault's key only
}

// withSecrets is added to the length of a list in which some edits are secret:
// no list is so long.
const withSecrets = 1 << 40

// AppendEdits encodes a list of edits. What a secret one puts in must have been
// sealed; what several of them put in stands there once.
func AppendEdits(dst []byte, edits []Edit) []byte {
	dst, places := appendSealed(dst, edits)
	for _, e := range edits {
		dst = binary.AppendUvarint(dst, uint64(e.At))
		dst = binary.AppendUvarint(dst, uint64(e.Cut))
		if places != nil {
			dst = binary.AppendUvarint(dst, places[e.place()])
		}
		if !e.Secret {
			dst = appendBytes(dst, e.Put)
		}
	}
	return dst
}

// place is what a secret edit's value is found by; others have none.
func (e *Edit) place() string {
	if !e.Secret {
		return ""
	}
	return string(e.Put)
}

// appendSealed begins a list: its length and, when some edits are secret, what
// they put in. places numbers that from 1.
func appendSealed(dst []byte, edits []Edit) (_ []byte, places map[string]uint64) {
	var sealed []byte
	for i := range edits {
		if p := edits[i].place(); p != "" && places[p] == 0 {
			if places == nil {
				places = map[string]uint64{}
			}
			places[p] = uint64(len(places) + 1)
			sealed = appendBytes(sealed, edits[i].Put)
		}
	}
	if places == nil {
		return binary.AppendUvarint(dst, uint64(len(edits))), nil
	}
	dst = binary.AppendUvarint(dst, uint64(len(edits))|withSecrets)
	dst = binary.AppendUvarint(dst, uint64(len(places)))
	return append(dst, sealed...), places
}

// DecodeEdits reads a list of edits and gives what follows it. What the secret
// ones put in is sealed.
func DecodeEdits(b []byte) ([]Edit, []byte, error) {
	r := reader{b: b}
	count := r.uvarint()
	secrets := count&withSecrets != 0
	if count &^= withSecrets; count > uint64(len(r.b)/3) {
		r.fail()
		return nil, nil, r.err
	}
	var sealed [][]byte
	if secrets {
		for range r.count(1) {
			sealed = append(sealed, r.bytes())
		}
		if slices.ContainsFunc(sealed, func(b []byte) bool { return len(b) == 0 }) {
			r.fail()
		}
	}
	var edits []Edit
	for range count {
		edits = append(edits, r.edit(secrets, sealed))
	}
	return edits, r.b, r.err
}

func (r *reader) edit(secrets bool, sealed [][]byte) Edit {
	e := Edit{At: int64(r.count(0)), Cut: int64(r.count(0))}
	place := uint64(0)
	if secrets {
		place = r.uvarint()
	}
	switch {
	case place == 0:
		e.Put = r.bytes()
	case place > uint64(len(sealed)):
		r.fail()
	default:
		e.Put, e.Secret = sealed[place-1], true
	}
	return e
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

// Apply gives the body with the edits made. None of them may be sealed.
func Apply(body []byte, edits []Edit) ([]byte, error) {
	if err := Check(edits, int64(len(body))); err != nil {
		return nil, err
	}
	if sealed(edits) {
		return nil, ErrMalformed
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

func sealed(edits []Edit) bool {
	return slices.ContainsFunc(edits, func(e Edit) bool { return e.Secret })
}

// ApplyChunks makes the edits of a body that came in chunks, and keeps each
// chunk's time. None of them may be sealed. What an edit puts in goes with the chunk in which it begins;
// behind the last one it is a chunk of its own at that one's time.
func ApplyChunks(chunks []Chunk, edits []Edit) ([]Chunk, error) {
	if len(edits) == 0 {
		return chunks, nil
	}
	if sealed(edits) {
		return nil, ErrMalformed
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
