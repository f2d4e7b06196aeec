package rewrite

import (
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// Raw, String and Nested say where a value is put: as it is (a bare number),
// into a JSON string, or into a JSON string inside of one.
const (
	Raw    = 0
	String = 1
	Nested = 2
)

// Escape appends the value as it is written in its place.
func Escape(dst, value []byte, level uint8) []byte {
	switch level {
	case Raw:
		return append(dst, value...)
	case String:
		return escape(dst, value)
	}
	return escape(dst, escape(nil, value))
}

const digits = "0123456789abcdef"

func escape(dst, value []byte) []byte {
	for _, c := range value {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// quote gives text as a JSON string.
func quote(text string) string {
	return `"` + string(escape(nil, []byte(text))) + `"`
}

// other stands for a character that is in no token.
const other = 0x80

// unit reads the first character of the inside of a JSON string: its value
// when it is ASCII, else other, and how many bytes it takes there. The rules are
// those of peek.Append.
func unit(text []byte) (c byte, width int) {
	if text[0] != '\\' || len(text) == 1 {
		return text[0], 1
	}
	if text[1] != 'u' {
		return unescape(text[1]), 2
	}
	n, ok := hex(text)
	switch {
	case !ok:
		return other, 2
	case n < utf8.RuneSelf:
		return byte(n), 6
	case utf16.IsSurrogate(n):
		if low, ok := hex(text[6:]); ok && utf16.DecodeRune(n, low) != utf8.RuneError {
			return other, 12
		}
	}
	return other, 6
}

// appendUnit appends a character as it is decoded.
func appendUnit(dst, text []byte, escaped bool) []byte {
	if !escaped || len(text) == 1 {
		return append(dst, text...)
	}
	if text[1] != 'u' {
		return append(dst, unescape(text[1]))
	}
	n, ok := hex(text)
	if !ok {
		n = utf8.RuneError
	}
	if len(text) == 12 {
		low, _ := hex(text[6:])
		n = utf16.DecodeRune(n, low)
	}
	return utf8.AppendRune(dst, n)
}

// number reports whether text is a JSON number, which may stand without quotes.
func number(text []byte) bool {
	return len(text) > 0 && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid(text)
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c
}

// hex reads \uXXXX.
func hex(text []byte) (n rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		d, ok := digit(c)
		if !ok {
			return 0, false
		}
		n = n<<4 | rune(d)
	}
	return n, true
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
