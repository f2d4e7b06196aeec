package codec_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// answer pushes the pieces. A codec may not hold on to the caller's bytes, so
// they are spoiled after each Push.
func answer(api flow.API, o codec.Options, pieces ...[]byte) flow.Answer {
	a := codec.NewAnswer(api, o)
	var room []byte
	for _, p := range pieces {
		room = append(room[:0], p...)
		a.Push(room)
		for i := range room {
			room[i] = '#'
		}
	}
	return a.End()
}

func read(api flow.API, o codec.Options, pieces ...[]byte) string {
	return render(answer(api, o, pieces...))
}

func TestAnswers(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		t.Run(tr.name(), func(t *testing.T) {
			tr.check(t, read(tr.api(), tr.options(), tr.body), "answer")
		})
	}
}

// Every way of cutting the bytes gives the same answer.
func TestAnswersAtEveryBoundary(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		t.Run(tr.name(), func(t *testing.T) {
			want := answer(tr.api(), tr.options(), tr.body)
			for i := range tr.body {
				if got := answer(tr.api(), tr.options(), tr.body[:i], tr.body[i:]); !reflect.DeepEqual(got, want) {
					t.Fatalf("cut at %d: got:\n%s\nwant:\n%s", i, render(got), tr.want)
				}
			}
			if got := read(tr.api(), tr.options(), single(tr.body)...); got != tr.want {
				t.Errorf("byte by byte: got:\n%s\nwant:\n%s", got, tr.want)
			}
		})
	}
}

func single(body []byte) [][]byte {
	pieces := make([][]byte, len(body))
	for i := range body {
		pieces[i] = body[i : i+1]
	}
	return pieces
}

// The three line endings of SSE, a byte order mark and space at the start make
// no difference.
func TestLineEndings(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		bodies := map[string][]byte{
			"CRLF":        bytes.ReplaceAll(tr.body, []byte("\n"), []byte("\r\n")),
			"CR":          bytes.ReplaceAll(tr.body, []byte("\n"), []byte("\r")),
			"space first": append([]byte("\n\n"), tr.body...),
		}
		if bytes.HasPrefix(tr.body, []byte("data:")) || bytes.HasPrefix(tr.body, []byte("event:")) {
			bodies["BOM"] = append([]byte("\xef\xbb\xbf"), tr.body...)
		}
		for name, body := range bodies {
			for _, pieces := range [][][]byte{{body}, single(body)} {
				if got := read(tr.api(), tr.options(), pieces...); got != tr.want {
					t.Errorf("%s with %s, %d pieces: got:\n%s\nwant:\n%s", tr.name(), name, len(pieces), got, tr.want)
				}
			}
		}
	}
}

// Parts are extra: all else is the same without them.
func TestWithoutKeep(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		o := tr.options()
		o.Keep = false
		want, _, _ := strings.Cut(tr.want, "{\"kind\"")
		if got := read(tr.api(), o, tr.body); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", tr.name(), got, want)
		}
	}
}

// A WebSocket message is one event's payload.
func TestMessages(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		if tr.api() != flow.Responses || !bytes.Contains(tr.body, []byte("data: ")) {
			continue
		}
		o := tr.options()
		o.Stream = codec.Messages
		if got := read(tr.api(), o, payloads(tr.body)...); got != tr.want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", tr.name(), got, tr.want)
		}
	}
}

func payloads(body []byte) (list [][]byte) {
	for line := range bytes.Lines(body) {
		if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: ")); ok {
			list = append(list, data)
		}
	}
	return list
}

// A stream cut anywhere is read as far as it came: never more usage than at the
// end, never complete before it, and an estimate once it began.
func TestCancelledAnywhere(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		whole := codec.NewAnswer(tr.api(), tr.options())
		whole.Push(tr.body)
		end := whole.End()
		if !end.Complete || end.Error != "" || tr.body[0] == '{' {
			continue
		}
		for i := range tr.body {
			a := codec.NewAnswer(tr.api(), tr.options())
			a.Push(tr.body[:i])
			got := a.Snapshot()
			if got.Complete && got.Stop == "" {
				t.Fatalf("%s cut at %d: complete without a stop reason", tr.name(), i)
			}
			if got.ID != "" && !got.Complete && !got.Usage.Estimated && got.Usage.Output != end.Usage.Output {
				t.Fatalf("%s cut at %d: output %d is no estimate", tr.name(), i, got.Usage.Output)
			}
		}
	}
}

// What End gave stays, and pushes after it are ignored.
func TestEndTwice(t *testing.T) {
	for _, tr := range transcripts(t, "answers", "answer") {
		a := codec.NewAnswer(tr.api(), tr.options())
		a.Push(tr.body)
		a.End()
		a.Push(tr.body)
		if got := render(a.End()); got != tr.want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", tr.name(), got, tr.want)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, api := range []flow.API{flow.Messages, flow.CountTokens, flow.Chat, flow.Responses, flow.Generate, flow.StreamGenerate, flow.GeminiCount, flow.Opaque, flow.Models} {
		if got, want := read(api, codec.Options{Keep: true, RequestBytes: 100}, nil, []byte(" \n")), render(flow.Answer{}); got != want {
			t.Errorf("%s: got %q, want %q", api, got, want)
		}
	}
}

