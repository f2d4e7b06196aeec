package rewrite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// spelled writes a token as a model may: every third character as an escape.
func spelled(token, escape string) string {
	var b strings.Builder
	for i := range len(token) {
		if i%3 == 0 {
			fmt.Fprintf(&b, escape+"%04x", token[i])
		} else {
			b.WriteByte(token[i])
		}
	}
	return b.String()
}

// What is put where: in stands in the provider's bytes, want in the client's.
func TestPlaces(t *testing.T) {
	textDelta := func(s string) string {
		return `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":` + s + `}}`
	}
	start := func(kind string) string {
		return `{"type":"content_block_start","index":0,"content_block":{` + kind + `}}`
	}
	argsDelta := func(s string) string {
		return `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":` + s + `}}`
	}
	write, edit := start(`"type":"tool_use","id":"t","name":"Write","input":{}`), start(`"type":"tool_use","id":"t","name":"Edit","input":{}`)
	stop := `{"type":"content_block_stop","index":0}`
	bs := `\`
	cases := []struct {
		name, in, want string
		api            flow.API
	}{
		{"escaped token", textDelta(`"é😀\ud83d\ude00 ` + spelled(plain, bs+"u") + `\\u0051Z"`), textDelta(`"é😀\ud83d\ude00 hunter2\\u0051Z"`), flow.Messages},
		{"an escape that is none", textDelta(`"\\` + plain[:1] + `\` + spelled(plain, "u")[:5] + `"`), "", flow.Messages},
		{"twice, touching", textDelta(`"` + plain + plain + `QZ` + plain + `"`), textDelta(`"hunter2hunter2QZhunter2"`), flow.Messages},
		{"one too short", textDelta(`"`+plain[:21]+`"`) + "\n\ndata: " + stop, "", flow.Messages},
		{"not known", textDelta(`"` + token('X') + `"`), "", flow.Messages},
		{"a number in text", textDelta(`"\"` + count + `\""`), textDelta(`"\"-8080.5e3\""`), flow.Messages},
		{"thinking", `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"` + plain + `"}}`, "", flow.Messages},
		{"signature", `{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"` + plain + `"}}`, "", flow.Messages},
		{"redacted thinking", start(`"type":"redacted_thinking","data":"` + plain + `"`), "", flow.Messages},
		{"the provider's own tool", start(`"type":"server_tool_use","id":"t","name":"Write","input":{"a":"`+plain+`"}`) + "\n\ndata: " + argsDelta(`"{\"a\":\"`+plain+`\"}"`), "", flow.Messages},
		{"unknown event", `{"type":"new_thing","text":"` + plain + `","delta":{"type":"text_delta","text":"` + plain + `"}}`, "", flow.Messages},
		{"unknown delta", `{"type":"content_block_delta","index":0,"delta":{"type":"new_delta","text":"` + plain + `"}}`, "", flow.Messages},
		{"not JSON", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + plain, "", flow.Messages},
		{"text from the start", start(`"type":"text","text":"a ` + plain + `"`), start(`"type":"text","text":"a hunter2"`), flow.Messages},
		{"the whole input at once", start(`"type":"tool_use","id":"t","name":"Edit","input":{"new":{"text":"` + plain + `"},"old":"` + plain + `"}`), start(`"type":"tool_use","id":"t","name":"Edit","input":{"new":{"text":"hunter2"},"old":"` + plain + `"}`), flow.Messages},
		{"duplicate keys", edit + "\n\ndata: " + argsDelta(`"{\"new\":{\"text\":\"`+plain+`\",\"text\":\"`+plain+`\"},\"new\":\"`+plain+`\"}"`),
			edit + "\n\ndata: " + argsDelta(`"{\"new\":{\"text\":\"hunter2\",\"text\":\"hunter2\"},\"new\":\"`+plain+`\"}"`), flow.Messages},
		{"a key with escapes", edit + "\n\ndata: " + argsDelta(`"{\"n\\u0065w\":{\"\\u0074ext\":\"`+plain+`\"}}"`),
			edit + "\n\ndata: " + argsDelta(`"{\"n\\u0065w\":{\"\\u0074ext\":\"hunter2\"}}"`), flow.Messages},
		{"a token as a key", write + "\n\ndata: " + argsDelta(`"{\"`+plain+`\":\"`+plain+`\"}"`), write + "\n\ndata: " + argsDelta(`"{\"`+plain+`\":\"hunter2\"}"`), flow.Messages},
		{"escaped in the arguments", write + "\n\ndata: " + argsDelta(`"{\"a\":\"\\\\`+spelled(secret, bs+bs+"u")+`\\\\u0051\"}"`),
			write + "\n\ndata: " + argsDelta(`"{\"a\":\"\\\\`+string(rewrite.Escape(nil, []byte(value), rewrite.Nested))+`\\\\u0051\"}"`), flow.Messages},
		{"escaped in both", write + "\n\ndata: " + argsDelta(`"{\"a\":\"`+spelled(plain, bs+"u")+`\"}"`), write + "\n\ndata: " + argsDelta(`"{\"a\":\"hunter2\"}"`), flow.Messages},
		{"cut in an escape", write + "\n\ndata: " + argsDelta(`"{\"a\":\"\\u00"`) + "\n\ndata: " + argsDelta(`"51Z`+plain[2:]+`\"}"`),
			write + "\n\ndata: " + argsDelta(`"{\"a\":\"hunter2"`) + "\n\ndata: " + argsDelta(`"\"}"`), flow.Messages},
		{"numbers", write + "\n\ndata: " + argsDelta(`"{\"a\":\"`+count+`\",\"b\":[\""`) + "\n\ndata: " + argsDelta(`"`+count+`"`) + "\n\ndata: " + argsDelta(`"\",\"`+count+`.\",\" `+count+`\"]}"`),
			write + "\n\ndata: " + argsDelta(`"{\"a\":-8080.5e3,\"b\":[-8080.5e3"`) + "\n\ndata: " + argsDelta(`""`) + "\n\ndata: " + argsDelta(`",\"-8080.5e3.\",\" -8080.5e3\"]}"`), flow.Messages},
		{"no number", write + "\n\ndata: " + argsDelta(`"[\"Q`+count+`\",\"QZ`+count+`\"]"`), write + "\n\ndata: " + argsDelta(`"[\"Q-8080.5e3\",\"QZ-8080.5e3\"]"`), flow.Messages},
		{"cut in a later escape", write + "\n\ndata: " + argsDelta(`"{\"a\":\"x\\u00"`) + "\n\ndata: " + argsDelta(`"51Z`+plain[2:]+`\"}"`),
			write + "\n\ndata: " + argsDelta(`"{\"a\":\"xhunter2"`) + "\n\ndata: " + argsDelta(`"\"}"`), flow.Messages},
		{"a number that is cut off", write + "\n\ndata: " + argsDelta(`"{\"a\":\"`+count+`"`) + "\n\ndata: " + stop, write + "\n\ndata: " + argsDelta(`"{\"a\":\"-8080.5e3"`) + "\n\ndata: " + stop, flow.Messages},
		{"capital hex", textDelta(`"\u004F\u0051Z` + plain[2:] + `"`), textDelta(`"\u004Fhunter2"`), flow.Messages},
		{"not read", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + plain + `"}}`, "", flow.Opaque},
		{"no item before", `{"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"a\":\"` + plain + `\"}"}`, "", flow.Responses},
		{"too deep", write + "\n\ndata: " + argsDelta(`"`+strings.Repeat("[", 100)+`\"`+plain+`\"`+strings.Repeat("]", 100)+`"`), "", flow.Messages},
		{"a bad escape", write + "\n\ndata: " + argsDelta(`"[\"\\x\",\"`+plain+`\"]"`), "", flow.Messages},
		{"half an escape", write + "\n\ndata: " + argsDelta(`"[\"\\u00g0\",\"`+plain+`\"]"`), "", flow.Messages},
		{"a long name", write + "\n\ndata: " + argsDelta(`"{\"`+strings.Repeat("n", 5000)+`\":\"`+plain+`\"}"`), "", flow.Messages},
		{"broken arguments", write + "\n\ndata: " + argsDelta(`"{\"a\" \"b\":\"`+plain+`\"}"`), "", flow.Messages},
		{"two data lines", "{\"type\":\"content_block_delta\",\"index\":0,\ndata: \"delta\":{\"type\":\"text_delta\",\ndata:\"text\":\"a " + plain + "\"}}",
			"{\"type\":\"content_block_delta\",\"index\":0,\ndata: \"delta\":{\"type\":\"text_delta\",\ndata:\"text\":\"a hunter2\"}}", flow.Messages},
		{"free text of a tool", `{"type":"response.output_item.added","output_index":1,"item":{"type":"custom_tool_call","call_id":"c","name":"Write","input":""}}` + "\n\ndata: " +
			`{"type":"response.custom_tool_call_input.delta","output_index":1,"delta":"{\"` + plain[:5] + `"}` + "\n\ndata: " + `{"type":"response.custom_tool_call_input.delta","output_index":1,"delta":"` + plain[5:] + `"}` + "\n\ndata: " +
			`{"type":"response.custom_tool_call_input.done","output_index":1,"input":"{\"` + plain + `"}`,
			`{"type":"response.output_item.added","output_index":1,"item":{"type":"custom_tool_call","call_id":"c","name":"Write","input":""}}` + "\n\ndata: " +
				`{"type":"response.custom_tool_call_input.delta","output_index":1,"delta":"{\"hunter2"}` + "\n\ndata: " + `{"type":"response.custom_tool_call_input.delta","output_index":1,"delta":""}` + "\n\ndata: " +
				`{"type":"response.custom_tool_call_input.done","output_index":1,"input":"{\"hunter2"}`, flow.Responses},
		{"every later copy", `{"type":"response.completed","response":{"instructions":"` + plain + `","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"` + plain + `"}],"encrypted_content":"` + plain + `"},{"type":"message","content":[{"type":"output_text","text":"` + plain + `"},{"type":"refusal","refusal":"` + plain + `"}]},{"type":"function_call","name":"Edit","arguments":"{\"list\":[\"` + plain + `\",\"` + plain + `\"]}"},{"type":"mcp_call","name":"Write","arguments":"{\"a\":\"` + plain + `\"}"}]}}`,
			`{"type":"response.completed","response":{"instructions":"` + plain + `","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"` + plain + `"}],"encrypted_content":"` + plain + `"},{"type":"message","content":[{"type":"output_text","text":"hunter2"},{"type":"refusal","refusal":"hunter2"}]},{"type":"function_call","name":"Edit","arguments":"{\"list\":[\"` + plain + `\",\"hunter2\"]}"},{"type":"mcp_call","name":"Write","arguments":"{\"a\":\"` + plain + `\"}"}]}}`, flow.Responses},
		{"Gemini's arguments", candidate(`{"functionCall":{"name":"Write","args":{"a":["`+spelled(secret, bs+"u")+`"],"n":"`+count+`","x":"`+secret+`QZ"}}}`, ""),
			candidate(`{"functionCall":{"name":"Write","args":{"a":["`+string(rewrite.Escape(nil, []byte(value), rewrite.String))+`"],"n":-8080.5e3,"x":"`+string(rewrite.Escape(nil, []byte(value), rewrite.String))+`QZ"}}}`, ""), flow.StreamGenerate},
		{"signed by Gemini", candidate(`{"thoughtSignature":"s","functionCall":{"name":"Write","args":{"a":"`+plain+`"}}},{"text":"`+plain+`","thoughtSignature":"s"},{"text":"`+plain+`","thought":true}`, ""), "", flow.StreamGenerate},
		{"a signed part between", candidate(`{"text":"`+plain[:9]+`"}`, "") + "\n\ndata: " + candidate(`{"text":"`+plain[9:]+`","thoughtSignature":"s"}`, ""), "", flow.StreamGenerate},
		{"Chat's own members", chunk(`{"content":"`+plain+`","refusal":"`+plain+`","reasoning_content":"`+plain+`","tool_calls":[{"index":3,"function":{"name":"Write","arguments":"{\"a\":\"`+plain+`\"}"}},{"index":4,"custom":{"name":"Write","input":"`+plain+`"}}],"function_call":{"name":"Bash","arguments":"{\"a\":\"`+plain+`\"}"}}`, "null"),
			chunk(`{"content":"hunter2","refusal":"hunter2","reasoning_content":"`+plain+`","tool_calls":[{"index":3,"function":{"name":"Write","arguments":"{\"a\":\"hunter2\"}"}},{"index":4,"custom":{"name":"Write","input":"hunter2"}}],"function_call":{"name":"Bash","arguments":"{\"a\":\"`+plain+`\"}"}}`, "null"), flow.Chat},
	}
	for _, c := range cases {
		if c.want == "" {
			c.want = c.in
		}
		in, want := "data: "+c.in+"\n\n", "data: "+c.want+"\n\n"
		if g := replay(t, options(c.api), []byte(in), 3); g.body != want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, g.body, want)
		}
	}
}

