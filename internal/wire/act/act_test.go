package act_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/act"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// render gives acts with the bytes that they point at, cut short.
func render(body []byte, acts []flow.Act) string {
	var lines []string
	for _, a := range acts {
		at := string(body[a.Start:a.End])
		if len(at) > 20 {
			at = at[:20] + "…"
		}
		lines = append(lines, fmt.Sprintf("%s %s at %s", a.Kind, a.Name, at))
	}
	return strings.Join(lines, "\n")
}

func names(acts []flow.Act) string {
	var list []string
	for _, a := range acts {
		list = append(list, a.Kind+" "+a.Name)
	}
	return strings.Join(list, ", ")
}

const quiet = `"store":false,`

func TestActs(t *testing.T) {
	for _, tt := range []struct {
		api        flow.API
		body, want string
	}{
		// Anthropic: tools of the client, with and without a type, are none.
		{flow.Messages, `{"tools":[{"name":"Bash","input_schema":{"type":"object"}},{"type":"custom","name":"x"},{"type":"bash_20250124","name":"bash"},{"type":"text_editor_20250728"},{"type":"computer_20251124"},{"type":"memory_20250818"},{"type":"browser_toolset_20260801"},{"type":"tool_search_tool_regex_20251119"}]}`, ""},
		{flow.Messages, `{"tools":[{"type":"web_search_20260318","name":"web_search"}]}`, "search tools[].type=web_search_20260318"},
		{flow.Messages, `{"tools":[{"type":"web_fetch_20250910"},{"type":"code_execution_20250825"},{"type":"advisor_20260301"}]}`, "fetch tools[].type=web_fetch_20250910, execute tools[].type=code_execution_20250825, execute tools[].type=advisor_20260301"},
		{flow.Messages, `{"mcp_servers":[{"type":"url","url":"https://m"}],"tools":[{"type":"mcp_toolset","mcp_server_name":"m"}]}`, "connect mcp_servers, connect tools[].type=mcp_toolset"},
		{flow.Messages, `{"tools":[{"type":"teleport_20270101","name":"t"}]}`, "unknown tools[].type=teleport_20270101"},
		{flow.Messages, `{"tools":[{"type":"computer_from_afar","name":"t"}]}`, "unknown tools[].type=computer_from_afar"},
		{flow.Messages, `{"container":{"id":"c_1","skills":[{"skill_id":"pptx"}]}}`, "recall container.id, execute container.skills"},
		{flow.Messages, `{"container":"c_1"}`, "recall container"},
		{flow.Messages, `{"container":null}`, ""},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x/y.png"}},{"type":"document","source":{"type":"file","file_id":"f1"}}]}]}`, "fetch source.url, recall source.file_id"},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"aGk="}},{"type":"text","text":"https://x"},{"type":"search_result","source":"https://x","content":[{"type":"text","text":"y"}]}]}]}`, ""},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"http://a"}}]}}]}]}]}`, "fetch source.url"},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"container_upload","file_id":"f"}]}]}`, "recall file_id"},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"s3","location":"s3://b"}}]}]}`, "unknown source.type=s3"},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"web_page","url":"https://x"}]}]}`, "unknown content[].type=web_page"},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"tool_addition","tool":{"type":"web_search_20260318"}}]}]}`, "search tools[].type=web_search_20260318"},
		// What a client's own tools are called with is theirs.
		{flow.Messages, `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Fetch","input":{"source":{"type":"url","url":"https://x"},"file_id":"f","tools":[{"type":"mcp"}],"content":[{"type":"image","source":{"type":"url","url":"u"}}]}}]}],"metadata":{"store":true}}`, ""},
		{flow.Messages, `{"messages":[{"role":"user","content":[{"type":"web_search_tool_result","content":[{"type":"web_search_result","url":"https://x","encrypted_content":"e"}]}]}]}`, ""},

		// OpenAI.
		{flow.Responses, `{` + quiet + `"tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"},{"type":"local_shell"},{"type":"apply_patch"},{"type":"computer_use_preview"},{"type":"tool_search","execution":"client"},{"type":"shell","environment":{"type":"local"}}]}`, ""},
		{flow.Responses, `{` + quiet + `"tools":[{"type":"shell","environment":{"type":"container_auto"}},{"type":"shell"}]}`, "execute tools[].type=shell, unknown tools[].type=shell"},
		{flow.Responses, `{` + quiet + `"tools":[{"type":"web_search_preview_2025_03_11"},{"type":"web_search"},{"type":"file_search","vector_store_ids":["v"]},{"type":"code_interpreter"},{"type":"image_generation"},{"type":"mcp","server_url":"https://m"}]}`,
			"search tools[].type=web_search_preview_2025_03_11, search tools[].type=web_search, recall tools[].type=file_search, execute tools[].type=code_interpreter, execute tools[].type=image_generation, connect tools[].type=mcp"},
		{flow.Responses, `{` + quiet + `"tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"},{"type":"mcp","server_url":"u"}]}]}`, "connect tools[].type=mcp"},
		{flow.Responses, `{` + quiet + `"input":[{"type":"additional_tools","tools":[{"type":"custom","name":"exec"},{"type":"web_search"}]},{"type":"mcp_list_tools","tools":[{"name":"x","input_schema":{}}]}]}`, "search tools[].type=web_search"},
		{flow.Responses, `{` + quiet + `"previous_response_id":"resp_1","conversation":{"id":"c"},"prompt":{"id":"pmpt"},"background":true}`, "recall previous_response_id, recall conversation, recall prompt, store background"},
		{flow.Responses, `{` + quiet + `"previous_response_id":null,"conversation":null,"prompt":null,"background":false}`, ""},
		{flow.Responses, `{"input":"hi"}`, "store store=default"},
		{flow.Responses, `{"input":"hi","store":null}`, "store store=default"},
		{flow.Responses, `{"input":"hi","store":true}`, "store store"},
		{flow.Responses, `{` + quiet + `"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x"},{"type":"input_image","image_url":"data:image/png;base64,AA"},{"type":"input_image","image_url":"\u0044ATA:image/png;base64,AA"},{"type":"input_image","file_id":"f"},{"type":"input_file","file_url":"https://y"},{"type":"input_file","file_data":"data:x"}]}]}`,
			"fetch image_url, recall file_id, fetch file_url"},
		{flow.Responses, `{` + quiet + `"input":[{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"https://x"}]},{"type":"computer_call_output","output":{"type":"computer_screenshot","file_id":"f"}}]}`, "fetch image_url, recall file_id"},
		{flow.Responses, `{` + quiet + `"input":[{"type":"item_reference","id":"msg_1"},{"type":"mcp_approval_response","approval_request_id":"a","approve":true},{"type":"mcp_approval_response","approve":false},{"type":"image_generation_call","id":"ig"},{"type":"image_generation_call","id":"ig","result":"AA"}]}`,
			"recall item_reference, connect mcp_approval_response, recall image_generation_call"},
		{flow.Responses, `{` + quiet + `"input":[{"type":"function_call","name":"f","arguments":"{\"image_url\":\"https://x\"}"},{"type":"web_search_call","action":{"type":"open_page","url":"https://x"}}]}`, ""},
		{flow.Chat, `{"tools":[{"type":"function","function":{"name":"f"}}],"functions":[{"name":"g","parameters":{}}],"web_search_options":{"search_context_size":"low"}}`, "search web_search_options"},
		{flow.Chat, `{"model":"gpt-4o-search-preview","store":true}`, "search model, store store"},
		{flow.Chat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"file","file":{"file_id":"f"}},{"type":"file","file":{"file_data":"data:x"}}]},{"role":"assistant","content":"x","audio":{"id":"a"}}]}`,
			"fetch image_url.url, recall file.file_id, recall audio.id"},
		{flow.Chat, `{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"url\":\"https://x\"}"}}]}]}`, ""},

		// Gemini, in both spellings.
		{flow.Generate, `{"tools":[{"functionDeclarations":[{"name":"f","parameters":{}}]},{"computerUse":{}}]}`, ""},
		{flow.Generate, `{"tools":[{"googleSearch":{}},{"google_search_retrieval":{}},{"urlContext":{}},{"code_execution":{}},{"googleMaps":{}},{"fileSearch":{}},{"retrieval":{}}]}`,
			"search tools[].googleSearch, search tools[].google_search_retrieval, fetch tools[].urlContext, execute tools[].code_execution, search tools[].googleMaps, recall tools[].fileSearch, recall tools[].retrieval"},
		{flow.Generate, `{"tools":[{"functionDeclarations":[{"name":"f"}],"googleSearch":{}}]}`, "search tools[].googleSearch"},
		{flow.Generate, `{"tools":[{"timeTravel":{}},{"googleSearch":null}]}`, "unknown tools[].timeTravel"},
		{flow.Generate, `{"cachedContent":"cachedContents/1","contents":[{"role":"user","parts":[{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}},{"file_data":{"file_uri":"https://youtu.be/x"}},{"inlineData":{"data":"AA"}},{"functionResponse":{"name":"f","response":{"fileData":{"fileUri":"x"}},"parts":[{"fileData":{"fileUri":"gs://b"}}]}},{"functionCall":{"name":"f","args":{"fileData":{"fileUri":"x"}}}}]}]}`,
			"recall cachedContent, recall fileData.fileUri, fetch file_data.file_uri, fetch fileData.fileUri"},
		{flow.Generate, `{"model":"m","request":{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"googleSearch":{}}]}}`, "search tools[].googleSearch"},
		{flow.GeminiCount, `{"generateContentRequest":{"contents":[],"tools":[{"googleSearch":{}}]}}`, "search tools[].googleSearch"},

		// What is not read: the requests of a batch, a live session.
		{flow.Opaque, `{"requests":[{"custom_id":"1","params":{"model":"m","tools":[{"type":"web_search_20250305"}]}}]}`, "search tools[].type=web_search_20250305"},
		{flow.Opaque, `{"batch":{"input_config":{"requests":{"requests":[{"request":{"tools":[{"googleSearch":{}}]}}]}}}}`, "search tools[].googleSearch"},
		{flow.Opaque, `{"type":"session.update","session":{"tools":[{"type":"mcp"}]}}`, "connect tools[].type=mcp"},
		{flow.Opaque, `{"setup":{"tools":[{"code_execution":{}}]}}`, "execute tools[].code_execution"},
		{flow.Opaque, `{"input":["https://x",{"text":"y"}],"model":"text-embedding-3-small"}`, ""},

		{flow.Opaque, `{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_image","image_url":"https://x"}]}}`, "fetch image_url"},
		{flow.Opaque, `{"type":"response.create","response":{"conversation":"none","input":[{"type":"item_reference","id":"i"}]}}`, "recall item_reference"},
		{flow.Opaque, `{"prompt":"a cat","background":"transparent"}`, ""},
		{flow.Opaque, `{"input_file_id":"f","endpoint":"/v1/responses"}`, "recall input_file_id"},
		{flow.Opaque, `{"document":1,"image_url":"data:image/png;base64,AA","document_url":"https://x"}`, "fetch document_url"},

		// Ways to hide.
		{flow.Messages, `{"messages":[` + strings.Repeat(`{"content":[`, 12) + `{"type":"image","source":{"type":"url","url":"u"}}` + strings.Repeat(`]}`, 12) + `]}`, "unknown nested deeper than is read"},
		{flow.Messages, `{"tools":[{"type":"custom","type":"web_search_20250305"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[{"type":"web_search_20250305","type":"custom"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[{"t\u0079pe":"web\u005fsearch_20250305","name":"x"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[],"tools":[{"type":"mcp_toolset"}],"tools":[]}`, "connect tools[].type=mcp_toolset"},
		{flow.Messages, `{"tools":[{"name":"x","content":[{"a":1}],"type":"web_search_20250305"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[{"input":[{"a":1}],"type":"web_search_20250305","tools":[{"name":"y"}]}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[1,{"type":"web_search_20250305"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":[1,{"type":"web_search_20250305","x":"` + strings.Repeat("y", 300) + `"}]}`, "search tools[].type=web_search_20250305"},
		{flow.Messages, `{"tools":{"type":"web_search_20250305"}}`, "search tools[].type=web_search_20250305"},
	} {
		doc := split.Split([]byte(tt.body), nil)
		if !doc.JSON {
			t.Fatalf("%s: %s", tt.body, doc.Why)
		}
		if got := names(act.Find(tt.api, doc, nil, nil)); got != tt.want {
			t.Errorf("%s %s\n got %s\nwant %s", tt.api, tt.body, got, tt.want)
		}
	}
}

