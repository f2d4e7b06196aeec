package inspect

import (
	"bytes"
	"slices"
)

// Stretches of text in which characters are escaped are decoded with what
// stands around them: a value's context is often not escaped itself.
const stretchPad = 128

// unfold makes the level of what is encoded in l; nil when there is nothing, or
// it is nested too deep. The last level is of JSON escapes alone: strings in
// strings in strings are common, and all of their escapes can be undone at once.
func (s *scanner) unfold(l *level) *level {
	if s.depth > maxDepth {
		return nil
	}
	next := &s.kept[s.depth+1]
	next.up, next.raw = l, l.text
	for i := range l.segments {
		if seg := &l.segments[i]; !seg.closed && !s.unfoldSegment(next, seg) {
			s.cut("decoded bytes: the text holds more encoded content than is read")
			break
		}
	}
	if s.depth == maxDepth {
		s.last(next)
	}
	if len(next.segments) == 0 {
		return nil
	}
	return next
}

// last leaves of the last level what is read of it. Content that is no text is
// no loss.
func (s *scanner) last(l *level) {
	l.segments = slices.DeleteFunc(l.segments, func(seg segment) bool {
		if seg.coding != inNested && !seg.closed {
			s.cut("nesting: encodings within encodings, more than 5")
		}
		return seg.coding != inNested
	})
}

// unfoldSegment decodes what one segment holds; false when the bound on decoded
// bytes is reached.
func (s *scanner) unfoldSegment(next *level, seg *segment) bool {
	escapes := inJSON
	if s.depth == maxDepth {
		escapes = inNested
	}
	return s.stretches(next, seg, escapes) &&
		s.stretches(next, seg, inURL) &&
		s.stretches(next, seg, inHTML) &&
		s.stretches(next, seg, inANSI) &&
		s.folds(next, seg) &&
		s.wideText(next, seg) &&
		s.runs(next, seg)
}

// folds reads characters as people see them. They hide nothing from a decoder, so
// that they are no nesting: the last level is left to what is.
func (s *scanner) folds(next *level, seg *segment) bool {
	return s.depth == maxDepth || s.stretches(next, seg, inFolds)
}

// take takes from the bytes that may still be decoded.
func (s *scanner) take(n int) bool {
	s.decoded -= n
	return s.decoded >= 0
}

// stretches decodes where a kind of escape stands. Escapes that are near each
// other make one stretch.
func (s *scanner) stretches(next *level, seg *segment, c coding) bool {
	first, last := -1, 0
	begin, end := int(seg.start), int(seg.end)
	step, find := codings[c].step, codings[c].seek
	emit := func() bool {
		if first < 0 {
			return true
		}
		from, to := max(begin, first-stretchPad), min(end, last+stretchPad)
		if !s.take(to - from) {
			return false
		}
		next.append(from, to, c)
		return true
	}
	for i := begin; i < end; {
		if i += find(next.raw[i:end]); i >= end {
			break
		}
		width, _, n := step(next.raw, i)
		if width == n {
			i += width
			continue
		}
		if first >= 0 && i-last > 2*stretchPad {
			if !emit() {
				return false
			}
			first = -1
		}
		if first < 0 {
			first = i
		}
		i += width
		last = i
	}
	return emit()
}

// minWide is the least number of characters that make a stretch of UTF-16.
const minWide = 8

// wideText decodes UTF-16: every other byte of ASCII text is zero in it.
func (s *scanner) wideText(next *level, seg *segment) bool {
	begin, end := int(seg.start), int(seg.end)
	for i := begin; i < end; {
		zero := i + nextByte(next.raw[i:end], 0)
		if zero >= end {
			break
		}
		if zero+2 >= end || next.raw[zero+1] == 0 || next.raw[zero+2] != 0 {
			i = zero + 1
			continue
		}
		from, to, c := wideRun(next.raw, i, zero, end)
		if to-from < 2*minWide {
			i = zero + 1
			continue
		}
		if !s.take(to - from) {
			return false
		}
		next.wide(from, to, c)
		i = to
	}
	return true
}

// wideRun measures the UTF-16 text whose first zero byte is given. The order of
// its bytes is told by what stands before that: a character, or nothing.
func wideRun(raw []byte, least, zero, end int) (from, to int, c coding) {
	low, from, c := 0, zero-1, inUTF16
	if zero == least || !asciiText(raw[zero-1]) {
		low, from, c = 1, zero, inUTF16BE
	}
	to, miss := from, 0
	for i := from; i+1 < end && miss < minWide; i += 2 {
		if raw[i+1-low] == 0 && asciiText(raw[i+low]) {
			to, miss = i+2, 0
		} else {
			miss++ // a character beyond Latin
		}
	}
	return from, to, c
}

func asciiText(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }

// wide decodes raw[from:to], an even number of bytes, as UTF-16.
func (l *level) wide(from, to int, c coding) {
	start, first := len(l.text), len(l.marks)
	for i := from; i < to; {
		l.mark(first, i, 0, false)
		width, token, n := codings[c].step(l.raw[:to], i)
		l.text = append(l.text, token[:n]...)
		i += width
	}
	l.close(start, first, from, to, c, false)
}

// textual reports whether decoded bytes are text, or UTF-16, by their first 512.
func textual(b []byte) bool {
	b = b[:min(len(b), 512)]
	bad, zeros := 0, bytes.Count(b, []byte{0})
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0:
		case c < 0x80:
			if !asciiText(c) && c != escape {
				bad++
			}
		default:
			n := sequence(b[i:])
			if n == 0 {
				bad++
			}
			i += max(n-1, 0)
		}
	}
	if zeros > 0 && (zeros < len(b)*2/5 || zeros > len(b)*3/5) {
		bad += zeros
	}
	return bad*20 <= len(b)
}

// sequence is the length of the UTF-8 sequence at the beginning of b: 0 when
// there is none. One that is cut off by the end counts.
func sequence(b []byte) int {
	n := 0
	switch c := b[0]; {
	case c >= 0xf0 && c < 0xf5:
		n = 4
	case c >= 0xe0 && c < 0xf0:
		n = 3
	case c >= 0xc2 && c < 0xe0:
		n = 2
	}
	for i := 1; i < min(n, len(b)); i++ {
		if b[i]&0xc0 != 0x80 {
			return 0
		}
	}
	return n
}
