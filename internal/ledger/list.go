package ledger

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// Query chooses flows or sessions. Zero fields choose all.
type Query struct {
	Session string // as claimed, of every principal
	Since   time.Time
	Filter  *filter.Filter
	By      Access  // on whose behalf texts of the filter are looked for, which is recorded
	Before  flow.ID // only flows that stand before this one in the list of all
	Limit   int     // the newest
}

// What reading finds wrong with a query.
var (
	ErrNotFound  = errors.New("there is no such flow")
	ErrAmbiguous = errors.New("several flows begin so")
)

// catchUp makes everything that was recorded so far seen by the index. When it
// can't be, a list would lack the newest: the error is a *flow.Refusal that
// says why there is none.
func (l *Ledger) catchUp() error {
	l.drive()
	if l.o.Mode == Bounded {
		l.writer.syncNow()
	}
	if err := l.applyPending(); err != nil {
		return unlisted(err)
	}
	return nil
}

func unlisted(err error) *flow.Refusal {
	r := &flow.Refusal{Status: 503, Kind: "ledger_behind", Text: "the ledger's index can't be written, so what was recorded last can't be found; the gateway's log says why", Err: err}
	if errors.Is(err, index.ErrFull) {
		r.Kind, r.Text = "ledger_full", "the ledger's disk is full: its index has no room for what was recorded last, so nothing can be listed until there is some"
	}
	return r
}

// Rows lists the flows that a query chooses, the newest last, and open ones as far as
// they are known: all at once, for lists that are short, and from the index alone.
// Where content is kept that costs a twentieth of reading their entries, which bring
// what is new in their requests with them.
func (l *Ledger) Rows(q Query) ([]flow.Row, error) {
	rows, err := l.rows(q)
	if err != nil {
		return nil, err
	}
	list := make([]flow.Row, 0, len(rows))
	for i := range rows {
		r, err := l.readRow(&rows[i])
		if errors.Is(err, ErrRemoved) {
			continue // since the index was asked
		}
		list = append(list, r)
	}
	return list, nil
}

// Count tells how many flows a query chooses, whatever its Limit.
func (l *Ledger) Count(q Query) (int, error) {
	if err := l.catchUp(); err != nil {
		return 0, err
	}
	f, p, err := l.filter(q)
	if err != nil || f == nil {
		return 0, err
	}
	if p.exact {
		return l.index.Count(*f)
	}
	n := 0
	f.Limit = 0
	err = l.walk(*f, p, func(index.Flow) bool { n++; return true })
	return n, err
}

// view reads both entries of a flow.
func (l *Ledger) view(row *index.Flow) (flow.View, error) {
	in, out, err := l.pair(row)
	if err != nil {
		return flow.View{}, err
	}
	return flow.NewView(in, out), nil
}

// brief gives what the index knows of a flow: all that a row or a filter asks
// for. Where what is needed of it was cut it is read from the entries.
func (l *Ledger) brief(row *index.Flow, needs cuts) (flow.View, error) {
	about, err := l.traits.open(row.About)
	if err != nil {
		return l.view(row)
	}
	path, err := l.traits.open(row.Path)
	if err != nil {
		return l.view(row)
	}
	in := *about.in
	in.Path = path.text
	in.Flow, in.Started, in.Turn, in.RequestBytes = row.ID, time.UnixMilli(row.Started).UTC(), row.Turn, row.RequestBytes
	if row.Retry {
		in.RetryOf = "?" // which one, only the intent tells
	}
	name, err := l.names.get(row.Key)
	if err != nil || name == nil {
		return l.view(row)
	}
	in.Principal.Name, in.Session.ID = name.Principal, name.Session
	cut := about.cut | path.cut
	if row.Agent != 0 {
		agent, err := l.traits.open(row.Agent)
		if err != nil {
			return l.view(row)
		}
		in.Session.Subagent, cut = agent.text, cut|agent.cut
	}
	if row.Outcome == 0 && cut&needs == 0 {
		return flow.NewView(&in, nil), nil
	}
	ending, err := l.traits.open(row.Ending)
	if err != nil || (cut|ending.cut)&needs != 0 {
		return l.view(row)
	}
	out := *ending.out
	fill(row, &out)
	return flow.NewView(&in, &out), nil
}

// fill adds an outcome's numbers.
func fill(row *index.Flow, out *flow.Outcome) {
	out.Flow, out.ResponseBytes, out.Usage, out.Cost = row.ID, row.ResponseBytes, row.Usage, row.Cost
	out.FirstByte, out.Duration = time.Duration(row.FirstByte)*time.Microsecond, time.Duration(row.Duration)*time.Microsecond
}

// unreadable shows of a flow what the index knows.
func (l *Ledger) unreadable(row *index.Flow, err error) flow.View {
	return flow.NewView(l.known(row, err))
}