// An API that is not read costs nothing and says nothing.
func TestOpaque(t *testing.T) {
	a := codec.NewAnswer(flow.Opaque, codec.Options{Keep: true})
	a.Push([]byte(`{"id":"x","usage":{"prompt_tokens":1}}`))
	if got := render(a.End()); got != render(flow.Answer{}) || a.Ended() {
		t.Errorf("got %q", got)
	}
}

// big gives a stream whose text delta is n bytes long.
func big(n int) []byte {
	text := strings.Repeat(`ab\n\"`, n/4)
	return fmt.Appendf(nil, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\",\"usage\":{\"input_tokens\":3}}}\n\n"+
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n", text)
}

func TestLongLine(t *testing.T) {
	const n = 1 << 20
	body := big(n)
	want := strings.Repeat("ab\n\"", n/4)
	for _, size := range []int{len(body), 1 << 15, 7} {
		a := codec.NewAnswer(flow.Messages, codec.Options{Keep: true})
		for rest := body; len(rest) > 0; {
			k := min(size, len(rest))
			a.Push(rest[:k])
			rest = rest[k:]
		}
		got := a.End()
		if len(got.Parts) != 1 || got.Parts[0].Text != want || got.Usage.Output != n/4 {
			t.Errorf("pieces of %d: %d parts, output %d", size, len(got.Parts), got.Usage.Output)
		}
	}
}

// A line that is longer than the limit is marked, and the stream goes on.
func TestTooLongLine(t *testing.T) {
	a := codec.NewAnswer(flow.Messages, codec.Options{})
	a.Push([]byte("data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\ndata: {\"x\":\""))
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 17 {
		a.Push(chunk)
	}
	a.Push([]byte("\"}\n\ndata: {\"type\":\"message_stop\"}\n\n"))
	if got := a.End(); got.Unreadable == "" || !got.Complete || got.Usage.Input != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestTooLongBody(t *testing.T) {
	for api, open := range map[flow.API]string{flow.Messages: `{"x":"`, flow.StreamGenerate: `[{"x":"`} {
		a := codec.NewAnswer(api, codec.Options{})
		a.Push([]byte(open))
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range 17 {
			a.Push(chunk)
		}
		a.Push([]byte(`"}`))
		if got := a.End(); got.Unreadable == "" || got.Complete {
			t.Errorf("%s: got %+v", api, got)
		}
	}
}

// After an element that was too long the next ones are read.
func TestArrayGoesOnAfterLongElement(t *testing.T) {
	a := codec.NewAnswer(flow.StreamGenerate, codec.Options{})
	a.Push([]byte(`[{"x":"`))
	for range 17 {
		a.Push(bytes.Repeat([]byte("x"), 1<<20))
	}
	a.Push([]byte(`"},{"candidates":[{"finishReason":"STOP"}],"responseId":"r"}]`))
	if got := a.End(); got.ID != "r" || got.Unreadable == "" {
		t.Errorf("got %+v", got)
	}
}

// Some servers leave out the last empty line, or the last line's end.
func TestLastEventWithoutItsEnd(t *testing.T) {
	for _, tail := range []string{"data: [DONE]\n\n", "data: [DONE]\n", "data: [DONE]"} {
		a := codec.NewAnswer(flow.Chat, codec.Options{})
		a.Push([]byte("data: {\"id\":\"c\",\"choices\":[]}\n\n" + tail))
		if got := a.End(); !got.Complete || got.Unknown != 0 {
			t.Errorf("%q: got %+v", tail, got)
		}
	}
	a := codec.NewAnswer(flow.Messages, codec.Options{})
	a.Push([]byte("data: {\"type\":\"message_start\",\"message\":{}}\n\nevent: content_block_del"))
	if got := a.End(); got.Unknown != 0 || got.Unreadable != "" {
		t.Errorf("got %+v", got)
	}
}

func TestTruncatedBody(t *testing.T) {
	for _, api := range []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.Generate} {
		a := codec.NewAnswer(api, codec.Options{Keep: true})
		a.Push([]byte(`{"id":"x","model":"m","content":[],"output":[],"choices":[{"mess`))
		if got := a.End(); got.Unreadable == "" || got.Complete {
			t.Errorf("%s: got %+v", api, got)
		}
	}
}

// A hostile peer can't make names grow.
func TestNamesAreCut(t *testing.T) {
	long := strings.Repeat("m", 1<<20)
	a := codec.NewAnswer(flow.Messages, codec.Options{})
	a.Push(fmt.Appendf(nil, "data: {\"type\":\"message_start\",\"message\":{\"id\":%q,\"model\":%q}}\n\ndata: {\"type\":\"error\",\"error\":{\"type\":%q}}\n\n", long, long, long))
	if got := a.End(); len(got.ID) > 256 || len(got.Model) > 256 || len(got.Error) > 256 {
		t.Errorf("got %d, %d, %d bytes", len(got.ID), len(got.Model), len(got.Error))
	}
}

// Error texts may quote the request: they are in no field.
func TestErrorTextIsNotKept(t *testing.T) {
	for api, body := range map[flow.API]string{
		flow.Messages:  `{"type":"error","error":{"type":"invalid_request_error","message":"SECRET"}}`,
		flow.Chat:      `{"error":{"message":"SECRET","code":"c"}}`,
		flow.Responses: `data: {"type":"response.failed","response":{"error":{"code":"c","message":"SECRET"}}}` + "\n\n",
		flow.Generate:  `{"error":{"code":400,"message":"SECRET"}}`,
	} {
		if got := read(api, codec.Options{Keep: true}, []byte(body)); strings.Contains(got, "SECRET") || !strings.Contains(got, "error: ") {
			t.Errorf("%s: got %q", api, got)
		}
	}
}

// Over WebSocket one socket carries many answers: each stops at its own end.
func TestEnded(t *testing.T) {
	for end, want := range map[string]bool{
		`{"type":"response.completed","response":{}}`:            true,
		`{"type":"response.incomplete","response":{}}`:           true,
		`{"type":"response.failed","response":{}}`:               true,
		`{"type":"error","error":{"type":"x"}}`:                  true,
		`{"type":"response.output_item.done","item":{}}`:         false,
		`{"type":"codex.rate_limits","rate_limits":{"error":1}}`: false,
	} {
		a := codec.NewAnswer(flow.Responses, codec.Options{Stream: codec.Messages})
		a.Push([]byte(`{"type":"response.created","response":{"id":"r"}}`))
		if a.Ended() {
			t.Fatal("ended at its start")
		}
		a.Push([]byte(end))
		if got := a.Ended(); got != want {
			t.Errorf("after %s: %v, want %v", end, got, want)
		}
	}
}

// Space before the first byte is passed over to find the framing, and still
// means what it means: " data" is no field, a late byte order mark is none.
func TestSpaceFirst(t *testing.T) {
	const stop = "data: {\"type\":\"message_stop\"}\n\n"
	for prefix, want := range map[string]bool{
		"": true, "\n": true, "\r\n\r\n": true, "  \n": true, " \t\r": true,
		" ": false, "\n ": false, "\r\n\t": false, "\n\xef\xbb\xbf": false,
	} {
		for _, pieces := range [][][]byte{{[]byte(prefix + stop)}, single([]byte(prefix + stop))} {
			a := codec.NewAnswer(flow.Messages, codec.Options{})
			for _, p := range pieces {
				a.Push(p)
			}
			if got := a.End(); got.Complete != want {
				t.Errorf("%q in %d pieces: complete %v, want %v", prefix, len(pieces), got.Complete, want)
			}
		}
	}
	if got := read(flow.Messages, codec.Options{}, []byte("\n {\"input_tokens\":1}")); !strings.Contains(got, "complete: true") {
		t.Errorf("space before JSON: got %q", got)
	}
}

// A delta costs no memory: what a stream takes does not grow with its length.
func TestDeltasCostNoMemory(t *testing.T) {
	for api, stream := range deltas() {
		one := append(bytes.SplitAfterN(stream, []byte("\n\n"), 2)[0], '\n')
		a := codec.NewAnswer(api, codec.Options{})
		a.Push(one)
		if got := testing.AllocsPerRun(100, func() { a.Push(one) }); got > 0 {
			t.Errorf("%s: %v allocations for each delta", api, got)
		}
	}
}

// Some servers send arguments as an object, or a message where a delta should stand.
func TestAlmostOpenAI(t *testing.T) {
	call := `{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"W","arguments":{"cmd":"ls"}}}]}`
	for name, a := range map[string]struct {
		api  flow.API
		body string
	}{
		"document":  {flow.Chat, `{"choices":[{"index":0,"message":` + call + `}]}`},
		"delta":     {flow.Chat, `data: {"choices":[{"index":0,"delta":` + call + `}]}` + "\n\n"},
		"message":   {flow.Chat, `data: {"choices":[{"index":0,"message":` + call + `}]}` + "\n\n"},
		"function":  {flow.Chat, `{"choices":[{"index":0,"message":{"function_call":{"name":"W","arguments":{"cmd":"ls"}}}}]}`},
		"response":  {flow.Responses, `{"output":[{"type":"function_call","call_id":"c","name":"W","arguments":{"cmd":"ls"}}]}`},
		"arguments": {flow.Responses, `data: {"type":"response.function_call_arguments.done","output_index":1,"arguments":{"cmd":"ls"}}` + "\n\n"},
	} {
		answer := codec.NewAnswer(a.api, codec.Options{Keep: true})
		answer.Push([]byte(a.body))
		if got := answer.End().Parts; len(got) != 1 || got[0].Kind != flow.ToolCall || got[0].Text != `{"cmd":"ls"}` {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
