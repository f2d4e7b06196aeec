package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

var openai = dialect{
	head: func(e *exchange, h http.Header) {
		h.Set("X-Request-Id", e.s.ids.make("req_", hex16, 32))
		h.Set("Openai-Processing-Ms", "42")
		h.Set("Openai-Version", "2020-10-01")
		h.Set("X-Ratelimit-Remaining-Requests", "9999")
	},
	fail: func(status int, text string) string {
		return fmt.Sprintf(`{"error":{"message":%s,"type":%s,"param":null,"code":%s}}`,
			quote(text), quote(openaiError(status)), quote(openaiCode(status)))
	},
	oops: event{data: `{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}`},
}

func openaiError(status int) string {
	switch {
	case status == 429:
		return "rate_limit_error"
	case status >= 500:
		return "server_error"
	}
	return "invalid_request_error"
}

func openaiCode(status int) string {
	switch status {
	case 401:
		return "invalid_api_key"
	case 429:
		return "rate_limit_exceeded"
	case 503:
		return "server_is_overloaded"
	}
	return "simulated"
}

type chatRequest struct {
	Model         string            `json:"model"`
	Stream        bool              `json:"stream"`
	Tools         []json.RawMessage `json:"tools"`
	Messages      []json.RawMessage `json:"messages"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat struct {
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

func (q chatRequest) turn() turn {
	t := turn{model: q.Model, stream: q.Stream, usage: q.StreamOptions.IncludeUsage, schema: q.ResponseFormat.JSONSchema.Schema}
	for _, raw := range q.Tools {
		var o struct {
			Function struct {
				Name       string          `json:"name"`
				Parameters json.RawMessage `json:"parameters"`
			} `json:"function"`
		}
		if json.Unmarshal(raw, &o) == nil {
			t.tools = append(t.tools, tool{name: o.Function.Name, schema: o.Function.Parameters})
		}
		t.blocks = append(t.blocks, raw)
	}
	for _, raw := range q.Messages {
		t.blocks = append(t.blocks, raw)
		t.chatMessage(raw)
	}
	t.cached = len(t.blocks)
	return t
}

func (t *turn) chatMessage(raw json.RawMessage) {
	var m struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	switch m.Role {
	case "tool", "function":
		t.results = append(t.results, plainText(m.Content))
	case "user":
		t.person(plainText(m.Content))
	}
}

func (e *exchange) chat() error {
	var q chatRequest
	if err := json.Unmarshal(e.body, &q); err != nil {
		return e.refuse(http.StatusBadRequest, "We could not parse the JSON body of your request: %v", err)
	}
	t := q.turn()
	s := e.s.script(t)
	if done, err := e.faults(s, t); done {
		return err
	}
	r := e.s.answer("openai "+q.Model, t, s)
	for i := range r.calls {
		r.calls[i].id = e.s.ids.make("call_", base58, 24)
	}
	c := chatAnswer{reply: r, id: e.s.ids.make("chatcmpl-", base58, 29), created: e.s.unix(), usage: t.usage && !s.nousage}
	if !q.Stream {
		return e.wholeAs(s, http.StatusOK, c.whole())
	}
	return e.stream(s, "text/event-stream; charset=utf-8", c.events())
}

// chatAnswer is an answer in Chat's form.
type chatAnswer struct {
	reply
	id      string
	created int64
	usage   bool
}

func (c chatAnswer) envelope(object, rest string) string {
	return fmt.Sprintf(`{"id":%s,"object":"%s","created":%d,"model":%s,"service_tier":"default","system_fingerprint":"fp_simulated",%s}`,
		quote(c.id), object, c.created, quote(c.model), rest)
}

func (c chatAnswer) chunk(delta, finish string) event {
	rest := fmt.Sprintf(`"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]`, delta, finish)
	if c.usage {
		rest += `,"usage":null`
	}
	return event{data: c.envelope("chat.completion.chunk", rest), delta: finish == "null"}
}

func (c chatAnswer) finish() string {
	if len(c.calls) > 0 {
		return `"tool_calls"`
	}
	return `"stop"`
}

func (c chatAnswer) tokens() string {
	u := c.reply.usage
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0}}`,
		u.input(), u.output, u.input()+u.output, u.read, u.thought)
}

func (c chatAnswer) events() iter.Seq[event] {
	return func(yield func(event) bool) {
		if !yield(event{data: c.chunk(`{"role":"assistant","content":"","refusal":null}`, "null").data}) ||
			c.script.odd && !yield(event{data: oddEvent.data}) {
			return
		}
		for p := range c.pieces() {
			if !yield(c.chunk(`{"content":`+quote(p)+`}`, "null")) {
				return
			}
		}
		for i, k := range c.calls {
			for d := range chatCall(i, k) {
				if !yield(c.chunk(d, "null")) {
					return
				}
			}
		}
		if !yield(c.chunk("{}", c.finish())) {
			return
		}
		if c.usage && !yield(event{data: c.envelope("chat.completion.chunk", `"choices":[],"usage":`+c.tokens())}) {
			return
		}
		yield(event{data: "[DONE]"})
	}
}

func chatCall(i int, k call) iter.Seq[string] {
	return func(yield func(string) bool) {
		first := true
		for p := range k.pieces() {
			head := ""
			if first {
				head = fmt.Sprintf(`"id":%s,"type":"function",`, quote(k.id))
				p = ""
			}
			name := ""
			if first {
				name = `"name":` + quote(k.tool.name) + `,`
			}
			first = false
			if !yield(fmt.Sprintf(`{"tool_calls":[{"index":%d,%s"function":{%s"arguments":%s}}]}`, i, head, name, quote(p))) {
				return
			}
		}
	}
}

func (c chatAnswer) whole() string {
	message := `{"role":"assistant","content":` + quote(c.text)
	if len(c.calls) > 0 {
		var calls []string
		for _, k := range c.calls {
			calls = append(calls, fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`,
				quote(k.id), quote(k.tool.name), quote(k.args)))
		}
		message = `{"role":"assistant","content":null,"tool_calls":[` + strings.Join(calls, ",") + `]`
	}
	rest := fmt.Sprintf(`"choices":[{"index":0,"message":%s,"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":%s}]`, message, c.finish())
	if !c.script.nousage {
		rest += `,"usage":` + c.tokens()
	}
	return c.envelope("chat.completion", rest)
}

func (e *exchange) embeddings() error {
	var q struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(e.body, &q); err != nil {
		return e.refuse(http.StatusBadRequest, "We could not parse the JSON body of your request: %v", err)
	}
	n := tokens(len(q.Input))
	return e.whole(http.StatusOK, fmt.Sprintf(`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-0.5,0.125]}],"model":%s,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`,
		quote(q.Model), n, n))
}

func (e *exchange) batch() error {
	return e.whole(http.StatusOK, fmt.Sprintf(`{"id":%s,"object":"batch","endpoint":"/v1/chat/completions","status":"validating","created_at":%d,"request_counts":{"total":0,"completed":0,"failed":0}}`,
		quote(e.s.ids.make("batch_", hex16, 32)), e.s.unix()))
}
