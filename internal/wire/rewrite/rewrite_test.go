package rewrite_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// token makes a pseudonym: distinct for each c.
func token(c byte) string { return "QZ" + strings.Repeat(string(c), 10) + "QZ23456789" }

// known is a set of pseudonyms.
type known map[string]rewrite.Value

func (k known) Lookup(token []byte) (rewrite.Value, bool) {
	v, ok := k[string(token)]
	return v, ok
}

func (k known) Longest() (n int) {
	for t := range k {
		n = max(n, len(t))
	}
	return n
}

func (k known) MayStart(suffix []byte) bool {
	for t, v := range k {
		if v.Number && string(suffix) == `"` || len(suffix) < len(t) && strings.HasPrefix(t, string(suffix)) {
			return true
		}
	}
	return false
}

var (
	secret  = token('A') // its value needs every escape
	plain   = token('B')
	count   = token('C') // a number
	value   = "p\"a\\s\ns\té\U0001F600"
	secrets = known{
		secret: {Text: []byte(value)},
		plain:  {Text: []byte("hunter2")},
		count:  {Text: []byte("-8080.5e3"), Number: true},
	}
)

// everywhere restores in text and in all fields of the tool Write; of Edit only
// in the paths that are named.
func everywhere(tool string, path []string) bool {
	switch tool {
	case "", "Write":
		return true
	case "Edit":
		return strings.Join(path, ".") == "new.text" || strings.Join(path, ".") == "list.1"
	}
	return false
}

func options(api flow.API) rewrite.Options {
	return rewrite.Options{API: api, Pseudonyms: secrets, Restore: everywhere}
}

// got is what became of an answer.
type got struct {
	body     string
	messages []string
	edits    []rewrite.Edit
	blocked  *flow.Refusal
	restored []string
}

// run pushes the pieces, each in memory that is spoiled afterwards, and checks
// that the edits say what was delivered.
func run(t testing.TB, o rewrite.Options, pieces ...[]byte) got {
	t.Helper()
	r := rewrite.New(o)
	var g got
	var sent, room []byte
	take := func(out []byte, edits []rewrite.Edit) {
		g.body += string(out)
		at := 0
		for _, end := range r.Ends() {
			g.messages = append(g.messages, string(out[at:end]))
			at = end
		}
		for _, e := range edits {
			e.Put = bytes.Clone(e.Put)
			if len(e.Put) == 0 {
				e.Put = nil
			}
			g.edits = append(g.edits, e)
		}
	}
	for _, p := range pieces {
		sent = append(sent, p...)
		room = append(room[:0], p...)
		take(r.Push(room))
		for i := range room {
			room[i] = '#'
		}
	}
	take(r.End())
	if r.Settled() != int64(len(sent)) {
		t.Fatalf("%d bytes of %d are settled at the end", r.Settled(), len(sent))
	}
	g.blocked, g.restored = r.Blocked(), r.Restored()
	check(t, sent, &g)
	return g
}

// check applies the edits to what was sent, and each value to its token.
func check(t testing.TB, sent []byte, g *got) {
	t.Helper()
	var plainEdits []object.Edit
	for _, e := range g.edits {
		plainEdits = append(plainEdits, object.Edit{At: e.At, Cut: e.Cut, Put: e.Put})
		if e.Token == "" {
			continue
		}
		v, ok := secrets[e.Token]
		if want := rewrite.Escape(nil, v.Text, e.Escape); !ok || !bytes.Equal(e.Put, want) {
			t.Fatalf("edit %+v is not the value of its token: %q", e, want)
		}
	}
	want, err := object.Apply(sent, plainEdits)
	if err != nil {
		t.Fatalf("edits %+v: %v", g.edits, err)
	}
	if string(want) != g.body {
		t.Fatalf("delivered:\n%s\nthe edits say:\n%s", g.body, want)
	}
}

// replay runs the body whole, cut at boundaries that are step apart, and byte by
// byte: every way must give the same.
func replay(t testing.TB, o rewrite.Options, body []byte, step int) got {
	t.Helper()
	want := run(t, o, body)
	same := func(how string, g got) {
		t.Helper()
		if !reflect.DeepEqual(g, want) {
			t.Fatalf("%s: got\n%s\n%+v\nwant\n%s\n%+v", how, g.body, g.edits, want.body, want.edits)
		}
	}
	for i := 0; i <= len(body); i += step {
		same(fmt.Sprintf("cut at %d", i), run(t, o, body[:i], body[i:]))
	}
	same("byte by byte", run(t, o, single(body)...))
	return want
}

func single(body []byte) [][]byte {
	pieces := make([][]byte, len(body))
	for i := range body {
		pieces[i] = body[i : i+1]
	}
	return pieces
}

// read gives the parts of an answer.
func read(api flow.API, pieces ...string) []flow.Part {
	o := codec.Options{Keep: true}
	if len(pieces) != 1 {
		o.Stream = codec.Messages
	}
	a := codec.NewAnswer(api, o)
	for _, p := range pieces {
		a.Push([]byte(p))
	}
	return a.End().Parts
}

