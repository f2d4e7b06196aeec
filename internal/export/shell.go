package export

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote makes one word of a POSIX shell of a text, whatever is in it. A word can't
// hold NUL: it is left out.
func Quote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteBytes makes the format of a printf that prints exactly these bytes, as one
// word on one line. What a shell could take for its own when it is pasted (! and
// line ends), or a terminal for a command, is an octal escape.
func quoteBytes(b []byte) string {
	var w strings.Builder
	w.Grow(len(b) + len(b)/8 + 2)
	w.WriteByte('\'')
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '%':
			w.WriteString("%%")
		case r == '\\':
			w.WriteString(`\\`)
		case r == '\n':
			w.WriteString(`\n`)
		case r == '\'' || r == '!' || i == 0 && r == '-' || r == utf8.RuneError || !unicode.IsGraphic(r) || r > 0x7f && !unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S):
			for _, c := range b[i : i+n] {
				fmt.Fprintf(&w, `\%03o`, c)
			}
		default:
			w.WriteRune(r)
		}
		i += n
	}
	w.WriteByte('\'')
	return w.String()
}
