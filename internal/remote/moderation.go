package remote

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// moderation is OpenAI's POST /v1/moderations: a list of texts gives a result for
// each, with categories and their scores. There are no spans: a finding is about
// the whole text.
type moderation struct{ d *detector }

func (m moderation) request(texts []string, _ Direction) any {
	body := map[string]any{"input": texts}
	if m.d.o.Model != "" {
		body["model"] = m.d.o.Model
	}
	return body
}

type judged struct {
	Flagged    *bool              `json:"flagged"`
	Categories map[string]*bool   `json:"categories"` // null: does not apply
	Scores     map[string]float64 `json:"category_scores"`
}

func (m moderation) read(reply []byte, texts []string) ([]verdict, error) {
	var body struct {
		Results []judged `json:"results"`
	}
	if json.Unmarshal(reply, &body) != nil || len(body.Results) != len(texts) {
		return nil, errShape
	}
	said := make([]verdict, len(texts))
	for i := range body.Results {
		said[i] = m.verdict(&body.Results[i], texts[i])
	}
	return said, nil
}

// verdict takes the categories that the service says are hit; with a lowest score
// set, those that have it. A text that is flagged for nothing is flagged all the same.
func (m moderation) verdict(r *judged, text string) (v verdict) {
	if r.Flagged == nil {
		return verdict{fault: errShape}
	}
	if len(r.Categories) > mostFindings || len(r.Scores) > mostFindings {
		return verdict{fault: errMany}
	}
	for _, word := range words(r) {
		score, scored := r.Scores[word]
		if score < 0 || score > 1 {
			return verdict{fault: errScore}
		}
		hit := r.Categories[word] != nil && *r.Categories[word]
		if scored && m.d.o.MinScore > 0 {
			hit = score >= m.d.o.MinScore
		}
		if !scored {
			score = 1
		}
		if hit && m.d.counts(word, score) {
			v.spans = append(v.spans, m.span(text, m.d.nameOf(word), score))
		}
	}
	if *r.Flagged && len(words(r)) == 0 {
		v.spans = append(v.spans, m.span(text, m.d.nameOf("flagged"), 1))
	}
	return v
}

func (m moderation) span(text, name string, score float64) span {
	return span{end: len(text), whole: true, name: name, severity: flow.Medium, confidence: percent(score)}
}

// words are the categories that a result names, in order.
func words(r *judged) []string {
	all := map[string]bool{}
	for word := range r.Categories {
		all[word] = true
	}
	for word := range r.Scores {
		all[word] = true
	}
	return slices.Sorted(maps.Keys(all))
}
