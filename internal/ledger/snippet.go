package ledger

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/ledger/text"
)

// around is how much of a text is shown on both sides of a match, in bytes, and
// snippetMax how much in all.
const (
	around     = 80
	snippetMax = 320
)

// snippet gives the piece of a text around its first match, with the matches
// in it marked and space of any kind made one.
func snippet(said string, spans []text.Span) []Fragment {
	slices.SortFunc(spans, func(a, b text.Span) int { return a.Start - b.Start })
	if len(spans) == 0 {
		spans = []text.Span{{}}
	}
	start := wordStart(said, spans[0].Start-around, spans[0].Start)
	end := spans[0].End
	for _, s := range spans {
		if s.End <= start+snippetMax && s.Start <= end+around {
			end = max(end, s.End)
		}
	}
	end = wordEnd(said, end+around, end)
	var list []Fragment
	add := func(piece string, match bool) {
		if piece != "" {
			list = append(list, Fragment{piece, match})
		}
	}
	if start > 0 {
		add("… ", false)
	}
	at := start
	for _, s := range spans {
		if s.Start < at || s.End > end || s.Start == s.End {
			continue
		}
		add(spaced(said[at:s.Start]), false)
		add(spaced(said[s.Start:s.End]), true)
		at = s.End
	}
	add(spaced(said[at:end]), false)
	if end < len(said) {
		add(" …", false)
	}
	return list
}

// wordStart moves a place to the start of a word, at most up to limit.
func wordStart(s string, at, limit int) int {
	if at <= 0 {
		return 0
	}
	for at < limit && !utf8.RuneStart(s[at]) {
		at++
	}
	if i := strings.IndexFunc(s[at:limit], unicode.IsSpace); i >= 0 && i < around/2 {
		return at + i + 1
	}
	return at
}

func wordEnd(s string, at, limit int) int {
	if at >= len(s) {
		return len(s)
	}
	for at > limit && !utf8.RuneStart(s[at]) {
		at--
	}
	if i := strings.LastIndexFunc(s[limit:at], unicode.IsSpace); i >= 0 && at-limit-i < around/2 {
		return limit + i
	}
	return at
}

// spaced makes each run of space one space.
func spaced(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}
