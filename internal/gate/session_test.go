package gate_test

import (
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
)

// TestSessionsAfterSilences: the same words begin a new session after each long
// silence, and it stays the same one when the gateway starts again in it.
func TestSessionsAfterSilences(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	var g *gate.Gate
	start := func() *ledger.Ledger {
		l, err := ledger.Open(ledger.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		g = gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default, Now: func() time.Time { return now }})
		return l
	}
	call := func(after time.Duration) string {
		now = now.Add(after)
		p, err := g.Admit(&gate.Message{
			Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages",
			Principal: flow.Principal{Name: "a/b"}, Body: []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		p.End(flow.Done, "")
		return p.Intent().Session.ID
	}
	l := start()
	seen := map[string]bool{}
	var last string
	for range 3 {
		last = call(2 * time.Hour)
		if seen[last] {
			t.Errorf("session %s goes on after a silence", last)
		}
		seen[last] = true
		if id := call(time.Minute); id != last {
			t.Errorf("a minute later it is %s, want %s", id, last)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	defer start().Close()
	if id := call(time.Minute); id != last {
		t.Errorf("after a restart it is %s, want %s", id, last)
	}
}
