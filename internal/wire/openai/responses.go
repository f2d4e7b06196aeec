package openai

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/draft"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Responses reads one answer of the Responses API, from SSE or from WebSocket
// messages. The same text comes in up to five events (delta, output_text.done,
// content_part.done, output_item.done, response.completed): it is counted once,
// and the latest event that holds it whole is believed. Without a draft it keeps
// counters and short names only.
type Responses struct {
	answer  flow.Answer
	draft   *draft.Draft // nil: parts are not wanted
	started bool         // a response was created: it may be billed
	settled bool         // the provider's usage came
	ended   bool         // a terminal event
	tier    string
	bytes   int // of output text seen
	item    int // of them since the last item began
}

// NewResponses makes a decoder; keep collects parts.
func NewResponses(keep bool) *Responses {
	d := &Responses{}
	if keep {
		d.draft = draft.New()
	}
	return d
}

// update is the members of any event, raw.
type update struct {
	kind, output, index, delta, text, item, response, fault []byte
}

func (u *update) read(data []byte) (ok bool) {
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	for s.Member() {
		switch string(s.Name) {
		case "type":
			u.kind = s.Value()
		case "output_index":
			u.output = s.Value()
		case "content_index", "summary_index", "command_index":
			u.index = s.Value()
		case "delta":
			u.delta = s.Value()
		case "text", "refusal", "arguments", "input", "code", "command":
			u.text = s.Value()
		case "item":
			u.item = s.Value()
		case "response":
			u.response = s.Value()
		case "error":
			u.fault = s.Value()
		}
	}
	return !s.Bad()
}

// Event takes the payload of one event; name is what the event's own line
// says and counts when the payload has no type.
func (d *Responses) Event(name string, data []byte) {
	if string(data) == "[DONE]" {
		return // not of this API, but some servers end every stream so
	}
	var u update
	if !u.read(data) {
		d.answer.Unknown++
		return
	}
	if string(u.kind) == `"response.output_text.delta"` {
		d.delta(flow.Text, &u)
		return
	}
	if peek.IsString(u.kind) {
		name = peek.Short(u.kind)
	}
	d.event(name, &u, data)
}

func (d *Responses) event(name string, u *update, data []byte) {
	if kind, ok := deltas[name]; ok {
		d.delta(kind, u)
		return
	}
	if kind, ok := wholes[name]; ok {
		d.whole(kind, u)
		return
	}
	switch name {
	case "response.output_item.added":
		d.added(u)
	case "response.output_item.done":
		d.done(u)
	case "response.created", "response.in_progress", "response.queued":
		d.started = true
		d.response(u.response)
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		d.end(name, u.response)
	case "error":
		d.fail(u.fault, data)
	default:
		if !silentEvent(name) {
			d.answer.Unknown++
		}
	}
}

// deltas are the events that carry a piece of output text.
var deltas = map[string]flow.Kind{
	"response.output_text.delta":                flow.Text,
	"response.refusal.delta":                    flow.Text,
	"response.reasoning_text.delta":             flow.Thinking,
	"response.reasoning_summary_text.delta":     flow.Thinking,
	"response.function_call_arguments.delta":    flow.ToolCall,
	"response.custom_tool_call_input.delta":     flow.ToolCall,
	"response.mcp_call_arguments.delta":         flow.ToolCall,
	"response.code_interpreter_call_code.delta": flow.ToolCall,
	"response.shell_call_command.delta":         flow.ToolCall,
	"response.audio.transcript.delta":           flow.Text,
}

// wholes are the events that repeat the text of the deltas before them.
var wholes = map[string]flow.Kind{
	"response.output_text.done":                flow.Text,
	"response.refusal.done":                    flow.Text,
	"response.reasoning_text.done":             flow.Thinking,
	"response.reasoning_summary_text.done":     flow.Thinking,
	"response.function_call_arguments.done":    flow.ToolCall,
	"response.custom_tool_call_input.done":     flow.ToolCall,
	"response.mcp_call_arguments.done":         flow.ToolCall,
	"response.code_interpreter_call_code.done": flow.ToolCall,
	"response.shell_call_command.done":         flow.ToolCall,
}

// silentEvent reports whether an event that is known says nothing about text,
// usage or the end.
func silentEvent(name string) bool {
	switch name {
	case "response.content_part.added", "response.content_part.done", "response.output_text.annotation.added",
		"response.reasoning_summary_part.added", "response.reasoning_summary_part.done",
		"response.audio.delta", "response.audio.done", "response.audio.transcript.done",
		"response.compaction.compacting", "response.shell_call_command.added",
		"response.shell_call_output_content.delta", "response.shell_call_output_content.done",
		"response.steer.accepted", "response.steer.pending", "response.steer.failed",
		"codex.rate_limits", "keepalive":
		return true
	}
	for _, tool := range []string{"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call", "mcp_list_tools"} {
		if rest, ok := strings.CutPrefix(name, "response."+tool+"."); ok && progress[rest] {
			return true
		}
	}
	return false
}

var progress = map[string]bool{
	"in_progress": true, "searching": true, "interpreting": true, "generating": true, "partial_image": true,
	"completed": true, "failed": true,
}

