package rewrite

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	wire "github.com/workingagents/gatehouse/internal/wire/gemini"
	"github.com/workingagents/gatehouse/internal/wire/refusal"
)

// call is a tool call that was not judged. No byte of the answer from start on
// leaves before it is.
type call struct {
	key   laneKey
	start int64 // of the event that began it
	id    string
	name  string
	lane  *lane
}

// hold begins to hold a tool call whose text comes in the lane.
func (r *Rewriter) hold(e *event, k laneKey, id, name string, l *lane) {
	if !r.o.Hold || r.refused != nil {
		return
	}
	if l == nil || len(r.calls) >= most {
		r.block(&flow.Refusal{Status: http.StatusBadRequest, Kind: "too_many_calls", Text: "the answer has more tool calls at a time than can be judged"})
		return
	}
	r.calls = append(r.calls, &call{key: k, start: e.start, id: id, name: name, lane: l})
}

// held gives the call of a key that is not judged yet.
func (r *Rewriter) held(k laneKey) *call {
	for _, c := range r.calls {
		if c.key == k {
			return c
		}
	}
	return nil
}

// longest gives the length of the longest arguments that are held.
func (r *Rewriter) longest() (n int) {
	for _, c := range r.calls {
		n = max(n, len(c.lane.text))
	}
	return n
}

// finished judges the call of a key: its arguments came to their end.
func (r *Rewriter) finished(k laneKey) {
	r.close(k)
	c := r.held(k)
	if c == nil || r.refused != nil {
		return
	}
	if refused := r.judge(c.id, c.name, c.lane); refused != nil {
		r.block(refused)
		return
	}
	r.let(c)
}

// let lets a call go that was judged.
func (r *Rewriter) let(c *call) {
	r.passed++
	r.calls = slices.DeleteFunc(r.calls, func(other *call) bool { return other == c })
}

// judgeAll judges what is held.
func (r *Rewriter) judgeAll() { r.judgeSome(func(*call) bool { return true }) }

// judgeSome judges the calls that are held and chosen, in the order of their
// coming. All of them pass, or none.
func (r *Rewriter) judgeSome(chosen func(*call) bool) {
	n := 0
	for _, c := range r.calls {
		if !chosen(c) {
			continue
		}
		n++
		r.close(c.key)
		if refused := r.judge(c.id, c.name, c.lane); refused != nil {
			r.block(refused)
			return
		}
	}
	r.passed += n
	r.calls = slices.DeleteFunc(r.calls, chosen)
}

// judge asks about one call, unless the very same one has passed before: an
// answer repeats its calls.
func (r *Rewriter) judge(id, name string, l *lane) *flow.Refusal {
	if !r.o.Hold {
		return nil
	}
	part := flow.Part{Kind: flow.ToolCall, Role: "assistant", ID: id, Name: name, Text: l.restored()}
	if l.parts {
		args, ok := wire.Arguments([]byte(part.Text))
		if !ok {
			return &flow.Refusal{Status: http.StatusBadRequest, Kind: "unjudged", Text: "the answer has a tool call whose arguments can't be put together"}
		}
		part.Text = string(args)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", id, name, part.Text))
	if r.judged[sum] {
		return nil
	}
	if r.o.Judge == nil {
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "unjudged", Text: "nobody is there to judge a tool call"}
	}
	refused := r.o.Judge(part)
	if refused == nil && len(r.judged) < most {
		if r.judged == nil {
			r.judged = map[[32]byte]bool{}
		}
		r.judged[sum] = true
	}
	return refused
}

func tooLong(n int) *flow.Refusal {
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "held_too_long", Text: fmt.Sprintf("the answer has a tool call that is longer than can be judged (%d bytes)", n)}
}

// block ends the answer: what is held is withheld, and what the client has got
// is brought to an end in the provider's form.
func (r *Rewriter) block(f *flow.Refusal) {
	r.closeAll()
	from := r.now
	if len(r.calls) > 0 {
		from = r.calls[0].start
	}
	var splices []Edit
	var payloads []payload
	if r.framing == Lines || r.framing == document && !r.scan.array {
		payloads = []payload{{data: string(refusal.Body(provider(r.o.API), f))}}
	} else {
		splices, from, payloads = r.dialect.closing("Gatehouse: "+f.Text, from)
	}
	r.queue = slices.DeleteFunc(r.queue, func(e Edit) bool { return e.At >= from })
	for _, e := range splices {
		r.replace(e)
	}
	r.refused, r.free, r.cut, r.farewell = f, from, r.now, payloads
	r.calls, r.waits = nil, nil
}

// replace queues an edit in the place of all that were to be made where it cuts.
func (r *Rewriter) replace(e Edit) {
	r.queue = slices.DeleteFunc(r.queue, func(q Edit) bool { return q.At >= e.At && q.At < e.At+e.Cut })
	r.edit(e)
}

// strike replaces a refused call in a document by edits. The rest of the document
// stays; a document that is the whole answer ends it, but for one that may hold many.
func (r *Rewriter) strike(f *flow.Refusal, edits ...Edit) {
	for _, e := range edits {
		r.replace(e)
	}
	if r.framing != Lines && !r.opaque {
		r.refused, r.free, r.cut = f, r.now, r.now
	}
}

func provider(api flow.API) flow.Provider {
	switch api {
	case flow.Messages:
		return flow.Anthropic
	case flow.Generate, flow.StreamGenerate:
		return flow.Gemini
	}
	return flow.OpenAI
}

// payload is an event that we write.
type payload struct{ name, data string }

// say appends payloads to out, framed as the provider frames its own.
func (r *Rewriter) say(payloads ...payload) {
	for _, p := range payloads {
		switch {
		case r.framing == events:
			r.sayEvent(p)
		case r.scan.array && p.data == "]":
			r.out = append(r.out, "\n]"...)
		case r.scan.array:
			r.out = append(append(r.out, ",\n"...), p.data...)
		default:
			r.out = append(r.out, p.data...)
		}
		if r.framing == Messages {
			r.ends = append(r.ends, len(r.out))
		}
	}
}

func (r *Rewriter) sayEvent(p payload) {
	end := r.scan.endings.String()
	if p.name != "" {
		r.out = append(r.out, "event: "+p.name+end...)
	}
	r.out = append(r.out, "data: "+p.data+end+end...)
}
