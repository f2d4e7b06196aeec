package inspect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// KnownValue is an exact value to look for, with the name of the rule that
// found it first ("secret.github-token").
type KnownValue struct {
	Value []byte
	Rule  string
}

// minKnown is the shortest value that is looked for everywhere: shorter ones
// stand in any text. Values shorter than looseKnown count only as whole words.
const (
	minKnown   = 4
	looseKnown = 8
)

// Known is an immutable set of exact values, for one scope. A nil Known is
// empty.
type Known struct {
	id      string
	values  []KnownValue
	rules   []*Rule  // for values whose rule is no longer in the engine
	anchors *anchors // nil: there are no values
}

// NewKnown makes a set. Values of less than 4 bytes are left out: they would be
// found in any text. Sets of the same values have the same ID.
func NewKnown(values []KnownValue) *Known {
	k := &Known{}
	for _, v := range values {
		if len(v.Value) >= minKnown {
			k.values = append(k.values, KnownValue{slices.Clone(v.Value), v.Rule})
		}
	}
	slices.SortFunc(k.values, func(a, b KnownValue) int { return slices.Compare(a.Value, b.Value) })
	k.values = slices.CompactFunc(k.values, func(a, b KnownValue) bool { return slices.Equal(a.Value, b.Value) })
	k.id = k.hash()
	list := make([]anchor, len(k.values))
	for i, v := range k.values {
		list[i] = anchor{text: string(v.Value), exact: true, words: len(v.Value) < looseKnown, owners: []int32{int32(i)}}
		k.rules = append(k.rules, &Rule{ID: v.Rule, Title: "a value that was found before", Severity: flow.High, Confidence: 100})
	}
	if len(list) > 0 {
		k.anchors = newAnchors(list)
	}
	return k
}

func (k *Known) hash() string {
	h := sha256.New()
	for _, v := range k.values {
		for _, part := range [][]byte{v.Value, []byte(v.Rule)} {
			h.Write(binary.AppendUvarint(nil, uint64(len(part))))
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ID names the set's content: results for one ID do not hold for another.
func (k *Known) ID() string {
	if k == nil {
		return ""
	}
	return k.id
}

// Len is the number of values.
func (k *Known) Len() int {
	if k == nil {
		return 0
	}
	return len(k.values)
}

// With gives a set that has the values of k and more.
func (k *Known) With(more []KnownValue) *Known {
	if k == nil {
		return NewKnown(more)
	}
	return NewKnown(append(slices.Clone(k.values), more...))
}

// Has reports whether a value is in the set.
func (k *Known) Has(value []byte) bool {
	if k == nil {
		return false
	}
	_, ok := slices.BinarySearchFunc(k.values, value, func(v KnownValue, value []byte) int { return slices.Compare(v.Value, value) })
	return ok
}
