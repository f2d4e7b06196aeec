// Package linear is a small classifier of text: logistic regression over hashed
// words and pairs of words, with weights of one byte. It says how much a stretch
// of text reads like an instruction to a language model. It does no I/O, keeps
// nothing of what it read, and never decides alone: a rule has to agree.
package linear

import (
	"encoding/binary"
	"errors"
	"math"
)

// Buckets is how many weights a model has: two features may share one.
const Buckets = 1 << 17

// Model is a trained classifier. It does not change.
type Model struct {
	scale   float64 // of a weight of 1
	bias    float64
	weights []int8 // Buckets
}

const (
	magic  = "ghlin1\n\x00"
	header = len(magic) + 16
)

// Size is the length of an encoded model in bytes.
const Size = header + Buckets

var errModel = errors.New("this is no model of package linear")

// Read takes a model from the bytes that Bytes gave. The model keeps them.
func Read(b []byte) (*Model, error) {
	if len(b) != Size || string(b[:len(magic)]) != magic {
		return nil, errModel
	}
	m := &Model{
		scale: math.Float64frombits(binary.LittleEndian.Uint64(b[len(magic):])),
		bias:  math.Float64frombits(binary.LittleEndian.Uint64(b[len(magic)+8:])),
	}
	if !(math.Abs(m.scale) < 1e6 && math.Abs(m.bias) < 1e6) { // not a number is no less wrong
		return nil, errModel
	}
	m.weights = make([]int8, Buckets)
	for i, c := range b[header:] {
		m.weights[i] = int8(c)
	}
	return m, nil
}

// Bytes encodes the model.
func (m *Model) Bytes() []byte {
	b := append(make([]byte, 0, Size), magic...)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.scale))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.bias))
	for _, w := range m.weights {
		b = append(b, byte(w))
	}
	return b
}

// Percent is how sure the model is, 0 to 100, that a text instructs a model. Its
// time grows with the text's length: give it a window.
func (m *Model) Percent(text []byte) int {
	sum, n := 0, 0
	features(text, func(f uint32) {
		sum += int(m.weights[f])
		n++
	})
	if n == 0 {
		return 0
	}
	return int(100 * logistic(m.bias+m.scale*float64(sum)/norm(n)))
}

// norm keeps long texts and short ones on one scale.
func norm(n int) float64 { return math.Sqrt(float64(n)) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
