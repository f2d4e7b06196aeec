package pii

import (
	"bytes"
	"strings"
)

// How far around a value its words may stand.
const (
	nearBefore = 72
	nearAfter  = 32
)

// near reports whether one of the words of arg, in lower case and divided by "|",
// stands around the value. A word begins where no letter stands before it; one
// of at most four bytes ends there, too, a longer one may have an ending.
func near(text []byte, start, end int, arg string) bool {
	var buf [2 * (nearBefore + nearAfter)]byte
	around := folded(buf[:0], text[max(0, start-nearBefore):start])
	around = append(around, '\n') // stands in no word
	around = folded(around, text[end:min(len(text), end+nearAfter)])
	begins := beginnings(around)
	for word := range strings.SplitSeq(arg, "|") {
		if begins.may(word) && holdsWord(around, word) {
			return true
		}
	}
	return false
}

// pairs is a set of the first two bytes of words, hashed: most of the words that
// are looked for are not there, and that is soon said.
type pairs [8]uint64

func pair(a, b byte) (i, bit uint) {
	h := (uint(a)*31 + uint(b)) & 511
	return h >> 6, h & 63
}

func beginnings(text []byte) (p pairs) {
	before := byte(' ')
	for i := 0; i+1 < len(text); i++ {
		if !inWord(before) {
			k, bit := pair(text[i], text[i+1])
			p[k] |= 1 << bit
		}
		before = text[i]
	}
	return p
}

func (p *pairs) may(word string) bool {
	if len(word) < 2 || word[0] >= 0xe0 {
		return word != ""
	}
	k, bit := pair(word[0], word[1])
	return p[k]>>bit&1 != 0
}

func notNear(text []byte, start, end int, arg string) bool { return !near(text, start, end, arg) }

// folded appends text with ASCII letters in lower case, and a space for what
// divides words in names: customerSsn, customer_ssn.
func folded(into, text []byte) []byte {
	for i, c := range text {
		switch {
		case c >= 'A' && c <= 'Z':
			if c += 'a' - 'A'; i > 0 && text[i-1] >= 'a' && text[i-1] <= 'z' {
				into = append(into, ' ')
			}
		case c == '_' || c == '-' || c == '\n' || c == '\t':
			c = ' '
		}
		into = append(into, c)
	}
	return into
}

func holdsWord(text []byte, word string) bool {
	for i := 0; ; i++ {
		k := bytes.Index(text[i:], []byte(word))
		if k < 0 {
			return false
		}
		if i += k; word[0] >= 0xe0 {
			return true // a script without spaces
		}
		begins := i == 0 || !inWord(text[i-1])
		ends := len(word) > 4 || i+len(word) == len(text) || !inWord(text[i+len(word)])
		if begins && ends {
			return true
		}
	}
}

// inWord tells letters; all of UTF-8 beyond ASCII counts.
func inWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 0x80 }

// upper reports whether the value has no small letters.
func upper(text []byte, start, end int, _ string) bool {
	for _, c := range text[start:end] {
		if c >= 'a' && c <= 'z' {
			return false
		}
	}
	return true
}

// dated reports whether a date stands in the value's digits: "date=ymd", "date=dmy"
// of the first six, "date=ymd8" of the first eight.
func dated(text []byte, start, end int, arg string) bool {
	var buf [maxNumber]byte
	n := compact(buf[:0], text[start:end])
	switch {
	case arg == "ymd8":
		return len(n) >= 8 && digits(n[:8], 8) && ymd8(n)
	case len(n) < 6 || !digits(n[:6], 6):
		return false
	case arg == "dmy":
		return dmy(n)
	}
	return ymd(n)
}
