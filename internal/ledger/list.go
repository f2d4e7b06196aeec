package ledger

import (
	"errors"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// Query chooses flows or sessions. Zero fields choose all.
type Query struct {
	Session string // as claimed, of every principal
	Since   time.Time
	Limit   int     // the newest
	ID      flow.ID // or a unique beginning of it
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

// Flows lists flows, the newest last, and open ones as far as they are known.
func (l *Ledger) Flows(q Query) ([]flow.View, error) {
	rows, err := l.rows(q)
	if err != nil {
		return nil, err
	}
	views := make([]flow.View, 0, len(rows))
	for i := range rows {
		in, out, err := l.pair(&rows[i])
		if errors.Is(err, ErrRemoved) {
			continue // since the index was asked
		}
		if err != nil {
			// A damaged entry must not hide the others, nor that it was there.
			views = append(views, unreadable(&rows[i], err))
			continue
		}
		views = append(views, flow.NewView(in, out))
	}
	return views, nil
}

// unreadable shows of a flow what the index knows.
func unreadable(row *index.Flow, err error) flow.View {
	in := &flow.Intent{
		Flow: row.ID, Started: time.UnixMilli(row.Started).UTC(), Provider: row.Provider, API: row.API, Model: row.Model,
		Turn: row.Turn, RequestBytes: row.RequestBytes, Decision: flow.Decision{Verdict: row.Verdict},
		Unreadable: "entry can't be read: " + err.Error(),
	}
	if row.Outcome == 0 {
		return flow.NewView(in, nil)
	}
	return flow.NewView(in, &flow.Outcome{
		Flow: row.ID, State: row.State, Status: row.Status, Model: row.Served, ResponseBytes: row.ResponseBytes,
		Usage: row.Usage, Cost: row.Cost, Duration: time.Duration(row.DurationMS) * time.Millisecond,
	})
}

func (l *Ledger) rows(q Query) ([]index.Flow, error) {
	if q.ID != "" {
		row, err := l.find(q.ID)
		if err != nil {
			return nil, err
		}
		return []index.Flow{*row}, nil
	}
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	f, err := l.filter(q)
	if err != nil || f == nil {
		return nil, err
	}
	return l.index.Flows(*f)
}

// filter gives nil when nothing can fit.
func (l *Ledger) filter(q Query) (*index.Filter, error) {
	f := &index.Filter{Limit: q.Limit}
	if !q.Since.IsZero() {
		f.Since = q.Since.UnixMilli()
	}
	if q.Session == "" {
		return f, nil
	}
	keys, err := l.index.Tagged(l.tag("session", q.Session))
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	f.Keys = keys
	return f, nil
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
	Flows     int            `json:"flows"`
	Turns     int            `json:"turns"`
	Subagents int            `json:"subagents"`
	First     time.Time      `json:"first"`
	Last      time.Time      `json:"last"` // when the last flow started
	Usage     flow.UsageView `json:"usage"`
	Cost      *float64       `json:"cost_usd"` // nil: of no flow known
	Partial   bool           `json:"partial"`  // the cost of some flows is not known
	Models    []string       `json:"models"`
}

// Sessions lists sessions, the one with the newest flow last.
func (l *Ledger) Sessions(q Query) ([]SessionView, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	f, err := l.filter(q)
	if err != nil || f == nil {
		return nil, err
	}
	sums, err := l.index.Sums(*f)
	if err != nil {
		return nil, err
	}
	views := make([]SessionView, 0, len(sums))
	for i := range sums {
		v, err := l.sessionView(&sums[i])
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

func (l *Ledger) sessionView(s *index.Sum) (SessionView, error) {
	name, err := l.openName(&s.Session)
	if err != nil {
		return SessionView{}, err
	}
	u := s.Usage
	return SessionView{
		Principal: name.Principal, Session: name.Session, Flows: s.Flows, Turns: s.Turns, Subagents: s.Agents,
		First: time.UnixMilli(s.First).UTC(), Last: time.UnixMilli(s.Last).UTC(),
		Usage: flow.UsageView{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Reasoning: u.Reasoning, Estimated: u.Estimated},
		Cost:  s.Cost, Partial: s.Unpriced > 0, Models: s.Models,
	}, nil
}
