package inspect

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// lexer makes level 0 of JSON text: escapes are undone, all else stands as it
// is. On its way it notes where the strings are.
type lexer struct {
	level  *level
	seam   *seam
	raw    []byte
	in     bool
	opened int // where the string's text begins, in the level's text
}

// lexJSON reads all of raw, whatever it is, into an empty level.
func lexJSON(l *level, raw []byte, seam *seam) {
	x := &lexer{level: l, seam: seam, raw: raw}
	l.raw = raw
	if l.borrowed = bytes.IndexByte(raw, '\\') < 0; l.borrowed {
		l.text = raw[:0]
		x.borrow()
	} else {
		if cap(l.text) < len(raw) {
			l.text = make([]byte, 0, len(raw))
		}
		x.copy()
	}
	l.segments = append(l.segments, segment{end: int32(len(l.text)), to: int32(len(raw)), coding: jsonText})
}

// borrow goes over a text without escapes: the level's is raw itself.
func (x *lexer) borrow() {
	l := x.level
	for i := 0; i < len(x.raw); {
		n := plainRun(x.raw[i:])
		l.mark(0, i, n, x.in)
		if i += n; i < len(x.raw) {
			l.text = l.text[:i]
			x.quote(i)
			i++
		}
		l.text = l.text[:i]
	}
}

// copy makes a text with its escapes undone. The text has room for all of raw, and
// is never longer than what was read of it.
func (x *lexer) copy() {
	l, raw := x.level, x.raw
	for i := 0; i < len(raw); {
		at := len(l.text)
		n := copyRun(l.text[at:cap(l.text)], raw[i:])
		l.mark(0, i, n, x.in)
		l.text, i = l.text[:at+n], i+n
		if i+1 < len(raw) && raw[i] == '\\' && short[raw[i+1]] != 0 { // nearly all escapes
			l.text = append(l.text, short[raw[i+1]])
			i += 2
			continue
		}
		if i == len(raw) {
			return
		}
		if raw[i] == '"' {
			x.quote(i)
		}
		width, token, n := stepJSON(raw, i)
		l.text = append(l.text, token[:n]...)
		i += width
	}
}

const (
	lows   = 0x0101010101010101
	highs  = 0x8080808080808080
	quotes = '"' * lows
	slants = '\\' * lows
)

// plainRun is the number of bytes before the first quote or backslash. It looks
// at 8 bytes at a time: a byte of a word is zero when (w-lows)&^w has its high
// bit set, and the lowest such bit is right.
func plainRun(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^quotes, w^slants
		if hit := ((q - lows) &^ q & highs) | ((s - lows) &^ s & highs); hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '"' || b[i] == '\\' {
			return i
		}
	}
	return i
}

// copyRun is plainRun that copies what it looks at, and perhaps some bytes more,
// into text, which is as long as b at least.
func copyRun(text, b []byte) int {
	i := 0
	text = text[:len(b)]
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		binary.LittleEndian.PutUint64(text[i:], w)
		q, s := w^quotes, w^slants
		if hit := ((q - lows) &^ q & highs) | ((s - lows) &^ s & highs); hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '"' || b[i] == '\\' {
			return i
		}
		text[i] = b[i]
	}
	return i
}

func (x *lexer) quote(i int) {
	x.in = !x.in
	if x.in {
		x.opened = len(x.level.text) + 1
		return
	}
	x.seam.string(x.level, x.opened, len(x.level.text), isKey(x.raw, i+1))
}

// isKey reports whether a colon follows the end of a string.
func isKey(raw []byte, i int) bool {
	for ; i < len(raw); i++ {
		switch raw[i] {
		case ' ', '\t', '\n', '\r':
		default:
			return raw[i] == ':'
		}
	}
	return false
}
