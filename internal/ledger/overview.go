package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// By says by what an overview groups flows.
type By string

// What flows can be grouped by.
const (
	ByAgent     By = "agent"
	ByModel     By = "model"
	BySession   By = "session"
	ByDay       By = "day"
	ByPrincipal By = "principal"
	ByProvider  By = "provider"
	ByEntrance  By = "entrance"
)

// Bys lists them.
func Bys() []By {
	return []By{ByAgent, ByModel, BySession, ByDay, ByPrincipal, ByProvider, ByEntrance}
}

// Decided counts flows by what was decided of them.
type Decided struct {
	Blocked  int `json:"blocked"` // also those that were to be asked about
	Redacted int `json:"redacted"`
	Would    int `json:"would"` // of which enforcing would have made something else
}

func (d *Decided) count(v *flow.View, flows int) {
	switch v.Verdict {
	case flow.Block, flow.Ask:
		d.Blocked += flows
	case flow.Redact:
		d.Redacted += flows
	}
	if v.Would != "" {
		d.Would += flows
	}
}

// Group is what some flows add up to.
type Group struct {
	Keys      []string       `json:"keys"`                // one for each By; "" is not known
	Principal string         `json:"principal,omitempty"` // of a session
	Flows     int            `json:"flows"`
	Turns     int            `json:"turns"`
	Usage     flow.UsageView `json:"usage"`
	Cost      *float64       `json:"cost_usd"` // US dollars, of the flows whose cost is known; nil: of none
	Unpriced  int            `json:"unpriced"` // flows with usage and without a known cost: above 0 the cost is partial
	Decided
	Failed   int            `json:"failed"`   // aborted, or answered with an error
	Findings map[string]int `json:"findings"` // flows with findings, by family
}

// Overview is groups of flows, and all of them together.
type Overview struct {
	Groups []Group `json:"groups"` // in the order of their keys
	Total  Group   `json:"total"`
}

// Overview adds up the flows that a query chooses, whatever its Limit. offset is
// what the zone of its days is ahead of UTC.
func (l *Ledger) Overview(q Query, by []By, offset time.Duration) (Overview, error) {
	o := &overview{l: l, by: by, groups: map[string]*Group{}}
	o.total.Findings = map[string]int{}
	if err := l.catchUp(); err != nil {
		return Overview{}, err
	}
	f, p, err := l.filter(q)
	if err != nil {
		return Overview{}, err
	}
	sessions := slices.Contains(by, BySession) || slices.Contains(by, ByPrincipal)
	switch {
	case f == nil:
	case p.exact:
		if err := l.index.Totals(*f, offset.Milliseconds(), sessions, o.add); err != nil {
			return Overview{}, err
		}
	default:
		var failed error
		err := l.walk(*f, p, func(row index.Flow) bool {
			t := totalOf(&row, offset.Milliseconds())
			failed = o.add(&t)
			return failed == nil
		})
		if err = cmp.Or(err, failed); err != nil {
			return Overview{}, err
		}
	}
	return o.done(), nil
}

// totalOf is the total of one flow.
func totalOf(row *index.Flow, offset int64) index.Total {
	t := index.Total{
		Key: row.Key, Day: (row.Started + offset) / 86_400_000, First: row.Started, Flows: 1, Usage: row.Usage, Cost: row.Cost,
		Traits: index.Traits{About: row.About, Ending: row.Ending},
	}
	if row.Turn > 0 && !row.Retry {
		t.Turns = 1
	}
	if u := row.Usage; row.Outcome != 0 && row.Cost == nil && u.Input+u.Output+u.CacheRead+u.CacheWrite+u.Reasoning > 0 {
		t.Unpriced = 1
	}
	return t
}

type overview struct {
	l      *Ledger
	by     []By
	groups map[string]*Group // by their keys
	total  Group
}

