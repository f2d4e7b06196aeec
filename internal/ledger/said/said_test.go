package said_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		api       flow.API
		raw, want string
	}{
		{flow.Messages, `{"type":"text","text":"line one\nli\u006ee two \"q\""}`, "line one\nline two \"q\""},
		{flow.Messages, `{"role":"user","content":"hello"}`, "hello"},
		{flow.Messages, `{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"ls \"a b\"","timeout":250}}`, "Bash\nls \"a b\"\n250\ntoolu_1"},
		{flow.Messages, `{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"main.go"}]}`, "main.go\ntoolu_1"},
		{flow.Messages, `{"name":"Bash","description":"Runs a command","input_schema":{"type":"object","properties":{"command":{"type":"string","description":"what to run"}}}}`,
			"Bash\nRuns a command\nwhat to run\n"},
		{flow.Messages, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}`, "image/png"},
		{flow.Opaque, `{"input":"embed this","model":"e"}`, "embed this"},
		{flow.Messages, `not JSON "but quoted"`, "but quoted\n"},
		{flow.Messages, `{"type":"text","text":"never ends`, "never ends"},
	} {
		var got []string
		for _, s := range said.Block(c.api, "user", []byte(c.raw)) {
			got = append(got, s.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.raw, got, c.want)
		}
	}
}

// TestStretches: a string that is cut anywhere says the same in two stretches.
func TestStretches(t *testing.T) {
	raw := `{"a":"one \u00e9\n\"two\"","type":"text","b":["three",{"c":"four"}]}`
	whole, _ := said.Stretch([]byte(raw), false)
	if whole != "one é\n\"two\"\nthree\nfour\n" {
		t.Errorf("whole: %q", whole)
	}
	for i := 7; i < len(raw); i++ {
		if raw[i-1] == '\\' || i > 10 && i < 16 {
			continue // inside of an escape: that one is lost
		}
		a, inside := said.Stretch([]byte(raw[:i]), false)
		b, _ := said.Stretch([]byte(raw[i:]), inside)
		if got := strings.ReplaceAll(a+b, "text\n", ""); !inside && i > 25 {
			continue // between members the name may be in the other stretch
		} else if got != whole && inside && i < 25 {
			t.Errorf("cut at %d: %q", i, a+b)
		}
	}
}

func TestRoles(t *testing.T) {
	for glue, want := range map[string]string{
		`},{"role":"assistant","content":[`: "assistant",
		`]},{"role" : "user", "content": [`: "user",
		`,`:                                 "?",
		`{"content":[`:                      "",
		`],"role":"user"},{"parts":[`:       "",
		`{"role":`:                          "",
		`{"role"`:                           "",
	} {
		role, ok := said.Role([]byte(glue))
		if !ok {
			role = "?"
		}
		if role != want {
			t.Errorf("%s: %q, want %q", glue, role, want)
		}
	}
	for glue, want := range map[string]string{`],"role":"user"},{"parts":[`: "user", `]},{"role":"model","parts":[`: "", `],"role":"model"}]`: "model"} {
		if got := said.RoleBehind([]byte(glue)); got != want {
			t.Errorf("behind %s: %q, want %q", glue, got, want)
		}
	}
	if got := said.Member([]byte(`"model":"m","messages":[`)); got != "messages" {
		t.Errorf("member %q", got)
	}
}

func TestPieces(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("word ", 50_000), strings.Repeat("é", 100_000), strings.Repeat("x", 200_000)} {
		whole := said.Text{Text: text}
		var all strings.Builder
		for _, p := range whole.Pieces() {
			all.WriteString(p.Text)
			if len(p.Text) > 64<<10 || strings.ToValidUTF8(p.Text, "") != p.Text {
				t.Errorf("%.20q: a piece of %d bytes", text, len(p.Text))
			}
		}
		if all.String() != text {
			t.Errorf("%.20q: the pieces are not the text", text)
		}
	}
}

