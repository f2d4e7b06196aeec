package inspect

import (
	"cmp"
	"slices"
)

// toBytes maps a span of a level's text to the scanned bytes.
func (s *scanner) toBytes(l *level, start, end int) (int, int) {
	for ; l != nil; l = l.up {
		_, raw, _ := l.align(start, end)
		start, end = raw.Start, raw.End
	}
	return start, end
}

// result makes what is handed out of what was found.
func (s *scanner) result() Result {
	r := Result{Scanned: len(s.b)}
	for _, c := range s.found {
		r.Matches = append(r.Matches, s.match(c))
	}
	r.Matches = resolve(r.Matches)
	if len(r.Matches) > maxMatches {
		s.cut(cutMatches)
		r.Matches = r.Matches[:maxMatches:maxMatches]
	}
	for i := range r.Matches {
		s.widen(&r.Matches[i])
	}
	r.Inner = s.inner()
	r.Inner = slices.DeleteFunc(r.Inner, func(m EdgeMatch) bool { return r.covers(m.Left, m.Rule) })
	r.Unread = s.regions()
	if s.stopped >= 0 {
		r.Scanned, _ = s.toBytes(s.levels[0], min(s.stopped, len(s.levels[0].text)-1), s.stopped)
	}
	for _, u := range r.Unread {
		if u.Start < r.Scanned {
			r.Scanned -= u.End - u.Start
		}
	}
	r.Scanned = max(r.Scanned, 0)
	r.Cut = s.cutText()
	r.Edge = s.edge(r.Matches)
	return r
}

// covers reports whether a match says already what a value of the rule that
// begins in the span would say.
func (r *Result) covers(x Span, rule *Rule) bool {
	return slices.ContainsFunc(r.Matches, func(m Match) bool {
		return m.Start < x.End && x.Start < m.End && stands(m.Rule, m.Known, rule)
	})
}

// regions gives the stretches that were not read, without overlaps.
func (s *scanner) regions() []Region {
	slices.SortFunc(s.unread, func(a, b Region) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	var list []Region
	for _, u := range s.unread {
		if n := len(list); n > 0 && u.Start < list[n-1].End {
			list[n-1].End = max(list[n-1].End, u.End)
			continue
		}
		list = append(list, u)
	}
	return list
}

// match follows a candidate from its level up to the scanned bytes.
func (s *scanner) match(c candidate) Match {
	l := s.levels[c.level]
	text, _, _ := l.align(c.start, c.end)
	m := Match{Rule: c.rule, Known: c.known, Secret: slices.Clone(l.text[text.Start:text.End])}
	span := text
	for l.up != nil {
		seg := &l.segments[l.segmentAt(span.Start)]
		m.Via = append(slices.Clone(codings[seg.coding].via), m.Via...)
		_, span, _ = l.align(span.Start, span.End)
		l = l.up
	}
	s.place(&m, span)
	if m.Via == nil {
		m.Secret = m.Value
	}
	return m
}

// place gives a match its place in the scanned bytes, by its span in level 0.
func (s *scanner) place(m *Match, span Span) {
	l := s.levels[0]
	text, raw, first := l.align(span.Start, span.End)
	m.Kind = Raw
	if s.o.JSON {
		text, raw, m.Kind = s.clip(text, raw, first)
	}
	m.Start, m.End = raw.Start, raw.End
	m.Value = slices.Clone(l.text[text.Start:text.End])
}

// clip fits a span to JSON: what begins in a string ends with it, a number is
// taken whole.
func (s *scanner) clip(text, raw Span, first spot) (Span, Span, ValueKind) {
	if !first.in && s.b[raw.Start] == '"' && raw.End-raw.Start > 1 && s.opens(text.Start) {
		raw.Start++
		text.Start++
		first.in = true
	}
	if first.in {
		end, n := raw.Start, text.Start
		for end < raw.End && s.b[end] != '"' {
			width, _, k := stepJSON(s.b, end)
			end, n = end+width, n+k
		}
		if end > raw.Start {
			return Span{text.Start, n}, Span{raw.Start, end}, InString
		}
		return text, raw, Raw
	}
	for _, c := range s.b[raw.Start:raw.End] {
		if !numeric(c) {
			return text, raw, Raw
		}
	}
	for raw.Start > 0 && numeric(s.b[raw.Start-1]) {
		raw.Start, text.Start = raw.Start-1, text.Start-1
	}
	for raw.End < len(s.b) && numeric(s.b[raw.End]) {
		raw.End, text.End = raw.End+1, text.End+1
	}
	return text, raw, InNumber
}

// opens reports whether the quote at a place of level 0 begins a string.
func (s *scanner) opens(at int) bool {
	l := s.levels[0]
	return at+1 < len(l.text) && l.spot(&l.segments[0], at+1).in
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// within reports whether m is what the larger match found in an encoding that
// leaves the value as it is.
func within(m, larger *Match) bool {
	return m.Rule.Name() == larger.Rule.Name() && m.End <= larger.End && string(m.Secret) == string(larger.Secret)
}

// resolve makes one match of all that overlap: what any of them covers, under
// the rule that is worst and surest. Less would leave a part of a value behind.
func resolve(list []Match) []Match {
	slices.SortStableFunc(list, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End), worse(&a, &b))
	})
	var out []Match
	for _, m := range list {
		n := len(out)
		if n == 0 || m.Start >= out[n-1].End {
			out = append(out, m)
			continue
		}
		last := out[n-1]
		best := last
		if worse(&m, &last) < 0 && !within(&m, &last) {
			best = m
		}
		best.Known = last.Known || m.Known
		if last.Kind != m.Kind {
			best.Kind = Raw
		}
		if start, end := last.Start, max(last.End, m.End); best.Start != start || best.End != end {
			best.Start, best.End, best.Value = start, end, nil
		}
		out[n-1] = best
	}
	return out
}

// worse orders matches: the more severe first, then the surer, the longer, the
// less deep.
func worse(a, b *Match) int {
	return cmp.Or(
		cmp.Compare(b.Rule.Severity, a.Rule.Severity),
		cmp.Compare(b.Rule.Confidence, a.Rule.Confidence),
		cmp.Compare(b.End-b.Start, a.End-a.Start),
		cmp.Compare(len(a.Via), len(b.Via)),
	)
}

// widen gives a match of several the value of its whole span.
func (s *scanner) widen(m *Match) {
	if m.Value != nil {
		return
	}
	m.Value = s.value0(m.Start, m.End) // Secret stays what the rule itself found
}

// value0 decodes a span of the scanned bytes as level 0 does.
func (s *scanner) value0(start, end int) []byte {
	if !s.o.JSON {
		return slices.Clone(s.b[start:end])
	}
	var out []byte
	for i := start; i < end; {
		width, token, n := stepJSON(s.b, i)
		out = append(out, token[:n]...)
		i += width
	}
	return out
}
