package rewrite_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// judge refuses the calls whose arguments hold a word, and notes what it saw.
func judge(word string, seen *[]flow.Part) rewrite.Judge {
	return func(p flow.Part) *flow.Refusal {
		if seen != nil {
			*seen = append(*seen, p)
		}
		if word != "" && strings.Contains(p.Text, word) {
			return &flow.Refusal{Status: 400, Kind: "policy", Text: `no "rm" here`}
		}
		return nil
	}
}

const reason = `Gatehouse: no "rm" here`

func holding(api flow.API, word string, seen *[]flow.Part) rewrite.Options {
	o := options(api)
	o.Hold, o.Judge = true, judge(word, seen)
	return o
}

// A call that passes leaves the answer as it was, but for the values, and is
// judged once, as the client gets it.
func TestHeldCallPasses(t *testing.T) {
	for _, w := range wires() {
		if w.call == nil {
			continue
		}
		payloads := w.stream(w.text(`"Hi "`, `"there"`), w.call("Write", quoted(`{"text":"`+secret), quoted(`","n":"`+count+`"}`)))
		for name, way := range w.ways(payloads) {
			var seen []flow.Part
			g := way(t, holding(w.api, "rm -rf", &seen), 499)
			args := `{"text":"` + string(rewrite.Escape(nil, []byte(value), rewrite.String)) + `","n":-8080.5e3}`
			if got, want := w.parts(g), "text||Hi there\ntool_call|Write|"+args+"\n"; got != want {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", w.api, name, got, want)
			}
			for _, p := range seen {
				if p.Kind != flow.ToolCall || p.Name != "Write" || p.ID == "" || p.Text != args {
					t.Fatalf("%s, %s: judged %+v, want arguments %s", w.api, name, p, args)
				}
			}
		}
		var seen []flow.Part
		run(t, holding(w.api, "", &seen), sse(w.api, payloads...))
		if len(seen) != 1 {
			t.Errorf("%s: judged %d times", w.api, len(seen))
		}
	}
}

// A refused call never reaches the client, prose before it does, and the answer
// ends as the provider would end it.
func TestBlockedCall(t *testing.T) {
	for _, w := range wires() {
		if w.call == nil {
			continue
		}
		payloads := w.stream(w.text(`"Hi "`, `"there `+plain+`"`), w.call("Bash", quoted(`{"cmd":"r`), quoted(`m -rf /"}`)))
		payloads = append(payloads, w.text(`"more"`)...)
		for name, way := range w.ways(payloads) {
			g := way(t, holding(w.api, "rm -rf", nil), 101)
			checkBlocked(t, w.api, name, g, "Hi there hunter2")
		}
	}
}

func checkBlocked(t *testing.T, api flow.API, name string, g got, before string) {
	t.Helper()
	if g.blocked == nil {
		t.Fatalf("%s, %s: not blocked: %s", api, name, g.body)
	}
	if strings.Contains(g.body, "Bash") || strings.Contains(g.body, "more") {
		t.Errorf("%s, %s: delivered what is withheld: %s", api, name, g.body)
	}
	o := codec.Options{Keep: true}
	pieces := []string{g.body}
	if g.messages != nil {
		o.Stream, pieces = codec.Messages, g.messages
	}
	a := codec.NewAnswer(api, o)
	for _, p := range pieces {
		a.Push([]byte(p))
	}
	answer := a.End()
	said := ""
	for _, p := range answer.Parts {
		if p.Kind != flow.Text {
			t.Errorf("%s, %s: a part is %+v", api, name, p)
		}
		said += p.Text
	}
	if want := before + reason; said != want && !(before == "" && said == reason) {
		t.Errorf("%s, %s: says %q, want %q", api, name, said, want)
	}
	stops := map[flow.API]string{flow.Messages: "end_turn", flow.Chat: "stop", flow.Responses: "completed", flow.StreamGenerate: "STOP", flow.Generate: "STOP"}
	if !answer.Complete || answer.Stop != stops[api] || answer.Error != "" || answer.Unknown != 0 || answer.Unreadable != "" {
		t.Errorf("%s, %s: answer %+v\n%s", api, name, answer, g.body)
	}
}

