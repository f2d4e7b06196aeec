package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

func TestRequests(t *testing.T) {
	for _, tr := range transcripts(t, "requests", "request") {
		t.Run(tr.name(), func(t *testing.T) {
			facts := codec.Facts(tr.api(), tr.meta["path"], split.Split(tr.body[:len(tr.body)-1], nil))
			parts, err := codec.Parts(tr.api(), tr.body)
			if err != nil {
				t.Fatal(err)
			}
			tr.check(t, "facts: "+compact(facts)+"\n"+renderParts(parts), "request")
		})
	}
}

// Each block that split cuts out of a conversation is read by itself as it is
// in the whole request.
func TestBlocksBySplit(t *testing.T) {
	for _, tr := range transcripts(t, "requests", "request") {
		doc := split.Split(tr.body[:len(tr.body)-1], nil)
		if !doc.JSON {
			t.Fatalf("%s: %s", tr.name(), doc.Why)
		}
		for _, i := range doc.Conversation() {
			block := doc.Body[doc.Pieces[i].Start:doc.Pieces[i].End]
			if !inWhole(tr, block) {
				t.Errorf("%s: block %s is read as %s", tr.name(), block, renderParts(codec.Block(tr.api(), "user", block)))
			}
		}
	}
}

// inWhole looks for the block's parts in the whole request, under any role.
// The elements of a Chat tool message lose the call around them.
func inWhole(tr transcript, block []byte) bool {
	for _, role := range []string{"system", "developer", "user", "assistant", "model", "tool", "function", ""} {
		if strings.Contains(tr.want, renderParts(codec.Block(tr.api(), role, block))) {
			return true
		}
	}
	part := codec.Block(tr.api(), "tool", block)[0]
	return tr.api() == flow.Chat && part.Kind == flow.ToolResult && strings.Contains(tr.want, part.Text)
}

// besides are members of which Block can't tell that they are no one's words, or what
// they are called: only whoever has the whole request knows.
var besides = map[string]bool{"client_metadata": true, "generationConfig": true}

// TestEveryBlock: whatever split cuts out of a request, in its tools, its system
// prompt or its conversation, says by itself what it says in the whole request; and
// but for what Chat and Anthropic keep beside the parts of a message, nothing that the
// whole request says is missing.
func TestEveryBlock(t *testing.T) {
	check := func(name string, api flow.API, body []byte) {
		whole, err := codec.Parts(api, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		left := map[string]int{}
		for _, part := range whole {
			left[bare(part)]++
		}
		doc := split.Split(body, nil)
		for _, p := range doc.Pieces {
			if p.Kind != split.Block || besides[doc.Fields[p.Run].Name] {
				continue
			}
			for _, part := range codec.Block(api, "", body[p.Start:p.End]) {
				if left[bare(part)]--; left[bare(part)] < 0 && !inner(whole, part) {
					t.Errorf("%s: %s: a block is read as %s", name, doc.Fields[p.Run].Name, compact(part))
				}
			}
		}
		for _, part := range whole {
			elements := api == flow.Chat && part.Kind == flow.ToolResult // which were met one by one
			if left[bare(part)] > 0 && !elements && !outside(doc, part) {
				t.Errorf("%s: in no block: %s", name, compact(part))
			}
		}
	}
	for _, tr := range transcripts(t, "requests", "request") {
		check(tr.name(), tr.api(), tr.body[:len(tr.body)-1])
	}
	for _, a := range agents() {
		for _, file := range bodies(t, a.folder, "request") {
			check(file, a.api, unzip(t, file))
		}
	}
}

// bare is a part without its role, which may stand around its block.
func bare(part flow.Part) string {
	part.Role = ""
	return compact(part)
}

// inner reports whether a part is of one that the whole request has: a tool of a
// namespace, an element of a result of Chat.
func inner(whole []flow.Part, part flow.Part) bool {
	return slices.ContainsFunc(whole, func(p flow.Part) bool {
		return (p.Kind == part.Kind && p.Kind == flow.ToolDef || p.Kind == flow.ToolResult && part.Kind == flow.Text) && p.Text != part.Text && strings.Contains(p.Text, part.Text)
	})
}

// outside reports whether a part stands in no block: a short member, or what is said
// beside a message's parts.
func outside(doc *split.Doc, part flow.Part) bool {
	for i := range doc.Pieces {
		p := &doc.Pieces[i]
		raw := doc.Body[p.Start:p.End]
		if p.Kind != split.Block && (part.Kind == flow.UnknownPart && bytes.Contains(raw, []byte(part.Text)) || bytes.Contains(raw, fmt.Appendf(nil, "%q", part.Text))) {
			return true
		}
	}
	return false
}

func TestNotJSON(t *testing.T) {
	for _, api := range []flow.API{flow.Messages, flow.CountTokens, flow.Chat, flow.Responses, flow.Generate} {
		for _, body := range []string{``, `[]`, `{"model":"x"`, `hello`, `{} {}`} {
			if parts, err := codec.Parts(api, []byte(body)); err == nil {
				t.Errorf("%s %q: got %v, want an error", api, body, parts)
			}
			if body == `[]` {
				continue
			}
			if got := codec.Facts(api, "/v1/x", split.Split([]byte(body), nil)); got != (flow.Facts{}) && body != `{} {}` {
				t.Errorf("%s %q: got %+v, want nothing", api, body, got)
			}
		}
	}
	if _, err := codec.Parts(flow.Opaque, []byte(`{}`)); !errors.Is(err, codec.ErrOpaque) {
		t.Errorf("got %v, want ErrOpaque", err)
	}
}

func TestGeminiPath(t *testing.T) {
	for path, want := range map[string]flow.Facts{
		"/v1beta/models/gemini-2.5-pro:generateContent":                               {Model: "gemini-2.5-pro"},
		"/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse":                     {Model: "gemini-2.5-pro", Stream: true},
		"/v1beta/tunedModels/mine:generateContent":                                    {Model: "tunedModels/mine"},
		"/v1beta/models/a%3Ab:countTokens":                                            {Model: "a:b"},
		"/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent": {Model: "m", Stream: true},
		"/v1beta/models": {},
	} {
		if got := codec.Facts(flow.Generate, path, nil); got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

func TestEnvelope(t *testing.T) {
	for message, want := range map[string]codec.Envelope{
		`{"type":"response.create","stream_id":"a","input":[]}`:  {Type: "response.create", Stream: "a"},
		`{"type":"response.created","response":{"id":"resp_1"}}`: {Type: "response.created", Response: "resp_1"},
		`{"response_id":"resp_2","type":"response.steer"}`:       {Type: "response.steer", Response: "resp_2"},
		`[1]`: {},
		``:    {},
	} {
		if got := codec.ReadEnvelope([]byte(message)); got != want {
			t.Errorf("%s: got %+v, want %+v", message, got, want)
		}
	}
}

// Deep nesting costs neither stack nor squared time.
func TestDeepBlocks(t *testing.T) {
	deep := strings.Repeat(`{"type":"document","source":{"type":"content","content":[`, 20000) + strings.Repeat(`]}}`, 20000)
	for _, api := range []flow.API{flow.Messages, flow.Chat, flow.Responses, flow.Generate} {
		codec.Block(api, "user", []byte(deep))
	}
	nest := strings.Repeat(`{"parts":[`, 20000) + strings.Repeat(`]}`, 20000)
	codec.Block(flow.Generate, "user", []byte(nest))
}
