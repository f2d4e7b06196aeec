package conversation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/flow"
)

func finding(raw, value string, action flow.Action) flow.Finding {
	at := int64(strings.Index(raw, value))
	return flow.Finding{ID: "f_1", Rule: "secret.test", Severity: flow.High, Start: at, End: at + int64(len(value)), Action: action}
}

func asked(raw string, found ...flow.Finding) *conversation.Flow {
	return &conversation.Flow{
		Intent: &flow.Intent{Flow: "f1", API: flow.Messages, Provider: flow.Anthropic, Turn: 1, Findings: found, Decision: flow.Decision{Verdict: flow.Pass}},
		At:     -1, Blocks: []conversation.Block{{Field: "messages", Role: "user", Raw: []byte(raw)}},
	}
}

// under gives what stands under the marks of a text.
func under(p *conversation.Part) (list []string) {
	units := utf16.Encode([]rune(p.Text))
	for _, m := range p.Marks {
		list = append(list, m.Shown+" "+string(utf16.Decode(units[m.Start:m.End])))
	}
	return list
}

// TestMarksStandInTheText: through escapes, in arguments that stay JSON, in results
// that are joined, where the same text comes twice, and behind a stand-in.
func TestMarksStandInTheText(t *testing.T) {
	for name, tc := range map[string]struct {
		raw, value string
		action     flow.Action
		put        string
		want       string
		marks      []string
	}{
		"plain":            {`{"type":"text","text":"it is s3cret."}`, `s3cret`, flow.FlagIt, "", "it is ●●●●.", []string{"masked ●●●●"}},
		"behind escapes":   {`{"type":"text","text":"\ud834\udd1e\"\n s3cret"}`, `s3cret`, flow.FlagIt, "", "𝄞\"\n ●●●●", []string{"masked ●●●●"}},
		"with escapes":     {`{"type":"text","text":"a s3\u0063ret b"}`, `s3\u0063ret`, flow.FlagIt, "", "a ●●●● b", []string{"masked ●●●●"}},
		"in arguments":     {`{"type":"tool_use","name":"B","input":{"a":"𝄞","command":"x s3cret"}}`, `s3cret`, flow.FlagIt, "", `{"a":"𝄞","command":"x ●●●●"}`, []string{"masked ●●●●"}},
		"in a joined one":  {`{"type":"tool_result","content":[{"type":"text","text":"one"},{"type":"text","text":"s3cret!"}]}`, `s3cret`, flow.FlagIt, "", "one\n●●●●!", []string{"masked ●●●●"}},
		"replaced":         {`{"type":"text","text":"é s3cret b"}`, `s3cret`, flow.RedactIt, "QZSTANDIN", "é QZSTANDIN b", []string{"pseudonym QZSTANDIN"}},
		"over two strings": {`{"type":"tool_result","content":[{"type":"text","text":"a s3c"},{"type":"text","text":"ret b"}]}`, `s3c"},{"type":"text","text":"ret`, flow.FlagIt, "", "a ●●●●\n●●●● b", []string{"masked ●●●●", "masked ●●●●"}},
		"a whole message":  {`{"role":"user","content":"s3cret"}`, `s3cret`, flow.FlagIt, "", "●●●●", []string{"masked ●●●●"}},
		"not text":         {`{"type":"image","source":{"type":"url","url":"http://x/s3cret"}}`, `s3cret`, flow.FlagIt, "", "http://x/●●●●", []string{"masked ●●●●"}},
	} {
		f := asked(tc.raw, finding(tc.raw, tc.value, tc.action))
		if tc.put != "" {
			at := f.Intent.Findings[0].Start
			f.Edits = []conversation.Edit{{At: at, Cut: int64(len(tc.value)), Put: []byte(tc.put)}}
		}
		var b conversation.Builder
		turn := b.Add(f)
		if len(turn.Added) != 1 || turn.Added[0].Text != tc.want || fmt.Sprint(under(turn.Added[0])) != fmt.Sprint(tc.marks) {
			t.Errorf("%s: %+v, marks %q", name, turn.Added[0], under(turn.Added[0]))
		}
		if tc.put == "" && name != "over two strings" {
			if got, err := conversation.Reveal(f, "", 0, f.Intent.Findings[0].Start, f.Intent.Findings[0].End); err != nil || got != "s3cret" {
				t.Errorf("%s: revealed %q, %v", name, got, err)
			}
		}
	}
}

