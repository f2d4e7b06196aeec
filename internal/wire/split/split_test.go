package split_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// show writes a Doc's pieces one a line: kind, run, text with holes in «».
func show(d *split.Doc) string {
	var s strings.Builder
	for _, p := range d.Pieces {
		name := ""
		if p.Run >= 0 {
			name = " " + d.Fields[p.Run].Name
		}
		fmt.Fprintf(&s, "%s%s: ", p.Kind, name)
		at := p.Start
		for _, h := range p.Holes {
			fmt.Fprintf(&s, "%s«%s»", d.Body[at:h.Start], d.Body[h.Start:h.End])
			at = h.End
		}
		fmt.Fprintf(&s, "%s\n", d.Body[at:p.End])
	}
	return s.String()
}

var long = strings.Repeat("word ", 60)

func TestPieces(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"messages", `{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"text","text":"a"} , {"type":"tool_use"}]}],"stream":true}`, `
literal: {"model":"m","messages":
glue messages: [
block messages: {"role":"user","content":"hi"}
glue messages: ,{"role":"assistant","content":[
block messages: {"type":"text","text":"a"}
glue messages:  , 
block messages: {"type":"tool_use"}
glue messages: ]}]
literal: ,"stream":true}
`},
		{"holes", `{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"tools":[{"cache_control":null,"name":"n"},{"cache_control":1}]}`, `
literal: {"system":
glue system: [
block system: {"type":"text","text":"s"«,"cache_control":{"type":"ephemeral"}»}
glue system: ]
literal: ,"tools":
glue tools: [
block tools: {«"cache_control":null,»"name":"n"}
glue tools: ,
block tools: {«"cache_control":1»}
glue tools: ]
literal: }
`},
		{"gemini", `{"contents":[{"role":"user","parts":[{"text":"a"}]}],"systemInstruction":{"role":"user","parts":[{"text":"s"}],"x":1},"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],"generationConfig":{"topP":0.95}}`, `
literal: {"contents":
glue contents: [{"role":"user","parts":[
block contents: {"text":"a"}
glue contents: ]}]
literal: ,"systemInstruction":
glue systemInstruction: {"role":"user","parts":[
block systemInstruction: {"text":"s"}
glue systemInstruction: ],"x":1}
literal: ,"tools":
glue tools: [{"functionDeclarations":[
block tools: {"name":"f"}
glue tools: ,
block tools: {"name":"g"}
glue tools: ]}]
literal: ,"generationConfig":{"topP":0.95}}
`},
		{"code assist", `{"model":"m","request":{"contents":[{"role":"user","parts":[{"text":"a"}]}],"session_id":"s"},"project":"p"}`, `
literal: {"model":"m","request":{"contents":
glue contents: [{"role":"user","parts":[
block contents: {"text":"a"}
glue contents: ]}]
literal: ,"session_id":"s"},"project":"p"}
`},
		{"responses", `{"instructions":"` + long + `","input":[{"type":"additional_tools","tools":[{"type":"namespace","tools":[{"a":1}]}]},{"type":"reasoning","content":null,"summary":[]}],"include":["reasoning.encrypted_content"]}`, `
literal: {"instructions":
block instructions: "` + long + `"
literal: ,"input":
glue input: [{"type":"additional_tools","tools":[
block input: {"type":"namespace","tools":[{"a":1}]}
glue input: ]},
block input: {"type":"reasoning","content":null,"summary":[]}
glue input: ]
literal: ,"include":["reasoning.encrypted_content"]}
`},
		{"strings", `{"input":["` + long + `","b",3]}`, `
literal: {"input":
glue input: [
block input: "` + long + `"
glue input: ,
block input: "b"
glue input: ,
block input: 3
glue input: ]
literal: }
`},
		{"empty object", "{ }\n", "\nliteral: { }\n\n"},
		{"array", `[{"a":1}]`, "\nblock: [{\"a\":1}]\n"},
		{"malformed", `{"messages":[{"a":1}`, "\nblock: {\"messages\":[{\"a\":1}\n"},
		{"empty", "", "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := split.Split([]byte(c.body), nil)
			if got := "\n" + show(d); got != c.want {
				t.Errorf("got%s\nwant%s", got, c.want)
			}
			check(t, d, nil)
		})
	}
}

