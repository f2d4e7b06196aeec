package rewrite

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// gemini reads answers of Gemini: chunks of a stream and bodies have one shape.
type gemini struct {
	r        *Rewriter
	began    int64 // offset behind the first chunk; 0: there was none
	envelope string
	wrapped  bool   // as Code Assist does
	wrapper  string // what stands beside the chunk in it
	whole    bool   // a document, no stream

	fed   int // parts and finish reasons in the chunk
	lane  *lane
	text  []byte // of the chunk's last part
	usage []byte // raw

	plan *plan // of the call that is held: how its chunk is to end the answer
}

// plan is what is made of the chunk in which a call begins, should it be
// refused: the parts from the call on give way to a text.
type plan struct {
	parts  Edit
	finish Edit
	end    int64
}

// candidate is the members of a candidate, raw.
type candidate struct {
	raw, index, parts, finish []byte
}

// geminiPart is the members of a part, raw.
type geminiPart struct {
	text, call, signature []byte
	thought               bool
}

func (d *gemini) streams() bool { return true }

func (d *gemini) event(e *event) { d.chunk(e, e.data) }

func (d *gemini) body(e *event, raw []byte) {
	d.whole = true
	d.chunk(e, raw)
	for k := range d.r.lanes {
		d.r.close(k)
	}
}

func (d *gemini) chunk(e *event, raw []byte) {
	d.fed, d.lane, d.usage = 0, nil, nil
	d.members(e, raw, false)
	if d.fed == 1 && d.lane != nil {
		d.r.learn(d.lane, d.text, d.usage)
	}
	if d.began == 0 {
		d.began = e.end
	}
}

// members reads a chunk, or the one that Code Assist wraps in it.
func (d *gemini) members(e *event, raw []byte, inner bool) {
	s := peek.Scan(raw)
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "candidates":
			if !s.Array() {
				continue
			}
			for s.Element() && (d.whole || d.r.refused == nil) {
				d.candidate(e, s.Value())
			}
		case "usageMetadata":
			d.usage = s.Value()
		case "response":
			if !inner {
				d.wrapped = true
				d.members(e, s.Value(), true)
			}
		}
	}
	if d.began > 0 {
		return
	}
	if d.wrapped && !inner {
		d.wrapper = envelope(raw, "traceId")
	} else {
		d.envelope = envelope(raw, "modelVersion", "responseId")
	}
}

func (d *gemini) candidate(e *event, raw []byte) {
	c := candidate{raw: raw}
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "index":
			c.index = w.Value
		case "content":
			c.parts = peek.Get(w.Value, "parts")
		case "finishReason":
			c.finish = w.Value
		}
	}
	n := peek.Int(c.index)
	for w := peek.Elements(c.parts); w.Next(); {
		if refused := d.part(e, n, &c, w.Value); refused != nil {
			d.refuse(refused)
			return
		}
	}
	if len(c.finish) > 2 && peek.IsString(c.finish) {
		d.fed++
		d.r.close(laneKey{major: n})
		d.endCall(n)
	}
}

func (p *geminiPart) read(raw []byte) {
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "text":
			p.text = w.Value
		case "thought":
			p.thought = peek.True(w.Value)
		case "thoughtSignature", "thought_signature":
			p.signature = w.Value
		case "functionCall", "function_call":
			p.call = w.Value
		}
	}
}

func (p *geminiPart) signed() bool { return len(p.signature) > 2 && peek.IsString(p.signature) }

func (d *gemini) part(e *event, n int64, c *candidate, raw []byte) *flow.Refusal {
	var p geminiPart
	p.read(raw)
	k := laneKey{major: n}
	d.lane, d.fed = nil, d.fed+1
	switch {
	case p.call != nil:
		d.r.close(k)
		return d.call(e, n, c, raw, &p)
	case p.text == nil || p.thought || p.signed():
		d.r.close(k)
	default:
		if l := d.r.lane(k, d.r.prose); l != nil {
			l.feed(e, p.text)
			d.lane, d.text = l, p.text
		}
	}
	return nil
}

// geminiCall is the members of a function call, raw.
type geminiCall struct {
	name, id, args, partial []byte
	goesOn                  bool
}

