package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain makes captured text safe for a terminal on one line: control, bidi and
// other invisible characters are shown as escapes, line ends too.
func plain(s string) string { return strings.ReplaceAll(visible(s), "\n", `\n`) }

// visible is plain, but keeps line ends and tabs.
func visible(s string) string {
	if !strings.ContainsFunc(s, hostile) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hostile(r) {
			b.WriteString(escape(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hostile reports what a terminal could act on or would not show: controls,
// format characters (bidi overrides, zero-width, tags), private use and
// variation selectors.
func hostile(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Variation_Selector)
}

func escape(r rune) string {
	const hex = "0123456789abcdef"
	if r < 0x100 {
		return string([]byte{'\\', 'x', hex[r>>4], hex[r&15]})
	}
	digits := []byte{}
	for ; r > 0; r >>= 4 {
		digits = append([]byte{hex[r&15]}, digits...)
	}
	return `\u{` + string(digits) + `}`
}

// clip shortens s to n characters, with an ellipsis where it was cut.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