// Gemini's calls come whole: the chunk that holds one keeps its prose.
func TestBlockedGemini(t *testing.T) {
	w := wires()[3]
	parts := `{"text":"there ` + plain + `"},{"functionCall":{"name":"Bash","args":{"cmd":"rm -rf /","x":"` + plain + `"}}},{"text":"more"}`
	for _, finish := range []string{"", `,"finishReason":"UNEXPECTED"`} {
		payloads := w.stream(w.text(`"Hi "`), []string{candidate(parts, finish)}, w.text(`"more"`))
		for name, way := range w.ways(payloads) {
			checkBlocked(t, w.api, name, way(t, holding(w.api, "rm -rf", nil), 51), "Hi there hunter2")
		}
	}
	streamed := w.stream(w.text(`"Hi "`), []string{
		candidate(`{"text":"there"},{"functionCall":{"name":"Bash","willContinue":true}}`, ""),
		candidate(`{"functionCall":{"partialArgs":[{"jsonPath":"$.cmd","stringValue":"rm ","willContinue":true}],"willContinue":true}}`, ""),
		candidate(`{"functionCall":{"partialArgs":[{"jsonPath":"$.cmd","stringValue":"-rf"}],"willContinue":true}}`, ""),
		candidate(`{"functionCall":{}}`, ""),
	}, w.text(`"more"`))
	for name, way := range w.ways(streamed) {
		checkBlocked(t, w.api, name, way(t, holding(w.api, "-rf", nil), 51), "Hi there")
		if g := way(t, holding(w.api, "nothing", nil), 51); g.blocked != nil || len(g.edits) > 0 {
			t.Errorf("%s: a call that passes is changed: %+v", name, g.edits)
		}
	}
}

// An answer that is one document is changed in its place.
func TestDocuments(t *testing.T) {
	in := func(tool string) string { return `{"cmd":"rm -rf ` + plain + `","new":{"text":"` + plain + `"}}` }
	args := func(tool string) string { return quoted(in(tool)) }
	docs := []struct {
		api  flow.API
		text string
	}{
		{flow.Messages, `{"type":"message","stop_reason":"tool_use","content":[{"type":"thinking","thinking":"` + plain + `","signature":"s"},{"type":"text","text":"Hi ` + plain + `"},{"type":"tool_use","id":"t","name":"Edit","input":` + in("Edit") + `},{"type":"tool_use","id":"u","name":"Bash","input":` + in("Bash") + `}],"usage":{"output_tokens":3}}`},
		{flow.Chat, `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi ` + plain + `","tool_calls":[{"id":"t","type":"function","function":{"name":"Edit","arguments":` + args("Edit") + `}},{"id":"u","type":"function","function":{"name":"Bash","arguments":` + args("Bash") + `}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`},
		{flow.Responses, `{"id":"r","object":"response","status":"completed","output":[{"type":"reasoning","encrypted_content":"` + plain + `","summary":[]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi ` + plain + `"}]},{"type":"function_call","call_id":"t","name":"Edit","arguments":` + args("Edit") + `},{"type":"function_call","call_id":"u","name":"Bash","arguments":` + args("Bash") + `}]}`},
		{flow.Generate, `{"candidates":[{"content":{"parts":[{"text":"` + plain + `","thought":true},{"text":"Hi ` + plain + `"},{"functionCall":{"name":"Edit","args":` + in("Edit") + `}},{"functionCall":{"name":"Bash","args":` + in("Bash") + `}}],"role":"model"},"finishReason":"STOP"}]}`},
	}
	for _, d := range docs {
		g := replay(t, options(d.api), []byte(d.text), 7)
		if !json.Valid([]byte(g.body)) || strings.Count(g.body, "hunter2") != 2 || strings.Count(d.text, plain)-strings.Count(g.body, plain) != 2 {
			t.Errorf("%s: %s", d.api, g.body)
		}
		var seen []flow.Part
		g = run(t, holding(d.api, "nothing", &seen), []byte(d.text))
		if g.blocked != nil || len(seen) != 2 || seen[0].Text != `{"cmd":"rm -rf `+plain+`","new":{"text":"hunter2"}}` || seen[1].Text != in("") {
			t.Errorf("%s: judged %+v", d.api, seen)
		}
		o := holding(d.api, "", nil)
		o.Judge = func(p flow.Part) *flow.Refusal {
			if p.Name == "Bash" {
				return judge("rm", nil)(p)
			}
			return nil
		}
		g = replay(t, o, []byte(d.text), 7)
		if g.blocked == nil || !json.Valid([]byte(g.body)) || strings.Contains(g.body, "Bash") || !strings.Contains(g.body, `no \"rm\" here`) {
			t.Errorf("%s: %s", d.api, g.body)
		}
		// A line of batch results, and an answer of a route that is not known.
		for _, wrapped := range []string{d.text, `{"custom_id":"1","result":{"type":"succeeded","message":` + d.text + `}}`, `{"id":"b","response":{"status_code":200,"body":` + d.text + `}}`} {
			o := options(flow.Opaque)
			o.Framing = rewrite.Lines
			lines := []byte(wrapped + "\n" + `{"error":"` + plain + `"}` + "\r\n" + wrapped)
			if g := replay(t, o, lines, 11); strings.Count(g.body, "hunter2") != 4 {
				t.Errorf("%s: lines %s", d.api, g.body)
			}
			if g := run(t, options(flow.Opaque), []byte(wrapped)); strings.Count(g.body, "hunter2") != 2 {
				t.Errorf("%s: opaque %s", d.api, g.body)
			}
			if g := replay(t, options(flow.Opaque), lines, 11); strings.Count(g.body, "hunter2") != 4 {
				t.Errorf("%s: sniffed lines %s", d.api, g.body)
			}
			if g := replay(t, options(flow.Opaque), []byte(strings.Replace(wrapped, ":", ":\n", 1)+"\n"), 11); strings.Count(g.body, "hunter2") != 2 {
				t.Errorf("%s: a document in lines %s", d.api, g.body)
			}
			o.Hold, o.Judge = true, judge("rm", nil)
			g := replay(t, o, lines, 11)
			for line := range strings.Lines(g.body) {
				if !json.Valid([]byte(line)) || strings.Contains(line, "rm -rf") {
					t.Errorf("%s: refused in %s", d.api, line)
				}
			}
			if strings.Count(g.body, `no \"rm\" here`) != 2 {
				t.Errorf("%s: lines %s", d.api, g.body)
			}
		}
	}
}

