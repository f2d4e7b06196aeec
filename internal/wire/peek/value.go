package peek

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Is reports whether raw is the string s.
func Is(raw []byte, s string) bool {
	text := inner(raw)
	if bytes.IndexByte(text, '\\') >= 0 {
		return string(Append(nil, raw)) == s
	}
	return IsString(raw) && string(text) == s
}

// IsString reports whether raw is a string.
func IsString(raw []byte) bool { return len(raw) >= 2 && raw[0] == '"' }

// IsObject reports whether raw is an object.
func IsObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }

// IsArray reports whether raw is an array.
func IsArray(raw []byte) bool { return len(raw) > 0 && raw[0] == '[' }

// Null reports whether raw is null or not there.
func Null(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// True reports whether raw is true.
func True(raw []byte) bool { return string(raw) == "true" }

// String gives the decoded string; "" for any other value.
func String(raw []byte) string {
	text := inner(raw)
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text)
	}
	return string(Append(nil, raw))
}

// Short is String for names and identifiers: valid UTF-8 and cut to 256
// bytes, so that a hostile peer can't make us keep more.
func Short(raw []byte) string {
	const most = 256
	s := String(raw)
	if len(s) > most {
		s = strings.Clone(s[:most])
	}
	return strings.ToValidUTF8(s, "")
}

// Int gives a number's integer part; 0 for any other value.
func Int(raw []byte) int64 {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0
	}
	if len(raw) <= 18 && raw[0] != '-' {
		if n, ok := digits(raw); ok {
			return n
		}
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f > 1<<53 || f < -1<<53 {
		return 0
	}
	return int64(f)
}

func digits(raw []byte) (n int64, ok bool) {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// Size gives the length in bytes that the decoded string has; 0 for any other
// value.
func Size(raw []byte) int {
	text := inner(raw)
	n := len(text)
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return n
		}
		if text[i+1] != 'u' {
			n, text = n-1, text[i+2:]
			continue
		}
		r, width := unicode(text[i:])
		n, text = n-width+utf8.RuneLen(r), text[i+width:]
	}
}

// Append decodes the string raw and appends it to dst. Half a surrogate pair
// becomes U+FFFD; other bytes stay as they are, also when they are not UTF-8.
func Append(dst, raw []byte) []byte {
	text := inner(raw)
	dst = slices.Grow(dst, len(text))
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		if text[i+1] == 'u' {
			r, width := unicode(text[i:])
			dst, text = utf8.AppendRune(dst, r), text[i+width:]
			continue
		}
		dst, text = append(dst, Unescape(text[i+1])), text[i+2:]
	}
}

// Step reads the character or escape at the start of a string's raw text, without
// its quotes: what it stands for is appended to dst, width is how many bytes it
// takes. It reads as Append does, and is for those who need the way back.
func Step(dst, text []byte) (said []byte, width int) {
	switch {
	case len(text) == 0:
		return dst, 0
	case text[0] != '\\' || len(text) == 1:
		_, n := utf8.DecodeRune(text)
		return append(dst, text[:n]...), n
	case text[1] == 'u':
		r, n := unicode(text)
		return utf8.AppendRune(dst, r), n
	}
	return append(dst, Unescape(text[1])), 2
}

func inner(raw []byte) []byte {
	if !IsString(raw) {
		return nil
	}
	return raw[1 : len(raw)-1]
}

// Unescape gives the byte that \c stands for, c being any but u (RFC 8259,
// section 7). What no escape is stands for itself.
func Unescape(c byte) byte {
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

// unicode reads \uXXXX, or a pair of them, at the start of text and gives the
// rune and how many bytes it took.
func unicode(text []byte) (rune, int) {
	r, ok := Hex(text)
	if !ok {
		return utf8.RuneError, 2
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low, ok := Hex(text[6:]); ok {
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return both, 12
		}
	}
	return utf8.RuneError, 6
}

// Hex reads \uXXXX at the start of text: one UTF-16 unit, half a pair where the
// character takes two.
func Hex(text []byte) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}
