package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestGrowthAddsUp: the segments are all that the record holds, in order.
func TestGrowthAddsUp(t *testing.T) {
	l, _ := open(t, ledger.Options{Dir: t.TempDir(), SegmentBytes: 16 << 10})
	for n := range 12 {
		body := single(rand.New(rand.NewPCG(5, uint64(n))), 6000)
		id := flow.ID(fmt.Sprintf("f%02d", n))
		r, err := l.Begin(intent(id, "s", body), ledger.Content{Doc: split.Split(body, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.End(outcome(id, nil), nil); err != nil {
			t.Fatal(err)
		}
	}
	var list []ledger.Stretch
	stats := l.Stats()
	for before := int64(-1); before != stats.Bytes; { // a segment that was left loses its zeros at any time
		before = stats.Bytes
		var err error
		if list, err = l.Growth(); err != nil || len(list) < 3 {
			t.Fatalf("%d segments, %v; want several", len(list), err)
		}
		stats = l.Stats()
	}
	var sum int64
	for i, s := range list {
		if sum += s.Bytes; i > 0 && s.From.Before(list[i-1].From) || s.From.IsZero() {
			t.Errorf("segment %d begins %v, the one before %v", i, s.From, list[max(i-1, 0)].From)
		}
	}
	if stats.Segments-len(list) > 1 || stats.Bytes-sum > 1<<20 || sum > stats.Bytes {
		t.Errorf("%d segments with %d bytes, the figures say %d with %d", len(list), sum, stats.Segments, stats.Bytes)
	}
}
