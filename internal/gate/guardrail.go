package gate

import (
	"net/http"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect/action"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// asks reports whether a message is another gateway's question about texts, in
// LiteLLM's generic guardrail API.
func (m *Message) asks() bool { return m.API == flow.AskRequest || m.API == flow.AskResponse }

// asked completes what was found in such a question: only what stands in its texts
// can be given back changed; images can't be read; what is asked about an answer is
// judged as one; and what the asking gateway says of itself goes to no model.
func (x *examiner) asked() {
	if !x.m.asks() {
		return
	}
	texts, messages := x.span("texts"), x.span("structured_messages")
	own := []reach{x.span("request_data"), x.span("request_headers"), x.span("litellm_version"), x.span("litellm_call_id"), x.span("litellm_trace_id")}
	inTexts := map[string]bool{}
	x.each(func(at int, f *found) {
		if texts.holds(at) {
			inTexts[string(f.value)] = true
		}
	})
	x.each(func(at int, f *found) {
		again := messages.holds(at) && f.value != nil && inTexts[string(f.value)]
		f.finding.Fixed = f.finding.Fixed || !texts.holds(at) && !again
		f.aside = slices.ContainsFunc(own, func(r reach) bool { return r.holds(at) })
		if x.m.API == flow.AskResponse {
			f.finding.Place = "answer"
		}
	})
	x.images(x.span("images"))
	if x.m.API == flow.AskResponse {
		x.proposed(codec.Proposed(peek.Get(x.doc.Body, "tool_calls")))
		x.proposed(codec.Said(peek.Get(x.doc.Body, "structured_messages")))
	}
}

// reach is where a member stands in the body.
type reach struct{ start, end int }

func (r reach) holds(at int) bool { return r.start <= at && at < r.end }

// span gives the reach of a top-level member; of several the last one's, which
// counts.
func (x *examiner) span(name string) (r reach) {
	for _, f := range x.doc.Fields { // none, when the body is not cut along its parts
		if f.Name == name && f.In < 0 {
			r = reach{f.Start, f.End}
		}
	}
	return r
}

// each changes what was found, in views that no one else has.
func (x *examiner) each(change func(at int, f *found)) {
	for i, v := range x.out.views {
		if v == nil || len(v.found) == 0 {
			continue
		}
		own := *v
		own.found = append([]found(nil), v.found...)
		for j := range own.found {
			change(x.start(i)+own.found[j].start, &own.found[j])
		}
		x.out.views[i] = &own
	}
}

// images notes those that no finding tells of: one that is named by its address is
// no text that could be searched.
func (x *examiner) images(r reach) {
	var told []int
	x.each(func(at int, f *found) {
		if f.finding.Rule == unreadableMedia {
			told = append(told, at)
		}
	})
	raw := x.doc.Body[r.start:r.end]
	for w := peek.Elements(raw); w.Next(); {
		image := reach{start: r.start + cap(raw) - cap(w.Value)}
		image.end = image.start + len(w.Value)
		if slices.ContainsFunc(told, image.holds) {
			continue
		}
		x.outer = append(x.outer, found{finding: flow.Finding{
			ID: x.g.findingID(unreadableMedia, w.Value), Rule: unreadableMedia, Severity: flow.Medium, Confidence: 100, Channel: flow.User,
			Start: int64(image.start), End: int64(image.end), Note: "an image",
		}})
	}
}

// proposed judges tool calls of an answer, as whichever API has them. What is none is
// judged as it stands, and told: nobody knows what its reader makes of it.
func (x *examiner) proposed(calls []flow.Part) {
	for _, c := range calls {
		findings, _ := x.g.actions(c.Name, c.Text)
		if c.Kind != flow.ToolCall {
			findings = append(findings, flow.Finding{
				ID: x.g.findingID(unreadableMalformed, []byte(c.Text)), Rule: unreadableMalformed, Severity: flow.Medium, Confidence: 100,
				Channel: flow.ToolCalls, Place: "answer", End: int64(len(c.Text)), Note: "a tool call in a form that is not known",
			})
		}
		for _, f := range findings {
			x.outer = append(x.outer, found{finding: f})
		}
	}
}

// actions judges what a proposed call would do. The id of a finding is that of the
// rule and of the words that do it: to allow one allows no other command.
func (g *Gate) actions(name, text string) ([]flow.Finding, action.Call) {
	call := g.o.Own.Judge(name, []byte(text))
	findings := make([]flow.Finding, len(call.Found))
	for i, f := range call.Found {
		findings[i] = flow.Finding{
			ID: g.findingID(f.Rule, []byte(name+"\x00"+text[f.Start:f.End])), Rule: f.Rule, Severity: f.Severity, Confidence: f.Confidence,
			Channel: flow.ToolCalls, Place: "answer", Start: int64(f.Start), End: int64(f.End), Facts: f.Facts, Note: f.Note,
		}
	}
	return findings, call
}

// Restored puts the session's values back in a text that a model said, where policy
// lets it.
func (p *Passage) Restored(text string) (string, error) {
	known, err := p.restores()
	if err != nil || known == nil || !p.policy.Restores("", nil) {
		return text, err
	}
	var out []byte
	for at := 0; at < len(text); {
		end := at + tokenSize
		if end <= len(text) && isToken([]byte(text[at:end])) {
			if v, ok := known.Lookup([]byte(text[at:end])); ok {
				out, at = append(out, v.Text...), end
				p.restored++
				continue
			}
		}
		out, at = append(out, text[at]), at+1
	}
	return string(out), nil
}

// Answered ends the passage with our own reply: what was asked of us is answered.
// It is on its way to the record when this returns, and may be sent then.
func (p *Passage) Answered(reply []byte) {
	p.status = http.StatusOK
	p.out = delivery{own: reply}
	p.End(flow.Done, "")
}
