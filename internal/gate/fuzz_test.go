package gate_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
)

// FuzzAdmit sends any body, twice: it is refused in words, or what is forwarded
// has none of the values that stand in it, and is what the record says.
func FuzzAdmit(f *testing.F) {
	value := zed("f1")
	for _, s := range []string{
		messages("it is " + value), `{"input":"` + value + `","` + value + `":1}`, `[` + value + `]`, `{"messages":[{"content":"` + value, value,
		"{\"a\":\"" + value + "\"}\n{}\n", `{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"` + value + `","signature":"s"}]}]}`,
		marked("a "+value[:9], value[9:]), `{"messages":[{"tool_calls":[{"function":{"arguments":"{\"a\":\"\\u007aed_` + value[4:] + `\"}"}}]}]}`,
	} {
		f.Add([]byte(s), uint8(0))
	}
	set, err := inspect.Parse("test.yaml", []byte(zedRules))
	if err != nil {
		f.Fatal(err)
	}
	engine, err := inspect.Compile(inspect.Library{}, set)
	if err != nil {
		f.Fatal(err)
	}
	rules, err := policy.Parse("policy.yaml", []byte(enforcing))
	if err != nil {
		f.Fatal(err)
	}
	l, err := ledger.Open(ledger.Options{Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	apis := []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.StreamGenerate, flow.Opaque}
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		g := gate.New(gate.Options{
			Ledger: l, Vault: vault.New(l), Now: time.Now,
			Policy: func() policy.Policy { return rules }, Rules: func() *inspect.Engine { return engine },
		})
		for range 2 {
			m := message(string(body))
			m.API = apis[int(kind)%len(apis)]
			p, err := g.Admit(m)
			var r *flow.Refusal
			if errors.As(err, &r) && r.Kind == "blocked" {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sent, _ := p.Body()
			p.End(flow.Done, "")
			if bytes.Contains(sent, []byte(value)) {
				t.Fatalf("%q was forwarded as %q", body, sent)
			}
			if p.Intent().ForwardedSHA256 != sum(string(sent)) {
				t.Fatal("the hash is not that of what was forwarded")
			}
			chunks, err := l.Read(p.Intent().Flow, ledger.Forwarded, ledger.Access{Who: "a test", Why: "a test"})
			if err != nil {
				t.Fatal(err)
			}
			var kept []byte
			for _, c := range chunks {
				kept = append(kept, c.Data...)
			}
			if !bytes.Equal(kept, sent) {
				t.Fatalf("%q was forwarded and %q is on record", sent, kept)
			}
		}
	})
}
