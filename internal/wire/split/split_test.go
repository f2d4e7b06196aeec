package split_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

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
glue system: ,
block system: {«"cache_control":null,»"name":"n"}
glue system: 
`[:0] + `
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

// check holds a Doc against what is true of every Doc.
func check(t *testing.T, d, base *split.Doc) {
	t.Helper()
	at := 0
	for i, p := range d.Pieces {
		if p.Start != at || p.End <= p.Start {
			t.Fatalf("piece %d is [%d,%d), the one before ends at %d", i, p.Start, p.End, at)
		}
		at = p.End
		if (p.Kind == split.Literal || !d.JSON) && p.Run != -1 {
			t.Fatalf("piece %d: %v in run %d", i, p.Kind, p.Run)
		}
		if p.Run >= 0 && (p.Start < d.Fields[p.Run].Start || p.End > d.Fields[p.Run].End) {
			t.Fatalf("piece %d [%d,%d) is outside of its field %+v", i, p.Start, p.End, d.Fields[p.Run])
		}
		checkHoles(t, d, p)
	}
	if at != len(d.Body) {
		t.Fatalf("pieces end at %d of %d", at, len(d.Body))
	}
	for i, want := range same(d, base) {
		if got := d.Pieces[i].Same; got != want {
			t.Fatalf("piece %d: same as %d, want %d", i, got, want)
		}
	}
	if want := valid(d.Body); d.JSON != want && len(d.Fields) < 1000 {
		t.Fatalf("JSON is %v (%s), want %v", d.JSON, d.Why, want)
	}
	if d.JSON == (d.Why != "") {
		t.Fatalf("JSON is %v, and why is %q", d.JSON, d.Why)
	}
	checkFields(t, d)
}

