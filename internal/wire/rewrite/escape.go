package rewrite

import (
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/wire/peek"
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
		return peek.Unescape(text[1]), 2
	}
	n, ok := peek.Hex(text)
	switch {
	case !ok:
		return other, 2
	case n < utf8.RuneSelf:
		return byte(n), 6
	case utf16.IsSurrogate(n):
		if low, ok := peek.Hex(text[6:]); ok && utf16.DecodeRune(n, low) != utf8.RuneError {
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
		return append(dst, peek.Unescape(text[1]))
	}
	n, ok := peek.Hex(text)
	if !ok {
		n = utf8.RuneError
	}
	if len(text) == 12 {
		low, _ := peek.Hex(text[6:])
		n = utf16.DecodeRune(n, low)
	}
	return utf8.AppendRune(dst, n)
}

// number reports whether text is a JSON number, which may stand without quotes.
func number(text []byte) bool {
	return len(text) > 0 && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid(text)
}
