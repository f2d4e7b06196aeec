package splice

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escape writes text as it stands in a JSON string (RFC 8259 section 7): no
// more is escaped than must be.
func escape(text []byte) []byte {
	for i, c := range text {
		if special(c) {
			return escapeFrom(text, i)
		}
	}
	return text
}

func special(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

func escapeFrom(text []byte, i int) []byte {
	out := append(make([]byte, 0, len(text)+len(text)/8+8), text[:i]...)
	for _, c := range text[i:] {
		switch {
		case !special(c):
			out = append(out, c)
		case c >= ' ':
			out = append(out, '\\', c)
		default:
			out = append(out, controls[c]...)
		}
	}
	return out
}

// controls are the escapes of the control characters.
var controls = func() (table [32]string) {
	for c := range table {
		table[c] = "\\u00" + strconv.Itoa(c>>4) + string("0123456789abcdef"[c&15])
	}
	table['\n'], table['\t'], table['\r'], table['\b'], table['\f'] = `\n`, `\t`, `\r`, `\b`, `\f`
	return table
}()

// splits reports whether a place in the content of a string lies in the middle of
// a character or an escape. It looks around the place only.
func splits(content []byte, at int) bool {
	if at < len(content) && !utf8.RuneStart(content[at]) || escapes(content, at) {
		return true
	}
	for n := 1; n <= 4 && n < at; n++ { // \uXXXX
		if content[at-n] == 'u' && escapes(content, at-n) {
			return true
		}
	}
	return surrogate(content, at-6, true) && surrogate(content, at, false)
}

// escapes reports whether the byte at the place is escaped by the one before.
func escapes(content []byte, at int) bool {
	n := 0
	for n < at && content[at-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// surrogate reports whether the escape of half a surrogate pair stands at the
// place: of the first half, or of the second.
func surrogate(content []byte, at int, high bool) bool {
	if at < 0 || at+6 > len(content) || content[at] != '\\' || content[at+1] != 'u' || escapes(content, at) {
		return false
	}
	n, err := strconv.ParseUint(string(content[at+2:at+6]), 16, 16)
	return err == nil && utf16.IsSurrogate(rune(n)) && n < 0xdc00 == high
}
