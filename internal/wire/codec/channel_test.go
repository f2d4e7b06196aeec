package codec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// channels gives the channel of each place marked «name» in a body.
func channels(t *testing.T, api flow.API, body string) map[string]string {
	t.Helper()
	doc := split.Split([]byte(body), nil)
	got := map[string]string{}
	for rest, at := body, 0; ; {
		i := strings.Index(rest, "«")
		if i < 0 {
			return got
		}
		at, rest = at+i, rest[i:]
		name := rest[len("«"):strings.Index(rest, "»")]
		for k, p := range doc.Pieces {
			if p.Start <= at && at < p.End {
				ch, signed := codec.NewChannels(api, doc).At(k, at)
				got[name] = string(ch)
				if signed {
					got[name] += " signed"
				}
			}
		}
		at, rest = at+1, rest[1:]
	}
}

func TestChannels(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		api  flow.API
		body string
		want string // name=channel, in any order
	}{
		{flow.Messages, `{"model":"«model»","system":"«short»","metadata":{"user_id":"«meta»"},"tools":[{"name":"«tool»","input_schema":{}}],"messages":[
			{"role":"user","content":"«string»"},
			{"role":"user","content":[{"type":"text","text":"«user»"},{"type":"tool_result","content":[{"type":"text","text":"«result»"}]}],"«glue»":1},
			{"role":"assistant","content":[{"type":"thinking","thinking":"«thinking»","signature":"s"},{"type":"text","text":"«said»"},{"type":"tool_use","input":{"a":"«input»"}},
				{"type":"web_search_tool_result","content":[{"type":"web_search_result","title":"«found»","encrypted_content":"e"}]}]},
			{"content":[{"type":"text","text":"«late»"}],"role":"system"}]}`,
			"model=envelope short=system meta=envelope tool=tool_definition string=user user=user result=tool_result glue=user thinking=assistant signed said=assistant input=tool_call found=tool_result signed late=system"},
		{flow.Messages, `{"system":[{"type":"text","text":"«sys»"}],"messages":[{"role":"user","content":[{"type":"redacted_thinking","data":"«data»"},{"type":"tool_addition","tool":{"name":"«added»"}},{"type":"document","source":{"type":"text","data":"«doc»"}}]}]}`,
			"sys=system data=assistant signed added=tool_definition doc=user"},
		{flow.Responses, `{"instructions":"«ins»` + long + `","input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"«dev»"}]},
			{"role":"user","content":"«user»"},{"type":"reasoning","summary":[{"type":"summary_text","text":"«sum»"}],"encrypted_content":"e"},{"type":"reasoning","summary":[{"type":"summary_text","text":"«plain»"}],"encrypted_content":null},
			{"type":"function_call","arguments":"«args»"},{"type":"custom_tool_call","input":"«free»"},{"type":"function_call_output","output":"«out»"},
			{"type":"custom_tool_call_output","output":[{"type":"input_text","text":"«outs»"}]},{"type":"additional_tools","tools":[{"type":"namespace","tools":[{"name":"«nested»"}]}]},
			{"type":"code_interpreter_call","code":"«code»","outputs":[{"type":"logs","logs":"«logs»"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"«said»"}]}],
			"client_metadata":{"x":"«meta»"},"prompt":{"variables":{"v":"«var»"}}}`,
			"ins=system dev=system user=user sum=assistant signed plain=assistant args=tool_call free=tool_call out=tool_result outs=tool_result nested=tool_definition code=tool_call logs=tool_result said=assistant meta=envelope var=user"},
		{flow.Responses, `{"input":"«text»","x":1}`, "text=user"},
		{flow.Chat, `{"messages":[{"role":"system","content":"«sys»"},{"role":"assistant","content":"«said»","reasoning_content":"«why»","tool_calls":[{"id":"c","function":{"name":"f","arguments":"«args»"}},{"id":"d","function":{"arguments":"«sealed»"},"extra_content":{"google":{"thought_signature":"x"}}}]},
			{"role":"tool","content":[{"type":"text","text":"«result»"}]},{"role":"user","content":[{"type":"text","text":"«user»"}]}],"tools":[{"type":"function","function":{"description":"«tool»"}}],"stop":["«stop»"]}`,
			"sys=system said=assistant why=assistant args=tool_call sealed=tool_call signed result=tool_result user=user tool=tool_definition stop=envelope"},
		{flow.Generate, `{"systemInstruction":{"role":"user","parts":[{"text":"«sys»"}]},"contents":[{"parts":[{"text":"«user»"}]},{"role":"model","parts":[{"text":"«said»"},{"functionCall":{"args":{"a":"«args»"}},"thoughtSignature":"x"}]},
			{"role":"user","parts":[{"functionResponse":{"response":{"o":"«result»"}}},{"text":"«more»"}]}],"tools":[{"functionDeclarations":[{"description":"«tool»"}]}],"generationConfig":{"x":"«config»"}}`,
			"sys=system user=user said=assistant args=tool_call signed result=tool_result more=user tool=tool_definition config=envelope"},
		{flow.Generate, `{"project":"«p»","request":{"contents":[{"role":"user","parts":[{"text":"«user»"}]}],"systemInstruction":{"parts":[{"text":"«sys»"}]},"session_id":"«s»"}}`,
			"p=envelope user=user sys=system s=envelope"},
		{flow.Opaque, `{"model":"«m»","input":["«embed»","` + long + `"]}`, "m=file embed=file"},
		{flow.Opaque, `["«list»"]`, "list=file"},
		{flow.Opaque, "«raw»", "raw=file"},
		{flow.Messages, `{"messages":[{"role":"user","content":"«broken»"`, "broken=envelope"},
		{flow.Messages, `{"messages":[{"role":"assistant","content":[{"type":"text","text":"«said»"}]}],` + strings.Repeat(`"a":[{"content":[{}]}],`, 900) + `"x":1}`, "said=assistant"},
	} {
		got := channels(t, tt.api, tt.body)
		want := map[string]string{}
		for _, f := range strings.Fields(strings.ReplaceAll(tt.want, " signed", "+signed")) {
			name, ch, _ := strings.Cut(f, "=")
			want[name] = strings.ReplaceAll(ch, "+", " ")
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s %.80s\n got %v\nwant %v", tt.api, tt.body, got, want)
		}
	}
}

