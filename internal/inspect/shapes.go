package inspect

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What digits, "@" and ":" have in common: no literal stands near them, so that
// anchors don't find them. One pass over the text, 8 bytes at a time, sees where
// they may begin; of those places only tokens with the shape of a rule go on.

// The shapes that are no row of digits and letters.
const (
	anyNumber = "#*" // a token of at least manyDigits digits
	atSign    = "@"  // with text on both sides
	colons    = ":"  // hex digits and colons
)

const (
	maxToken   = 96 // bytes of a token, spaces between digits included
	maxWord    = 40 // of one without spaces
	maxWords   = 8  // that one number is written in
	maxBeside  = 2  // other words beside them
	manyDigits = 6
	maxShapes  = 256 // of one rule, its optional digits written out
	tokenWork  = 4   // for each rule that is tried at a token
)

// shapes are the rules that are found by the shape of a token.
type shapes struct {
	bitmap   [64]uint64 // of hashed shapes
	shortest int        // bytes of the shortest; most numbers in a text are shorter
	rules    map[uint64][]int32
	number   []int32
	at       []int32
	colon    []int32
}

// add enters a rule under one of its shapes.
func (t *shapes) add(shape string, rule int32) {
	switch shape {
	case anyNumber:
		t.number = append(t.number, rule)
	case atSign:
		t.at = append(t.at, rule)
	case colons:
		t.colon = append(t.colon, rule)
	default:
		for _, s := range written(shape) {
			t.shortest = min(t.shortest, len(s))
			key := shapeOf(s)
			t.bitmap[key>>58] |= 1 << (key >> 52 & 63)
			t.rules[key] = append(t.rules[key], rule)
		}
	}
}

// written gives the shapes that a shape with optional digits stands for; none when
// there are too many.
func written(shape string) []string {
	before, after, ok := strings.Cut(shape, "?")
	if !ok {
		return []string{shape}
	}
	rest := written(after)
	if 2*len(rest) > maxShapes {
		return nil
	}
	var all []string
	for _, tail := range rest {
		all = append(all, before+tail, before+"#"+tail)
	}
	return all
}

// isShape reports whether a shape can be found: a number is one with two digits
// in a row.
func isShape(shape string) bool {
	if shape == anyNumber || shape == atSign || shape == colons {
		return true
	}
	if len(shape) > maxWord || strings.Trim(shape, "#A?-./ ") != "" || len(written(shape)) == 0 {
		return false
	}
	return strings.Contains(strings.ReplaceAll(shape, "?", "#"), "##")
}

const (
	shapeSeed = 0xcbf29ce484222325
	shapeMix  = 0x9E3779B97F4A7C15
)

// classes says what the bytes of tokens are in a shape.
var classes = func() (t [256]byte) {
	for c := range 256 {
		switch b := lower(byte(c)); {
		case b >= '0' && b <= '9':
			t[c] = '#'
		case b >= 'a' && b <= 'z':
			t[c] = 'A'
		case b == '-' || b == '.' || b == '/' || b == ' ':
			t[c] = b
		}
	}
	return t
}()

func shapeOf(shape string) uint64 {
	h := uint64(shapeSeed)
	for i := range len(shape) {
		h = shapeStep(h, shape[i])
	}
	return h
}