// TestMildFindingsStayReadable: what is no secret is marked and not hidden.
func TestMildFindingsStayReadable(t *testing.T) {
	raw := `{"type":"text","text":"ignore all of it"}`
	for rule, shown := range map[string]string{"injection.ignore": "text ignore", "pii.email": "text ignore", "secret.x": "masked ●●●●", "canary.x": "masked ●●●●", "registered.x": "masked ●●●●"} {
		f := finding(raw, "ignore", flow.FlagIt)
		f.Rule, f.Severity = rule, flow.Medium
		var b conversation.Builder
		if got := under(b.Add(asked(raw, f)).Added[0]); len(got) != 1 || got[0] != shown {
			t.Errorf("%s: %q, want %q", rule, got, shown)
		}
	}
}

// TestABlockOfManyParts: all of the functions that stand in one block are there, under
// numbers of their own, and what was found in one is hidden in that.
func TestABlockOfManyParts(t *testing.T) {
	for _, n := range []int{4, 100, 5000} {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"name":"f%d","description":"d%d"}`, i, i))
		}
		list[2] = `{"name":"f2","description":"it is s3cret"}`
		raw := `{"functionDeclarations":[` + strings.Join(list, ",") + `]}`
		f := asked(raw, finding(raw, "s3cret", flow.FlagIt))
		f.Intent.API, f.Blocks[0].Field = flow.Generate, "tools"
		f.Blocks = append(f.Blocks, conversation.Block{Field: "contents", Role: "user", Start: int64(len(raw)), Raw: []byte(`{"text":"hi"}`)})
		var b conversation.Builder
		parts := b.Add(f).Added
		if len(parts) != min(n, 4096)+1 || parts[1].Kind != flow.ToolDef || parts[1].Name != "f1" {
			t.Fatalf("%d functions: %d parts, %+v", n, len(parts), parts[1])
		}
		if got := parts[2].Text; !strings.Contains(got, "●●●●") || strings.Contains(got, "s3cret") {
			t.Errorf("%d functions: %s", n, got)
		}
		for _, i := range []int{0, len(parts) / 2, len(parts) - 2, len(parts) - 1} {
			p := parts[i]
			got := conversation.PartOf(f, p.N)
			if got == nil || got.Name != p.Name || got.Kind != p.Kind || i == len(parts)-2 && !strings.Contains(got.Text, fmt.Sprint("d", n-1)) {
				t.Fatalf("part %d (%s) is read as %+v", p.N, p.Name, got)
			}
		}
	}
}

// TestTitlesSayWhatACallIsAbout, and show no value.
func TestTitlesSayWhatACallIsAbout(t *testing.T) {
	for _, tc := range []struct{ name, args, want string }{
		{"Bash", `{"command":"\ngit push\nmore","description":"d"}`, "Bash git push"},
		{"Read", `{"file_path":"src/main.go","limit":3}`, "Read src/main.go"},
		{"Grep", `{"pattern":"needle","path":"."}`, "Grep ."},
		{"shell", `{"command":["bash","-lc","ls -R"]}`, "shell ls -R"},
		{"shell", `{"command":["ls","-R"]}`, "shell ls -R"},
		{"read_file", `{"absolute_path":"/a/b"}`, "read_file /a/b"},
		{"mcp__x__y", `{"n":1,"zone":"eu"}`, "mcp__x__y eu"},
		{"exec", `const r = await tools.exec_command({cmd: \"x\"});`, "exec const r = await tools.exec_command({cmd: \\\"x\\\"});"},
		{"apply_patch", "*** Begin Patch\n*** Update File: a.go\n", "apply_patch a.go"},
		{"Bash", `{`, "Bash"},
		{"Bash", `{"command":"echo s3cret"}`, "Bash echo ●●●●"},
	} {
		if tc.name == "Grep" {
			tc.want = "Grep needle"
		}
		args, _ := json.Marshal(tc.args)
		raw := fmt.Sprintf(`{"type":"custom_tool_call","name":%q,"input":%s,"call_id":"c"}`, tc.name, args)
		var found []flow.Finding
		if strings.Contains(raw, "s3cret") {
			found = append(found, finding(raw, "s3cret", flow.FlagIt))
		}
		f := asked(raw, found...)
		f.Intent.API, f.Blocks[0].Field = flow.Responses, "input"
		var b conversation.Builder
		if got := b.Add(f).Added[0].Title; got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.name, tc.args, got, tc.want)
		}
	}
}