// In a body that has too many parts to be cut along them, channels are the same.
func TestChannelsOfABodyThatIsCutByItsContent(t *testing.T) {
	body := []byte(`{"messages":[` + strings.Repeat(`{"role":"user","content":"x"},`, 40000) + `{"role":"assistant","content":"here"}],"tools":[]}`)
	doc := split.Split(body, nil)
	at := strings.Index(string(body), "here")
	for k, p := range doc.Pieces {
		if p.Start <= at && at < p.End {
			if ch, _ := codec.NewChannels(flow.Messages, doc).At(k, at); ch != flow.Assistant {
				t.Errorf("got %s", ch)
			}
		}
	}
}

// At the first byte of each block of the real agents' requests, the channel is
// what the codec's own reading of that part says.
func TestChannelsOfAgents(t *testing.T) {
	of := map[flow.Kind]flow.Channel{flow.ToolDef: flow.ToolDefs, flow.ToolCall: flow.ToolCalls, flow.ToolResult: flow.ToolResults, flow.Thinking: flow.Assistant}
	seen := map[flow.Channel]int{}
	for _, a := range agents() {
		for _, file := range bodies(t, a.folder, "request") {
			doc := split.Split(unzip(t, file), nil)
			channels := codec.NewChannels(a.api, doc)
			for i, p := range doc.Pieces {
				if p.Kind != split.Block {
					continue
				}
				ch, signed := channels.At(i, p.Start)
				seen[ch]++
				part := codec.Block(a.api, "user", doc.Body[p.Start:p.End])[0]
				if want, ok := of[part.Kind]; ok && ch != want || part.Signed && !signed {
					t.Errorf("%s piece %d: %s %v, read as %s", file, i, ch, signed, compact(part))
				}
			}
		}
	}
	for _, ch := range []flow.Channel{flow.System, flow.User, flow.Assistant, flow.ToolDefs, flow.ToolCalls, flow.ToolResults} {
		if seen[ch] == 0 {
			t.Errorf("no piece is %s: %v", ch, seen)
		}
	}
}
