package codec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// What the real agents send makes the provider do nothing, but for Codex's
// reference over its WebSocket to the answer that it just got.
func TestAgentsActs(t *testing.T) {
	for _, a := range agents() {
		for _, file := range bodies(t, a.folder, "request") {
			body := unzip(t, file)
			acts := codec.Acts(a.api, split.Split(body, nil))
			if strings.Contains(string(body), `"previous_response_id"`) {
				if len(acts) != 1 || acts[0].Kind != "recall" || acts[0].Name != "previous_response_id" {
					t.Errorf("%s: %+v", file, acts)
				}
			} else if len(acts) > 0 {
				t.Errorf("%s: %+v", file, acts)
			}
		}
	}
}

// turns is a conversation whose bodies hold acts here and there.
func turns(r *rand.Rand) (api flow.API, bodies [][]byte) {
	apis := []flow.API{flow.Messages, flow.Responses, flow.Generate, flow.Chat}
	api = apis[r.IntN(len(apis))]
	word := func(s ...string) string { return s[r.IntN(len(s))] }
	part := func() string {
		return word(`{"type":"text","text":"hello"}`, `{"type":"image","source":{"type":"url","url":"https://x"}}`,
			`{"type":"input_image","image_url":"https://x"}`, `{"fileData":{"fileUri":"gs://x"}}`, `{"text":"x"}`,
			`{"type":"tool_result","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}`)
	}
	message := func() string {
		if r.IntN(4) == 0 {
			return word(`{"type":"item_reference","id":"m"}`, `{"role":"user","content":"x"}`, part())
		}
		parts := []string{part()}
		for range r.IntN(3) {
			parts = append(parts, part())
		}
		after := word("", `,"tools":[{"type":"mcp"}]`, `,"x":1`)
		return fmt.Sprintf(`{"role":"user",%q:[%s]%s}`, word("content", "parts"), strings.Join(parts, ","), after)
	}
	tools := []string{`{"name":"a","input_schema":{}}`}
	var messages []string
	name := map[flow.API]string{flow.Responses: "input", flow.Generate: "contents"}[api]
	if name == "" {
		name = "messages"
	}
	for range 6 {
		for range 1 + r.IntN(2) {
			messages = append(messages, message())
		}
		if r.IntN(3) == 0 {
			tools = append(tools, word(`{"type":"web_search_20250305"}`, `{"googleSearch":{}}`, `{"type":"odd"}`))
		}
		if r.IntN(4) == 0 {
			messages[r.IntN(len(messages))] = message()
		}
		bodies = append(bodies, fmt.Appendf(nil, `{"model":"m",%q:[%s],"tools":[%s],"store":%s,"previous_response_id":"r%d","container":{"id":"c","pad":%q}}`,
			name, strings.Join(messages, ","), strings.Join(tools, ","), word("true", "false"), r.IntN(9), strings.Repeat("p", r.IntN(400))))
	}
	return api, bodies
}

// With a base, acts are the same as without.
func TestMoreActsAreTheActs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		api, bodies := turns(r)
		var base *split.Doc
		var known []flow.Act
		for _, body := range bodies {
			doc := split.Split(body, base)
			want := codec.Acts(api, split.Split(body, nil))
			got := codec.MoreActs(api, doc, base, known)
			if !doc.JSON || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\n got %+v\nwant %+v", body, got, want)
			}
			base, known = doc, got
		}
	}
}

// Nothing of what is old is looked at: acts of old elements come from the base's
// only.
func TestMoreActsLookAtWhatIsNew(t *testing.T) {
	one := []byte(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]}`)
	base := split.Split(one, nil)
	two := bytes.Replace(one, []byte(`]}]}`), []byte(`]},{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]}`), 1)
	got := codec.MoreActs(flow.Messages, split.Split(two, base), base, nil)
	if len(got) != 1 || got[0].Kind != "recall" {
		t.Errorf("got %+v, want what is new alone", got)
	}
}

func TestUploadActs(t *testing.T) {
	lines := `{"custom_id":"1","method":"POST","url":"/v1/responses","body":{"model":"m","tools":[{"type":"web_search"}]}}` + "\n" +
		`{"custom_id":"2","method":"POST","url":"/v1/embeddings","body":{"input":[1212,3434,5656,7878,9090,1212],"x":1}}` + "\n" +
		`{"custom_id":"3","method":"POST","url":"/v1/responses","body":{"previous_response_id":"r"}}` + "\n"
	body := []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"batch.jsonl\"\r\n\r\n" + lines + "\r\n--b--\r\n")
	stretches := codec.Stretches("multipart/form-data; boundary=b", "", body)
	var got []string
	for _, a := range codec.UploadActs(body, stretches) {
		got = append(got, a.Kind+" "+a.Name+" "+string(body[a.Start:a.End]))
	}
	want := `search tools[].type=web_search {"type":"web_search"}|recall previous_response_id "r"`
	if strings.Join(got, "|") != want {
		t.Errorf("got %s\nwant %s\nof %+v", strings.Join(got, "|"), want, stretches)
	}
}

// BenchmarkActs is Claude Code's fourth turn: from nothing, and after the third.
func BenchmarkActs(b *testing.B) {
	files := bodies(b, "claude-code-*", "request")
	base := split.Split(unzip(b, files[2]), nil)
	doc := split.Split(unzip(b, files[3]), base)
	b.Run("cold", func(b *testing.B) {
		b.SetBytes(int64(len(doc.Body)))
		b.ReportAllocs()
		for b.Loop() {
			codec.Acts(flow.Messages, doc)
		}
	})
	b.Run("warm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			codec.MoreActs(flow.Messages, doc, base, nil)
		}
	})
}
