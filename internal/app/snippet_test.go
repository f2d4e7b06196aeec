package app_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestSnippetsHideWhatConversationsHide: a search shows no value that a rule found.
func TestSnippetsHideWhatConversationsHide(t *testing.T) {
	const card = "4539 5787 6362 1486"
	for _, mode := range []string{"report", "enforce"} {
		m := simulated(t, "version: 1\nmode: "+mode+"\nrules:\n  - {rule: \"secret.*\", do: redact}\n  - {rule: \"pii.*\", do: flag}\n")
		m.ask(dialects["messages"], false, "s", "the quokka pays by card "+card+" today", "say: my credit card "+card+" is the wombat's")
		m.ended(1)
		if raw := string(m.adminGet("/sessions/s/conversation?why=test")); strings.Contains(raw, card) {
			t.Fatalf("the conversation shows it: %.3000s", raw)
		}
		for _, q := range []string{"quokka", "wombat", card} {
			if raw := string(m.adminGet("/search?why=test&q=" + url.QueryEscape(`"`+q+`"`))); strings.Contains(raw, card) || strings.Contains(raw, "5787") {
				t.Errorf("%s, %s: the snippet shows it: %s", mode, q, raw)
			}
		}
	}
}
