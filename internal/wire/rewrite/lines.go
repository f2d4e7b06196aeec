package rewrite

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// ending is what ends a stream's lines, as the first of them shows.
type ending uint8

const (
	unseen ending = iota
	lf
	crlf
	cr
)

func (e ending) String() string { return [...]string{"\n", "\n", "\r\n", "\r"}[e] }

// lines cuts lines: take gets each, view[from:to], and the offset behind its end.
func (r *Rewriter) lines(view []byte, take func(view []byte, from, to int, next int64)) {
	s := &r.scan
	for r.refused == nil && !r.plain {
		if len(r.templates) > 0 {
			r.quick(view)
		}
		i := int(s.at - r.base)
		if s.cr && i < len(view) {
			if s.cr = false; view[i] == '\n' {
				i, s.at, s.line = i+1, s.at+1, s.line+1
			}
		}
		end, next, ok := s.lineEnd(view, i)
		s.at = r.base + int64(next)
		if !ok {
			return
		}
		from := int(s.line - r.base)
		s.line = s.at
		take(view, from, end, s.at)
	}
}

// lineEnd finds the end of the line from i on, and where the next one begins.
// A CR at the end of view waits for an LF, unless the stream's lines end in CR
// alone: then an LF behind it belongs to it, and is passed over later.
func (s *scanner) lineEnd(view []byte, i int) (end, next int, ok bool) {
	end = len(view)
	if j := bytes.IndexByte(view[i:], '\n'); j >= 0 {
		end = i + j
	}
	if j := bytes.IndexByte(view[i:end], '\r'); j >= 0 {
		return s.crEnd(view, i+j)
	}
	if end == len(view) {
		return end, end, false
	}
	s.ends(lf)
	return end, end + 1, true
}

func (s *scanner) crEnd(view []byte, end int) (_, next int, ok bool) {
	switch {
	case s.endings == cr:
		s.cr = true
		return end, end + 1, true
	case end+1 == len(view):
		return end, end, false
	case view[end+1] == '\n':
		s.ends(crlf)
		return end, end + 2, true
	}
	s.ends(cr)
	return end, end + 1, true
}

func (s *scanner) ends(e ending) {
	if s.endings == unseen {
		s.endings = e
	}
}

var byteOrder = []byte("\xef\xbb\xbf")

// sseLine takes a line of SSE. At the empty line the event is complete.
func (r *Rewriter) sseLine(view []byte, from, to int, next int64) {
	s := &r.scan
	if !s.late {
		s.late = true
		if bytes.HasPrefix(view[from:to], byteOrder) {
			from += len(byteOrder)
		}
	}
	if from < to {
		s.field(view, from, to, r.base)
		return
	}
	if len(s.data) == 0 {
		if s.odd && !s.known && r.o.Unread != nil {
			return // what may yet prove to be no stream is held
		}
		s.reset(next)
		r.settle(next)
		return
	}
	s.known = true
	start := int(s.start - r.base)
	e := r.sseEvent(view, next)
	s.reset(next)
	r.handle(e)
	if r.hint.set {
		if one := e.joints == nil && s.endings != cr && !s.cr; one {
			r.template(view, start, int(next-r.base))
		}
		r.hint.set = false
	}
}

func (s *scanner) reset(next int64) {
	s.start, s.name, s.data = next, [2]int64{}, s.data[:0]
}

// field takes a line that is not empty. Only names and data are of interest.
func (s *scanner) field(view []byte, from, to int, base int64) {
	name := view[from:to]
	at := to
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		at = from + i + 1
		name = name[:i]
		if at < to && view[at] == ' ' {
			at++
		}
	}
	value := [2]int64{base + int64(at), base + int64(to)}
	switch string(name) {
	case "data":
		s.data = append(s.data, value)
	case "event":
		s.name = value
	case "", "id", "retry":
	default:
		s.odd = true
	}
}

// sseEvent makes an event of the lines that came. The data of one line is not
// copied.
func (r *Rewriter) sseEvent(view []byte, end int64) *event {
	s := &r.scan
	e := &r.event
	*e = event{start: s.start, end: end}
	if s.name[1] > 0 {
		e.name = s.intern(view[s.name[0]-r.base : s.name[1]-r.base])
	}
	if len(s.data) == 1 {
		d := s.data[0]
		e.base, e.data = d[0], view[d[0]-r.base:d[1]-r.base]
		return e
	}
	s.joined, s.joints = s.joined[:0], s.joints[:0]
	for i, d := range s.data {
		if i > 0 {
			s.joined = append(s.joined, '\n')
		}
		s.joints = append(s.joints, joint{len(s.joined), d[0]})
		s.joined = append(s.joined, view[d[0]-r.base:d[1]-r.base]...)
	}
	e.data, e.joints = s.joined, s.joints
	return e
}

// intern gives a name as a string. A stream has few of them.
func (s *scanner) intern(name []byte) string {
	for _, known := range s.seen {
		if string(name) == known {
			return known
		}
	}
	text := string(name)
	if len(s.seen) < 32 && len(text) < 64 {
		s.seen = append(s.seen, text)
	}
	return text
}

// unended takes an event that was cut off with the stream, as codec does.
func (r *Rewriter) unended(view []byte, rest *event) {
	s := &r.scan
	if from := int(s.line - r.base); from < len(view) {
		to := len(view)
		if view[to-1] == '\r' {
			to--
		}
		if from < to {
			s.field(view, from, to, r.base)
		}
	}
	if len(s.data) == 0 {
		return
	}
	s.known = true
	e := r.sseEvent(view, r.in)
	s.reset(r.in)
	if peek.Whole(e.data) || string(e.data) == "[DONE]" {
		r.handle(e)
	} else if r.o.Hold {
		r.edit(Edit{At: rest.base, Cut: int64(len(rest.data))})
	}
}
