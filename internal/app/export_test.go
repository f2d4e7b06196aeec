package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/archive"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

// refused asks for what must not be given, and gives the status and the text.
func (h *house) refused(path string) (int, string) {
	h.t.Helper()
	resp, err := h.admin.Get("http://localhost/api/v1" + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// readings are the accesses on record, as FLOW WHAT: WHY.
func (h *house) readings() (list []string) {
	h.t.Helper()
	var journal struct{ Entries []ledger.JournalEntry }
	if err := json.Unmarshal(h.adminGet("/journal?kind=read&limit=1000"), &journal); err != nil {
		h.t.Fatal(err)
	}
	for _, e := range journal.Entries {
		if e.Kind == "read" && e.Flow != "" {
			list = append(list, string(e.Flow)+" "+string(e.What)+": "+e.Why)
		}
	}
	return list
}

type exported struct {
	View struct {
		ID            string
		RequestSHA256 string `json:"request_sha256"`
	}
	Request, Forwarded, Response, Delivered *struct {
		Text     string
		LeftOut  string `json:"left_out"`
		Masked   int
		Messages []struct{ Text string }
	}
}

func (h *house) lines(query string) (list []exported, text string) {
	h.t.Helper()
	text = string(h.adminGet("/export?" + query))
	for line := range strings.Lines(text) {
		var e exported
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			h.t.Fatalf("%v: %s", err, line)
		}
		list = append(list, e)
	}
	return list, text
}

// TestExport: metadata needs no reason, content does; each body that is read is an
// entry; a filter chooses; bodies are exact.
func TestExport(t *testing.T) {
	h := dock(t, "")
	one, two := claude(q("hello é <&>")), claude(q("what else?"))
	h.call("/v1/messages", one, "Content-Type", "application/json", "X-Api-Key", "sk-ant-dummy-0000000000")
	h.call("/v1/messages", two, "Content-Type", "application/json")
	c := dial(t, h.house, "/v1/responses", nil)
	if !h.exchange(c, `{"type":"response.create","model":"m","input":"over the socket"}`) {
		t.Fatal("the socket ended")
	}
	c.CloseNow()
	flows := h.ended(4)
	list, text := h.lines("")
	if len(list) != 4 || list[0].View.ID != string(flows[0].ID) || strings.Contains(text, "hello") || strings.Contains(text, "sk-ant-dummy") {
		t.Errorf("%d lines: %s", len(list), text)
	}
	if code, text := h.refused("/export?content=1"); code != http.StatusBadRequest || !strings.Contains(text, "why=REASON") {
		t.Errorf("content without a reason: %d %s", code, text)
	}
	if got := h.readings(); len(got) > 0 {
		t.Errorf("metadata is no content: %q", got)
	}
	list, _ = h.lines("content=1&why=a+test&q=" + url.QueryEscape("path:/v1/messages"))
	if len(list) != 2 || list[0].Request.Text != one || list[1].Request.Text != two || list[0].Response.Text != h.raw(flows[0].ID, "response") || list[0].Delivered != nil || list[0].View.RequestSHA256 != sum(one) {
		t.Errorf("%+v", list)
	}
	for _, want := range []string{" request: a test", " response: a test"} {
		if got := h.readings(); !slices.Contains(got, string(flows[1].ID)+want) {
			t.Errorf("reading is not on record: %q", got)
		}
	}
	list, _ = h.lines("content=1&why=a+test&q=method:MESSAGE")
	if len(list) != 1 || !strings.Contains(list[0].Request.Text, "over the socket") || len(list[0].Response.Messages) < 2 || !strings.Contains(list[0].Response.Messages[0].Text, "response.") {
		t.Errorf("a message: %+v", list)
	}
	if list, _ = h.lines("limit=2"); len(list) != 2 || list[1].View.ID != string(flows[3].ID) {
		t.Errorf("the newest two: %+v", list)
	}
	for query, want := range map[string]string{
		"q=modle:x": `"column":1`, "format=xml": "jsonl or har", "redact=all": "none or values", "limit=x": "whole number", "since=x": "since must be",
	} {
		if code, text := h.refused("/export?" + query); code != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", query, code, text)
		}
	}
}

// here is the test's own provider.
var here = regexp.MustCompile(`(http|ws)://127\.0\.0\.1:\d+/v1/(messages|files|responses)`)

// TestExportedHARIsImported: into another folder, with the same bodies.
func TestExportedHARIsImported(t *testing.T) {
	h := dock(t, "")
	binary := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\xfe\r\n--b--\r\n"
	h.call("/anthropic/v1/messages", claude(q("hello é <&>")), "Content-Type", "application/json")
	h.call("/openai/v1/files", binary, "Content-Type", "multipart/form-data; boundary=b")
	c := dial(t, h.house, "/openai/v1/responses", nil)
	h.exchange(c, `{"type":"response.create","model":"m","input":"over the socket"}`)
	c.CloseNow()
	flows := h.ended(4)
	file := string(h.adminGet("/export?format=har&content=1&why=a+test"))
	exchanges := 0
	if err := archive.Read(strings.NewReader(file), func(*archive.Exchange) error { exchanges++; return nil }); err != nil || exchanges != 4 {
		t.Errorf("%d exchanges, %v: %s", exchanges, err, file)
	}
	other := dock(t, "")
	file = here.ReplaceAllStringFunc(file, func(s string) string { // hosts that the other gateway knows
		if strings.HasSuffix(s, "messages") {
			return "https://api.anthropic.com/v1/messages"
		}
		return "https://api.openai.com/v1" + s[strings.LastIndexByte(s, '/'):]
	})
	report := other.imported("ours.har", strings.NewReader(file))
	if report.Error != "" {
		t.Fatalf("%+v", report)
	}
	got := other.ended(report.Flows)
	for _, v := range flows[:2] {
		i := slices.IndexFunc(got, func(w flow.View) bool { return w.Path == v.Path && w.Method == v.Method })
		if i < 0 {
			t.Errorf("%s %s did not come over: %+v", v.Method, v.Path, report)
			continue
		}
		for _, what := range []string{"request", "response"} {
			if have, want := other.raw(got[i].ID, what), h.raw(v.ID, what); have != want {
				t.Errorf("%s %s %q, want %q", v.Path, what, have, want)
			}
		}
		if !got[i].Started.Equal(v.Started) || got[i].Status != v.Status {
			t.Errorf("%+v, want %+v", got[i], v)
		}
	}
	message := slices.IndexFunc(got, func(w flow.View) bool { return w.Method == "MESSAGE" })
	if message < 0 || other.raw(got[message].ID, "request") != h.raw(flows[3].ID, "request") || other.raw(got[message].ID, "response") != h.raw(flows[3].ID, "response") {
		t.Errorf("the socket's message: %+v", got)
	}
}

