// Package filter is the one language in which people and programs choose flows:
// on the command line, in the admin API, in saved views. docs/reference/filters.md
// specifies it. It parses and matches; it never reads a clock, does I/O, or knows
// where flows are kept.
package filter

import (
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Filter is a parsed filter. The nil Filter matches every flow.
type Filter struct{ root *Node }

// Op says what a node of a filter's tree is.
type Op int

// The nodes: All and Any of Nodes; Not of the one in Nodes; Is, a test of a
// field; Brings, a text.
const (
	All Op = iota
	Any
	Not
	Is
	Brings
)

// Node is a node of a filter's tree, for those who ask a database. It is not
// changed after Parse.
type Node struct {
	Op     Op
	Nodes  []*Node // All, Any: two at least
	Field  Field   // Is
	Values []Value // Is: one of them
	Text   Text    // Brings
}

// Text is what a flow must have brought. It is comparable.
type Text struct {
	Words  string
	Phrase bool // the words stand one behind the other
	Prefix bool // Words is the beginning of a word
}

// Root gives the filter's tree; nil: it matches all.
func (f *Filter) Root() *Node {
	if f == nil {
		return nil
	}
	return f.root
}

// Match reports whether the filter chooses a flow. has tells whether the flow
// brought a text; when it is nil, no flow brought any.
func (f *Filter) Match(v *flow.View, has func(Text) bool) bool {
	return f == nil || f.root.Match(v, has)
}

// Match is Filter.Match of one node; a nil one matches.
func (n *Node) Match(v *flow.View, has func(Text) bool) bool {
	if n == nil {
		return true
	}
	match := func(m *Node) bool { return m.Match(v, has) }
	switch n.Op {
	case All:
		return !slices.ContainsFunc(n.Nodes, func(m *Node) bool { return !match(m) })
	case Any:
		return slices.ContainsFunc(n.Nodes, match)
	case Not:
		return !match(n.Nodes[0])
	case Brings:
		return has != nil && has(n.Text)
	}
	return n.is(v)
}

// is tests a field. A flow without a value matches "unknown" only.
func (n *Node) is(v *flow.View) bool {
	d := table[n.Field]
	if d.numbers != nil {
		var room [8]float64
		list := d.numbers(v, room[:0])
		return slices.ContainsFunc(n.Values, func(w Value) bool { return w.hasNumber(list) })
	}
	var room [8]string
	list := slices.DeleteFunc(d.texts(v, room[:0]), func(s string) bool { return s == "" })
	return slices.ContainsFunc(n.Values, func(w Value) bool { return w.hasText(list) })
}

// Texts gives the filter's texts, each once.
func (f *Filter) Texts() []Text {
	var list []Text
	f.Root().walk(func(n *Node) {
		if n.Op == Brings && !slices.Contains(list, n.Text) {
			list = append(list, n.Text)
		}
	})
	return list
}

func (n *Node) walk(visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, m := range n.Nodes {
		m.walk(visit)
	}
}

// Error is what is wrong with a filter's text. Text and Hint quote the filter.
type Error struct {
	Column int    // of the first character that is wrong, from 1
	Text   string // "there is no field modle"
	Hint   string // what to write instead: "did you mean model?"; may be empty
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Text
	}
	return e.Text + ": " + e.Hint
}
