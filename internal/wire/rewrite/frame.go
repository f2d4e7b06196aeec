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

// index gives where in the data a byte of the provider's lies.
func (e *event) index(at int64) int {
	for k := len(e.joints) - 1; k >= 0; k-- {
		if j := e.joints[k]; at >= j.at {
			return j.data + int(at-j.at)
		}
	}
	return int(at - e.base)
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
	odd     bool // a line came that is none of SSE's
	known   bool // an event came

	array   bool // elements of an array are the events
	depth   int  // 0 before it, 1 between elements
	quoted  bool
	escaped bool
	over    bool // the array was closed
}

// read finds the events in view and handles them.
func (r *Rewriter) read(view []byte) {
	if !r.begun && !r.begin(view) {
		return
	}
	if r.unsure {
		r.decide(view)
	}
	switch {
	case r.framing == Messages:
		r.message(view)
	case r.framing == events:
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

// begin finds the framing by the first byte that is neither space nor of a byte order
// mark. The mark is no part of a document.
func (r *Rewriter) begin(view []byte) bool {
	unmarked := bytes.TrimPrefix(view, byteOrder)
	text := bytes.TrimLeft(unmarked, " \t\r\n")
	if len(text) == 0 || len(view) < len(byteOrder) && bytes.HasPrefix(byteOrder, view) {
		return false
	}
	r.begun, r.framing = true, events
	_, r.opaque = r.dialect.(opaque)
	if text[0] != '{' && text[0] != '[' {
		if r.opaque { // no answer of a model
			r.plain, r.free = true, r.in
		}
		return !r.plain
	}
	r.framing = document
	s := &r.scan
	s.start = int64(len(view) - len(unmarked))
	s.at, s.line = s.start, s.start
	s.array = text[0] == '[' && r.dialect.streams()
	r.unsure = r.opaque
	return true
}

// decide tells batch results, a document a line, from one document, as soon as
// there is a line.
func (r *Rewriter) decide(view []byte) {
	i := bytes.IndexByte(view[r.scan.at-r.base:], '\n')
	if i < 0 {
		r.scan.at = r.in
		return
	}
	r.unsure = false
	if peek.Whole(view[r.scan.start-r.base : r.scan.at-r.base+int64(i)]) {
		r.framing, r.scan.at = Lines, r.scan.start
	}
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

// overlong stops reading: the event that begins at start is over the limit. A document
// of that length is no answer of a model, if nobody knows that it is one.
func (r *Rewriter) overlong(start int64) {
	if r.o.Hold && !(r.opaque && r.framing == document) {
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

// torn reports whether a payload is no whole JSON, or an element of a stream no
// object. Where calls are to be judged its event is withheld: nobody knows what a
// lenient reader makes of it. What may be anything is left as it is.
func (r *Rewriter) torn(e *event) bool {
	text := bytes.TrimLeft(e.data, " \t\r\n")
	if !r.o.Hold || r.opaque || len(text) == 0 || text[0] != '{' && !r.scan.array || peek.Whole(text) {
		return false
	}
	cut := Edit{At: e.start, Cut: e.end - e.start}
	if r.framing == events {
		cut.Put = comment // what follows must not become the beginning, and be read as no stream
	}
	r.edit(cut)
	return true
}

// comment is an event of SSE that says nothing.
var comment = []byte(":\n\n")

// finish reads what stands at the stream's end without its empty line, or a
// document.
func (r *Rewriter) finish(view []byte) {
	rest := event{data: view[max(r.scan.start-r.base, 0):], start: r.scan.start, end: r.in, base: r.scan.start}
	r.now = r.in
	switch {
	case r.plain || !r.begun:
	case r.framing == events:
		if r.unended(view, &rest); !r.scan.known {
			r.unread()
		}
	case len(rest.data) == 0:
	case r.framing == Lines:
		r.document(view, len(view)-len(rest.data), len(view), r.in)
	case r.scan.array && r.o.Hold && len(bytes.TrimSpace(rest.data)) > 0:
		r.edit(Edit{At: rest.base, Cut: int64(len(rest.data))})
	case r.framing == document && !r.scan.array:
		r.answer(&rest)
	}
	if r.refused == nil {
		r.closeAll()
		r.judgeAll()
	}
	if r.refused == nil {
		r.free = r.in
	}
}

// answer takes a document that is the whole answer.
func (r *Rewriter) answer(e *event) {
	if r.o.Unread != nil && !peek.Whole(e.data) {
		r.unread()
	} else if !r.torn(e) {
		r.body(e)
	}
}

// unread asks what becomes of an answer of which nothing could be read. If it may not
// pass, the client is told why in the form that it asked for.
func (r *Rewriter) unread() {
	if !r.o.Hold || r.o.Unread == nil {
		return
	}
	f := r.o.Unread()
	if f == nil {
		return
	}
	r.framing, r.now = document, r.free
	if r.o.Streams {
		r.framing = events
	}
	r.block(f)
}
