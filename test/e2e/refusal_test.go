package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// refused runs an agent that must be refused: the agent shows our text, and
// the provider sees no model call. It gives how often the agent asked.
func refused(t *testing.T, r *rig.Rig, a rig.Agent, text string) int {
	t.Helper()
	said := r.Ask(a, "say: this must not arrive")
	if !said.Said(text) {
		t.Errorf("%s does not show %q; it ended with %d and said:\n%s%s", a.Name, text, said.Code, said.Out, said.Err)
	}
	if said.Said("this must not arrive\n") && said.Code == 0 {
		t.Errorf("%s got an answer: %s", a.Name, said.Out)
	}
	for _, x := range r.Begun() {
		if strings.Contains(string(x.Body), "this must not arrive") {
			t.Errorf("the provider saw %s %s with %d bytes", x.In.Method, x.In.Path, x.In.Bytes)
		}
	}
	calls := 0
	for _, f := range r.Settled() {
		if f.State != "refused" {
			continue // a probe, an upgrade, a warm-up
		}
		calls++
		if f.ForwardedSHA256 != "" || f.Verdict != "block" || f.Why == "" || f.DeliveredSHA256 == "" {
			t.Errorf("flow %+v", f)
		}
	}
	return calls
}

var everyone = map[string]struct {
	agent    rig.Agent
	simulate []string
}{
	"claude":          {rig.Claude, nil},
	"codex-websocket": {rig.Codex, nil},
	"codex-sse":       {rig.Codex, []string{"--no-websocket"}},
	"gemini":          {rig.Gemini, nil},
}

// TestBodyTooLarge: a retry can't help, so each agent asks once and shows why.
func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	for name, who := range everyone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: who.simulate, Config: "limits:\n  body: 16KiB\n"})
			if n := refused(t, r, who.agent, "Gatehouse: "); n != 1 {
				t.Errorf("%d calls, want 1: a retry can't cure it", n)
			}
		})
	}
}

// TestLedgerFull: nothing is forwarded that could not be recorded.
func TestLedgerFull(t *testing.T) {
	t.Parallel()
	for name, who := range everyone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: who.simulate, Config: "ledger:\n  reserve: 1000TiB\n"})
			if n := refused(t, r, who.agent.Impatient(), "Gatehouse: "); n != 0 {
				t.Errorf("%d flows are on record, in a ledger that is full", n)
			}
		})
	}
}

// TestProviderDown: a provider that can't be reached is our 502, on record.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	for name, who := range everyone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Upstream: closedPort(t)})
			said := r.Ask(who.agent.Impatient(), "say: nobody is there")
			if said.Code == 0 || !said.Said("Gatehouse: ") {
				t.Errorf("ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
			}
			flows := r.Settled()
			if len(flows) == 0 {
				t.Error("nothing is on record")
			}
			for _, f := range flows {
				if f.Status != 502 || f.State != "aborted" || f.ResponseBytes != 0 || !strings.Contains(f.Why, "provider") {
					t.Errorf("flow %+v", f)
				}
			}
		})
	}
}

// closedPort gives the URL of a port on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}