// An act points at what it is in the body.
func TestActsPointAtTheirBytes(t *testing.T) {
	body := []byte(`{"x":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a"}}]}],"tools":[{"type":"mcp","u":1}],"previous_response_id":"resp_9","store":false}`)
	want := "fetch source.url at \"https://a\"\nconnect tools[].type=mcp at {\"type\":\"mcp\",\"u\":1}\nrecall previous_response_id at \"resp_9\""
	if got := render(body, act.Find(flow.Responses, split.Split(body, nil), nil, nil)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	long := append(body, make([]byte, 100)...)[:len(body)] // more room behind the body than it needs
	if got := render(long, act.Find(flow.Responses, split.Split(long, nil), nil, nil)); got != want {
		t.Errorf("with room behind: got %s", got)
	}
}

func TestABodyThatIsNotReadHasNone(t *testing.T) {
	for _, body := range []string{"", "x", `["tools"]`, `{"tools":[{"type":"mcp"}]`} {
		if got := act.Find(flow.Messages, split.Split([]byte(body), nil), nil, nil); got != nil {
			t.Errorf("%q: %v", body, got)
		}
	}
	if got := act.Find(flow.Messages, nil, nil, nil); got != nil {
		t.Error(got)
	}
}

// A million addresses are not a million acts, and can't hide another kind.
func TestActsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"messages":[{"role":"user","content":[`)
	for i := range 5000 {
		fmt.Fprintf(&b, `{"type":"image","source":{"type":"url","url":"https://x/%d"}},`, i)
	}
	for i := range 5000 {
		fmt.Fprintf(&b, `{"type":"odd%d","url":"https://x"},`, i)
	}
	b.WriteString(`{"type":"text","text":"x"}]}],"tools":[{"type":"code_execution_20250825"}]}`)
	acts := act.Find(flow.Messages, split.Split([]byte(b.String()), nil), nil, nil)
	if len(acts) > 1300 {
		t.Errorf("%d acts", len(acts))
	}
	if last := acts[len(acts)-1]; last.Kind != act.Execute {
		t.Errorf("the last is %+v, want the tool that executes", last)
	}
	if more := acts[len(acts)-2]; more.Kind != act.Unknown || more.Name != "more than are listed" {
		t.Errorf("before it stands %+v, want what was left out", more)
	}
}
