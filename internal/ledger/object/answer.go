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

// longest is the longest time between two chunks that is kept: a clock that was
// set must not make an answer unreadable.
const longest = 1 << 39 * time.Microsecond

// AppendChunks encodes chunks: first their times and lengths, then their
// bytes in one run, which compresses better.
func AppendChunks(dst []byte, chunks []Chunk) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(chunks)))
	var last time.Duration
	for _, c := range chunks {
		at := min(max(last, c.At.Truncate(time.Microsecond)), last+longest)
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