func TestBodies(t *testing.T) {
	for in, want := range map[string]string{
		"plain words":           "plain words",
		"\x89PNG\x00\x01binary": "",
		"\x1f\x8b\x08 \x01\x02": "",
		` {"a":"b"}`:            "b\n",
		"mostly text \xff within a longer line of it": "mostly text \n within a longer line of it",
	} {
		if got := said.Body([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestAround(t *testing.T) {
	for in, want := range map[string]string{
		`{"instructions":"be kind","client_metadata":{"turn":"{\"t\":1}","a":{"b":"c"}},"stream":true,"user":"u1"}`: "be kind\nu1\n",
		`{"metadata":"a word","x":["y"]}`: "a word\ny\n",
		`{"metadata":{"never":"ends`:      "",
		`a text`:                          "a text",
	} {
		if got := said.Around([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func FuzzSaid(f *testing.F) {
	f.Add([]byte(`{"type":"text","text":"\u00e9`), true)
	f.Add([]byte(`,"role":"x"`), false)
	f.Fuzz(func(t *testing.T, raw []byte, inside bool) {
		said.Stretch(raw, inside)
		said.Role(raw)
		said.RoleBehind(raw)
		said.Member(raw)
		said.Body(raw)
		said.Around(raw)
		for _, api := range []flow.API{flow.Messages, flow.Responses, flow.Chat, flow.Generate, flow.Opaque} {
			said.Block(api, "", raw)
		}
	})
}

// TestMask: what a span says is hidden, and nothing else, however it is written.
func TestMask(t *testing.T) {
	for _, c := range []struct{ raw, value, want string }{
		{`{"type":"text","text":"a 4539 b"}`, `4539`, "a ●●●● b"},
		{`{"type":"text","text":"a \u0034539 b"}`, `\u0034539`, "a ●●●● b"},
		{`{"type":"text","text":"é\n\ud83d\ude00 \"x\" \\ 4\/5 b"}`, `4\/5`, "é\n😀 \"x\" \\ ●●●● b"},
		{`{"type":"text","text":"a \ud83d\ude00\u00e9\u6771é東😀\ud83d b"}`, `\ud83d\ude00\u00e9\u6771é東😀\ud83d`, "a ●●●● b"},
		{`{"type":"text","text":"4539"}`, `4539`, "●●●●"},
		{`{"type":"tool_use","name":"f","input":{"a":"x","n":4539,"b":"y"}}`, `4539`, "f\nx\n●●●●y\n"},
		{`{"type":"tool_use","name":"f","input":{"a":"x\u0034539","b":"y"}}`, `\u0034539`, "f\nx●●●●\ny\n"},
		{`{"type":"tool_result","content":"{\"a\":\"4\\u0035\",\"b\":1}"}`, `4\\u0035`, `{"a":"●●●●","b":1}`},
		{`{"type":"image","source":{"type":"base64","data":"QUJD"}}`, `QUJD`, "image"},
	} {
		list := said.Block(flow.Messages, "user", []byte(c.raw))
		at := strings.Index(c.raw, c.value)
		masked := said.Mask([]byte(c.raw), []said.Span{{Start: at, End: at + len(c.value)}}, said.InJSON)
		if len(masked) != len(c.raw) {
			t.Errorf("%s: masked to %s", c.raw, masked)
		}
		said.Hide(list, said.Block(flow.Messages, "user", masked))
		if got := strings.TrimSpace(list[0].Shown()); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: got %q, want %q", c.raw, got, c.want)
		}
	}
}

// FuzzMask: nothing of a value is shown, whatever stands around it, and all of that is.
func FuzzMask(f *testing.F) {
	f.Add("a ", "4539", " b", 0)
	f.Add("\"\\", "é\n/", "\x7f\u0080", 2)
	f.Fuzz(func(t *testing.T, before, value, after string, how int) {
		before, value, after = strings.ToValidUTF8(before, ""), strings.ToValidUTF8(value, ""), strings.ToValidUTF8(after, "")
		write := func(s string) string { return string(peek.Quotings([]byte(s))[uint(how)%3]) }
		head := `{"type":"text","text":"` + write(before)
		raw := []byte(head + write(value) + write(after) + `"}`)
		list := said.Block(flow.Messages, "user", raw)
		masked := said.Mask(raw, []said.Span{{Start: len(head), End: len(head) + len(write(value))}}, said.InJSON)
		said.Hide(list, said.Block(flow.Messages, "user", masked))
		whole, shown := list[0].Text, list[0].Shown()
		if whole != before+value+after {
			return // bytes that Go writes in another way
		}
		want := before
		if value != "" {
			want += said.Veil
		}
		if want += after; shown != want && !strings.ContainsAny(value, "\x7f\b\u0080\ue000\U0010fffd") {
			t.Fatalf("%q: got %q, want %q", raw, shown, want)
		}
	})
}
