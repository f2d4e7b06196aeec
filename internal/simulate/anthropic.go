package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

var anthropic = dialect{
	head: func(e *exchange, h http.Header) {
		h.Set("Request-Id", e.s.ids.make("req_011C", base58, 20))
		h.Set("Anthropic-Organization-Id", "00000000-0000-4000-8000-000000000000")
		h.Set("Anthropic-Ratelimit-Requests-Limit", "4000")
		h.Set("Anthropic-Ratelimit-Requests-Remaining", "3999")
		h.Set("Anthropic-Ratelimit-Requests-Reset", rfc3339(e.s.o.Now()))
	},
	fail: func(status int, text string) string {
		return fmt.Sprintf(`{"type":"error","error":{"type":%s,"message":%s},"request_id":"req_simulated"}`,
			quote(anthropicError(status)), quote(text))
	},
	oops: event{name: "error", data: `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`},
}

// anthropicError names an error as the API's list of HTTP errors does.
func anthropicError(status int) string {
	switch status {
	case 400:
		return "invalid_request_error"
	case 401:
		return "authentication_error"
	case 403:
		return "permission_error"
	case 404:
		return "not_found_error"
	case 413:
		return "request_too_large"
	case 429:
		return "rate_limit_error"
	case 529:
		return "overloaded_error"
	}
	return "api_error"
}

type anthropicRequest struct {
	Model    string            `json:"model"`
	Stream   bool              `json:"stream"`
	System   json.RawMessage   `json:"system"`
	Tools    []json.RawMessage `json:"tools"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	OutputConfig struct {
		Format struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
}

// content is one block of a message, of any provider: what the script needs.
type content struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Content json.RawMessage `json:"content"` // of a tool result
	Output  json.RawMessage `json:"output"`  // of a tool result, Responses
}

// blocks gives the blocks of a content that may be a bare string.
func blocks(raw json.RawMessage) (list []json.RawMessage) {
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	return []json.RawMessage{json.RawMessage(`{"type":"text","text":` + quote(text) + `}`)}
}

// plainText gives the text of a content: its text blocks, joined.
func plainText(raw json.RawMessage) string {
	var texts []string
	for _, b := range blocks(raw) {
		var c content
		if json.Unmarshal(b, &c) == nil && c.Text != "" {
			texts = append(texts, c.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func (q anthropicRequest) turn() turn {
	t := turn{model: q.Model, stream: q.Stream, schema: q.OutputConfig.Format.Schema}
	for _, raw := range q.Tools {
		var o struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"input_schema"`
		}
		if json.Unmarshal(raw, &o) == nil {
			t.tools = append(t.tools, tool{name: o.Name, schema: o.Schema})
		}
		t.block(raw)
	}
	for _, raw := range blocks(q.System) {
		t.block(raw)
	}
	for _, m := range q.Messages {
		for _, raw := range blocks(m.Content) {
			t.block(raw)
			if m.Role == "user" {
				t.said(raw)
			}
		}
	}
	return t
}

// block adds a piece of the prompt. A marked one is the end of what may be
// cached.
func (t *turn) block(raw json.RawMessage) {
	clean := marker.ReplaceAll(raw, nil)
	t.blocks = append(t.blocks, clean)
	if len(clean) != len(raw) {
		t.cached = len(t.blocks)
	}
}

// said takes one block of a user's message: a person's text or a tool's
// result.
func (t *turn) said(raw json.RawMessage) {
	var c content
	if json.Unmarshal(raw, &c) != nil {
		return
	}
	switch c.Type {
	case "tool_result":
		t.results = append(t.results, plainText(c.Content))
	case "text":
		t.person(c.Text)
	}
}

// person takes a text that stands in a user's message. Clients put texts of
// their own there too.
func (t *turn) person(text string) {
	if wrapper(text) {
		return
	}
	t.user, t.results = text, nil
}

func (e *exchange) messages() error {
	var q anthropicRequest
	if err := json.Unmarshal(e.body, &q); err != nil {
		return e.refuse(http.StatusBadRequest, "The request body is not valid JSON: %v", err)
	}
	if q.Model == "" || len(q.Messages) == 0 {
		return e.refuse(http.StatusBadRequest, "model: Field required; messages: at least one message is required")
	}
	t := q.turn()
	s := e.s.script(t)
	if done, err := e.faults(s, t); done {
		return err
	}
	r := e.s.answer("anthropic "+q.Model, t, s)
	id := e.s.ids.make("msg_01", base58, 22)
	for i := range r.calls {
		r.calls[i].id = e.s.ids.make("toolu_01", base58, 22)
	}
	if q.Stream {
		return e.stream(s, "text/event-stream; charset=utf-8", r.anthropicEvents(id))
	}
	return e.wholeAs(s, http.StatusOK, r.anthropicWhole(id))
}

func (e *exchange) countTokens() error {
	return e.whole(http.StatusOK, fmt.Sprintf(`{"input_tokens":%d}`, tokens(len(e.body))))
}

