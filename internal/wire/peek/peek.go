// Package peek reads single values out of raw JSON without decoding the rest
// of it: a gateway looks at every event of every stream, and most of an event is
// of no interest. It checks only as much structure as it walks over (deciding
// whether a body is JSON is split's task), so for malformed input it stops early
// and says so. It never allocates except to hand out a decoded string.
//
// A raw value is a slice of the input from its first to its last byte, without
// space around it. The nil slice means: not there. A Walker hands out values; a
// Scanner steps into them, so that each byte is looked at once.
package peek

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Walker steps over the members of an object or the elements of an array.
type Walker struct {
	Name  []byte // of the member, decoded; nil in an array
	Value []byte // raw

	s     Scanner
	array bool
}

// Members walks over an object. Anything else has no members.
func Members(raw []byte) Walker {
	w := Walker{s: Scan(raw)}
	w.s.bad = !w.s.Object()
	return w
}

// Elements walks over an array. Anything else has no elements.
func Elements(raw []byte) Walker {
	w := Walker{s: Scan(raw), array: true}
	w.s.bad = !w.s.Array()
	return w
}

// Bad reports whether the walk ended before the closing bracket.
func (w *Walker) Bad() bool { return w.s.bad }

// Next steps to the next member or element. It is false at the end and where
// the text stops to be JSON.
func (w *Walker) Next() bool {
	if w.array && !w.s.Element() || !w.array && !w.s.Member() {
		return false
	}
	w.Name, w.Value = w.s.Name, w.s.Value()
	return w.Value != nil
}

// Get descends by member names and gives the raw value there, or nil. When a
// name is repeated the last one counts, as in the parsers of the agents.
func Get(raw []byte, path ...string) []byte {
	for _, name := range path {
		raw = member(raw, name)
		if raw == nil {
			return nil
		}
	}
	return raw
}

func member(raw []byte, name string) (found []byte) {
	for w := Members(raw); w.Next(); {
		if string(w.Name) == name {
			found = w.Value
		}
	}
	return found
}

// Whole reports whether raw is exactly one object, closed at its last byte.
func Whole(raw []byte) bool {
	i := space(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return false
	}
	end := nested(raw, i)
	return end > 0 && space(raw, end) == len(raw)
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

// skip gives the end of the value that begins at i, or -1.
func skip(raw []byte, i int) int {
	if i >= len(raw) {
		return -1
	}
	switch raw[i] {
	case '"':
		end, _ := quoted(raw, i)
		return end
	case '{', '[':
		return nested(raw, i)
	}
	start := i
	for i < len(raw) && scalar(raw[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func scalar(c byte) bool {
	return c > ' ' && c != ',' && c != ']' && c != '}' && c != ':' && c != '"'
}

// nested counts brackets and does not recurse: depth costs nothing.
func nested(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			if i, _ = quoted(raw, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// quoted gives the position after the string that begins at i, or -1, and
// whether it holds escapes. Most strings are short: it looks at eight bytes at a
// time, and searches what is longer than that for its quotes alone.
func quoted(raw []byte, i int) (end int, escaped bool) {
	i++
	limit := min(len(raw), i+longString)
	for i+8 <= limit {
		word := binary.LittleEndian.Uint64(raw[i:])
		hit := zero(word^quotes) | zero(word^slashes)
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) >> 3
		if raw[i] == '"' {
			return i + 1, escaped
		}
		i, escaped = i+2, true
	}
	if limit < len(raw) {
		return longQuoted(raw, i, escaped)
	}
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			i, escaped = i+1, true
		}
	}
	return -1, escaped
}

// longString is the length from which a string is worth the calls that search it
// with vector instructions.
const longString = 64

// longQuoted is quoted from within a string, at the beginning of a character or an
// escape. A quote ends the string when an even number of backslashes stands
// before it.
func longQuoted(raw []byte, i int, escaped bool) (end int, _ bool) {
	for at := i; ; {
		n := bytes.IndexByte(raw[at:], '"')
		if n < 0 {
			return -1, escaped
		}
		quote := at + n
		slashes := 0
		for quote-slashes > at && raw[quote-slashes-1] == '\\' {
			slashes++
		}
		if at = quote + 1; slashes%2 == 0 {
			return at, escaped || bytes.IndexByte(raw[i:quote], '\\') >= 0
		}
	}
}

const (
	ones    = 0x0101010101010101
	quotes  = ones * '"'
	slashes = ones * '\\'
)

// zero sets the high bit of the lowest byte that is zero; bits above it mean
// nothing.
func zero(word uint64) uint64 { return (word - ones) &^ word & (ones << 7) }
