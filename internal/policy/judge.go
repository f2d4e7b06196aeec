package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Case is one thing to be judged, as a policy's lines look at it.
type Case struct {
	Rule       string        `yaml:"rule" json:"rule"`                     // secret.github-token, unreadable.media, provider.search
	Channel    flow.Channel  `yaml:"channel" json:"channel,omitempty"`     //
	Direction  string        `yaml:"direction" json:"direction,omitempty"` // request or answer; empty: request
	Principal  string        `yaml:"principal" json:"principal,omitempty"` // its name
	Provider   flow.Provider `yaml:"provider" json:"provider,omitempty"`   //
	Model      string        `yaml:"model" json:"model,omitempty"`         //
	Severity   flow.Severity `yaml:"severity" json:"severity,omitempty"`   //
	Confidence int           `yaml:"confidence" json:"confidence"`         // percent
	Fixed      bool          `yaml:"fixed" json:"fixed,omitempty"`         // can't be replaced where it stands
	Name       string        `yaml:"name" json:"name,omitempty"`           // of what the provider does: a tool's type
	Facts      []string      `yaml:"facts" json:"facts,omitempty"`         // of a proposed action: host=example.com
	Finding    string        `yaml:"finding" json:"finding,omitempty"`     // its id, for allowances
}

// Check finds words that no policy can mean.
func (c *Case) Check() error {
	for _, w := range []struct {
		noun, got string
		known     []string
	}{{"channel", string(c.Channel), channels}, {"direction", c.Direction, directions}, {"provider", string(c.Provider), providers}} {
		if w.got != "" && !slices.Contains(w.known, w.got) {
			return fmt.Errorf("%q is no %s: %s%s", w.got, w.noun, strings.Join(w.known, ", "), strict.Nearest(w.got, w.known))
		}
	}
	return nil
}

func (c *Case) direction() string {
	if c.Direction == toAgent {
		return toAgent
	}
	return toProvider
}

// finding makes a case of one.
func (s Subject) finding(f *flow.Finding) Case {
	c := Case{
		Rule: f.Rule, Channel: f.Channel, Principal: s.Principal.Name, Provider: s.Provider, Model: s.Model,
		Severity: f.Severity, Confidence: f.Confidence, Fixed: f.Fixed, Facts: f.Facts, Finding: f.ID,
	}
	switch f.Place {
	case "":
	case toAgent:
		c.Direction = toAgent
	default:
		c.Fixed = true // a header or the query
	}
	return c
}

// special makes a case of what is no detector's finding.
func (s Subject) special(rule, name string) Case {
	c := s.finding(&flow.Finding{Rule: rule, Channel: flow.Envelope, Severity: flow.High, Confidence: 100})
	if c.Name = name; strings.HasPrefix(rule, providerFamily) {
		c.Channel = flow.ProviderActor
	}
	return c
}

// ruling is what is done about one case, and which line says so.
type ruling struct {
	Case
	choice
	action  flow.Action // what the line says, where that can be done
	allowed string      // id of the allowance that switched it off
}

// rule decides one case. It is the only way to an action.
func (p Policy) rule(c Case, now time.Time) ruling {
	if p.set == nil {
		return ruling{Case: c, choice: choice{line: "no policy is loaded"}}
	}
	r := ruling{Case: c, choice: p.set.choose(&c)}
	r.action = r.do
	if id, ok := p.allowance(c.Finding, c.Principal, now); ok && c.Finding != "" {
		r.action, r.allowed = flow.Ignore, id
	}
	if r.action == flow.RedactIt {
		r.action = p.set.redaction(&c)
	}
	if p.set.mode == Observe && r.action < flow.FlagIt {
		r.action = flow.FlagIt
	}
	return r
}

// sure is the confidence from which a finding that can't be replaced where it
// stands is worth the call, in percent.
const sure = 80

