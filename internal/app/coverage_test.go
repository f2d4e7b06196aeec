package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
)

const (
	sessionHeader = "X-Claude-Code-Session-Id"
	knownClaude   = "claude-cli/2.1.197 (external, cli)"
)

func saidByClaude(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, messagesSaid)
}

// report asks for coverage.
func (h *house) report(query string) (r coverage.Report) {
	h.t.Helper()
	if err := json.Unmarshal(h.adminGet("/coverage?"+query), &r); err != nil {
		h.t.Fatal(err)
	}
	return r
}

// about gives the findings about a flow's call as such.
func about(v flow.View) (list []flow.Finding) {
	for _, f := range v.Findings {
		if strings.HasPrefix(f.Rule, "coverage.") {
			list = append(list, f)
		}
	}
	return list
}

// TestACallPastTheRedirect is found, whichever way was first, as long as the
// session has another home.
func TestACallPastTheRedirect(t *testing.T) {
	h := intercepting(t, answering(saidByClaude), nil)
	c := h.client(true, nil)
	redirect := func(session string) {
		h.call("/anthropic/v1/messages", messagesBody, sessionHeader, session)
	}
	intercept := func(session string) {
		ask(t, c, anthropic+"/v1/messages", messagesBody, sessionHeader, session)
	}
	redirect("s1")
	redirect("s1")
	intercept("s1")
	intercept("s1")
	redirect("s1")
	intercept("s2")
	redirect("s2")
	views := h.ended(7)
	for i, want := range []struct {
		home int // index of the flow that the finding names; -1: no finding
		fact string
	}{{-1, ""}, {-1, ""}, {1, "entrance=intercept"}, {1, "entrance=intercept"}, {-1, ""}, {-1, ""}, {5, "entrance=redirect"}} {
		got := about(views[i])
		if want.home < 0 {
			if len(got) != 0 {
				t.Errorf("call %d: %+v", i, got)
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("call %d: %+v, want one finding", i, got)
			continue
		}
		f := got[0]
		if f.Rule != coverage.PastRedirect || f.Severity != flow.Medium || f.Confidence != 90 || f.From == nil || f.From.Flow != views[want.home].ID || !slices.Contains(f.Facts, want.fact) || f.Action != flow.FlagIt {
			t.Errorf("call %d: %+v, want from %s", i, f, views[want.home].ID)
		}
	}
	r := h.report("session=s1")
	if len(r.Sessions) != 1 || r.Sessions[0].Model[flow.Redirect] != 3 || r.Sessions[0].Model[flow.Intercept] != 2 || len(r.Total.Findings) != 1 || r.Total.Findings[0].Flows != 2 {
		t.Errorf("report: %+v", r)
	}
}

// TestPolicyDecidesAboutCoverage: what it blocks it blocks each time, and each
// time says so; what would be redacted has nothing to redact.
func TestPolicyDecidesAboutCoverage(t *testing.T) {
	h := intercepting(t, answering(saidByClaude), func(c *config.Config) {
		write(t, filepath.Join(c.Data, "policy.yaml"), "version: 1\nmode: enforce\nrules:\n"+
			"  - {rule: coverage.past-redirect, do: block, why: by the base URL only}\n"+
			"  - {rule: coverage.new-path, fact: \"path=/api/odd/*\", do: block}\n"+
			"  - {rule: \"*\", do: redact}\n")
	})
	c := h.client(false, nil)
	h.call("/anthropic/v1/messages", messagesBody, sessionHeader, "s1", "User-Agent", knownClaude)
	for range 2 {
		resp, text := ask(t, c, anthropic+"/v1/messages", messagesBody, sessionHeader, "s1", "User-Agent", knownClaude)
		if resp.StatusCode != 400 || !strings.Contains(text, "by the base URL only") {
			t.Errorf("%s %s", resp.Status, text)
		}
		if resp, text := ask(t, c, anthropic+"/api/odd/12345", "{}", "User-Agent", knownClaude); resp.StatusCode != 400 {
			t.Errorf("%s %s", resp.Status, text)
		}
	}
	if resp, text := ask(t, c, anthropic+"/api/other", "{}", "User-Agent", knownClaude); resp.StatusCode != 200 {
		t.Errorf("a new path that is to be redacted: %s %s", resp.Status, text)
	}
	for i, v := range h.ended(6) {
		if i > 0 && len(about(v)) != 1 || v.State == flow.Refused != (i > 0 && i < 5) {
			t.Errorf("call %d: %s %+v", i, v.State, about(v))
		}
	}
	if r := h.report(""); len(r.Total.Refused) != 2 || r.Total.Refused[0].Flows != 2 || !strings.HasPrefix(r.Total.Refused[0].Why, "policy: coverage.") {
		t.Errorf("refused: %+v", r.Total.Refused)
	}
}

// TestDrift: what the agent's version was never seen to ask for is found once for
// each session and path shape.
func TestDrift(t *testing.T) {
	h := intercepting(t, answering(saidByClaude), func(c *config.Config) {
		c.Intercept.Inspect = append(c.Intercept.Inspect, config.Inspected{Host: "models.example", Provider: "anthropic"})
	})
	c := h.client(true, nil)
	for _, tt := range []struct {
		address, agent, session string
		rule, facts, note       string // of the finding; "": none
		confidence              int
	}{
		{anthropic + "/v1/messages?beta=true", knownClaude, "s1", "", "", "", 0},
		{anthropic + "/api/event_logging/v2/batch", knownClaude, "s1", "", "", "", 0},
		{anthropic + "/api/eval/sdk-abcdef", knownClaude, "s1", "", "", "", 0},
		{anthropic + "/api/sync/0192837465/state", knownClaude, "s1", coverage.NewPath, "agent=claude host=api.anthropic.com path=/api/sync/*/state", "never seen", 70},
		{anthropic + "/api/sync/5647382910/state", knownClaude, "s1", "", "", "", 0}, // told before
		{anthropic + "/api/sync/5647382910/state", knownClaude, "s2", coverage.NewPath, "agent=claude host=api.anthropic.com path=/api/sync/*/state", "never seen", 70},
		{anthropic + "/v1/messages", "claude-cli/9.9.9 (external, cli)", "s3", "", "", "", 0},
		{anthropic + "/api/sync/1/state", "claude-cli/9.9.9 (external, cli)", "s3", coverage.NewPath, "agent=claude host=api.anthropic.com path=/api/sync/*/state", "version 9.9.9 is not known", 40},
		{"https://models.example/v1/messages", knownClaude, "s1", coverage.NewHost, "agent=claude host=models.example", "never seen", 70},
		{anthropic + "/api/sync/1/state", "my-own/1.0", "s4", "", "", "", 0}, // no agent that we know
	} {
		before := len(h.flows())
		ask(t, c, tt.address, messagesBody, "User-Agent", tt.agent, sessionHeader, tt.session)
		got := about(h.ended(before + 1)[before])
		if tt.rule == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0].Rule != tt.rule || strings.Join(got[0].Facts, " ") != tt.facts || !strings.Contains(got[0].Note, tt.note) || got[0].Confidence != tt.confidence || got[0].Severity != flow.Low {
			t.Errorf("%s by %s: %+v", tt.address, tt.agent, got)
		}
	}
	// By a base URL the host is ours; the path is known all the same, wherever the
	// base URL ends.
	before := len(h.flows())
	h.call("/openai/responses", `{"model":"m","input":"hi"}`, "User-Agent", "codex_exec/0.169.0 (x)")
	h.call("/openai/v1/images/generations", `{"model":"m","prompt":"hi"}`, "User-Agent", "codex_exec/0.169.0 (x)")
	views := h.ended(before + 2)
	if got := about(views[before]); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := about(views[before+1]); len(got) != 1 || strings.Join(got[0].Facts, " ") != "agent=codex path=/v1/images/generations" {
		t.Errorf("%+v", got)
	}
}