// known gives an intent and an outcome with what the index knows of them.
func (l *Ledger) known(row *index.Flow, err error) (*flow.Intent, *flow.Outcome) {
	in := &flow.Intent{}
	if about, err := l.traits.open(row.About); err == nil {
		*in = *about.in
	}
	in.Flow, in.Started, in.Turn, in.RequestBytes = row.ID, time.UnixMilli(row.Started).UTC(), row.Turn, row.RequestBytes
	in.Unreadable = "entry can't be read: " + err.Error()
	if row.Outcome == 0 {
		return in, nil
	}
	out := &flow.Outcome{}
	if ending, err := l.traits.open(row.Ending); err == nil {
		*out = *ending.out
	}
	fill(row, out)
	return in, out
}

func (l *Ledger) rows(q Query) ([]index.Flow, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	f, p, err := l.filter(q)
	if err != nil || f == nil {
		return nil, err
	}
	var rows []index.Flow // the newest first
	err = l.walk(*f, p, func(row index.Flow) bool {
		rows = append(rows, row)
		return q.Limit <= 0 || len(rows) < q.Limit
	})
	slices.Reverse(rows)
	return rows, err
}

// pageRows is how many rows are taken from the index at once where there may be
// many, or some of them may not fit.
const pageRows = 1000

// walk gives the flows that the plan's filter chooses, the newest first, until
// each has had enough.
func (l *Ledger) walk(f index.Filter, p *plan, each func(index.Flow) bool) error {
	if !p.exact || f.Limit <= 0 {
		f.Limit = pageRows
	}
	for {
		rows, err := l.index.Flows(f)
		if err != nil {
			return err
		}
		for i := len(rows) - 1; i >= 0; i-- {
			fits, err := l.fits(p, &rows[i])
			if err != nil {
				return err
			}
			if fits && !each(rows[i]) {
				return nil
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		f.Before = &index.Place{Started: rows[0].Started, ID: rows[0].ID}
	}
}

// fits looks at what the plan is not sure about.
func (l *Ledger) fits(p *plan, row *index.Flow) (bool, error) {
	if p.exact {
		return true, nil
	}
	v, err := l.brief(row, p.needs)
	if errors.Is(err, ErrRemoved) {
		return false, nil
	}
	if err != nil {
		v = l.unreadable(row, err)
	}
	return p.match(&v), nil
}

// filter gives nil when nothing can fit.
func (l *Ledger) filter(q Query) (*index.Filter, *plan, error) {
	p, err := l.plan(q.Filter, q.By)
	if err != nil {
		return nil, nil, err
	}
	f := &index.Filter{Limit: q.Limit, Where: &p.where}
	if q.Filter.Root() == nil {
		f.Where = nil
	}
	if !q.Since.IsZero() {
		f.Since = q.Since.UnixMilli()
	}
	if q.Before != "" {
		rows, err := l.index.Find(string(q.Before))
		if err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(rows, func(r index.Flow) bool { return r.ID == q.Before })
		if i < 0 {
			return nil, nil, ErrNotFound
		}
		f.Before = &index.Place{Started: rows[i].Started, ID: rows[i].ID}
	}
	if q.Session == "" {
		return f, p, nil
	}
	keys, err := l.index.Tagged(l.tag("session", q.Session))
	if err != nil || len(keys) == 0 {
		return nil, nil, err
	}
	f.Keys = keys
	return f, p, nil
}

// find gives the one flow whose id begins so.
func (l *Ledger) find(id flow.ID) (*index.Flow, error) {
	if id == "" {
		return nil, ErrNotFound
	}
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	rows, err := l.index.Find(string(id))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].ID == id {
			return &rows[i], nil
		}
	}
	switch len(rows) {
	case 0:
		return nil, ErrNotFound
	case 1:
		return &rows[0], nil
	}
	return nil, ErrAmbiguous
}

// Flow gives a flow's intent, and its outcome unless it is open. The unique
// beginning of the id is enough.
func (l *Ledger) Flow(id flow.ID) (*flow.Intent, *flow.Outcome, error) {
	row, err := l.find(id)
	if err != nil {
		return nil, nil, err
	}
	return l.pair(row)
}

func (l *Ledger) pair(row *index.Flow) (*flow.Intent, *flow.Outcome, error) {
	e, err := l.entryAt(row.IntentAt)
	if err != nil {
		return nil, nil, err
	}
	in, err := e.intent()
	if err != nil || row.OutcomeAt.Segment == 0 {
		return in, nil, err
	}
	if e, err = l.entryAt(row.OutcomeAt); err != nil {
		return nil, nil, err
	}
	out, err := e.outcome()
	if err != nil {
		return nil, nil, err
	}
	return in, out, nil
}

