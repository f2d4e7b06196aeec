package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// known is a request of somebody whom we know.
func known(findings ...flow.Finding) *flow.Intent {
	return &flow.Intent{
		Principal: flow.Principal{Name: "ann/claude"}, Provider: flow.Anthropic, API: flow.Messages, Model: "opus",
		Findings: findings,
	}
}

func secret(change ...func(*flow.Finding)) flow.Finding {
	f := flow.Finding{ID: "f_1", Rule: "secret.github-token", Channel: flow.ToolResults, Severity: flow.High, Confidence: 95}
	for _, c := range change {
		c(&f)
	}
	return f
}

func enforcing(t *testing.T, more string) policy.Policy {
	t.Helper()
	return parse(t, "version: 1\nmode: enforce\n"+more)
}

func TestDecideIsTotal(t *testing.T) {
	tests := []struct {
		name   string
		policy policy.Policy
		intent *flow.Intent
		want   flow.Verdict
	}{
		{"the zero policy blocks", policy.Policy{}, known(), flow.Block},
		{"an unknown caller is blocked", policy.Default(), &flow.Intent{}, flow.Block},
		{"an unknown caller is blocked by observe", parse(t, "version: 1\nmode: observe"), &flow.Intent{}, flow.Block},
		{"the default passes", policy.Default(), known(), flow.Pass},
		{"enforcing passes what holds nothing", enforcing(t, ""), known(), flow.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.policy.Decide(tt.intent, noon)
			if got.Verdict != tt.want {
				t.Errorf("verdict = %v, want %v", got.Verdict, tt.want)
			}
			if got.Why == "" {
				t.Error("a decision without a why")
			}
		})
	}
}

func TestZeroPolicyForbidsEverything(t *testing.T) {
	var p policy.Policy
	s := policy.Subject{Principal: flow.Principal{Name: "ann/claude"}, Now: noon}
	if got := p.Judge(s, []flow.Finding{secret()}); got != flow.BlockIt {
		t.Errorf("judges %v", got)
	}
	if got := p.Answer(s, nil); got.Verdict != flow.Block || got.Why == "" {
		t.Errorf("answers %+v", got)
	}
	if !p.Enforces() || !p.HoldsToolCalls() || p.Restores("", nil) || p.Restores("Write", []string{"content"}) {
		t.Error("it does not enforce, or restores")
	}
	if e := p.Explain(policy.Case{Rule: "secret.x"}, noon); e.Action != flow.BlockIt || e.Verdict != flow.Block || e.Why == "" {
		t.Errorf("explains %+v", e)
	}
}