func checkHoles(t *testing.T, d *split.Doc, p split.Piece) {
	t.Helper()
	if len(p.Holes) == 0 {
		return
	}
	var rest []byte
	at := p.Start
	for _, h := range p.Holes {
		if h.Start < at || h.End <= h.Start || h.End > p.End {
			t.Fatalf("hole %v in piece [%d,%d) after %d", h, p.Start, p.End, at)
		}
		rest = append(rest, d.Body[at:h.Start]...)
		at = h.End
	}
	rest = append(rest, d.Body[at:p.End]...)
	var with, without map[string]json.RawMessage
	if err := json.Unmarshal(d.Body[p.Start:p.End], &with); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(rest, &without); err != nil {
		t.Fatalf("without its holes a block is no object: %v: %s", err, rest)
	}
	if _, ok := without["cache_control"]; ok && !bytes.Contains(rest, []byte(`\`)) {
		t.Fatalf("a marker is left: %s", rest)
	}
	if len(without) != len(with)-1 && !bytes.Contains(rest, []byte(`\`)) {
		t.Fatalf("%d members left of %d", len(without), len(with))
	}
}

func checkFields(t *testing.T, d *split.Doc) {
	t.Helper()
	var want map[string]json.RawMessage
	if !d.JSON || json.Unmarshal(d.Body, &want) != nil {
		return
	}
	for name, value := range want {
		got, ok := d.Get(name)
		if !ok || !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(value)) {
			t.Fatalf("Get(%q) is %q, want %q", name, got, value)
		}
	}
	for i, f := range d.Fields {
		dup := false
		for _, g := range d.Fields[:i] {
			dup = dup || g.Name == f.Name && g.In == f.In
		}
		if f.Dup != dup {
			t.Fatalf("field %d %q: dup %v, want %v", i, f.Name, f.Dup, dup)
		}
		if !json.Valid(d.Body[f.Start:f.End]) {
			t.Fatalf("field %d %q is %q", i, f.Name, d.Body[f.Start:f.End])
		}
	}
}

// valid is what encoding/json takes, less what it is lenient about.
func valid(body []byte) bool {
	deep, most, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			deep++
			most = max(most, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return json.Valid(body) && utf8.Valid(body) && most <= 512
}

// same says in the plainest way what Same must be.
func same(d, base *split.Doc) []int {
	want := make([]int, len(d.Pieces))
	broken := map[int]bool{}
	next := map[int]int{}
	for i, p := range d.Pieces {
		want[i] = -1
		if base == nil || p.Kind == split.Literal || broken[p.Run] || (p.Run < 0) != unnamed(base) {
			continue
		}
		if _, ok := next[p.Run]; !ok {
			next[p.Run] = start(d, base, p.Run)
		}
		j := next[p.Run]
		if j < 0 || j >= len(base.Pieces) || base.Pieces[j].Run != base.Pieces[start(d, base, p.Run)].Run || !equal(d, p, base, base.Pieces[j]) {
			broken[p.Run] = true
			continue
		}
		want[i] = j
		next[p.Run]++
	}
	return want
}

// unnamed reports whether a body was cut by its content.
func unnamed(d *split.Doc) bool {
	return len(d.Pieces) > 0 && d.Pieces[0].Kind == split.Block
}

// start gives the first piece of the base's run that corresponds to a run.
func start(d, base *split.Doc, run int) int {
	if run < 0 {
		return 0
	}
	f := d.Fields[run]
	for k, g := range base.Fields {
		if g.Name != f.Name || (g.In < 0) != (f.In < 0) || f.Dup {
			continue
		}
		for j, p := range base.Pieces {
			if p.Run == k {
				return j
			}
		}
		return -1
	}
	return -1
}

func equal(d *split.Doc, p split.Piece, base *split.Doc, q split.Piece) bool {
	if p.Kind != q.Kind || len(p.Holes) != len(q.Holes) || !bytes.Equal(d.Body[p.Start:p.End], base.Body[q.Start:q.End]) {
		return false
	}
	for i := range p.Holes {
		if p.Holes[i].Start-p.Start != q.Holes[i].Start-q.Start || p.Holes[i].End-p.Start != q.Holes[i].End-q.Start {
			return false
		}
	}
	return true
}

// agree makes sure that a base changes nothing but Same.
func agree(t *testing.T, body []byte, base *split.Doc) *split.Doc {
	t.Helper()
	got, want := split.Split(body, base), split.Split(body, nil)
	check(t, want, nil)
	check(t, got, base)
	if got.JSON != want.JSON || got.Why != want.Why {
		t.Fatalf("with a base: JSON %v %q, without: %v %q", got.JSON, got.Why, want.JSON, want.Why)
	}
	if g, w := fmt.Sprint(got.Fields), fmt.Sprint(want.Fields); g != w {
		t.Fatalf("fields with a base\n%s\nwithout\n%s", g, w)
	}
	if g, w := dump(got), dump(want); g != w {
		t.Fatalf("pieces with a base\n%s\nwithout\n%s\nbody %q\nbase %q", g, w, clip(body), clip(base.Body))
	}
	return got
}

func clip(b []byte) []byte { return b[:min(len(b), 3000)] }

// dump writes pieces without Same.
func dump(d *split.Doc) string {
	var s strings.Builder
	for _, p := range d.Pieces {
		p.Same = 0
		fmt.Fprintln(&s, p)
	}
	return s.String()
}

// conversations gives bodies as agents send them, turn by turn.
func conversations(r *rand.Rand, turns int) [][][]byte {
	var all [][][]byte
	for _, body := range []func(*rand.Rand, int) []byte{anthropic, responses, gemini, chat} {
		var one [][]byte
		seed := r.Uint64()
		for n := range turns {
			one = append(one, body(rand.New(rand.NewPCG(seed, 1)), n+1))
		}
		all = append(all, one)
	}
	return all
}

var vocabulary = strings.Fields("func return if err != nil { } the a file of to and \\n \\t \\\"quoted\\\" naïve 日本語のテキスト 😀 \\u00e9 \\\\ package import")

func prose(r *rand.Rand, words int) string {
	s := make([]string, words)
	for i := range s {
		s[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	return strings.Join(s, " ")
}

func anthropic(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"claude-test","messages":[`)
	for i := range turns {
		mark := ""
		if i >= turns-2 {
			mark = `,"cache_control":{"type":"ephemeral"}`
		}
		if i > 0 {
			fmt.Fprintf(&s, `,{"role":"assistant","content":[{"type":"thinking","thinking":"%s","signature":"c2ln"},{"type":"tool_use","id":"t%d","name":"Bash","input":{"command":"%s"}}]},`, prose(r, 20), i, prose(r, 9))
		}
		fmt.Fprintf(&s, `{"role":"user","content":[{"type":"text","text":"%s"%s}]}`, prose(r, 40), mark)
	}
	s.WriteString(`],"system":[{"type":"text","text":"x-billing: ` + strconv.Itoa(turns%3) + `"},{"type":"text","text":"You are","cache_control":{"type":"ephemeral"}}],"tools":[`)
	fixed := rand.New(rand.NewPCG(7, 7))
	for i := range 5 {
		if i > 0 {
			s.WriteString(",")
		}
		fmt.Fprintf(&s, `{"name":"T%d","description":"%s","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}`, i, prose(fixed, 30))
	}
	fmt.Fprintf(&s, `],"metadata":{"user_id":"{\"session_id\":\"s\"}"},"max_tokens":32000,"stream":true,"turn":%d}`, turns)
	return []byte(s.String())
}

func responses(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"gpt-test","instructions":"` + prose(rand.New(rand.NewPCG(3, 3)), 100) + `","input":[{"type":"additional_tools","tools":[{"type":"namespace","name":"n","tools":[{"type":"custom"}]}]}`)
	for i := range turns {
		fmt.Fprintf(&s, `,{"type":"message","role":"user","content":[{"type":"input_text","text":"%s"}]},{"type":"reasoning","summary":[],"encrypted_content":"%s"},{"type":"custom_tool_call_output","call_id":"c%d","output":"%s"}`, prose(r, 20), prose(r, 9), i, prose(r, 40))
	}
	fmt.Fprintf(&s, `],"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k","client_metadata":{"turn":"%d"}}`, turns)
	return []byte(s.String())
}

func gemini(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString("{\n  \"request\": {\"contents\": [\n")
	for i := range turns {
		if i > 0 {
			fmt.Fprintf(&s, ",\n    {\"role\": \"model\", \"parts\": [{\"functionCall\": {\"name\": \"f\", \"args\": {\"a\": %d}}, \"thoughtSignature\": \"x\"}]},\n", i)
		}
		fmt.Fprintf(&s, "    {\"role\": \"user\", \"parts\": [{\"text\": \"%s\"}]}", prose(r, 30))
	}
	s.WriteString("\n  ], \"systemInstruction\": {\"parts\": [{\"text\": \"" + prose(rand.New(rand.NewPCG(9, 9)), 50) + "\"}]}, \"tools\": [{\"functionDeclarations\": [{\"name\": \"f\"}, {\"name\": \"g\"}]}], \"generationConfig\": {\"temperature\": 0}},\n  \"project\": \"p\"}\n")
	return []byte(s.String())
}

func chat(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"gpt-chat","messages":[{"role":"system","content":"` + prose(rand.New(rand.NewPCG(5, 5)), 40) + `"}`)
	for i := range turns {
		fmt.Fprintf(&s, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c%d","content":"%s"}`, prose(r, 12), i, i, prose(r, 30))
	}
	s.WriteString(`],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"stream":true,"stream_options":{"include_usage":true}}`)
	return []byte(s.String())
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

// edit changes a body at random, often in ways that leave it JSON.
func edit(r *rand.Rand, body []byte, others [][]byte) []byte {
	out := bytes.Clone(body)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(out) + 1)
		switch r.IntN(9) {
		case 0: // one byte
			if at < len(out) {
				out[at] = byte(r.IntN(256))
			}
		case 1: // cut off
			if r.IntN(4) == 0 {
				out = out[:at]
			}
		case 2: // insert
			words := []string{`"`, `,`, `{`, `]`, ` `, `{"a":1},`, `"x":[{"y":2}],`, `"cache_control":{"type":"ephemeral"},`, `,"cache_control":1`, "\\u12", `12`, `"messages":[{"content":[{"b":1}]}],`, `"request":{"contents":[{"parts":[{"q":1}]}]},`}
			w := words[r.IntN(len(words))]
			if i := bytes.IndexAny(out[at:], "{[,"); i >= 0 && r.IntN(3) > 0 {
				at += i + 1
			}
			out = append(out[:at:at], append([]byte(w), out[at:]...)...)
		case 3: // remove
			end := min(len(out), at+r.IntN(200))
			out = append(out[:at:at], out[end:]...)
		case 4: // the head of one, the tail of another
			o := others[r.IntN(len(others))]
			out = append(out[:at:at], o[min(at, len(o)):]...)
		case 5: // double an element
			if i := bytes.Index(out[at:], []byte(`{"`)); i >= 0 {
				from := at + i
				if j := bytes.Index(out[from:], []byte(`},{`)); j >= 0 {
					element := bytes.Clone(out[from : from+j+2])
					out = append(out[:from:from], append(element, out[from:]...)...)
				}
			}
		case 6: // remove an element
			if i := bytes.Index(out[at:], []byte(`,{"`)); i >= 0 {
				from := at + i
				if j := bytes.Index(out[from:], []byte(`},{`)); j >= 0 {
					out = append(out[:from:from], out[from+j+1:]...)
				}
			}
		case 7: // a marker moves
			out = bytes.Replace(out, []byte(`,"cache_control":{"type":"ephemeral"}`), nil, 1+r.IntN(2))
		case 8: // another name
			out = bytes.Replace(out, []byte(`"content"`), []byte(`"contents"`), 1)
		}
	}
	return out
}

func TestEdits(t *testing.T) {
	rounds := 3000
	if n, err := strconv.Atoi(os.Getenv("SPLIT_ROUNDS")); err == nil {
		rounds = n
	}
	r := rand.New(rand.NewPCG(3, 4))
	all := conversations(r, 4)
	var others [][]byte
	for _, c := range all {
		others = append(others, c...)
	}
	var whole, reused int
	for range rounds {
		bodies := all[r.IntN(len(all))]
		base := split.Split(edit(r, bodies[r.IntN(len(bodies))], others), nil)
		if r.IntN(2) == 0 {
			base = split.Split(bodies[r.IntN(len(bodies))], nil)
		}
		d := agree(t, edit(r, bodies[r.IntN(len(bodies))], others), base)
		d = agree(t, edit(r, d.Body, others), d) // and with a base that had one itself
		if d.JSON {
			whole++
		}
		for _, p := range d.Pieces {
			if p.Same >= 0 {
				reused++
				break
			}
		}
	}
	if whole < rounds/20 || reused < rounds/20 {
		t.Errorf("of %d bodies %d were JSON, %d shared a piece with their base: the edits test nothing", rounds, whole, reused)
	}
}