// TestCoverage: each flow stands in one place of the report.
func TestCoverage(t *testing.T) {
	target, host, allow := echo(t)
	h := intercepting(t, answering(saidByClaude), allow)
	c := h.client(false, func(tr *http.Transport) {
		tr.TLSClientConfig.RootCAs.AddCert(host.Certificate())
		tr.DisableKeepAlives = true
	})
	h.call("/anthropic/v1/messages", messagesBody, sessionHeader, "s1")
	ask(t, c, anthropic+"/v1/messages", messagesBody, sessionHeader, "s2")
	ask(t, c, anthropic+"/v1/messages/count_tokens", messagesBody, sessionHeader, "s2")
	ask(t, c, anthropic+"/api/event_logging/v2/batch", "in a coding that nobody knows", "Content-Encoding", "zz") // names no session
	ask(t, c, anthropic+"/v1/oauth/token", `{"refresh_token":"r"}`)
	ask(t, c, "https://"+target+"/", "unread")
	h.connect("example.com:22")
	views := h.ended(7)

	r := h.report("")
	total := r.Total
	if total.Model[flow.Redirect] != 1 || total.Model[flow.Intercept] != 1 || total.Other[flow.Intercept] != 2 || total.Logins != 1 {
		t.Errorf("calls: %+v", total)
	}
	if len(total.Tunnels) != 1 || total.Tunnels[0].Host != target || total.Tunnels[0].Flows != 1 || total.Tunnels[0].Sent < 6 || total.Tunnels[0].Received < 6 {
		t.Errorf("tunnels: %+v", total.Tunnels)
	}
	if len(total.Refused) != 1 || total.Refused[0].Host != "example.com:22" || !strings.Contains(total.Refused[0].Why, "intercept.ports") {
		t.Errorf("refused: %+v", total.Refused)
	}
	if total.Unreadable.Flows == 0 || r.Unseen == "" {
		t.Errorf("unreadable %+v, unseen %q", total.Unreadable, r.Unseen)
	}
	// What names no session was at the same time as both.
	if len(r.Sessions) != 2 || len(r.Beside) != 0 || r.Nearby != 4 || r.Shared != 4 {
		t.Errorf("rows: %+v", r)
	}
	for _, row := range r.Sessions {
		if row.Nearby != 4 || row.Shared != 4 || len(row.Tunnels) != 1 || row.Principal != views[0].Principal {
			t.Errorf("row: %+v", row)
		}
	}
	one := h.report("session=s2")
	if len(one.Sessions) != 1 || one.Total.Model[flow.Redirect] != 0 || one.Total.Other[flow.Intercept] != 2 || len(one.Total.Tunnels) != 1 || one.Total.Logins != 1 {
		t.Errorf("of one session: %+v", one)
	}
	later := h.report("since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if len(later.Sessions) != 0 || later.Total.Model.Calls() != 0 || later.Sessions == nil {
		t.Errorf("of the future: %+v", later)
	}
	for path, want := range map[string]int{"/coverage?session=nobody": 404, "/coverage?limit=3": 400, "/coverage?since=x": 400} {
		resp, err := h.admin.Get("http://localhost/api/v1" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}
