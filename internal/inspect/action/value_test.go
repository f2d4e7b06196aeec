package action_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect/action"
)

// quoted is a text as a JSON string.
func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// Arguments that a client would mend, or decode again, are judged as what it gets.
func TestArgumentsAsClientsReadThem(t *testing.T) {
	const args = `{"command":"rm -rf /"}`
	for _, tt := range []struct{ tool, args, at string }{
		{"Bash", `{"command":"rm -rf /`, "rm -rf /"},
		{"Bash", `{"command":"rm -rf /"`, "rm -rf /"},
		{"Bash", `{"command":"rm -rf /\`, ""},
		{"Bash", "{\"command\":\"cd /tmp\nrm -rf /\"}", "rm -rf /"},
		{"Bash", "{\"description\":\"a\nb\",\"command\":\"rm -rf /\"}", "rm -rf /"},
		{"Bash", `{"description":"\q","command":"rm -rf /"}`, "rm -rf /"},
		{"Bash", `{"command":"rm -rf /",}`, "rm -rf /"},
		{"shell", `{"command":["bash","-lc","rm -rf /`, ""},
		{"Bash", quoted(args), "rm -rf /"},
		{"Bash", quoted(quoted(args)), "rm -rf /"},
		{"Bash", quoted("rm -rf /"), "rm -rf /"},
		{"Bash", `{"args":` + quoted(args) + `}`, "rm -rf /"},
		{"Bash", `{"args":` + quoted(" "+quoted(args)) + `}`, "rm -rf /"},
		{"Bash", `{"args":` + quoted(`{"command":"rm -rf /`) + `}`, "rm -rf /"},
		{"execute_tool", `{"name":"x","arguments":` + quoted(args) + `}`, "rm -rf /"},
		{"edit_and_run", `{"arguments":` + quoted(args) + `}`, "rm -rf /"},
		{"shell", `{"env":[],"args":["a",` + quoted(`{"command":["rm","-rf","/"]}`) + `]}`, ""},
		{"shell", `{"command":` + quoted(`["rm","-rf","/"]`) + `}`, ""},
	} {
		w := worst(action.Classify(tt.tool, []byte(tt.args)), action.Destructive)
		if w.Severity != flow.Critical || w.Confidence < 90 || !strings.Contains(tt.args[w.Start:w.End], tt.at) {
			t.Errorf("%s %s: not found:%s", tt.tool, tt.args, told(action.Classify(tt.tool, []byte(tt.args))))
		}
	}
}

// What is only written somewhere, or looks like JSON at its beginning, runs nothing.
func TestTextsThatOnlyLookLikeArguments(t *testing.T) {
	const args = `{"command":"rm -rf /"}`
	for _, tt := range []struct{ tool, args string }{
		{"Write", `{"file_path":"hooks.json","content":` + quoted(args) + `}`},
		{"edit_file", `{"target_file":"hooks.json","code_edit":` + quoted(args) + `}`},
		{"Agent", `{"prompt":` + quoted(args) + `}`},
		{"Bash", `{"command":"[ \"$x\" = y ] && echo \"rm -rf /\""}`},
		{"Bash", `{"command":"{ echo \"rm -rf /\"; }"}`},
		{"Bash", `{"command":"\"echo\" \"rm -rf /\""}`},
		{"query", `{"filter":` + quoted(`{"name":"a","list":[1,true,null,-2.5e3]}`) + `}`},
	} {
		for _, f := range action.Classify(tt.tool, []byte(tt.args)) {
			if f.Severity >= flow.Medium {
				t.Errorf("%s %s: %s %s %d %s", tt.tool, tt.args, f.Rule, f.Severity, f.Confidence, f.Note)
			}
		}
	}
}

// Brackets without end cost no more than they are long.
func TestArgumentsThatOnlyOpen(t *testing.T) {
	for _, args := range []string{strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<17), `{"command":"` + strings.Repeat("[", 1<<20-20) + `"}`} {
		action.Classify("Bash", []byte(args))
	}
}