// What the built-in policy would do with each thing alone.
func TestDefaultWould(t *testing.T) {
	in := func(c flow.Channel) func(*flow.Finding) { return func(f *flow.Finding) { f.Channel = c } }
	place := func(p string) func(*flow.Finding) { return func(f *flow.Finding) { f.Place = p } }
	rule := func(r string) func(*flow.Finding) { return func(f *flow.Finding) { f.Rule = r } }
	likely := func(f *flow.Finding) { f.Confidence = 79 }
	fixed, unsure := func(f *flow.Finding) { f.Fixed = true }, func(f *flow.Finding) { f.Confidence = 49 }
	tests := []struct {
		name   string
		change func(*flow.Intent)
		want   string // what it would do; "" passes
	}{
		{"user", has(secret(in(flow.User))), "redact"},
		{"tool result", has(secret(in(flow.ToolResults))), "redact"},
		{"tool call", has(secret(in(flow.ToolCalls))), "redact"},
		{"file", has(secret(in(flow.File))), "redact"},
		{"system", has(secret(in(flow.System))), "redact"},
		{"assistant, as it was restored", has(secret(in(flow.Assistant))), "redact"},
		{"signed", has(secret(in(flow.Assistant), fixed)), "block"},
		{"header", has(secret(in(flow.Envelope), place("header X-Note"))), "block"},
		{"query", has(secret(in(flow.Envelope), place("query"))), "block"},
		{"a guess", has(secret(unsure)), ""},
		{"a guess in a header", has(secret(unsure, place("query"))), ""},
		{"likely", has(secret(likely)), "redact"},
		{"likely, in a header", has(secret(likely, place("query"))), ""},
		{"another family", has(secret(rule("pii.iban"))), ""},
		{"a canary", has(secret(rule("canary.payroll"), unsure)), "block"},
		{"media", has(secret(rule("unreadable.media"))), "block"},
		{"beyond the bounds", has(secret(rule("unreadable.cut"))), "block"},
		{"a body that can't be read", func(in *flow.Intent) { in.Unreadable = "not JSON" }, "block"},
		{"bytes that can't be read", func(in *flow.Intent) { in.UnreadableBytes = 7 }, "block"},
		{"a fetch", acts("fetch"), ""},
		{"an unknown act", acts("unknown"), "block"},
		{"an act of a kind that is new", acts("teleport"), "block"},
		{"a redaction and a block", has(secret(), secret(rule("canary.x"))), "block"},
		{"a redaction and a flag", has(secret(), secret(unsure)), "redact"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := known()
			tt.change(in)
			report := policy.Default().Decide(in, noon)
			if report.Verdict != flow.Pass || report.Would != tt.want {
				t.Errorf("report: %+v, want would %q", report, tt.want)
			}
			if tt.want != "" && (!strings.HasPrefix(report.Why, "would be ") || len(report.Rules) == 0) {
				t.Errorf("report: why %q, rules %q", report.Why, report.Rules)
			}
			enforce := enforcing(t, "").Decide(in, noon)
			if want := tt.want; enforce.Verdict.String() != orPass(want) || enforce.Would != "" {
				t.Errorf("enforce: %+v, want %q", enforce, orPass(want))
			}
			observe := parse(t, "version: 1\nmode: observe").Decide(in, noon)
			if observe.Verdict != flow.Pass || observe.Would != "" {
				t.Errorf("observe: %+v", observe)
			}
			for _, f := range in.Findings {
				if f.Action != flow.FlagIt {
					t.Errorf("observe does more than to flag: %v", f.Action)
				}
			}
		})
	}
}

func has(findings ...flow.Finding) func(*flow.Intent) {
	return func(in *flow.Intent) { in.Findings = findings }
}

func acts(kind string) func(*flow.Intent) {
	return func(in *flow.Intent) { in.Acts = []flow.Act{{Kind: kind, Name: "tools[].type=x"}} }
}

func orPass(verdict string) string {
	if verdict == "" {
		return "pass"
	}
	return verdict
}

func TestRulesDecideInOrder(t *testing.T) {
	p := enforcing(t, `
rules:
  - {rule: secret.*, principal: "*/codex", do: block, why: not near codex}
  - {rule: secret.*, model: [gpt-*, "*-preview"], do: ask}
  - {rule: secret.*, provider: gemini, do: off}
  - {rule: secret.*, severity: critical, do: block}
  - {rule: [secret.jwt, pii.*], channel: [user, file], do: flag}
  - {rule: secret.*, direction: answer, do: block}
  - {rule: secret.*, do: redact}
`)
	tests := []struct {
		c    policy.Case
		want string
	}{
		{policy.Case{Rule: "secret.a", Principal: "bob/codex"}, "block rules[0]"},
		{policy.Case{Rule: "secret.a", Principal: "bob/codex2"}, "redact rules[6]"},
		{policy.Case{Rule: "secret.a", Model: "gpt-9"}, "ask rules[1]"},
		{policy.Case{Rule: "secret.a", Model: "x-preview"}, "ask rules[1]"},
		{policy.Case{Rule: "secret.a", Provider: flow.Gemini}, "off rules[2]"},
		{policy.Case{Rule: "secret.a", Severity: flow.Critical}, "block rules[3]"},
		{policy.Case{Rule: "secret.jwt", Channel: flow.File}, "flag rules[4]"},
		{policy.Case{Rule: "secret.jwt", Channel: flow.System}, "redact rules[6]"},
		{policy.Case{Rule: "secret.a", Direction: "answer"}, "block rules[5]"},
		{policy.Case{Rule: "secrets.a"}, "flag default"},
	}
	for _, tt := range tests {
		e := p.Explain(tt.c, noon)
		if got := e.Action.String() + " " + e.Key; got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.c, got, tt.want)
		}
	}
}

