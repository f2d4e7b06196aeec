package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

const guardrailPath = "/beta/litellm_basic_guardrail_api"

// verdict is what a guardrail answers.
type verdict struct {
	Action string
	Reason string `json:"blocked_reason"`
	Texts  []string
}

func (v verdict) String() string { return fmt.Sprintf("%s %s %q", v.Action, v.Reason, v.Texts) }

// asks puts a question as LiteLLM does.
func (b *harbour) asks(key, body string) (status int, text string) {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://localhost"+guardrailPath, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Api-Key", key)
	resp, err := b.admin.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}

// judges is asks, for a judgement.
func (b *harbour) judges(key, body string) (v verdict) {
	b.t.Helper()
	status, text := b.asks(key, body)
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != http.StatusOK {
		b.t.Errorf("%s: %d %s", body, status, text)
	}
	return v
}

func question(kind, more string) string {
	return `{"input_type":"` + kind + `","litellm_call_id":"c1","litellm_trace_id":"t1","request_data":{"user_api_key_hash":"8d2f60c1b3a94e57d0a1e6f9337c5b28e4d90a7f1b6c3582ad4e7f90b1c2d3e4","user_api_key_alias":"team"},"litellm_version":"1.108.7","additional_provider_specific_params":{},"images":null,"tools":null,"tool_calls":null,"structured_messages":null,"model":"gpt-4o",` + more + `}`
}

func asked(kind string, texts ...string) string {
	return question(kind, `"texts":[`+joined(texts, q)+`]`)
}

// TestGuardrailAnswers: another gateway's texts are judged by the policy of the key
// that asks; a value goes out as a pseudonym and comes back in the answer of the same
// conversation; each judgement is a flow on record.
func TestGuardrailAnswers(t *testing.T) {
	b := dock(t, string(policy.Recommended()))
	key, secret := b.key("proxy"), planted(21)
	if v := b.judges(key, asked("request", "hello", "how are you?")); v.Action != "NONE" || v.Texts != nil {
		t.Errorf("harmless: %s", v)
	}
	v := b.judges(key, asked("request", "hello", "the key is \""+secret+"\"\n"))
	if v.Action != "GUARDRAIL_INTERVENED" || len(v.Texts) != 2 || v.Texts[0] != "hello" || token.ReplaceAllString(v.Texts[1], "T") != "the key is \"T\"\n" {
		t.Errorf("a secret: %s", v)
	}
	stood := token.FindString(v.Texts[1])
	if v := b.judges(key, asked("response", "I use "+stood+".")); v.Action != "GUARDRAIL_INTERVENED" || len(v.Texts) != 1 || v.Texts[0] != "I use "+secret+"." {
		t.Errorf("on the way back: %s", v)
	}
	if v := b.judges(b.key("other"), asked("response", "I use "+stood+".")); v.Action != "NONE" {
		t.Errorf("for another key: %s", v)
	}
	if v := b.judges(key, asked("response", "I made up "+planted(23))); v.Action != "NONE" {
		t.Errorf("a value of the answer's own: %s", v)
	}
	if v := b.judges(key, question("request", `"texts":["hi"],"request_headers":{"x":"`+secret+`"}`)); v.Action != "NONE" {
		t.Errorf("what it says of itself: %s", v)
	}
	if v := b.judges(key, question("request", `"texts":["hi"],"extra":{"x":"`+secret+`"}`)); v.Action != "BLOCKED" {
		t.Errorf("a member that we don't know: %s", v)
	}
	flows := b.ended(7)
	if len(flows[0].Findings) != 0 || len(flows[5].Findings) != 0 {
		t.Errorf("of harmless texts: %+v %+v", flows[0].Findings, flows[5].Findings)
	}
	if f := flows[4].Findings; len(f) == 0 || f[0].Place != "answer" || f[0].Action != flow.FlagIt || flows[4].Verdict != flow.Pass {
		t.Errorf("the answer's own: %s %+v", flows[4].Verdict, f)
	}
	for i, want := range []struct {
		verdict flow.Verdict
		api     flow.API
		who     string
	}{{flow.Pass, flow.AskRequest, "key:proxy"}, {flow.Redact, flow.AskRequest, "key:proxy"}, {flow.Pass, flow.AskResponse, "key:proxy"}, {flow.Pass, flow.AskResponse, "key:other"}} {
		v := flows[i]
		if v.Verdict != want.verdict || v.API != want.api || v.Principal != want.who || v.Entrance != flow.Guardrail || v.State != flow.Done || v.Status != 200 || v.Model != "gpt-4o" || v.Session != "t1" {
			t.Errorf("flow %d: %+v", i, v)
		}
	}
	if got := b.raw(flows[0].ID, "request"); got != asked("request", "hello", "how are you?") {
		t.Errorf("kept of the question: %s", got)
	}
	if got := b.raw(flows[0].ID, "delivered"); got != `{"action":"NONE"}`+"\n" {
		t.Errorf("kept of the answer: %s", got)
	}
	b.close()
	grep(t, b.dir, secret)
	grep(t, b.dir, key)
}

