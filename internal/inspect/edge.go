package inspect

import "slices"

// Edge is what a join needs of a text: the first and last bytes of its values,
// and of the text itself, decoded, with the way back. It is small and holds
// content: it must be kept as the text is.
type Edge struct {
	values ends
	whole  ends
	found  []reach // matches that reach into it
}

// reach is a match near an edge.
type reach struct {
	Span
	rule  *Rule
	known bool
}

// stands reports whether a match says all that the same place would say as a
// part of what another rule finds: it is that rule's own, or one as sure.
func stands(by *Rule, known bool, r *Rule) bool {
	return by.Name() == r.Name() || !known && by.Confidence >= r.Confidence
}

// ends are the beginning and the end of a text. When both are the same the text
// is short, and head is all of it.
type ends struct {
	head, tail thread
	short      bool
}

// edge cuts the ends off level 0 and the seam.
func (s *scanner) edge(matches []Match) Edge {
	var e Edge
	l := s.levels[0]
	if len(l.text) == 0 {
		e.whole.short, e.values.short = true, true
		return e
	}
	e.whole = s.ends(&thread{text: l.text, pieces: []piece{{0, int32(len(l.text)), 0, int32(len(l.text))}}})
	if s.o.JSON {
		e.values = s.ends(&s.seam.thread)
	} else {
		e.values = e.whole
	}
	for _, m := range matches {
		if e.reaches(m.Start, m.End) {
			e.found = append(e.found, reach{Span{m.Start, m.End}, m.Rule, m.Known})
		}
	}
	return e
}

// Long reports whether nothing that stands before the text can go on behind it.
func (e *Edge) Long() bool { return !e.values.short && !e.whole.short }

func (e *Edge) reaches(start, end int) bool {
	for _, t := range []*thread{&e.values.head, &e.values.tail, &e.whole.head, &e.whole.tail} {
		if n := len(t.pieces); n > 0 && start < int(t.pieces[n-1].from+t.pieces[n-1].width) && end > int(t.pieces[0].from) {
			return true
		}
	}
	return false
}

// covers reports whether something at least as sure was found there without the
// other text.
func (e *Edge) covers(x Span, r *Rule) bool {
	for _, f := range e.found {
		if f.Start < x.End && x.Start < f.End && stands(f.rule, f.known, r) {
			return true
		}
	}
	return false
}

// ends gives both ends of a thread over level 0, as threads over the scanned
// bytes. What stands behind a zero byte of the seam is not adjacent.
func (s *scanner) ends(t *thread) ends {
	if len(t.text) <= edgeBytes && nextByte(t.text, 0) == len(t.text) {
		all := s.bytesOf(t, 0, len(t.text))
		return ends{head: all, tail: all, short: true}
	}
	head := min(edgeBytes, nextByte(t.text, 0))
	tail := len(t.text)
	for tail > 0 && len(t.text)-tail < edgeBytes && t.text[tail-1] != 0 {
		tail--
	}
	return ends{head: s.bytesOf(t, 0, head), tail: s.bytesOf(t, tail, len(t.text))}
}

// bytesOf maps a stretch of a thread over level 0 to the scanned bytes.
func (s *scanner) bytesOf(t *thread, start, end int) thread {
	out := &s.mapped
	out.text, out.pieces = out.text[:0], out.pieces[:0]
	for i := start; i < end; {
		p := t.pieces[t.at(i)]
		from, _ := p.source(i)
		stop := min(end, int(p.at+p.n))
		s.levels[0].copy(out, from, from+stop-i)
		i = stop
	}
	return thread{text: slices.Clone(out.text), pieces: slices.Clone(out.pieces)}
}

// copy appends a stretch of level 0's text, with its way back: token by token, or
// as far as each byte stands for itself.
func (l *level) copy(out *thread, from, to int) {
	s := &l.segments[0]
	if s.coding == asIs {
		out.token(l.text[from:to], Span{from, to})
		return
	}
	for at := l.spot(s, from); from < to; {
		n := min(to, at.text+at.n) - from
		width := at.width
		if width == 1 {
			n = min(to-from, 1+plainRun(l.raw[at.raw+1:min(len(l.raw), at.raw+to-from)]))
			width = n
		}
		out.token(l.text[from:from+n], Span{at.raw, at.raw + width})
		from += n
		if from < to {
			at = spot{text: from, raw: at.raw + width}
			at.width, _, at.n = stepJSON(l.raw, at.raw)
		}
	}
}

// token appends decoded bytes that stand for raw, and makes one piece of what
// stands for itself.
func (t *thread) token(text []byte, raw Span) {
	n, width := int32(len(text)), int32(raw.End-raw.Start)
	last := len(t.pieces) - 1
	if last >= 0 && n == width {
		if p := &t.pieces[last]; p.n == p.width && p.from+p.width == int32(raw.Start) {
			p.n, p.width = p.n+n, p.width+width
			t.text = append(t.text, text...)
			return
		}
	}
	t.pieces = append(t.pieces, piece{int32(len(t.text)), n, int32(raw.Start), width})
	t.text = append(t.text, text...)
}