// A general rule must not switch off what stands in sections of its own.
func TestStarDoesNotReachSpecialFamilies(t *testing.T) {
	p := enforcing(t, `rules: [{rule: "*", do: off}, {rule: unreadable.media, principal: "ann/*", do: flag}, {rule: "provider.*", channel: provider, principal: bob, do: block},
  {rule: remote.names-failed, principal: ann, do: flag}, {rule: remote.nam*-failed, principal: bob, do: ask}]`)
	for _, tt := range []struct {
		c    policy.Case
		want flow.Action
	}{
		{policy.Case{Rule: "secret.x"}, flow.Ignore},
		{policy.Case{Rule: "unreadable.cut"}, flow.BlockIt},
		{policy.Case{Rule: "unreadable.media", Principal: "ann/claude"}, flow.FlagIt},
		{policy.Case{Rule: "unreadable.media", Principal: "bob"}, flow.BlockIt},
		{policy.Case{Rule: "provider.unknown"}, flow.BlockIt},
		{policy.Case{Rule: "remote.names-person"}, flow.Ignore},
		{policy.Case{Rule: "remote.names-failed"}, flow.BlockIt},
		{policy.Case{Rule: "remote.names-failed", Principal: "ann"}, flow.FlagIt},
		{policy.Case{Rule: "remote.names-failed", Principal: "bob"}, flow.AskFirst},
		{policy.Case{Rule: "provider.search", Principal: "bob", Channel: flow.ProviderActor}, flow.BlockIt},
	} {
		c, want := tt.c, tt.want
		if e := p.Explain(c, noon); e.Action != want {
			t.Errorf("%+v: %v, want %v (%s)", c, e.Action, want, e.Key)
		}
	}
}

func TestUnreadIsToldOnce(t *testing.T) {
	p := enforcing(t, "unreadable: {media: flag}")
	media := flow.Finding{Rule: "unreadable.media", Severity: flow.Medium, Confidence: 100}
	for _, tt := range []struct {
		name   string
		intent flow.Intent
		want   flow.Verdict
	}{
		{"a finding tells of the bytes", flow.Intent{UnreadableBytes: 9, Findings: []flow.Finding{media}}, flow.Pass},
		{"nothing tells of them", flow.Intent{UnreadableBytes: 9}, flow.Block},
		{"media, and a body that can't be read", flow.Intent{Unreadable: "not JSON", UnreadableBytes: 9, Findings: []flow.Finding{media}}, flow.Block},
	} {
		tt.intent.Principal.Name = "ann"
		if d := p.Decide(&tt.intent, noon); d.Verdict != tt.want {
			t.Errorf("%s: %+v, want %v", tt.name, d, tt.want)
		}
	}
}

func TestActsByTool(t *testing.T) {
	p := enforcing(t, `provider_acts: {search: block, tools: {"web_search*": flag, "web_search_2099*": block, "tools[].type=odd": flag}}`)
	for name, want := range map[string]flow.Verdict{
		"tools[].type=web_search_20250305": flow.Pass,
		"tools[].type=web_search_20990101": flow.Block,
		"web_search":                       flow.Pass,
		"tools[].type=file_search":         flow.Block,
		"tools[].type=odd":                 flow.Pass,
		"tools[].type=my_web_search":       flow.Block,
	} {
		in := known()
		in.Acts = []flow.Act{{Kind: "search", Name: name}}
		if d := p.Decide(in, noon); d.Verdict != want {
			t.Errorf("%s: %+v, want %v", name, d, want)
		}
	}
}