// redaction says what becomes of a redact. An answer goes to whom the value
// belongs: there it is only flagged.
func (s *set) redaction(c *Case) flow.Action {
	switch {
	case c.direction() == toAgent:
		return flow.FlagIt
	case strings.HasPrefix(c.Rule, coverageFamily):
		return flow.FlagIt // it is about the call: there is no value
	case isSpecial(c.Rule):
		return s.unredactable.do
	case c.Fixed && c.Confidence < sure:
		return flow.FlagIt // to redact a guess costs nothing, to block one costs the call
	case c.Fixed:
		return s.unredactable.do
	}
	return flow.RedactIt
}

// Judge sets what is done about each finding (Action, Allowed), and gives the
// strictest; flow.Ignore when there is none. In the modes observe and report
// the actions say what enforcing would do: see Enforces.
func (p Policy) Judge(s Subject, findings []flow.Finding) flow.Action {
	strictest := flow.Ignore
	for _, r := range p.judge(s, findings) {
		strictest = min(strictest, r.action)
	}
	return strictest
}

func (p Policy) judge(s Subject, findings []flow.Finding) []ruling {
	rulings := make([]ruling, len(findings))
	for i := range findings {
		f := &findings[i]
		r := p.rule(s.finding(f), s.Now)
		f.Action, f.Allowed = r.action, r.allowed
		rulings[i] = r
	}
	return rulings
}

// Decide judges a flow before it is forwarded: by its findings, all that hold
// for the request, whose actions it sets; by what it makes the provider do; and
// by what could not be read. now is for allowances.
func (p Policy) Decide(in *flow.Intent, now time.Time) flow.Decision {
	if p.set == nil {
		return flow.Decision{Verdict: flow.Block, Why: "no policy is loaded"}
	}
	if in.Principal.Name == "" {
		return flow.Decision{Verdict: flow.Block, Why: "the caller is not known"}
	}
	s := Subject{Principal: in.Principal, Provider: in.Provider, API: in.API, Model: in.Model, Now: now}
	rulings := p.judge(s, in.Findings)
	for _, c := range unread(s, in) {
		rulings = append(rulings, p.rule(c, now))
	}
	for _, a := range in.Acts {
		rulings = append(rulings, p.rule(s.special(providerFamily+a.Kind, a.Name), now))
	}
	return p.conclude(rulings)
}

// unread makes cases of what an intent says was not read and no finding tells.
func unread(s Subject, in *flow.Intent) (cases []Case) {
	told := func(family string) bool {
		return slices.ContainsFunc(in.Findings, func(f flow.Finding) bool { return strings.HasPrefix(f.Rule, family) })
	}
	if in.Unreadable != "" && !told(unreadableFamily+"malformed") {
		cases = append(cases, s.special(unreadableFamily+"malformed", ""))
	}
	if in.UnreadableBytes > 0 && in.Unreadable == "" && !told(unreadableFamily) {
		cases = append(cases, s.special(unreadableFamily+"encoded", ""))
	}
	return cases
}

// Answer judges a part of an answer, a tool call or text, by its findings, whose
// actions it sets.
func (p Policy) Answer(s Subject, findings []flow.Finding) flow.Decision {
	if p.set == nil {
		return flow.Decision{Verdict: flow.Block, Why: "no policy is loaded"}
	}
	for i := range findings {
		findings[i].Place = toAgent
	}
	return p.conclude(p.judge(s, findings))
}

// conclude makes a decision of all rulings: the strictest counts.
func (p Policy) conclude(rulings []ruling) flow.Decision {
	strictest := flow.Ignore
	for _, r := range rulings {
		strictest = min(strictest, r.action)
	}
	var deciding []ruling
	for _, r := range rulings {
		if r.action == strictest && strictest != flow.Ignore {
			deciding = append(deciding, r)
		}
	}
	d := flow.Decision{Verdict: verdict(strictest), Why: p.why(strictest, deciding), Rules: names(deciding)}
	if !p.Enforces() {
		if d.Verdict != flow.Pass {
			d.Would = d.Verdict.String()
		}
		d.Verdict = flow.Pass
	}
	return d
}

// verdict is what enforcing makes of a flow. To ask is to block: there is
// nobody yet who could approve.
func verdict(a flow.Action) flow.Verdict {
	switch a {
	case flow.Ignore, flow.FlagIt:
		return flow.Pass
	case flow.RedactIt:
		return flow.Redact
	}
	return flow.Block
}
