package gate

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"hash"
)

// digestStep is the distance of the states that a digest keeps, in bytes. A
// state takes about 110 bytes.
const digestStep = 32 << 10

// digest is the SHA-256 of a body with its inner states on the way, so that the
// digest of the next body of the conversation, which begins with the same
// bytes, need not read them again: a turn costs what it adds.
type digest struct {
	sum    string   // hex
	states [][]byte // after digestStep bytes, twice as many …
}

// newDigest hashes body, whose first same bytes are those that base was made of.
func newDigest(body []byte, base *digest, same int) *digest {
	d := &digest{}
	h := sha256.New()
	at := 0
	if base != nil {
		n := min(same/digestStep, len(base.states))
		if n > 0 && h.(encoding.BinaryUnmarshaler).UnmarshalBinary(base.states[n-1]) == nil {
			d.states, at = append(d.states, base.states[:n]...), n*digestStep
		}
	}
	for len(body)-at >= digestStep {
		h.Write(body[at : at+digestStep])
		at += digestStep
		d.states = append(d.states, state(h))
	}
	h.Write(body[at:])
	d.sum = hex.EncodeToString(h.Sum(nil))
	return d
}

func state(h hash.Hash) []byte {
	b, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil { // crypto/sha256 documents that its hashes marshal
		panic(err)
	}
	return b
}

func sumHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
