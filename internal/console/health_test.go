package console_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/policy"
)

func TestPolicyTestsAreRun(t *testing.T) {
	d := newDesk(t)
	p, err := policy.Parse("policy.yaml", []byte("version: 1\nmode: enforce\nrules:\n  - {rule: secret.*, do: block}\ntests:\n  - {rule: secret.jwt, expect: block}\n  - {rule: secret.jwt, expect: redact}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d.policy.set = &p
	var got console.PolicyTests
	if err := json.Unmarshal(d.ask("GET", "/api/v1/policy/tests", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 2 || len(got.Failures) != 1 || got.Failures[0].Line != "policy.yaml:7" || got.Failures[0].Want != "redact" || got.Failures[0].Got != "block" {
		t.Errorf("%+v, want the second of two to fail", got)
	}
}

func TestDetectorsElsewhereAreCounted(t *testing.T) {
	b := &book{}
	m := console.NewMetrics(b.Stats)
	d := &desk{Console: console.New(console.Options{Flows: b, Ledger: b, Metrics: m, Token: token}), book: b}
	if w := d.ask("GET", "/api/v1/detectors", ""); strings.TrimSpace(w.Body.String()) != `{"detectors":[]}` {
		t.Errorf("without any: %d %s", w.Code, w.Body)
	}
	m.Circuits(func() map[string]bool { return map[string]bool{"pii": true, "idle": false} })
	for _, outcome := range []string{"failed", "failed", "answered", "cached", "open"} {
		m.Asked("pii", outcome, time.Millisecond)
	}
	var got console.RemoteDetectors
	if err := json.Unmarshal(d.ask("GET", "/api/v1/detectors", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []console.RemoteDetector{{Name: "idle"}, {Name: "pii", Open: true, Answered: 1, Failed: 2, Cached: 1, Passed: 1}}
	if !slices.Equal(got.Detectors, want) {
		t.Errorf("%+v, want %+v", got.Detectors, want)
	}
}

func TestGrowthIsTold(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("GET", "/api/v1/ledger/growth", ""); strings.TrimSpace(w.Body.String()) != `{"segments":[{"from":"1970-01-01T00:00:00Z","bytes":9}]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	d.book.fault = errors.New("the disk is gone")
	if w := d.ask("GET", "/api/v1/ledger/growth", ""); w.Code != 500 || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("%d %s, want 500 without the cause", w.Code, w.Body)
	}
}
