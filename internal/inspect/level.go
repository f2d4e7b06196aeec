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

// segment is a stretch of a level's text that was one run of the level above. A
// hostile text has millions of them, so they are small: see maxBytes.
type segment struct {
	start, end int32 // in text
	from, to   int32 // in raw
	marks      int32 // index of its first mark
	coding     coding
	closed     bool // not text: is searched, but not looked into
}

// coding is how a segment's text stood in the level above.
type coding uint8

const (
	asIs     coding = iota
	jsonText        // level 0 of JSON text: a quote that is no escape is structure
	inJSON
	inNested // JSON escapes, all at once however deep they are
	inURL
	inHTML
	inANSI
	inFolds // characters that stand for others
	inUTF16
	inUTF16BE
	inBase32
	inBase64
	inHex
	inGzip // and the following: behind base64
	inZlib
	inZstd
	hexGzip
	hexZlib
	hexZstd
)

// codings has the words for Match.Via and, for a coding that maps token by token,
// its stepper. Without one a value maps to the whole run. Of one that is decoded
// in stretches, next is the number of bytes before the first at which a step may
// find something, seek that to where it is worth to begin.
var codings = [...]struct {
	via        []string
	step       stepper
	next, seek func(text []byte) int
}{
	asIs:      {},
	jsonText:  {step: stepJSON},
	inJSON:    {[]string{"json"}, stepSource, nextOf('\\'), nextOf('\\')},
	inNested:  {[]string{"json"}, stepNested, nextOf('\\'), nextOf('\\')},
	inURL:     {[]string{"url"}, stepURL, nextOf('%'), nextOf('%')},
	inHTML:    {[]string{"html"}, stepHTML, nextOf('&'), nextOf('&')},
	inANSI:    {[]string{"ansi"}, stepANSI, nextOf(escape), nextOf(escape)},
	inFolds:   {[]string{"unicode"}, stepFold, nextFold, seekFold},
	inUTF16:   {via: []string{"utf-16"}, step: stepUTF16},
	inUTF16BE: {via: []string{"utf-16"}, step: stepUTF16BE},
	inBase32:  {via: []string{"base32"}},
	inBase64:  {via: []string{"base64"}},
	inHex:     {via: []string{"hex"}},
	inGzip:    {via: []string{"base64", "gzip"}},
	inZlib:    {via: []string{"base64", "zlib"}},
	inZstd:    {via: []string{"base64", "zstd"}},
	hexGzip:   {via: []string{"hex", "gzip"}},
	hexZlib:   {via: []string{"hex", "zlib"}},
	hexZstd:   {via: []string{"hex", "zstd"}},
}

// compressed is the coding of compressed content behind base64 or hex.
func compressed(c coding, name string) coding {
	of := map[string]coding{"gzip": inGzip, "zlib": inZlib, "zstd": inZstd}[name]
	if c == inHex {
		of += hexGzip - inGzip
	}
	return of
}

func (s *segment) has(start, end int) bool { return start >= int(s.start) && end <= int(s.end) }

// stepper decodes the token at raw[i]: it gives its width and the bytes that it
// stands for. They are as many as its width only where there is nothing to decode.
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
	if l.segments[l.ended].has(at, at) {
		return l.ended
	}
	l.ended = max(0, sort.Search(len(l.segments), func(i int) bool { return int(l.segments[i].start) > at })-1)
	return l.ended
}

// spot finds the token of text[at].
func (l *level) spot(s *segment, at int) spot {
	first, last := int(s.marks), l.after(s)
	i := first + sort.Search(last-first, func(i int) bool { return l.marks[first+i].text > at }) - 1
	m := l.marks[i]
	if at < m.text+m.run {
		return spot{at, 1, m.raw + at - m.text, 1, m.in}
	}
	return l.walk(s, spot{text: m.text + m.run, raw: m.raw + m.run, in: m.in}, at)
}

// after is the index behind the segment's last mark.
func (l *level) after(s *segment) int {
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].start > s.start })
	if i == len(l.segments) {
		return len(l.marks)
	}
	return int(l.segments[i].marks)
}

// walk steps on from a token's beginning to the token that holds text[at].
func (l *level) walk(s *segment, p spot, at int) spot {
	step := codings[s.coding].step
	for p.raw < int(s.to) {
		width, token, n := step(l.raw, p.raw)
		quote := s.coding == jsonText && width == 1 && token[0] == '"'
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
	switch {
	case s.coding == asIs:
		return Span{start, end}, Span{start, end}, spot{text: start, n: 1, raw: start, width: 1}
	case codings[s.coding].step == nil:
		return Span{start, end}, Span{int(s.from), int(s.to)}, spot{}
	}
	a, z := l.spot(s, start), l.spot(s, max(start, end-1))
	return Span{a.text, z.text + z.n}, Span{a.raw, z.raw + z.width}, a
}

// append decodes raw[from:to] token by token as a new segment of the level.
func (l *level) append(from, to int, c coding) {
	start, first := len(l.text), len(l.marks)
	step, find := codings[c].step, codings[c].next
	for i := from; i < to; {
		next := i + find(l.raw[i:to])
		l.mark(first, i, next-i, false)
		l.text = append(l.text, l.raw[i:next]...)
		if i = next; i < to {
			width, token, n := step(l.raw, i)
			l.text = append(l.text, token[:n]...)
			i += width
		}
	}
	l.close(start, first, from, to, c, false)
}

// mark notes that the text from here on is raw[from:], for run bytes at least.
// Only a place that is far enough from the last one is kept. The first is the
// index of the segment's first mark.
func (l *level) mark(first, from, run int, in bool) {
	if len(l.marks) > first {
		last := l.marks[len(l.marks)-1]
		if len(l.text)-last.text < markEvery && run < markEvery {
			return
		}
	}
	l.marks = append(l.marks, mark{len(l.text), from, run, in})
}

// close makes a segment of the text from start on.
func (l *level) close(start, marks, from, to int, c coding, closed bool) {
	l.segments = append(l.segments, segment{
		start: int32(start), end: int32(len(l.text)), from: int32(from), to: int32(to), marks: int32(marks), coding: c, closed: closed,
	})
	l.text = append(l.text, 0)
}
