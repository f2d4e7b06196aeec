package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// snippets are what the hits of a search show, a line each. Beside them an answer has
// ids and times, and any digits may come there.
func (h *house) snippets(q string) string {
	h.t.Helper()
	var found struct {
		Hits []struct{ Snippet []struct{ Text string } }
	}
	if err := json.Unmarshal(h.adminGet("/search?why=test&q="+url.QueryEscape(q)), &found); err != nil {
		h.t.Fatal(err)
	}
	var out strings.Builder
	for _, hit := range found.Hits {
		for _, f := range hit.Snippet {
			out.WriteString(f.Text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

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
			if got := m.snippets(`"` + q + `"`); strings.Contains(got, card) || strings.Contains(got, "5787") {
				t.Errorf("%s, %s: the snippet shows it: %s", mode, q, got)
			}
		}
	}
}

// TestSnippetsHideHoweverItIsWritten: with the escapes of JSON, in base64, and where a
// long text is cut.
func TestSnippetsHideHoweverItIsWritten(t *testing.T) {
	const card = "4539 5787 6362 1486"
	long := strings.Repeat("word ", 13_105)
	for name, text := range map[string]string{
		"escaped": `a quokka pays by credit card \u0034539 5787 63\u00362 1486 today`,
		"encoded": "a quokka pays by credit card: " + base64.StdEncoding.EncodeToString([]byte("my credit card is "+card+", as ever")) + " today",
		"cut":     long + "quokka, card " + card + " today " + long,
	} {
		m := simulated(t, "version: 1\nmode: report\nrules:\n  - {rule: \"pii.*\", do: flag}\n")
		d := dialects["messages"]
		m.call(d.path(false), strings.Replace(d.body(false, "TEXT"), "TEXT", text, 1), "Content-Type", "application/json", "X-Claude-Code-Session-Id", "s")
		m.ended(1)
		if raw := string(m.adminGet("/flows?limit=1")); !strings.Contains(raw, "pii.") {
			t.Fatalf("%s: nothing is found: %s", name, raw)
		}
		for q, hits := range map[string]bool{"quokka": true, "today": true, "5787": false, "credit": name != "cut"} {
			got := m.snippets(q)
			if strings.Contains(got, "5787") || strings.Contains(got, "1NzkgN") || (got != "") != hits {
				t.Errorf("%s, %s: %.600s", name, q, got)
			}
		}
	}
}