func (u *update) key() draft.Key {
	return draft.Key{Major: peek.Int(u.output), Minor: peek.Int(u.index)}
}

// delta is on the path of every byte of a stream.
func (d *Responses) delta(kind flow.Kind, u *update) {
	n := d.draft.Open(u.key(), kind, "assistant").Append(u.delta)
	d.started, d.bytes, d.item = true, d.bytes+n, d.item+n
}

// whole believes the deltas that came, and fills in when none did.
func (d *Responses) whole(kind flow.Kind, u *update) {
	if d.draft == nil || peek.Null(u.text) {
		return
	}
	if p := d.draft.Open(u.key(), kind, "assistant"); p.Empty() {
		p.AppendRaw([]byte(argument(u.text)))
	}
}

func (d *Responses) added(u *update) {
	d.started, d.item = true, 0
	if d.draft == nil {
		return
	}
	for _, part := range ResponsesBlock("assistant", u.item) {
		if part.Kind == flow.ToolCall {
			d.draft.Open(draft.Key{Major: peek.Int(u.output)}, part.Kind, part.Role).Set(part)
		}
	}
}

func (d *Responses) done(u *update) {
	d.started = true
	d.answer.Unknown += strangers(u.item)
	if d.draft == nil && d.item > 0 {
		d.item = 0
		return
	}
	parts := ResponsesBlock("assistant", u.item)
	if d.item == 0 {
		for _, part := range parts {
			d.bytes += len(part.Text)
		}
	}
	d.item = 0
	d.draft.Replace(peek.Int(u.output), parts)
}

// response reads the response object that many events carry.
func (d *Responses) response(raw []byte) (status string, output []byte) {
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "id":
			d.answer.ID = peek.Short(w.Value)
		case "model":
			d.answer.Model = peek.Short(w.Value)
		case "service_tier":
			d.tier = tier(w.Value)
		case "status":
			status = peek.Short(w.Value)
		case "output":
			output = w.Value
		case "usage":
			if peek.IsObject(w.Value) {
				d.started, d.settled, d.answer.Usage = true, true, usage(w.Value)
			}
		case "error":
			if !peek.Null(w.Value) {
				d.answer.Error = fault(w.Value)
			}
		case "incomplete_details":
			if reason := peek.Short(peek.Get(w.Value, "reason")); reason != "" {
				d.answer.Stop = reason
			}
		}
	}
	return status, output
}

// end takes a terminal event. Its output counts where it is not empty: Codex's
// back end leaves it empty.
func (d *Responses) end(name string, raw []byte) {
	d.started, d.ended = true, true
	status, output := d.response(raw)
	if status == "" {
		status = strings.TrimPrefix(name, "response.")
	}
	if d.answer.Stop == "" {
		d.answer.Stop = status
	}
	if name == "response.failed" && d.answer.Error == "" {
		d.answer.Error = "failed"
	}
	if items := peek.Elements(output); items.Next() {
		d.draft.Reset()
		d.items(output, false)
	}
}

// items reads an output array. Only an answer that is no stream counts what
// it does not know here: in a stream each item came before.
func (d *Responses) items(output []byte, count bool) {
	major := int64(0)
	for w := peek.Elements(output); w.Next(); major++ {
		if count {
			d.answer.Unknown += strangers(w.Value)
		}
		if d.draft != nil {
			d.draft.Replace(major, ResponsesBlock("assistant", w.Value))
		}
	}
}

// fail takes an error event, whose members stand in an object (WebSocket) or
// in the event itself (SSE).
func (d *Responses) fail(raw, data []byte) {
	if !peek.IsObject(raw) {
		raw = data
	}
	d.answer.Error = fault(raw)
}

// Body takes an answer that is no stream: a response, a compaction, an error.
func (d *Responses) Body(data []byte) {
	if !peek.Whole(data) {
		d.answer.Unreadable = "the answer is not one JSON object"
	}
	d.ended = d.answer.Unreadable == ""
	status, output := d.response(data)
	if running(status) {
		return // in the background: text and usage come with a later GET
	}
	if d.answer.Stop == "" {
		d.answer.Stop = status
	}
	d.started = d.started || output != nil
	d.items(output, true)
}

func running(status string) bool { return status == "queued" || status == "in_progress" }

// ID is that of the answer, as far as it has come.
func (d *Responses) ID() string { return d.answer.ID }

// Answer gives what came so far. A response that failed before any output is
// not estimated: it is not billed.
func (d *Responses) Answer() flow.Answer {
	a := d.answer
	a.Complete = d.ended
	if d.started && !d.settled && (a.Error == "" || d.bytes > 0) {
		a.Usage.Estimated, a.Usage.Output = true, int64(d.bytes+3)/4
	}
	if d.started {
		a.Usage.Tier = d.tier
	}
	a.Parts = d.draft.Parts()
	if d.draft.Full() {
		a.Unreadable = "the answer is too long to be kept in parts"
	}
	return a
}

// Ended reports whether nothing more is to come: a terminal event or an error
// was seen. Over WebSocket the next response begins after it.
func (d *Responses) Ended() bool { return d.ended || d.answer.Error != "" }