// TestRedactedExport: what a rule found once is in no later turn either, whatever
// the policy did; what was replaced for the provider is shown as it was replaced.
func TestRedactedExport(t *testing.T) {
	for name, rules := range map[string]string{"reported": "", "redacted": string(policy.Recommended())} {
		t.Run(name, func(t *testing.T) {
			h := dock(t, rules)
			secret := planted(11)
			told := "your key is " + secret
			h.up.answer = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"m","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1},"content":[{"type":"text","text":`+q(told)+`}]}`)
				told = "done"
			}
			first := `{"role":"user","content":` + q("my key is "+secret) + `}`
			for _, messages := range []string{first, first + `,{"role":"assistant","content":"I see"},{"role":"user","content":"and now?"}`} {
				h.call("/v1/messages", claudeWith("", messages), "Content-Type", "application/json", "X-Claude-Code-Session-Id", "s1")
			}
			flows := h.ended(2)
			if len(flows[0].Findings) == 0 {
				t.Fatalf("nothing was found: %+v", flows[0])
			}
			_, plain := h.lines("content=1&why=a+test")
			if !strings.Contains(plain, secret) {
				t.Error("without redaction the value is not there")
			}
			for _, format := range []string{"jsonl", "har"} {
				for _, query := range []string{"", "&limit=1"} { // also when the turn that brought it is not exported
					text := string(h.adminGet("/export?content=1&why=a+test&redact=values&format=" + format + query))
					if strings.Contains(text, secret) || strings.Contains(text, secret[4:20]) {
						t.Errorf("%s%s: it is there: %s", format, query, text)
					}
					if !strings.Contains(text, "and now?") || !strings.Contains(text, "[secret.") && !strings.Contains(text, "QZ") {
						t.Errorf("%s%s: more than the value is gone: %s", format, query, text)
					}
				}
			}
			script := string(h.adminGet("/flows/" + string(flows[1].ID) + "/curl?why=a+test&redact=values"))
			if strings.Contains(script, secret) || !strings.Contains(script, "and now?") {
				t.Errorf("%s", script)
			}
			if _, text := h.lines("redact=values"); strings.Contains(text, flows[0].RequestSHA256) {
				t.Error("a hash of the content is there")
			}
		})
	}
}

// TestCurlRepeats: the command makes the provider see the same call again.
func TestCurlRepeats(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	h := dock(t, "")
	body := claude(q("it's $HOME `id` !!\n\\ %s é"))
	h.call("/v1/messages?beta=true", body, "Content-Type", "application/json", "X-Api-Key", "sk-ant-dummy-0000000000", "User-Agent", "agent/1 (a 'b')")
	flows := h.ended(1)
	before := <-h.up.seen
	if code, text := h.refused("/flows/" + string(flows[0].ID) + "/curl"); code != http.StatusBadRequest || !strings.Contains(text, "why=REASON") {
		t.Errorf("without a reason: %d %s", code, text)
	}
	script := string(h.adminGet("/flows/" + string(flows[0].ID) + "/curl?why=a+test"))
	if !strings.Contains(script, h.url) || strings.Contains(script, "fp_") || strings.Contains(script, "sk-ant-dummy") {
		t.Errorf("%s", script)
	}
	for name, script := range map[string]string{"gateway": script, "direct": string(h.adminGet("/flows/" + string(flows[0].ID) + "/curl?direct=1&why=a+test"))} {
		c := exec.Command("sh", "-c", script)
		c.Env = append(os.Environ(), "ANTHROPIC_API_KEY=sk-ant-new", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s\n%s", name, err, out, script)
		}
		after := <-h.up.seen
		if after.body != before.body || after.r.URL.String() != before.r.URL.String() || after.r.Header.Get("X-Api-Key") != "sk-ant-new" || after.r.UserAgent() != before.r.UserAgent() || after.r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: the provider saw %s %v %q, before %s %v %q", name, after.r.URL, after.r.Header, after.body, before.r.URL, before.r.Header, before.body)
		}
	}
	h.ended(2)
	c := dial(t, h.house, "/v1/responses", nil)
	c.CloseNow()
	flows = h.ended(3)
	if code, text := h.refused("/flows/" + string(flows[2].ID) + "/curl?why=a+test"); code != http.StatusConflict || !strings.Contains(text, "WebSocket") {
		t.Errorf("a socket: %d %s", code, text)
	}
}
