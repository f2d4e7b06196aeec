package remote

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/workingagents/gatehouse/internal/flow"
)

// guardrail is LiteLLM's generic guardrail API: texts give one action for all of
// them, and perhaps the texts as they ought to be. We forward nobody's rewritten
// texts: what differs is a finding, and policy may replace it by a pseudonym of ours.
type guardrail struct{ d *detector }

func (g guardrail) request(texts []string, way Direction) any {
	kind := "request"
	if way == Answer {
		kind = "response"
	}
	return map[string]any{
		"input_type": kind, "texts": texts, "request_data": map[string]any{}, "additional_provider_specific_params": map[string]any{},
		"images": nil, "tools": nil, "tool_calls": nil, "structured_messages": nil, "litellm_call_id": nil, "litellm_trace_id": nil,
	}
}

func (g guardrail) read(reply []byte, texts []string) ([]verdict, error) {
	var body struct {
		Action string   `json:"action"`
		Reason string   `json:"blocked_reason"`
		Texts  []string `json:"texts"`
	}
	if json.Unmarshal(reply, &body) != nil {
		return nil, errShape
	}
	said := make([]verdict, len(texts))
	switch body.Action {
	case "NONE":
	case "BLOCKED":
		if len(texts) > 1 {
			return nil, errSome
		}
		said[0].spans = []span{{end: len(texts[0]), whole: true, name: "blocked", severity: flow.High, confidence: 100, note: printable(body.Reason)}}
	case "GUARDRAIL_INTERVENED":
		if len(body.Texts) != len(texts) {
			if len(texts) > 1 {
				return nil, errSome
			}
			body.Texts = nil // none of them can be told to be this one
		}
		for i, text := range texts {
			said[i].spans = g.changed(text, body.Texts, i)
		}
	default:
		return nil, errShape
	}
	return said, nil
}

// together is what is said of each of several texts, none of which is objected to
// by itself.
func together(text string) span {
	return span{end: len(text), whole: true, name: "blocked", severity: flow.High, confidence: 100, note: "together with the other texts"}
}

// changed gives the spans that were replaced. When there are none, or more of it was
// changed than can be told, all of the text is meant.
func (g guardrail) changed(text string, texts []string, i int) []span {
	x := span{name: "changed", severity: flow.Medium, confidence: 90}
	var spans []span
	if i < len(texts) {
		if texts[i] == text {
			return nil
		}
		for _, at := range replaced(text, texts[i]) {
			x.start, x.end = at[0], at[1]
			spans = append(spans, x)
		}
	}
	if len(spans) == 0 || len(spans) > mostFindings {
		x.start, x.end, x.whole, x.note = 0, len(text), true, "something was added, or it is not said what was changed"
		spans = []span{x}
	}
	return spans
}

// printable bounds what a stranger wrote, and takes out what a terminal or a reader
// would obey.
func printable(text string) string {
	const most = 200
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), unicode.IsSpace), " ")
	var b strings.Builder
	for _, c := range text {
		if !unicode.IsPrint(c) {
			c = '.'
		}
		if b.Len() >= most {
			b.WriteString("…")
			break
		}
		b.WriteRune(c)
	}
	return b.String()
}
