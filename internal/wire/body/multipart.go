package body

import (
	"bytes"
	"mime"
	"strings"
)

// maxNesting bounds multipart in multipart.
const maxNesting = 4

// multipart cuts [start,end) at its boundaries (RFC 2046 section 5.1). What
// stands before the first and behind the last is text, and so are the
// boundaries' own lines and the parts' headers. A boundary is taken wherever a
// line begins with it: servers differ in what may follow.
func (c *cutter) multipart(start, end int, boundary string, nesting int) {
	mark := []byte("--" + boundary)
	at, line := c.next(start, end, mark)
	c.text(start, at, "before the parts")
	for at < end {
		next, nextLine := c.next(line, end, mark)
		if next == end && bytes.HasPrefix(c.body[at+len(mark):line], []byte("--")) {
			c.text(at, end, "behind the parts")
			return
		}
		body, kind, params := c.header(line, next)
		c.text(at, body, "part header")
		content := trimEnd(c.body, body, next)
		if inner := params["boundary"]; inner != "" && strings.HasPrefix(kind, "multipart/") && nesting < maxNesting {
			c.multipart(body, content, inner, nesting+1)
		} else {
			c.content(body, content)
		}
		c.text(content, next, "boundary")
		at, line = next, nextLine
	}
}

func (c *cutter) text(start, end int, why string) {
	c.add(Stretch{Start: start, End: end, Why: why})
}

// next gives the next line that begins with the mark, and the start of the line
// after it; both are end when there is none.
func (c *cutter) next(start, end int, mark []byte) (at, after int) {
	for from := start; from < end; {
		i := bytes.Index(c.body[from:end], mark)
		if i < 0 {
			break
		}
		at = from + i
		if at == 0 || at == start || c.body[at-1] == '\n' {
			if j := bytes.IndexByte(c.body[at:end], '\n'); j >= 0 {
				return at, at + j + 1
			}
			return at, end
		}
		from = at + 1
	}
	return end, end
}

// header reads a part's headers, up to the empty line. A part without one is
// all content.
func (c *cutter) header(start, end int) (body int, kind string, params map[string]string) {
	for at := start; at < end; {
		next := end
		if i := bytes.IndexByte(c.body[at:end], '\n'); i >= 0 {
			next = at + i + 1
		}
		line := bytes.TrimRight(c.body[at:next], "\r\n")
		if len(line) == 0 && next > at {
			return next, kind, params
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(bytes.TrimSpace(name)), "content-type") && len(value) < 1024 {
			kind, params, _ = mime.ParseMediaType(string(value))
		}
		at = next
	}
	return start, "", nil
}

// trimEnd leaves out the line break that belongs to the boundary behind it.
func trimEnd(b []byte, start, end int) int {
	if end > start && end < len(b) && b[end-1] == '\n' {
		end--
		if end > start && b[end-1] == '\r' {
			end--
		}
	}
	return end
}