func TestTurns(t *testing.T) {
	for _, bodies := range conversations(rand.New(rand.NewPCG(1, 2)), 12) {
		var base *split.Doc
		for i, body := range bodies {
			d := split.Split(body, base)
			if !d.JSON {
				t.Fatalf("turn %d: %s", i, d.Why)
			}
			if base != nil {
				agree(t, body, base)
			}
			base = d
		}
	}
}

// agents gives the bodies that each real agent sent in one short session.
func agents(tb testing.TB) map[string][][]byte {
	tb.Helper()
	dirs, err := filepath.Glob("../../../test/fixtures/agents/*-*")
	if err != nil || len(dirs) == 0 {
		tb.Fatalf("no fixtures: %v", err)
	}
	bodies := map[string][][]byte{}
	for _, dir := range dirs {
		for i := 1; ; i++ {
			body, err := unzip(fmt.Sprintf("%s/%d.request.gz", dir, i))
			if err != nil {
				break
			}
			bodies[filepath.Base(dir)] = append(bodies[filepath.Base(dir)], body)
		}
	}
	return bodies
}

func unzip(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// TestAgents goes through sessions of the real agents: of a later turn, next to
// nothing may be new but what the turn added.
func TestAgents(t *testing.T) {
	for name, bodies := range agents(t) {
		t.Run(name, func(t *testing.T) {
			var base *split.Doc
			for i, body := range bodies {
				d := split.Split(body, base)
				check(t, d, base)
				if !d.JSON {
					t.Fatalf("turn %d: %s", i+1, d.Why)
				}
				if base != nil {
					agree(t, body, base)
				}
				// Claude Code turns one message from blocks into a string after
				// the first turn; over WebSocket only the new items are sent.
				if fresh := unknown(d); i > 1 && fresh > 5000 {
					t.Errorf("turn %d: %d bytes of %d are new", i+1, fresh, len(body))
				}
				base = d
			}
		})
	}
}

// unknown counts the bytes that are not the same in the base.
func unknown(d *split.Doc) int {
	n := 0
	for _, p := range d.Pieces {
		if p.Same < 0 {
			n += p.End - p.Start
		}
	}
	return n
}

// TestMarker moves a marker: the blocks stay what they are, but for the hole.
func TestMarker(t *testing.T) {
	for _, c := range []struct{ with, without string }{
		{`{"a":1,"cache_control":{"type":"ephemeral"}}`, `{"a":1}`},
		{`{"cache_control":{"type":"ephemeral"},"a":1}`, `{"a":1}`},
		{`{"a":1,"cache_control":{"x":[1,{}]},"b":2}`, `{"a":1,"b":2}`},
		{`{"cache_control":null}`, `{}`},
		{`{"cache_control":1,"cache_control":2,"a":1,"cache_control":3}`, `{"a":1}`},
		{`{"cache_control":1,"cache_control":2}`, `{}`},
		{"{\n  \"a\": 1,\n  \"cache_control\": {\n    \"type\": \"ephemeral\"\n  }\n}", "{\n  \"a\": 1\n}"},
		{"{\n  \"cache_control\": {},\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"},
		{`{"a":{"cache_control":1}}`, `{"a":{"cache_control":1}}`},
	} {
		for _, around := range []string{`{"tools":[%s]}`, `{"messages":[{"content":[{"b":1},%s]}]}`, `{"systemInstruction":{"parts":[%s]}}`} {
			d := split.Split(fmt.Appendf(nil, around, c.with), nil)
			p := d.Pieces[len(d.Pieces)-3]
			var got []byte
			at := p.Start
			for _, h := range p.Holes {
				got = append(got, d.Body[at:h.Start]...)
				at = h.End
			}
			if got = append(got, d.Body[at:p.End]...); string(got) != c.without {
				t.Errorf("%s: lifted %s, want %s", c.with, got, c.without)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct{ body, why string }{
		{"", "empty body"},
		{"\xef\xbb\xbf{}", "starts with a byte order mark"},
		{"{", "not JSON at byte 1: it ends too early"},
		{"{}x", "not JSON at byte 2: data after the value"},
		{"{}{}", "not JSON at byte 2: data after the value"},
		{`{"a":1,}`, "not JSON at byte 7: unexpected character"},
		{`{"a" 1}`, "not JSON at byte 5: unexpected character"},
		{`{"a":01}`, "not JSON at byte 6: unexpected character"},
		{`{"a":1.}`, "not JSON at byte 7: unexpected character"},
		{`{"a":-}`, "not JSON at byte 6: unexpected character"},
		{`{"a":1e}`, "not JSON at byte 7: unexpected character"},
		{`{"a":nul}`, "not JSON at byte 8: unexpected character"},
		{`{"a":"\x"}`, "not JSON at byte 6: invalid escape"},
		{`{"a":"\u12g4"}`, "not JSON at byte 6: invalid escape"},
		{"{\"a\":\"\n\"}", "not JSON at byte 6: control character in a string"},
		{"{\"a\":\"\xff\"}", "not JSON at byte 6: invalid UTF-8"},
		{"{\"a\":\"\xed\xa0\x80\"}", "not JSON at byte 6: invalid UTF-8"},
		{"{\"a\":\"12345678\xc3", "not JSON at byte 14: invalid UTF-8"},
		{`{"a":[1,2}`, "not JSON at byte 9: unexpected character"},
		{`{"messages":[{"content":[{"a":1}]]}`, "not JSON at byte 33: unexpected character"},
		{"{\"a\":\x00}", "not JSON at byte 5: unexpected character"},
		{`{"a":` + strings.Repeat("[", 511) + strings.Repeat("]", 511) + `}`, ""},
		{`{"a":` + strings.Repeat("[", 512) + strings.Repeat("]", 512) + `}`, "not JSON at byte 516: nested too deep"},
		{`{"messages":[{"content":[{"a":1}],"x":` + strings.Repeat("[", 510) + strings.Repeat("]", 510) + `}]}`, "not JSON at byte 547: nested too deep"},
		{`{"messages":[{"content":[{"a":1}],"x":` + strings.Repeat("[", 509) + strings.Repeat("]", 509) + `}]}`, ""},
		{`{"system":{"parts":[{"a":1}],"x":` + strings.Repeat("[", 511) + strings.Repeat("]", 511) + `}}`, "not JSON at byte 543: nested too deep"},
		{`{"request":{"system":{"parts":[{"a":1}],"x":` + strings.Repeat("[", 509) + strings.Repeat("]", 509) + `}}}`, ""},
		{"{\"a\":\"\xe0\x80\x80\"}", "not JSON at byte 6: invalid UTF-8"},
		{`{"messages":[{"content":[{"x":` + strings.Repeat(`{"y":`, 508) + "1" + strings.Repeat("}", 508) + `}]}]}`, "not JSON at byte 2565: nested too deep"},
		{`"\ud800"`, ""},
		{" null\r\n", ""},
		{"[1e+5,-0.5E-3,true,false,null]", ""},
	} {
		d := split.Split([]byte(c.body), nil)
		check(t, d, nil)
		if d.Why != c.why {
			t.Errorf("%.40q: why is %q, want %q", c.body, d.Why, c.why)
		}
	}
}

// TestStrings has each byte at each offset of the scanner's eight.
func TestStrings(t *testing.T) {
	for c := range 256 {
		for at := range 17 {
			body := []byte(`{"a":"` + strings.Repeat("x", 17) + `"}`)
			body[6+at] = byte(c)
			check(t, split.Split(body, nil), nil)
		}
	}
}

// TestThresholds: what is short stays where it is.
func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		body string
		want int // blocks
	}{
		{`{"a":"` + strings.Repeat("x", 253) + `"}`, 0},
		{`{"a":"` + strings.Repeat("x", 254) + `"}`, 1},
		{`{"a":["` + strings.Repeat("x", 63) + `","b"]}`, 0},
		{`{"a":["` + strings.Repeat("x", 64) + `","b"]}`, 2},
		{`{"a":["` + strings.Repeat(`\n`, 31) + `x","b"]}`, 0},
		{`{"a":["` + strings.Repeat(`\"`, 32) + `","b"]}`, 2},
		{`{"a":[` + strings.Repeat("1,", 127) + `1]}`, 1},
		{`{"a":[[{"b":1}]]}`, 0},
		{`{"a":[]}`, 0},
		{`{"a":{"content":[{"b":1}]}}`, 1},
		{`{"a":{"other":[{"b":1}]}}`, 0},
	} {
		got := 0
		for _, p := range split.Split([]byte(c.body), nil).Pieces {
			if p.Kind == split.Block {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%.80s: %d blocks, want %d", c.body, got, c.want)
		}
	}
}

// TestLookAlikes has bases that share bytes with the body where they mean
// something else.
func TestLookAlikes(t *testing.T) {
	bodies := []string{
		`{"messages":[{"content":[{"x":1}]},{"a":1}]}`,
		`{"messages":[{"content":[{"content":[{"x":1}]},{"a":1}]}]}`,
		`{"messages":[{"content":[{"x":1},{"a":1}]}]}`,
		`{"messages":[{"x":1},{"a":1}]}`,
		`{"messages":{"content":[{"x":1},{"a":1}]}}`,
		`{"request":{"messages":[{"content":[{"x":1}]},{"a":1}]}}`,
		`{"request":{"messages":[{"x":1},{"a":1}],"y":1},"y":1}`,
		`{"y":2,"messages":[{"x":1},{"a":1}],"y":1}`,
		`{"z":2,"messages":[{"x":1},{"a":1}],"y":1}`,
		`{"messages":[{"x":1},{"a":1}],"messages":[{"x":1},{"a":1}]}`,
		`{"tools":[{"x":1},{"a":1}],"messages":[{"x":1},{"a":1}]}`,
		`{"messages":[{"x":1,"cache_control":1},{"a":1}]}`,
		`{"messages":[[{"x":1,"cache_control":1},{"a":1}]]}`,
		`{"messages":[{"y":1},1,12,{"a":1}]}`,
		`{"messages":[{"y":1},12,1,{"a":1}]}`,
	}
	for _, body := range bodies {
		for _, base := range bodies {
			d := agree(t, []byte(body), split.Split([]byte(base), nil))
			agree(t, []byte(base), d)
		}
	}
}

func TestGet(t *testing.T) {
	d := split.Split([]byte(`{"model":"a","mod\u0065l":"b","x":{"y":{"z":[1]},"y":{"z": 2 }},"request":{"model":"inner"},"e":{}}`), nil)
	for _, c := range []struct {
		path []string
		want string
		ok   bool
	}{
		{[]string{"model"}, `"b"`, true},
		{[]string{"x", "y", "z"}, "2", true},
		{[]string{"request", "model"}, `"inner"`, true},
		{[]string{"x", "q"}, "", false},
		{[]string{"e", "q"}, "", false},
		{[]string{"model", "q"}, "", false},
		{[]string{"nope"}, "", false},
		{nil, "", false},
	} {
		if got, ok := d.Get(c.path...); string(got) != c.want || ok != c.ok {
			t.Errorf("Get(%q) is %q %v, want %q %v", c.path, got, ok, c.want, c.ok)
		}
	}
	if !d.Fields[1].Dup || d.Fields[0].Dup || d.Fields[4].Dup {
		t.Errorf("Dup is wrong in %+v", d.Fields)
	}
}

func TestConversation(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"system":[{"s":1}],"messages":[{"content":"a"},{"content":[{"b":1},{"c":1}]}]}`, `{"content":"a"} {"b":1} {"c":1}`},
		{`{"input":[{"i":1}],"tools":[{"t":1}]}`, `{"i":1}`},
		{`{"input":"short"}`, ``},
		{`{"input":"` + long + `"}`, `"` + long + `"`},
		{`{"contents":[{"parts":[{"p":1}]}]}`, `{"p":1}`},
		{`{"request":{"contents":[{"parts":[{"p":1}]}]}}`, `{"p":1}`},
		{`{"messages":[{"first":1}],"messages":[{"last":1}]}`, `{"last":1}`},
		{`[]`, ``},
		{`{"messages":[{"a":1}`, ``},
	} {
		d := split.Split([]byte(c.body), nil)
		var got []string
		for _, i := range d.Conversation() {
			got = append(got, string(d.Body[d.Pieces[i].Start:d.Pieces[i].End]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: conversation is %q, want %s", c.body, got, c.want)
		}
	}
}

// TestBounds makes sure that no body makes a Doc much larger than itself.
func TestBounds(t *testing.T) {
	element := `{"a":1},`
	many := func(n int) []byte { return []byte(`{"messages":[` + strings.Repeat(element, n) + `{}],"model":"m"}`) }
	fit, over := split.Split(many(30_000), nil), split.Split(many(40_000), nil)
	if len(fit.Pieces) != 60_005 {
		t.Errorf("%d pieces, want 60005", len(fit.Pieces))
	}
	if n := len(over.Pieces); n > 100 || !over.JSON || len(over.Conversation()) != 0 {
		t.Errorf("%d pieces in a body with too many elements, JSON %v", n, over.JSON)
	}
	if model, _ := over.Get("model"); string(model) != `"m"` {
		t.Errorf("model is %q", model)
	}
	agree(t, over.Body, fit)
	agree(t, fit.Body, over)
	agree(t, many(40_001), over)
	agree(t, bytes.Replace(fit.Body, []byte("[{"), []byte("["+strings.Repeat(`{"b":1},`, 5000)+"{"), 1), fit)

	members := func(n int) []byte {
		var s bytes.Buffer
		for i := range n {
			fmt.Fprintf(&s, `,"f%d":[{"a":%d}]`, i, i)
		}
		return append(append([]byte("{"), s.Bytes()[1:]...), '}')
	}
	if d := split.Split(members(1024), nil); !d.JSON {
		t.Error(d.Why)
	}
	d := split.Split(members(1025), nil)
	if d.JSON || !strings.HasSuffix(d.Why, "too many top-level members") {
		t.Errorf("JSON %v, why %q", d.JSON, d.Why)
	}
	agree(t, members(1025), split.Split(members(1024), nil))
	agree(t, append([]byte(`{"x":1,`), members(1024)[1:]...), split.Split(members(1024), nil))
}

func TestChunks(t *testing.T) {
	body := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(body)
	d := split.Split(body, nil)
	check(t, d, nil)
	if n := len(d.Pieces); n < 90 || n > 170 {
		t.Errorf("%d chunks of 1 MB, want about 128", n)
	}
	edited := append(append(bytes.Clone(body[:500_000]), "inserted"...), body[500_000:]...)
	e := agree(t, edited, d)
	had := map[string]bool{}
	for _, p := range d.Pieces {
		had[string(body[p.Start:p.End])] = true
	}
	fresh := 0
	for _, p := range e.Pieces {
		if !had[string(edited[p.Start:p.End])] {
			fresh++
		}
	}
	if fresh > 4 {
		t.Errorf("an insertion made %d new chunks of %d", fresh, len(e.Pieces))
	}
	zeros := split.Split(make([]byte, 200_000), nil)
	check(t, zeros, nil)
	for _, p := range zeros.Pieces {
		if p.End-p.Start > 32<<10 {
			t.Errorf("a chunk of %d bytes", p.End-p.Start)
		}
	}
	agree(t, body[:600_000], d)
	agree(t, body, split.Split(body[:600_000], nil))
	agree(t, bytes.Clone(body), d)
}
