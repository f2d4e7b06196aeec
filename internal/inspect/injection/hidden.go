package injection

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/inspect/plain"
)

// reach bounds what a detector looks at on each side of its anchor.
const reach = 4096

// anchors are those of rules whose anchors are characters, or too many to be
// written down, by their detector.
var anchors = map[string]func() []string{
	"hidden-tags":      tagAnchors,
	"hidden-bytes":     selectorAnchors,
	"invisible":        invisibleAnchors,
	"bidi":             bidiAnchors,
	"imitated-letters": imitatedAnchors,
}

func isTag(r rune) bool { return r >= 0xE0020 && r <= 0xE007E || r == 0xE0001 }

func tagAnchors() (list []string) {
	for r := rune(0xE0020); r <= 0xE007E; r++ {
		list = append(list, string(r))
	}
	return list
}

// flag is the black flag, behind which a few tags name a region (Unicode
// Technical Standard 51: England, Scotland, Wales).
const flag = '\U0001F3F4'

// tagRuns finds text that is written in the tag characters of Unicode, which are
// drawn as nothing and which models read.
func tagRuns(text []byte, at, _ int, report func(start, end int)) {
	r, _ := utf8.DecodeLastRune(text[:at])
	if isTag(r) {
		return // told at the run's first
	}
	stop, n := run(text, at, isTag)
	if r == flag && n <= 6 || n < 2 {
		return
	}
	report(at, stop)
}

// run follows characters of a kind from a place on: where they end, and how many
// there are.
func run(text []byte, at int, is func(rune) bool) (end, n int) {
	limit := min(len(text), at+reach)
	for end = at; end < limit; n++ {
		r, size := utf8.DecodeRune(text[end:])
		if !is(r) {
			break
		}
		end += size
	}
	return end, n
}

func isSelector(r rune) bool { return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF }

// selectorAnchors are the end of one variation selector beyond the first 16 with
// the beginning of the next (a single one behind a Han character is ordinary),
// and pairs of the first 16.
func selectorAnchors() (list []string) {
	for r := rune(0xE0100); r <= 0xE01EF; r++ {
		list = append(list, string(r)[2:]+string(r)[:2])
	}
	for r := rune(0xFE00); r <= 0xFE0F; r++ {
		for s := rune(0xFE00); s <= 0xFE0F; s++ {
			list = append(list, string(r)+string(s))
		}
	}
	return list
}

// selectorRuns finds bytes that are written in variation selectors: one of them
// stands behind a character, never more.
func selectorRuns(text []byte, at, _ int, report func(start, end int)) {
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	if r, _ := utf8.DecodeLastRune(text[:at]); isSelector(r) {
		return
	}
	if stop, n := run(text, at, isSelector); n >= 3 {
		report(at, stop)
	}
}

// noWidth are the characters that are drawn as nothing. Soft hyphens are none of
// them: whole pages of some languages have one in each long word.
const noWidth = "\u200b" + noBreak

// noBreak are those that have no business between Latin letters. The one that is
// left, U+200B, says where a long word may be broken.
const noBreak = "\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0"

func isNoWidth(r rune) bool { return strings.ContainsRune(noWidth, r) }

func isASCIILetter(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }

// invisibleAnchors are two of them, those with a letter between them, and each of
// noBreak before a letter.
func invisibleAnchors() (list []string) {
	for _, r := range noWidth {
		for _, s := range noWidth {
			list = append(list, string(r)+string(s))
		}
	}
	for c := 'a'; c <= 'z'; c++ {
		list = append(list, "\u200b"+string(c)+"\u200b")
		for _, r := range noBreak {
			list = append(list, string(r)+string(c))
		}
	}
	return list
}

