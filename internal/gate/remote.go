package gate

import (
	"bytes"
	"context"
	"fmt"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/remote"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// elsewhere has other people's detectors look at what is new in the request. What
// they find joins what ours found. What they could not judge is a finding of this
// request alone: once it was forwarded, to ask again changes nothing.
func (x *examiner) elsewhere() {
	others, way := x.g.o.Remote, x.m.way()
	if !others.Any(way) {
		return
	}
	y := sayer{wants: func(c flow.Channel) bool { return others.Wants(way, c) }, hidden: x.hidden}
	if !x.json {
		y.stretches(x)
	}
	for i := range x.fresh {
		if x.json && x.fresh[i] {
			y.piece(x, i)
		}
	}
	reported, failures := others.Ask(context.Background(), way, y.texts())
	x.report(y.list, reported)
	for _, f := range y.failures(failures) {
		x.unjudged(f, y.at(f.Text))
	}
}

// way is the direction in which a message goes.
func (m *Message) way() remote.Direction {
	if m.API == flow.AskResponse {
		return remote.Answer
	}
	return remote.Request
}

// failures adds to those of the detectors that there were more texts than are asked
// about.
func (y *sayer) failures(list []remote.Failure) []remote.Failure {
	if !y.short {
		return list
	}
	note := fmt.Sprintf("there are more texts than are asked about at once; %d were", len(y.list))
	return append(list, remote.Failure{Rule: remote.Family + ".limit-failed", Text: max(0, len(y.list)-1), Note: note})
}

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
	switch {
	case r.Whole:
	case s.packed:
		value = value[r.Start:r.End]
	default:
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
	f.finding.Fixed = r.Whole || s.fixed
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

// at gives a text; one that is beyond the list was not taken into it.
func (y *sayer) at(i int) *said {
	if i < len(y.list) {
		return &y.list[i]
	}
	return &said{}
}

// unjudged notes that a detector did not judge a text, and perhaps more.
func (x *examiner) unjudged(r remote.Failure, s *said) {
	f := x.g.unjudged(r, s)
	f.Start, f.End = f.Start+int64(x.start(s.piece)), f.End+int64(x.start(s.piece))
	x.outer = append(x.outer, found{finding: f})
}

func (g *Gate) unjudged(r remote.Failure, s *said) flow.Finding {
	return flow.Finding{
		ID: g.findingID(r.Rule, nil), Rule: r.Rule, Severity: flow.High, Confidence: 100, Channel: s.channel, Note: r.Note,
		Start: int64(s.start), End: int64(s.end),
	}
}

// elsewhere has other people's detectors look at parts of an answer. What they said
// of a call that was held is known when the answer ends.
func (p *Passage) elsewhere(parts []flow.Part) (list []flow.Finding) {
	others := p.gate.o.Remote
	if !others.Any(remote.Answer) {
		return nil
	}
	var open []flow.Part
	for _, part := range parts {
		if known, ok := p.heard[asked{spoken(&part), part.Text}]; ok {
			list = append(list, known...)
			continue
		}
		open = append(open, part)
	}
	if p.heard == nil {
		p.heard = map[asked][]flow.Finding{}
	}
	for i, found := range p.ask(open) {
		p.heard[asked{spoken(&open[i]), open[i].Text}] = found
		list = append(list, found...)
	}
	return list
}

// asked is what of an answer was asked about.
type asked struct {
	channel flow.Channel
	text    string
}

// ask gives what detectors say of each part.
func (p *Passage) ask(parts []flow.Part) [][]flow.Finding {
	found, others := make([][]flow.Finding, len(parts)), p.gate.o.Remote
	y := sayer{
		wants:  func(c flow.Channel) bool { return others.Wants(remote.Answer, c) },
		hidden: func(s *said) ([]inspect.Span, bool) { return hidden(s, p.secrets[parts[s.piece].Text]) },
	}
	for i := range parts {
		y.part(i, &parts[i])
	}
	reported, failures := others.Ask(context.Background(), remote.Answer, y.texts())
	for k := range reported {
		s := &y.list[reported[k].Text]
		c := collector{g: p.gate, body: []byte(parts[s.piece].Text)}
		c.elsewhere(s, &reported[k])
		if len(c.found) > 0 && !p.mayHave(c.found[0].value) {
			f := c.found[0].finding
			f.Start, f.End = int64(c.found[0].start), int64(c.found[0].end)
			found[s.piece] = append(found[s.piece], f)
		}
	}
	for _, r := range y.failures(failures) {
		s := y.at(r.Text)
		found[s.piece] = append(found[s.piece], p.gate.unjudged(r, s))
	}
	return found
}

// hide remembers the credentials in a part, so that no detector elsewhere gets them.
func (p *Passage) hide(part *flow.Part, list []found) {
	if !p.gate.o.Remote.Any(remote.Answer) || len(list) == 0 {
		return
	}
	if p.secrets == nil {
		p.secrets = map[string][]found{}
	}
	p.secrets[part.Text] = list
}