func TestAllowances(t *testing.T) {
	base := enforcing(t, "rules: [{rule: secret.*, do: block}]")
	allowed := func(scope string, until time.Time, revoked time.Time) policy.Policy {
		return base.With(policy.Index([]policy.Allowance{
			{ID: "a_0", Finding: "f_1", Scope: "nobody", Until: noon.Add(time.Hour)},
			{ID: "a_1", Finding: "f_1", Scope: scope, Until: until, Revoked: revoked},
		}))
	}
	later := noon.Add(time.Hour)
	for _, tt := range []struct {
		name string
		p    policy.Policy
		want flow.Verdict
	}{
		{"none", base, flow.Block},
		{"for all", allowed("*", later, time.Time{}), flow.Pass},
		{"for this one", allowed("ann/claude", later, time.Time{}), flow.Pass},
		{"for another", allowed("bob/claude", later, time.Time{}), flow.Block},
		{"a scope is no pattern", allowed("ann/*", later, time.Time{}), flow.Block},
		{"ended", allowed("*", noon, time.Time{}), flow.Block},
		{"revoked", allowed("*", later, noon.Add(-time.Minute)), flow.Block},
	} {
		in := known(secret())
		d := tt.p.Decide(in, noon)
		if d.Verdict != tt.want || (in.Findings[0].Allowed == "a_1") != (tt.want == flow.Pass) || (in.Findings[0].Action == flow.Ignore) != (tt.want == flow.Pass) {
			t.Errorf("%s: %+v, %+v", tt.name, d, in.Findings[0])
		}
	}
	// A finding without an id is never allowed, nor what was not found.
	p := base.With(policy.Index([]policy.Allowance{{ID: "a_1", Scope: "*", Until: later}}))
	if d := p.Decide(known(secret(func(f *flow.Finding) { f.ID = "" })), noon); d.Verdict != flow.Block {
		t.Errorf("no id: %+v", d)
	}
	if got := base.Decide(known(secret()), noon); got.Verdict != flow.Block {
		t.Error("With changed the policy that it was called on")
	}
}

func TestWhyTellsAPerson(t *testing.T) {
	p := enforcing(t, "rules:\n  - {rule: secret.*, channel: file, do: ask}\n  - {rule: secret.*, do: block, why: ours}")
	d := p.Decide(known(secret()), noon)
	want := "blocked: secret.github-token in a tool result, finding f_1 (policy.yaml:5: ours). A false alarm? gatehouse allow f_1 --reason TEXT --until 7d"
	if d.Why != want || len(d.Rules) != 1 || d.Rules[0] != "secret.github-token" {
		t.Errorf("got  %s %q\nwant %s", d.Why, d.Rules, want)
	}
	d = p.Decide(known(secret(func(f *flow.Finding) { f.Channel = flow.File })), noon)
	if d.Verdict != flow.Block || !strings.HasPrefix(d.Why, "blocked, because it needs an approval and approvals don't exist yet: ") {
		t.Errorf("ask: %+v", d)
	}
	d = enforcing(t, "").Decide(known(secret(func(f *flow.Finding) { f.Fixed = true })), noon)
	if !strings.Contains(d.Why, "it stands where nothing can be replaced") {
		t.Errorf("fixed: %+v", d)
	}
	in := known()
	in.Acts = []flow.Act{{Kind: "unknown", Name: "tools[].type=\x1b[2J" + strings.Repeat("x", 5000)}}
	d = enforcing(t, "").Decide(in, noon)
	if len(d.Why) > 400 || strings.Contains(d.Why, "\x1b") || !strings.Contains(d.Why, "provider_acts.unknown in the policy file decides") {
		t.Errorf("act: %q", d.Why)
	}
}

func TestManyFindingsMakeAShortWhy(t *testing.T) {
	in := known()
	for i := range 10_000 {
		in.Findings = append(in.Findings, secret(func(f *flow.Finding) { f.Rule = fmt.Sprintf("secret.r%d", i); f.ID = fmt.Sprint("f_", i) }))
	}
	d := enforcing(t, "").Decide(in, noon)
	if d.Verdict != flow.Redact || len(d.Why) > 1000 || len(d.Rules) > 20 || !strings.Contains(d.Why, "and 9997 more") {
		t.Errorf("%v, %d rules, %s", d.Verdict, len(d.Rules), d.Why)
	}
}

// In an answer a value goes back to whom it belongs.
func TestAnswer(t *testing.T) {
	s := policy.Subject{Principal: flow.Principal{Name: "ann/claude"}, Now: noon}
	call := func() []flow.Finding {
		return []flow.Finding{secret(func(f *flow.Finding) { f.Channel = flow.ToolCalls })}
	}
	findings := call()
	if d := enforcing(t, "").Answer(s, findings); d.Verdict != flow.Pass || findings[0].Action != flow.FlagIt {
		t.Errorf("redact in an answer: %+v, %v", d, findings[0].Action)
	}
	block := "rules: [{rule: secret.*, channel: tool_call, direction: answer, do: block}]"
	if d := enforcing(t, block).Answer(s, call()); d.Verdict != flow.Block || len(d.Rules) != 1 {
		t.Errorf("block: %+v", d)
	}
	if d := parse(t, "version: 1\n"+block).Answer(s, call()); d.Verdict != flow.Pass || d.Would != "block" {
		t.Errorf("report: %+v", d)
	}
	if d := enforcing(t, block).Decide(known(call()...), noon); d.Verdict != flow.Pass {
		t.Errorf("the same in a request: %+v", d)
	}
}