// A value is not put into an address that may be followed.
func TestAddresses(t *testing.T) {
	cases := map[string]bool{
		"see %":                                       true,
		"https://x.example/%":                         false,
		"see https://x.example/?a=b&k=%":              false,
		`https:\/\/x.example\/%`:                      false,
		"https://x.example %":                         true,
		`https://x.example\n%`:                        true,
		"![a b](//x.example/%)":                       false,
		"[a b](x/%)":                                  false,
		`<img src=\"//x.example/%\">`:                 false,
		"postgres://me:%@db/x":                        true,
		"HTTP://x/" + strings.Repeat("y", 5000) + "%": false,
		strings.Repeat("y", 5000) + "%":               true,
		"(http://x.example/) %":                       true,
		"![x](<https://x.example/a b?%>)":             false,
		"![x](<https://x.example/a b> %":              true,
		"[x]: <//x.example/a b?%>":                    false,
		`![x](\u003chttps://x.example/a b?%\u003e)`:   false,
		`<img src=\"https://x.example/a b?%\">`:       false,
		`<img src=\"https://x.example/a\n b?%\">`:     false,
		`<img src = 'https://x.example/a b?%'>`:       false,
		`<a HREF=\u0022https://x.example/a b?%\">`:    false,
		`<img src=\"https://x.example/a b\"> %`:       true,
		`background: url( 'https://x.example/a b?%')`: false,
		`a \"b %\" and 'c %'`:                         true,
		"at www.x.example/?a=%":                       false,
		"to mailto:me@x.example?body=%":               false,
		"a@bwww.%":                                    true,
	}
	for text, restored := range cases {
		text = strings.ReplaceAll(text, "%", plain)
		for _, w := range wires() {
			cut := len(text) - 30
			for cut > 0 && text[cut-1] == '\\' {
				cut--
			}
			for _, deltas := range [][]string{{`"` + text + `"`}, {`"` + text[:max(cut, 0)] + `"`, `"` + text[max(cut, 0):] + `"`}} {
				body := sse(w.api, w.stream(w.text(deltas...))...)
				g := run(t, options(w.api), body)
				if got := strings.Contains(g.body, "hunter2"); got != restored || got == strings.Contains(g.body, plain) {
					t.Errorf("%s: %.60q: restored %v", w.api, text, got)
				}
			}
		}
	}
}