// texts joins what the parts say: kind, name, text.
func texts(parts []flow.Part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%s|%s|%s\n", p.Kind, p.Name, p.Text)
	}
	return b.String()
}

// sse frames payloads as each API frames its own.
func sse(api flow.API, payloads ...string) []byte {
	var b bytes.Buffer
	for _, p := range payloads {
		if api == flow.Messages || api == flow.Responses {
			_, kind, _ := strings.Cut(p, `{"type":"`)
			kind, _, _ = strings.Cut(kind, `"`)
			fmt.Fprintf(&b, "event: %s\n", kind)
		}
		fmt.Fprintf(&b, "data: %s\n\n", p)
	}
	return b.Bytes()
}

func quoted(s string) string {
	return `"` + string(rewrite.Escape(nil, []byte(s), rewrite.String)) + `"`
}

// wire makes streams of one API.
type wire struct {
	api   flow.API
	text  func(deltas ...string) []string              // JSON strings with their quotes
	call  func(name string, deltas ...string) []string // nil: calls don't come in pieces
	begin []string
	end   []string
}

func wires() []wire {
	return []wire{
		{
			api: flow.Messages,
			text: func(deltas ...string) (list []string) {
				list = append(list, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
				for _, d := range deltas {
					list = append(list, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`+d+`}}`)
				}
				return append(list, `{"type":"content_block_stop","index":0}`)
			},
			call: func(name string, deltas ...string) (list []string) {
				list = append(list, `{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"`+name+`","input":{}}}`)
				for _, d := range deltas {
					list = append(list, `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":`+d+`}}`)
				}
				return append(list, `{"type":"content_block_stop","index":1}`)
			},
			begin: []string{`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}}`},
			end: []string{`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}`,
				`{"type":"message_stop"}`},
		},
		{
			api: flow.Chat,
			text: func(deltas ...string) (list []string) {
				for _, d := range deltas {
					list = append(list, chunk(`{"content":`+d+`}`, "null"))
				}
				return list
			},
			call: func(name string, deltas ...string) (list []string) {
				list = append(list, chunk(`{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"`+name+`","arguments":""}}]}`, "null"))
				for _, d := range deltas {
					list = append(list, chunk(`{"tool_calls":[{"index":0,"function":{"arguments":`+d+`}}]}`, "null"))
				}
				return list
			},
			begin: []string{chunk(`{"role":"assistant","content":""}`, "null")},
			end:   []string{chunk(`{}`, `"tool_calls"`), `[DONE]`},
		},
		{
			api: flow.Responses,
			text: func(deltas ...string) (list []string) {
				list = append(list, `{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","content":[],"role":"assistant"}}`)
				all := whole(deltas)
				for _, d := range deltas {
					list = append(list, `{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":`+d+`}`)
				}
				return append(list, `{"type":"response.output_text.done","output_index":0,"content_index":0,"text":`+all+`}`,
					`{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":`+all+`}}`,
					`{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":`+all+`}],"role":"assistant"}}`)
			},
			call: func(name string, deltas ...string) (list []string) {
				all := whole(deltas)
				item := func(args string) string {
					return `{"id":"fc_1","type":"function_call","call_id":"call_1","name":"` + name + `","arguments":` + args + `}`
				}
				list = append(list, `{"type":"response.output_item.added","output_index":1,"item":`+item(`""`)+`}`)
				for _, d := range deltas {
					list = append(list, `{"type":"response.function_call_arguments.delta","output_index":1,"delta":`+d+`}`)
				}
				return append(list, `{"type":"response.function_call_arguments.done","output_index":1,"arguments":`+all+`}`,
					`{"type":"response.output_item.done","output_index":1,"item":`+item(all)+`}`)
			},
			begin: []string{`{"type":"response.created","response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"gpt","output":[]}}`},
			end:   []string{`{"type":"response.completed","response":{"id":"resp_1","status":"completed","model":"gpt","output":[]}}`},
		},
		{
			api: flow.StreamGenerate,
			text: func(deltas ...string) (list []string) {
				for _, d := range deltas {
					list = append(list, candidate(`{"text":`+d+`}`, ""))
				}
				return list
			},
			end: []string{candidate(`{"text":""}`, `,"finishReason":"STOP"`)},
		},
	}
}

