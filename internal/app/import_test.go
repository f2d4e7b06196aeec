package app_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/archive"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

// imported sends a recording to the admin API.
func (h *house) imported(name string, file io.Reader) (report console.ImportReport) {
	h.t.Helper()
	resp, err := h.admin.Post("http://localhost/api/v1/import?name="+url.QueryEscape(name), "application/octet-stream", file)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	for d := json.NewDecoder(resp.Body); ; {
		var line struct{ Report *console.ImportReport }
		if err := d.Decode(&line); err != nil {
			h.t.Fatalf("%s: no report: %v", resp.Status, err)
		}
		if line.Report != nil {
			return *line.Report
		}
	}
}

// TestImport: what mitmproxy recorded is on record as if it had come this way, at
// its own time, byte for byte, and nothing is sent anywhere.
func TestImport(t *testing.T) {
	for _, name := range []string{"mitmproxy-8.1.1.flows", "mitmproxy-11.0.2.flows", "mitmproxy-11.0.2.har"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile("../archive/testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			h := open(t, t.TempDir(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }), nil)
			report := h.imported(name, bytes.NewReader(file))
			if report.Error != "" || report.Exchanges < 4 || report.Skipped["127.0.0.1"] == 0 {
				t.Errorf("report %+v", report)
			}
			sent := map[string]*archive.Exchange{}
			if err := archive.Read(bytes.NewReader(file), func(x *archive.Exchange) error {
				address, err := url.Parse(x.URL)
				sent[address.Path] = x
				return err
			}); err != nil {
				t.Fatal(err)
			}
			seen := map[string]flow.View{}
			flows := h.ended(report.Flows)
			for _, v := range flows {
				seen[v.Method+" "+v.Path] = v
				if v.Entrance != flow.Import || v.Verdict != flow.Pass || !strings.HasSuffix(v.Principal, "/import") || v.State != flow.Done {
					t.Errorf("%+v", v)
				}
			}
			for path, tokens := range map[string]bool{"/v1/messages": true, "/v1/chat/completions": true} {
				v, x := seen["POST "+path], sent[path]
				if v.ID == "" || !v.Started.Equal(x.Started) || v.DurationMS == nil || (v.Usage.Output > 0) != tokens || v.Credential == "" {
					t.Fatalf("%s at %s: %+v", path, x.Started, v)
				}
				h.exact(v, string(x.Body), string(x.Response.Body))
			}
			if v := seen["POST /v1/messages"]; v.Session != "old-1" {
				t.Errorf("session %q", v.Session)
			}
			if v := seen["MESSAGE /v1/responses"]; v.API != flow.Responses || v.Usage.Output == 0 {
				t.Errorf("the socket's message: %+v", v)
			}
			for _, v := range flows {
				if text := string(h.adminGet("/flows/" + string(v.ID))); strings.Contains(text, "sk-dummy") || strings.Contains(text, "sk-ant-dummy") {
					t.Errorf("a credential is on record: %s", text)
				}
			}
		})
	}
}

// oldHAR is a recording of a browser: a page, a call that failed, and a call with
// these texts.
func oldHAR(said, answer string) string {
	at := time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)
	entry := func(i int, method, url, body, status, answer string) string {
		return fmt.Sprintf(`{"startedDateTime":%q,"time":900,"request":{"method":%q,"url":%q,"headers":[{"name":"x-api-key","value":"sk-ant-old0000000000000000"}],"postData":{"text":%s}},"response":{"status":%s,"headers":[{"name":"content-type","value":"application/json"}],"content":{"text":%s}}}`,
			at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), method, url, q(body), status, q(answer))
	}
	return `{"log":{"entries":[` + strings.Join([]string{
		entry(0, "GET", "https://www.example.com/", "", "200", "<html>"),
		entry(1, "POST", "https://api.anthropic.com/v1/messages", claude(q("hello")), "0", ""),
		entry(2, "POST", "https://api.anthropic.com/v1/messages", said, "200", answer),
		entry(3, "POST", "https://api.anthropic.com/v1/oauth/token", "refresh me", "200", "a new one"),
	}, ",") + `]}}`
}