// Texts that come interleaved don't get into each other's way.
func TestTwoLanes(t *testing.T) {
	delta := func(n int, s string) string {
		return fmt.Sprintf(`{"type":"response.output_text.delta","output_index":%d,"content_index":1,"delta":"%s"}`, n, s)
	}
	for i := 1; i < len(plain); i++ {
		body := sse(flow.Responses, delta(0, "a "+plain[:i]), delta(1, "b "+secret[:i]), delta(0, plain[i:]+" a"), delta(2, "c"), delta(1, secret[i:]+" b"))
		in := string(rewrite.Escape(nil, []byte(value), rewrite.String))
		want := sse(flow.Responses, delta(0, "a hunter2"), delta(1, "b "+in), delta(0, " a"), delta(2, "c"), delta(1, " b"))
		if g := replay(t, options(flow.Responses), body, 5); g.body != string(want) {
			t.Fatalf("at %d: %s", i, g.body)
		}
	}
}

// One event after the other leaves at once, as long as its text does not end
// in the start of a known pseudonym.
func TestNothingIsDelayed(t *testing.T) {
	for _, w := range wires() {
		deltas := []string{`"A"`, `"QZ"`, `"QX"`, `"Q"`, `"` + token('X') + `"`, `"` + plain[:20] + `"`, `"x"`, `"\u0051"`, `"\n"`}
		held := map[string]bool{`"QZ"`: true, `"Q"`: true, `"` + plain[:20] + `"`: true, `"\u0051"`: true}
		r := rewrite.New(options(w.api))
		late := 0
		for _, p := range w.stream(w.text(deltas...)) {
			piece := sse(w.api, p)
			out, edits := r.Push(piece)
			late += len(piece) - len(out)
			want := false
			for d := range held {
				want = want || strings.Contains(p, `elta":`+d) || strings.Contains(p, `"text":`+d+`}}`) || strings.Contains(p, `ntent":`+d) || strings.Contains(p, `[{"text":`+d)
			}
			if r.Holding() != want || (late > 0) != want || len(edits) > 0 {
				t.Errorf("%s: %s: holding %v, late %d", w.api, p, r.Holding(), late)
			}
		}
	}
}