// While a call is held, empty events keep the answer alive: they change nothing
// of what is read.
func TestKeepAlive(t *testing.T) {
	for _, w := range wires() {
		payloads := w.stream(w.text(`"Oh "`, `"Hi Q"`, `"Z"`, `" there `+plain[:9]+`"`, `"`+plain[9:]+`"`))
		if w.call != nil {
			payloads = w.stream(w.text(`"Hi Q"`, `"Z"`), w.call("Write", `"{}"`))
		}
		o := holding(w.api, "nothing", nil)
		for _, array := range []bool{false, w.api == flow.StreamGenerate} {
			r := rewrite.New(o)
			sent, alive := "", 0
			var edits []rewrite.Edit
			var body []byte
			for i, p := range payloads {
				piece := sse(w.api, p)
				if array {
					piece = []byte(map[bool]string{true: "[", false: ","}[i == 0] + p)
				}
				out, made := r.Push(piece)
				body, edits, sent = append(body, out...), append(edits, made...), sent+string(piece)
				if out, made := r.KeepAlive(); out != nil {
					alive++
					body, edits = append(body, out...), append(edits, made...)
				} else if r.Holding() {
					t.Errorf("%s: nothing to say after %s", w.api, p)
				}
			}
			if array {
				out, _ := r.Push([]byte("]"))
				body, sent = append(body, out...), sent+"]"
			}
			out, made := r.End()
			g := got{body: string(append(body, out...)), edits: append(edits, made...)}
			check(t, []byte(sent), &g)
			if alive < 2 {
				t.Errorf("%s: %d empty events", w.api, alive)
			}
			want := strings.ReplaceAll(texts(read(w.api, sent)), plain, "hunter2")
			a := codec.NewAnswer(w.api, codec.Options{Keep: true})
			a.Push([]byte(g.body))
			answer := a.End()
			answer.Parts = slices.DeleteFunc(answer.Parts, func(p flow.Part) bool { return p.Text == "" }) // added to a block that was closed
			if texts(answer.Parts) != want || answer.Unknown > 0 || !answer.Complete {
				t.Errorf("%s: got %s\nwant %s\n%s", w.api, texts(answer.Parts), want, g.body)
			}
		}
	}
}

