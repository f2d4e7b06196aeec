// Package body says which stretches of a body that is no conversation are JSON,
// which are text, and which can't be read as they stand: uploads, batches, form
// fields. It goes by what the bytes are, not by what they are called: what it
// does not recognise is text. It never decodes, and never fails.
package body

import (
	"bytes"
	"mime"
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Stretch is a part of a body, never empty.
type Stretch struct {
	Start, End int
	JSON       bool   // JSON text: one value, or lines of them. With Why "not strict JSON" it only looks like it
	Binary     bool   // can't be read to its end as it stands: it counts as unreadable. What stands there in the clear is still found by who scans it as text
	Fixed      bool   // its length is told elsewhere in the body: no other text can stand in its place
	Coding     string // of a Binary stretch: the content coding that it is in; "": none that is known
	Why        string // what it is: "JSON", "JSON lines", "part header", "application/pdf" …; never content
}

// Most is the most stretches that a body is cut into. What follows the last
// one is one stretch more, which may be JSON and Binary at once.
const Most = 4096

// Cut gives the stretches of a body, free of content coding, in order and
// without a gap. The content type, which may be empty, says where the parts of
// a multipart body begin, or that the body is a message or a stream of messages;
// apart from that it is not believed. The coding is what a stream's messages are
// compressed by (Grpc-Encoding, Connect-Content-Encoding); "" when none is told.
func Cut(contentType, coding string, body []byte) []Stretch {
	c := cutter{body: body}
	kind, params, _ := mime.ParseMediaType(contentType)
	switch {
	case Enveloped(kind):
		c.envelopes(kind, coding)
		return c.found
	case isProto(kind):
		c.proto(0, len(body))
		return c.found
	}
	if boundary := params["boundary"]; boundary != "" && strings.HasPrefix(kind, "multipart/") {
		c.multipart(0, len(body), boundary, 0)
	} else {
		c.content(0, len(body))
	}
	return c.found
}

type cutter struct {
	body  []byte
	found []Stretch
}

// add adds a stretch. Beyond the bound it makes the last one longer, which is to
// be scanned as JSON when some of it is, and counts as unreadable when some of
// it is.
func (c *cutter) add(s Stretch) {
	if s.Start >= s.End {
		return
	}
	n := len(c.found)
	if n <= Most {
		c.found = append(c.found, s)
		return
	}
	last := &c.found[n-1]
	last.End = s.End
	last.JSON = last.JSON || s.JSON
	last.Binary = last.Binary || s.Binary
	last.Why = "more parts than are told apart"
}

// content tells what a whole body, or the content of a part, is.
func (c *cutter) content(start, end int) {
	b := c.body[start:end]
	if why := magic(b); why != "" {
		c.add(Stretch{Start: start, End: end, Binary: true, Why: why})
		return
	}
	switch text := bytes.TrimLeft(b, " \t\r\n"); {
	case len(text) == 0:
		c.add(Stretch{Start: start, End: end, Why: "text"})
	case opens(text), text[0] == '"' && split.Valid(text):
		c.json(start, end)
	case binary(b):
		c.add(Stretch{Start: start, End: end, Binary: true, Why: "binary"})
	default:
		c.add(Stretch{Start: start, End: end, Why: "text"})
	}
}

// opens reports whether a text begins as JSON that holds something does. A mark
// of the byte order is no JSON, but some servers pass over it.
func opens(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// json cuts what looks like JSON: one value, lines of them, or neither.
func (c *cutter) json(start, end int) {
	b := c.body[start:end]
	if split.Valid(b) {
		c.value(start, end, "JSON")
		return
	}
	first, _, more := bytes.Cut(b, []byte("\n"))
	if more && split.Valid(first) {
		c.lines(start, end)
		return
	}
	if binary(b) {
		c.add(Stretch{Start: start, End: end, Binary: true, Why: "binary"})
		return
	}
	c.add(Stretch{Start: start, End: end, JSON: true, Why: "not strict JSON"})
}

// lines cuts JSON lines. Those that are JSON are kept together.
func (c *cutter) lines(start, end int) {
	run := start // where the lines that are JSON began
	for at := start; at < end; {
		next := end
		if i := bytes.IndexByte(c.body[at:end], '\n'); i >= 0 {
			next = at + i + 1
		}
		line := bytes.TrimSpace(c.body[at:next])
		if len(line) > 0 && !split.Valid(line) {
			c.value(run, at, "JSON lines")
			c.strange(at, next)
			run = next
		}
		at = next
	}
	c.value(run, end, "JSON lines")
}

// strange is a line that is not JSON among lines that are.
func (c *cutter) strange(start, end int) {
	b := c.body[start:end]
	switch {
	case binary(b):
		c.add(Stretch{Start: start, End: end, Binary: true, Why: "binary"})
	case opens(bytes.TrimLeft(b, " \t\r")):
		c.add(Stretch{Start: start, End: end, JSON: true, Why: "not strict JSON"})
	default:
		c.add(Stretch{Start: start, End: end, Why: "text"})
	}
}
