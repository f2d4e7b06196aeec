package text

import (
	"unicode"
	"unicode/utf8"
)

const (
	// maxWord is how many bytes of a word count. What is longer (hashes, keys)
	// is known by its beginning.
	maxWord = 64
	// blob is the length from which an unbroken run of base64's characters is
	// data, not words.
	blob = 256
)

// Word is a word as it stands in a text.
type Word struct {
	Text       []byte // in lower case, cut to 64 bytes; valid until the next word
	Start, End int
	Joined     bool // only one of . _ - / : @ \ stands between it and the word before, or nothing does
}

// Words calls f for each word of a text until f is false: runs of letters,
// digits and the marks on them; in scripts that put no space between words each
// character is one. What is not UTF-8 separates words.
func Words(text string, f func(Word) bool) {
	w := walker{text: text, last: -1}
	for w.next() {
		word := Word{Text: w.buf, Start: w.start, End: w.at, Joined: w.joined()}
		w.last, w.lastWide = w.at, w.wide
		if !f(word) {
			return
		}
	}
}

type walker struct {
	text      string
	at, start int
	solid     int // up to here no run is as long as a blob
	buf       []byte
	wide      bool // the word is a character of a script without spaces
	last      int  // end of the word before; -1: there is none
	lastWide  bool
}

// joined reports whether the word continues the one before.
func (w *walker) joined() bool {
	switch w.start - w.last {
	case 0:
		return w.last >= 0 && (w.wide || w.lastWide)
	case 1:
		return w.last >= 0 && joins(w.text[w.last])
	}
	return false
}

func joins(c byte) bool {
	switch c {
	case '.', '_', '-', '/', ':', '@', '\\':
		return true
	}
	return false
}

// next steps to the next word.
func (w *walker) next() bool {
	for w.at < len(w.text) {
		if w.at >= w.solid {
			if end := runEnd(w.text, w.at); end-w.at >= blob {
				w.at, w.solid = end, end
				continue
			} else {
				w.solid = max(end, w.at+1)
			}
		}
		r, n := w.rune()
		if class(r) == other {
			w.at += max(n, control(w.text[w.at:]))
			continue
		}
		w.word(r, n)
		return true
	}
	return false
}

func (w *walker) word(r rune, n int) {
	w.start, w.buf, w.wide = w.at, w.buf[:0], class(r) == wide
	for {
		if len(w.buf)+n <= maxWord {
			w.buf = utf8.AppendRune(w.buf, unicode.ToLower(r))
		}
		w.at += n
		if w.at >= len(w.text) {
			return
		}
		r, n = w.rune()
		if c := class(r); c == other || w.wide && c != mark || c == wide {
			return
		}
	}
}

func (w *walker) rune() (rune, int) {
	if c := w.text[w.at]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(w.text[w.at:])
}

// control gives the length of a terminal's control sequence (ECMA-48 section 5.4) that a
// text begins with, 0 if it does not: its last letter is not the next word's first.
func control(text string) int {
	if len(text) < 2 || text[0] != '\x1b' || text[1] != '[' {
		return 0
	}
	for i := 2; i < len(text) && text[i] >= ' ' && text[i] <= '~'; i++ {
		if text[i] >= '@' {
			return i + 1
		}
	}
	return 0
}

// runEnd gives the end of a run of the characters that base64 has.
func runEnd(text string, at int) int {
	for at < len(text) && base64[text[at]] {
		at++
	}
	return at
}

var base64 = func() (set [256]bool) {
	for c := range set {
		set[c] = c == '+' || c == '/' || c == '=' || c == '-' || c == '_' || c < utf8.RuneSelf && class(rune(c)) == letter
	}
	return set
}()

const (
	other = iota
	letter
	mark // goes on what stands before it
	wide // a word by itself
)

func class(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return letter
		}
		return other
	case r == utf8.RuneError:
		return other
	case unicode.IsMark(r):
		return mark
	case !unicode.IsLetter(r) && !unicode.IsNumber(r):
		return other
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return wide
	}
	return letter
}
