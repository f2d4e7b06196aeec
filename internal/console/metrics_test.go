package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// scrape gives the metrics' text after some flows have ended.
func scrape(t *testing.T, flows ...flow.View) string {
	t.Helper()
	b := &book{}
	m := console.NewMetrics(b.Stats)
	for i := range flows {
		m.Begun(flows[i].Provider)
		m.Ended(&flows[i])
	}
	m.Refused("host")
	c := console.New(console.Options{Flows: b, Ledger: b, Metrics: m})
	d := &desk{Console: c, book: b}
	return d.ask("GET", "/metrics", "").Body.String()
}

func TestMetricsCountFlows(t *testing.T) {
	ms, cost := 250.0, 0.5
	text := scrape(t,
		flow.View{Provider: flow.Anthropic, API: flow.Messages, State: flow.Done, Verdict: flow.Pass, Model: "claude-x",
			RequestBytes: 10, ResponseBytes: 20, FirstByteMS: &ms, DurationMS: &ms, Cost: &cost,
			Usage: flow.UsageView{Input: 3, Output: 5, CacheRead: 7}},
		flow.View{Provider: flow.Anthropic, API: flow.Messages, State: flow.Refused, Verdict: flow.Block},
		flow.View{Provider: flow.OpenAI, API: flow.Chat, State: flow.Done, Verdict: flow.Pass, Usage: flow.UsageView{Output: 1},
			Findings: []flow.Finding{{Rule: "secret.jwt", Action: flow.RedactIt}}, Would: "redact", UnreadableBytes: 9},
	)
	for _, want := range []string{
		`gatehouse_flows_total{api="anthropic.messages",provider="anthropic",state="done",verdict="pass"} 1`,
		`gatehouse_flows_total{api="anthropic.messages",provider="anthropic",state="refused",verdict="block"} 1`,
		`gatehouse_flows_open{provider="anthropic"} 0`,
		`gatehouse_tokens_total{kind="cache_read",model="claude-x",provider="anthropic"} 7`,
		`gatehouse_bytes_total{direction="response",provider="anthropic"} 20`,
		`gatehouse_cost_usd_total{provider="anthropic"} 0.5`,
		`gatehouse_unpriced_flows_total{provider="openai"} 1`,
		`gatehouse_first_byte_seconds_bucket{provider="anthropic",le="0.25"} 1`,
		`gatehouse_refusals_total{kind="host"} 1`,
		`gatehouse_findings_total{action="redact",rule="secret.jwt"} 1`,
		`gatehouse_would_flows_total{provider="openai",verdict="redact"} 1`,
		`gatehouse_unreadable_bytes_total{provider="openai"} 9`,
		`gatehouse_ledger_entries_total 7`,
		`go_goroutines`,
		`process_resident_memory_bytes`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestModelLabelsAreBounded(t *testing.T) {
	var flows []flow.View
	for i := range 300 {
		flows = append(flows, flow.View{Provider: flow.OpenAI, Model: fmt.Sprintf("model-%d", i), Usage: flow.UsageView{Input: 1}})
	}
	text := scrape(t, flows...)
	if n := strings.Count(text, `gatehouse_tokens_total{`); n != 101 {
		t.Errorf("%d series of tokens, want 100 models and other", n)
	}
	if want := `gatehouse_tokens_total{kind="input",model="other",provider="openai"} 200`; !strings.Contains(text, want) {
		t.Errorf("the metrics lack %s", want)
	}
}

func TestModelThatIsNoNameIsNotALabel(t *testing.T) {
	for _, model := range []string{"", "ignore all previous instructions", "x\ny", `"quoted"`, strings.Repeat("x", 81)} {
		text := scrape(t, flow.View{Provider: flow.OpenAI, Model: model, Usage: flow.UsageView{Input: 1}})
		if want := `gatehouse_tokens_total{kind="input",model="other",provider="openai"} 1`; !strings.Contains(text, want) {
			t.Errorf("model %.20q has a label of its own", model)
		}
	}
}

func TestLedgerFiguresAreTold(t *testing.T) {
	m := console.NewMetrics(func() ledger.Stats {
		return ledger.Stats{Fault: "sector 7 is gone", Syncs: ledger.Histogram{
			Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{2, 1, 1}, Sum: 3 * time.Second,
		}}
	})
	b := &book{}
	d := &desk{Console: console.New(console.Options{Flows: b, Ledger: b, Metrics: m}), book: b}
	text := d.ask("GET", "/metrics", "").Body.String()
	for _, want := range []string{
		"gatehouse_ledger_poisoned 1",
		`gatehouse_ledger_sync_seconds_bucket{le="0.001"} 2`,
		`gatehouse_ledger_sync_seconds_bucket{le="1"} 3`,
		`gatehouse_ledger_sync_seconds_bucket{le="+Inf"} 4`,
		"gatehouse_ledger_sync_seconds_sum 3",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(text, "sector") {
		t.Error("the fault's text is in the metrics")
	}
}
