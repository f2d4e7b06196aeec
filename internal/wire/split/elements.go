package split

// Elements cuts the value of a field into its elements: those of an array, each
// with all that lies in it, or the value itself when it is no array. Blocks are
// not looked into, so that it costs the glue between them only.
//
// Base is the Doc that d was cut against, or nil. Was is where the same
// element, with the same elements before it in its run, begins in the base; -1
// when it is not known to be there.
func (d *Doc) Elements(field int, base *Doc, visit func(start, end, was int)) {
	first := d.first(field)
	if first < 0 || d.Pieces[first].Kind == Block {
		d.plainElements(field, d.moved(first, base), visit)
		return
	}
	e := elements{doc: d, base: base, start: -1, visit: visit}
	if d.Body[d.Fields[field].Start] == '[' {
		e.level = 1
	}
	for i := first; i < len(d.Pieces) && d.Pieces[i].Run == field; i++ {
		if p := &d.Pieces[i]; p.Kind != Block {
			e.glue(i)
		} else if e.depth == e.level {
			visit(p.Start, p.End, e.was(i, i, p.Start, p.End))
		}
	}
}

// moved gives the way back to the base from a field that is one piece.
func (d *Doc) moved(piece int, base *Doc) func(at int) int {
	if piece < 0 || base == nil || d.Pieces[piece].Same < 0 {
		return func(int) int { return -1 }
	}
	by := base.Pieces[d.Pieces[piece].Same].Start - d.Pieces[piece].Start
	return func(at int) int { return at + by }
}

// plainElements cuts a value that is not cut into parts: one block, a short one
// beside others, or one in a body that is cut by its content.
func (d *Doc) plainElements(field int, was func(at int) int, visit func(start, end, was int)) {
	f := &d.Fields[field]
	l := lexer{b: d.Body[:f.End], i: f.Start}
	if l.space() != '[' {
		visit(f.Start, f.End, was(f.Start))
		return
	}
	for l.i++; l.space() != ']'; {
		start := l.i
		if !l.value(0) {
			return // the body was read before: cannot be
		}
		visit(start, l.i, was(start))
		if l.space() == ',' {
			l.i++
		}
	}
}

// elements goes over the pieces of one run.
type elements struct {
	doc, base *Doc
	visit     func(start, end, was int)
	level     int // number of brackets that are open around an element
	depth     int // number that are open here
	start     int // of the element at hand, or -1
	first     int // piece in which it begins
}

// glue follows the brackets of a piece between blocks. No string goes on from
// one piece into the next.
func (e *elements) glue(i int) {
	b, p := e.doc.Body, &e.doc.Pieces[i]
	for at := p.Start; at < p.End; at++ {
		switch b[at] {
		case '"':
			l := lexer{b: b[:p.End], i: at}
			l.str()
			at = l.i - 1
		case '{', '[':
			if e.depth == e.level {
				e.start, e.first = at, i
			}
			e.depth++
		case '}', ']':
			if e.depth--; e.depth == e.level && e.start >= 0 {
				e.visit(e.start, at+1, e.was(e.first, i, e.start, at+1))
				e.start = -1
			}
		}
	}
}

// was finds an element that begins in one piece and ends in another in the
// base. Pieces that have a twin there are the first ones of their run; the last
// piece of an element is glue, which may go on in another way.
func (e *elements) was(first, last, start, end int) int {
	twin := e.doc.Pieces[first].Same
	if e.base == nil || twin < 0 {
		return -1
	}
	if e.doc.Pieces[last].Same < 0 && !e.ends(last, end) {
		return -1
	}
	return e.base.Pieces[twin].Start + start - e.doc.Pieces[first].Start
}

// ends reports whether the base goes on as the glue at hand does, up to where
// the element ends.
func (e *elements) ends(last, end int) bool {
	before := e.doc.Pieces[last-1].Same
	if before < 0 || before+1 >= len(e.base.Pieces) {
		return false
	}
	p, q := &e.doc.Pieces[last], &e.base.Pieces[before+1]
	n := end - p.Start
	return q.Run == e.base.Pieces[before].Run && q.Kind == p.Kind && n <= q.End-q.Start &&
		string(e.doc.Body[p.Start:end]) == string(e.base.Body[q.Start:q.Start+n])
}

// Valid reports whether b is one JSON value as Doc.JSON means it, but for the
// number of members.
func Valid(b []byte) bool {
	l := lexer{b: b}
	l.space()
	if !l.value(0) {
		return false
	}
	l.space()
	return l.i == len(b)
}
