package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Explanation says which line decides a case, and why.
type Explanation struct {
	Action     flow.Action  `json:"action"`            // what is done, or would be
	Verdict    flow.Verdict `json:"verdict"`           // what becomes of a call with this alone, in the mode that holds
	Key        string       `json:"key"`               // the line's key: rules[2], default, unreadable.media
	Line       string       `json:"line"`              // where it stands: policy.yaml:14
	Why        string       `json:"why"`               // a sentence
	Allowed    string       `json:"allowed,omitempty"` // id of the allowance that switches it off
	PassedOver []Skip       `json:"passed_over,omitempty"`
	Mode       Mode         `json:"mode"`
	Version    string       `json:"version"`
}

// Skip is a rule before the line that decides, and the condition that did not
// hold.
type Skip struct {
	Key  string `json:"key"`
	Line string `json:"line"`
	Why  string `json:"why"`
}

// Explain tells which line decides a case at a time. A case that says nothing of
// it has a high severity, and a confidence of 100.
func (p Policy) Explain(c Case, now time.Time) Explanation {
	c.Severity, c.Confidence = cmp.Or(c.Severity, flow.High), cmp.Or(c.Confidence, 100)
	if p.set == nil {
		return Explanation{Why: "no policy is loaded", Version: p.Version()}
	}
	if c.Rule == Untrusted {
		return Explanation{Action: flow.BlockIt, Verdict: flow.Block, Key: "always", Line: "no line", Why: "nothing is forwarded to a provider whose TLS is not trusted, whatever a policy says", Mode: p.set.mode, Version: p.set.version}
	}
	r := p.rule(c, now)
	d := p.conclude([]ruling{r})
	e := Explanation{
		Action: r.action, Verdict: d.Verdict, Key: r.path, Line: r.line, Why: d.Why, Allowed: r.allowed,
		Mode: p.set.mode, Version: p.set.version,
	}
	if r.allowed != "" {
		e.Why = "the allowance " + r.allowed + " switches it off"
	} else if r.action == flow.Ignore {
		e.Why = "off: " + r.sentence()
	}
	for i := range p.set.rules {
		rule := &p.set.rules[i]
		why := rule.misses(&c)
		if why == "" {
			break
		}
		e.PassedOver = append(e.PassedOver, Skip{rule.path, rule.line, why})
	}
	return e
}

// Strays lists the patterns of rules that fit none of the known detectors' rules:
// misspelt ones, which would never decide, and those that mean what no line
// decides about. Each is a line "policy.yaml:14: …".
func (p Policy) Strays(known []string) (lines []string) {
	if p.set == nil {
		return nil
	}
	for i := range p.set.rules {
		r := &p.set.rules[i]
		for _, pattern := range r.Rule {
			if pattern != "*" && match(pattern, Untrusted) {
				lines = append(lines, fmt.Sprintf("%s: %s.rule: %s decides nothing: a provider whose TLS is not trusted (%s) gets nothing, whatever a policy says", r.line, r.path, pattern, Untrusted))
				continue
			}
			if why := Stray(pattern, known); why != "" {
				lines = append(lines, fmt.Sprintf("%s: %s.rule: %s", r.line, r.path, why))
			}
		}
	}
	return lines
}

// Stray says that a name or pattern fits none of the known detectors' rules; "" when it
// fits one, or is a word of the policy's own.
func Stray(pattern string, known []string) string {
	if isSpecial(pattern) || strings.HasPrefix(pattern, remoteFamily) || fitsSome(pattern, known) { // what is remote has words of its own
		return ""
	}
	return fmt.Sprintf("%s fits no rule that there is%s", pattern, strict.Nearest(pattern, known))
}

// Restoring says whether a pseudonym in a tool's argument is replaced by its
// value, and which line says so.
type Restoring struct {
	Restores bool   `json:"restores"`
	Line     string `json:"line"`
	Why      string `json:"why"`
	Version  string `json:"version"`
}

// textTool stands for no tool: the text of an answer.
const textTool = "text"

// ExplainRestore tells whether a pseudonym in a field ("edits.0.old_string"; ""
// is free text) of a tool is replaced. The tool "text" is the text of an answer.
func (p Policy) ExplainRestore(tool, field string) Restoring {
	if p.set == nil {
		return Restoring{Why: "no policy is loaded", Version: p.Version()}
	}
	r := Restoring{Line: p.set.places.line("restore"), Version: p.set.version}
	path, what := pathOf(field), clean(tool)+" "+clean(field)
	if tool == textTool {
		r.Restores, r.Why = p.set.restore.text, fmt.Sprintf("restore.text is %v", p.set.restore.text)
		return r
	}
	for i, t := range p.set.restore.tools {
		if t.covers(tool, path) {
			r.Restores, r.Line = true, p.set.places.line(fmt.Sprintf("restore.tools[%d]", i))
			r.Why = fmt.Sprintf("restore.tools[%d] lists %s", i, what)
			return r
		}
	}
	r.Why = "restore lists no such tool and field: " + what
	return r
}

func pathOf(field string) []string {
	if field == "" {
		return nil
	}
	return strings.Split(field, ".")
}

// Test is a case in the file with what is expected of it: an action; or, where
// it names a tool, restore or keep, which says whether a pseudonym in the tool's
// argument is replaced.
type Test struct {
	Case   Case   `yaml:",inline"`
	Tool   string `yaml:"tool"`  // or text
	Field  string `yaml:"field"` // edits.0.old_string; empty: free text
	Expect string `yaml:"expect"`
}

// Failure is a test that did not get what it expects.
type Failure struct {
	Line, Want, Got, Why string
}

const (
	expectRestore = "restore"
	expectKeep    = "keep"
)

func (t *Test) check(r *strict.Reading, at string) {
	expected := actions
	if t.Tool != "" {
		expected = []string{expectRestore, expectKeep}
	}
	r.Require((t.Case.Rule == "") != (t.Tool == ""), at, "needs a rule, or a tool")
	r.Require(slices.Contains(expected, t.Expect), at+".expect", "%q is not what can be expected: %s%s",
		t.Expect, strings.Join(expected, ", "), strict.Nearest(t.Expect, expected))
	words(r, at+".channel", "channel", some(string(t.Case.Channel)), channels)
	words(r, at+".direction", "direction", some(t.Case.Direction), directions)
	words(r, at+".provider", "provider", some(string(t.Case.Provider)), providers)
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Test runs the tests that the file holds, and tells how many there are and
// which failed.
func (p Policy) Test(now time.Time) (n int, failures []Failure) {
	if p.set == nil {
		return 0, nil
	}
	for i, t := range p.set.tests {
		got, why := p.try(t, now)
		if got != t.Expect {
			line := p.set.places.line(fmt.Sprintf("tests[%d]", i))
			failures = append(failures, Failure{Line: line, Want: t.Expect, Got: got, Why: why})
		}
	}
	return len(p.set.tests), failures
}

func (p Policy) try(t Test, now time.Time) (got, why string) {
	if t.Tool == "" {
		e := p.Explain(t.Case, now)
		return e.Action.String(), e.Why
	}
	r := p.ExplainRestore(t.Tool, t.Field)
	if r.Restores {
		return expectRestore, r.Why
	}
	return expectKeep, r.Why
}