func (e *exchange) anthropicBatch() error {
	return e.whole(http.StatusOK, fmt.Sprintf(`{"id":%s,"type":"message_batch","processing_status":"in_progress","request_counts":{"processing":1,"succeeded":0,"errored":0,"canceled":0,"expired":0},"created_at":%s}`,
		quote(e.s.ids.make("msgbatch_01", base58, 22)), quote(rfc3339(e.s.o.Now()))))
}

func (r reply) anthropicStop() string {
	if len(r.calls) > 0 {
		return "tool_use"
	}
	return "end_turn"
}

func (u usage) anthropic(output int) string {
	return fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":0},"output_tokens":%d,"service_tier":"standard"}`,
		u.fresh, u.write, u.read, u.write, output)
}

// signature stands for the one with which the provider signs its thinking.
const signature = "EqoBCkgIBxABGAIiQHNpbXVsYXRlZC1zaWduYXR1cmUtb2YtdGhpbmtpbmctdGhhdC1tdXN0LW5vdC1jaGFuZ2U="

// anthropicBlock is one content block of an answer: how it starts, its deltas,
// and how it stands in a whole answer.
type anthropicBlock struct {
	start  string
	deltas iter.Seq[string]
	whole  string
}

func (r reply) anthropicBlocks() (list []anthropicBlock) {
	if r.thinking != "" {
		list = append(list, anthropicBlock{
			`{"type":"thinking","thinking":"","signature":""}`,
			func(yield func(string) bool) {
				for p := range cuts(r.thinking, 20) {
					if !yield(`{"type":"thinking_delta","thinking":` + quote(p) + `}`) {
						return
					}
				}
				yield(`{"type":"signature_delta","signature":"` + signature + `"}`)
			},
			fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":"%s"}`, quote(r.thinking), signature),
		})
	}
	if r.text != "" {
		list = append(list, anthropicBlock{
			`{"type":"text","text":""}`,
			each(r.pieces(), func(p string) string { return `{"type":"text_delta","text":` + quote(p) + `}` }),
			`{"type":"text","text":` + quote(r.text) + `}`,
		})
	}
	for _, c := range r.calls {
		head := fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":`, quote(c.id), quote(c.tool.name))
		list = append(list, anthropicBlock{
			head + `{}}`,
			each(c.pieces(), func(p string) string { return `{"type":"input_json_delta","partial_json":` + quote(p) + `}` }),
			head + c.args + `}`,
		})
	}
	return list
}

// pieces cuts a call's arguments as the providers do: an empty piece first,
// then a few characters at a time, also inside of words.
func (c call) pieces() iter.Seq[string] {
	n := c.delta
	if n == 0 {
		n = 9
	}
	return func(yield func(string) bool) {
		if !yield("") {
			return
		}
		for p := range runes(c.args, n) {
			if !yield(p) {
				return
			}
		}
	}
}

func each(seq iter.Seq[string], f func(string) string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for v := range seq {
			if !yield(f(v)) {
				return
			}
		}
	}
}

func (r reply) anthropicEvents(id string) iter.Seq[event] {
	return func(yield func(event) bool) {
		send := func(name, rest string, delta bool) bool {
			return yield(event{name: name, data: fmt.Sprintf(`{"type":"%s"%s}`, name, rest), delta: delta})
		}
		ok := send("message_start", fmt.Sprintf(`,"message":{"id":%s,"type":"message","role":"assistant","model":%s,"content":[],"stop_reason":null,"stop_sequence":null,"usage":%s}`,
			quote(id), quote(r.model), r.shown(1)), false)
		if !ok || r.script.odd && !yield(oddEvent) {
			return
		}
		for i, b := range r.anthropicBlocks() {
			if !send("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, i, b.start), false) ||
				i == 0 && !send("ping", "", false) {
				return
			}
			for d := range b.deltas {
				if !send("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":%s`, i, d), true) {
					return
				}
			}
			if !send("content_block_stop", fmt.Sprintf(`,"index":%d`, i), false) {
				return
			}
		}
		_ = send("message_delta", fmt.Sprintf(`,"delta":{"stop_reason":"%s","stop_sequence":null},"usage":%s`, r.anthropicStop(), r.shown(r.usage.output)), false) &&
			send("message_stop", "", false)
	}
}

// shown is the usage unless the script wants none.
func (r reply) shown(output int) string {
	if r.script.nousage {
		return "null"
	}
	return r.usage.anthropic(output)
}

var oddEvent = event{name: "x_future", data: `{"type":"x_future","note":"an event that no client knows","nested":{"list":[1,2,3]}}`}

func (r reply) anthropicWhole(id string) string {
	var b strings.Builder
	for i, k := range r.anthropicBlocks() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k.whole)
	}
	return fmt.Sprintf(`{"id":%s,"type":"message","role":"assistant","model":%s,"content":[%s],"stop_reason":"%s","stop_sequence":null,"usage":%s}`,
		quote(id), quote(r.model), b.String(), r.anthropicStop(), r.shown(r.usage.output))
}