func TestJudgeGivesTheStrictest(t *testing.T) {
	s := policy.Subject{Principal: flow.Principal{Name: "ann/claude"}, Now: noon}
	findings := []flow.Finding{secret(func(f *flow.Finding) { f.Confidence = 10 }), secret(), secret(func(f *flow.Finding) { f.Confidence = 20 })}
	p := enforcing(t, "")
	if got := p.Judge(s, findings); got != flow.RedactIt {
		t.Errorf("strictest %v", got)
	}
	if findings[0].Action != flow.FlagIt || findings[1].Action != flow.RedactIt {
		t.Errorf("actions %v, %v", findings[0].Action, findings[1].Action)
	}
	if got := p.Judge(s, nil); got != flow.Ignore {
		t.Errorf("of none: %v", got)
	}
}

func TestRestores(t *testing.T) {
	odd := parse(t, `
version: 1
restore:
  text: false
  tools:
    - {tool: "*", fields: ["**"], free_text: true}
    - {tool: Bash, fields: command}
    - {tool: mcp__files__*, fields: body}
    - {tool: post, fields: [url, headers.auth]}
`)
	for _, tt := range []struct {
		name string
		p    policy.Policy
		tool string
		path string
		want bool
	}{
		{"text", policy.Default(), "", "", true},
		{"Claude Code writes", policy.Default(), "Write", "content", true},
		{"where it writes to", policy.Default(), "Write", "file_path", false},
		{"a name with a dot is no path", policy.Default(), "Edit", "x.old_string", false},
		{"Edit", policy.Default(), "Edit", "new_string", true},
		{"MultiEdit", policy.Default(), "MultiEdit", "edits.3.new_string", true},
		{"MultiEdit, too deep", policy.Default(), "MultiEdit", "edits.3.x.new_string", false},
		{"NotebookEdit", policy.Default(), "NotebookEdit", "new_source", true},
		{"Gemini CLI writes", policy.Default(), "write_file", "content", true},
		{"Gemini CLI replaces", policy.Default(), "replace", "old_string", true},
		{"Codex patches", policy.Default(), "apply_patch", "", true},
		{"Codex's shell", policy.Default(), "exec", "", false},
		{"Bash", policy.Default(), "Bash", "command", false},
		{"WebFetch", policy.Default(), "WebFetch", "url", false},
		{"an MCP tool", policy.Default(), "mcp__files__write", "content", false},
		{"free text of a tool with fields", policy.Default(), "Write", "", false},
		{"case counts", policy.Default(), "write", "content", false},

		{"text switched off", odd, "", "", false},
		{"a pattern reaches an ordinary tool", odd, "save", "a.b", true},
		{"and its free text", odd, "save", "", true},
		{"but no command in it", odd, "save", "a.command.0", false},
		{"nor an address", odd, "save", "imageUrl", false},
		{"nor a shell", odd, "run_shell_command", "description", false},
		{"nor an MCP tool", odd, "mcp__git__commit", "message", false},
		{"a name spelled out does", odd, "Bash", "command", true},
		{"its other arguments don't", odd, "Bash", "description", false},
		{"a server spelled out", odd, "mcp__files__write", "body", true},
		{"a field spelled out", odd, "post", "url", true},
		{"on its way, too", odd, "post", "headers.auth", true},
	} {
		var path []string
		if tt.path != "" {
			path = strings.Split(tt.path, ".")
		}
		if tt.name == "a name with a dot is no path" {
			path = []string{"x.old_string"}
		}
		if got := tt.p.Restores(tt.tool, path); got != tt.want {
			t.Errorf("%s: %s %q: %v, want %v", tt.name, tt.tool, path, got, tt.want)
		}
	}
	// The mode does not matter: what was redacted before stays readable.
	if !parse(t, "version: 1\nmode: observe").Restores("", nil) {
		t.Error("observe does not restore")
	}
}

