package policy_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

func parse(t *testing.T, text string) policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every problem is told, in the order of the places, with what was meant.
func TestParseTellsAllProblems(t *testing.T) {
	_, err := policy.Parse("dir/policy.yaml", []byte(`version: 1
mode: enforced
ruls: []
rules:
  - rule: secret.*
    chanel: user
    do: redcat
  - {rule: pii.*, channel: tool_resutl, do: flag}
  - {channel: user, do: flag}
  - {rule: x.y, min_confidence: 101}
  - {rule: x.y, severity: awful, do: off}
unreadable: {media: redact}
provider_acts: {fetch: allow, tools: {"web*": redact}}
restore: {tools: [{tool: Write}]}
unredactable: redact
tests:
  - {rule: x.y, expect: blok}
  - {tool: Write, expect: flag}
`))
	want := `dir/policy.yaml:2:7: mode: "enforced" is no mode: observe, report, enforce; did you mean enforce?
dir/policy.yaml:3:1: ruls is no setting; did you mean rules?
dir/policy.yaml:6:5: rules[0].chanel is no setting; did you mean channel?
dir/policy.yaml:7:9: rules[0].do: unknown action "redcat": off, flag, redact, ask or block; did you mean redact?
dir/policy.yaml:8:19: rules[1].channel: "tool_resutl" is no channel: system, user, assistant, tool_definition, tool_call, tool_result, file, envelope, provider; did you mean tool_result?
dir/policy.yaml:9:5: rules[2]: needs a rule: the name of what was found, or a pattern such as secret.*
dir/policy.yaml:10:5: rules[3]: needs do: off, flag, redact, ask, block
dir/policy.yaml:10:17: rules[3].min_confidence: must be between 0 and 100: percent
dir/policy.yaml:11:27: rules[4].severity: unknown severity "awful": low, medium, high or critical
dir/policy.yaml:12:14: unreadable.media: can't be redact: there is nothing to replace; off, flag, ask or block
dir/policy.yaml:13:24: provider_acts.fetch: unknown action "allow": off, flag, redact, ask or block
dir/policy.yaml:13:39: provider_acts.tools.web*: can't be redact: there is nothing to replace; off, flag, ask or block
dir/policy.yaml:14:19: restore.tools[0]: needs fields, or free_text: true for a tool that takes free text
dir/policy.yaml:15:1: unredactable: can't be redact: it is for what can't be redacted
dir/policy.yaml:17:17: tests[0].expect: "blok" is not what can be expected: off, flag, redact, ask, block; did you mean block?
dir/policy.yaml:18:19: tests[1].expect: "flag" is not what can be expected: restore, keep`
	if err == nil {
		t.Fatal("accepted")
	}
	got, wants := strings.Split(err.Error(), "\n"), strings.Split(want, "\n")
	for i := range max(len(got), len(wants)) {
		g, w := "", ""
		if i < len(got) {
			g = got[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if g != w {
			t.Errorf("line %d:\n got %s\nwant %s", i, g, w)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "p.yaml: version: must be 1"},
		{"version: 2", "p.yaml:1:1: version: must be 1"},
		{"version: one", "p.yaml:1:10: version: must be a whole number"},
		{"version: 1\nmode: [", "p.yaml:2:7: not YAML"},
		{"just words", "p.yaml:1:1: the file: must be a mapping"},
		{"version: 1\n---\nversion: 1", "p.yaml:3:"},
		{"version: 1\nmode: report\nmode: enforce", "p.yaml:3:1: mode stands here twice"},
		{"version: 1\nrules: [{rule: a b, do: flag}]", `"a b" is no name of a rule`},
		{"version: 1\nrules: [{rule: unreadable.mediae, do: flag}]", "did you mean unreadable.media?"},
		{"version: 1\nrules: [{rule: [x.y, provider.s?t], do: flag}]", `"provider.s?t" fits none of`},
		{"version: 1\nrules: [{rule: a.b, do: flag, why: \"x\\ny\"}]", "must be one line"},
		{"version: 1\nrules:\n  - {rule: \"*\", do: flag}\n  - {rule: secret.x, do: block}", "p.yaml:4:5: rules[1]: never decides: the rule on line 3 always does"},
		{"version: 1\nrules:\n  - {rule: action.x, fact: example.com, do: flag}", "rules[0].fact: \"example.com\" is no fact"},
		{"version: 1\nrules:\n  - {rule: action.x, fact: hots=a.example, do: flag}", "rules[0].fact: \"hots\" is no fact of action.x: cmd, host, path, remote, sql; did you mean host?"},
		{"version: 1\nrules:\n  - {rule: secret.*, fact: host=a.example, do: flag}", "rules[0].fact: findings of secret.* have no facts"},
		{"version: 1\nrules:\n  - {rule: action.x, fact: from=WebFetch, do: flag}", "\"from\" is no fact of action.x"},
		{"version: 1\nrules:\n  - {rule: action.*, do: flag}\n  - {rule: action.x, fact: host=a, do: block}", "rules[1]: never decides"},
		{"version: 1\nrules:\n  - {rule: secret.*, min_confidence: 50, do: flag}\n  - {rule: secret.x, min_confidence: 60, channel: user, do: block}", "rules[1]: never decides"},
		{"version: 1\ntests: [{rule: a.b, tool: x, expect: flag}]", "needs a rule, or a tool"},
		{"version: 1\ntests: [{rule: a.b, channel: usr, expect: flag}]", "did you mean user?"},
		{"version: 1\nrestore: {tools: [{fields: a}]}", "needs a tool"},
		{"version: 1\n# " + strings.Repeat("x", 130<<10), "has more than"},
		{"version: 1\nmode: " + strings.Repeat("[", 1000), "nests more than"},
	}
	for _, tt := range tests {
		p, err := policy.Parse("p.yaml", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v, want %q", tt.text, err, tt.want)
		}
		if d := p.Decide(known(), time.Time{}); d.Verdict != flow.Block {
			t.Errorf("%.60q: the policy of a file that is wrong lets a call pass", tt.text)
		}
	}
}

// Rules that only seem to be covered are accepted.
func TestParseAcceptsRulesThatDecide(t *testing.T) {
	parse(t, `
version: 1
rules:
  - {rule: secret.*, channel: user, do: flag}
  - {rule: secret.x, do: block}
  - {rule: provider.s*, channel: provider, principal: a, do: flag}
  - {rule: "*", min_confidence: 90, do: block}
  - {rule: pii.*, do: flag}
  - {rule: "*", do: off}
  - {rule: unreadable.media, do: flag}
  - {rule: [provider.fetch, provider.search], principal: "*/codex", do: block}
`)
}

func TestSectionsLeftOutAreBuiltIn(t *testing.T) {
	p := parse(t, "version: 1\nmode: enforce\nprovider_acts: {fetch: block, tools: {nothing: block}}\nunreadable: {media: flag}")
	if p.Mode() != policy.Enforce || !p.Enforces() || !p.HoldsToolCalls() {
		t.Errorf("mode %s", p.Mode())
	}
	for _, tt := range []struct {
		c    policy.Case
		want string
	}{
		{policy.Case{Rule: "secret.x"}, "redact default:"},
		{policy.Case{Rule: "secret.x", Confidence: 49}, "flag default:"},
		{policy.Case{Rule: "provider.fetch"}, "block policy.yaml:3"},
		{policy.Case{Rule: "provider.search"}, "flag default:"},
		{policy.Case{Rule: "provider.search", Name: "nothing"}, "block policy.yaml:3"},
		{policy.Case{Rule: "unreadable.media"}, "flag policy.yaml:4"},
		{policy.Case{Rule: "unreadable.cut"}, "block default:"},
		{policy.Case{Rule: "unreadable.what-was-never-heard-of"}, "block default:"},
		{policy.Case{Rule: "provider.unheard"}, "block default:"},
	} {
		c, want := tt.c, tt.want
		if e := p.Explain(c, time.Time{}); !strings.HasPrefix(e.Action.String()+" "+e.Line, want) {
			t.Errorf("%+v: %s %s, want %s", c, e.Action, e.Line, want)
		}
	}
	if e := policy.Default().Explain(policy.Case{Rule: "provider.search", Name: "nothing"}, time.Time{}); e.Action != flow.FlagIt {
		t.Errorf("a file changed the built-in policy: %+v", e)
	}
	if p := parse(t, "version: 1\nrules: []"); p.Explain(policy.Case{Rule: "secret.x"}, time.Time{}).Action != flow.FlagIt {
		t.Error("an empty list of rules is not empty")
	}
}

func TestStraysAreMisspeltRules(t *testing.T) {
	p := parse(t, `
version: 1
rules:
  - {rule: [secret.jwt, "*-token", provider.fetch], do: flag}
  - {rule: secret.jtw, do: flag}
  - {rule: "*", do: flag}
`)
	got := p.Strays([]string{"secret.jwt", "secret.github-token"})
	if len(got) != 1 || got[0] != "policy.yaml:5: rules[1].rule: secret.jtw fits no rule that there is; did you mean secret.jwt?" {
		t.Errorf("%q", got)
	}
}

// TestNoLineDecidesAboutWhoIsNotTrusted: a policy that names it is told so.
func TestNoLineDecidesAboutWhoIsNotTrusted(t *testing.T) {
	p := parse(t, "version: 1\nmode: observe\nrules:\n  - {rule: upstream.*, do: \"off\"}\n  - {rule: \"*\", do: flag}\n")
	if got := p.Strays([]string{"secret.jwt"}); len(got) != 1 || !strings.Contains(got[0], "rules[0].rule: upstream.* decides nothing") {
		t.Errorf("%q", got)
	}
	if e := p.Explain(policy.Case{Rule: policy.Untrusted}, time.Time{}); e.Action != flow.BlockIt || e.Verdict != flow.Block {
		t.Errorf("%+v", e)
	}
}

func TestVersionNamesTheText(t *testing.T) {
	one, two := parse(t, "version: 1"), parse(t, "version: 1 # changed")
	if one.Version() == two.Version() || !strings.HasPrefix(one.Version(), "policy-") || one.Version() != parse(t, "version: 1").Version() {
		t.Errorf("versions %s, %s", one.Version(), two.Version())
	}
	if v := policy.Default().Version(); !strings.HasPrefix(v, "default-") {
		t.Errorf("built-in: %s", v)
	}
	if v := (policy.Policy{}).Version(); v != "none" {
		t.Errorf("zero: %s", v)
	}
}

// The recommended file is sound, enforces, and passes its own tests; the page
// on policies has one example, which does, too.
func TestFilesThatWeShipPassTheirTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	for name, text := range map[string]string{"recommended": string(policy.Recommended()), "the page's": example} {
		p := parse(t, text)
		n, failures := p.Test(time.Now())
		if n < 4 || len(failures) > 0 || !p.Enforces() {
			t.Errorf("%s: %d tests, mode %s, failures: %+v", name, n, p.Mode(), failures)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(policy.Recommended())
	f.Add([]byte("version: 1\nrules: [{rule: '*', do: block}]\nprovider_acts: {tools: {a*: ask}}"))
	f.Add([]byte("version: 1\nrestore: {tools: [{tool: '*', fields: ['**', a.b.*]}]}\ntests: [{tool: text, expect: keep}]"))
	f.Add([]byte("a: &a [*a]\n<<: {b: 1}\n? [x]\n: y\n- - - -"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse("p.yaml", text)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "p.yaml") {
					t.Errorf("a problem that names no place: %q", line)
				}
			}
		}
		in := known()
		in.Findings = []flow.Finding{{Rule: "secret.x", Channel: flow.User, Severity: flow.High, Confidence: 90}}
		in.Acts = []flow.Act{{Kind: "fetch", Name: "tools[].type=x"}}
		d := p.Decide(in, time.Time{})
		if d.Why == "" || err != nil && d.Verdict != flow.Block || d.Verdict != flow.Pass && !p.Enforces() {
			t.Errorf("decision %+v, mode %q", d, p.Mode())
		}
		p.Restores("Write", []string{"content"})
		p.Test(time.Time{})
	})
}
