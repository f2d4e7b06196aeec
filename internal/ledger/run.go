package ledger

import (
	"context"
	"sync"
	"time"
)

// Run does the ledger's work in the background until ctx ends: it writes what
// is queued, fills zeros ahead, keeps index and full text near, records
// checkpoints and removes old segments. When it returns nothing waits any more, and new flows
// are refused; what still ends is written by who ends it.
func (l *Ledger) Run(ctx context.Context) error {
	l.running.Store(true)
	writing, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var writer, others sync.WaitGroup
	writer.Go(func() { l.writeLoop(writing) })
	others.Go(func() { l.fillLoop(ctx) })
	others.Go(func() { l.indexLoop(ctx) })
	others.Go(func() { l.tickLoop(ctx) })
	others.Go(func() { l.texts.loop(ctx) })
	others.Wait()
	end() // not before: they may wait for what they have written
	writer.Wait()
	l.closing.Store(true)
	l.running.Store(false)
	l.queue.stir()
	l.drive()
	return nil
}

// writeLoop commits as soon as somebody waits, and in time what nobody waits
// for. While it syncs, the next batch gathers.
func (l *Ledger) writeLoop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	for {
		if due := l.writer.due(); !due.IsZero() {
			timer.Reset(time.Until(due))
		}
		select {
		case <-ctx.Done():
			l.drive()
			l.writer.syncNow()
			return
		case <-l.queue.wake:
			l.drive()
		case <-l.queue.later:
			later.Reset(patience)
		case <-later.C:
			l.queue.timed.Store(false)
			l.drive()
		case <-timer.C:
			l.writer.syncNow()
		}
	}
}

func (l *Ledger) indexLoop(ctx context.Context) {
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.pending.wake:
		}
		l.tellIndex()
	}
}

// tellIndex is applyPending for those who can't do anything about an error.
// The notes wait; when they get too many, new flows are refused.
func (l *Ledger) tellIndex() {
	if err := l.applyPending(); err != nil {
		l.log.Error("index is behind", "err", err)
	}
}

func (l *Ledger) tickLoop(ctx context.Context) {
	flush := time.NewTicker(checkpointEvery / 2)
	defer flush.Stop()
	retain := time.NewTicker(retainEvery)
	defer retain.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			l.checkpoints()
		case <-retain.C:
			if err := l.retain(); err != nil {
				l.log.Warn("old segments stay", "err", err)
			}
		}
	}
}
