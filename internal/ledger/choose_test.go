package ledger_test

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// gather collects what a walk gives.
func gather[T any](walk iter.Seq2[T, error]) (list []T, err error) {
	for v, err := range walk {
		if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, nil
}

// listed collects the views of what a query chooses.
func listed(l *ledger.Ledger, q ledger.Query) ([]flow.View, error) {
	c, err := l.Choose(q)
	if err != nil {
		return nil, err
	}
	return gather(c.Views)
}

// paused is a walk of which the first flow was taken.
type paused struct {
	query string
	views []flow.View
	next  func() (flow.View, error, bool)
}

func pause(t *testing.T, l *ledger.Ledger, query string) *paused {
	t.Helper()
	c, err := l.Choose(ledger.Query{Filter: chosen(t, query)})
	if err != nil {
		t.Fatal(err)
	}
	p := &paused{query: query}
	next, stop := iter.Pull2(c.Views)
	t.Cleanup(stop)
	p.next = next
	p.step(t)
	return p
}

func (p *paused) step(t *testing.T) bool {
	t.Helper()
	v, err, ok := p.next()
	if err != nil {
		t.Fatalf("%q: %v", p.query, err)
	}
	if ok {
		p.views = append(p.views, v)
	}
	return ok
}

// rest takes the others.
func (p *paused) rest(t *testing.T) []flow.View {
	t.Helper()
	for p.step(t) {
	}
	return p.views
}

// TestChosenFlowsAreReadOneByOne: of several pages, the last is read when its turn
// comes, and not before. What ended by then, also in a way that no flow had before,
// is there as it is; what began since is not, wherever it would stand; and nothing
// comes twice.
func TestChosenFlowsAreReadOneByOne(t *testing.T) {
	l := start(t, ledger.Options{})
	const flows = 4100
	begin := func(id flow.ID, at int) (*flow.Intent, *ledger.Record) {
		in := intent(id, fmt.Sprint("s", at%50), nil)
		in.Started, in.Capture = noon.Add(time.Duration(at)*time.Second), flow.CaptureMetadata
		r, err := l.Begin(in, ledger.Content{})
		if err != nil {
			t.Fatal(err)
		}
		return in, r
	}
	end := func(r *ledger.Record, id flow.ID, stop string) {
		out := outcome(id, nil)
		out.Stop = stop
		if err := r.End(out, nil); err != nil {
			t.Fatal(err)
		}
	}
	var want []flow.ID
	var last *ledger.Record
	for i := range flows {
		id := flow.ID(fmt.Sprintf("f%04d", i))
		_, last = begin(id, i)
		if want = append(want, id); i < flows-1 {
			end(last, id, "end_turn")
		}
	}
	walks := []*paused{pause(t, l, ""), pause(t, l, "-stop:refusal"), pause(t, l, "session:s* id:f*")}
	end(last, want[flows-1], "a new reason")
	for i, at := range []int{2, flows / 2, flows + 1} {
		id := flow.ID(fmt.Sprint("new", i))
		_, r := begin(id, at)
		end(r, id, "end_turn")
	}
	near(t, l)
	for _, w := range walks {
		views := w.rest(t)
		if got := ids(views); !slices.Equal(got, want) {
			t.Errorf("%q: %d flows, want %d", w.query, len(got), flows)
			continue
		}
		if v := views[flows-1]; v.State != flow.Done || v.Stop != "a new reason" {
			t.Errorf("%q: the last flow is %s, and ended before it was read", w.query, v.State)
		}
	}
}

// TestRetentionWhileFlowsAreWalked takes what was not read yet, and no more; nothing
// comes twice.
func TestRetentionWhileFlowsAreWalked(t *testing.T) {
	var hours atomic.Int64
	now := func() time.Time { return noon.Add(time.Duration(hours.Load()) * time.Hour) }
	l, stop := open(t, ledger.Options{SegmentBytes: 16 << 10, MaxAge: 100 * time.Hour, Now: now})
	defer stop()
	var all []flow.ID
	for i := range 400 {
		id := flow.ID(fmt.Sprintf("f%04d", i))
		in := intent(id, fmt.Sprint("s", i/10), nil)
		in.Started = now()
		keepFlow(t, l, in, outcome(id, nil))
		all = append(all, id)
		hours.Add(1)
	}
	walk := pause(t, l, "")
	next, end := iter.Pull2(l.Sessions(ledger.Query{}))
	defer end()
	if v, err, _ := next(); err != nil || v.Session != "s0" {
		t.Fatal(v, err)
	}
	for range 2 { // what is over the limit when it looks first goes the next time
		if err := l.Retain(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := listed(l, ledger.Query{})
	if err != nil || len(left) > 300 || len(left) < 100 {
		t.Fatalf("%d flows are left, %v", len(left), err)
	}
	got := ids(walk.rest(t))
	if got[0] != all[0] || !slices.Equal(got[1:], ids(left)) {
		t.Errorf("%d flows, want the first and the %d that are left", len(got), len(left))
	}
	seen := map[string]bool{"s0": true}
	for {
		v, err, ok := next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if seen[v.Session] {
			t.Errorf("session %s comes twice", v.Session)
		}
		seen[v.Session] = true
	}
	if !seen["s39"] {
		t.Error("the last session is missing")
	}
}

// TestSessionsOfManyPages: each once, in order, though some go on meanwhile.
func TestSessionsOfManyPages(t *testing.T) {
	l := start(t, ledger.Options{})
	const sessions = 1100
	at := 0
	keep := func(n int) {
		at++
		id := flow.ID(fmt.Sprintf("f%05d", at))
		in := intent(id, fmt.Sprintf("s%04d", n), nil)
		in.Started = noon.Add(time.Duration(at) * time.Second)
		keepFlow(t, l, in, outcome(id, nil))
	}
	var want []string
	for n := range sessions {
		keep(n)
		want = append(want, fmt.Sprintf("s%04d", n))
	}
	var got []string
	for v, err := range l.Sessions(ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, v.Session); len(got) == 1 {
			keep(0)
			keep(700)
			keep(5000)
			near(t, l)
		}
		if v.Session == "s0700" && v.Flows != 2 {
			t.Errorf("%s has %d flows, and a second one before it was read", v.Session, v.Flows)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d sessions, want %d in the order in which they were at work", len(got), sessions)
	}
}

// near brings the index up to date.
func near(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	if _, err := l.Rows(ledger.Query{Limit: 1}); err != nil {
		t.Fatal(err)
	}
}

// limits compares the newest of what a filter chooses, and how many there are.
func limits(t *testing.T, l *ledger.Ledger, q ledger.Query, want []flow.ID) {
	t.Helper()
	for _, limit := range []int{1, 7, 250, len(want), len(want) + 1} {
		if q.Limit = limit; limit == 0 {
			continue
		}
		c, err := l.Choose(q)
		if err != nil {
			t.Fatal(err)
		}
		views, err := gather(c.Views)
		newest := want[max(0, len(want)-limit):]
		if err != nil || len(views) != len(newest) || len(newest) > 0 && !reflect.DeepEqual(ids(views), newest) {
			t.Errorf("%s: %d of %d flows, %v", q.Filter, len(views), limit, err)
		}
		rows, err := gather(c.Rows)
		if n, e := c.Count(); err != nil || e != nil || n != len(newest) || len(rows) != n {
			t.Errorf("%s: count %d, %d rows, want %d, %v %v", q.Filter, n, len(rows), len(newest), err, e)
		}
	}
}
