package gate_test

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// TestOthersGoOnWhileASessionIsRecalled: what a former run knew of a session
// is asked of the ledger, which may be waiting for its disk. Flows of other
// sessions must not wait for that.
func TestOthersGoOnWhileASessionIsRecalled(t *testing.T) {
	d, o := disktest.New(1<<30), ledger.Options{Dir: t.TempDir(), KEK: bytes.Repeat([]byte{1}, 32)}
	o.FS = d
	admit := func(g *gate.Gate, session string) *gate.Passage {
		p, err := g.Admit(&gate.Message{
			Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages", Claim: gate.Claim{Session: session},
			Principal: flow.Principal{Name: "a/b"}, Body: []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`),
		})
		if err != nil {
			t.Error(err)
		}
		return p
	}
	open := func() (*gate.Gate, func()) {
		l, err := ledger.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); l.Run(ctx) }()
		return gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default}), func() {
			cancel()
			<-ended
			l.Close()
		}
	}
	g, stop := open()
	admit(g, "old").End(flow.Done, "")
	stop()

	g, stop = open()
	defer stop()
	running := admit(g, "running")
	syncing, on := make(chan struct{}), make(chan struct{})
	first := true
	d.Fail(func(op disktest.Op) disktest.Fault {
		if op.Kind == "write" && first {
			first = false
			close(syncing)
			<-on
		}
		return disktest.None
	})
	ends := make(chan *gate.Passage, 2)
	go func() { ends <- admit(g, "new") }()
	<-syncing
	go func() { ends <- admit(g, "old") }()
	for !inside("ledger.(*Ledger).catchUp") {
		runtime.Gosched()
	}
	running.Answer(500, nil, "", "", codec.Sniff) // with the lock held it would never come back
	close(on)
	d.Fail(nil)
	for range 2 {
		if p := <-ends; p.Intent().Session.ID == "old" && p.Intent().Turn != 2 {
			t.Errorf("the recalled session's turn is %d, want 2", p.Intent().Turn)
		}
	}
}

// inside reports whether some goroutine is in a function.
func inside(name string) bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(name))
}