func shapeStep(h uint64, class byte) uint64 {
	h = (h ^ uint64(class)) * shapeMix
	return h ^ h>>29
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// digitsIn sets the highest bit of each byte that is a digit.
func digitsIn(x uint64) uint64 {
	t := x ^ 0x30*ones
	return ^((t&^uint64(tops) + 0x76*ones) | t) & tops
}

// holds sets the highest bit of the first byte that is c, perhaps of others.
func holds(x uint64, c byte) uint64 {
	x ^= uint64(c) * ones
	return (x - ones) &^ x & tops
}

// next skips the words of 8 bytes in which no token can be, and gives the digits and
// signs of the first other one. A colon counts beside a digit: of a row that has
// several, one does.
func next(text []byte, i int) (at int, digits, signs uint64) {
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		d := digitsIn(x)
		signs := holds(x, '@')
		if d|signs == 0 {
			continue
		}
		signs |= holds(x, ':') & (d<<8 | d>>8)
		if pairs := d & (d<<8 | d<<16 | d<<24); pairs|signs != 0 {
			return i, d, signs
		}
	}
	var tail [8]byte
	copy(tail[:], text[min(i, len(text)):])
	x := binary.LittleEndian.Uint64(tail[:])
	d := digitsIn(x)
	return i, d, holds(x, '@') | holds(x, ':')&(d<<8|d>>8)
}

// tokens looks for the shapes of rules in a text.
func (s *scanner) tokens(text []byte) {
	if s.e.shapes == nil {
		return
	}
	done, colon := 0, 0 // what is behind the last token
	for i := 0; i < len(text) && s.work >= 0; i += 8 {
		var d, signs uint64
		i, d, signs = next(text, i)
		for _, half := range [2]uint64{d & 0xffffffff, d &^ 0xffffffff} {
			if half&(half-1) == 0 {
				continue
			}
			if p := i + bits.TrailingZeros64(half)/8; p >= done {
				done = s.token(text, done, p)
			}
		}
		for ; signs != 0; signs &= signs - 1 {
			switch p := i + bits.TrailingZeros64(signs)/8; {
			case p >= len(text):
			case text[p] == '@':
				s.each(s.e.shapes.at, p, p+1)
			case text[p] == ':' && p >= colon:
				colon = s.colons(text, p)
			}
		}
	}
}

// colons finds the row of hex digits and colons around a colon, and gives its
// end.
func (s *scanner) colons(text []byte, at int) int {
	if at == 0 || at+1 == len(text) || !hexOrColon(text[at-1]) || !hexOrColon(text[at+1]) {
		return at + 1
	}
	start, end := at, at+1
	for start > 0 && at-start < maxWord && hexOrColon(text[start-1]) {
		start--
	}
	for end < len(text) && end-start < maxWord && hexOrColon(text[end]) {
		end++
	}
	s.each(s.e.shapes.colon, start, end)
	return end
}

func hexOrColon(c byte) bool {
	return c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'f' || c == ':'
}

// each runs rules at text[at:end].
func (s *scanner) each(rules []int32, at, end int) {
	for _, i := range rules {
		if !s.spend(tokenWork, at) {
			return
		}
		r := s.e.rules[i]
		seg := s.level.segmentAt(at)
		if !s.level.segments[seg].has(at, end) {
			return
		}
		if r.detector == nil {
			s.value(r, at, at, end)
			continue
		}
		s.ask(r, seg, at, end)
	}
}

// joined reports whether the separator text[i] is within a number.
func joined(text []byte, i int) bool {
	if i == 0 || i+1 >= len(text) || classes[text[i-1]] != '#' {
		return false
	}
	switch next := classes[text[i+1]]; text[i] {
	case ' ', '.', '/':
		return next == '#'
	case '-':
		return next == '#' || next == 'A'
	}
	return false
}

func isToken(text []byte, i int) bool {
	c := classes[text[i]]
	return c == '#' || c == 'A' || c != 0 && joined(text, i)
}

// token looks at the token that holds the digit text[at], and gives the place from
// which on the next one may begin. It goes back no further than from.
func (s *scanner) token(text []byte, from, at int) int {
	start := at
	for start > from && at-start <= maxWord && isToken(text, start-1) {
		start--
	}
	if at-start > maxWord {
		return wordEnd(text, at)
	}
	end, digits, n := start, 0, 1
	words := &s.starts
	words[0] = start
	for ; end < len(text); end++ {
		class := classes[text[end]]
		if class != '#' && class != 'A' && (class == 0 || !joined(text, end)) {
			break
		}
		if end-start >= maxToken {
			return s.long(text, words[:n], start, end, digits)
		}
		switch class {
		case '#':
			digits++
		case ' ':
			words[n] = end + 1
			n++
		}
	}
	if end-start >= s.e.shapes.shortest {
		s.words(text, words[:n], end)
	}
	if digits >= manyDigits {
		s.each(s.e.shapes.number, start, end)
	}
	return end
}

