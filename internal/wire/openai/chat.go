package openai

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/draft"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Chat reads one answer of Chat Completions. Without a draft it keeps counters
// and short names only.
type Chat struct {
	answer   flow.Answer
	draft    *draft.Draft // nil: parts are not wanted
	asked    bool         // the request asks for usage in the stream
	started  bool         // a choice came: it is billed
	settled  bool         // the provider's usage came
	ended    bool         // [DONE]
	tier     string
	bytes    int    // of output text seen
	seen     uint64 // choices, a bit each; those above 63 share one
	finished uint64
}

// NewChat makes a decoder; keep collects parts, asked says that the request
// wants usage in its stream.
func NewChat(keep, asked bool) *Chat {
	d := &Chat{asked: asked}
	if keep {
		d.draft = draft.New()
	}
	return d
}

var done = []byte("[DONE]")

// Event takes the payload of one event.
func (d *Chat) Event(_ string, data []byte) {
	if bytes.Equal(bytes.TrimSpace(data), done) {
		d.ended = true
		return
	}
	if !d.object(data) {
		d.answer.Unknown++
	}
}

// object reads a chunk or a whole completion: they differ only in a choice's
// delta or message.
func (d *Chat) object(data []byte) bool {
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	known := false
	for s.Member() {
		switch string(s.Name) {
		case "choices":
			known = d.choices(&s) || known
		case "id":
			if d.answer.ID == "" {
				d.answer.ID = peek.Short(s.Value())
			}
		case "model":
			if d.answer.Model == "" {
				d.answer.Model = peek.Short(s.Value())
			}
		case "service_tier":
			d.tier = tier(s.Value())
		case "usage":
			known = d.usage(s.Value()) || known
		case "error":
			if raw := s.Value(); !peek.Null(raw) {
				known, d.answer.Error = true, fault(raw)
			}
		}
	}
	return known && !s.Bad()
}

func (d *Chat) choices(s *peek.Scanner) bool {
	if !s.Array() {
		return false
	}
	for s.Element() {
		d.choice(s)
	}
	return true
}

func (d *Chat) usage(raw []byte) bool {
	if !peek.IsObject(raw) {
		return false
	}
	d.settled, d.started, d.answer.Usage = true, true, usage(raw)
	return true
}

func (d *Chat) choice(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	d.started = true
	var index, message, finish []byte
	var delta chatMessage
	for s.Member() {
		switch string(s.Name) {
		case "index":
			index = s.Value()
		case "delta":
			delta.read(s)
		case "message":
			message = s.Value()
		case "finish_reason":
			finish = s.Value()
		}
	}
	n := peek.Int(index)
	d.finish(n, finish)
	d.delta(n, &delta)
	if message != nil {
		d.message(n, message)
	}
}

func (d *Chat) finish(n int64, reason []byte) {
	bit := uint64(1) << uint64(min(max(n, 0), 63))
	d.seen |= bit
	if len(reason) <= 2 || !peek.IsString(reason) {
		return
	}
	d.finished |= bit
	if n == 0 || d.answer.Stop == "" {
		d.answer.Stop = peek.Short(reason)
	}
}

// minor numbers of a choice's blocks: kinds first, then its tool calls.
const (
	minorContent = iota
	minorReasoning
	minorRefusal
	minorFunction
	minorAudio
	minorCall
)

func (d *Chat) delta(n int64, m *chatMessage) {
	d.text(n, minorReasoning, flow.Thinking, m.reasoning)
	d.text(n, minorContent, flow.Text, m.content)
	d.text(n, minorRefusal, flow.Text, m.refusal)
	if m.calls != nil {
		d.calls(n, m.calls)
	}
	if m.function != nil {
		d.call(draft.Key{Major: n, Minor: minorFunction}, nil, m.function, "arguments")
	}
	for _, strange := range m.strange {
		d.answer.Unknown++
		d.draft.Add(strange.part("assistant"), draft.Key{Major: n})
	}
	if m.audio != nil {
		d.text(n, minorAudio, flow.Media, peek.Get(m.audio, "transcript"))
	}
}

func (d *Chat) text(n, minor int64, kind flow.Kind, raw []byte) {
	if !peek.IsString(raw) || len(raw) == 2 {
		return
	}
	d.bytes += d.draft.Open(draft.Key{Major: n, Minor: minor}, kind, "assistant").Append(raw)
}

func (d *Chat) calls(n int64, raw []byte) {
	position := int64(0)
	for w := peek.Elements(raw); w.Next(); position++ {
		index := position
		if at := peek.Get(w.Value, "index"); at != nil {
			index = peek.Int(at)
		}
		key, id := draft.Key{Major: n, Minor: minorCall + index}, peek.Get(w.Value, "id")
		if custom := peek.Get(w.Value, "custom"); custom != nil {
			d.call(key, id, custom, "input")
			continue
		}
		d.call(key, id, peek.Get(w.Value, "function"), "arguments")
	}
}

// call takes a fragment of a tool call: id and name come once, the text of
// member in pieces.
func (d *Chat) call(key draft.Key, id, raw []byte, member string) {
	text := peek.Get(raw, member)
	d.bytes += peek.Size(text)
	if d.draft == nil || !peek.IsObject(raw) {
		return
	}
	p := d.draft.Open(key, flow.ToolCall, "assistant")
	if peek.IsString(text) {
		p.Append(text)
	} else if !peek.Null(text) {
		p.AppendRaw(text) // an object, as some servers send
	}
	if p == nil {
		return
	}
	if p.ID == "" {
		p.ID = peek.Short(id)
	}
	if p.Name == "" {
		p.Name = peek.Short(peek.Get(raw, "name"))
	}
}

func (d *Chat) message(n int64, raw []byte) {
	for _, part := range message(raw) {
		d.bytes += len(part.Text)
		if part.Kind == flow.UnknownPart {
			d.answer.Unknown++
		}
		d.draft.Add(part, draft.Key{Major: n})
	}
}

// Body takes an answer that is no stream: a completion or an error.
func (d *Chat) Body(data []byte) {
	if !peek.Whole(data) {
		d.answer.Unreadable = "the answer is not one JSON object"
	}
	d.object(data)
	d.ended = d.answer.Unreadable == ""
}

// ID is that of the answer, as far as it has come.
func (d *Chat) ID() string { return d.answer.ID }

// Answer gives what came so far. Some servers never send [DONE]: the end is also
// when each choice has its finish reason and usage, if asked for, is there.
func (d *Chat) Answer() flow.Answer {
	a := d.answer
	a.Complete = d.complete()
	if d.started && !d.settled {
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

func (d *Chat) complete() bool {
	return d.ended || d.seen != 0 && d.finished == d.seen && (d.settled || !d.asked)
}

// Ended reports whether nothing more is to come: the stream's end or an error
// was seen.
func (d *Chat) Ended() bool { return d.ended || d.answer.Error != "" }
