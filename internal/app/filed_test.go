package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/web"
)

// hostile is what would break out of a page that lets it.
const hostile = `</script><script>alert(1)</script><!--<img src=x onerror=alert(2)><base href=//evil.example>`

// adaMail is found, and not worth hiding in the console.
const adaMail = "ada.byron@posteo.de"

// file asks for a session as one file.
func (h *house) file(query string) (page string, data *conversation.Conversation, head http.Header) {
	h.t.Helper()
	resp, err := h.admin.Get("http://localhost/api/v1/sessions/s1/export.html?" + query)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %v %.300s", resp.Status, err, text)
	}
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(text)
	if m == nil {
		h.t.Fatalf("no data: %.300s", text)
	}
	var filed struct{ Conversation *conversation.Conversation }
	if err := json.Unmarshal(m[1], &filed); err != nil {
		h.t.Fatal(err)
	}
	return string(text), filed.Conversation, resp.Header
}

// thirds writes a text as JSON whose every third character is an escape.
func thirds(text string) string {
	var b strings.Builder
	for i, c := range []byte(text) {
		if i%3 == 1 {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// tellsOf answers with a text and a tool call, the value cut between events.
func tellsOf(secret string) string {
	half := len(secret) / 2
	args := `{"command":"export KEY=` + secret + `"}`
	cut := strings.Index(args, secret) + half
	var b strings.Builder
	event := func(text string, args ...any) {
		data := fmt.Sprintf(text, args...)
		var name struct{ Type string }
		json.Unmarshal([]byte(data), &name)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name.Type, data)
	}
	event(`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}`)
	event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
	event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`, q("your key is "+secret[:half]))
	event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`, q(secret[half:]+" so far"))
	event(`{"type":"content_block_stop","index":0}`)
	event(`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"Bash","input":{}}}`)
	event(`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":%s}}`, q(args[:cut]))
	event(`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":%s}}`, q(args[cut:]))
	event(`{"type":"content_block_stop","index":1}`)
	event(`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}`)
	event(`{"type":"message_stop"}`)
	return b.String()
}

// leaky holds a session in which a value stands in what a person says, in the
// answer, in a tool's arguments and its result, and is written in several ways.
func leaky(t *testing.T, rules, secret string) *harbour {
	h := dock(t, rules)
	answer := tellsOf(secret)
	h.up.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, answer)
		answer = strings.ReplaceAll(tellsOf("nothing"), "toolu_1", "toolu_2")
	}
	first := `{"role":"user","content":` + q("my key is "+secret+" "+hostile+" of "+adaMail) + `}`
	second := first + `,{"role":"assistant","content":[` + textBlock("your key is "+secret+" so far") + `,{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"export KEY=` + thirds(secret) + `"}}]}` +
		`,{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":` + q(`{"env":{"KEY":`+q(secret)+`}} and now the end of it`) + `}]}`
	for _, messages := range []string{first, second} {
		h.call("/v1/messages", claudeWith(`"stream":true,`, messages), "Content-Type", "application/json", "X-Claude-Code-Session-Id", "s1")
	}
	h.ended(2)
	return h
}

