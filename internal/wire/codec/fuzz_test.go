package codec_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

func FuzzMessages(f *testing.F)  { fuzzAnswer(f, flow.Messages) }
func FuzzChat(f *testing.F)      { fuzzAnswer(f, flow.Chat) }
func FuzzResponses(f *testing.F) { fuzzAnswer(f, flow.Responses) }
func FuzzGemini(f *testing.F)    { fuzzAnswer(f, flow.StreamGenerate) }

// fuzzAnswer checks for any bytes that the way of cutting them makes no
// difference, that parts are extra, and that counts are sound.
func fuzzAnswer(f *testing.F, api flow.API) {
	for _, tr := range transcripts(f, "answers", "answer") {
		if tr.api() == api {
			f.Add(tr.body, uint(len(tr.body)/3), uint(len(tr.body)/2), byte(codec.Sniff))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, i, j uint, mode byte) {
		o := codec.Options{Keep: true, Stream: codec.Sniff, RequestBytes: 9}
		i = min(i, uint(len(body)))
		j = max(i, min(j, uint(len(body))))
		want := read(api, o, body)
		if got := read(api, o, body[:i], body[i:j], body[j:]); got != want {
			t.Fatalf("cut at %d and %d: got:\n%s\nwant:\n%s", i, j, got, want)
		}
		if len(body) < 4096 {
			if got := read(api, o, single(body)...); got != want {
				t.Fatalf("byte by byte: got:\n%s\nwant:\n%s", got, want)
			}
		}
		o.Keep = false
		if got := read(api, o, body); got != withoutParts(want) {
			t.Fatalf("without parts: got:\n%s\nwant:\n%s", got, want)
		}
		sound(t, api, o, body)
	})
}

func withoutParts(text string) string {
	head, _, _ := strings.Cut(text, "{\"kind\"")
	return head
}

func sound(t *testing.T, api flow.API, o codec.Options, body []byte) {
	a := codec.NewAnswer(api, o)
	a.Push(body)
	u := a.End().Usage
	for _, n := range []int64{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.Reasoning, u.CacheWrite1h} {
		if n < 0 {
			t.Fatalf("a count below zero: %+v", u)
		}
	}
	if u.Reasoning > u.Output || u.CacheWrite1h > u.CacheWrite {
		t.Fatalf("a part is larger than its whole: %+v", u)
	}
}

// FuzzActs checks that acts with a base are the acts without one, that they lie
// in the body, and that every place has a channel.
func FuzzActs(f *testing.F) {
	apis := []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.Generate, flow.Opaque}
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"u"}}]},{"content":"x"}],"store":true}`),
		[]byte(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"u"}}]}]}`), byte(0))
	f.Add([]byte(`{"request":{"contents":[{"parts":[{"fileData":{"fileUri":"u"}}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"f"}],"googleSearch":{}}]}}`),
		[]byte(`{"request":{"contents":[{"parts":[{"fileData":{"fileUri":"u"}}]}]}}`), byte(3))
	f.Add([]byte(`{"tools":[1,{"type":"mcp","tools":[{"content":[{"x":1}]}]}],"request":{"input":{"parts":[{}]}}}`), []byte(`{"tools":[1]}`), byte(4))
	f.Fuzz(func(t *testing.T, body, old []byte, which byte) {
		api := apis[int(which)%len(apis)]
		base := split.Split(old, nil)
		doc := split.Split(body, base)
		want := codec.Acts(api, split.Split(body, nil))
		if got := codec.MoreActs(api, doc, base, codec.Acts(api, base)); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q after %q\n got %+v\nwant %+v", body, old, got, want)
		}
		for _, a := range want {
			if a.Kind == "" || a.Name == "" || a.Start < 0 || a.End < a.Start || a.End > int64(len(body)) {
				t.Fatalf("%q: %+v", body, a)
			}
		}
		channels := codec.NewChannels(api, doc)
		for i, p := range doc.Pieces {
			for _, at := range []int{p.Start, (p.Start + p.End) / 2, p.End - 1} {
				ch, signed := channels.At(i, at)
				if ch == "" {
					t.Fatalf("%q at %d has no channel", body, at)
				}
				if one, by := codec.NewChannels(api, doc).At(i, at); one != ch || by != signed {
					t.Fatalf("%q at %d is %s %v, by itself %s %v", body, at, ch, signed, one, by)
				}
			}
		}
		codec.UploadActs(body, codec.Stretches("", "", body))
	})
}

// FuzzRequest checks that every JSON object has parts, and that nothing
// panics on the rest.
func FuzzRequest(f *testing.F) {
	apis := []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.Generate, flow.GeminiCount}
	for _, tr := range transcripts(f, "requests", "request") {
		for i, api := range apis {
			if api == tr.api() {
				f.Add(tr.body, byte(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which byte) {
		api := apis[int(which)%len(apis)]
		parts, err := codec.Parts(api, body)
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &object) == nil && object != nil && err != nil {
			t.Fatalf("an object has no parts: %v", err)
		}
		for _, part := range parts {
			if part.Kind == "" {
				t.Fatalf("a part without a kind: %+v", part)
			}
		}
		doc := split.Split(body, nil)
		codec.Facts(api, "/v1beta/models/m:generateContent", doc)
		for _, piece := range doc.Pieces {
			parts := codec.Block(api, "user", doc.Body[piece.Start:piece.End])
			if len(parts) == 0 {
				t.Fatal("a block without a part")
			}
			for _, part := range parts {
				if part.Kind == "" {
					t.Fatalf("a part without a kind: %+v", part)
				}
				if part.Kind == flow.ToolCall && !codec.MayCall(doc.Body[piece.Start:piece.End]) {
					t.Fatalf("a call that MayCall does not see: %s", doc.Body[piece.Start:piece.End])
				}
			}
		}
		codec.ReadEnvelope(body)
	})
}