func (f *geminiCall) read(raw []byte) {
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "name":
			f.name = w.Value
		case "id":
			f.id = w.Value
		case "args":
			f.args = w.Value
		case "partialArgs", "partial_args":
			f.partial = w.Value
		case "willContinue", "will_continue":
			f.goesOn = peek.True(w.Value)
		}
	}
}

// call takes a function call. Its arguments come at once, or in pieces that are
// judged together and never changed.
func (d *gemini) call(e *event, n int64, c *candidate, raw []byte, p *geminiPart) *flow.Refusal {
	var f geminiCall
	f.read(p.call)
	k := laneKey{kind: 1, major: n}
	open := d.r.held(k)
	if open != nil && f.name != nil {
		d.endCall(n)
		open = nil
	}
	name := peek.Short(f.name)
	if open == nil {
		l := d.r.object(name)
		if !p.signed() && f.args != nil {
			d.r.whole(l, e, f.args)
		} else {
			l.text = append(l.text, f.args...)
		}
		l.partial(f.partial)
		if d.r.o.Hold {
			d.plan = planned(e, c, raw)
			if f.goesOn && d.r.refused == nil {
				d.r.hold(e, k, peek.Short(f.id), name, l)
				return nil
			}
		}
		return d.judged(peek.Short(f.id), name, l)
	}
	open.lane.text = append(open.lane.text, f.args...)
	open.lane.partial(f.partial)
	if !f.goesOn {
		d.endCall(n)
	}
	return nil
}

// partial takes pieces of a call's arguments. They are judged once they are put together.
func (l *lane) partial(raw []byte) {
	l.text, l.parts = append(l.text, raw...), l.parts || raw != nil
}

func (d *gemini) judged(id, name string, l *lane) *flow.Refusal {
	refused := d.r.judge(id, name, l)
	if refused == nil && d.r.o.Hold {
		d.r.passed++
		d.plan = nil
	}
	return refused
}

func (d *gemini) endCall(n int64) {
	k := laneKey{kind: 1, major: n}
	if d.r.held(k) != nil {
		if d.r.finished(k); d.r.refused == nil {
			d.plan = nil
		}
	}
}

func planned(e *event, c *candidate, part []byte) *plan {
	p := &plan{end: e.end, parts: cutTail(e, c.parts, part, "")}
	if peek.Null(c.finish) {
		p.finish = Edit{At: e.place(c.raw) + 1, Put: []byte(`"finishReason":"STOP",`)}
	} else {
		p.finish = e.swap(c.finish, `"STOP"`)
	}
	return p
}

func (d *gemini) splices(text string) []Edit {
	d.plan.parts.Put = []byte(`{"text":` + quote(text) + `}`)
	return []Edit{d.plan.parts, d.plan.finish}
}

func (d *gemini) refuse(f *flow.Refusal) {
	if d.whole {
		d.r.strike(f, d.splices("Gatehouse: "+f.Text)...)
		return
	}
	d.r.block(f)
}

func (d *gemini) closing(text string, from int64) ([]Edit, int64, []payload) {
	var list []payload
	var edits []Edit
	if d.plan != nil && d.plan.end >= from {
		edits, from = d.splices(text), d.plan.end
	} else {
		list = append(list, d.say(`{"content":{"parts":[{"text":`+quote(text)+`}],"role":"model"},"finishReason":"STOP","index":0}`))
	}
	if d.r.scan.array {
		list = append(list, payload{data: "]"})
	}
	return edits, from, list
}

// say is a chunk of ours, as the provider's own are.
func (d *gemini) say(candidate string) payload {
	chunk := `{"candidates":[` + candidate + `]` + rest(d.envelope) + `}`
	if d.wrapped {
		chunk = `{"response":` + chunk + rest(d.wrapper) + `}`
	}
	return payload{data: chunk}
}

// rest is an envelope as the last members of an object.
func rest(envelope string) string { return strings.TrimSuffix(","+envelope, ",") }

func (d *gemini) alive() (payload, bool) {
	if d.began == 0 || d.began > d.r.base && d.r.scan.array {
		return payload{}, false
	}
	return d.say(`{"content":{"parts":[{"text":""}],"role":"model"},"index":0}`), true
}
