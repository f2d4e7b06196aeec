package rewrite

import (
	"bytes"
	"slices"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// A stream's events mostly differ in one string. A template is an event that was
// read, with holes where others of its kind may differ; an event that fits it says
// the same but for that string, so its JSON need not be read again.
type template struct {
	pieces []piece
	lane   *lane  // that the string belongs to; nil: to none
	figure []byte // the last number of the event that was read last
}

// piece is literal bytes and the hole behind them.
type piece struct {
	literal []byte
	hole    hole
}

type hole uint8

const (
	last  hole = iota // the event's end
	main              // the string, with its quotes
	aside             // another string, with its quotes
	figure
)

// templates that are kept at a time, and the most that are made for a stream
// that they don't fit.
const (
	templates = 4
	tries     = 64
)

// hint is where an event that was just read has holes.
type hint struct {
	set  bool
	lane *lane
	text []byte
	rest [][]byte
}

// learn notes that an event brings text to a lane and nothing else. Of rest it
// may be a string, a number, or an object in which numbers differ.
func (r *Rewriter) learn(l *lane, text []byte, rest ...[]byte) {
	if r.learned < tries && r.framing == events && len(text) >= 2 && text[0] == '"' {
		r.hint = hint{true, l, text, append(r.hint.rest[:0], rest...)}
	}
}

// forget drops the templates of a lane that is closed.
func (r *Rewriter) forget(l *lane) {
	r.templates = slices.DeleteFunc(r.templates, func(t *template) bool { return t.lane == l })
}

// cutting is a hole in the bytes of an event.
type cutting struct {
	from, to int
	hole     hole
}

// template makes one of the hint and the event [from, to) of view.
func (r *Rewriter) template(view []byte, from, to int) {
	h := r.hint
	r.hint.set = false
	r.learned++
	at := cap(view) - cap(h.text)
	cuts := []cutting{{at, at + len(h.text), main}}
	for _, raw := range h.rest {
		if len(raw) > 0 {
			cuts = append(cuts, cuttings(raw, cap(view)-cap(raw))...)
		}
	}
	slices.SortFunc(cuts, func(a, b cutting) int { return a.from - b.from })
	t := &template{lane: h.lane}
	for _, c := range cuts {
		if c.from < from {
			return
		}
		t.pieces = append(t.pieces, piece{bytes.Clone(view[from:c.from]), c.hole})
		from = c.to
	}
	t.pieces = append(t.pieces, piece{bytes.Clone(view[from:to]), last})
	if len(r.templates) == templates {
		r.templates = r.templates[:templates-1]
	}
	r.templates = slices.Insert(r.templates, 0, t)
}

// cuttings gives the holes that a value makes.
func cuttings(raw []byte, at int) (cuts []cutting) {
	if raw[0] == '"' {
		return []cutting{{at, at + len(raw), aside}}
	}
	for i := 0; i < len(raw); i++ {
		n := digitsAt(raw[i:])
		if n > 0 {
			cuts = append(cuts, cutting{at + i, at + i + n, figure})
			i += n - 1
		} else if raw[i] == '"' {
			i += max(stringAt(raw[i:]), 1) - 1 // what is no JSON may have none that ends
		}
	}
	return cuts
}

func digitsAt(b []byte) (n int) {
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// stringAt gives the length of the JSON string that b begins with; 0: there is
// none, or not all of it.
func stringAt(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	quote := 1 + bytes.IndexByte(b[1:], '"')
	for i := 1; quote > 0; {
		k := bytes.IndexByte(b[i:quote], '\\')
		if k < 0 {
			return quote + 1
		}
		if i += k + 2; i > quote { // that quote was escaped
			if i > len(b) {
				break
			}
			j := bytes.IndexByte(b[i:], '"')
			if j < 0 {
				break
			}
			quote = i + j
		}
	}
	return 0
}

// fit reports whether b begins with an event of the template: its length, the
// string in it.
func (t *template) fit(b []byte) (n int, s []byte, ok bool) {
	for _, p := range t.pieces {
		if len(b)-n < len(p.literal) || string(b[n:n+len(p.literal)]) != string(p.literal) {
			return 0, nil, false
		}
		n += len(p.literal)
		if p.hole == last {
			break
		}
		size := 0
		if p.hole == figure {
			size = digitsAt(b[n:])
			t.figure = b[n : n+size]
		} else if size = stringAt(b[n:]); p.hole == main {
			s = b[n : n+size]
		}
		if size == 0 || bytes.IndexByte(b[n:n+size], '\n') >= 0 || bytes.IndexByte(b[n:n+size], '\r') >= 0 {
			return 0, nil, false // in a string, the line's end is the event's
		}
		n += size
	}
	return n, s, true
}

// quick handles the events at the front of what was not looked at, as long as
// they fit a template.
func (r *Rewriter) quick(view []byte) {
	s := &r.scan
	for s.at == s.start && s.line == s.start && r.refused == nil && len(r.templates) > 0 {
		i := int(s.start - r.base)
		if !r.quickOne(view, i) {
			return
		}
	}
}

func (r *Rewriter) quickOne(view []byte, i int) bool {
	for k, t := range r.templates {
		n, raw, ok := t.fit(view[i:])
		if !ok || n > Limit {
			continue
		}
		r.figure = peek.Int(t.figure)
		if k > 0 {
			r.templates[0], r.templates[k] = t, r.templates[0]
		}
		s := &r.scan
		e := &r.event
		*e = event{data: view[i : i+n], start: s.start, base: s.start, end: s.start + int64(n)}
		s.start, s.line, s.at = e.end, e.end, e.end
		r.now = e.end
		if r.learned > 0 {
			r.learned--
		}
		if t.lane != nil {
			t.lane.feed(e, raw)
		}
		r.settle(e.end)
		return true
	}
	return false
}