// Lines and events of a megabyte, and values in them.
func TestLongLines(t *testing.T) {
	long := strings.Repeat("lorem ipsum dolor ", 1<<16) + strings.Repeat(`lorem QZ ipsum \n`, 1<<11) + strings.Repeat(`loremQZ`, 1<<10) + " "
	for _, w := range wires() {
		body := sse(w.api, w.stream(w.text(`"`+long+plain+`"`, `"`+long+`"`))...)
		g := run(t, options(w.api), body)
		var pieces [][]byte
		for rest := body; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(70000))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		cut := run(t, options(w.api), pieces...)
		if want := bytes.ReplaceAll(body, []byte(plain), []byte("hunter2")); g.body != string(want) || cut.body != g.body {
			t.Errorf("%s: not restored in long lines", w.api)
		}
	}
}

// What is over the limit passes as it is, or is refused where calls are judged.
func TestOverlong(t *testing.T) {
	long := strings.Repeat("x", rewrite.Limit)
	for _, w := range wires()[:1] {
		body := sse(w.api, w.stream(w.text(`"`+plain+`"`, `"`+long+`"`, `"`+plain+`"`))...)
		want := strings.Replace(string(body), plain, "hunter2", 1)
		cut := len(body) / 2
		one, two := run(t, options(w.api), body), run(t, options(w.api), body[:cut], body[cut:])
		if one.body != two.body || one.body != want {
			t.Errorf("%s: %d, %d bytes, want %d", w.api, len(one.body), len(two.body), len(want))
		}
		one, two = run(t, holding(w.api, "", nil), body), run(t, holding(w.api, "", nil), body[:cut], body[cut:])
		if one.blocked == nil || one.body != two.body || len(one.body) > 10000 {
			t.Errorf("%s: %d, %d bytes held", w.api, len(one.body), len(two.body))
		}
	}
	call := sse(flow.StreamGenerate, candidate(`{"functionCall":{"name":"Bash","args":{}}}`, ""), candidate(`{"text":"`+long+`"}`, ""))
	if g := run(t, holding(flow.StreamGenerate, "rm", nil), call); g.blocked == nil || !strings.Contains(g.body, "Bash") {
		t.Errorf("a call that passed is taken back: %s", g.body)
	}
	doc := `{"content":[{"type":"text","text":"` + long + `"}]}`
	if g := run(t, options(flow.Messages), []byte(doc)); g.body != doc {
		t.Error("a long document is changed")
	}
	if g := run(t, holding(flow.Messages, "", nil), []byte(doc[:100]), []byte(doc[100:])); g.blocked == nil || len(g.body) > 1000 {
		t.Error("a long document passes unjudged")
	}
}

