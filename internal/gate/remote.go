package gate

import (
	"bytes"
	"context"
	"fmt"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/remote"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// elsewhere has other people's detectors look at what is new in the request. What
// they find joins what ours found. What they could not judge is a finding of this
// request alone: once it was forwarded, to ask again changes nothing.
func (x *examiner) elsewhere() {
	if !x.g.o.Remote.Any(x.way()) {
		return
	}
	y := sayer{x: x, way: x.way()}
	switch {
	case !x.json:
		y.stretches()
	default:
		for i := range x.doc.Pieces {
			if x.fresh[i] {
				y.piece(i)
			}
		}
	}
	texts := make([]remote.Text, len(y.list))
	for i := range y.list {
		texts[i] = remote.Text{Channel: y.list[i].channel, Said: y.list[i].text}
	}
	found, failures := x.g.o.Remote.Ask(context.Background(), y.way, texts)
	x.report(y.list, found)
	for _, f := range failures {
		x.unjudged(f.Rule, f.Note, &y.list[f.Text])
	}
	if y.short {
		note := fmt.Sprintf("only %d texts were looked at: there are more than are asked about in one request", len(y.list))
		x.unjudged(remote.Family+".limit-failed", note, &said{})
	}
}

// way is the direction in which the message goes.
func (x *examiner) way() remote.Direction { return remote.Request }

// report adds findings, which are in the order of their texts, to the views of
// their pieces.
func (x *examiner) report(list []said, reported []remote.Finding) {
	for k := 0; k < len(reported); {
		i := list[reported[k].Text].piece
		c := x.collectorOf(i)
		if v := x.out.views[i]; v != nil {
			c.view = *v
			c.found = append([]found(nil), v.found...)
		}
		for ; k < len(reported) && list[reported[k].Text].piece == i; k++ {
			c.elsewhere(&list[reported[k].Text], &reported[k])
		}
		x.out.views[i] = c.seen()
	}
}

// elsewhere takes what a remote detector found in a string.
func (c *collector) elsewhere(s *said, r *remote.Finding) {
	f := found{start: s.start, end: s.end}
	value := []byte(s.text)
	if !r.Whole {
		f.start, f.end = s.raw(r.Start, r.End)
		value = bytes.Clone(c.body[f.start:f.end])
		if s.json {
			value = peek.Append(nil, append(append([]byte{'"'}, value...), '"'))
		}
		if isToken(value) {
			return // what we put there ourselves is no value
		}
		f.value = value
	}
	f.finding = c.finding(r.Rule, value, r.Severity, r.Confidence, r.Note)
	f.finding.Fixed = r.Whole
	c.where = always(s.channel, false)
	c.add(f)
}

// collectorOf gives a collector for piece i; of a body that is no conversation there
// is one view, of all of it.
func (x *examiner) collectorOf(i int) collector {
	if x.json {
		return x.collector(i)
	}
	return collector{g: x.g, body: x.doc.Body}
}

// besides is the channel of a body that is no conversation.
func (x *examiner) besides() flow.Channel {
	if x.m.API.Generates() {
		return flow.User // it should have been one
	}
	return flow.File
}

// unjudged notes that a detector did not judge a text, and perhaps more.
func (x *examiner) unjudged(rule, note string, s *said) {
	start := 0
	if s.end > 0 {
		start = x.start(s.piece)
	}
	f := flow.Finding{
		ID: x.g.findingID(rule, nil), Rule: rule, Severity: flow.High, Confidence: 100, Channel: s.channel, Note: note,
		Start: int64(start + s.start), End: int64(start + s.end),
	}
	x.outer = append(x.outer, found{finding: f})
}
