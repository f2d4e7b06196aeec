package ledger

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// conceal puts a veil over what rules found in a text that a flow brought, where that
// is not shown. Of a finding the place in the body is known, not the one in the
// text: so it is looked for by its length and its id, where words begin.
func (l *Ledger) conceal(text string, findings []flow.Finding) string {
	type sought struct {
		id   string
		size int64
	}
	done := map[sought]bool{}
	for i := range findings {
		f := &findings[i]
		at := sought{f.ID, f.End - f.Start}
		if !f.Hidden() || at.size <= 0 || at.size > int64(len(text)) || done[at] {
			continue
		}
		done[at] = true
		text = l.veil(text, f.Rule, f.ID, int(at.size))
	}
	return text
}

// veil puts one over each place of a value.
func (l *Ledger) veil(text, rule, id string, size int) string {
	var out strings.Builder
	from := 0
	for at := 0; at+size <= len(text); at++ {
		if at > 0 && isWord(text[at-1]) && isWord(text[at]) || l.FindingID(rule, []byte(text[at:at+size])) != id {
			continue
		}
		out.WriteString(text[from:at])
		out.WriteString(veil)
		from = at + size
		at = from - 1
	}
	if from == 0 {
		return text
	}
	out.WriteString(text[from:])
	return out.String()
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
