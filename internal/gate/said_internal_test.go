package gate

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// FuzzSaid decodes strings as they stand in JSON, or as they are: the text is what a
// reader reads, but for asterisks, and each of its characters leads back to bytes that
// say the same.
func FuzzSaid(f *testing.F) {
	for _, raw := range []string{`a\n\"b\" \u00e9\ud83d\ude00`, `\ud800x\u0041`, "é😀\xff\\", `\\\\/`, ""} {
		f.Add(raw, true, 2, 5)
		f.Add(raw, false, 0, 1)
	}
	f.Fuzz(func(t *testing.T, raw string, json bool, hideFrom, hideTo int) {
		if json && (closing([]byte(raw)) != len(raw) || strings.HasSuffix(raw, `\`)) {
			return // no string's text
		}
		const offset = 7 // where it stands
		decode := func(raw string) string {
			if !json {
				return raw
			}
			return peek.String([]byte(`"` + raw + `"`))
		}
		s := said{json: json, start: offset, end: offset + len(raw)}
		s.read([]byte(raw), nil)
		if s.text != decode(raw) {
			t.Fatalf("%q reads as %q, want %q", raw, s.text, decode(raw))
		}
		for at, c := range s.text {
			from, to := s.raw(at, at+utf8.RuneLen(c))
			if c == utf8.RuneError {
				from, to = s.raw(at, min(len(s.text), at+1))
			}
			if from < offset || to > offset+len(raw) || from >= to {
				t.Fatalf("%q: character %d is at %d to %d", raw, at, from, to)
			}
			if got := decode(raw[from-offset : to-offset]); c != utf8.RuneError && got != string(c) {
				t.Fatalf("%q: character %d %q leads to %q", raw, at, c, got)
			}
		}
		if from, to := s.raw(0, len(s.text)); from != offset || to != offset+len(raw) && s.text != "" {
			t.Fatalf("%q: all of it is %d to %d", raw, from, to)
		}
		if hideFrom < 0 || hideTo <= hideFrom || hideTo > len(raw) {
			return
		}
		masked := said{json: json, start: offset, end: offset + len(raw)}
		masked.read([]byte(raw), []inspect.Span{{Start: offset + hideFrom, End: offset + hideTo}})
		if a, b := utf8.RuneCountInString(masked.text), utf8.RuneCountInString(s.text); a != b && utf8.ValidString(s.text) {
			t.Fatalf("%q: %d characters with asterisks (%q), %d without", raw, a, masked.text, b)
		}
	})
}