func TestExplainNamesWhatWasPassedOver(t *testing.T) {
	p := enforcing(t, `
rules:
  - {rule: pii.*, do: flag}
  - {rule: secret.*, channel: [user, file], do: flag}
  - {rule: secret.*, min_confidence: 90, do: block, why: ours}
`)
	e := p.Explain(policy.Case{Rule: "secret.x", Channel: flow.ToolResults, Confidence: 95}, noon)
	if e.Action != flow.BlockIt || e.Verdict != flow.Block || e.Key != "rules[2]" || e.Line != "policy.yaml:7" || !strings.Contains(e.Why, "policy.yaml:7: ours") {
		t.Errorf("%+v", e)
	}
	want := []policy.Skip{{Key: "rules[0]", Line: "policy.yaml:5", Why: "rule is pii.*"}, {Key: "rules[1]", Line: "policy.yaml:6", Why: "channel is user, file"}}
	if len(e.PassedOver) != 2 || e.PassedOver[0] != want[0] || e.PassedOver[1] != want[1] {
		t.Errorf("passed over %+v", e.PassedOver)
	}
	e = p.Explain(policy.Case{Rule: "secret.x", Channel: flow.ToolResults, Confidence: 50}, noon)
	if e.Action != flow.FlagIt || len(e.PassedOver) != 3 || e.PassedOver[2].Why != "confidence is at least 90" || e.Key != "default" {
		t.Errorf("%+v", e)
	}
}

func TestTestsOfAFileFail(t *testing.T) {
	p := parse(t, `version: 1
tests:
  - {rule: secret.x, expect: redact}
  - {rule: secret.x, confidence: 10, expect: block}
  - {tool: Bash, field: command, expect: restore}
`)
	n, failures := p.Test(noon)
	if n != 3 || len(failures) != 2 {
		t.Fatalf("%d tests, %+v", n, failures)
	}
	if f := failures[0]; f.Line != "policy.yaml:4" || f.Got != "flag" || f.Want != "block" || f.Why == "" {
		t.Errorf("%+v", f)
	}
	if f := failures[1]; f.Line != "policy.yaml:5" || f.Got != "keep" {
		t.Errorf("%+v", f)
	}
}

// A rule that stops needs one fact that fits; one that lets go on needs all of
// that key, known ones, to fit.
func TestFacts(t *testing.T) {
	p := enforcing(t, `default: redact
rules:
  - {rule: action.egress, fact: ["host=*.Ours.example", "host=ours.example", cmd=git], do: flag}
  - {rule: action.egress, fact: "host=evil.*", do: block}
  - {rule: action.run, fact: ["host=*", cmd=curl], do: "off"}
`)
	for _, tt := range []struct {
		rule, facts string
		want        flow.Action
	}{
		{"action.egress", "cmd=git host=git.ours.example", flow.FlagIt},
		{"action.egress", "cmd=git host=git.ours.example host=ours.example", flow.FlagIt},
		{"action.egress", "cmd=git host=git.ours.example host=evil.example", flow.BlockIt},
		{"action.egress", "cmd=git host=git.ours.example host=other.example", flow.RedactIt},
		{"action.egress", "cmd=git host=git.ours.example host=?", flow.RedactIt},
		{"action.egress", "cmd=git cmd=nc host=ours.example", flow.RedactIt},
		{"action.egress", "host=ours.example", flow.RedactIt},
		{"action.egress", "cmd=git", flow.RedactIt},
		{"action.egress", "", flow.RedactIt},
		{"action.run", "cmd=curl host=a", flow.Ignore},
		{"action.run", "cmd=curl host=?", flow.RedactIt},
	} {
		e := p.Explain(policy.Case{Rule: tt.rule, Channel: flow.ToolCalls, Facts: strings.Fields(tt.facts)}, noon)
		if e.Action != tt.want {
			t.Errorf("%s with %q: %v, want %v (%s)", tt.rule, tt.facts, e.Action, tt.want, e.Key)
		}
	}
}
