package gate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
)

// clocked is a house whose clock the test sets.
func clocked(t *testing.T, file string) (h *house, now *time.Time) {
	h = open(t, t.TempDir(), file)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h.Gate = gate.New(gate.Options{
		Ledger: h.ledger, Vault: vault.New(h.ledger), Now: func() time.Time { return at },
		Policy: func() policy.Policy { return h.policy }, Rules: func() *inspect.Engine { return h.engine },
	})
	return h, &at
}

// standing gives the findings about a call as such.
func standing(in *flow.Intent) (list []flow.Finding) {
	for _, f := range in.Findings {
		if f.Place == coverage.Place {
			list = append(list, f)
		}
	}
	return list
}

// TestAnAgentComesAnotherWay: in a session that did not come before, its principal
// did, in the last hours. Of programs that are no agents nothing follows.
func TestAnAgentComesAnotherWay(t *testing.T) {
	h, now := clocked(t, enforcing)
	sessions := 0
	call := func(by flow.Entrance, who flow.Principal, p flow.Provider) *flow.Intent {
		sessions++
		*now = now.Add(time.Minute)
		m := message(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
		m.Entrance, m.Principal, m.Provider, m.Claim.Session = by, who, p, fmt.Sprint("s", sessions)
		_, in := h.send(m)
		return in
	}
	claude := flow.Principal{Name: "ann/claude", User: "ann", Program: "claude"}
	python := flow.Principal{Name: "ann/python3", User: "ann", Program: "python3"}
	keyed := flow.Principal{Name: "key:ci", Key: "ci", Program: "claude"}
	for _, who := range []flow.Principal{python, keyed} {
		call(flow.Redirect, who, flow.Anthropic)
		if in := call(flow.Intercept, who, flow.Anthropic); len(standing(in)) != 0 {
			t.Errorf("%s: %+v", who.Name, in.Findings)
		}
	}
	home := call(flow.Redirect, claude, flow.Anthropic)
	if in := call(flow.Intercept, claude, flow.OpenAI); len(standing(in)) != 0 {
		t.Errorf("another provider: %+v", in.Findings)
	}
	for range 2 { // the calls that are found make no other home
		in := call(flow.Intercept, claude, flow.Anthropic)
		got := standing(in)
		if len(got) != 1 || got[0].Rule != coverage.PastRedirect || got[0].Confidence != 60 || got[0].From.Flow != home.Flow || !strings.Contains(got[0].Note, "principal") {
			t.Errorf("%+v, want from %s", got, home.Flow)
		}
	}
	if in := call(flow.Redirect, claude, flow.Anthropic); len(standing(in)) != 0 {
		t.Errorf("at home: %+v", in.Findings)
	}
	*now = now.Add(5 * time.Hour)
	if in := call(flow.Intercept, claude, flow.Anthropic); len(standing(in)) != 0 {
		t.Errorf("hours later: %+v", in.Findings)
	}
	if in := call(flow.Redirect, claude, flow.Anthropic); len(standing(in)) != 1 {
		t.Errorf("the other way round: %+v", in.Findings)
	}
}

// TestTunnelsToNewHosts are judged by their host, before anything is connected.
func TestTunnelsToNewHosts(t *testing.T) {
	h, _ := clocked(t, "version: 1\nmode: enforce\nrules:\n  - {rule: coverage.new-host, fact: \"host=*.evil.example\", do: block, why: not there}\n")
	tunnel := func(program, host string) (*gate.Passage, error) {
		return h.AdmitBlind(&gate.Message{
			Entrance: flow.Tunnel, API: flow.Opaque, Method: "CONNECT", Path: host, Host: host,
			Principal: flow.Principal{Name: "ann/" + program, Program: program},
		}, gate.Tunnel, "a tunnel, unread")
	}
	for _, tt := range []struct {
		program, host string
		findings      int
		blocked       bool
	}{
		{"codex", "api.github.com", 0, false}, // seen
		{"codex", "new.example", 1, false},
		{"codex", "new.example", 0, false}, // told
		{"codex", "a.evil.example", 1, true},
		{"codex", "a.evil.example", 1, true}, // each time, since it is refused each time
		{"curl", "a.evil.example", 0, false}, // no agent
		{"aider", "new.example", 0, false},   // never run
	} {
		p, err := tunnel(tt.program, tt.host)
		var refusal *flow.Refusal
		if errors.As(err, &refusal) != tt.blocked || p == nil {
			t.Fatalf("%s to %s: %v", tt.program, tt.host, err)
		}
		in := p.Intent()
		if got := standing(in); len(got) != tt.findings {
			t.Errorf("%s to %s: %+v", tt.program, tt.host, got)
		}
		if tt.blocked {
			if !strings.Contains(refusal.Text, "not there") || in.Decision.Verdict != flow.Block {
				t.Errorf("%q, %+v", refusal.Text, in.Decision)
			}
			continue
		}
		if in.Decision.Verdict != flow.Pass || in.Decision.Rules[0] != "blind:tunnel" || !strings.HasPrefix(in.Decision.Why, "a tunnel, unread") {
			t.Errorf("%+v", in.Decision)
		}
		p.Tunnelled(200, 1, 2, flow.Done, "")
	}
	rows, err := h.ledger.Rows(ledger.Query{})
	if err != nil || len(rows) != 7 || rows[3].State != flow.Refused || rows[1].Rules[0] != coverage.NewHost {
		t.Errorf("on record: %v %+v", err, rows)
	}
}

// TestInReportTheTunnelPasses and says what enforcing would have done.
func TestInReportTheTunnelPasses(t *testing.T) {
	h, _ := clocked(t, "version: 1\nmode: report\nrules:\n  - {rule: coverage.*, do: block}\n")
	p, err := h.AdmitBlind(&gate.Message{
		Entrance: flow.Tunnel, API: flow.Opaque, Method: "CONNECT", Path: "new.example", Host: "new.example",
		Principal: flow.Principal{Name: "ann/codex", Program: "codex"},
	}, gate.Tunnel, "a tunnel, unread")
	if err != nil {
		t.Fatal(err)
	}
	defer p.End(flow.Done, "")
	if d := p.Intent().Decision; d.Verdict != flow.Pass || d.Would != "block" || !strings.Contains(d.Why, "would be blocked") {
		t.Errorf("%+v", d)
	}
}
