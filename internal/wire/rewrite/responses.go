package rewrite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// responses reads answers of OpenAI's Responses. The same text comes in up to
// five events, and each is rewritten for itself; so is a response that is read
// again later.
type responses struct {
	r        *Rewriter
	began    int64 // offset behind response.created; 0: it did not come
	envelope string
	sequence int64

	gone []finished // items, for the last event of a blocked response; of MaxHold bytes at most
	size int        // of them
}

// finished is an item of the output as the client got it.
type finished struct {
	end    int64 // of its event
	output int64
	item   []byte
}

// the kinds of an item's texts.
const (
	itemText uint8 = iota
	itemCall
)

func (d *responses) streams() bool { return false }

// responsesEvent is the members of an event, raw.
type responsesEvent struct {
	kind, output, index, sequence, obfuscation []byte
	delta, text, refusal, arguments, input     []byte
	item, part, response                       []byte
}

func (v *responsesEvent) read(data []byte) bool {
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	for s.Member() {
		if at := v.member(string(s.Name)); at != nil {
			*at = s.Value()
		}
	}
	return !s.Bad()
}

func (v *responsesEvent) member(name string) *[]byte {
	switch name {
	case "type":
		return &v.kind
	case "delta":
		return &v.delta
	case "output_index":
		return &v.output
	case "content_index":
		return &v.index
	case "sequence_number":
		return &v.sequence
	case "obfuscation":
		return &v.obfuscation
	case "text":
		return &v.text
	case "refusal":
		return &v.refusal
	case "arguments":
		return &v.arguments
	case "input":
		return &v.input
	case "item":
		return &v.item
	case "part":
		return &v.part
	case "response":
		return &v.response
	}
	return nil
}

func (d *responses) event(e *event) {
	var v responsesEvent
	if !v.read(e.data) {
		return
	}
	d.sequence = max(d.sequence, peek.Int(v.sequence))
	output := peek.Int(v.output)
	text, call := laneKey{itemText, output, peek.Int(v.index)}, laneKey{itemCall, output, 0}
	switch string(v.kind) {
	case `"response.output_text.delta"`, `"response.refusal.delta"`:
		if l := d.r.lane(text, d.r.prose); l != nil {
			l.feed(e, v.delta)
			d.r.learn(l, v.delta, v.sequence, v.obfuscation)
		}
	case `"response.function_call_arguments.delta"`:
		d.callDelta(e, call, &v, d.r.arguments)
	case `"response.custom_tool_call_input.delta"`:
		d.callDelta(e, call, &v, d.r.input)
	case `"response.reasoning_summary_text.delta"`, `"response.reasoning_text.delta"`:
		d.r.learn(nil, v.delta, v.sequence, v.obfuscation)
	default:
		d.other(e, &v, text, call)
	}
}

func (d *responses) callDelta(e *event, k laneKey, v *responsesEvent, begin func(string) *lane) {
	if d.r.lanes[k] == nil { // its item was not added
		l := d.r.lane(k, func() *lane { return begin("") })
		d.r.hold(e, k, "", "", l)
	}
	if l := d.r.lanes[k]; l != nil {
		l.feed(e, v.delta)
		d.r.learn(l, v.delta, v.sequence, v.obfuscation)
	}
}

func (d *responses) other(e *event, v *responsesEvent, text, call laneKey) {
	switch e.kind(v.kind) {
	case "response.output_text.delta", "response.refusal.delta": // named by its event line alone, or with escapes
		if l := d.r.lane(text, d.r.prose); l != nil {
			l.feed(e, v.delta)
		}
	case "response.function_call_arguments.delta":
		d.callDelta(e, call, v, d.r.arguments)
	case "response.custom_tool_call_input.delta":
		d.callDelta(e, call, v, d.r.input)
	case "response.output_text.done", "response.refusal.done":
		d.r.close(text)
		d.r.whole(d.r.prose(), e, v.text)
		d.r.whole(d.r.prose(), e, v.refusal)
	case "response.content_part.done":
		d.r.close(text)
		d.content(e, v.part)
	case "response.content_part.added":
		d.content(e, v.part)
	case "response.function_call_arguments.done":
		d.callDone(e, call, v.arguments, d.r.arguments)
	case "response.custom_tool_call_input.done":
		d.callDone(e, call, v.input, d.r.input)
	case "response.output_item.added":
		d.added(e, call, v.item)
	case "response.output_item.done":
		d.done(e, call, v.item)
	case "response.created", "response.in_progress", "response.queued":
		if d.began == 0 {
			d.began, d.envelope = e.end, envelope(v.response, "id", "created_at", "model", "previous_response_id")
		}
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		d.end(e, v.response)
	case "error":
		d.r.closeAll()
		d.r.judgeAll()
	}
}

