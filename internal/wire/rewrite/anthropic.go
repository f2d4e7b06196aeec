package rewrite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// messages reads answers of Anthropic's Messages.
type messages struct {
	r      *Rewriter
	began  bool
	blocks []began // content blocks, oldest first; the last few
}

// began is a content block, or whatever an empty event can be added to.
type began struct {
	at    int64 // offset behind the event that began it
	index int64
	kind  string
}

// anthropicEvent is the members of an event and of its delta, raw.
type anthropicEvent struct {
	kind, index, block               []byte
	deltaOf, text, partial, thinking []byte
}

func (d *messages) streams() bool { return false }

func (d *messages) event(e *event) {
	var v anthropicEvent
	if !v.read(e.data) {
		return
	}
	index := peek.Int(v.index)
	if string(v.kind) == `"content_block_delta"` {
		d.delta(e, index, &v)
		return
	}
	switch e.kind(v.kind) {
	case "content_block_delta":
		d.delta(e, index, &v)
	case "content_block_start":
		d.start(e, index, v.block)
	case "content_block_stop":
		d.r.finished(laneKey{major: index})
	case "message_start":
		d.began = true
	case "message_delta", "message_stop", "error":
		d.r.closeAll()
		d.r.judgeAll()
	}
}

func (v *anthropicEvent) read(data []byte) bool {
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	for s.Member() {
		switch string(s.Name) {
		case "type":
			v.kind = s.Value()
		case "index":
			v.index = s.Value()
		case "content_block":
			v.block = s.Value()
		case "delta":
			v.readDelta(&s)
		}
	}
	return !s.Bad()
}

func (v *anthropicEvent) readDelta(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	v.deltaOf, v.text, v.partial, v.thinking = nil, nil, nil, nil
	for s.Member() {
		switch string(s.Name) {
		case "type":
			v.deltaOf = s.Value()
		case "text":
			v.text = s.Value()
		case "partial_json":
			v.partial = s.Value()
		case "thinking":
			v.thinking = s.Value()
		}
	}
}

func (d *messages) delta(e *event, index int64, v *anthropicEvent) {
	k := laneKey{major: index}
	switch string(v.deltaOf) {
	case `"text_delta"`:
		if l := d.r.lane(k, d.r.prose); l != nil && l.tool == "" {
			l.feed(e, v.text)
			d.r.learn(l, v.text)
		}
	case `"input_json_delta"`:
		if !d.started(index) { // whoever it belongs to
			d.r.hold(e, k, "", "", d.r.lane(k, func() *lane { return d.r.arguments("") }))
		}
		if l := d.r.lanes[k]; l != nil && l.tool != "" {
			l.feed(e, v.partial)
			d.r.learn(l, v.partial)
		}
	case `"thinking_delta"`:
		d.r.learn(nil, v.thinking)
	}
}

// started reports whether a block began with the index, or a call is held that
// has none.
func (d *messages) started(index int64) bool {
	return d.r.lanes[laneKey{major: index}] != nil || slices.ContainsFunc(d.blocks, func(b began) bool { return b.index == index })
}

func (d *messages) start(e *event, index int64, block []byte) {
	k := laneKey{major: index}
	d.r.finished(k) // a block that was not stopped
	kind := peek.Short(peek.Get(block, "type"))
	if d.blocks = append(d.blocks, began{e.end, index, kind}); len(d.blocks) > 64 {
		d.blocks = d.blocks[1:]
	}
	switch kind {
	case "text":
		if l := d.r.lane(k, d.r.prose); l != nil {
			l.feed(e, peek.Get(block, "text"))
		}
	default:
		if provided(kind) {
			break
		}
		name := cmp.Or(peek.Short(peek.Get(block, "name")), kind)
		l := d.r.lane(k, func() *lane { return d.r.arguments(name) })
		d.r.hold(e, k, peek.Short(peek.Get(block, "id")), name, l)
		if input := peek.Get(block, "input"); l != nil && len(input) > 2 { // whole from the start
			w := d.r.whole(d.r.object(name), e, input)
			l.text, l.marks = w.text, w.marks
		}
	}
}

