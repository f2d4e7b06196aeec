package rewrite_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

func FuzzMessages(f *testing.F)  { fuzz(f, flow.Messages, 0) }
func FuzzChat(f *testing.F)      { fuzz(f, flow.Chat, 1) }
func FuzzResponses(f *testing.F) { fuzz(f, flow.Responses, 2) }
func FuzzGemini(f *testing.F)    { fuzz(f, flow.StreamGenerate, 3) }
func FuzzOpaque(f *testing.F)    { fuzz(f, flow.Opaque, 0) }

// fuzz checks for any bytes that the way of cutting them makes no difference,
// that the edits say what was delivered, that bytes without a token stay as they
// are and are not delayed, and that no call that is refused is delivered.
func fuzz(f *testing.F, api flow.API, w int) {
	for _, a := range answers(f) {
		if (a.api == api || api == flow.Opaque) && a.framed == rewrite.Sniff && len(a.pieces[0]) < 4096 {
			f.Add(a.pieces[0], uint(len(a.pieces[0])/3), byte(0))
		}
	}
	half := len(secret) / 2
	texts := [][]string{wires()[w].text(`"a `+secret[:half]+`"`, `"`+secret[half:]+`\u0051"`)}
	if call := wires()[w].call; call != nil {
		texts = append(texts, call("Write", quoted(`{"a":"`+secret[:half]), quoted(secret[half:]+`","b":["`+count+`"]}`)))
	}
	body := sse(api, wires()[w].stream(texts...)...)
	f.Add(body, uint(len(body)/2), byte(0))
	f.Add(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), uint(len(body)/2), byte(rewrite.Lines))
	f.Fuzz(func(t *testing.T, body []byte, cut uint, mode byte) {
		for _, hold := range []bool{false, true} {
			o := holding(api, "rm", nil)
			o.Hold, o.Framing = hold, framings[int(mode)%len(framings)]
			fuzzCuts(t, o, body, min(cut, uint(len(body))))
			o.Unread = func() *flow.Refusal { return &flow.Refusal{Status: 400, Kind: "policy", Text: "no"} }
			fuzzCuts(t, o, body, min(cut, uint(len(body))))
		}
		fuzzUntouched(t, api, body)
		if api != flow.Opaque {
			fuzzRefused(t, api, body)
		}
	})
}

var framings = []rewrite.Framing{rewrite.Sniff, rewrite.Lines}

func fuzzCuts(t *testing.T, o rewrite.Options, body []byte, cut uint) {
	want := run(t, o, body)
	if got := run(t, o, body[:cut], body[cut:]); !reflect.DeepEqual(got, want) {
		t.Fatalf("cut at %d: got\n%q\n%+v\nwant\n%q\n%+v", cut, got.body, got.edits, want.body, want.edits)
	}
	if len(body) < 4096 {
		if got := run(t, o, single(body)...); !reflect.DeepEqual(got, want) {
			t.Fatalf("byte by byte: got\n%q\n%+v\nwant\n%q\n%+v", got.body, got.edits, want.body, want.edits)
		}
	}
}

// fuzzUntouched looks for a token that can't be there.
func fuzzUntouched(t *testing.T, api flow.API, body []byte) {
	o := options(api)
	o.Pseudonyms = known{token('Y'): {Text: []byte("never")}}
	r := rewrite.New(o)
	sent, came := 0, 0
	for piece := range bytes.SplitAfterSeq(body, []byte("\n\n")) {
		out, edits := r.Push(piece)
		if len(edits) > 0 || !bytes.HasPrefix(body[came:], out) {
			t.Fatalf("changed: %q, %+v", out, edits)
		}
		sent, came = sent+len(piece), came+len(out)
		text := bytes.TrimLeft(body[:sent], " \t\r\n")
		streamed := len(text) > 0 && text[0] != '{' && text[0] != '[' && !bytes.Contains(body[:sent], []byte("\r"))
		if streamed && bytes.HasSuffix(piece, []byte("\n\n")) && !r.Holding() && came < sent {
			t.Fatalf("%d bytes are delayed: %q", sent-came, body[came:sent])
		}
	}
	if out, edits := r.End(); string(body[came:]) != string(out) || len(edits) > 0 {
		t.Fatalf("the end is changed: %q, %+v", out, edits)
	}
}

// fuzzRefused refuses every call; what reads the delivered bytes must find none
// but the provider's own.
func fuzzRefused(t *testing.T, api flow.API, body []byte) {
	o := options(api)
	o.Hold = true
	o.Judge = func(flow.Part) *flow.Refusal { return &flow.Refusal{Status: 400, Kind: "policy", Text: "no"} }
	g := run(t, o, body)
	for _, own := range []string{"server_tool", "mcp", "_call", "toolCall", "tool_call", "executable"} {
		if api != flow.Chat && strings.Contains(g.body, own) {
			return
		}
	}
	a := codec.NewAnswer(api, codec.Options{Keep: true})
	a.Push([]byte(g.body))
	for _, p := range a.End().Parts {
		if p.Kind == flow.ToolCall {
			t.Fatalf("a refused call is delivered: %+v\n%q", p, g.body)
		}
	}
}
