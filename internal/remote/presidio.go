package remote

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
)

// presidio is Presidio's analyze (presidio-analyzer/app.py): a text, or a list of
// them, gives a list of what was found, or one for each text. Offsets count code
// points, as Python does.
type presidio struct{ d *detector }

func (p presidio) request(texts []string, _ Direction) any {
	body := map[string]any{"language": p.d.o.Language, "text": texts}
	if len(texts) == 1 {
		body["text"] = texts[0] // versions before 2.2.361 take no list
	}
	if p.d.o.MinScore > 0 {
		body["score_threshold"] = p.d.o.MinScore
	}
	if len(p.d.o.Entities) > 0 {
		body["entities"] = p.d.o.Entities
	}
	return body
}

// entity is one finding. Numbers stay as they are written, to be checked.
type entity struct {
	Type  string          `json:"entity_type"`
	Start json.RawMessage `json:"start"`
	End   json.RawMessage `json:"end"`
	Score *float64        `json:"score"`
}

func (p presidio) read(reply []byte, texts []string) ([]verdict, error) {
	var lists [][]entity
	if len(texts) == 1 {
		lists = make([][]entity, 1)
		if json.Unmarshal(reply, &lists[0]) != nil || lists[0] == nil {
			return nil, errShape
		}
	} else if json.Unmarshal(reply, &lists) != nil || len(lists) != len(texts) {
		return nil, errShape
	}
	said := make([]verdict, len(texts))
	for i, list := range lists {
		said[i] = p.verdict(list, texts[i])
	}
	return said, nil
}

var (
	errShape   = errors.New("its answer is not what its kind of detector says")
	errOffsets = errors.New("it reported offsets that are not in the text")
	errScore   = errors.New("it reported a score that is not between 0 and 1")
	errMany    = errors.New("it reported more findings than a text can have")
)

func (p presidio) verdict(list []entity, text string) verdict {
	if len(list) > mostFindings {
		return verdict{fault: errMany}
	}
	points := newPoints(text)
	var v verdict
	for _, e := range list {
		start, okStart := points.at(e.Start)
		end, okEnd := points.at(e.End)
		switch {
		case !okStart || !okEnd || start >= end:
			return verdict{fault: errOffsets}
		case e.Score == nil || !(*e.Score >= 0 && *e.Score <= 1):
			return verdict{fault: errScore}
		case p.d.counts(e.Type, *e.Score):
			v.spans = append(v.spans, span{start: start, end: end, name: p.d.nameOf(e.Type), severity: flow.Medium, confidence: percent(*e.Score)})
		}
	}
	return v
}

// points finds the byte at which a code point begins. A byte that is no UTF-8
// counts as one: so it is written in JSON.
type points struct {
	size   int
	starts []int // nil: one byte each
}

func newPoints(text string) points {
	p := points{size: len(text)}
	if n := utf8.RuneCountInString(text); n != len(text) {
		p.starts = make([]int, 0, n+1)
		for i := range text {
			p.starts = append(p.starts, i)
		}
		p.starts = append(p.starts, len(text))
	}
	return p
}

// at reads an offset in code points; ok is false for what is none in the text.
func (p points) at(raw json.RawMessage) (offset int, ok bool) {
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < 0 {
		return 0, false
	}
	if p.starts == nil {
		return n, n <= p.size
	}
	if n >= len(p.starts) {
		return 0, false
	}
	return p.starts[n], true
}