// TestSessionAsAFile: it holds what was said, in a page that what was said can't
// leave, and not what rules found; each window is on record.
func TestSessionAsAFile(t *testing.T) {
	if _, _, ok := web.Offline(); !ok {
		t.Skip("built without the page")
	}
	for name, rules := range map[string]string{"reported": "", "redacted": string(policy.Recommended())} {
		t.Run(name, func(t *testing.T) {
			secret := planted(11)
			h := leaky(t, rules, secret)
			if code, text := h.refused("/sessions/s1/export.html"); code != http.StatusBadRequest || !strings.Contains(text, "why=REASON") {
				t.Errorf("without a reason: %d %s", code, text)
			}
			if got := h.readings(); len(got) > 0 {
				t.Errorf("read without a reason: %q", got)
			}
			page, told, head := h.file("why=a+test")
			for i := 0; i+8 <= len(secret); i++ {
				if part := secret[i : i+8]; strings.Contains(page, part) {
					t.Fatalf("%q of the value is there: …%s…", part, around(page, part))
				}
			}
			if strings.Contains(page, adaMail) {
				t.Errorf("personal data is there: …%s…", around(page, adaMail))
			}
			turns := told.Branches[0].Rounds[0].Turns
			if said := turns[0].Added[0].Text; strings.Contains(page, thirds(secret)[:12]) || !strings.Contains(said, "my key is ●●●● <") && !strings.Contains(said, "QZ") {
				t.Errorf("the value is there as escapes, or nothing stands in its place: %s", said)
			}
			if len(turns) != 2 || !strings.Contains(page, "and now the end of it") || !strings.Contains(page, "so far") && rules == "" {
				t.Errorf("%d turns; more than the value is gone", len(turns))
			}
			if got := h.readings(); len(got) != 1 || !strings.HasSuffix(got[0], " conversation: a test") {
				t.Errorf("on record: %q", got)
			}
			if kind := head.Get("Content-Type"); kind != "text/html; charset=utf-8" || !strings.Contains(head.Get("Content-Disposition"), "attachment") {
				t.Errorf("%q %q", kind, head.Get("Content-Disposition"))
			}
			asksForNothing(t, page)
		})
	}
}

func around(text, part string) string {
	i := strings.Index(text, part)
	return text[max(0, i-60):min(len(text), i+60)]
}

// asksForNothing: the page is its own script and style, and names no address.
func asksForNothing(t *testing.T, page string) {
	t.Helper()
	script, style, _ := web.Offline()
	rest := strings.Replace(strings.Replace(page, string(script), "", 1), string(style), "", 1)
	if len(rest) != len(page)-len(script)-len(style) {
		t.Error("it lacks its script or its style")
	}
	for _, tag := range []string{"<img", "<base", "<link", "<!--", "src=x onerror=alert(2)>"} {
		if strings.Contains(rest, tag) {
			t.Errorf("%s is there", tag)
		}
	}
	if n, m := strings.Count(rest, "<script"), strings.Count(rest, "</script"); n != 2 || m != 2 {
		t.Errorf("%d scripts, %d ends", n, m)
	}
	if m := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?\s*(https?:)?//[^"'\\ ]*`).FindString(page); m != "" && !strings.Contains(hostile, m) {
		t.Errorf("it asks for %s", m)
	}
	if m := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page); m == nil || !regexp.MustCompile(`^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; img-src data:; `).MatchString(m[1]) {
		t.Errorf("policy: %q", m)
	}
}

// TestSessionAsAFileWithItsValues: who asks for them gets them, and that is on
// record as such.
func TestSessionAsAFileWithItsValues(t *testing.T) {
	if _, _, ok := web.Offline(); !ok {
		t.Skip("built without the page")
	}
	secret := planted(11)
	h := leaky(t, "", secret)
	_, told, _ := h.file("why=a+test&redact=none")
	first := told.Branches[0].Rounds[0].Turns[0]
	if !strings.Contains(first.Added[0].Text, secret) || !strings.Contains(first.Answer[0].Text, secret) || !strings.Contains(first.Answer[1].Text, secret) {
		t.Errorf("%q %q %q", first.Added[0].Text, first.Answer[0].Text, first.Answer[1].Text)
	}
	if len(first.Added[0].Marks) == 0 || first.Added[0].Marks[0].Shown != "text" {
		t.Errorf("%+v", first.Added[0].Marks)
	}
	var journal struct{ Entries []ledger.JournalEntry }
	if err := json.Unmarshal(h.adminGet("/journal?kind=read"), &journal); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(journal.Entries, func(e ledger.JournalEntry) bool {
		return e.Session == "s1" && e.Part == "file with values" && e.Why == "a test"
	}) {
		t.Errorf("on record: %+v", journal.Entries)
	}
	for path, want := range map[string]int{"s1/export.html?why=x&redact=all": 400, "none/export.html?why=x": 404, "s1/export.html?why=x&from=none": 404} {
		if code, text := h.refused("/sessions/" + path); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}
