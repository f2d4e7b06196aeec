package rewrite

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// event is one payload of an answer and where it lies in the provider's bytes.
type event struct {
	name       string // of SSE's event line
	data       []byte
	start, end int64 // with its framing
	base       int64 // of data, when it is one run
	joints     []joint
}

// joint is a data line of an event that has several: where it begins in the
// data, and where it lies in the provider's bytes.
type joint struct {
	data int
	at   int64
}

// at gives where byte i of the data lies.
func (e *event) at(i int) int64 {
	for k := len(e.joints) - 1; k >= 0; k-- {
		if j := e.joints[k]; i >= j.data {
			return j.at + int64(i-j.data)
		}
	}
	return e.base + int64(i)
}

// place gives where a piece of the data begins. Slices of one array tell by
// their capacities how far apart they begin.
func (e *event) place(piece []byte) int64 { return e.at(cap(e.data) - cap(piece)) }

// endOf gives where a piece of the data ends.
func (e *event) endOf(piece []byte) int64 {
	return e.at(cap(e.data)-cap(piece)+len(piece)-1) + 1
}

// kind gives what an event is: as its own member says, else its line.
func (e *event) kind(raw []byte) string {
	if peek.IsString(raw) {
		return peek.Short(raw)
	}
	return e.name
}

// scanner finds events. Its offsets are the provider's.
type scanner struct {
	at    int64 // looked at up to here
	start int64 // of the event that is not complete
	line  int64 // of its line that is not complete

	name    [2]int64
	data    [][2]int64 // values of data lines
	joined  []byte
	joints  []joint
	seen    []string
	endings ending
	cr      bool // the last byte was a CR that ended a line
	late    bool // the first line is over

	array   bool // elements of an array are the events
	depth   int  // 0 before it, 1 between elements
	quoted  bool
	escaped bool
	over    bool // the array was closed
}

// ending is what ends a stream's lines, as the first of them shows.
type ending uint8

const (
	unseen ending = iota
	lf
	crlf
	cr
)

func (e ending) String() string { return [...]string{"\n", "\n", "\r\n", "\r"}[e] }

// read finds the events in view and handles them.
func (r *Rewriter) read(view []byte) {
	if !r.begun && !r.begin(view) {
		return
	}
	switch {
	case r.framing == Messages:
		r.message(view)
	case r.framing == SSE:
		r.lines(view, r.sseLine)
	case r.framing == Lines:
		r.lines(view, r.document)
	case r.scan.array:
		r.elements(view)
	}
	if r.refused == nil && r.in-r.scan.start > Limit {
		r.overlong(r.scan.start)
	}
}

// begin finds the framing by the first byte that is not space.
func (r *Rewriter) begin(view []byte) bool {
	text := bytes.TrimLeft(view, " \t\r\n")
	if len(text) == 0 {
		return false
	}
	r.begun = true
	if r.framing == Sniff {
		r.framing = SSE
		if text[0] == '{' || text[0] == '[' {
			r.framing = JSON
		}
	}
	r.scan.array = r.framing == JSON && text[0] == '[' && r.dialect.streams()
	return true
}

// handle gives an event to its reader and finds what may be released after it.
func (r *Rewriter) handle(e *event) {
	if e.end-e.start > Limit {
		r.overlong(e.start)
		return
	}
	r.now = e.end
	if !r.torn(e) {
		r.dialect.event(e)
	}
	r.settle(e.end)
}

// settle says that all up to end was read.
func (r *Rewriter) settle(end int64) {
	if r.refused != nil {
		return
	}
	r.now = end
	if len(r.calls) > 0 {
		if end-r.calls[0].start > int64(r.o.MaxHold)*overhead || r.longest() > r.o.MaxHold {
			r.block(tooLong(r.o.MaxHold))
			return
		}
	}
	for _, l := range r.waits {
		if end-l.since() > int64(r.o.MaxHold) {
			r.giveUp()
			break
		}
	}
	r.free = end
	for _, l := range r.waits {
		r.free = min(r.free, l.since())
	}
	if len(r.calls) > 0 {
		r.free = min(r.free, r.calls[0].start)
	}
}

// overlong stops reading: the event that begins at start is over the limit.
func (r *Rewriter) overlong(start int64) {
	if r.o.Hold {
		r.now = start
		r.block(tooLong(Limit))
		return
	}
	r.giveUp()
	r.plain, r.free = true, r.in
}

// message takes a message of a WebSocket: the last bytes of view.
func (r *Rewriter) message(view []byte) {
	at := r.scan.start
	e := &r.event
	*e = event{data: view[at-r.base:], start: at, end: r.in, base: at}
	r.scan.start = r.in
	r.queued = append(r.queued, r.in)
	r.handle(e)
}

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
		s.reset(next)
		r.settle(next)
		return
	}
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

// document takes a line that is a JSON document of its own.
func (r *Rewriter) document(view []byte, from, to int, next int64) {
	e := event{data: view[from:to], start: r.scan.start, end: next, base: r.base + int64(from)}
	r.scan.start = next
	if next-e.start > Limit {
		r.overlong(e.start)
		return
	}
	r.now = next
	if !r.torn(&e) {
		r.body(&e)
	}
	r.settle(next)
}

// torn reports whether a payload is no whole JSON. Where calls are to be judged
// its event is withheld: nobody knows what a lenient reader makes of it.
func (r *Rewriter) torn(e *event) bool {
	text := bytes.TrimLeft(e.data, " \t\r\n")
	if !r.o.Hold || len(text) == 0 || text[0] != '{' || peek.Whole(text) {
		return false
	}
	r.edit(Edit{At: e.start, Cut: e.end - e.start})
	return true
}

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

// finish reads what stands at the stream's end without its empty line, or a
// document.
func (r *Rewriter) finish(view []byte) {
	rest := event{data: view[max(r.scan.start-r.base, 0):], start: r.scan.start, end: r.in, base: r.scan.start}
	r.now = r.in
	switch {
	case r.plain || !r.begun || len(rest.data) == 0:
	case r.framing == SSE:
		r.unended(view, &rest)
	case r.framing == Lines:
		r.document(view, len(view)-len(rest.data), len(view), r.in)
	case r.scan.array && r.o.Hold && len(bytes.TrimSpace(rest.data)) > 0:
		r.edit(Edit{At: rest.base, Cut: int64(len(rest.data))})
	case r.framing == JSON && !r.scan.array && !r.torn(&rest):
		r.body(&rest)
	}
	if r.refused == nil {
		r.closeAll()
		r.judgeAll()
	}
	if r.refused == nil {
		r.free = r.in
	}
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
	e := r.sseEvent(view, r.in)
	s.reset(r.in)
	if peek.Whole(e.data) || string(e.data) == "[DONE]" {
		r.handle(e)
	} else if r.o.Hold {
		r.edit(Edit{At: rest.base, Cut: int64(len(rest.data))})
	}
}
