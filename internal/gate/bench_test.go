package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
)

// BenchmarkTurn is a turn that adds 20 KB to 500 KB, with values in it, under all
// rules: with the marker that Claude Code moves. It has the ledger's write in it.
func BenchmarkTurn(b *testing.B) {
	set, err := secret.Set()
	if err != nil {
		b.Fatal(err)
	}
	engine, err := inspect.Compile(secret.Library(), set)
	if err != nil {
		b.Fatal(err)
	}
	rules, err := policy.Parse("policy.yaml", policy.Recommended())
	if err != nil {
		b.Fatal(err)
	}
	l, err := ledger.Open(ledger.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	g := gate.New(gate.Options{
		Ledger: l, Vault: vault.New(l), Now: time.Now,
		Policy: func() policy.Policy { return rules }, Rules: func() *inspect.Engine { return engine },
	})
	step := func(i int) string {
		return strings.Repeat(fmt.Sprint("a line of some file, number ", i, ", with words; "), 400) + "password = \\\"hT9x" + fmt.Sprint(i, "zQw7!pL") + "\\\""
	}
	var texts []string
	for i := range 25 {
		texts = append(texts, step(i))
	}
	n := 25
	for b.Loop() {
		b.StopTimer()
		if len(texts) > 50 {
			texts = texts[:25]
		}
		texts = append(texts, step(n))
		n++
		body := []byte(marked(texts...))
		b.StartTimer()
		p, err := g.Admit(&gate.Message{
			Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages", Path: "/v1/messages",
			Principal: flow.Principal{Name: "ann/claude"}, Claim: gate.Claim{Session: "s"}, Body: body,
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		p.End(flow.Done, "")
		b.StartTimer()
	}
}
