package body

import "bytes"

// fewTokens is how many bytes a list of numbers must have to be taken for a
// text that was cut into a tokenizer's numbers, which embeddings and completions
// take in place of text.
const fewTokens = 16

// value adds JSON. Lists of whole numbers in the members that hold text for a
// model can't be read: they are stretches of their own.
func (c *cutter) value(start, end int, why string) {
	at, before, tokens := start, start, false
	for from := start; from < end; {
		i := bytes.IndexByte(c.body[from:end], '[')
		if i < 0 {
			break
		}
		from += i + 1
		n := numbers(c.body[from:end])
		if n < fewTokens {
			continue
		}
		// Lists that follow each other belong together: each byte is looked at once.
		if gap := bytes.Trim(c.body[before:from-1], listed); before == start || len(gap) > 0 {
			tokens = named(gap)
		}
		before = from + n
		if tokens {
			c.add(Stretch{Start: at, End: from, JSON: true, Why: why})
			c.add(Stretch{Start: from, End: before, Binary: true, Why: "token numbers"})
			at = before
		}
		from = before
	}
	c.add(Stretch{Start: at, End: end, JSON: true, Why: why})
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

// listed is what stands between lists of numbers.
const listed = " \t\r\n[],0123456789"

// named reports whether a list that follows belongs to input or prompt, at once
// or as a list in a list.
func named(before []byte) bool {
	before, ok := bytes.CutSuffix(bytes.TrimRight(before, listed), []byte(":"))
	if !ok {
		return false
	}
	before = bytes.TrimRight(before, listed)
	return bytes.HasSuffix(before, []byte(`"input"`)) || bytes.HasSuffix(before, []byte(`"prompt"`))
}
