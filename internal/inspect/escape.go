package inspect

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

func nextByte(text []byte, c byte) int {
	if i := bytes.IndexByte(text, c); i >= 0 {
		return i
	}
	return len(text)
}

func nextOf(c byte) func([]byte) int {
	return func(text []byte) int { return nextByte(text, c) }
}

// itself is the token of a byte that stands for itself.
func itself(c byte) (int, [4]byte, int) { return 1, [4]byte{c}, 1 }

// stepJSON undoes one escape of a JSON string (RFC 8259 section 7). What is no
// escape stands for itself. A lone surrogate is U+FFFD.
func stepJSON(raw []byte, i int) (int, [4]byte, int) {
	if raw[i] != '\\' || i+1 >= len(raw) {
		return itself(raw[i])
	}
	if raw[i+1] == 'u' {
		return stepUnicode(raw, i)
	}
	if c := short[raw[i+1]]; c != 0 {
		return 2, [4]byte{c}, 1
	}
	return itself(raw[i])
}

// short are the escapes of one letter.
var short = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func stepUnicode(raw []byte, i int) (int, [4]byte, int) {
	r, ok := hexRune(raw, i+2, 4)
	if !ok {
		return itself(raw[i])
	}
	width := 6
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if i+7 < len(raw) && raw[i+6] == '\\' && raw[i+7] == 'u' {
			low, ok = hexRune(raw, i+8, 4)
		}
		if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
			width = 12
		}
	}
	return runeToken(width, r)
}

func runeToken(width int, r rune) (int, [4]byte, int) {
	var token [4]byte
	n := utf8.EncodeRune(token[:], r)
	return width, token, n
}

func hexRune(raw []byte, at, digits int) (r rune, ok bool) {
	if at+digits > len(raw) {
		return 0, false
	}
	for _, c := range raw[at : at+digits] {
		d := hexDigits[c]
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// hexDigits gives the value of a digit, 255 for what is none.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// stepSource undoes the escapes that JSON and the strings of programs share,
// \xNN and \u{N} besides. It is for text within text: who wrote it is not known.
func stepSource(raw []byte, i int) (int, [4]byte, int) {
	if raw[i] == '\\' && i+2 < len(raw) {
		if r, ok := hexRune(raw, i+2, 2); ok && raw[i+1] == 'x' {
			return 4, [4]byte{byte(r)}, 1
		}
		if raw[i+1] == 'u' && raw[i+2] == '{' {
			return stepBraced(raw, i)
		}
	}
	return stepJSON(raw, i)
}

// stepBraced undoes \u{N}, of one to six hex digits (ECMA-262, 12.9.4).
func stepBraced(raw []byte, i int) (int, [4]byte, int) {
	end := bytes.IndexByte(raw[i:min(len(raw), i+10)], '}')
	if end > 3 {
		if r, ok := hexRune(raw, i+3, end-3); ok && utf8.ValidRune(r) {
			return runeToken(end+1, r)
		}
	}
	return itself(raw[i])
}

// stepNested undoes escapes of escapes: a row of backslashes and the escape at its
// end are what the innermost one means, any other row is one backslash.
func stepNested(raw []byte, i int) (int, [4]byte, int) {
	end := i
	for end < len(raw) && raw[end] == '\\' {
		end++
	}
	if end == i {
		return itself(raw[i])
	}
	width, token, n := stepSource(raw, end-1)
	return end - 1 - i + width, token, n
}

// stepURL undoes %XX (RFC 3986 section 2.1).
func stepURL(raw []byte, i int) (int, [4]byte, int) {
	if raw[i] == '%' {
		if r, ok := hexRune(raw, i+1, 2); ok {
			return 3, [4]byte{byte(r)}, 1
		}
	}
	return itself(raw[i])
}

// entities are the named characters that can stand in or beside a value.
var entities = map[string]rune{
	"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\'', "nbsp": ' ', "sol": '/', "bsol": '\\', "colon": ':',
	"equals": '=', "num": '#', "commat": '@', "period": '.', "lowbar": '_', "plus": '+', "hyphen": '-', "dash": '-',
	"excl": '!', "dollar": '$', "percnt": '%', "ast": '*', "semi": ';', "quest": '?', "comma": ',', "Tab": '\t', "NewLine": '\n',
}

const maxEntity = 10 // bytes, with & and ;

// stepHTML undoes a character reference.
func stepHTML(raw []byte, i int) (int, [4]byte, int) {
	if raw[i] != '&' {
		return itself(raw[i])
	}
	end := bytes.IndexByte(raw[i:min(len(raw), i+maxEntity)], ';')
	if end < 2 {
		return itself(raw[i])
	}
	name := raw[i+1 : i+end]
	r, ok := entities[string(name)]
	if name[0] == '#' {
		r, ok = number(name[1:])
	}
	if !ok {
		return itself(raw[i])
	}
	return runeToken(end+1, r)
}

// number reads the digits of a character reference: decimal, or hexadecimal
// behind an x.
func number(digits []byte) (r rune, ok bool) {
	base := rune(10)
	if len(digits) > 0 && lower(digits[0]) == 'x' {
		base, digits = 16, digits[1:]
	}
	for _, c := range digits {
		d := rune(hexDigits[c])
		if d >= base || r > utf8.MaxRune {
			return 0, false
		}
		r = r*base + d
	}
	return r, len(digits) > 0 && r > 0 && utf8.ValidRune(r)
}

// stepUTF16 reads one code unit or surrogate pair, little endian.
func stepUTF16(raw []byte, i int) (int, [4]byte, int) { return wide(raw, i, 0) }

// stepUTF16BE reads it big endian.
func stepUTF16BE(raw []byte, i int) (int, [4]byte, int) { return wide(raw, i, 1) }

func wide(raw []byte, i, order int) (int, [4]byte, int) {
	if i+1 >= len(raw) {
		return itself(raw[i])
	}
	r, width := unit(raw, i, order), 2
	if utf16.IsSurrogate(r) {
		low := rune(0)
		if i+3 < len(raw) {
			low = unit(raw, i+2, order)
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			width = 4
		}
	}
	return runeToken(width, r)
}

func unit(raw []byte, i, order int) rune {
	return rune(raw[i+order]) | rune(raw[i+1-order])<<8
}
