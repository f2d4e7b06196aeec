package body

import "bytes"

// longTokens is how many bytes a list of numbers must have to be taken for a
// text that was cut into a tokenizer's numbers, which embeddings and completions
// take in place of text.
const longTokens = 64

// value adds a JSON value. Long lists of whole numbers in the members that hold
// text for a model can't be read: they are stretches of their own.
func (c *cutter) value(start, end int) {
	at := start
	for from := start; from < end; {
		i := bytes.IndexByte(c.body[from:end], '[')
		if i < 0 {
			break
		}
		from += i + 1
		n := numbers(c.body[from:end])
		if n < longTokens || !named(c.body[start:from-1]) {
			continue
		}
		c.add(Stretch{Start: at, End: from, JSON: true, Why: "JSON"})
		c.add(Stretch{Start: from, End: from + n, Binary: true, Why: "token numbers"})
		from += n
		at = from
	}
	c.add(Stretch{Start: at, End: end, JSON: true, Why: "JSON"})
}

// numbers gives the length of the list of whole numbers that b begins with, up
// to its closing bracket; 0 when it is none.
func numbers(b []byte) int {
	for i, c := range b {
		switch {
		case c == ']':
			return i
		case '0' <= c && c <= '9' || c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t':
		default:
			return 0
		}
	}
	return 0
}

// named reports whether a list that follows belongs to input or prompt, at once
// or as a list in a list.
func named(before []byte) bool {
	const space = " \t\r\n"
	before = bytes.TrimRight(before, space+"[],0123456789")
	before, ok := bytes.CutSuffix(before, []byte(":"))
	if !ok {
		return false
	}
	before = bytes.TrimRight(before, space)
	return bytes.HasSuffix(before, []byte(`"input"`)) || bytes.HasSuffix(before, []byte(`"prompt"`))
}
