package rewrite

import (
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// dialect is what a provider's answers look like.
type dialect interface {
	event(e *event) // one event of a stream
	body(e *event, raw []byte)
	// closing gives what ends a stream that is withheld from an offset on: edits
	// before that, where it is to be cut instead, and events.
	closing(text string, from int64) ([]Edit, int64, []payload)
	alive() (payload, bool) // an empty event that fits behind what was released
	streams() bool          // an array is a stream of its elements
}

func newDialect(r *Rewriter, api flow.API) dialect {
	switch api {
	case flow.Messages:
		return &messages{r: r}
	case flow.Chat:
		return &chat{r: r}
	case flow.Responses:
		return &responses{r: r}
	case flow.Generate, flow.StreamGenerate:
		return &gemini{r: r}
	}
	return opaque{r}
}

// opaque is an answer that is not read as a stream; its documents are, by their
// shape.
type opaque struct{ r *Rewriter }

func (opaque) event(*event)                { /* not known */ }
func (d opaque) body(e *event, raw []byte) { d.r.shaped(e, raw, 0) }
func (opaque) streams() bool               { return false }
func (opaque) alive() (payload, bool)      { return payload{}, false }
func (opaque) closing(_ string, from int64) ([]Edit, int64, []payload) {
	return nil, from, nil
}

// body takes a document: an answer that is no stream, or what holds one.
func (r *Rewriter) body(e *event) {
	if r.framing == Lines {
		r.shaped(e, e.data, 0)
		return
	}
	r.dialect.body(e, e.data)
}

// wrappers is how deep in others an answer may stand: one of Gemini's in the operation of
// a batch stands deepest.
const wrappers = 5

// shaped finds what a document is by its members. Batch results hold answers
// some levels deep.
func (r *Rewriter) shaped(e *event, raw []byte, depth int) {
	var d dialect
	for w := peek.Members(raw); w.Next(); {
		switch name := string(w.Name); {
		case name == "candidates" && peek.IsArray(w.Value):
			d = &gemini{r: r}
		case name == "choices" && peek.IsArray(w.Value):
			d = &chat{r: r}
		case name == "output" && peek.IsArray(w.Value):
			d = &responses{r: r}
		case name == "content" && peek.IsArray(w.Value) && d == nil:
			d = &messages{r: r}
		case depth < wrappers:
			r.wrapped(e, name, w.Value, depth+1)
		}
	}
	if d != nil {
		d.body(e, raw)
	}
}

// wrapped looks into a member that may hold an answer, or a list of them.
func (r *Rewriter) wrapped(e *event, name string, raw []byte, depth int) {
	switch name {
	case "result", "message", "response", "body":
		r.shaped(e, raw, depth)
	case "metadata", "output", "inlinedResponses":
		if !peek.IsArray(raw) {
			r.shaped(e, raw, depth)
			break
		}
		for w := peek.Elements(raw); w.Next(); {
			r.shaped(e, w.Value, depth)
		}
	}
}