// content takes a finished element of a message's content.
func (d *responses) content(e *event, raw []byte) {
	switch string(peek.Get(raw, "type")) {
	case `"output_text"`:
		d.r.whole(d.r.prose(), e, peek.Get(raw, "text"))
	case `"refusal"`:
		d.r.whole(d.r.prose(), e, peek.Get(raw, "refusal"))
	}
}

// callDone takes the arguments once more, whole. Those of a call that is not held, whose
// item was not added or is done, are judged here.
func (d *responses) callDone(e *event, k laneKey, raw []byte, begin func(string) *lane) {
	tool := ""
	if l := d.r.lanes[k]; l != nil {
		tool = l.tool
	}
	d.r.close(k)
	l := d.r.whole(begin(tool), e, raw)
	c := d.r.held(k)
	if c == nil {
		d.r.hold(e, k, "", "", l)
		d.r.finished(k)
	} else if len(c.lane.text) == 0 {
		c.lane = l
	}
}

// toolItem is a call in an item of the output.
type toolItem struct {
	id, name string
	begin    func(tool string) *lane
	text     []byte
}

// responsesItem is the members of an item, raw.
type responsesItem struct {
	kind, id, callID, name, namespace             []byte
	arguments, input, action, actions, operations []byte
}

func (it *responsesItem) member(name string) *[]byte {
	switch name {
	case "type":
		return &it.kind
	case "id":
		return &it.id
	case "call_id":
		return &it.callID
	case "name":
		return &it.name
	case "namespace":
		return &it.namespace
	case "arguments":
		return &it.arguments
	case "input":
		return &it.input
	case "action":
		return &it.action
	case "actions":
		return &it.actions
	case "operation":
		return &it.operations
	}
	return nil
}

// tool reads an item that the client executes; false for any other. Its id and
// name are those that openai.ResponsesBlock gives.
func (d *responses) tool(raw []byte) (t toolItem, ok bool) {
	var it responsesItem
	for w := peek.Members(raw); w.Next(); {
		if at := it.member(string(w.Name)); at != nil {
			*at = w.Value
		}
	}
	kind := peek.Short(it.kind)
	if silent(kind) {
		return t, false
	}
	t.id = cmp.Or(peek.Short(it.callID), peek.Short(it.id))
	t.name = cmp.Or(peek.Short(it.name), strings.TrimSuffix(kind, "_call"))
	if space := peek.Short(it.namespace); space != "" && space != "functions" { // that is where tools without one live
		t.name = space + "." + t.name
	}
	t.text, t.begin = it.text(kind, raw, d.r)
	return t, true
}

// text gives what a call says, and the kind of lane for it.
func (it *responsesItem) text(kind string, raw []byte, r *Rewriter) ([]byte, func(string) *lane) {
	switch {
	case kind == "custom_tool_call":
		return it.input, r.input
	case peek.IsString(it.arguments) || kind == "function_call":
		return it.arguments, r.arguments
	}
	for _, value := range [][]byte{it.arguments, it.action, it.actions, it.operations, it.input} {
		if !peek.Null(value) {
			return value, r.object
		}
	}
	return raw, r.object
}

// silent reports whether an item is nothing that the client is to execute.
// Kinds that are not known count as calls.
func silent(kind string) bool {
	switch kind {
	case "message", "reasoning", "compaction", "compaction_summary", "context_compaction", "additional_tools", "mcp_list_tools",
		"mcp_approval_request", "mcp_approval_response", "program", "mcp_call",
		"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call":
		return true
	}
	return strings.HasSuffix(kind, "_output")
}

func (d *responses) added(e *event, k laneKey, item []byte) {
	t, ok := d.tool(item)
	if !ok {
		return
	}
	d.r.close(k)
	l := d.r.lane(k, func() *lane { return t.begin(t.name) })
	d.r.hold(e, k, t.id, t.name, l)
}

// done takes a finished item, which repeats all of its text.
func (d *responses) done(e *event, k laneKey, item []byte) {
	for key := range d.r.lanes {
		if key.major == k.major {
			d.r.close(key)
		}
	}
	if refused, c := d.item(e, k, item); refused != nil {
		d.r.block(refused)
		return
	} else if c != nil {
		d.r.let(c)
	}
	d.note(e, k.major, item)
}

// note keeps an item that may go: a client that reads only the last event must find it
// there. One for which there is no room is left out.
func (d *responses) note(e *event, output int64, item []byte) {
	if !d.r.o.Hold || d.size >= d.r.o.MaxHold {
		return
	}
	item = d.r.edited(e, item)
	if d.size+len(item) <= d.r.o.MaxHold {
		d.size += len(item)
		d.gone = append(d.gone, finished{e.end, output, item})
	}
}