// provided reports whether a block is nothing that the client is to execute.
// Kinds that are not known count as calls.
func provided(kind string) bool {
	switch kind {
	case "thinking", "redacted_thinking", "compaction", "server_tool_use", "mcp_tool_use", "container_upload", "fallback", "mcp_tool_listing":
		return true
	}
	return strings.HasSuffix(kind, "_tool_result")
}

func (d *messages) body(e *event, raw []byte) {
	content, stop := peek.Get(raw, "content"), peek.Get(raw, "stop_reason")
	passed := 0
	for w := peek.Elements(content); w.Next(); {
		switch kind := peek.Short(peek.Get(w.Value, "type")); {
		case kind == "text":
			d.r.whole(d.r.prose(), e, peek.Get(w.Value, "text"))
		case !provided(kind):
			name := cmp.Or(peek.Short(peek.Get(w.Value, "name")), kind)
			l := d.r.whole(d.r.object(name), e, peek.Get(w.Value, "input"))
			if refused := d.r.judge(peek.Short(peek.Get(w.Value, "id")), name, l); refused != nil {
				edits := []Edit{cutTail(e, content, w.Value, `{"type":"text","text":`+quote("Gatehouse: "+refused.Text)+`}`)}
				if passed == 0 && stop != nil {
					edits = append(edits, e.swap(stop, `"end_turn"`))
				}
				d.r.strike(refused, edits...)
				return
			}
			passed++
		}
	}
}

// cutTail replaces the elements of an array from one on.
func cutTail(e *event, array, element []byte, put string) Edit {
	at := e.place(element)
	return Edit{At: at, Cut: e.endOf(array) - 1 - at, Put: []byte(put)}
}

// swap replaces a value.
func (e *event) swap(value []byte, put string) Edit {
	at := e.place(value)
	return Edit{At: at, Cut: e.endOf(value) - at, Put: []byte(put)}
}

func (d *messages) closing(text string, from int64) ([]Edit, int64, []payload) {
	index := int64(0)
	for _, b := range d.blocks {
		if b.at <= from {
			index = b.index + 1
		}
	}
	stop := "end_turn"
	if d.r.passed > 0 {
		stop = "tool_use"
	}
	say := func(name, rest string, args ...any) payload {
		return payload{name, fmt.Sprintf(`{"type":"`+name+`"`+rest+`}`, args...)}
	}
	var list []payload
	if !d.began {
		list = append(list, say("message_start", `,"message":{"id":"msg_gatehouse","type":"message","role":"assistant","model":"","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}`))
	}
	return nil, from, append(list,
		say("content_block_start", `,"index":%d,"content_block":{"type":"text","text":""}`, index),
		say("content_block_delta", `,"index":%d,"delta":{"type":"text_delta","text":%s}`, index, quote(text)),
		say("content_block_stop", `,"index":%d`, index),
		say("message_delta", `,"delta":{"stop_reason":"%s","stop_sequence":null},"usage":{"output_tokens":%d}`, stop, d.r.said/4+1),
		say("message_stop", ""))
}

// alive adds nothing to the newest block that the client has: its delta must be
// of the block's kind.
func (d *messages) alive() (payload, bool) {
	if !d.began {
		return payload{}, false
	}
	for i := len(d.blocks) - 1; i >= 0; i-- {
		b := d.blocks[i]
		delta, ok := map[string]string{
			"text": `"text_delta","text":""`, "thinking": `"thinking_delta","thinking":""`, "tool_use": `"input_json_delta","partial_json":""`,
		}[b.kind]
		if b.at <= d.r.base && ok {
			return payload{"content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":%s}}`, b.index, delta)}, true
		}
	}
	return payload{"message_delta", `{"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":{"output_tokens":0}}`}, true
}
