package ledger

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// TestBreath: work on the full text rests while flows come, unless a search waits for
// it, or the ledger closes.
func TestBreath(t *testing.T) {
	came := func(n uint64) func(l *Ledger, _ func()) {
		return func(l *Ledger, _ func()) { l.writer.durable.Store(&index.Mark{Entry: n}) }
	}
	for name, tc := range map[string]struct {
		pace   pace
		before func(l *Ledger, stop func())
		worked time.Duration
		want   time.Duration
	}{
		"flows come":               {beside, nil, 3 * time.Millisecond, 12 * time.Millisecond},
		"a short piece":            {beside, nil, breathEvery / 2, 0},
		"none comes":               {alone, nil, 3 * time.Millisecond, 0},
		"one comes":                {alone, came(3), 3 * time.Millisecond, 12 * time.Millisecond},
		"many come":                {alone, came(4), 3 * time.Millisecond, 90 * time.Millisecond},
		"a search waits":           {beside, func(l *Ledger, _ func()) { l.texts.awaited.Add(1) }, 3 * time.Millisecond, 0},
		"the ledger closes":        {hurried, func(_ *Ledger, stop func()) { stop() }, 3 * time.Millisecond, 0},
		"flows come without a gap": {hurried, nil, 3 * time.Millisecond, 90 * time.Millisecond},
		"a long piece":             {hurried, nil, time.Second, longestRest},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			l := &Ledger{writer: &writer{}}
			l.texts = &texts{l: l}
			b := l.texts.breathe(ctx, tc.pace)
			if tc.before != nil {
				tc.before(l, stop)
			}
			time.Sleep(tc.worked)
			start := time.Now()
			b.pause()
			if got := time.Since(start); got != tc.want {
				t.Errorf("%s: it rested %v, want %v", name, got, tc.want)
			}
			if left := time.Since(b.since); tc.want == 0 && ctx.Err() == nil && left != tc.worked || tc.want > 0 && left != 0 {
				t.Errorf("%s: it has yet to rest for %v of work", name, left)
			}
		})
	}
}
