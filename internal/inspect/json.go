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
	opened int  // where the string's text begins, in the level's text
	copied bool // the level's text is a copy; else it is raw itself
}

// lexJSON reads all of raw, whatever it is, into an empty level.
func lexJSON(l *level, raw []byte, seam *seam) {
	x := &lexer{level: l, seam: seam, raw: raw, copied: bytes.IndexByte(raw, '\\') >= 0}
	l.raw = raw
	l.borrowed = !x.copied
	if l.borrowed {
		l.text = raw[:0]
	} else if cap(l.text) < len(raw) {
		l.text = make([]byte, 0, len(raw))
	}
	for i := 0; i < len(raw); {
		i = x.stretch(i)
		if i < len(raw) {
			i = x.special(i)
		}
	}
	l.segments = append(l.segments, segment{end: int32(len(l.text)), to: int32(len(raw)), coding: jsonText})
}

// stretch takes over the bytes up to the next quote or backslash. The text of a
// copy has room for all of raw, and is never longer than what was read of it.
func (x *lexer) stretch(i int) int {
	l := x.level
	at := len(l.text)
	n := 0
	if x.copied {
		n = copyRun(l.text[at:cap(l.text)], x.raw[i:])
	} else {
		n = plainRun(x.raw[i:])
	}
	l.mark(0, i, n, x.in)
	l.text = l.text[:at+n]
	return i + n
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

// special takes a quote or a backslash.
func (x *lexer) special(i int) int {
	l := x.level
	if x.raw[i] == '"' {
		x.quote(i)
	}
	if !x.copied {
		l.text = l.text[:len(l.text)+1]
		return i + 1
	}
	if i+1 < len(x.raw) && short[x.raw[i+1]] != 0 && x.raw[i] == '\\' {
		l.text = append(l.text, short[x.raw[i+1]]) // nearly all escapes
		return i + 2
	}
	width, token, n := stepJSON(x.raw, i)
	l.text = append(l.text, token[:n]...)
	return i + width
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