// TestGuardrailBlocks: what can't go on, and what can't be changed where it stands,
// is blocked with the why.
func TestGuardrailBlocks(t *testing.T) {
	b := dock(t, string(policy.Recommended())+"  - {rule: secret.github-token, channel: user, confidence: 95, expect: redact}\n")
	key, secret := b.key("proxy"), planted(22)
	tool := func(text string) string {
		return `{"type":"function","function":{"name":"f","description":` + q(text) + `,"parameters":{"type":"object"}}}`
	}
	call := func(name, args string) string {
		return `{"id":"c1","type":"function","function":{"name":` + q(name) + `,"arguments":` + q(args) + `}}`
	}
	for name, tc := range map[string]struct{ body, action, why string }{
		"a secret in a tool":          {question("request", `"texts":["hi"],"tools":[`+tool("use "+secret)+`]`), "BLOCKED", "secret."},
		"a secret in a message alone": {question("request", `"texts":["hi"],"structured_messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[`+call("run", `{"k":"`+secret+`"}`)+`]}]`), "BLOCKED", "secret."},
		"a secret in both":            {question("request", `"texts":["my `+secret+`"],"structured_messages":[{"role":"user","content":"my `+secret+`"}]`), "GUARDRAIL_INTERVENED", ""},
		"a dangerous call":            {question("response", `"texts":[""],"tool_calls":[`+call("Bash", `{"command":"rm -rf /"}`)+`]`), "BLOCKED", "action.destructive"},
		"a harmless call":             {question("response", `"texts":[""],"tool_calls":[`+call("Bash", `{"command":"ls"}`)+`]`), "NONE", ""},
		"a secret in an answer":       {question("response", `"texts":["it is `+planted(23)+`"]`), "NONE", ""},
		"a server by the provider":    {question("request", `"texts":["hi"],"tools":[{"type":"mcp","server_url":"https://x.example"}]`), "BLOCKED", "provider.connect"},
		"an image by its address":     {question("request", `"texts":["hi"],"images":["https://x.example/a.png"]`), "NONE", ""},
		"no texts":                    {question("request", `"texts":null`), "NONE", ""},
	} {
		if v := b.judges(key, tc.body); v.Action != tc.action || !strings.Contains(v.Reason, tc.why) || strings.Contains(v.Reason, secret) {
			t.Errorf("%s: %s, want %s because of %s", name, v, tc.action, tc.why)
		}
	}
	for _, v := range b.ended(9) {
		if blocked := v.Verdict == flow.Block; blocked != (v.State == flow.Refused) || blocked && !strings.Contains(b.raw(v.ID, "delivered"), `"BLOCKED"`) {
			t.Errorf("%s %s: %s", v.Verdict, v.State, b.raw(v.ID, "delivered"))
		}
	}
}