func chunk(delta, finish string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`
}

func candidate(part, rest string) string {
	return `{"candidates":[{"content":{"parts":[` + part + `],"role":"model"},"index":0` + rest + `}],"modelVersion":"gemini","responseId":"r1"}`
}

// whole joins JSON strings.
func whole(deltas []string) string {
	all := ""
	for _, d := range deltas {
		all += d[1 : len(d)-1]
	}
	return `"` + all + `"`
}

func (w wire) stream(middle ...[]string) []string {
	list := append([]string(nil), w.begin...)
	for _, m := range middle {
		list = append(list, m...)
	}
	return append(list, w.end...)
}

// ways gives each framing in which an API's payloads come, with a run of it.
func (w wire) ways(payloads []string) map[string]func(t testing.TB, o rewrite.Options, every int) got {
	body := sse(w.api, payloads...)
	framed := func(body []byte) func(t testing.TB, o rewrite.Options, every int) got {
		return func(t testing.TB, o rewrite.Options, every int) got { return replay(t, o, body, every) }
	}
	ways := map[string]func(t testing.TB, o rewrite.Options, every int) got{
		"LF":    framed(body),
		"CRLF":  framed(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))),
		"CR":    framed(bytes.ReplaceAll(body, []byte("\n"), []byte("\r"))),
		"mixed": framed(bytes.Replace(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), []byte("\r\n"), []byte("\n"), 3)),
		"BOM":   framed(append([]byte("\xef\xbb\xbf: hello\n\n"), body...)),
	}
	if w.api == flow.StreamGenerate {
		ways["array"] = framed([]byte("[" + strings.Join(payloads, ",\r\n") + "\n]\n"))
	}
	if w.api == flow.Responses {
		ways["messages"] = func(t testing.TB, o rewrite.Options, _ int) got {
			o.Framing = rewrite.Messages
			var pieces [][]byte
			for _, p := range payloads {
				pieces = append(pieces, []byte(p))
			}
			return run(t, o, pieces...)
		}
	}
	return ways
}

// parts reads what was delivered.
func (w wire) parts(g got) string {
	if g.messages != nil {
		return texts(read(w.api, g.messages...))
	}
	return texts(read(w.api, g.body))
}

// A pseudonym is restored in text wherever it is cut into deltas, in each
// framing and for each way of cutting the bytes.
func TestTextAtEveryCut(t *testing.T) {
	for _, w := range wires() {
		for i := 0; i <= len(secret); i++ {
			deltas := []string{`"The key: Q QZ ` + secret[:i] + `"`, `"` + secret[i:] + ` and ` + plain + `QZ\n"`, `"."`}
			for name, way := range w.ways(w.stream(w.text(deltas...))) {
				every := 997
				if i == 7 {
					every = 5
				}
				if rare := name == "CR" || name == "mixed" || name == "BOM"; rare && i%4 > 0 {
					continue
				}
				g := way(t, options(w.api), every)
				want := texts([]flow.Part{{Kind: flow.Text, Text: "The key: Q QZ " + value + " and hunter2QZ\n."}})
				if got := w.parts(g); got != want {
					t.Fatalf("%s, %s, cut at %d: got\n%s\nwant\n%s\n%s", w.api, name, i, got, want, g.body)
				}
				if want := []string{secret, plain}; !reflect.DeepEqual(g.restored, want) {
					t.Errorf("restored %v, want %v", g.restored, want)
				}
			}
		}
	}
}

// The same for the arguments of a tool, which are JSON in a string.
func TestArgumentsAtEveryCut(t *testing.T) {
	args := `{"path":"/etc/` + plain + `","new":{"text":"a ` + secret + `\n","n":"` + count + `"},"list":["` + plain + `","` + plain + `"]}`
	escaped := `"` + string(rewrite.Escape(nil, []byte(args), rewrite.String)) + `"`
	inner := escaped[1 : len(escaped)-1]
	for _, w := range wires() {
		if w.call == nil {
			continue
		}
		for i := 0; i <= len(inner); i++ {
			if i > 0 && inner[i-1] == '\\' && !strings.HasSuffix(inner[:i], `\\`) {
				continue // inside of an escape of the outer string
			}
			deltas := []string{`"` + inner[:i] + `"`, `""`, `"` + inner[i:] + `"`}
			for _, tool := range []string{"Write", "Edit", "Bash"} {
				payloads := w.stream(w.call(tool, deltas...))
				g := run(t, options(w.api), sse(w.api, payloads...))
				want := restoredArgs(tool, args)
				if got := w.parts(g); got != "tool_call|"+tool+"|"+want+"\n" {
					t.Fatalf("%s %s, cut at %d: got\n%s\nwant\n%s\n%s", w.api, tool, i, got, want, g.body)
				}
				if got, want := whole(deltas), string(rewrite.Escape(nil, []byte(args), rewrite.String)); got != `"`+want+`"` {
					t.Fatal("the test cuts badly")
				}
			}
		}
	}
}

func restoredArgs(tool, args string) string {
	put := func(s, token, value string, n int) string { return strings.Replace(s, token, value, n) }
	inString := string(rewrite.Escape(nil, []byte(value), rewrite.String))
	switch tool {
	case "Write":
		args = put(args, secret, inString, -1)
		args = put(args, plain, "hunter2", -1)
		args = put(args, `"`+count+`"`, "-8080.5e3", -1)
	case "Edit":
		args = put(args, secret, inString, -1)
		at := strings.LastIndex(args, plain)
		args = args[:at] + "hunter2" + args[at+len(plain):]
	}
	return args
}