// invisibleRuns finds runs of characters without width (bits of a hidden text),
// words whose letters they keep apart, so that nobody finds the word, and several
// words that they cut.
func invisibleRuns(text []byte, at, _ int, report func(start, end int)) {
	mixed := func(r rune) bool { return isNoWidth(r) || isASCIILetter(r) }
	if back, _ := utf8.DecodeLastRune(text[:at]); isNoWidth(back) {
		return
	}
	if stop, n := run(text, at, isNoWidth); n >= 4 {
		report(at, stop)
		return
	}
	if r, size := utf8.DecodeLastRune(text[:at]); isASCIILetter(r) {
		if back, _ := utf8.DecodeLastRune(text[:at-size]); isNoWidth(back) {
			return // told at the word's first
		}
	}
	stop, _ := run(text, at, mixed)
	hidden, letters := 0, 0
	for _, r := range string(text[at:stop]) {
		if isNoWidth(r) {
			hidden++
		} else {
			letters++
		}
	}
	if hidden >= 3 && letters >= 3 && letters <= 3*hidden {
		report(at, stop)
		return
	}
	if _, n := cutWords(text[max(0, at-nearby):at]); n >= mostCuts {
		return // told at the first of them
	}
	if end, n := cutWords(text[at:min(len(text), at+nearby)]); n >= mostCuts {
		report(at, at+end)
	}
}

// So many cuts within so many bytes have a purpose.
const (
	mostCuts = 3
	nearby   = 256
)

// cutWords counts the characters of noBreak in a text that stand before a letter and,
// but for one at its beginning, behind one, and says where the last of them ends.
func cutWords(text []byte) (end, n int) {
	var back rune = 'a'
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		if isASCIILetter(back) && strings.ContainsRune(noBreak, r) && i < len(text) && isASCIILetter(rune(text[i])) {
			end, n = i, n+1
		}
		back = r
	}
	return end, n
}

const (
	overrides = "\u202d\u202e"
	isolates  = "\u2066\u2067"
)

func bidiAnchors() (list []string) {
	for _, r := range overrides + isolates {
		list = append(list, string(r))
	}
	return list
}

// bidi finds characters that turn the order of what is drawn around, in lines
// that have no letters written from right to left (CVE-2021-42574).
func bidi(text []byte, at, end int, report func(start, end int)) {
	first := max(0, at-512)
	first += bytes.LastIndexByte(text[first:at], '\n') + 1
	last := min(len(text), at+512)
	if i := bytes.IndexByte(text[at:last], '\n'); i >= 0 {
		last = at + i
	}
	for _, r := range string(text[first:last]) {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana) {
			return
		}
	}
	report(at, end)
}

// targets are words that filters look for, and so those that are disguised.
var targets = []string{
	"ignore", "previous", "instructions", "disregard", "forget", "system", "prompt", "password", "assistant", "reveal", "override", "above",
	"secret", "execute", "command", "delete", "account", "security", "verify", "please", "access", "token", "export", "process", "approve", "important",
}

// imitatedAnchors are the places of the targets at which a letter is replaced,
// with the letters beside it.
func imitatedAnchors() (list []string) {
	seen := map[string]bool{}
	for _, word := range targets {
		for at := range word {
			for _, r := range doubles(word[at]) {
				from := min(max(0, at-1), len(word)-3)
				anchor := word[from:at] + string(r) + word[at+1:from+3]
				if !seen[anchor] {
					seen[anchor] = true
					list = append(list, anchor)
				}
			}
		}
	}
	return list
}

// doubles gives the small letters of other alphabets that look like one, in
// order.
func doubles(c byte) (list []rune) {
	for r := rune(0x370); r < 0x530; r++ {
		if as, ok := plain.Of(r); ok && as == c && unicode.IsLower(r) {
			list = append(list, r)
		}
	}
	return list
}

// imitated finds words that are Latin but for a few letters which only look so.
func imitated(text []byte, at, end int, report func(start, end int)) {
	first := at
	for first > max(0, at-64) {
		r, size := utf8.DecodeLastRune(text[:first])
		if !unicode.IsLetter(r) {
			break
		}
		first -= size
	}
	last, _ := run(text[:min(len(text), end+64)], first, unicode.IsLetter)
	latin, other := 0, 0
	for _, r := range string(text[first:last]) {
		switch _, alike := plain.Of(r); {
		case r < utf8.RuneSelf:
			latin++
		case alike:
			other++
		default:
			return // a word of another language
		}
	}
	if latin > 0 && other > 0 && latin+other >= 4 && first <= at {
		report(first, last)
	}
}
