package rewrite

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// chat reads answers of OpenAI's Chat Completions.
type chat struct {
	r        *Rewriter
	began    int64 // offset behind the first chunk; 0: there was none
	envelope string
	open     []int64 // choices without a finish reason
	last     int64   // choice of the newest piece of text
}

// the kinds of a choice's texts.
const (
	chatContent uint8 = iota
	chatRefusal
	chatCall
	chatFunction
	chatMessage // added to the kind of what stands in a message, where a delta should
)

func (d *chat) streams() bool { return false }

// choice is the members of a choice, raw.
type choice struct {
	index, message, finish            []byte
	content, refusal, calls, function []byte
}

func (d *chat) event(e *event) {
	if bytes.Equal(bytes.TrimSpace(e.data), []byte("[DONE]")) {
		d.r.closeAll()
		d.r.judgeAll()
		return
	}
	s := peek.Scan(e.data)
	if !s.Object() {
		return
	}
	var c choice
	var obfuscation []byte
	n := 0
	for s.Member() {
		switch string(s.Name) {
		case "choices":
			if !s.Array() {
				continue
			}
			for ; s.Element(); n++ {
				c = choice{}
				c.read(&s)
				d.choice(e, &c)
			}
		case "obfuscation":
			obfuscation = s.Value()
		}
	}
	if n == 1 {
		d.learn(&c, obfuscation)
	}
	if d.began == 0 {
		d.began, d.envelope = e.end, envelope(e.data, "id", "created", "model")
	}
}

// learn notes a chunk that has nothing but a piece of one text.
func (d *chat) learn(c *choice, obfuscation []byte) {
	n := peek.Int(c.index)
	if c.message != nil || !peek.Null(c.finish) || !peek.Null(c.refusal) || !peek.Null(c.function) {
		return
	}
	if c.calls == nil {
		if l := d.r.lanes[laneKey{chatContent, n, 0}]; l != nil && len(c.content) > 2 {
			d.r.learn(l, c.content, obfuscation)
		}
		return
	}
	calls := peek.Elements(c.calls)
	if !peek.Null(c.content) || !calls.Next() || peek.Get(calls.Value, "index") == nil {
		return
	}
	only := calls.Value
	l := d.r.lanes[laneKey{chatCall, n, peek.Int(peek.Get(only, "index"))}]
	if piece := peek.Get(only, "function", "arguments"); l != nil && !calls.Next() && peek.Get(only, "custom") == nil {
		d.r.learn(l, piece, obfuscation)
	}
}

// envelope gives the members of an event that each of its kind repeats, to
// begin one of our own with.
func envelope(raw []byte, names ...string) string {
	var b []byte
	for w := peek.Members(raw); w.Next(); {
		if slices.Contains(names, string(w.Name)) && len(w.Value) <= 256 {
			b = append(append(append(append(b, '"'), w.Name...), `":`...), w.Value...)
			b = append(b, ',')
		}
	}
	return string(b)
}

func (c *choice) read(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "index":
			c.index = s.Value()
		case "finish_reason":
			c.finish = s.Value()
		case "message":
			c.message = s.Value()
		case "delta":
			c.content, c.refusal, c.calls, c.function = nil, nil, nil, nil
			c.readMessage(s)
		}
	}
}

func (c *choice) readMessage(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "content":
			c.content = s.Value()
		case "refusal":
			c.refusal = s.Value()
		case "tool_calls":
			c.calls = s.Value()
		case "function_call":
			c.function = s.Value()
		}
	}
}

func (d *chat) choice(e *event, c *choice) {
	n := peek.Int(c.index)
	if !slices.Contains(d.open, n) && len(d.open) < 128 {
		d.open = append(d.open, n)
	}
	d.last = n
	d.says(e, 0, n, c)
	if c.message != nil { // a server that sends what is no stream as one
		var m choice
		s := peek.Scan(c.message)
		m.readMessage(&s)
		d.says(e, chatMessage, n, &m)
	}
	if len(c.finish) > 2 && peek.IsString(c.finish) {
		d.finish(n)
	}
}

// says takes what a delta says, or a message.
func (d *chat) says(e *event, kind uint8, n int64, c *choice) {
	d.text(e, laneKey{kind + chatContent, n, 0}, c.content)
	d.text(e, laneKey{kind + chatRefusal, n, 0}, c.refusal)
	position := int64(0)
	for w := peek.Elements(c.calls); w.Next(); position++ {
		index := position
		if at := peek.Get(w.Value, "index"); at != nil {
			index = peek.Int(at)
		}
		d.toolCall(e, laneKey{kind + chatCall, n, index}, w.Value)
	}
	if peek.IsObject(c.function) {
		d.call(e, laneKey{kind + chatFunction, n, 0}, nil, c.function, "arguments", d.r.arguments)
	}
}

func (d *chat) text(e *event, k laneKey, raw []byte) {
	if len(raw) <= 2 || !peek.IsString(raw) {
		return
	}
	if l := d.r.lane(k, d.r.prose); l != nil {
		l.feed(e, raw)
	}
}

