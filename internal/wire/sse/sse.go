// Package sse reads a stream of server-sent events as the HTML standard says
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), from bytes
// in whatever pieces they come. It gives the same events for every way of
// cutting its input, holds at most one event, and never changes the bytes that
// others pass on: it only looks.
package sse

import (
	"bytes"
	"slices"
)

// Limit is the most bytes that one line, or the data of one event, may have.
const Limit = 16 << 20

// keep is the largest buffer that stays allocated from one event to the next.
const keep = 64 << 10

// Event is one event. It is dispatched for an empty line that ends at least one
// data line; lines that are none of the standard's fields are passed over, as
// it says.
type Event struct {
	Type    string // of the last "event" line; "" stands for "message"
	Data    []byte // the data lines, joined by "\n"; valid until emit returns, not to be changed
	ID      string // the stream's last "id"
	TooLong bool   // a line or the data was longer than Limit; Data is nil
	Unended bool   // the stream ended before the empty line, perhaps in the data; the standard drops such an event
}

// Decoder reads one stream. The zero value is ready. It is not for use by
// several goroutines at once.
type Decoder struct {
	line []byte // a line of which the end has not come
	skip bool   // pass over what comes up to the line's end
	cr   bool   // the last byte was a CR: an LF that follows belongs to it
	late bool   // the first line is over, no byte order mark can follow

	kind string   // event type
	id   string   // last event id
	one  []byte   // the data, while it is one line
	data []byte   // room for data that must outlive a Push, or that is several lines
	mine bool     // one lies in data, not in the caller's bytes
	n    int      // data lines
	long bool     // too long
	seen []string // types of this stream, so that they cost no memory again
}

// Push takes the next bytes of the stream and emits the events that they
// complete. It does not keep p.
func (d *Decoder) Push(p []byte, emit func(Event)) {
	if d.cr && len(p) > 0 {
		d.cr = false
		if p[0] == '\n' {
			p = p[1:]
		}
	}
	// The next LF and CR are looked for apart, and again only when passed: a
	// stream that uses one of them must not be searched for the other each line.
	lf, cr := next(p, 0, '\n'), next(p, 0, '\r')
	at := 0
	for at < len(p) {
		end := min(lf, cr)
		if end == len(p) {
			d.hold(p[at:])
			break
		}
		d.end(p[at:end], emit)
		at = end + 1
		if end == cr {
			if at == len(p) {
				d.cr = true
			} else if p[at] == '\n' {
				at++
			}
			cr = next(p, at, '\r')
		}
		if lf < at {
			lf = next(p, at, '\n')
		}
	}
	d.own()
}

// next gives the index of the first c at or after i, len(p) if there is none.
func next(p []byte, i int, c byte) int {
	if j := bytes.IndexByte(p[i:], c); j >= 0 {
		return i + j
	}
	return len(p)
}

// End says that the stream is over. What stands there without its empty line,
// or in its last line without a line's end, is emitted and marked: some servers
// leave these out, and whether the data is whole can only its reader tell. The
// decoder is then as new, for another stream.
func (d *Decoder) End(emit func(Event)) {
	if len(d.line) > 0 || d.skip {
		d.end(nil, emit)
	}
	if d.n > 0 || d.long {
		d.dispatch(true, emit)
	}
	*d = Decoder{}
}

// hold keeps the start of a line.
func (d *Decoder) hold(part []byte) {
	if d.skip || len(part) == 0 {
		return
	}
	switch {
	case len(d.line) == 0 && part[0] == ':':
		d.skip = true
	case len(d.line)+len(part) > Limit:
		d.skip, d.long, d.line = true, true, nil
	default:
		if len(d.line)+len(part) > cap(d.line) {
			d.line = slices.Grow(d.line, len(d.line)+len(part)) // twice: a long line comes in many parts
		}
		d.line = append(d.line, part...)
	}
}

// end takes the last part of a line.
func (d *Decoder) end(part []byte, emit func(Event)) {
	switch {
	case d.skip:
		d.skip, d.late = false, true
	case len(d.line) == 0:
		d.take(part, emit)
	case len(d.line)+len(part) > Limit:
		d.long, d.late, d.line = true, true, nil
	default:
		line := append(d.line, part...)
		d.line = nil
		n := d.n
		d.take(line, emit)
		if d.n == 1 && n == 0 {
			// The one data line so far lies in this buffer: it stays the data's,
			// and the data's old one serves for lines.
			d.data, line, d.mine = line, d.data, true
		}
		if cap(line) <= keep {
			d.line = line[:0]
		}
	}
}

var mark = []byte("\xef\xbb\xbf")

// take interprets a whole line.
func (d *Decoder) take(line []byte, emit func(Event)) {
	if len(line) > Limit {
		d.long, d.late = d.long || line[0] != ':', true
		return
	}
	if !d.late {
		d.late = true
		line = bytes.TrimPrefix(line, mark)
	}
	if len(line) == 0 {
		if d.n > 0 || d.long {
			d.dispatch(false, emit)
		}
		d.kind = ""
		return
	}
	d.field(line)
}

// field takes a line that is not empty. A comment is a field without a name.
func (d *Decoder) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		d.add(value)
	case "event":
		d.kind = d.intern(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 && string(value) != d.id {
			d.id = string(value)
		}
	}
}

// add takes the value of a data line. The first one is not copied.
func (d *Decoder) add(value []byte) {
	d.n++
	switch {
	case d.long:
	case d.n == 1:
		d.one, d.mine = value, false
	case len(d.one)+1+len(value) > Limit:
		d.long, d.one, d.data = true, nil, nil
	default:
		if d.n == 2 {
			d.data = append(d.data[:0], d.one...)
		}
		d.data = append(append(d.data, '\n'), value...)
		d.one, d.mine = d.data, true
	}
}

// own copies data that lies in the caller's bytes.
func (d *Decoder) own() {
	if d.n > 0 && !d.long && !d.mine {
		d.data = append(d.data[:0], d.one...)
		d.one, d.mine = d.data, true
	}
}

func (d *Decoder) dispatch(unended bool, emit func(Event)) {
	e := Event{Type: d.kind, Data: d.one, ID: d.id, TooLong: d.long, Unended: unended}
	if d.long {
		e.Data = nil
	}
	emit(e)
	d.kind, d.one, d.n, d.long = "", nil, 0, false
	if cap(d.data) > keep {
		d.data = nil
	}
}

// intern gives a type as a string. A stream has few of them.
func (d *Decoder) intern(name []byte) string {
	for _, s := range d.seen {
		if string(name) == s {
			return s
		}
	}
	s := string(name)
	if len(d.seen) < 32 && len(s) < 64 {
		d.seen = append(d.seen, s)
	}
	return s
}