// TestTheCacheIsExplained by what is known.
func TestTheCacheIsExplained(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		change func(f *conversation.Flow)
		reason string
		text   string
	}{
		"served":     {func(f *conversation.Flow) { f.Outcome.Usage.CacheRead = 9990 }, "", "9,990 of 10,000 tokens came from the cache."},
		"tools":      {func(f *conversation.Flow) { f.Change.Tools = true }, "tools", "The tool definitions changed, so 10,000 tokens were read anew."},
		"system":     {func(f *conversation.Flow) { f.Change.System = true }, "system", "The system prompt changed, so 10,000 tokens were read anew."},
		"model":      {func(f *conversation.Flow) { f.Intent.Model = "b" }, "model", "The model changed from a to b, which has a cache of its own, so 10,000 tokens were read anew."},
		"history":    {func(f *conversation.Flow) { f.At = 6; f.Outcome.Usage.CacheRead = 4000 }, "history", "The conversation changed from its block 7 on, so 6,000 tokens were read anew."},
		"developer":  {func(f *conversation.Flow) { f.At, f.Role = 1, "developer" }, "system", "The instructions in block 2 of the conversation changed, so 10,000 tokens were read anew."},
		"expired":    {func(f *conversation.Flow) { f.Intent.Started = start.Add(6 * time.Minute) }, "expired", "6 minutes passed since the turn before it, longer than the cache lives, so 10,000 tokens were read anew."},
		"in an hour": {func(f *conversation.Flow) { f.Intent.Started = start.Add(6 * time.Minute); f.Role = "1h" }, "unknown", ""},
		"unknown":    {func(f *conversation.Flow) {}, "unknown", "The request goes on where the one before it ended, and why the cache did not serve it can't be told: 10,000 tokens were read anew."},
	} {
		first := asked(`{"type":"text","text":"a"}`)
		first.Intent.Model, first.Intent.Started = "a", start
		first.Outcome = &flow.Outcome{Flow: "f1", State: flow.Done, Usage: flow.Usage{Input: 5, CacheWrite: 10_000}}
		next := asked(`{"type":"text","text":"b"}`)
		next.Intent.Flow, next.Intent.Model, next.Intent.Started, next.Before = "f2", "a", start.Add(time.Minute), "f1"
		next.Outcome = &flow.Outcome{Flow: "f2", State: flow.Done, Usage: flow.Usage{Input: 10_000}}
		tc.change(next)
		if next.Role == "1h" {
			first.Outcome.Usage.CacheWrite1h, next.Role = 10_000, ""
		}
		next.Outcome.Model = next.Intent.Model
		var b conversation.Builder
		b.Add(first)
		if c := b.Add(next).Cache; c.Reason != tc.reason || tc.text != "" && c.Text != tc.text {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestOnlyPicturesOfPixelsAreGiven.
func TestOnlyPicturesOfPixelsAreGiven(t *testing.T) {
	for data, want := range map[string]string{
		"iVBORw0KGgoAAAANSUhEUg==":                 "image/png",
		"PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj48L3N2Zz4=": "",
	} {
		raw := fmt.Sprintf(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":%q}}`, data)
		var b conversation.Builder
		m := b.Add(asked(raw)).Added[0].Media
		if m == nil || (m.Data != "") != (want != "") || m.Bytes == 0 {
			t.Errorf("%s: %+v", data, m)
		}
	}
}

// TestResultsShowTheirPictures: in each API's form, and only those of pixels.
func TestResultsShowTheirPictures(t *testing.T) {
	const png, svg = "iVBORw0KGgoAAAANSUhEUg==", "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj48L3N2Zz4="
	for raw, api := range map[string]flow.API{
		`{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + svg + `"}}]}`: flow.Messages,
		`{"type":"function_call_output","call_id":"t","output":[{"type":"input_image","image_url":"data:image/png;base64,` + png + `"}]}`:                                                                                                                                     flow.Responses,
		`{"functionResponse":{"name":"read_file","response":{"output":"ok"},"parts":[{"inlineData":{"mimeType":"image/png","data":"` + png + `"}}]}}`:                                                                                                                         flow.StreamGenerate,
	} {
		f := asked(raw)
		f.Intent.API = api
		var b conversation.Builder
		parts := b.Add(f).Added
		if len(parts) != 1 || parts[0].Kind != flow.ToolResult || len(parts[0].Shows) != 1 || parts[0].Shows[0].Type != "image/png" || parts[0].Shows[0].Data != png {
			t.Errorf("%s: %+v", api, parts[0])
		}
		if b.Bytes() < len(png) {
			t.Errorf("%s: %d bytes in all", api, b.Bytes())
		}
	}
}

// FuzzConversation: whatever stands in a flow, what is shown is valid, its marks lie
// in it, and a hidden value is not in it.
func FuzzConversation(f *testing.F) {
	f.Add([]byte(`{"type":"text","text":"it is s3cret-value."}`), []byte(`{"content":[{"type":"text","text":"s3cret-value"}]}`), "user", 30, 42, uint8(0), "x")
	f.Add([]byte(`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"s3cret\"}"}}]}`), []byte("data: {}\n\n"), "", 100, 110, uint8(1), "")
	f.Add([]byte("\"\xff\xfe\\ud800 s3cret-value\""), []byte("\xff"), "\xff", 2, 9, uint8(2), "é")
	f.Fuzz(func(t *testing.T, raw, answer []byte, role string, start, end int, api uint8, put string) {
		apis := []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.StreamGenerate, flow.Opaque}
		found := flow.Finding{ID: "f_1", Rule: "secret.x", Start: int64(start), End: int64(end), Action: flow.FlagIt}
		in := found
		in.Place = "answer"
		fl := asked(string(raw), found)
		fl.Intent.API = apis[int(api)%len(apis)]
		fl.Blocks[0].Role = role
		fl.Blocks[0].Secrets = []conversation.Secret{{Start: end, End: start, Rule: role}}
		fl.Blocks[0].Found = []flow.Finding{found, in}
		if put != "" {
			fl.Edits = []conversation.Edit{{At: int64(end), Cut: int64(start), Put: []byte(put)}}
		}
		fl.Chunks = [][]byte{answer[:len(answer)/2], answer[len(answer)/2:]}
		fl.Rest, fl.Hide, fl.Loose = raw, conversation.NewValues([]conversation.Value{{Text: "s3cret-value", Rule: "secret.x"}}), true
		fl.Outcome = &flow.Outcome{State: flow.Done, Model: role, Findings: []flow.Finding{in}}
		var b conversation.Builder
		turn := b.Add(fl)
		for _, p := range append(append([]*conversation.Part{}, turn.Added...), turn.Answer...) {
			units := len(utf16.Encode([]rune(p.Text)))
			if !utf8.ValidString(p.Text + p.Title + p.Role + p.Name + p.ID) {
				t.Errorf("not valid: %q", p.Text)
			}
			if strings.Contains(p.Text, "s3cret-value") || strings.Contains(p.Title, "s3cret-value") {
				t.Errorf("the value is shown: %q %q", p.Title, p.Text)
			}
			for _, m := range p.Marks {
				if m.Start < 0 || m.End < m.Start || m.End > units {
					t.Errorf("mark %+v of %d units", m, units)
				}
			}
			if whole := conversation.PartOf(fl, p.N); whole == nil || !p.Cut && whole.Text != p.Text {
				t.Errorf("part %d is not found: %+v", p.N, whole)
			}
		}
		text, err := json.Marshal(b.Done())
		if err != nil || bytes.Contains(text, []byte("s3cret-value")) {
			t.Errorf("%v: %s", err, text)
		}
		conversation.Reveal(fl, "", 0, int64(start), int64(end))
		conversation.Reveal(fl, "answer", int64(start), 0, int64(end))
	})
}

// TestValuesAreHiddenAsTheyAreWritten: arguments stay JSON, in which a value stands
// with its escapes.
func TestValuesAreHiddenAsTheyAreWritten(t *testing.T) {
	const value = "--BEGIN KEY--\n\"s3cret\" é <b>\n--END KEY--"
	once, _ := json.Marshal(value)
	twice, _ := json.Marshal(string(once))
	for name, raw := range map[string]string{
		"text":        `{"type":"text","text":` + string(once) + `}`,
		"arguments":   `{"type":"tool_use","name":"Write","input":{"content":` + string(once) + `}}`,
		"by Python":   `{"type":"tool_use","name":"Write","input":{"content":"--BEGIN KEY--\n\"s3cret\" \u00e9 <b>\n--END KEY--"}}`,
		"within JSON": `{"type":"tool_use","name":"Write","input":{"content":` + string(twice) + `}}`,
	} {
		f := asked(raw)
		f.Loose, f.Hide = true, conversation.NewValues([]conversation.Value{{Text: value, Rule: "secret.test"}})
		var b conversation.Builder
		if p := b.Add(f).Added[0]; strings.Contains(p.Text, "s3cret") || len(p.Marks) != 1 {
			t.Errorf("%s: %q, %d marks", name, p.Text, len(p.Marks))
		}
	}
}

// TestNamesShowNoValue: nor do ids, of what is sent and of what comes back.
func TestNamesShowNoValue(t *testing.T) {
	for _, raw := range []string{
		`{"name":"get_s3cret","input_schema":{}}`,
		`{"type":"tool_use","id":"t_s3cret","name":"s3cret","input":{"command":"ls"}}`,
		`{"type":"tool_result","tool_use_id":"s3cret","content":"ok"}`,
		`{"type":"server_tool_use","id":"s3cret","name":"s\u0033cret","input":{}}`,
	} {
		at := strings.Index(raw, "s3cret")
		f := asked(raw, flow.Finding{ID: "f", Rule: "secret.x", Severity: flow.High, Action: flow.RedactIt, Start: int64(at), End: int64(at + 6)})
		f.Hide = conversation.NewValues([]conversation.Value{{Text: "s3cret", Rule: "secret.x"}})
		f.Outcome = &flow.Outcome{}
		f.Chunks = [][]byte{[]byte(`{"role":"assistant","content":[{"type":"tool_use","id":"s3cret","name":"s3cret","input":{"command":"ls"}}]}`)}
		var hidden, bare conversation.Builder
		bare.Bare = true
		turn, whole := hidden.Add(f), bare.Add(f)
		if len(turn.Added) == 0 || len(turn.Answer) == 0 {
			t.Fatalf("%s: nothing is read", raw)
		}
		for _, p := range append(turn.Added, turn.Answer...) {
			if said := p.Name + " " + p.ID + " " + p.Title; strings.Contains(said, "s3cret") || !strings.Contains(said, "●●●●") {
				t.Errorf("%s: %s", raw, said)
			}
		}
		if got := whole.Answer[0].Name; got != "s3cret" {
			t.Errorf("all is shown, but for a name: %s", got)
		}
		f.Hide = nil // what stands in the block is known from there
		var own conversation.Builder
		if p := own.Add(f).Added[0]; strings.Contains(p.Name+p.ID+p.Title, "s3cret") {
			t.Errorf("%s: %s %s", raw, p.Name, p.ID)
		}
	}
}

// TestAFindingInAToolsName has no span: the names that the record does not list are hidden.
func TestAFindingInAToolsName(t *testing.T) {
	call := `{"type":"tool_use","id":"t","name":"%s","input":{}}`
	for rule, want := range map[string]string{"secret.x": "Bash ●●●●", "injection.x": "Bash run.k3y"} {
		f := asked(`{"type":"text","text":"mend it"}`)
		f.Outcome = &flow.Outcome{Tools: []string{"Bash"}, Findings: []flow.Finding{{ID: "f", Rule: rule, Channel: flow.ToolCalls, Place: "answer", Note: flow.InToolName}}}
		f.Chunks = [][]byte{[]byte(`{"role":"assistant","content":[` + fmt.Sprintf(call, "Bash") + `,` + fmt.Sprintf(call, "run.k3y") + `]}`)}
		var b conversation.Builder
		answer := b.Add(f).Answer
		if got := answer[0].Name + " " + answer[1].Name; got != want {
			t.Errorf("%s: %s, want %s", rule, got, want)
		}
	}
}

// TestRounds: one begins with what a person says, and with nothing else.
func TestRounds(t *testing.T) {
	const (
		text    = `{"type":"text","text":"mend it"}`
		answer  = `{"role":"assistant","content":"done"}`
		result  = `{"type":"tool_result","tool_use_id":"t1","content":"ok"}`
		picture = `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}`
	)
	turn := func(n int, removed int, blocks ...string) *conversation.Flow {
		f := asked(blocks[0])
		f.Intent.Flow, f.Intent.Turn, f.Before, f.Tooled = flow.ID(fmt.Sprint("f", n)), n, flow.ID(fmt.Sprint("f", n-1)), true
		f.Change.Removed = removed
		for _, b := range blocks[1:] {
			f.Blocks = append(f.Blocks, conversation.Block{Field: "messages", Role: "user", Start: 1000, Raw: []byte(b)})
		}
		return f
	}
	for name, tc := range map[string]struct {
		turns []*conversation.Flow
		want  string
	}{
		"a tool's result goes on":                                       {[]*conversation.Flow{turn(1, 0, text), turn(2, 0, result)}, "[mend it: 1 2]"},
		"a picture that a tool gave":                                    {[]*conversation.Flow{turn(1, 0, text), turn(2, 0, result, picture)}, "[mend it: 1 2]"},
		"a picture that a person gave":                                  {[]*conversation.Flow{turn(1, 0, text), turn(2, 0, picture)}, "[mend it: 1] [[image/png]: 2]"},
		"a prompt that is written anew":                                 {[]*conversation.Flow{turn(1, 0, text), turn(2, 1, text, result)}, "[mend it: 1 2]"},
		"a prompt that is said again":                                   {[]*conversation.Flow{turn(1, 0, text), turn(2, 0, text)}, "[mend it: 1] [mend it: 2]"},
		"a prompt that is said again, and what stood behind it is gone": {[]*conversation.Flow{turn(1, 0, text), turn(2, 1, answer, text)}, "[mend it: 1] [mend it: 2]"},
		"another in the place of one":                                   {[]*conversation.Flow{turn(1, 0, text), turn(2, 1, `{"type":"text","text":"leave it"}`)}, "[mend it: 1] [leave it: 2]"},
		"what an agent writes beside it":                                {[]*conversation.Flow{turn(1, 0, text), turn(2, 0, result, `{"type":"text","text":"<system-reminder>x</system-reminder>"}`)}, "[mend it: 1 2]"},
	} {
		var b conversation.Builder
		for i, f := range tc.turns {
			if i == 0 {
				f.Before = ""
			}
			b.Add(f)
		}
		var rounds []string
		for _, r := range b.Done().Branches[0].Rounds {
			said := r.Prompt + ":"
			for _, turn := range r.Turns {
				said += fmt.Sprint(" ", *turn.Turn)
			}
			rounds = append(rounds, "["+said+"]")
		}
		if got := strings.Join(rounds, " "); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// TestEchoesThatAreWrittenAnew: agents send the arguments of a call back as they write
// JSON, not as the provider did; Gemini's answers give no id to know the call by.
func TestEchoesThatAreWrittenAnew(t *testing.T) {
	flows := func(answer string, back ...string) []*conversation.Part {
		one, two := asked(`{"text":"hi"}`), asked(back[0])
		one.Intent.API, two.Intent.API = flow.Generate, flow.Generate
		one.Outcome = &flow.Outcome{}
		one.Chunks = [][]byte{[]byte(`{"candidates":[{"content":{"parts":[` + answer + `],"role":"model"}}]}`)}
		two.Intent.Flow, two.Before, two.Blocks = "f2", "f1", nil
		for i, b := range back {
			two.Blocks = append(two.Blocks, conversation.Block{Field: "contents", Role: "model", Start: int64(1000 * i), Raw: []byte(b)})
		}
		var b conversation.Builder
		if got := b.Add(one).Answer; len(got) == 0 || got[0].Kind != flow.ToolCall {
			t.Fatalf("the answer is read as %+v", got)
		}
		return b.Add(two).Added
	}
	answer := `{"functionCall": {"name": "run","args": {"command": "ls \u003e x","n": 1.50}}}`
	for back, want := range map[string]bool{
		`{"functionCall":{"id":"made-up","name":"run","args":{"command":"ls > x","n":1.5}}}`: true,
		`{"functionCall":{"name":"run","args":{"command":"ls > y","n":1.5}}}`:                false,
		`{"functionCall":{"name":"walk","args":{"command":"ls > x","n":1.5}}}`:               false,
		`{"text":"{}"}`: false,
	} {
		if got := flows(answer, back)[0]; got.Echo != want {
			t.Errorf("%s: echo %v, want %v", back, got.Echo, want)
		}
	}
}

// TestWordsOfAPerson: they begin behind what the agent wrote, and values that are
// masked before them don't move that place.
func TestWordsOfAPerson(t *testing.T) {
	text := func(role, s string) string {
		return `{"role":` + strconv.Quote(role) + `,"content":` + strconv.Quote(s) + `}`
	}
	for name, tc := range map[string]struct{ raw, want string }{
		"alone":                {text("user", " Fix it\n"), "Fix it\n"},
		"behind an element":    {text("user", "<system-reminder>\nhush 😀\n</system-reminder>\n\nFix it"), "Fix it"},
		"behind two":           {text("user", "<ide_selection>a</ide_selection><context file=\"x\">b</context> Fix it"), "Fix it"},
		"a command":            {text("user", "<command-name>/init</command-name>"), "<command-name>/init</command-name>"},
		"what looks like one":  {text("user", "<systemd> is broken"), "<systemd> is broken"},
		"none":                 {text("user", "<system-reminder>x</system-reminder>"), ""},
		"none, and it is cut":  {text("user", "<environment_context>x"), ""},
		"a summary":            {text("user", "This session is being continued from a previous conversation"), ""},
		"of a system's prompt": {text("system", "You fix it"), ""},
		"of the model":         {text("assistant", "I fix it"), ""},
	} {
		f := asked(tc.raw)
		if strings.Contains(tc.raw, "hush") {
			f = asked(tc.raw, finding(tc.raw, "hush", flow.FlagIt))
		}
		var b conversation.Builder
		part := b.Add(f).Added[0]
		got := ""
		if part.Prompt != nil {
			got = string(utf16.Decode(utf16.Encode([]rune(part.Text))[*part.Prompt:]))
		}
		if got != tc.want {
			t.Errorf("%s: %q begins with %q, want %q", name, part.Text, got, tc.want)
		}
	}
}