// Calls that are too long to be held, that nobody judges, or that the stream's
// end cuts off don't pass.
func TestUnjudgedNeverPasses(t *testing.T) {
	for _, w := range wires() {
		if w.call == nil {
			continue
		}
		o := holding(w.api, "nothing", nil)
		o.MaxHold = 100
		long := w.stream(w.call("Bash", quoted(`{"cmd":"`+strings.Repeat("x", 60)), quoted(strings.Repeat("y", 60)), quoted(`"}`)))
		g := replay(t, o, sse(w.api, long...), 37)
		if g.blocked == nil || g.blocked.Kind != "held_too_long" || strings.Contains(g.body, "Bash") {
			t.Errorf("%s: too long: %s", w.api, g.body)
		}
		short := sse(w.api, w.stream(w.call("Bash", quoted(`{"cmd":"rm"}`)))...)
		o.Judge = nil
		if g := replay(t, o, short, 37); g.blocked == nil || strings.Contains(g.body, "Bash") {
			t.Errorf("%s: nobody judges: %s", w.api, g.body)
		}
		o.Judge = judge("rm", nil)
		for i := range short {
			g := run(t, o, short[:i])
			if strings.Contains(g.body, "rm") && g.blocked == nil {
				t.Fatalf("%s: cut at %d: %s", w.api, i, g.body)
			}
		}
	}
}

// The events of an item that passed are delivered, those of a refused one after
// it are not.
func TestSecondCallBlocked(t *testing.T) {
	for _, w := range wires()[:3] {
		first := w.call("Write", quoted(`{"a":1}`))
		second := w.call("Bash", quoted(`{"cmd":"rm"}`))
		for i := range second {
			for _, r := range []string{`"index":1`, `"output_index":1`} {
				second[i] = strings.Replace(second[i], r, r[:len(r)-1]+"2", 1)
			}
			if w.api == flow.Chat {
				second[i] = strings.Replace(second[i], `[{"index":0,"`, `[{"index":1,"`, 2)
				second[i] = strings.Replace(second[i], `choices":[{"index":1`, `choices":[{"index":0`, 1)
			}
		}
		g := replay(t, holding(w.api, "rm", nil), sse(w.api, w.stream(first, second)...), 53)
		if g.blocked == nil || strings.Contains(g.body, "Bash") {
			t.Errorf("%s: %s", w.api, g.body)
		}
		if passes := strings.Contains(g.body, "Write"); passes == (w.api == flow.Chat) {
			t.Errorf("%s: the first call: %v\n%s", w.api, passes, g.body) // Chat's calls are judged together
		}
	}
}

// Calls of kinds that are not known are judged as they stand.
func TestUnknownCalls(t *testing.T) {
	streams := map[flow.API][]string{
		flow.Messages:  {`{"type":"content_block_start","index":0,"content_block":{"type":"new_use","name":"rm","input":{"a":"rm"}}}`, `{"type":"content_block_stop","index":0}`},
		flow.Chat:      {chunk(`{"tool_calls":[{"index":0,"type":"new","new":{"a":"rm"}}]}`, "null"), chunk(`{}`, `"tool_calls"`)},
		flow.Responses: {`{"type":"response.output_item.done","output_index":0,"item":{"type":"new_invocation","a":"rm"}}`},
	}
	for api, payloads := range streams {
		for _, body := range [][]byte{sse(api, payloads...), sse(api, payloads[0])} {
			if g := replay(t, holding(api, "rm", nil), body, 3); g.blocked == nil || strings.Contains(g.body, `"rm"}`) {
				t.Errorf("%s: %s", api, g.body)
			}
		}
	}
	docs := map[flow.API]string{
		flow.Messages:  `{"content":[{"type":"new_use","input":{"a":"rm"}}]}`,
		flow.Chat:      `{"choices":[{"message":{"tool_calls":[{"type":"new","new":{"a":"rm"}}]}}]}`,
		flow.Responses: `{"output":[{"type":"new_invocation","a":"rm"}]}`,
	}
	for api, doc := range docs {
		if g := run(t, holding(api, "rm", nil), []byte(doc)); g.blocked == nil || strings.Contains(g.body, `"rm"}`) {
			t.Errorf("%s: %s", api, g.body)
		}
	}
}

