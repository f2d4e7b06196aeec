package linear

import (
	"unicode"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/inspect/plain"
)

// features calls each for the words, the pairs and the triples of words of a
// text, as bucket numbers. What is hidden in characters that nobody sees is read
// as the text that it carries, what looks like a Latin letter as that letter.
func features(text []byte, each func(uint32)) {
	w := words{each: each}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			w.ascii(c)
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		i += size
		w.rune(r)
	}
	w.end()
}

// words hashes one word after the other.
type words struct {
	each         func(uint32)
	hash         uint32 // of the word so far; 0: none
	last, before uint32 // of the words before it
}

const (
	fnvStart = 2166136261
	fnvPrime = 16777619
)

func (w *words) add(c uint32) {
	if w.hash == 0 {
		w.hash = fnvStart
	}
	w.hash = (w.hash ^ c) * fnvPrime
}

func (w *words) ascii(c byte) {
	switch {
	case c >= 'a' && c <= 'z':
		w.add(uint32(c))
	case c >= 'A' && c <= 'Z':
		w.add(uint32(c | 0x20))
	case c >= '0' && c <= '9':
		w.add('0') // which number it is says nothing
	case c == '\'':
	default:
		w.end()
		if marks[c] {
			w.add(uint32(c))
			w.end()
		}
	}
}

// marks are the signs that tell prose from code and markup.
var marks = [256]bool{'<': true, '>': true, '[': true, ']': true, '{': true, '}': true, '!': true, '#': true, '|': true, '=': true, ';': true}

func (w *words) rune(r rune) {
	if c, ok := plain.Of(r); ok {
		if c != 0 {
			w.ascii(c)
		}
		return
	}
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai):
		w.end() // no spaces between words: each character is one
		w.add(uint32(r))
		w.end()
	case unicode.IsLetter(r) || unicode.IsMark(r):
		w.add(uint32(unicode.ToLower(r)))
	default:
		w.end()
	}
}

// end closes a word.
func (w *words) end() {
	if w.hash == 0 {
		return
	}
	h := w.hash
	w.hash = 0
	w.each(bucket(h))
	if w.last != 0 {
		w.each(bucket(h ^ w.last*0x9E3779B1))
	}
	if w.before != 0 {
		w.each(bucket(h ^ w.last*0x9E3779B1 ^ w.before*0x85EBCA77))
	}
	w.last, w.before = h, w.last
}

func bucket(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	return h & (Buckets - 1)
}