// TestImportObserves: an enforcing policy finds in old traffic what it would find in
// new, changes and blocks nothing of it; a log-in is no text to keep.
func TestImportObserves(t *testing.T) {
	h := dock(t, string(policy.Recommended()))
	said := claudeWith(toolDefs, `{"role":"user","content":`+q("my key is "+canary())+`}`)
	answer := `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","stop_reason":"tool_use","usage":{"input_tokens":9,"output_tokens":9},"content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"rm -rf /"}}]}`
	report := h.imported("old.har", strings.NewReader(oldHAR(said, answer)))
	if report.Error != "" || report.Exchanges != 4 || report.Flows != 3 || len(report.Skipped) != 1 || report.Skipped["www.example.com"] != 1 {
		t.Fatalf("report %+v", report)
	}
	flows := h.ended(3)
	failed, v, login := flows[0], flows[1], flows[2]
	if failed.State != flow.Aborted || failed.Started.Year() != 2025 {
		t.Errorf("a call that failed: %+v", failed)
	}
	rules := map[string]bool{}
	for _, f := range v.Findings {
		rules[strings.SplitN(f.Rule, "-", 2)[0]] = true
	}
	if v.Verdict != flow.Pass || v.Would != "" || !rules["secret.aws"] || !rules["action.destructive"] || v.Cost == nil {
		t.Errorf("%s", judged([]flow.View{v}))
	}
	h.exact(v, said, answer)
	if login.Path != "/v1/oauth/token" || login.State != flow.Done {
		t.Errorf("a log-in: %+v", login)
	}
	if text := string(h.adminGet("/flows/" + string(login.ID))); strings.Contains(text, "refresh me") || strings.Contains(text, "a new one") {
		t.Errorf("a log-in is kept: %s", text)
	}
}

// What can't be read to its end is said; what came before is on record.
func TestImportOfHalfAFile(t *testing.T) {
	h := dock(t, "")
	whole := oldHAR(claude(q("hello")), "{}")
	report := h.imported("half.har", strings.NewReader(whole[:len(whole)-40]))
	if !strings.Contains(report.Error, "entry 4") || report.Flows != 2 {
		t.Errorf("report %+v", report)
	}
	h.ended(2)
	if report := h.imported("none.txt", strings.NewReader("what?")); !strings.Contains(report.Error, "neither a HAR file") || report.Flows != 0 {
		t.Errorf("report %+v", report)
	}
}

// A broken exchange is counted where it is a provider's, and loses nothing else.
func TestImportPassesOverBrokenExchanges(t *testing.T) {
	h := dock(t, "")
	entry := func(address, content string) string {
		return fmt.Sprintf(`{"startedDateTime":"2025-03-01T10:00:00.000+0100","request":{"method":"POST","url":"https://%s","postData":{"text":%s}},"response":{"status":200.0,"content":%s}}`, address, q(claude(q("hello"))), content)
	}
	broken := `{"text":"!","encoding":"base64"}`
	report := h.imported("odd.har", strings.NewReader(`{"log":{"entries":[`+strings.Join([]string{
		entry("cdn.example.com/a.png", broken), entry("api.anthropic.com/v1/messages", broken), `{"request":{"method":"GET","url":""}}`, entry("api.anthropic.com/v1/messages", `{"text":"{}"}`),
	}, ",")+`]}}`))
	if report.Error != "" || report.Exchanges != 4 || report.Flows != 1 || report.Skipped["cdn.example.com"] != 1 || report.Unreadable != 2 || report.Undated != 0 ||
		len(report.Reasons) != 2 || !strings.HasPrefix(report.Reasons[0], "entry 2 ") || !strings.HasPrefix(report.Reasons[1], "entry 3 ") {
		t.Errorf("report %+v", report)
	}
	if v := h.ended(1)[0]; !v.Started.Equal(time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("started %s", v.Started)
	}
}

// An exchange with a time that can't be is on record as of now, where it can be seen.
func TestImportOfImpossibleTimes(t *testing.T) {
	h := dock(t, "")
	var list []string
	times := []string{"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2500-01-01T00:00:00Z", "yesterday", ""}
	for _, at := range append(times, "2025-03-01T10:00:00Z") {
		list = append(list, fmt.Sprintf(`{"startedDateTime":%q,"time":1e16,"request":{"method":"POST","url":"https://api.anthropic.com/v1/messages","postData":{"text":%s}},"response":{"status":200,"content":{"text":"{}"}}}`, at, q(claude(q("hello")))))
	}
	before := time.Now()
	report := h.imported("old.har", strings.NewReader(`{"log":{"entries":[`+strings.Join(list, ",")+`]}}`))
	if report.Error != "" || report.Flows != len(list) || report.Undated != len(times) || report.Unreadable != 0 {
		t.Errorf("report %+v", report)
	}
	for i, v := range h.ended(len(list)) {
		if now := !v.Started.Before(before.Truncate(time.Millisecond)) && v.Started.Before(time.Now().Add(time.Second)); now == (v.Started.Year() == 2025) || v.DurationMS == nil || *v.DurationMS != 0 {
			t.Errorf("%d: started %s, took %v", i, v.Started, v.DurationMS)
		}
	}
}

// An answer that comes before the end of the file does not break what the connection
// is used for next.
func TestImportKeepsItsConnectionWhole(t *testing.T) {
	h := dock(t, "")
	holder, _ := ledger.Held(h.dir)
	c, err := net.Dial("unix", holder.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	file := oldHAR(claude(q("hello")), "{}")
	fmt.Fprintf(c, "POST /api/v1/import?name=x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(file), file)
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(text), `"flows":3`) {
		t.Fatalf("%s %v", text, err)
	}
	if resp.Close {
		return // whoever reads this uses another one
	}
	fmt.Fprint(c, "0\r\n\r\nGET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the next request: %v", err)
	}
}