// Agents read a call's pieces, or its last copy: neither passes unjudged.
func TestCopiesDiffer(t *testing.T) {
	w := wires()[2]
	pieces, copy := w.call("Bash", quoted(`{"cmd":"rm"}`)), w.call("Bash", quoted(`{"cmd":"ls"}`))
	for _, list := range [][]string{
		{pieces[0], pieces[1], copy[2], copy[3]},
		{copy[0], copy[1], copy[2], pieces[3]},
		{pieces[3]},
		{`{"type":"response.completed","response":{"id":"r","output":[` + strings.SplitN(strings.TrimSuffix(pieces[3], "}"), `"item":`, 2)[1] + `]}}`},
	} {
		g := replay(t, holding(w.api, "rm", nil), sse(w.api, w.stream(list)...), 11)
		if g.blocked == nil || strings.Contains(g.body, "Bash") {
			t.Errorf("passes: %s", g.body)
		}
	}
}

// The judge reads a call as the codec does, whatever escapes the provider uses.
func TestJudgedAsRead(t *testing.T) {
	args := `"{\"a\":\"\u00e9\ud83d\ude00 \ud83d \udc00\ud83d\ude00 \u0041\b\f\n\r\t\/ \\u0041 \\\"\u12\",\"b\":1}"`
	for _, w := range wires()[:3] {
		var seen []flow.Part
		body := sse(w.api, w.stream(w.call("Write", args))...)
		run(t, holding(w.api, "", &seen), body)
		want := read(w.api, string(body))
		if len(seen) != 1 || len(want) != 1 || seen[0].Text != want[0].Text || seen[0].Name != want[0].Name || seen[0].ID != want[0].ID {
			t.Errorf("%s: judged %+v, read %+v", w.api, seen, want)
		}
	}
}

// What is neither a stream nor a document does not pass, in whatever pieces it comes, when
// whoever is asked says so; a stream that begins with lines of nobody's does.
func TestUnread(t *testing.T) {
	refuse := func() *flow.Refusal { return &flow.Refusal{Status: 400, Kind: "policy", Text: "no"} }
	for _, w := range wires() {
		stream := string(sse(w.api, w.stream(w.text(`"Hi "`))...))
		for body, passes := range map[string]bool{
			"<html>\n\nzq\n\n</html>": false, "zq": false, `{"zq":1} {}`: false, `["zq"`: false, "\xef\xbb\xbf {\"zq\":": false, "id: 1\n\nzq\n\n": false,
			"\xef{\"zq\":1}": false, "": true, " \n": true, `{"error":"zq"}`: true, "\xef\xbb\xbf{\"zq\":1}\n": true, "zq: 1\n\nzq\n\n" + stream: true,
		} {
			if w.api == flow.StreamGenerate && body[:min(1, len(body))] == "[" {
				continue // an array is a stream
			}
			o := holding(w.api, "", nil)
			o.Unread = refuse
			for _, o.Streams = range []bool{false, true} {
				g := replay(t, o, []byte(body), 3)
				if blocked := g.blocked != nil; blocked == passes || passes && g.body != body || blocked && (strings.Contains(g.body, "zq") || !strings.Contains(g.body, "Gatehouse: no")) {
					t.Errorf("%s: %q: blocked %v: %q", w.api, body, g.blocked, g.body)
				}
			}
			o.Unread = func() *flow.Refusal { return nil }
			if g := replay(t, o, []byte(body), 3); g.body != body {
				t.Errorf("%s: %q that may pass: %q", w.api, body, g.body)
			}
		}
	}
}

