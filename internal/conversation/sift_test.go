package conversation_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/flow"
)

// pan is a sieve that knows what it was told, as it was told.
type pan struct{ known []string }

func (p *pan) Hides(rule string) bool { return strings.HasPrefix(rule, "pii.") }

func (p *pan) Add(_ string, value []byte) { p.known = append(p.known, string(value)) }

func (p *pan) Find(text string, at func(start, end int, rule string)) {
	for i := range text {
		for _, v := range p.known {
			if strings.HasPrefix(text[i:], v) {
				at(i, i+len(v), "pii.test")
			}
		}
	}
}

// TestSieveHidesWhatLaterFlowsTell: a value that is found in the second flow stands
// in no part of the first, nor in what the page calls them; marks stay in their
// places.
func TestSieveHidesWhatLaterFlowsTell(t *testing.T) {
	first := asked(`{"type":"text","text":"𝄞 marked, Ada Byron, and s3cret"}`)
	mild := finding(string(first.Blocks[0].Raw), "marked", flow.FlagIt)
	mild.Rule = "injection.test"
	first.Intent.Findings = []flow.Finding{finding(string(first.Blocks[0].Raw), "s3cret", flow.FlagIt), mild}
	first.Outcome = &flow.Outcome{State: flow.Done, Error: "no Ada Byron here", Findings: []flow.Finding{{Rule: "action.test", Place: "answer", Facts: []string{"path=/home/Ada Byron"}}}}
	call := asked(`{"type":"tool_use","id":"t","name":"Bash","input":{"command":"finger Ada Byron"}}`)
	last := asked(`{"type":"text","text":"I am Ada Byron"}`)
	name := finding(string(last.Blocks[0].Raw), "Ada Byron", flow.FlagIt)
	name.Rule, name.Severity = "pii.name", flow.Low
	last.Intent.Findings = []flow.Finding{name}
	call.Intent.Flow, last.Intent.Flow = "f2", "f3"
	b := conversation.Builder{Sieve: &pan{}}
	for _, f := range []*conversation.Flow{first, call, last} {
		b.Add(f)
	}
	c := b.Done()
	if text := fmt.Sprintf("%+v", c); strings.Contains(text, "Ada") {
		t.Error(text)
	}
	var said []string
	for _, r := range c.Branches[0].Rounds {
		said = append(said, "round "+r.Prompt)
		for _, turn := range r.Turns {
			p := turn.Added[0]
			if strings.Contains(p.Text+p.Title+turn.Error+fmt.Sprint(turn.Findings), "Ada") {
				t.Errorf("it stands there: %+v %q %+v", p, turn.Error, turn.Findings)
			}
			said = append(said, fmt.Sprint(p.Text, under(p)), p.Title)
		}
	}
	want := []string{
		"round 𝄞 marked, ●●●●, and ●●●●", "𝄞 marked, ●●●●, and ●●●●[text marked masked ●●●● masked ●●●●]", "",
		`{"command":"finger ●●●●"}[masked ●●●●]`, "Bash finger ●●●●", "round I am ●●●●", "I am ●●●●[masked ●●●●]", "",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if first.Outcome.Findings[0].Facts[0] != "path=/home/Ada Byron" {
		t.Error("the flow itself was changed")
	}
}

// TestSieveHidesInMetadata: in addresses, in what models, agents and tools are called,
// and in what ties a branch to the call that started it.
func TestSieveHidesInMetadata(t *testing.T) {
	const key = "tok_7fKd93Zx"
	raw := `{"type":"text","text":"my key is ` + key + `"}`
	f := asked(raw, finding(raw, key, flow.FlagIt))
	f.Intent.Findings = append(f.Intent.Findings, flow.Finding{Rule: "pii.card", Place: "query", Start: 22, End: 38})
	f.Intent.Path, f.Intent.Model = "/v1/"+key+"?card=4111111111111111", key
	f.Intent.Session.Subagent, f.Intent.Session.Parent = key, key
	f.Outcome = &flow.Outcome{State: flow.Done, Findings: []flow.Finding{{Rule: "taint.test", Place: "answer", From: &flow.Origin{Tool: key}}}}
	b := conversation.Builder{Sieve: &pan{}}
	b.Add(f)
	text, err := json.Marshal(b.Done())
	if s := string(text); err != nil || strings.Contains(s, "7fKd93") || strings.Contains(s, "4111") || !strings.Contains(s, `"path":"/v1/●●●●?●●●●"`) {
		t.Errorf("%v %s", err, s)
	}
	if f.Outcome.Findings[0].From.Tool != key {
		t.Error("the flow itself was changed")
	}
	f.Intent.Path, f.Intent.Findings = "/v1/files/4111111111111111", []flow.Finding{{Rule: "pii.card", Place: "query", Start: 10, End: 26}}
	b = conversation.Builder{Sieve: &pan{}}
	turn := b.Add(f)
	if b.Done(); turn.Path != "/●●●●" {
		t.Error(turn.Path)
	}
}

// TestBareHidesNothing but what was replaced for the provider.
func TestBareHidesNothing(t *testing.T) {
	raw := `{"type":"text","text":"s3cret and s3cret2"}`
	f := asked(raw, finding(raw, "s3cret", flow.FlagIt), finding(raw, "s3cret2", flow.RedactIt))
	f.Edits = []conversation.Edit{{At: int64(strings.Index(raw, "s3cret2")), Cut: 7, Put: []byte("QZ")}}
	b := conversation.Builder{Bare: true, Whole: true}
	p := b.Add(f).Added[0]
	if got := fmt.Sprint(p.Text, under(p)); got != "s3cret and QZ[text s3cret pseudonym QZ]" {
		t.Error(got)
	}
	long := strings.Repeat("x", 100<<10)
	if p := b.Add(asked(`{"type":"text","text":"` + long + `"}`)).Added[0]; p.Cut || p.Text != long {
		t.Errorf("%d bytes, cut %v", len(p.Text), p.Cut)
	}
}
