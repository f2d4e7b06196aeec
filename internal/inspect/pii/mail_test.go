package pii_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// Addresses of mail with letters beyond ASCII, and what is none.
func TestMailInOtherLetters(t *testing.T) {
	e, _ := engine(t)
	for text, want := range map[string]string{
		"user: иван@почта.рф, yes":      "иван@почта.рф",
		"write to peter@müller-bau.de.": "peter@müller-bau.de",
		"联系 wang@公司.中国":                 "wang@公司.中国",
		"联系wang@qq.com谢谢":               "联系wang@qq.com",
		"peter%40posteo.de":             "peter%40posteo.de",
		"мы@дома.тут":                   "",
		"a@é":                           "",
		"x@é.method":                    "",
	} {
		got := ""
		for _, m := range e.Scan([]byte(text), inspect.Options{}).Matches {
			got += string(m.Value)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
