package action

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// loose judges a text that is no shell's grammar: it is cut into commands where a
// shell would cut, and each is judged by itself.
func (s *shell) loose(text string) {
	if !looksWindows(text) {
		s.add(Found{Rule: Unparsed, Severity: flow.Low, Confidence: 100, Start: s.at(0), End: s.at(len(text)), Note: "could not be parsed as a shell's text; judged by its words"})
	}
	var row []*command // of one pipeline
	lines := 0
	for at := 0; at < len(text) && lines < 20000; lines++ {
		words, end, stop := looseWords(text, at)
		if len(words) > 0 {
			c := &command{start: at, end: end}
			for i := 0; i < len(words); i++ { // redirections
				if t := strings.TrimLeft(words[i].text, "0123456789&"); strings.HasPrefix(t, ">") {
					t = strings.TrimLeft(t, ">|&")
					if t == "" && i+1 < len(words) {
						t = words[i+1].text
					}
					c.writes = append(c.writes, t)
					words = words[:i]
				}
			}
			for len(words) > 0 && reserved[words[0].text] {
				words = words[1:]
			}
			got := s.run(c, words)
			if len(row) > 0 {
				s.pipe(row, got, row[0].start, end)
			}
			row = append(row, got...)
			row = row[max(0, len(row)-maxRow):]
		}
		if stop != '|' {
			row = nil
		}
		at = end + 1
	}
}

var reserved = set("if then else elif fi while until for do done case esac in { } ( ) ! time")

// looseWords cuts off the words of one command, and gives where it ends and at
// which character.
func looseWords(text string, at int) (words []word, end int, stop byte) {
	var b strings.Builder
	any := false
	cut := func() {
		if any {
			t := b.String()
			words = append(words, word{text: t, dyn: strings.ContainsAny(t, "$`")})
		}
		b.Reset()
		any = false
	}
	quote := byte(0)
	i := at
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '\'' || c == '"':
			if strings.IndexByte(text[i+1:min(len(text), i+4096)], c) < 0 {
				continue // an apostrophe
			}
			quote, any = c, true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
			any = true
		case c == ' ' || c == '\t' || c == '\r':
			cut()
		case c == '\n' || c == ';' || c == '|' || c == '&' && (i == 0 || text[i-1] != '>') || c == '`' || c == '(' || c == ')':
			cut()
			if c == '|' && i+1 < len(text) && text[i+1] == '|' {
				return words, i + 1, ';'
			}
			return words, i, c
		default:
			b.WriteByte(c)
			any = true
		}
		if len(words) > 4000 {
			break
		}
	}
	cut()
	return words, i, 0
}
