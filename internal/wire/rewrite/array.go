package rewrite

// elements cuts the elements out of a JSON array. It looks at brackets and
// strings only.
func (r *Rewriter) elements(view []byte) {
	s := &r.scan
	i := int(s.at - r.base)
	for i < len(view) && !s.over && r.refused == nil && !r.plain {
		if s.quoted {
			i = s.inside(view, i)
			continue
		}
		switch view[i] {
		case '"':
			s.quoted = true
		case '{', '[':
			if s.depth++; s.depth == 2 {
				s.line = r.base + int64(i)
			}
		case '}', ']':
			if s.depth--; s.depth == 1 {
				r.element(view, int(s.line-r.base), i+1)
			}
			s.over = s.over || s.depth <= 0
		}
		i++
	}
	s.at = r.base + int64(i)
	if s.over && r.refused == nil {
		r.behind()
	}
}

// behind takes what stands behind an array: space. Where calls are to be judged
// it is held until it is known to be no more.
func (r *Rewriter) behind() {
	s := &r.scan
	if !r.o.Hold {
		s.at = r.in
	}
	s.start = s.at
	r.settle(s.start)
}

// inside steps behind the string's end.
func (s *scanner) inside(view []byte, i int) int {
	for ; i < len(view); i++ {
		switch c := view[i]; {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.quoted = false
			return i + 1
		}
	}
	return i
}

func (r *Rewriter) element(view []byte, from, to int) {
	e := &r.event
	*e = event{data: view[from:to], start: r.scan.start, end: r.base + int64(to), base: r.base + int64(from)}
	r.scan.start = e.end
	r.handle(e)
}