// SessionView is a session as reading commands show it.
type SessionView struct {
	Principal string         `json:"principal"`
	Session   string         `json:"session"`
	Agent     string         `json:"agent,omitempty"` // empty: none that is known
	Flows     int            `json:"flows"`
	Turns     int            `json:"turns"`
	Subagents int            `json:"subagents"`
	First     time.Time      `json:"first"`
	Last      time.Time      `json:"last"`  // when the last flow started
	Ended     time.Time      `json:"ended"` // when the last to end did; of one that has not, when it started
	Usage     flow.UsageView `json:"usage"`
	Cost      *float64       `json:"cost_usd"` // nil: of no flow known
	Partial   bool           `json:"partial"`  // the cost of some flows is not known
	Models    []string       `json:"models"`
	Decided
}

// pageSessions is how many sessions are added up at once.
const pageSessions = 500

// Sessions lists the sessions that have a flow that the query chooses, the one
// with the newest flow last. What they add up to is of all their flows. Which they
// are, and their order, is found first, and takes 8 bytes for each; the rest is read
// some sessions at a time, so one that goes on meanwhile is given as it is then, once,
// and one that retention removes is left out. An error ends the list.
func (l *Ledger) Sessions(q Query) iter.Seq2[SessionView, error] {
	return func(yield func(SessionView, error) bool) {
		keys, err := l.sessionKeys(q)
		if err != nil {
			yield(SessionView{}, err)
			return
		}
		for page := range slices.Chunk(keys, pageSessions) {
			sums, err := l.sums(page)
			if err != nil {
				yield(SessionView{}, err)
				return
			}
			for i := range sums {
				v, err := l.sessionView(&sums[i])
				if errors.Is(err, ErrRemoved) {
					continue // since it was added up
				}
				if !yield(v, err) || err != nil {
					return
				}
			}
		}
	}
}

func (l *Ledger) sessionKeys(q Query) ([]uint64, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	f, p, err := l.filter(q)
	if err != nil || f == nil {
		return nil, err
	}
	if !p.exact {
		if f, err = l.owning(*f, p); err != nil {
			return nil, err
		}
	}
	return l.index.Recent(*f)
}

// sums adds up the sessions that some keys are of, in their order.
func (l *Ledger) sums(keys []uint64) ([]index.Sum, error) {
	sums, err := l.index.Sums(index.Filter{Keys: keys})
	if err != nil {
		return nil, err
	}
	at := make(map[uint64]int, len(keys))
	for i, key := range keys {
		at[key] = i
	}
	slices.SortFunc(sums, func(a, b index.Sum) int { return at[a.Key] - at[b.Key] })
	return sums, nil
}

// owning gives a filter of the sessions that have a flow that fits.
func (l *Ledger) owning(f index.Filter, p *plan) (*index.Filter, error) {
	keys := []uint64{}
	seen := map[uint64]bool{}
	err := l.walk(f, p, func(row index.Flow) bool {
		if !seen[row.Key] {
			seen[row.Key] = true
			keys = append(keys, row.Key)
		}
		return true
	})
	return &index.Filter{Keys: keys, Limit: f.Limit}, err
}

// served adds what a session's flows have in common: the agent, the models in alphabetical
// order, and what was decided. Where flows name different agents, one of them is given. The
// error is ErrRemoved when none of the flows is there any more.
func (l *Ledger) served(v *SessionView, list []index.Served) error {
	v.Models = []string{}
	gone := 0
	for _, s := range list {
		in, out, err := l.traits.pair(s.Traits)
		if errors.Is(err, ErrRemoved) {
			gone++ // since the session was added up
			continue
		}
		if err != nil {
			return err
		}
		shared := flow.NewView(in, out)
		v.count(&shared, s.Flows)
		if v.Agent = or(v.Agent, shared.Agent); shared.Model != "" {
			v.Models = append(v.Models, shared.Model)
		}
	}
	if gone > 0 && gone == len(list) {
		return ErrRemoved
	}
	slices.Sort(v.Models)
	v.Models = slices.Compact(v.Models)
	return nil
}

func (l *Ledger) sessionView(s *index.Sum) (SessionView, error) {
	name, err := l.openName(&s.Session)
	if err != nil {
		return SessionView{}, err
	}
	u := s.Usage
	v := SessionView{
		Principal: name.Principal, Session: name.Session, Flows: s.Flows, Turns: s.Turns, Subagents: s.Agents,
		First: time.UnixMilli(s.First).UTC(), Last: time.UnixMilli(s.Last).UTC(), Ended: time.UnixMilli(s.Ended).UTC(),
		Usage: flow.UsageView{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Reasoning: u.Reasoning, Estimated: u.Estimated},
		Cost:  s.Cost, Partial: s.Unpriced > 0,
	}
	err = l.served(&v, s.Served)
	return v, err
}