// Without anything to do, the bytes pass as they come: the same slice.
func TestPlain(t *testing.T) {
	for _, o := range []rewrite.Options{{}, {API: flow.Messages, Pseudonyms: known{}, Restore: everywhere}, {API: flow.Chat, Pseudonyms: secrets}} {
		r := rewrite.New(o)
		p := []byte("data: {")
		out, edits := r.Push(p)
		if &out[0] != &p[0] || len(out) != len(p) || edits != nil {
			t.Errorf("%+v: not p itself", o)
		}
	}
}

// silent says of no token that it stands for a number before it is whole.
type silent struct{ known }

func (s silent) MayStart(suffix []byte) bool {
	return string(suffix) != `"` && s.known.MayStart(suffix)
}

// Where the quote before a number is gone, the value stays in quotes.
func TestNumberBehindItsQuote(t *testing.T) {
	o := options(flow.Messages)
	o.Pseudonyms = silent{secrets}
	body := func(a, b, c string) []byte { return sse(flow.Messages, wires()[0].call("Write", a, b, c)...) }
	g := replay(t, o, body(`"{\"a\":\""`, `"`+count+`"`, `"\",\"b\":\"`+count+`\"}"`), 3)
	if want := body(`"{\"a\":\""`, `"-8080.5e3"`, `"\",\"b\":-8080.5e3}"`); g.body != string(want) {
		t.Errorf("got\n%s\nwant\n%s", g.body, want)
	}
}

