package console_test

import (
	"strings"
	"testing"
)

func TestSearchNamesItsReader(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/api/v1/search?q=word+session:s1&limit=5&before=9&why=audit", "")
	if w.Code != 200 || d.book.searched != "word session:s1 5 9 audit" {
		t.Errorf("%d, asked for %q", w.Code, d.book.searched)
	}
	for _, want := range []string{`"flow":"f1"`, `"snippet":[{"text":"a "},{"text":"word","match":true}]`, `"resent":3`, `"more":true`, `"next":"7"`, `"indexed":{"done":0,"total":0}`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %s, want %s in it", w.Body, want)
		}
	}
	d.book.searched = ""
	for query, want := range map[string]string{
		"q=word":                     `"kind":"why"`,
		"q=word&why=a%0Ab":           `"kind":"why"`,
		"q=word&why=a&limit=x":       `"kind":"limit"`,
		"q=modle:x&why=a":            `"column":1`,
		"q=word+%22never+ends&why=a": `"kind":"filter"`,
	} {
		if w := d.ask("GET", "/api/v1/search?"+query, ""); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want 400 with %s", query, w.Code, w.Body, want)
		}
	}
	if d.book.searched != "" {
		t.Errorf("the ledger was asked for %q", d.book.searched)
	}
}
