package ledger

import (
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// plan is a filter as the index understands it: where holds for every flow that
// the filter chooses, and, when exact, for no other. It asks for numbers that it
// knows, so of what comes into the index after it was made it may miss some, but
// takes none that does not fit.
type plan struct {
	filter  *filter.Filter
	where   index.Cond
	exact   bool
	needs   cuts // what a trait must not lack
	traits  [traitKinds][]*trait
	known   bool   // traits has them all
	count   uint64 // traits.changes when they were read
	names   map[uint64]*sessionName
	brought map[filter.Text]map[flow.ID]bool
}

func (l *Ledger) plan(f *filter.Filter, by Access) (*plan, error) {
	p := &plan{filter: f, exact: true}
	if f.Root() == nil {
		return p, nil
	}
	if err := p.learn(l, by); err != nil {
		return nil, err
	}
	p.where = p.node(f.Root(), false)
	return p, nil
}

// renew learns the traits that came into the index since the plan was made, for
// whoever asks the index more than once.
func (p *plan) renew(l *Ledger) error {
	if p.filter.Root() == nil || p.count == l.traits.changes() {
		return nil
	}
	if err := p.learnTraits(l); err != nil {
		return err
	}
	p.exact = true
	p.where = p.node(p.filter.Root(), false)
	return nil
}

func (p *plan) learnTraits(l *Ledger) (err error) {
	p.count = l.traits.changes()
	if p.traits, p.known, err = l.traits.all(); err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	// Of the flows that are open, and of those without a sub-agent.
	p.traits[traitEnding] = append(slices.Clip(p.traits[traitEnding]), &trait{kind: traitEnding})
	p.traits[traitAgent] = append(slices.Clip(p.traits[traitAgent]), &trait{kind: traitAgent})
	return nil
}

// learn reads what the filter needs to know: traits, names of sessions, and
// who brought its texts. Which flows have a word is content, too: that somebody asks
// is recorded first.
func (p *plan) learn(l *Ledger, by Access) (err error) {
	if err := p.learnTraits(l); err != nil {
		return err
	}
	if asksFor(p.filter.Root(), filter.FieldSession, filter.FieldPrincipal) {
		if p.names, err = l.names.all(); err != nil {
			return fmt.Errorf("reading the index: %w", err)
		}
	}
	p.needs = needs(p.filter.Root())
	texts := p.filter.Texts()
	if len(texts) == 0 {
		return nil
	}
	if err := l.recordSearch(p.filter.String(), by); err != nil {
		return err
	}
	p.brought = map[filter.Text]map[flow.ID]bool{}
	for _, t := range texts {
		ids := map[flow.ID]bool{}
		if err := l.brought(t, func(id flow.ID) bool { ids[id] = true; return true }); err != nil {
			return err
		}
		p.brought[t] = ids
	}
	return nil
}

func asksFor(n *filter.Node, fields ...filter.Field) bool {
	return n.Op == filter.Is && slices.Contains(fields, n.Field) ||
		slices.ContainsFunc(n.Nodes, func(m *filter.Node) bool { return asksFor(m, fields...) })
}

func needs(n *filter.Node) cuts {
	all := cuts(0)
	if n.Op == filter.Is {
		all = lacks(n.Field)
	}
	for _, m := range n.Nodes {
		all |= needs(m)
	}
	return all
}

// has tells which flows brought a text.
func (p *plan) has(id flow.ID) func(filter.Text) bool {
	return func(t filter.Text) bool { return p.brought[t][id] }
}

// match is the filter itself.
func (p *plan) match(v *flow.View) bool { return p.filter.Match(v, p.has(v.ID)) }

// node makes the condition of a node or, when negated, of its opposite. A
// negation goes down to the leaves, since only they know what they leave open.
func (p *plan) node(n *filter.Node, negated bool) index.Cond {
	switch n.Op {
	case filter.Not:
		return p.node(n.Nodes[0], !negated)
	case filter.Is:
		return p.leaf(n, negated)
	case filter.Brings:
		ids := make([]flow.ID, 0, len(p.brought[n.Text]))
		for id := range p.brought[n.Text] {
			ids = append(ids, id)
		}
		return opposite(index.Cond{Op: index.IsID, IDs: ids}, negated)
	}
	c := index.Cond{Op: index.All}
	if (n.Op == filter.Any) != negated {
		c.Op = index.Any
	}
	for _, m := range n.Nodes {
		c.Conds = append(c.Conds, p.node(m, negated))
	}
	return c
}

func opposite(c index.Cond, negated bool) index.Cond {
	if !negated {
		return c
	}
	return index.Cond{Op: index.Not, Conds: []index.Cond{c}}
}

// columns are the fields that are numbers in the index, too.
var columns = map[filter.Field]index.Column{
	filter.FieldSince: index.Started, filter.FieldUntil: index.Started, filter.FieldTurn: index.Turn, filter.FieldCost: index.Cost,
	filter.FieldInput: index.Input, filter.FieldOutput: index.Output, filter.FieldCacheRead: index.CacheRead, filter.FieldCacheWrite: index.CacheWrite,
	filter.FieldReasoning: index.Reasoning, filter.FieldTokens: index.Tokens, filter.FieldSize: index.RequestBytes,
	filter.FieldResponseSize: index.ResponseBytes, filter.FieldDuration: index.Duration, filter.FieldFirstByte: index.FirstByte,
}

func (p *plan) leaf(n *filter.Node, negated bool) index.Cond {
	if column, ok := columns[n.Field]; ok {
		return opposite(numeric(n, column), negated)
	}
	switch n.Field {
	case filter.FieldID:
		return p.ids(n, negated)
	case filter.FieldSession, filter.FieldPrincipal:
		return p.owners(n, negated)
	case filter.FieldSubagent:
		return p.choose(index.Agent, traitAgent, negated, func(t *trait) (bool, bool) {
			return n.Match(&flow.View{Subagent: t.text}, nil), t.cut != 0
		})
	case "path":
		return p.choose(index.Path, traitPath, negated, func(t *trait) (bool, bool) {
			return n.Match(&flow.View{Path: t.text}, nil), t.cut != 0
		})
	case filter.FieldRetry:
		return opposite(retries(n), negated)
	}
	return p.told(n, negated)
}

func numeric(n *filter.Node, column index.Column) index.Cond {
	any := index.Cond{Op: index.Any}
	for _, v := range n.Values {
		c := index.Cond{Op: index.Range, Column: column, Min: v.Min, Max: v.Max, MinOpen: v.MinOpen, MaxOpen: v.MaxOpen}
		switch {
		case v.Unknown:
			c = opposite(index.Cond{Op: index.Known, Column: column}, true)
		case v.Known:
			c = index.Cond{Op: index.Known, Column: column}
		}
		any.Conds = append(any.Conds, c)
	}
	return any
}

func retries(n *filter.Node) index.Cond {
	any, before := index.Cond{Op: index.Any}, flow.ID("?")
	if n.Match(&flow.View{}, nil) {
		any.Conds = append(any.Conds, index.Cond{Op: index.In, Column: index.Retry, Set: []uint64{0}})
	}
	if n.Match(&flow.View{RetryOf: &before}, nil) {
		any.Conds = append(any.Conds, index.Cond{Op: index.In, Column: index.Retry, Set: []uint64{1}})
	}
	return any
}

// ids asks for ids that read so. Letters that the index does not know in two
// cases are looked at later.
func (p *plan) ids(n *filter.Node, negated bool) index.Cond {
	p.exact = false
	if negated {
		return index.Cond{}
	}
	any := index.Cond{Op: index.Any}
	for _, v := range n.Values {
		pieces := v.Pieces()
		if v.Known {
			pieces = []string{"", ""}
		}
		if pieces != nil {
			any.Conds = append(any.Conds, index.Cond{Op: index.LikeID, Like: pieces})
		}
	}
	return any
}

// owners asks for the keys of the sessions whose names fit.
func (p *plan) owners(n *filter.Node, negated bool) index.Cond {
	c := index.Cond{Op: index.In, Column: index.Key, Set: []uint64{}}
	for key, name := range p.names {
		if name == nil { // it can't be opened, or was never told
			p.exact = false
		}
		if name == nil || n.Match(&flow.View{Session: name.Session, Principal: name.Principal}, nil) != negated {
			c.Set = append(c.Set, key)
		}
	}
	return c
}

// choose asks for the traits of one column of which match tells that they fit,
// or that it can't be told.
func (p *plan) choose(column index.Column, kind traitKind, negated bool, match func(*trait) (fits, unsure bool)) index.Cond {
	if !p.known {
		p.exact = false
		return index.Cond{}
	}
	c := index.Cond{Op: index.In, Column: column, Set: []uint64{}}
	for _, t := range p.traits[kind] {
		fits, unsure := match(t)
		if unsure {
			p.exact = false
		}
		if unsure || fits != negated {
			c.Set = append(c.Set, t.id)
		}
	}
	return c
}

// part says which of a flow's entries a field is told by.
type part int

const (
	byIntent part = iota + 1
	byOutcome
	byBoth // and one may overrule the other
	byAny  // what either of them has counts
)

var parts = map[filter.Field]part{
	"agent": byIntent, "provider": byIntent, "api": byIntent, "entrance": byIntent, "host": byIntent, "method": byIntent,
	"tool": byOutcome, "error": byOutcome, "stop": byOutcome, "status": byOutcome, "state": byOutcome,
	"model": byBoth, "verdict": byBoth, "would": byBoth, "why": byBoth, "rule": byBoth,
	filter.FieldFinding: byAny, filter.FieldSeverity: byAny,
}

// lacks says by what was cut a trait can't tell of a field.
func lacks(f filter.Field) cuts {
	switch f {
	case "tool":
		return cutTools
	case "verdict", "would": // words of ours
		return 0
	case "why", "rule":
		return cutDecision
	case filter.FieldFinding, filter.FieldSeverity:
		return cutFindings
	}
	return cutNames
}

var nobody = &flow.Intent{}

// view is what two traits say of a flow.
func view(about, ending *trait) flow.View {
	in := about.in
	if in == nil {
		in = nobody
	}
	return flow.NewView(in, ending.out)
}

// told asks for the traits with which the flow fits.
func (p *plan) told(n *filter.Node, negated bool) index.Cond {
	unsure := func(t *trait) bool { return t.cut&lacks(n.Field) != 0 }
	byAbout := func(t *trait) (bool, bool) { v := view(t, &trait{}); return n.Match(&v, nil), unsure(t) }
	byEnding := func(t *trait) (bool, bool) { v := view(&trait{}, t); return n.Match(&v, nil), unsure(t) }
	switch by := parts[n.Field]; {
	case by == byIntent:
		return p.choose(index.About, traitAbout, negated, byAbout)
	case by == byOutcome:
		return p.choose(index.Ending, traitEnding, negated, byEnding)
	case by == byAny && !slices.ContainsFunc(n.Values, func(v filter.Value) bool { return v.Unknown }):
		op := index.Any
		if negated {
			op = index.All
		}
		return index.Cond{Op: op, Conds: []index.Cond{p.choose(index.About, traitAbout, negated, byAbout), p.choose(index.Ending, traitEnding, negated, byEnding)}}
	}
	return p.pairs(n, negated, unsure)
}

// group are traits that say the same of a field.
type group struct {
	ids   []uint64
	trait *trait
}

func groups(from []*trait, says func(*trait) string) []*group {
	var list []*group
	by := map[string]*group{}
	for _, t := range from {
		s := says(t)
		if by[s] == nil {
			by[s] = &group{trait: t}
			list = append(list, by[s])
		}
		by[s].ids = append(by[s].ids, t.id)
	}
	return list
}

// manyPairs is how many are tried. More, and every flow is looked at.
const manyPairs = 1 << 18

// pairs asks for the pairs of traits that fit together. What says the same of
// the field is tried once.
func (p *plan) pairs(n *filter.Node, negated bool, unsure func(*trait) bool) index.Cond {
	if !p.known {
		p.exact = false
		return index.Cond{}
	}
	abouts := groups(p.traits[traitAbout], func(t *trait) string { return says(n.Field, t) + fmt.Sprint(unsure(t)) })
	endings := groups(p.traits[traitEnding], func(t *trait) string { return says(n.Field, t) + fmt.Sprint(unsure(t)) })
	if len(abouts)*len(endings) > manyPairs {
		p.exact = false
		return index.Cond{}
	}
	sets := map[string]*index.Cond{} // endings by what they go with
	any := index.Cond{Op: index.Any}
	for _, e := range endings {
		with, which := []uint64{}, ""
		for i, a := range abouts {
			v, open := view(a.trait, e.trait), unsure(a.trait) || unsure(e.trait)
			if open {
				p.exact = false
			}
			if open || n.Match(&v, nil) != negated {
				with, which = append(with, a.ids...), fmt.Sprint(which, " ", i)
			}
		}
		if len(with) == 0 {
			continue
		}
		if c := sets[which]; c != nil {
			c.Set = append(c.Set, e.ids...)
			continue
		}
		pair := []index.Cond{{Op: index.In, Column: index.Ending, Set: slices.Clone(e.ids)}, {Op: index.In, Column: index.About, Set: with}}
		sets[which] = &pair[0]
		any.Conds = append(any.Conds, index.Cond{Op: index.All, Conds: pair})
	}
	return any
}

// says is all that a trait has to do with a field that both entries tell.
func says(f filter.Field, t *trait) string {
	var in flow.Intent
	switch {
	case t.in != nil:
		in = *t.in
	case t.out == nil:
		return "open"
	default: // an outcome, in the same words
		in.Model, in.Findings = t.out.Model, t.out.Findings
		in.Unreadable = fmt.Sprintf("%q %t", t.out.Why, t.out.Decision != nil)
		if t.out.Decision != nil {
			in.Decision = *t.out.Decision
		}
	}
	if f == "model" {
		return "model " + in.Model
	}
	if parts[f] == byAny {
		return fmt.Sprint("findings ", in.Findings)
	}
	d := in.Decision
	return fmt.Sprintf("%s %d %q %q %q", in.Unreadable, d.Verdict, d.Why, d.Rules, d.Would)
}
