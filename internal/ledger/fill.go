package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// freeEvery is how often the disk is asked for its room.
const freeEvery = 2 * time.Second

// busyFor: a step that did not last so long is followed by a large one. Each
// step's sync holds up the syncs of the writer for milliseconds.
const busyFor = 10 * time.Second

// askFiller wakes the filler when the room behind the tail gets short, when
// the next segment will soon be needed, or when an old one waits to be sealed, and
// when the keys made ahead for new sessions get few.
func (w *writer) askFiller() {
	if w.l.ring.Low() {
		wake(w.keysWake)
	}
	short := w.tail.extent.Load()-w.tail.off < smallStep/2
	if !short && !w.left.Load() && (w.prepared.Load() || !w.nearEnd(w.tail.off)) {
		return
	}
	wake(w.fillWake)
}

func wake(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

func (w *writer) nearEnd(off int64) bool { return off > w.l.o.SegmentBytes/8*7 }

// fillLoop keeps zeros ahead of the writer, so that its path never has to make
// a file longer.
func (l *Ledger) fillLoop(ctx context.Context) {
	tick := time.NewTicker(freeEvery)
	defer tick.Stop()
	var last time.Time
	for {
		l.Room()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			continue
		case <-l.writer.keysWake:
			if err := l.ring.Restock(); err != nil {
				l.fillFailed(err)
			}
			continue
		case <-l.writer.fillWake:
		}
		step := int64(smallStep)
		if time.Since(last) < busyFor {
			step = largeStep
		}
		last = time.Now()
		if err := l.writer.fillAhead(step); err != nil {
			l.fillFailed(err)
		}
	}
}

func (l *Ledger) fillFailed(err error) {
	if disk.Full(err) {
		l.full.Store(true)
		return
	}
	l.poison(err)
}

// Room looks how much disk is left, as Run does all the time, and turns new
// flows away while that is too little. What is left is for those that run.
func (l *Ledger) Room() {
	free, err := l.o.FS.Free(l.o.Dir)
	if err != nil {
		l.log.Warn("can't tell how much disk is free", "err", err)
		return
	}
	short := free < max(l.o.Reserve, 2*smallStep)
	if l.full.Swap(short) != short {
		l.log.Warn("ledger's disk", "nearly_full", short, "free", free, "reserve", l.o.Reserve)
	}
	if !short && l.writer.heldBytes.Load() > 0 {
		l.stir()
	}
}

func (w *writer) fillAhead(step int64) error {
	w.sealOld()
	t := w.shown.Load()
	off := t.seen.Load()
	if end := min(off+step, w.l.o.SegmentBytes); end > t.extent.Load() {
		if err := t.fill(end); err != nil {
			return err
		}
		if err := t.ahead.Sync(); err != nil {
			return fmt.Errorf("syncing segment %d: %w", t.number, err)
		}
	}
	if w.nearEnd(off) {
		return w.prepareNext(t.number + 1)
	}
	return nil
}

func (w *writer) prepareNext(number uint64) error {
	w.aheadMu.Lock()
	defer w.aheadMu.Unlock()
	if w.ahead != nil || w.shown.Load().number+1 != number {
		return nil
	}
	next, err := w.makeTail(number)
	if err != nil {
		return err
	}
	w.ahead = next
	w.prepared.Store(true)
	return nil
}

// sealOld seals the segments that the writer has left.
func (w *writer) sealOld() {
	w.aheadMu.Lock()
	old := w.sealed
	w.sealed = nil
	w.left.Store(false)
	w.aheadMu.Unlock()
	for _, t := range old {
		if err := t.seal(); err != nil {
			// All its entries were synced before; only zeros stay behind them.
			w.l.log.Warn("segment keeps the zeros at its end", "err", err)
		}
	}
}

// dropAhead removes a next segment that was not needed.
func (w *writer) dropAhead() {
	w.aheadMu.Lock()
	defer w.aheadMu.Unlock()
	if w.ahead == nil {
		return
	}
	w.ahead.close()
	if err := w.l.o.FS.Remove(w.l.path("segments", segment.Name(w.ahead.number))); err != nil {
		w.l.log.Warn("empty segment stays", "err", err)
	}
	w.ahead = nil
}