// toolCall takes an element of tool_calls. What is of no known type is judged as
// it stands.
func (d *chat) toolCall(e *event, k laneKey, raw []byte) {
	id, function, custom := peek.Get(raw, "id"), peek.Get(raw, "function"), peek.Get(raw, "custom")
	if custom != nil {
		d.call(e, k, id, custom, "input", d.r.input)
	} else {
		d.call(e, k, id, function, "arguments", d.r.arguments)
	}
	if c := d.r.held(k); c != nil && function == nil && custom == nil {
		c.lane.text = append(c.lane.text, raw...)
	}
}

// call takes a fragment of a tool call: the name comes with the first one.
func (d *chat) call(e *event, k laneKey, id, raw []byte, member string, begin func(string) *lane) {
	if d.r.lanes[k] == nil {
		name := peek.Short(peek.Get(raw, "name"))
		l := d.r.lane(k, func() *lane { return begin(name) })
		d.r.hold(e, k, peek.Short(id), name, l)
	}
	if l := d.r.lanes[k]; l != nil {
		l.add(e, peek.Get(raw, member))
	}
}

// finish ends the texts of a choice.
func (d *chat) finish(n int64) {
	d.open = slices.DeleteFunc(d.open, func(open int64) bool { return open == n })
	for k := range d.r.lanes {
		if k.major == n {
			d.r.close(k)
		}
	}
	d.r.judgeSome(func(c *call) bool { return c.key.major == n })
}

// body reads a completion. Where a call is refused, its message says why in
// place of all calls.
func (d *chat) body(e *event, raw []byte) {
	for w := peek.Elements(peek.Get(raw, "choices")); w.Next(); {
		var c choice
		s := peek.Scan(w.Value)
		c.read(&s)
		if c.message == nil {
			c.message = peek.Get(w.Value, "delta") // of a server that sends a stream as what is none
		}
		if c.message == nil {
			continue
		}
		s = peek.Scan(c.message)
		c.readMessage(&s)
		d.r.whole(d.r.prose(), e, c.content)
		d.r.whole(d.r.prose(), e, c.refusal)
		if refused := d.bodyCalls(e, &c); refused != nil {
			d.r.strike(refused, c.without(e, "Gatehouse: "+refused.Text)...)
		}
	}
}

func (d *chat) bodyCalls(e *event, c *choice) *flow.Refusal {
	one := func(id, raw []byte, member string, begin func(string) *lane) *flow.Refusal {
		name := peek.Short(peek.Get(raw, "name"))
		return d.r.judge(peek.Short(id), name, d.r.whole(begin(name), e, peek.Get(raw, member)))
	}
	for w := peek.Elements(c.calls); w.Next(); {
		var refused *flow.Refusal
		id, function, custom := peek.Get(w.Value, "id"), peek.Get(w.Value, "function"), peek.Get(w.Value, "custom")
		switch {
		case custom != nil:
			refused = one(id, custom, "input", d.r.input)
		case function != nil:
			refused = one(id, function, "arguments", d.r.arguments)
		default:
			refused = d.r.judge(peek.Short(id), "", &lane{text: w.Value})
		}
		if refused != nil {
			return refused
		}
	}
	if peek.IsObject(c.function) {
		return one(nil, c.function, "arguments", d.r.arguments)
	}
	return nil
}

// without gives the edits that take the calls out of a message and put text in.
func (c *choice) without(e *event, text string) (edits []Edit) {
	switch at := e.place(c.message) + 1; {
	case c.content == nil:
		edits = append(edits, Edit{At: at, Put: []byte(`"content":` + quote(text) + `,`)})
	case len(c.content) > 2 && peek.IsString(c.content):
		edits = append(edits, Edit{At: e.endOf(c.content) - 1, Put: escape(nil, []byte("\n\n"+text))})
	default:
		edits = append(edits, e.swap(c.content, quote(text)))
	}
	for _, calls := range [][]byte{c.calls, c.function} {
		if !peek.Null(calls) {
			edits = append(edits, e.swap(calls, "null"))
		}
	}
	if c.finish != nil {
		edits = append(edits, e.swap(c.finish, `"stop"`))
	}
	return edits
}

func (d *chat) chunk(n int64, delta, finish string) payload {
	return payload{data: fmt.Sprintf(`{"object":"chat.completion.chunk",%s"choices":[{"index":%d,"delta":%s,"logprobs":null,"finish_reason":%s}]}`,
		d.envelope, n, delta, finish)}
}

func (d *chat) closing(text string, from int64) ([]Edit, int64, []payload) {
	n, stop := int64(0), `"stop"`
	if len(d.r.calls) > 0 {
		n = d.r.calls[0].key.major
	}
	if d.r.passed > 0 {
		stop = `"tool_calls"`
	}
	list := []payload{d.chunk(n, `{"role":"assistant","content":`+quote(text)+`}`, "null"), d.chunk(n, "{}", stop)}
	for _, open := range d.open {
		if open != n {
			list = append(list, d.chunk(open, "{}", `"stop"`))
		}
	}
	return nil, from, append(list, payload{data: "[DONE]"})
}

func (d *chat) alive() (payload, bool) {
	if d.began == 0 {
		return payload{}, false
	}
	return d.chunk(d.last, `{"content":""}`, "null"), true
}
