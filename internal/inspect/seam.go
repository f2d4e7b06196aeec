package inspect

import (
	"bytes"
	"sort"
)

const edgeBytes = 256

// thread is text that was put together from pieces of another one.
type thread struct {
	text   []byte
	pieces []piece
}

// piece says where a stretch of a thread comes from. With n equal to width each
// byte stands for itself, else the piece is one token.
type piece struct{ at, n, from, width int32 }

// at gives the index of the piece that holds text[i].
func (t *thread) at(i int) int {
	return sort.Search(len(t.pieces), func(k int) bool { return int(t.pieces[k].at) > i }) - 1
}

// source gives the span from which byte i came.
func (p piece) source(i int) (from, to int) {
	if p.n != p.width {
		return int(p.from), int(p.from + p.width)
	}
	at := int(p.from) + i - int(p.at)
	return at, at + 1
}

// put appends text that came from source[from:].
func (t *thread) put(text []byte, from int) {
	if len(text) == 0 {
		return
	}
	t.pieces = append(t.pieces, piece{int32(len(t.text)), int32(len(text)), int32(from), int32(len(text))})
	t.text = append(t.text, text...)
}

// spans gives where text[start:end] came from: a span for each stretch.
func (t *thread) spans(start, end int) []Span {
	var list []Span
	for i := start; i < end; {
		p := t.pieces[t.at(i)]
		stop := min(end, int(p.at+p.n))
		from, _ := p.source(i)
		_, to := p.source(stop - 1)
		list = append(list, Span{from, to})
		i = stop
	}
	return list
}

// seam is the values of a JSON text one after the other, without the structure
// between them: of a long one only its beginning and its end. Keys and tags are
// left out, and so is what holds only space. It comes from level 0's text; each piece is a value, or an end of one.
type seam struct {
	thread
	key  []byte // of the value that comes next
	full bool   // there were more than maxStrings
}

// maxStrings is how many strings of one text are joined.
const maxStrings = 1 << 20

// emptied is a seam with the buffers of m, to be used again.
func (m *seam) emptied() seam {
	clear(m.text)
	if cap(m.text) > maxScratch || cap(m.pieces) > maxScratch/100 {
		return seam{}
	}
	return seam{thread: thread{text: m.text[:0], pieces: m.pieces[:0]}}
}

// tags are the members whose values are words of the API, not content.
var tags = map[string]bool{
	"type": true, "role": true, "id": true, "name": true, "status": true, "model": true, "object": true, "format": true, "detail": true,
	"tool_use_id": true, "tool_call_id": true, "call_id": true, "item_id": true, "mime_type": true, "mimeType": true, "media_type": true,
	"finish_reason": true, "stop_reason": true, "phase": true, "ttl": true,
}

// string takes one string of level 0. Level 0's text is only a buffer that grows:
// its bytes are there already.
func (m *seam) string(l *level, start, end int, key bool) {
	text := l.text[start:end]
	switch {
	case key:
		m.key = text
	case tags[string(m.key)] || len(bytes.TrimSpace(text)) == 0:
	case len(m.pieces) >= maxStrings:
		m.full = true
	case len(text) > 2*edgeBytes:
		m.put(text[:edgeBytes], start)
		m.text = append(m.text, 0)
		m.put(text[len(text)-edgeBytes:], end-edgeBytes)
	default:
		m.put(text, start)
	}
}

// joints is text that was put together as a level: a segment between each two zero
// bytes. It is good until the next call.
func (s *scanner) joints(text []byte) *level {
	l := &s.joined
	*l = level{text: text, segments: l.segments[:0]}
	for start := 0; start < len(text); {
		end := start + nextByte(text[start:], 0)
		l.segments = append(l.segments, segment{start: int32(start), end: int32(end)})
		start = end + 1
	}
	return l
}

// joinConfidence is what a rule must have to be believed in texts that were put
// together: what stands beside each other there was not written so.
const joinConfidence = 80

// inner finds the values that go on from one string of b to the next.
func (s *scanner) inner() []EdgeMatch {
	if len(s.seam.pieces) < 2 {
		return nil
	}
	mine := len(s.found)
	s.least = joinConfidence
	s.search(s.joints(s.seam.text), seamLevel)
	list := s.found[mine:]
	s.found = s.found[:mine]
	var all []EdgeMatch
	for _, c := range list {
		spans := s.seam.spans(c.start, c.end)
		if len(spans) < 2 || !c.known && c.rule.Confidence < joinConfidence || len(all) >= maxMatches {
			continue
		}
		for i, span := range spans {
			spans[i].Start, spans[i].End = s.toBytes(s.levels[0], span.Start, span.End)
		}
		all = append(all, edgeMatch(c, spans, s.seam.text[c.start:c.end]))
	}
	return all
}

func edgeMatch(c candidate, spans []Span, value []byte) EdgeMatch {
	m := EdgeMatch{Rule: c.rule, Left: spans[0], Right: spans[len(spans)-1], Value: append([]byte(nil), value...), Known: c.known}
	if len(spans) > 2 {
		m.Between = spans[1 : len(spans)-1]
	}
	return m
}
