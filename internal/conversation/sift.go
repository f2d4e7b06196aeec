package conversation

import (
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Sieve knows the values that are hidden in a session, wherever they stand and
// however they are written. Who gets a file can't be told later that a value stands
// in it: so a file is gone over when all of its flows, and their values, are known.
type Sieve interface {
	Hides(rule string) bool                                 // what a rule found is hidden
	Add(rule string, value []byte)                          // as it stands in a body, or as it is
	Find(text string, at func(start, end int, rule string)) // bytes, in the order in which they begin
}

// hides reports whether what a rule found is not shown here.
func (m *maker) hides(f *flow.Finding) bool {
	return f.Hidden() || m.sieve != nil && m.sieve.Hides(f.Rule)
}

// learn tells the sieve what is hidden.
func (m *maker) learn(rule, value string) {
	if m.sieve != nil {
		m.sieve.Add(rule, []byte(value))
	}
}

// fill is Part.fill, with nothing hidden where all is shown.
func (m *maker) fill(p *Part, text string, list []placed) {
	for i := range list {
		list[i].hide = list[i].hide && !m.bare
	}
	p.fill(text, list, m.limit)
}

// sift hides values where only the sieve knows that they stand.
func (b *Builder) sift() {
	for i := range b.models {
		b.models[i] = sifted(b.Sieve, b.models[i])
	}
	b.agent = sifted(b.Sieve, b.agent)
	for _, e := range b.turns {
		e.prompt = sifted(b.Sieve, e.prompt)
		e.Path = e.path(b.Sieve)
		for _, s := range []*string{&e.Why, &e.Error, &e.Stop, &e.Model, &e.Agent, &e.Unread, &e.AnswerUnread, &e.branch, &e.subagent, &e.parent, &e.startedBy} {
			*s = sifted(b.Sieve, *s)
		}
		for i := range e.Findings {
			e.Findings[i].sift(b.Sieve)
		}
		for _, parts := range [][]*Part{e.Added, e.Answer} {
			for _, p := range parts {
				p.sift(b.Sieve)
			}
		}
	}
}

// path hides values in the address of a call: all of a query, or of a path, in which
// something was found.
func (t *Turn) path(s Sieve) string {
	asked := false
	for i := range t.Findings {
		f := &t.Findings[i]
		inPath, inQuery := f.InAddress(t.Path)
		if inPath && s.Hides(f.Rule) {
			return "/" + mask
		}
		asked = asked || inQuery && s.Hides(f.Rule)
	}
	if asked {
		path, _, _ := strings.Cut(t.Path, "?")
		return sifted(s, path) + "?" + mask
	}
	return sifted(s, t.Path)
}

// sift hides values in what is said of a finding, of which the flow has its own.
func (f *Finding) sift(s Sieve) {
	f.Note = sifted(s, f.Note)
	f.Facts = slices.Clone(f.Facts)
	for i := range f.Facts {
		f.Facts[i] = sifted(s, f.Facts[i])
	}
	if f.From != nil {
		from := *f.From
		from.Tool = sifted(s, from.Tool)
		f.From = &from
	}
}

// sifted masks values in a text that has no marks.
func sifted(s Sieve, text string) string {
	var list []placed
	s.Find(text, func(start, end int, _ string) { list = append(list, placed{start: start, end: end, hide: true}) })
	text, _ = masked(text, list)
	return text
}

// sift masks values in a part, and keeps its marks in their places.
func (p *Part) sift(s Sieve) {
	p.ID, p.Name = sifted(s, p.ID), sifted(s, p.Name)
	var list []placed
	s.Find(p.Text, func(start, end int, rule string) {
		list = append(list, placed{start: start, end: end, mark: Mark{Rule: rule, Shown: "text", Sealed: true}, hide: true})
	})
	if len(list) > 0 {
		text, marks := masked(p.Text, append(list, p.placed()...))
		p.Text, p.Marks = text, nil
		p.mark(text, marks)
		if p.Kind == flow.ToolCall {
			p.Title = title(p.Name, text)
		}
		p.tell()
	}
	p.Title = sifted(s, p.Title)
}

// placed gives the marks in bytes of the text.
func (p *Part) placed() (list []placed) {
	at := make([]int, 0, len(p.Text)+1) // by UTF-16 code unit
	for i, r := range p.Text {
		at = append(at, i)
		if r > 0xffff {
			at = append(at, i)
		}
	}
	at = append(at, len(p.Text))
	for _, m := range p.Marks {
		if m.Start >= 0 && m.Start <= m.End && m.End < len(at) {
			list = append(list, placed{start: at[m.Start], end: at[m.End], mark: m})
		}
	}
	return list
}
