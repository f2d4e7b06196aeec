package console_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// statutes are a policy in force that a file with a fault can't replace.
type statutes struct {
	set   *policy.Policy // nil: the built-in one
	fault error
	why   string
}

func (s *statutes) Policy() policy.Policy {
	if s.set != nil {
		return *s.set
	}
	return policy.Default()
}

func (s *statutes) Status() console.PolicyStatus {
	status := console.PolicyStatus{Version: s.Policy().Version(), Mode: "report"}
	if s.fault != nil {
		status.Error = s.fault.Error()
	}
	return status
}

func (s *statutes) Reload(why string) error {
	s.why = why
	return s.fault
}

func TestPolicyIsToldAndReloaded(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("GET", "/api/v1/policy", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"mode":"report"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("GET", "/api/v1/status", ""); !strings.Contains(w.Body.String(), `"policy":{"version":"default-`) {
		t.Errorf("status %s", w.Body)
	}
	if w := d.ask("POST", "/api/v1/policy/reload", ""); w.Code != 200 || d.policy.why != "asked by console token" {
		t.Errorf("%d %s, why %q", w.Code, w.Body, d.policy.why)
	}
	d.policy.fault = &flow.Refusal{Status: 400, Kind: "policy", Text: "policy.yaml:1:2: no"}
	if w := d.ask("POST", "/api/v1/policy/reload", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "policy.yaml:1:2: no") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("GET", "/api/v1/policy/reload", ""); w.Code != 405 && w.Code != 404 {
		t.Errorf("a GET reloads: %d", w.Code)
	}
}

func TestExplain(t *testing.T) {
	d := newDesk(t)
	for query, want := range map[string]string{
		"rule=secret.x&channel=user&confidence=90&severity=low": `"action":"redact"`,
		"rule=secret.x&confidence=10":                           `"action":"flag"`,
		"rule=secret.x&fixed=1":                                 `"action":"block"`,
		"rule=secret.x&direction=answer":                        `"action":"flag"`,
		"tool=Write&field=content":                              `"restores":true`,
		"tool=Bash&field=command":                               `"restores":false`,
		"tool=text":                                             `"restores":true`,
		"":                                                      `"kind":"rule"`,
		"rule=x&channel=usr":                                    "did you mean user?",
		"rule=x&confidence=none":                                "1 to 100",
		"rule=x&severity=awful":                                 "unknown severity",
	} {
		w := d.ask("GET", "/api/v1/policy/explain?"+query, "")
		if !strings.Contains(w.Body.String(), want) || (w.Code == 200) != (strings.HasPrefix(want, `"action`) || strings.HasPrefix(want, `"restores`)) {
			t.Errorf("%s: %d %s, want %s", query, w.Code, w.Body, want)
		}
	}
}

func TestAllowancesAreRecordedFirst(t *testing.T) {
	d := newDesk(t)
	until := time.Now().Add(time.Hour).Format(time.RFC3339)
	ask := func() (code int, a policy.Allowance, text string) {
		w := d.ask("POST", "/api/v1/allowances", `{"finding":"f_1","reason":"a test key","until":"`+until+`"}`)
		json.Unmarshal(w.Body.Bytes(), &a)
		return w.Code, a, w.Body.String()
	}
	d.book.fault = errors.New("the disk is full")
	if code, _, text := ask(); code != 500 || len(d.allowed.List()) != 0 || strings.Contains(text, "disk") {
		t.Errorf("without the ledger: %d %s, %+v", code, text, d.allowed.List())
	}
	d.book.fault = nil
	code, a, text := ask()
	if code != 201 || a.ID == "" || a.Owner != "console token" || a.Scope != "*" {
		t.Errorf("%d %s", code, text)
	}
	if !slices.Equal(d.book.entries, []string{"allow.add f_1"}) {
		t.Errorf("entries %q", d.book.entries)
	}
	if w := d.ask("GET", "/api/v1/allowances", ""); strings.TrimSpace(w.Body.String()) != strings.TrimSpace(text) {
		t.Errorf("list %s, want %s", w.Body, text)
	}
	for body, want := range map[string]int{
		`{"finding":"f_1","reason":"x","until":"2020-01-01T00:00:00Z"}`:             400,
		`{"finding":"f_1","reason":"x","until":"soon"}`:                             400,
		`{"finding":"f_1","reason":"x","until":"` + until + `","owner":"somebody"}`: 400,
		`{"finding":"","reason":"x","until":"` + until + `"}`:                       400,
	} {
		if w := d.ask("POST", "/api/v1/allowances", body); w.Code != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := d.ask("DELETE", "/api/v1/allowances/"+a.ID, ""); w.Code != 204 || d.allowed.List()[0].Revoked.IsZero() {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("DELETE", "/api/v1/allowances/"+a.ID, ""); w.Code != 404 {
		t.Errorf("again: %d %s", w.Code, w.Body)
	}
	if n := len(d.book.entries); n != 2 || !strings.HasPrefix(d.book.entries[1], "allow.revoke") {
		t.Errorf("entries %q", d.book.entries)
	}
}
