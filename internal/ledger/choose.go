package ledger

import (
	"errors"
	"fmt"
	"iter"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// Chosen are the flows that a query chose, of those that were recorded when it was
// asked, the newest last. However many there are, going through them holds a page
// of the index and one flow, and no reader of the index between pages; beside that the
// ids of the flows that brought the texts of its filter. Of what happens meanwhile:
// what begins is not among them; what ends is judged, and given, as it is when its
// turn comes; what retention removes before is left out; none comes twice. An error
// ends the flows.
type Chosen struct {
	Count func() (int, error)         // how many there are
	Rows  iter.Seq2[flow.Row, error]  // from the index alone: see Ledger.Rows
	Views iter.Seq2[flow.View, error] // read from the entries
}

// Choose finds the flows that a query chooses: of its Limit, the newest. Texts of its
// filter are looked for once, whatever is done with what is chosen.
func (l *Ledger) Choose(q Query) (Chosen, error) {
	c, err := l.choose(q)
	if err != nil {
		return Chosen{}, err
	}
	return Chosen{Count: c.size, Rows: c.rows, Views: each(c, l.readView)}, nil
}

// pageChosen is how many rows of the index, some 300 bytes each, are held at once. It
// is more than pageRows, since a page of those that many sessions have is looked for
// anew.
const pageChosen = 4000

// chosen is what was chosen, as the index is asked for it.
type chosen struct {
	l     *Ledger
	from  index.Filter
	plan  *plan // nil: nothing was
	limit int
}

func (l *Ledger) choose(q Query) (*chosen, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	upto := l.indexMark().Entry
	f, p, err := l.filter(q)
	if err != nil || f == nil || upto == 0 {
		return &chosen{l: l}, err
	}
	f.Upto, f.Limit = upto, 0
	c := &chosen{l, *f, p, q.Limit}
	if q.Limit > 0 {
		c.from.After, err = c.older(q.Limit)
	}
	c.from.Limit = pageChosen
	return c, err
}

// older gives the place of the newest flow that fits and is not one of the n newest;
// nil: there is none.
func (c *chosen) older(n int) (place *index.Place, err error) {
	err = c.l.walk(c.from, c.plan, func(row index.Flow) bool {
		if n--; n < 0 {
			place = &index.Place{Started: row.Started, ID: row.ID}
		}
		return n >= 0
	})
	return place, err
}

// size counts them.
func (c *chosen) size() (n int, err error) {
	if c.plan == nil {
		return 0, nil
	}
	if err := c.plan.renew(c.l); err != nil {
		return 0, err
	}
	if c.plan.exact {
		return c.l.index.Count(c.from)
	}
	f := c.from
	f.Limit = 0
	err = c.l.walk(f, c.plan, func(index.Flow) bool { n++; return true })
	return n, err
}

// each reads what was chosen, the oldest first, a page of the index after the other.
func each[T any](c *chosen, read func(*index.Flow) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if c.plan == nil {
			return
		}
		f, none := c.from, *new(T)
		for {
			rows, err := c.page(&f)
			if err != nil {
				yield(none, err)
				return
			}
			for i := range rows {
				v, err := read(&rows[i])
				if errors.Is(err, ErrRemoved) {
					continue // since the index was asked
				}
				if !yield(v, err) || err != nil {
					return
				}
			}
			if f.After == nil {
				return
			}
		}
	}
}

// rows reads them from the index.
func (c *chosen) rows(yield func(flow.Row, error) bool) {
	if _, _, err := c.l.traits.all(); err != nil { // or they are looked up one by one
		yield(flow.Row{}, fmt.Errorf("reading the index: %w", err))
		return
	}
	each(c, c.l.readRow)(yield)
}

// page gives those of the next page that fit, and moves on: behind the last of the
// page, or, when there is none, to nowhere.
func (c *chosen) page(f *index.Filter) ([]index.Flow, error) {
	if err := c.plan.renew(c.l); err != nil {
		return nil, err
	}
	rows, err := c.l.index.Oldest(*f)
	if err != nil {
		return nil, err
	}
	f.After = nil
	if n := len(rows); n == f.Limit {
		f.After = &index.Place{Started: rows[n-1].Started, ID: rows[n-1].ID}
	}
	fit := rows[:0]
	for i := range rows {
		ok, err := c.l.fits(c.plan, &rows[i])
		if err != nil {
			return nil, err
		}
		if ok {
			fit = append(fit, rows[i])
		}
	}
	return fit, nil
}

// readRow reads a flow from the index.
func (l *Ledger) readRow(row *index.Flow) (flow.Row, error) {
	v, err := l.brief(row, everything)
	if err != nil {
		v = l.unreadable(row, err)
	}
	return flow.NewRow(&v), removed(err)
}

// readView reads a flow from its entries.
func (l *Ledger) readView(row *index.Flow) (flow.View, error) {
	v, err := l.view(row)
	if err != nil {
		// A damaged entry must not hide the others, nor that it was there.
		v = l.unreadable(row, err)
	}
	return v, removed(err)
}

// removed gives the error that a list leaves a flow out for.
func removed(err error) error {
	if errors.Is(err, ErrRemoved) {
		return err
	}
	return nil
}
