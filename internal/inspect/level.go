package inspect

import "sort"

// level is a text in which is looked for matches. Level 0 is the scanned bytes
// with JSON escapes undone; the text of a deeper one is what was encoded in the
// level above, each run a segment of its own with a zero byte behind it.
type level struct {
	up       *level // nil: raw are the scanned bytes
	raw      []byte // the text of the level above
	text     []byte
	segments []segment
	marks    []mark
	ended    int  // index of the segment that was found last
	borrowed bool // text is the scanned bytes themselves
}

// emptied is a level with the buffers of l, to be used again. What was decoded
// is not kept.
func (l *level) emptied() level {
	next := level{segments: l.segments[:0], marks: l.marks[:0]}
	if !l.borrowed && cap(l.text) <= maxScratch {
		clear(l.text)
		next.text = l.text[:0]
	}
	if cap(l.segments) > maxScratch/100 {
		next.segments = nil
	}
	if cap(l.marks) > maxScratch/100 {
		next.marks = nil
	}
	return next
}

// segment is a stretch of a level's text that was one run of the level above.
type segment struct {
	start, end int // in text
	from, to   int // in raw
	encoding   string
	step       stepper // maps within the run; nil: the run is one whole
	marks      int     // index of its first mark
	closed     bool    // not text: is searched, but not looked into
	strings    bool    // a quote that is no escape is structure
}

// stepper decodes the token at raw[i]: it gives its width and the bytes that it
// stands for, one or more.
type stepper func(raw []byte, i int) (width int, token [4]byte, n int)

// mark is a place at which text and raw are known to meet. The next run bytes
// are the same in both. There is one at least every 512 bytes, so that a map costs
// little however long the text is.
type mark struct {
	text, raw, run int
	in             bool // within a string
}

const markEvery = 256

// spot is the token that holds a decoded byte.
type spot struct {
	text, n    int // the decoded token
	raw, width int
	in         bool
}

// segmentAt gives the index of the segment that holds text[at].
func (l *level) segmentAt(at int) int {
	if s := &l.segments[l.ended]; at >= s.start && at <= s.end {
		return l.ended
	}
	l.ended = max(0, sort.Search(len(l.segments), func(i int) bool { return l.segments[i].start > at })-1)
	return l.ended
}

// spot finds the token of text[at].
func (l *level) spot(s *segment, at int) spot {
	last := len(l.marks)
	if next := l.after(s); next >= 0 {
		last = next
	}
	i := s.marks + sort.Search(last-s.marks, func(i int) bool { return l.marks[s.marks+i].text > at }) - 1
	m := l.marks[i]
	if at < m.text+m.run {
		return spot{at, 1, m.raw + at - m.text, 1, m.in}
	}
	return l.walk(s, spot{text: m.text + m.run, raw: m.raw + m.run, in: m.in}, at)
}

// after is the first mark of the segment behind s; -1 when s is the last.
func (l *level) after(s *segment) int {
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].start > s.start })
	if i == len(l.segments) {
		return -1
	}
	return l.segments[i].marks
}

// walk steps on from a token's beginning to the token that holds text[at].
func (l *level) walk(s *segment, p spot, at int) spot {
	for p.raw < s.to {
		width, token, n := s.step(l.raw, p.raw)
		quote := s.strings && width == 1 && token[0] == '"'
		if at < p.text+n {
			p.n, p.width = n, width
			p.in = p.in && !quote
			return p
		}
		if quote {
			p.in = !p.in
		}
		p.text, p.raw = p.text+n, p.raw+width
	}
	return p
}

// align widens a span of text to whole tokens and maps it to raw.
func (l *level) align(start, end int) (text, raw Span, first spot) {
	s := &l.segments[l.segmentAt(start)]
	if s.step == nil {
		if l.up == nil {
			return Span{start, end}, Span{start, end}, spot{text: start, n: 1, raw: start, width: 1}
		}
		return Span{start, end}, Span{s.from, s.to}, spot{}
	}
	a, z := l.spot(s, start), l.spot(s, max(start, end-1))
	return Span{a.text, z.text + z.n}, Span{a.raw, z.raw + z.width}, a
}

// append decodes raw[from:to] token by token as a new segment of the level.
func (l *level) append(from, to int, encoding string, special byte, step stepper) {
	s := segment{start: len(l.text), from: from, to: to, encoding: encoding, step: step, marks: len(l.marks)}
	for i := from; i < to; {
		next := i + nextByte(l.raw[i:to], special)
		l.mark(&s, i, next-i, false)
		l.text = append(l.text, l.raw[i:next]...)
		if i = next; i < to {
			width, token, n := step(l.raw, i)
			l.text = append(l.text, token[:n]...)
			i += width
		}
	}
	s.end = len(l.text)
	l.text = append(l.text, 0)
	l.segments = append(l.segments, s)
}

// mark notes that the text from here on is raw[from:], for run bytes at least.
// Only a place that is far enough from the last one is kept.
func (l *level) mark(s *segment, from, run int, in bool) {
	if len(l.marks) > s.marks {
		last := l.marks[len(l.marks)-1]
		if len(l.text)-last.text < markEvery && run < markEvery {
			return
		}
	}
	l.marks = append(l.marks, mark{len(l.text), from, run, in})
}

// whole adds what a run decodes to, as a segment that maps to the whole run.
func (l *level) whole(from, to int, encoding string, text []byte, closed bool) {
	start := len(l.text)
	l.text = append(append(l.text, text...), 0)
	l.segments = append(l.segments, segment{start: start, end: start + len(text), from: from, to: to, encoding: encoding, marks: len(l.marks), closed: closed})
}