// output is the items that were delivered before an offset, then our own.
func (d *responses) output(from int64, own string) string {
	slices.SortStableFunc(d.gone, func(a, b finished) int { return cmp.Compare(a.output, b.output) })
	var b strings.Builder
	for _, f := range d.gone {
		if f.end <= from {
			b.Write(f.item)
			b.WriteByte(',')
		}
	}
	return b.String() + own
}

// item rewrites an item and asks about its call. The call is held from here on
// if it was not.
func (d *responses) item(e *event, k laneKey, item []byte) (*flow.Refusal, *call) {
	t, ok := d.tool(item)
	if !ok {
		if peek.Is(peek.Get(item, "type"), "message") {
			for w := peek.Elements(peek.Get(item, "content")); w.Next(); {
				d.content(e, w.Value)
			}
		}
		return nil, nil
	}
	l := d.r.whole(t.begin(t.name), e, t.text)
	c := d.r.held(k)
	if c == nil {
		d.r.hold(e, k, t.id, t.name, l)
		c = d.r.held(k)
	}
	if c != nil && len(c.lane.text) > 0 {
		if refused := d.r.judge(t.id, t.name, c.lane); refused != nil {
			return refused, c
		}
	}
	return d.r.judge(t.id, t.name, l), c
}

// end takes a terminal event. Most calls in it were judged before.
func (d *responses) end(e *event, response []byte) {
	d.r.closeAll()
	d.r.judgeAll()
	major := int64(1) << 32 // keys of its own
	for w := peek.Elements(peek.Get(response, "output")); w.Next() && d.r.refused == nil; major++ {
		d.done(e, laneKey{itemCall, major, 0}, w.Value)
	}
}

func (d *responses) body(e *event, raw []byte) {
	output := peek.Get(raw, "output")
	d.r.whole(d.r.prose(), e, peek.Get(raw, "output_text"))
	for w := peek.Elements(output); w.Next(); {
		t, ok := d.tool(w.Value)
		if !ok {
			d.item(e, laneKey{}, w.Value)
			continue
		}
		l := d.r.whole(t.begin(t.name), e, t.text)
		if refused := d.r.judge(t.id, t.name, l); refused != nil {
			d.r.strike(refused, cutTail(e, output, w.Value, said("completed", "Gatehouse: "+refused.Text)))
			return
		}
	}
}

// said is a message of ours as an item of the output.
func said(status, text string) string {
	content := ""
	if text != "" {
		content = `{"type":"output_text","annotations":[],"logprobs":[],"text":` + quote(text) + `}`
	}
	return `{"id":"msg_gatehouse","type":"message","status":"` + status + `","role":"assistant","content":[` + content + `]}`
}

func (d *responses) closing(text string, from int64) ([]Edit, int64, []payload) {
	output := int64(0)
	if len(d.r.calls) > 0 {
		output = d.r.calls[0].key.major & (1<<32 - 1)
	}
	var list []payload
	d.sequence = max(d.sequence, d.r.figure)
	say := func(name, rest string) {
		d.sequence++
		list = append(list, payload{"response." + name, fmt.Sprintf(`{"type":"response.%s","sequence_number":%d,%s}`, name, d.sequence, rest)})
	}
	item := fmt.Sprintf(`"output_index":%d,"item":`, output)
	place := fmt.Sprintf(`"item_id":"msg_gatehouse","output_index":%d,"content_index":0,`, output)
	part := func(text string) string {
		return `"part":{"type":"output_text","annotations":[],"logprobs":[],"text":` + quote(text) + `}`
	}
	say("output_item.added", item+said("in_progress", ""))
	say("content_part.added", place+part(""))
	say("output_text.delta", place+`"delta":`+quote(text)+`,"logprobs":[]`)
	say("output_text.done", place+`"text":`+quote(text)+`,"logprobs":[]`)
	say("content_part.done", place+part(text))
	say("output_item.done", item+said("completed", text))
	say("completed", `"response":`+d.object("completed", d.output(from, said("completed", text))))
	return nil, from, list
}

// object is a response as far as we can tell of it.
func (d *responses) object(status, output string) string {
	return fmt.Sprintf(`{%s"object":"response","status":"%s","background":false,"error":null,"incomplete_details":null,"instructions":null,"output":[%s],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":null,"metadata":{}}`,
		d.envelope, status, output)
}

func (d *responses) alive() (payload, bool) {
	if d.began == 0 || d.began > d.r.base {
		return payload{}, false
	}
	return payload{"response.in_progress", fmt.Sprintf(`{"type":"response.in_progress","sequence_number":%d,"response":%s}`,
		max(d.sequence, d.r.figure), d.object("in_progress", ""))}, true
}
