package ledger

import (
	"cmp"
	"slices"

	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// Origin says whose words a value stood in. Values from tools have pseudonyms
// of their own, so that a page which lists candidates learns nothing about
// what the user wrote.
type Origin uint8

// The origins. Own are the words of the user and of whoever set the agent up,
// Tool what a tool or a provider brought in.
const (
	Own Origin = iota
	Tool
)

// Secret is a value that is kept in the vault only. Where it stands in the
// request it is cut out.
type Secret struct {
	Start, End int    // span in Doc.Body, as it stands there; empty: it stands nowhere in it
	Value      []byte // what it says, escapes undone; nil: the bytes of the span
	Rule       string // that found it first
	Origin     Origin
	Number     bool   // it is a bare JSON number
	Part       bool   // some bytes of a value, or of an encoding of one: kept like one, and not given by VaultOf
	Pseudonym  string // what is forwarded in its place; empty: the value itself is
}

// maxSecret is how long what one object of the vault holds may be. A longer
// span becomes several parts.
const maxSecret = 64 << 10

// text is what a secret says.
func (s *Secret) text(body []byte) []byte {
	if s.Value == nil {
		return body[s.Start:s.End]
	}
	return s.Value
}

// hide orders the secrets of a body so that their spans are inside of it and
// apart from each other. What overlaps an earlier one keeps the rest of its
// span, as a part, and stands in the vault as a value all the same.
func hide(list []Secret, body []byte) []*hidden {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	for i := range list {
		s := &list[i]
		s.Start = min(max(s.Start, 0), len(body))
		s.End = min(max(s.End, s.Start), len(body))
	}
	slices.SortStableFunc(list, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	var all []*hidden
	at := 0
	for _, s := range list {
		start, end := max(s.Start, at), s.End
		if s.Value = s.text(body); len(s.Value) > maxSecret {
			s.Value, s.Part = nil, true // too long to be looked for; its span is cut out all the same
		}
		whole := start == s.Start && end-start <= maxSecret
		if s.Value != nil && (!whole || start >= end) {
			all = append(all, &hidden{Secret: s, start: start, end: start})
		}
		if whole && start < end {
			all = append(all, &hidden{Secret: s, start: start, end: end})
		}
		for !whole && start < end {
			next := min(start+maxSecret, end)
			all = append(all, &hidden{Secret: Secret{Value: body[start:next], Part: true}, start: start, end: next})
			start = next
		}
		at = max(at, end)
	}
	return all
}

// hidden is a secret and the span that it takes out of the body; an empty one
// is only kept.
type hidden struct {
	Secret
	start, end int
	ref        object.Ref // once it is an object
}

// content is a stretch of a body and what is cut out of it.
type content struct {
	b    []byte
	cuts []cut
}

type cut struct {
	start, end int
	ref        object.Ref
}

// split cuts a content at n or, when a secret lies there, before that.
func (c content) split(n int) (head, rest content) {
	i := 0
	for i < len(c.cuts) && c.cuts[i].end <= n {
		i++
	}
	if i < len(c.cuts) {
		n = min(n, c.cuts[i].start)
	}
	head = content{c.b[:n], c.cuts[:i]}
	rest.b = c.b[n:]
	for _, k := range c.cuts[i:] {
		rest.cuts = append(rest.cuts, cut{k.start - n, k.end - n, k.ref})
	}
	return head, rest
}

// mixed is the content as a mixed block has it.
func (c content) mixed() []byte {
	var data []byte
	at := 0
	for _, k := range c.cuts {
		if k.start > at {
			data = object.AppendMixed(data, c.b[at:k.start], 0)
		}
		data = object.AppendMixed(data, nil, k.ref)
		at = k.end
	}
	if at < len(c.b) {
		data = object.AppendMixed(data, c.b[at:], 0)
	}
	return data
}