// Two texts with something else between them are two texts, also when their
// events look like those before.
func TestTextsApart(t *testing.T) {
	for between, joined := range map[string]bool{
		candidate(`{"functionCall":{"name":"Bash","args":{}}}`, ""):   false,
		candidate(`{"text":"x","thoughtSignature":"s"}`, ""):          false,
		candidate(`{"text":"x","thought":true}`, ""):                  false,
		candidate(`{"text":""}`, ""):                                  true,
		`{"usageMetadata":{"promptTokenCount":1}}`:                    true,
		candidate(`{"text":"x"}`, `,"finishReason":"STOP"`):           false,
		strings.Replace(candidate(`{"text":"x"}`, ""), ":0", ":1", 1): true, // another candidate
	} {
		list := []string{candidate(`{"text":"a"}`, ""), candidate(`{"text":"b"}`, ""), between, candidate(`{"text":"`+plain[:9]+`"}`, ""), between, candidate(`{"text":"`+plain[9:]+`"}`, "")}
		g := replay(t, options(flow.StreamGenerate), sse(flow.StreamGenerate, list...), 7)
		if got := strings.Contains(g.body, "hunter2"); got != joined {
			t.Errorf("%s: joined %v", between, got)
		}
	}
}

// A line's end in a string is the event's end, whatever a template says.
func TestTornByALine(t *testing.T) {
	for _, nl := range []string{"\n\n", "\r\r", "\r\n\r\n", "\n"} {
		w := wires()[0]
		body := string(sse(w.api, w.stream(w.text(`"a"`, `"b"`, `"c`+nl+plain+`"`, `"`+plain+`"`))...))
		replay(t, options(w.api), []byte(body), 3)
	}
}

// What may become a pseudonym is not waited for for ever.
func TestGiveUp(t *testing.T) {
	w := wires()[0]
	o := options(w.api)
	o.MaxHold = 300
	thinking := `{"type":"content_block_delta","index":5,"delta":{"type":"thinking_delta","thinking":"hm"}}`
	first := w.text(`"` + plain[:9] + `"`)
	rest := w.text(`"` + plain[9:] + `"`)[1]
	for n, restored := range map[int]bool{1: true, 5: false} {
		var middle []string
		for range n {
			middle = append(middle, thinking)
		}
		g := replay(t, o, sse(w.api, w.stream(first[:2], middle, []string{rest})...), 7)
		if got := strings.Contains(g.body, "hunter2"); got != restored {
			t.Errorf("after %d events: restored %v", n, got)
		}
	}
}

// A value reads as itself again where it was put.
func TestEscape(t *testing.T) {
	value := "é\U0001F600\u2028"
	for c := range byte(0x80) {
		value += string(rune(c))
	}
	var once, twice string
	if err := json.Unmarshal([]byte(quoted(value)), &once); err != nil || once != value {
		t.Errorf("got %q, %v", once, err)
	}
	nested := `"\"` + string(rewrite.Escape(nil, []byte(value), rewrite.Nested)) + `\""`
	if err := json.Unmarshal([]byte(nested), &once); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(once), &twice); err != nil || twice != value {
		t.Errorf("got %q, %v", twice, err)
	}
	if got := string(rewrite.Escape([]byte("a"), []byte("-1"), rewrite.Raw)); got != "a-1" {
		t.Errorf("got %q", got)
	}
}