func (o *overview) add(t *index.Total) error {
	v, err := o.view(t)
	if errors.Is(err, ErrRemoved) {
		return nil // since the index added it up
	}
	if err != nil {
		return err
	}
	keys := make([]string, len(o.by))
	for i, by := range o.by {
		keys[i] = keyOf(by, v)
	}
	name := strings.Join(keys, "\x00")
	if slices.Contains(o.by, BySession) {
		name += "\x00" + v.Principal // an id is one only within its principal
	}
	g := o.groups[name]
	if g == nil {
		g = &Group{Keys: keys, Findings: map[string]int{}}
		if slices.Contains(o.by, BySession) {
			g.Principal = v.Principal
		}
		o.groups[name] = g
	}
	for _, g := range []*Group{g, &o.total} {
		g.add(t, v)
	}
	return nil
}

// view is what all flows of a total have in common.
func (o *overview) view(t *index.Total) (*flow.View, error) {
	shared, out, err := o.l.traits.pair(t.Traits)
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	in := *shared
	in.Started = time.UnixMilli(t.Day * 86_400_000).UTC()
	if t.Key != 0 {
		name, err := o.l.names.get(t.Key)
		if err != nil {
			return nil, err
		}
		if name != nil {
			in.Principal.Name, in.Session.ID = name.Principal, name.Session
		}
	}
	v := flow.NewView(&in, out)
	return &v, nil
}

func keyOf(by By, v *flow.View) string {
	switch by {
	case ByAgent:
		return v.Agent
	case ByModel:
		return v.Model
	case BySession:
		return v.Session
	case ByDay:
		return v.Started.Format(time.DateOnly)
	case ByPrincipal:
		return v.Principal
	case ByProvider:
		return string(v.Provider)
	case ByEntrance:
		return string(v.Entrance)
	}
	return ""
}

func (g *Group) add(t *index.Total, v *flow.View) {
	g.Flows += t.Flows
	g.Turns += t.Turns
	u, w := &g.Usage, t.Usage
	u.Input, u.Output, u.CacheRead, u.CacheWrite = u.Input+w.Input, u.Output+w.Output, u.CacheRead+w.CacheRead, u.CacheWrite+w.CacheWrite
	u.Reasoning, u.Estimated = u.Reasoning+w.Reasoning, u.Estimated || w.Estimated
	if t.Cost != nil {
		sum := *t.Cost
		if g.Cost != nil {
			sum += *g.Cost
		}
		g.Cost = &sum
	}
	g.Unpriced += t.Unpriced
	g.count(v, t.Flows)
	if v.End().Failed() {
		g.Failed += t.Flows
	}
	for family := range families(v.Findings) {
		g.Findings[family] += t.Flows
	}
}

// families gives the families of findings, each once.
func families(findings []flow.Finding) map[string]bool {
	seen := map[string]bool{}
	for i := range findings {
		family, _, _ := strings.Cut(findings[i].Rule, ".")
		seen[family] = true
	}
	return seen
}

func (o *overview) done() Overview {
	out := Overview{Groups: make([]Group, 0, len(o.groups)), Total: o.total}
	out.Total.Keys = []string{}
	for _, g := range o.groups {
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b Group) int {
		return cmp.Or(slices.Compare(a.Keys, b.Keys), strings.Compare(a.Principal, b.Principal))
	})
	return out
}

// FirstCall is the first model call of an agent that came by an entrance.
type FirstCall struct {
	Agent    string // "": none that is known
	Entrance flow.Entrance
	Flow     flow.ID
	At       time.Time
}

// FirstCalls gives them, oldest first.
func (l *Ledger) FirstCalls() ([]FirstCall, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	begun, err := l.index.Begun()
	if err != nil {
		return nil, err
	}
	first := map[[2]string]FirstCall{}
	for about, place := range begun {
		t, err := l.traits.open(about)
		if errors.Is(err, ErrRemoved) {
			continue // since the index was asked
		}
		if err != nil {
			return nil, fmt.Errorf("reading the index: %w", err)
		}
		key := [2]string{t.in.Agent, string(t.in.Entrance)}
		c := FirstCall{t.in.Agent, t.in.Entrance, place.ID, time.UnixMilli(place.Started).UTC()}
		if old, ok := first[key]; !ok || c.At.Before(old.At) {
			first[key] = c
		}
	}
	list := make([]FirstCall, 0, len(first))
	for _, c := range first {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b FirstCall) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(string(a.Flow), string(b.Flow)))
	})
	return list, nil
}
