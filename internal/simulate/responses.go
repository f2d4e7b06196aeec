package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

type responsesRequest struct {
	Type         string            `json:"type"` // over WebSocket: response.create
	Model        string            `json:"model"`
	Stream       bool              `json:"stream"`
	Generate     *bool             `json:"generate"`
	Previous     string            `json:"previous_response_id"`
	Instructions string            `json:"instructions"`
	Tools        []json.RawMessage `json:"tools"`
	Input        json.RawMessage   `json:"input"`
	Text         struct {
		Format struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
}

// items gives the input as items; a bare string is a user's message.
func (q responsesRequest) items() (list []json.RawMessage) {
	if json.Unmarshal(q.Input, &list) == nil {
		return list
	}
	var text string
	if json.Unmarshal(q.Input, &text) != nil {
		return nil
	}
	return []json.RawMessage{json.RawMessage(`{"type":"message","role":"user","content":` + quote(text) + `}`)}
}

// turn reads a request after the items that it continues.
func (q responsesRequest) turn(before []json.RawMessage) turn {
	t := turn{model: q.Model, stream: q.Stream, schema: q.Text.Format.Schema}
	t.blocks = append(t.blocks, []byte(q.Instructions))
	for _, raw := range q.Tools {
		t.responsesTool(raw, "")
		t.blocks = append(t.blocks, raw)
	}
	for _, list := range [][]json.RawMessage{before, q.items()} {
		for _, raw := range list {
			t.blocks = append(t.blocks, raw)
			t.item(raw)
		}
	}
	t.cached = len(t.blocks)
	return t
}

// responsesTool takes a tool, or the tools of a namespace.
func (t *turn) responsesTool(raw json.RawMessage, namespace string) {
	var o struct {
		Type       string            `json:"type"`
		Name       string            `json:"name"`
		Parameters json.RawMessage   `json:"parameters"`
		Tools      []json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return
	}
	switch o.Type {
	case "namespace":
		for _, inner := range o.Tools {
			t.responsesTool(inner, o.Name)
		}
	case "function", "custom":
		t.tools = append(t.tools, tool{name: o.Name, namespace: namespace, free: o.Type == "custom", schema: o.Parameters})
	}
}

func (t *turn) item(raw json.RawMessage) {
	var it struct {
		Type    string            `json:"type"`
		Role    string            `json:"role"`
		Content json.RawMessage   `json:"content"`
		Output  json.RawMessage   `json:"output"`
		Tools   []json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(raw, &it) != nil {
		return
	}
	switch it.Type {
	case "function_call_output", "custom_tool_call_output":
		t.results = append(t.results, plainText(it.Output))
	case "additional_tools":
		for _, tool := range it.Tools {
			t.responsesTool(tool, "")
		}
	case "message", "":
		if it.Role == "user" {
			t.person(plainText(it.Content))
		}
	}
}

// decideResponses decides the answer to a request. It is nil when refused: why
// says so, with its status.
func (s *Server) decideResponses(q responsesRequest) (a *responsesAnswer, t turn, refused *refusal) {
	before, ok := s.store.conversation(q.Previous)
	if !ok {
		return nil, t, &refusal{http.StatusBadRequest, "previous_response_not_found",
			fmt.Sprintf("Previous response with id '%s' not found.", clip(q.Previous, 80))}
	}
	t = q.turn(before)
	sc := s.script(t)
	a = &responsesAnswer{id: s.ids.make("resp_", hex16, 48), created: s.unix(), previous: q.Previous}
	if q.Generate != nil && !*q.Generate {
		a.reply = reply{model: q.Model, usage: s.prompts.count("openai "+q.Model, t.blocks, t.cached)}
	} else {
		a.reply = s.answer("openai "+q.Model, t, sc)
	}
	a.name(&s.ids)
	return a, t, nil
}

// refusal is an error with its status.
type refusal struct {
	status     int
	code, text string
}

// keep remembers an answer so that a later request can continue it.
func (s *Server) keep(q responsesRequest, a *responsesAnswer) {
	items := q.items()
	for _, o := range a.output {
		items = append(items, json.RawMessage(o.done))
	}
	s.store.put(a.id, node{prev: q.Previous, items: items, body: json.RawMessage(a.object("completed", a.outputs(), true))})
}

func (e *exchange) responses() error {
	var q responsesRequest
	if err := json.Unmarshal(e.body, &q); err != nil {
		return e.refuse(http.StatusBadRequest, "We could not parse the JSON body of your request: %v", err)
	}
	a, t, refused := e.s.decideResponses(q)
	if refused != nil {
		return e.whole(refused.status, openai.fail(refused.status, refused.text))
	}
	s := a.script
	if done, err := e.faults(s, t); done {
		return err
	}
	e.s.keep(q, a) // before the client sees the end and continues it
	e.api.oops = a.oops()
	if !q.Stream {
		return e.wholeAs(s, http.StatusOK, a.object("completed", a.outputs(), true))
	}
	return e.stream(s, "text/event-stream; charset=utf-8", a.events())
}

func (e *exchange) stored() error {
	body, ok := e.s.store.body(e.args[1])
	if !ok {
		return e.refuse(http.StatusNotFound, "Response with id '%s' not found.", clip(e.args[1], 80))
	}
	return e.whole(http.StatusOK, string(body))
}

// responsesAnswer is an answer in the form of Responses.
type responsesAnswer struct {
	reply
	id       string
	created  int64
	previous string
	output   []outputItem
}

// outputItem is one item of the output: as it is added, its events, as it is
// when done.
type outputItem struct {
	id, added, done string
	steps           iter.Seq[step]
}

// step is one event of an item, without the fields that all of them have.
type step struct {
	name  string
	rest  string
	delta bool
}

// name gives ids to the answer's items and writes them.
func (a *responsesAnswer) name(ids *ids) {
	if a.thinking != "" {
		a.output = append(a.output, a.reasoning(ids.make("rs_", hex16, 48)))
	}
	if a.text != "" {
		a.output = append(a.output, a.message(ids.make("msg_", hex16, 48)))
	}
	for _, c := range a.calls {
		c.id = ids.make("call_", base58, 24)
		if c.tool.free {
			a.output = append(a.output, c.custom(ids.make("ctc_", hex16, 48)))
		} else {
			a.output = append(a.output, c.function(ids.make("fc_", hex16, 48)))
		}
	}
}

func (a *responsesAnswer) reasoning(id string) outputItem {
	head := fmt.Sprintf(`{"id":"%s","type":"reasoning","encrypted_content":"%s","summary":`, id, signature)
	part := `{"type":"summary_text","text":` + quote(a.thinking) + `}`
	return outputItem{id, head + `[]}`, head + `[` + part + `]}`, func(yield func(step) bool) {
		if !yield(step{"response.reasoning_summary_part.added", `"summary_index":0,"part":{"type":"summary_text","text":""}`, false}) {
			return
		}
		for p := range cuts(a.thinking, 20) {
			if !yield(step{"response.reasoning_summary_text.delta", `"summary_index":0,"delta":` + quote(p), true}) {
				return
			}
		}
		_ = yield(step{"response.reasoning_summary_text.done", `"summary_index":0,"text":` + quote(a.thinking), false}) &&
			yield(step{"response.reasoning_summary_part.done", `"summary_index":0,"part":` + part, false})
	}}
}

func (a *responsesAnswer) message(id string) outputItem {
	frame := func(status, content string) string {
		return fmt.Sprintf(`{"id":"%s","type":"message","status":"%s","content":[%s],"role":"assistant"}`, id, status, content)
	}
	part := func(text string) string {
		return `{"type":"output_text","annotations":[],"logprobs":[],"text":` + quote(text) + `}`
	}
	return outputItem{id, frame("in_progress", ""), frame("completed", part(a.text)), func(yield func(step) bool) {
		if !yield(step{"response.content_part.added", `"content_index":0,"part":` + part(""), false}) {
			return
		}
		for p := range a.pieces() {
			if !yield(step{"response.output_text.delta", `"content_index":0,"delta":` + quote(p) + `,"logprobs":[]`, true}) {
				return
			}
		}
		_ = yield(step{"response.output_text.done", `"content_index":0,"text":` + quote(a.text) + `,"logprobs":[]`, false}) &&
			yield(step{"response.content_part.done", `"content_index":0,"part":` + part(a.text), false})
	}}
}

func (c call) function(id string) outputItem {
	return c.item(id, "function_call", "arguments", "response.function_call_arguments")
}

func (c call) custom(id string) outputItem {
	return c.item(id, "custom_tool_call", "input", "response.custom_tool_call_input")
}

func (c call) item(id, kind, field, events string) outputItem {
	space := ""
	if c.tool.namespace != "" {
		space = `,"namespace":` + quote(c.tool.namespace)
	}
	frame := func(status, args string) string {
		return fmt.Sprintf(`{"id":"%s","type":"%s","status":"%s","%s":%s,"call_id":"%s","name":%s%s}`,
			id, kind, status, field, quote(args), c.id, quote(c.tool.name), space)
	}
	return outputItem{id, frame("in_progress", ""), frame("completed", c.args), func(yield func(step) bool) {
		for p := range c.pieces() {
			if p != "" && !yield(step{events + ".delta", `"delta":` + quote(p), true}) {
				return
			}
		}
		yield(step{events + ".done", fmt.Sprintf(`"%s":%s`, field, quote(c.args)), false})
	}}
}

func (a *responsesAnswer) outputs() string {
	var list []string
	for _, o := range a.output {
		list = append(list, o.done)
	}
	return strings.Join(list, ",")
}

// object is the response object as it stands in some of the events.
func (a *responsesAnswer) object(status, output string, done bool) string {
	usage, previous := "null", "null"
	if done && !a.script.nousage {
		u := a.usage
		usage = fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
			u.input(), u.read, u.output, u.thought, u.input()+u.output)
	}
	if a.previous != "" {
		previous = quote(a.previous)
	}
	return fmt.Sprintf(`{"id":"%s","object":"response","created_at":%d,"status":"%s","background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":%s,"output":[%s],"parallel_tool_calls":true,"previous_response_id":%s,"service_tier":"default","store":false,"tool_choice":"auto","tools":[],"usage":%s,"metadata":{}}`,
		a.id, a.created, status, quote(a.model), output, previous, usage)
}

// oops is the event with which a response fails on its way.
func (a *responsesAnswer) oops() event {
	o := a.object("failed", "", false)
	o = strings.Replace(o, `"error":null`, `"error":{"code":"server_error","message":"The script asks for an error."}`, 1)
	return event{name: "response.failed", data: `{"type":"response.failed","sequence_number":9999,"response":` + o + `}`}
}

func (a *responsesAnswer) events() iter.Seq[event] {
	return func(yield func(event) bool) {
		n := 0
		send := func(name, rest string, delta bool) bool {
			e := event{name, fmt.Sprintf(`{"type":"%s","sequence_number":%d,%s}`, name, n, rest), delta}
			n++
			return yield(e)
		}
		for _, name := range []string{"created", "in_progress"} {
			if !send("response."+name, `"response":`+a.object("in_progress", "", false), false) {
				return
			}
		}
		if a.script.odd && !yield(oddEvent) {
			return
		}
		for i, o := range a.output {
			if !o.play(i, send) {
				return
			}
		}
		final := a.outputs()
		if a.script.empty {
			final = ""
		}
		send("response.completed", `"response":`+a.object("completed", final, true), false)
	}
}

func (o outputItem) play(i int, send func(name, rest string, delta bool) bool) bool {
	if !send("response.output_item.added", fmt.Sprintf(`"output_index":%d,"item":%s`, i, o.added), false) {
		return false
	}
	for st := range o.steps {
		if !send(st.name, fmt.Sprintf(`"item_id":"%s","output_index":%d,%s`, o.id, i, st.rest), st.delta) {
			return false
		}
	}
	return send("response.output_item.done", fmt.Sprintf(`"output_index":%d,"item":%s`, i, o.done), false)
}
