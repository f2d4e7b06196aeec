package anthropic

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/draft"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Decoder reads one answer, event by event or whole. Without a draft it keeps
// counters and short names only.
type Decoder struct {
	answer  flow.Answer
	usage   usage
	draft   *draft.Draft // nil: parts are not wanted
	started bool         // a message began: it is billed
	settled bool         // the provider's final count of output tokens came
	bytes   int          // of output text seen
	hinted  int64        // tokens of thinking whose text is withheld, as the provider hints
}

// NewDecoder makes a decoder; keep collects parts.
func NewDecoder(keep bool) *Decoder {
	d := &Decoder{}
	if keep {
		d.draft = draft.New()
	}
	return d
}

// event is the members of any event, raw.
type event struct {
	kind, index, block, message, usage, fault []byte
	delta                                     delta
}

// delta is the members of any delta, raw.
type delta struct {
	kind, text, hint, seal, stop []byte
}

func (e *event) read(data []byte) (ok bool) {
	if e.common(data) {
		return true
	}
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	for s.Member() {
		switch string(s.Name) {
		case "type":
			e.kind = s.Value()
		case "index":
			e.index = s.Value()
		case "delta":
			e.delta.read(&s)
		case "content_block":
			e.block = s.Value()
		case "message":
			e.message = s.Value()
		case "usage":
			e.usage = s.Value()
		case "error":
			e.fault = s.Value()
		}
	}
	return !s.Bad()
}

// In these bytes nearly all deltas come.
var (
	usualBegin = []byte(`{"type":"content_block_delta","index":`)
	usualDelta = []byte(`,"delta":{"type":`)
	usual      = [...]struct{ begin, kind []byte }{
		{[]byte(`"text_delta","text":`), []byte(`"text_delta"`)},
		{[]byte(`"input_json_delta","partial_json":`), []byte(`"input_json_delta"`)},
		{[]byte(`"thinking_delta","thinking":`), []byte(`"thinking_delta"`)},
	}
)

// common reads a delta that comes as they nearly all do.
func (e *event) common(data []byte) bool {
	if !bytes.HasPrefix(data, usualBegin) {
		return false
	}
	rest := data[len(usualBegin):]
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	e.index = rest[:n]
	rest, ok := bytes.CutPrefix(rest[n:], usualDelta)
	if !ok || n == 0 {
		return false
	}
	for i := range usual {
		u := &usual[i]
		if text, ok := bytes.CutPrefix(rest, u.begin); ok {
			s := peek.Scan(text)
			if v := s.Value(); peek.IsString(v) && closes(text[len(v):]) {
				e.kind = usualBegin[len(`{"type":`) : len(usualBegin)-len(`,"index":`)]
				e.delta.kind, e.delta.text = rest[:len(u.kind)], v
				return true
			}
		}
	}
	return false
}

// closes reports whether two brackets end an event: the provider pads it with spaces
// between them.
func closes(end []byte) bool {
	return len(end) > 1 && end[0] == '}' && string(bytes.TrimLeft(end[1:], " ")) == "}"
}

func (d *delta) read(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "type":
			d.kind = s.Value()
		case "text", "partial_json", "thinking", "content":
			d.text = s.Value()
		case "signature", "encrypted_content":
			d.seal = s.Value()
		case "estimated_tokens":
			d.hint = s.Value()
		case "stop_reason":
			d.stop = s.Value()
		}
	}
}

// Event takes the payload of one event; name is what the event's own line
// says and counts when the payload has no type.
func (d *Decoder) Event(name string, data []byte) {
	var e event
	if !e.read(data) {
		d.answer.Unknown++
		return
	}
	if string(e.kind) == `"content_block_delta"` {
		d.delta(e.index, &e.delta)
		return
	}
	if peek.IsString(e.kind) {
		name = peek.Short(e.kind) // as in the agents' parsers
	}
	d.event(name, &e)
}

func (d *Decoder) event(name string, e *event) {
	switch name {
	case "content_block_delta":
		d.delta(e.index, &e.delta)
	case "content_block_start":
		d.start(e.index, e.block)
	case "content_block_stop":
		d.stop(e.index)
	case "message_start":
		d.message(e.message)
	case "message_delta":
		d.setStop(e.delta.stop)
		d.usage.read(e.usage)
		d.settled = d.settled || peek.IsObject(e.usage)
	case "message_stop":
		d.answer.Complete = true
	case "error":
		d.fault(e.fault)
	case "ping":
	default:
		d.answer.Unknown++
	}
}

