package inspect

import (
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/inspect/plain"
)

// nextFold is the number of bytes before the first that may begin a character
// which stands for another.
func nextFold(b []byte) int { return findFold(b, false) }

// seekFold is nextFold for one who asks whether anything is folded: it passes by the
// words of Greek and Cyrillic, whose letters are folded only in a word with Latin
// ones.
func seekFold(b []byte) int { return findFold(b, true) }

func findFold(b []byte, mixed bool) int {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c < utf8.RuneSelf:
			i += max(1, plainASCII(b[i:]))
		case !plain.Begins(c):
			i++
		case mixed && c >= 0xCE && c <= 0xD4 && (i == 0 || !isLetter(b[i-1])) && (i+2 >= len(b) || !isLetter(b[i+2])):
			i += 2 // a letter of Greek or Cyrillic with no Latin one beside it
		default:
			return i
		}
	}
	return len(b)
}

// plainASCII is the number of bytes before the first beyond ASCII, or a few less. It
// looks at 32 bytes at a time.
func plainASCII(b []byte) (n int) {
	word := binary.LittleEndian.Uint64
	for len(b) >= 32 && (word(b)|word(b[8:])|word(b[16:])|word(b[24:]))&highs == 0 {
		b, n = b[32:], n+32
	}
	for len(b) >= 8 {
		if high := word(b) & highs; high != 0 {
			return n + bits.TrailingZeros64(high)/8
		}
		b, n = b[8:], n+8
	}
	return n
}

// stepFold reads a character as people see it: those that hide or imitate another
// as that one, those that nobody sees as nothing.
func stepFold(raw []byte, i int) (int, [4]byte, int) {
	r, width := utf8.DecodeRune(raw[i:])
	var token [4]byte
	c, ok := plain.Of(r)
	switch {
	case !ok || !disguises(raw, i, r, width):
		return width, token, copy(token[:], raw[i:i+width])
	case c == 0:
		return width, token, 0
	}
	token[0] = c
	return width, token, 1
}

// disguises reports whether the rune at raw[i] is anything but what it is in its
// own script: the joiners and selectors of Indic letters, Persian ones and emoji,
// letters of Greek and Cyrillic words, marks of Chinese sentences.
func disguises(raw []byte, i int, r rune, width int) bool {
	switch {
	case r == 0x200C || r == 0x200D || r >= 0xFE00 && r <= 0xFE0F:
		return joinsNothing(lastSeen(raw[:i]))
	case r >= 0x370 && r < 0x530:
		return latinBefore(raw[:i]) || latinBehind(raw[i+width:])
	case r == '！' || r == '（' || r == '）' || r == '，' || r == '．' || r == '：' || r == '；' || r == '？' || r == '～':
		return false
	}
	return true
}

// lastSeen is the last rune of a text that is drawn.
func lastSeen(text []byte) rune {
	for range mostUnseen {
		r, width := utf8.DecodeLastRune(text)
		if c, ok := plain.Of(r); !ok || c != 0 {
			return r
		}
		text = text[:len(text)-width]
	}
	return utf8.RuneError
}

// Bounds of what is looked at beside a character, in characters.
const (
	mostUnseen = 8
	mostAlike  = 4
)

// joinsNothing reports whether a character's script knows no joiners.
func joinsNothing(r rune) bool {
	return r < utf8.RuneSelf || unicode.In(r, unicode.Latin, unicode.Cyrillic, unicode.Greek)
}

func isLetter(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }

// latinBefore reports whether a letter of ASCII stands before those that only look
// like one; latinBehind, behind them.
func latinBefore(text []byte) bool {
	for range mostAlike {
		r, width := utf8.DecodeLastRune(text)
		if c, ok := plain.Of(r); !ok || !isLetter(c) {
			return r < utf8.RuneSelf && isLetter(byte(r))
		}
		text = text[:len(text)-width]
	}
	return false
}

func latinBehind(text []byte) bool {
	for range mostAlike {
		r, width := utf8.DecodeRune(text)
		if c, ok := plain.Of(r); !ok || !isLetter(c) {
			return r < utf8.RuneSelf && isLetter(byte(r))
		}
		text = text[width:]
	}
	return false
}