// Code Assist wraps each chunk; what we say in a stream of it is wrapped as well.
func TestWrappedGemini(t *testing.T) {
	wrap := func(chunks ...string) (list []string) {
		for _, c := range chunks {
			list = append(list, `{"response":`+c+`,"traceId":"t1"}`)
		}
		return list
	}
	w := wires()[3]
	text := wrap(w.stream(w.text(`"The key: `+plain[:7]+`"`, `"`+plain[7:]+`"`))...)
	call := wrap(candidate(`{"text":"Hi"}`, ""), candidate(`{"functionCall":{"name":"Bash","willContinue":true}}`, ""),
		candidate(`{"functionCall":{"args":{"cmd":"rm -rf /"},"willContinue":true}}`, ""), candidate(`{"functionCall":{}}`, ""))
	for name, way := range w.ways(text) {
		if got := w.parts(way(t, options(w.api), 51)); got != "text||The key: hunter2\n" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, way := range w.ways(call) {
		g := way(t, holding(w.api, "rm -rf", nil), 51)
		checkBlocked(t, w.api, name, g, "Hi")
	}
	r := rewrite.New(holding(w.api, "nothing", nil))
	r.Push(sse(w.api, call[:2]...))
	want := `data: {"response":{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}],"modelVersion":"gemini","responseId":"r1"},"traceId":"t1"}` + "\n\n"
	if out, _ := r.KeepAlive(); string(out) != want {
		t.Errorf("while a call is held: %s", out)
	}
}

// Pieces of Gemini's arguments are judged as the object that they make; what makes none is
// refused.
func TestPartialArguments(t *testing.T) {
	w := wires()[3]
	call := func(pieces ...string) []string {
		list := []string{candidate(`{"text":"Hi"}`, ""), candidate(`{"functionCall":{"name":"Bash","id":"c","args":{},"willContinue":true}}`, "")}
		for _, p := range pieces {
			list = append(list, candidate(`{"functionCall":{"partialArgs":[`+p+`],"willContinue":true}}`, ""))
		}
		return append(list, candidate(`{"functionCall":{}}`, `,"finishReason":"STOP"`))
	}
	halves := call(`{"jsonPath":"$.cmd[0]","stringValue":"r","willContinue":true}`, `{"jsonPath":"$.cmd[0]","stringValue":"m"},{"jsonPath":"$.n","numberValue":1}`)
	const args = `{"cmd":["rm"],"n":1}`
	for name, way := range w.ways(halves) {
		var seen []flow.Part
		g := way(t, holding(w.api, "nothing", &seen), 51)
		if g.blocked != nil || len(g.edits) > 0 || w.parts(g) != "text||Hi\ntool_call|Bash|"+args+"\n" {
			t.Errorf("%s: %v: %s", name, g.blocked, w.parts(g))
		}
		for _, p := range seen {
			if p.Name != "Bash" || p.ID != "c" || p.Text != args {
				t.Errorf("%s: judged %+v", name, p)
			}
		}
		checkBlocked(t, w.api, name, way(t, holding(w.api, "rm", nil), 51), "Hi")
	}
	for _, odd := range []string{`{"jsonPath":"$..cmd","stringValue":"rm"}`, `{"jsonPath":"$.cmd","stringValue":"r"},{"jsonPath":"$.cmd","stringValue":"m"}`} {
		g := replay(t, holding(w.api, "nothing", nil), sse(w.api, call(odd)...), 51)
		if g.blocked == nil || strings.Contains(g.body, "Bash") {
			t.Errorf("%s passes: %s", odd, g.body)
		}
	}
}

// The last event of a blocked response repeats what was delivered, as it was delivered, and
// nothing that was withheld. What is over the bound is left out, never our own message.
func TestBlockedResponseKeepsWhatWasDelivered(t *testing.T) {
	w := wires()[2]
	first, second := w.call("Write", quoted(`{"a":"`+plain+`"}`)), w.call("Bash", quoted(`{"cmd":"rm"}`))
	withheld := w.text(`"withheld"`)
	for i := range second {
		second[i] = strings.NewReplacer(`"output_index":1`, `"output_index":2`, `fc_1`, `fc_2`, `call_1`, `call_2`).Replace(second[i])
	}
	for i := range withheld {
		withheld[i] = strings.Replace(withheld[i], `"output_index":0`, `"output_index":3`, 1)
	}
	payloads := w.stream(w.text(`"Hi `+plain+`"`), first, second[:2], withheld, second[2:])
	for name, way := range w.ways(payloads) {
		g := way(t, holding(w.api, `"rm"`, nil), 97)
		if want := "text||Hi hunter2\ntool_call|Write|{\"a\":\"hunter2\"}\ntext||" + reason + "\n"; g.blocked == nil || w.parts(g) != want {
			t.Errorf("%s: got %s\nwant %s", name, w.parts(g), want)
		}
		last := g.body[strings.LastIndex(g.body, `{"type":"response.completed"`):]
		if !json.Valid([]byte(strings.TrimSpace(last))) || strings.Count(last, `"type":"message"`) != 2 || strings.Count(last, `"function_call"`) != 1 || !strings.Contains(last, "hunter2") {
			t.Errorf("%s: ends with %s", name, last)
		}
	}
	o := holding(w.api, `"rm"`, nil)
	o.MaxHold = len(`{"id":"fc_1","type":"function_call","call_id":"call_1","name":"Write","arguments":"{\"a\":\"hunter2\"}"}`)
	g := replay(t, o, sse(w.api, w.stream(w.text(`"`+strings.Repeat("Hi", 60)+`"`), first, second)...), 97)
	if last := g.body[strings.LastIndex(g.body, `{"type":"response.completed"`):]; strings.Contains(last, "HiHi") || !strings.Contains(last, "Write") || !strings.Contains(last, "Gatehouse: ") {
		t.Errorf("over the bound: %s", last)
	}
}

// Servers that speak almost like OpenAI's: arguments as an object, a message in a stream,
// arguments whose item nobody added. What a client may read of them is judged, and restored.
func TestAlmostOpenAI(t *testing.T) {
	object := `{"cmd":"rm","text":"` + plain + `"}`
	message := `{"role":"assistant","content":"Hi ` + plain + `","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"Write","arguments":%s}}]}`
	calls := func(args string) string { return strings.Replace(message, "%s", args, 1) }
	inMessage := func(args string) string {
		return strings.Replace(chunk(calls(args), `"tool_calls"`), `"delta":`, `"message":`, 1)
	}
	both := strings.Replace(chunk(`{"content":"Hi"}`, "null"), `"delta":`, `"message":`+calls(quoted(object))+`,"delta":`, 1)
	item := `{"type":"function_call","call_id":"c","name":"Write","arguments":` + object + `}`
	for name, a := range map[string]struct {
		api  flow.API
		body string
	}{
		"object, document":           {flow.Chat, `{"choices":[{"index":0,"message":` + calls(object) + `,"finish_reason":"tool_calls"}]}`},
		"object, stream":             {flow.Chat, string(sse(flow.Chat, chunk(calls(object), "null"), chunk(`{}`, `"tool_calls"`), "[DONE]"))},
		"object, no end":             {flow.Chat, string(sse(flow.Chat, chunk(calls(object), "null")))},
		"message":                    {flow.Chat, string(sse(flow.Chat, inMessage(quoted(object)), "[DONE]"))},
		"message with an object":     {flow.Chat, string(sse(flow.Chat, inMessage(object), "[DONE]"))},
		"message beside a delta":     {flow.Chat, string(sse(flow.Chat, both, chunk(`{}`, `"tool_calls"`), "[DONE]"))},
		"object, response":           {flow.Responses, `{"output":[` + item + `]}`},
		"object, item":               {flow.Responses, string(sse(flow.Responses, `{"type":"response.output_item.done","output_index":1,"item":`+item+`}`))},
		"arguments without an item":  {flow.Responses, string(sse(flow.Responses, `{"type":"response.function_call_arguments.done","output_index":1,"item_id":"f","arguments":`+quoted(object)+`}`, `{"type":"response.completed","response":{"output":[]}}`))},
		"input without an item":      {flow.Responses, string(sse(flow.Responses, `{"type":"response.custom_tool_call_input.done","output_index":1,"input":`+quoted(object)+`}`))},
		"an object without an item":  {flow.Responses, string(sse(flow.Responses, `{"type":"response.function_call_arguments.done","output_index":1,"arguments":`+object+`}`))},
		"arguments behind their end": {flow.Responses, string(sse(flow.Responses, `{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","name":"Write","arguments":"{}"}}`, `{"type":"response.function_call_arguments.done","output_index":1,"arguments":`+quoted(object)+`}`))},
	} {
		var seen []flow.Part
		g := replay(t, holding(a.api, "nothing", &seen), []byte(a.body), 5)
		if named := !strings.Contains(name, "without an item") && name != "arguments behind their end"; g.blocked != nil || named && strings.Contains(g.body, plain) {
			t.Errorf("%s: %v, got %s", name, g.blocked, g.body)
		}
		found := false
		for _, p := range seen {
			found = found || strings.Contains(p.Text, `"cmd":"rm"`) && json.Valid([]byte(p.Text))
		}
		if !found {
			t.Errorf("%s: judged %+v", name, seen)
		}
		g = replay(t, holding(a.api, `"rm"`, nil), []byte(a.body), 5)
		if g.blocked == nil || strings.Contains(g.body, `cmd`) || !strings.Contains(g.body, "Gatehouse: ") {
			t.Errorf("%s passes: %s", name, g.body)
		}
	}
}
