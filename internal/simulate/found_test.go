package simulate_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/simulate"
)

const token = "QZABCDEFGH23456789JKLM"

const findToken = "{{found QZ[A-Z2-9]{20}}}"

// TestFound: a script can use what the model saw, wherever it stands, and the
// model saw the newest one last.
func TestFound(t *testing.T) {
	old := strings.Replace(token, "A", "Z", 1)
	write := string(must(json.Marshal(`call: Write {"content":"v=` + findToken + `"}`)))
	patch := string(must(json.Marshal(`call: exec "patch(\"` + findToken + `\");\n"`)))
	for name, tc := range map[string]struct{ path, body, want string }{
		"messages": {"/v1/messages",
			`{"model":"m","tools":[{"name":"Write","input_schema":{}}],"system":"` + old + `","messages":[{"role":"user","content":[{"type":"text","text":"key ` + token + `"}]},{"role":"assistant","content":"ok"},{"role":"user","content":` + write + `}]}`,
			`"input":{"content":"v=` + token + `"}`},
		"chat": {"/v1/chat/completions",
			`{"model":"m","tools":[{"type":"function","function":{"name":"Write"}}],"messages":[{"role":"system","content":"` + old + `"},{"role":"tool","content":"` + token + `"},{"role":"user","content":` + write + `}]}`,
			`"arguments":"{\"content\":\"v=` + token + `\"}"`},
		"responses": {"/v1/responses",
			`{"model":"m","instructions":"` + old + `","input":[` + execTool + `,{"type":"custom_tool_call_output","call_id":"c","output":"` + token + `"},{"type":"message","role":"user","content":` + patch + `}]}`,
			`"input":"patch(\"` + token + `\");\n"`},
		"gemini": {"/v1beta/models/m:generateContent",
			`{"tools":[{"functionDeclarations":[{"name":"Write"}]}],"systemInstruction":{"parts":[{"text":"` + old + `"}]},"contents":[{"role":"user","parts":[{"functionResponse":{"response":{"out":["` + token + `"]}}}]},{"role":"user","parts":[{"text":` + write + `}]}]}`,
			`"args":{"content":"v=` + token + `"}`},
	} {
		if _, got := post(t, serve(t, simulate.Options{})+tc.path, tc.body); !strings.Contains(got, tc.want) {
			t.Errorf("%s: want %s in %s", name, tc.want, got)
		}
	}
}

// TestFoundIsEscaped: what was found stands rightly in a text, in a command,
// and in arguments; groups count, and nothing is something.
func TestFoundIsEscaped(t *testing.T) {
	url := serve(t, simulate.Options{}) + "/v1/messages"
	ask := func(script string) string {
		saw := string(must(json.Marshal(`it says name="a \ b"` + "\n")))
		_, got := post(t, url, `{"model":"m",`+claudeTool+`,"messages":[{"role":"user","content":`+saw+`},{"role":"user","content":`+string(must(json.Marshal(script)))+`}]}`)
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: not JSON: %s", script, got)
		}
		return got
	}
	for script, want := range map[string]string{
		`say: <{{found name=(".*")}}> <{{found b\S}}>`: `"text":"<\"a \\ b\"> <b\">"`,
		`run: echo {{found name=(.*)}}`:                `"command":"echo \"a \\ b\""`,
		`call: Other {"x":"{{found name=(.*)}}"}`:      `"input":{"x":"\"a \\ b\""}`,
		`say: {{found no such}}`:                       `"text":"nothing-found"`,
		`say: {{found (}}`:                             `"text":"bad-expression"`,
	} {
		if got := ask(script); !strings.Contains(got, want) {
			t.Errorf("%s: want %s in %s", script, want, got)
		}
	}
}

// TestDelta: a word comes in as many deltas as it has characters.
func TestDelta(t *testing.T) {
	url := serve(t, simulate.Options{})
	for path, tc := range map[string]struct{ body, field string }{
		"/v1/messages":         {`{"model":"m","stream":true,` + claudeTool + `,"messages":[{"role":"user","content":%s}]}`, `"text":"%s"`},
		"/v1/chat/completions": {`{"model":"m","stream":true,"messages":[{"role":"user","content":%s}]}`, `"content":"%s"`},
		"/v1/responses":        {`{"model":"m","stream":true,"input":%s}`, `"delta":"%s"`},
		"/v1beta/models/m:streamGenerateContent?alt=sse": {`{"contents":[{"role":"user","parts":[{"text":%s}]}]}`, `"text":"%s"`},
	} {
		_, got := post(t, url+path, fmt.Sprintf(tc.body, `"[delta 2] say: wörter"`))
		for _, piece := range []string{"wö", "rt", "er"} {
			if strings.Count(got, fmt.Sprintf(tc.field, piece)) != 1 {
				t.Errorf("%s: %q is no delta of its own in %s", path, piece, got)
			}
		}
	}
	resp := request(t, url+"/v1/messages", `{"model":"m","stream":true,`+claudeTool+`,"messages":[{"role":"user","content":"[delta 1] call: Other {\"x\":1}"}]}`)
	if got := string(must(io.ReadAll(resp.Body))); strings.Count(got, "input_json_delta") != 1+len(`{"x":1}`) {
		t.Errorf("arguments: %s", got)
	}
}