func (d *Decoder) message(raw []byte) {
	d.started = true
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "id":
			d.answer.ID = peek.Short(w.Value)
		case "model":
			d.answer.Model = peek.Short(w.Value)
		case "usage":
			d.usage.read(w.Value)
		case "stop_reason":
			d.setStop(w.Value)
		}
	}
}

func (d *Decoder) setStop(raw []byte) {
	if stop := peek.Short(raw); stop != "" {
		d.answer.Stop = stop
	}
}

// fault reads {"type": …, "message": …}. The message may quote the request
// and is not kept.
func (d *Decoder) fault(raw []byte) {
	d.answer.Error = peek.Short(peek.Get(raw, "type"))
	if d.answer.Error == "" {
		d.answer.Error = "error"
	}
}

func key(index []byte) draft.Key { return draft.Key{Major: peek.Int(index)} }

func (d *Decoder) start(index, raw []byte) {
	kind := peek.Short(peek.Get(raw, "type"))
	if !known(kind) {
		d.answer.Unknown++
	}
	d.bytes += peek.Size(peek.Get(raw, "text")) + peek.Size(peek.Get(raw, "thinking"))
	if d.draft == nil {
		return
	}
	p := Part("assistant", raw)
	if p.Kind == flow.ToolCall && p.Text == "{}" {
		p.Text = "" // what input_json_delta fills
	}
	d.draft.Close(key(index))
	d.draft.Open(key(index), p.Kind, p.Role).Set(p)
}

func (d *Decoder) stop(index []byte) {
	if d.draft == nil {
		return
	}
	if p := d.draft.At(key(index)); p != nil && p.Kind == flow.ToolCall && p.Empty() {
		p.AppendRaw([]byte("{}"))
	}
	d.draft.Close(key(index))
}

// delta is on the path of every byte of a stream.
func (d *Decoder) delta(index []byte, e *delta) {
	signed := len(e.seal) > 2 && peek.IsString(e.seal)
	switch string(e.kind) {
	case `"text_delta"`:
		d.add(index, flow.Text, e.text, false)
	case `"input_json_delta"`:
		d.add(index, flow.ToolCall, e.text, false)
	case `"thinking_delta"`:
		d.hinted += max(0, peek.Int(e.hint))
		d.add(index, flow.Thinking, e.text, false)
	case `"signature_delta"`:
		d.bytes += peek.Size(e.text)
		d.add(index, flow.Thinking, nil, signed)
	case `"compaction_delta"`:
		d.add(index, flow.Text, e.text, signed)
	case `"citations_delta"`:
		d.bytes += peek.Size(e.text)
	default:
		d.bytes += peek.Size(e.text)
		d.answer.Unknown++
	}
}

func (d *Decoder) add(index []byte, kind flow.Kind, text []byte, signed bool) {
	p := d.draft.Open(key(index), kind, "assistant")
	d.bytes += p.Append(text)
	if p != nil && signed {
		p.Signed = true
	}
}

// Body takes an answer that is no stream: a message, an error, a count.
func (d *Decoder) Body(data []byte) {
	if !peek.Whole(data) {
		d.answer.Unreadable = "the answer is not one JSON object"
	}
	d.answer.Complete = d.answer.Unreadable == ""
	var content []byte
	for w := peek.Members(data); w.Next(); {
		switch string(w.Name) {
		case "error":
			d.fault(w.Value)
		case "content":
			content = w.Value
		case "usage":
			d.settled = true
		}
	}
	if content == nil {
		return
	}
	d.message(data)
	for w := peek.Elements(content); w.Next(); {
		if !known(peek.Short(peek.Get(w.Value, "type"))) {
			d.answer.Unknown++
		}
		if d.draft != nil {
			d.draft.Add(Part("assistant", w.Value), draft.Key{})
		}
	}
}

// ID is that of the answer, as far as it has come.
func (d *Decoder) ID() string { return d.answer.ID }

// Answer gives what came so far.
func (d *Decoder) Answer() flow.Answer {
	a := d.answer
	a.Usage = d.usage.flow()
	if d.started && !d.settled {
		a.Usage.Estimated = true
		a.Usage.Output = max(a.Usage.Output, int64(d.bytes+3)/4+d.hinted)
	}
	a.Parts = d.draft.Parts()
	if d.draft.Full() {
		a.Unreadable = "the answer is too long to be kept in parts"
	}
	return a
}

// Ended reports whether nothing more is to come: the message's end or an
// error was seen.
func (d *Decoder) Ended() bool { return d.answer.Complete || d.answer.Error != "" }
