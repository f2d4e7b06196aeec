package console_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
)

// sieve are rules that a file with a fault can't replace.
type sieve struct {
	fault  error
	why    string
	secret console.NewSecret
	canary console.NewCanary
}

func (s *sieve) Status() console.RulesStatus {
	status := console.RulesStatus{Version: "v1", Number: 2}
	if s.fault != nil {
		status.Error = s.fault.Error()
	}
	return status
}

func (s *sieve) List() ([]console.Rule, error) {
	return []console.Rule{{Rule: "secret.jwt", Family: "secret", ID: "jwt", Severity: flow.High, Confidence: 90}, {Rule: "acme.x", File: "acme.yaml"}}, s.fault
}

func (s *sieve) Reload(why string) error {
	s.why = why
	return s.fault
}

func (s *sieve) AddSecret(n console.NewSecret) (console.Registered, error) {
	s.secret = n
	return console.Registered{Rule: "registered." + n.Name, Version: "v2"}, s.fault
}

func (s *sieve) AddCanary(n console.NewCanary) (console.Canary, error) {
	s.canary = n
	return console.Canary{Registered: console.Registered{Rule: "canary." + n.Name}, Value: "bait"}, s.fault
}

func TestRulesAreToldAndReloaded(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("GET", "/api/v1/status", ""); !strings.Contains(w.Body.String(), `"rules":{"version":"v1","number":2}`) {
		t.Errorf("status %s", w.Body)
	}
	want := `{"rule":"secret.jwt","family":"secret","id":"jwt","title":"","severity":"high","confidence":90}`
	if w := d.ask("GET", "/api/v1/rules", ""); w.Code != 200 || !strings.HasPrefix(w.Body.String(), want+"\n") || !strings.Contains(w.Body.String(), `"file":"acme.yaml"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("POST", "/api/v1/rules/reload", ""); w.Code != 200 || d.rules.why != "asked by console token" || !strings.Contains(w.Body.String(), `"version":"v1"`) {
		t.Errorf("%d %s, why %q", w.Code, w.Body, d.rules.why)
	}
	d.rules.fault = &flow.Refusal{Status: 400, Kind: "rules", Text: "acme.yaml:1:2: no"}
	if w := d.ask("POST", "/api/v1/rules/reload", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "acme.yaml:1:2: no") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := d.ask("GET", "/api/v1/status", ""); !strings.Contains(w.Body.String(), `"error":"acme.yaml:1:2: no"`) {
		t.Errorf("status %s", w.Body)
	}
}

// The owner is who asks; what was sent is told nowhere.
func TestValuesAreRegistered(t *testing.T) {
	d := newDesk(t)
	w := d.ask("POST", "/api/v1/rules/secrets", `{"name":"db","value":"Tr0ub4dor-3","title":"the database","severity":"high"}`)
	if want := (console.NewSecret{Name: "db", Title: "the database", Severity: flow.High, Value: "Tr0ub4dor-3", Owner: "console token"}); w.Code != 201 || d.rules.secret != want || strings.TrimSpace(w.Body.String()) != `{"rule":"registered.db","version":"v2"}` {
		t.Errorf("%d %s, asked for %+v", w.Code, w.Body, d.rules.secret)
	}
	if w := d.ask("POST", "/api/v1/rules/canaries", `{"name":"c","form":"aws"}`); w.Code != 201 || d.rules.canary != (console.NewCanary{Name: "c", Form: "aws", Owner: "console token"}) || !strings.Contains(w.Body.String(), `"value":"bait"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	d.rules.secret = console.NewSecret{}
	for _, body := range []string{`Tr0ub4dor-3`, `{"name":"db","valeu":"Tr0ub4dor-3"}`, `{"name":"db","value":"Tr0ub4dor-3","Owner":"x"}`, `{"name":"db","value":"Tr0ub4dor-3","severity":"Tr0ub4dor-3"}`, `{"value":"` + strings.Repeat("Tr0ub4dor-3", 10_000) + `"}`} {
		for _, path := range []string{"secrets", "canaries"} {
			if w := d.ask("POST", "/api/v1/rules/"+path, body); w.Code != 400 || d.rules.secret.Name != "" || strings.Contains(w.Body.String(), "Tr0ub") {
				t.Errorf("%.60s: %d %.200s", body, w.Code, w.Body)
			}
		}
	}
	if strings.Contains(d.log.String(), "Tr0ub") {
		t.Error("the log has the value")
	}
}