// TestGuardrailReadsCallsInEveryShape: a proposed call is judged as whichever API has
// it, wherever the question shows it; one in no known form does not pass.
func TestGuardrailReadsCallsInEveryShape(t *testing.T) {
	b := dock(t, string(policy.Recommended()))
	key := b.key("proxy")
	const flat = `{"name":"Bash","arguments":{"command":"rm -rf /"}}`
	args := q(`{"command":"rm -rf /"}`)
	shapes := map[string]struct{ more, why string }{
		"arguments as an object":      {`"tool_calls":[{"function":` + flat + `}]`, "action.destructive"},
		"flat":                        {`"tool_calls":[{"name":"Bash","arguments":` + args + `}]`, "action.destructive"},
		"Anthropic's":                 {`"tool_calls":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"rm -rf /"}}]`, "action.destructive"},
		"a custom tool's":             {`"tool_calls":[{"type":"custom","custom":{"name":"bash","input":"rm -rf /"}}]`, "action.destructive"},
		"Responses'":                  {`"tool_calls":[{"type":"function_call","call_id":"c","status":"completed","name":"Bash","arguments":` + args + `}]`, "action.destructive"},
		"Gemini's":                    {`"tool_calls":[{"functionCall":{"name":"Bash","args":{"command":"rm -rf /"}}}]`, "action.destructive"},
		"one":                         {`"tool_calls":{"function":{"name":"Bash","arguments":` + args + `}}`, "action.destructive"},
		"encoded twice":               {`"tool_calls":[{"function":{"name":"Bash","arguments":` + q(args) + `}}]`, "action.destructive"},
		"both ways":                   {`"tool_calls":[{"function":{"name":"Bash","arguments":"{}"},"input":{"command":"rm -rf /"}}]`, "action.destructive"},
		"in a message":                {`"structured_messages":[{"role":"assistant","content":null,"tool_calls":[{"function":` + flat + `}]}]`, "action.destructive"},
		"in a message's content":      {`"structured_messages":[{"role":"assistant","content":[{"type":"tool_use","name":"Bash","input":{"command":"rm -rf /"}}]}]`, "action.destructive"},
		"a message that is one":       {`"structured_messages":[{"type":"function_call","name":"Bash","arguments":` + args + `}]`, "action.destructive"},
		"the old way":                 {`"structured_messages":[{"role":"assistant","function_call":` + flat + `}]`, "action.destructive"},
		"no known form":               {`"tool_calls":[{"tool":"Bash","with":["ls"]}]`, "unreadable.malformed"},
		"a name and something else":   {`"tool_calls":[{"name":"Bash","run":{"command":"ls"}}]`, "unreadable.malformed"},
		"a text":                      {`"tool_calls":"rm -rf /"`, "unreadable.malformed"},
		"harmless":                    {`"tool_calls":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls"}},null]`, ""},
		"without arguments":           {`"tool_calls":[{"id":"c","type":"function","function":{"name":"list"}}]`, ""},
		"with members of a provider":  {`"tool_calls":[{"id":"c","index":0,"type":"function","provider_specific_fields":{"x":1},"function":{"name":"list","arguments":"{}"}}]`, ""},
		"a message without any":       {`"structured_messages":[{"role":"assistant","name":"ann","content":[{"type":"text","text":"hi"}]}]`, ""},
		"more members than are split": {strings.Repeat(`"a":1,`, 1100) + `"tool_calls":[{"function":` + flat + `}]`, "action.destructive"},
	}
	for name, tc := range shapes {
		want := "NONE"
		if tc.why != "" {
			want = "BLOCKED"
		}
		if v := b.judges(key, `{"input_type":"response","texts":[""],`+tc.more+`}`); v.Action != want || !strings.Contains(v.Reason, tc.why) {
			t.Errorf("%s: %s, want %s because of %s", name, v, want, tc.why)
		}
	}
}

// TestGuardrailImages: an image can't be read, named by its address or spelled out.
func TestGuardrailImages(t *testing.T) {
	b := dock(t, "version: 1\nmode: enforce\n")
	key := b.key("proxy")
	png := "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	for _, image := range []string{"https://x.example/a.png", png} {
		if v := b.judges(key, question("request", `"texts":["hi"],"images":[`+q(image)+`]`)); v.Action != "BLOCKED" || !strings.Contains(v.Reason, "unreadable.media") {
			t.Errorf("%.30s: %s", image, v)
		}
	}
}

// TestGuardrailReports: in mode report everything may go on, and the record says
// what would have become of it.
func TestGuardrailReports(t *testing.T) {
	b := dock(t, "")
	if v := b.judges(b.key("proxy"), asked("request", "the key is "+planted(24))); v.Action != "NONE" {
		t.Errorf("%s", v)
	}
	if v := b.ended(1)[0]; v.Would != "redact" || v.Verdict != flow.Pass || len(v.Findings) == 0 {
		t.Errorf("%s %q %+v", v.Verdict, v.Would, v.Findings)
	}
}

