package gate_test

import (
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// TestAPanicInADelivery: net/http recovers it; what the provider sent and what
// the client got are on record as they were.
func TestAPanicInADelivery(t *testing.T) {
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default, Now: time.Now})
	p, err := g.Admit(&gate.Message{
		Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages",
		Principal: flow.Principal{Name: "a/b"}, Body: []byte(`{"model":"m","messages":[]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Answer(200, nil, "", "", codec.Sniff)
	if err := p.Push([]byte("first "), func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { recover() }()
		p.Push([]byte("second"), func([]byte) error { panic("a defect") })
	}()
	p.End(flow.Aborted, "the gateway failed")
	for what, want := range map[ledger.What]string{ledger.Response: "first second", ledger.Delivered: "first "} {
		chunks, err := l.Read(p.Intent().Flow, what, ledger.Access{Who: "a test", Why: "a test"})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, c := range chunks {
			got += string(c.Data)
		}
		if got != want {
			t.Errorf("%s = %q, want %q", what, got, want)
		}
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
}
