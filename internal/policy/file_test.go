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
dir/policy.yaml:8:21: rules[1].channel: "tool_resutl" is no channel: system, user, assistant, tool_definition, tool_call, tool_result, file, envelope, provider; did you mean tool_result?
dir/policy.yaml:9:6: rules[2]: needs a rule: the name of what was found, or a pattern such as secret.*
dir/policy.yaml:10:6: rules[3]: needs do: off, flag, redact, ask, block
dir/policy.yaml:10:17: rules[3].min_confidence: must be between 0 and 100: percent
dir/policy.yaml:11:27: rules[4].severity: unknown severity "awful": low, medium, high or critical
dir/policy.yaml:12:14: unreadable.media: can't be redact: there is nothing to replace; off, flag, ask or block
dir/policy.yaml:13:24: provider_acts.fetch: unknown action "allow": off, flag, redact, ask or block
dir/policy.yaml:13:39: provider_acts.tools.web*: can't be redact: there is nothing to replace; off, flag, ask or block
dir/policy.yaml:14:19: restore.tools[0]: needs fields, or free_text: true for a tool that takes free text
dir/policy.yaml:15:1: unredactable: can't be redact: it is for what can't be redacted
dir/policy.yaml:17:17: tests[0].expect: "blok" is not what can be expected: off, flag, redact, ask, block; did you mean block?
dir/policy.yaml:18:18: tests[1].expect: "flag" is not what can be expected: restore, keep`
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
	_ = flow.Block
	_ = os.Args
	_ = time.Now
}