// long is a word that is no number, or a row of many numbers: of those each is one
// by itself.
func (s *scanner) long(text []byte, words []int, start, end, digits int) int {
	if len(words) <= maxWords {
		s.words(text, words, wordEnd(text, end))
		return wordEnd(text, end)
	}
	last := words[len(words)-1]
	s.words(text, words[:len(words)-1], last-1)
	if digits >= manyDigits {
		s.each(s.e.shapes.number, start, last-1)
	}
	return last
}

// wordEnd is where the letters and digits that hold text[at] end.
func wordEnd(text []byte, at int) int {
	for at < len(text) && (classes[text[at]] == '#' || classes[text[at]] == 'A') {
		at++
	}
	return at
}

// words tries the rows of words that may be one value, the longest first. A value
// takes its words.
func (s *scanner) words(text []byte, words []int, end int) {
	for i := 0; i < len(words); {
		i += s.row(text, words[i:min(len(words), i+maxWords+1)], end, len(words))
	}
}

// row tries the rows that begin with the first word and gives how many words were
// taken, one at least. A value of several words has few others of its token, of
// all words, beside it: in a table of numbers stand all kinds of rows.
func (s *scanner) row(text []byte, words []int, end, all int) int {
	var keys [maxWords]uint64
	h, n := uint64(shapeSeed), 0
	for k := range min(len(words), maxWords) {
		stop := end
		if k+1 < len(words) {
			stop = words[k+1] - 1
		}
		if stop-words[k] > maxWord {
			break
		}
		if k > 0 {
			h = shapeStep(h, ' ')
		}
		for _, c := range text[words[k]:stop] {
			h = shapeStep(h, classes[c])
		}
		keys[k] = h
		n = k + 1
	}
	for k := n - 1; k >= 0; k-- {
		if s.e.shapes.bitmap[keys[k]>>58]>>(keys[k]>>52&63)&1 == 0 || k > 0 && all-k-1 > maxBeside {
			continue
		}
		stop := end
		if k+1 < len(words) {
			stop = words[k+1] - 1
		}
		if !alone(text, words[0], stop) {
			continue
		}
		found := len(s.found)
		s.each(s.e.shapes.rules[keys[k]], words[0], stop)
		if len(s.found) > found {
			return k + 1
		}
	}
	return 1
}

// alone reports whether text[start:end] is no part of a longer name or number.
func alone(text []byte, start, end int) bool {
	if start > 0 {
		switch c := text[start-1]; {
		case c == '_' || c == '$' || c == '-': // a negative number, or the rest of a name
			return false
		case start > 1 && (c == '.' || c == '/' || c == '+') && wordy(text[start-2]):
			return false
		case c >= utf8.RuneSelf:
			if r, _ := utf8.DecodeLastRune(text[:start]); spaced(r) {
				return false
			}
		}
	}
	if end == len(text) {
		return true
	}
	switch c := text[end]; {
	case c == '_':
		return false
	case end+1 < len(text) && (c == '-' || c == '.' || c == '+') && wordy(text[end+1]) && text[end+1] < utf8.RuneSelf:
		return false
	case c >= utf8.RuneSelf:
		r, _ := utf8.DecodeRune(text[end:])
		return !spaced(r)
	}
	return true
}

// spaced tells letters of scripts that have spaces between words: those of East
// Asia, from U+2E80 on, stand beside numbers without one.
func spaced(r rune) bool { return r < 0x2e80 && unicode.IsLetter(r) }