// TestGuardrailRefuses: no key, no judgement; and no judgement looks like one.
func TestGuardrailRefuses(t *testing.T) {
	b := dock(t, "")
	key := b.key("proxy")
	body := asked("request", "hello")
	for name, tc := range map[string]struct {
		key, body string
		status    int
	}{
		"no key":        {"", body, 401},
		"a wrong key":   {"ghk_" + strings.Repeat("a", 38), body, 401},
		"no JSON":       {key, "hello", 400},
		"a list":        {key, "[]", 400},
		"cut":           {key, body[:len(body)-1], 400},
		"no kind":       {key, `{"texts":["a"]}`, 400},
		"an odd kind":   {key, `{"texts":["a"],"input_type":"both"}`, 400},
		"texts of text": {key, question("request", `"texts":"a"`), 400},
		"a number":      {key, question("request", `"texts":["a",1]`), 400},
	} {
		if status, text := b.asks(tc.key, tc.body); status != tc.status {
			t.Errorf("%s: %d %s, want %d", name, status, text, tc.status)
		}
	}
	if n := len(b.ended(7)); n != 7 { // those with a key
		t.Errorf("%d flows", n)
	}
	b.admin.CloseIdleConnections()
	r, _ := http.NewRequest(http.MethodDelete, "http://localhost/api/v1/keys/proxy", nil)
	if resp, err := b.admin.Do(r); err != nil || resp.StatusCode != 204 {
		t.Fatal(resp, err)
	}
	if status, text := b.asks(key, body); status != 401 {
		t.Errorf("a revoked key: %d %s", status, text)
	}
}

// TestGuardrailIsOnTheConsolesPort: the port, not only its socket, and not the agents'.
func TestGuardrailIsOnTheConsolesPort(t *testing.T) {
	h := open(t, t.TempDir(), says, func(c *config.Config) { c.Console = "127.0.0.1:0" })
	holder, _ := ledger.Held(h.dir)
	resp, err := http.Post("http://"+holder.Console+guardrailPath, "application/json", strings.NewReader("{}"))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("%v %v", resp, err)
	}
	resp.Body.Close()
}

// TestOneGatehouseAsksAnother: what one makes of a text is a finding of the other's,
// and its pseudonyms are not forwarded.
func TestOneGatehouseAsksAnother(t *testing.T) {
	dir := t.TempDir()
	saveRules(t, dir, "acme.yaml", operators)
	write(t, filepath.Join(dir, "policy.yaml"), "version: 1\nmode: enforce\nrules: [{rule: acme.names, do: redact}, {rule: canary.*, do: block}]\n")
	them := &harbour{house: open(t, dir, says, func(c *config.Config) { c.Console = "127.0.0.1:0" })}
	key := filepath.Join(dir, "their.key")
	write(t, key, them.key("neighbour"))
	holder, _ := ledger.Held(dir)
	m := asking(t, "version: 1\nmode: enforce\nrules: [{rule: remote.them-changed, do: redact}, {rule: remote.them-blocked, do: block}]\n",
		"detectors:\n  - {name: them, kind: guardrail, url: \"http://"+holder.Console+"\", key: \"file:"+key+"\", timeout: 20s}\n")
	m.call(messagesPath, claude(q("é we call it red fox, \"ok\"?")), "Content-Type", "application/json")
	seen := strings.Join(m.seen, "")
	if token.ReplaceAllString(seen, "T") != claude(q("é we call it T, \"ok\"?")) {
		t.Errorf("the provider got %s", seen)
	}
	theirs := them.ended(1)[0]
	if theirs.Principal != "key:neighbour" || theirs.Verdict != flow.Redact || strings.Contains(them.raw(theirs.ID, "delivered"), token.FindString(seen)) {
		t.Errorf("they judged %+v and said %s", theirs, them.raw(theirs.ID, "delivered"))
	}
	resp, text := m.call(messagesPath, claude(q("see Bait-7f3e-99")), "Content-Type", "application/json")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "remote.them-blocked") {
		t.Errorf("bait: %s %s", resp.Status, text)
	}
}
