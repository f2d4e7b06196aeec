package ledger

import (
	"context"
	"runtime"
	"time"
)

// breathEvery is how long work that nobody waits for goes on before it rests, and
// longestRest how long a search that comes meanwhile waits for it.
const (
	breathEvery = time.Millisecond
	longestRest = 100 * time.Millisecond
)

// breath spreads the work of a step while flows come: each piece of it rests before
// the next one. All at once it would hold a processor for a tenth of a second, and
// what the operating system lets run there would wait: flows, agents, the disk.
type breath struct {
	t     *texts
	ctx   context.Context
	pace  pace
	last  uint64    // number of the last entry when the step began
	began time.Time // it did
	since time.Time // when what was not rested for began
}

func (t *texts) breathe(ctx context.Context, p pace) *breath {
	now := time.Now()
	return &breath{t: t, ctx: ctx, pace: p, last: t.l.lastEntry(), began: now, since: now}
}

// pause is for between two pieces of work.
func (b *breath) pause() {
	runtime.Gosched() // calls go first
	worked := time.Since(b.since)
	if worked < breathEvery {
		return
	}
	if came := b.t.l.lastEntry() - b.last; many(came, time.Since(b.began)) {
		b.pace = hurried
	} else if came > 0 && b.pace == alone {
		b.pace = beside
	}
	if b.pace == alone || b.t.awaited.Load() > 0 {
		return // it rests later
	}
	timer := time.NewTimer(min(b.rest(worked), longestRest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.ctx.Done():
	}
	b.since = time.Now()
}

func (b *breath) rest(worked time.Duration) time.Duration {
	return time.Duration(b.pace.rest * float64(worked))
}

// many reports whether so many entries in that time leave no time to waste.
func many(entries uint64, in time.Duration) bool { return float64(entries) > manyEntries*in.Seconds() }

// lastEntry is the number of the last durable entry.
func (l *Ledger) lastEntry() uint64 {
	if mark := l.writer.durable.Load(); mark != nil {
		return mark.Entry
	}
	return 0
}
