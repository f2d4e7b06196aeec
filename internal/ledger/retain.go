package ledger

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// retainEvery is how often the limits are looked at.
const retainEvery = 10 * time.Second

// retain removes the oldest segments while there is more than MaxBytes, or
// while all in them is older than MaxAge. The removal is an entry first. What
// is written refers to nothing in the older half of what the limits allow
// (horizon), so that a segment can go without taking younger flows' content
// along.
func (l *Ledger) retain() error {
	if l.o.MaxBytes <= 0 && l.o.MaxAge <= 0 {
		return nil
	}
	l.keep.Lock()
	defer l.keep.Unlock()
	old := l.closedSegments()
	before := l.horizon.Load()
	upto, err := l.beyond(old, l.o.MaxBytes, l.o.MaxAge)
	if err != nil {
		return err
	}
	half, err := l.beyond(old, l.o.MaxBytes/2, l.o.MaxAge/2)
	if err != nil {
		return err
	}
	l.horizon.Store(max(before, half+1))
	if before > 0 {
		// A flow that began before the horizon moved may still refer to what
		// is behind it: that goes the next time.
		upto = min(upto, before-1)
	}
	if upto == 0 || len(old) == 0 || upto < old[0].number {
		return nil
	}
	return l.removeUpTo(upto, old)
}

// closedSegments lists the segments that are not written any more.
func (l *Ledger) closedSegments() []segmentFile {
	all := l.segments()
	current := l.writer.shown.Load().number
	for i, s := range all {
		if s.number >= current {
			return all[:i]
		}
	}
	return all
}

// beyond gives the number of the last segment that is over a limit, or 0.
func (l *Ledger) beyond(old []segmentFile, bytes int64, age time.Duration) (uint64, error) {
	var last uint64
	if bytes > 0 {
		total := l.writer.shown.Load().seen.Load()
		for i := len(old) - 1; i >= 0; i-- {
			if total += old[i].bytes; total > bytes {
				last = old[i].number
				break
			}
		}
	}
	if age <= 0 {
		return last, nil
	}
	for _, s := range old {
		ended, err := l.ended(s.number)
		if err != nil {
			return 0, err
		}
		if ended.IsZero() || l.o.Now().Sub(ended) <= age {
			break
		}
		last = max(last, s.number)
	}
	return last, nil
}

// ended gives a time after the last entry of a segment: that of the next
// one's first. Zero: the next has none yet.
func (l *Ledger) ended(number uint64) (time.Time, error) {
	e, err := l.entryAt(index.Pos{Segment: number + 1, Offset: segment.FileHead})
	if errors.Is(err, segment.ErrEnd) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return e.at, nil
}

const adminRetain = "retain"

func (l *Ledger) removeUpTo(number uint64, old []segmentFile) error {
	next, err := l.headerAt(index.Pos{Segment: number + 1, Offset: segment.FileHead})
	if errors.Is(err, segment.ErrEnd) {
		return nil
	}
	if err != nil {
		return err
	}
	err = l.Admin(adminRetain, "the oldest segments are over the limits of size or age", map[string]string{
		"segment": strconv.FormatUint(number, 10), "entry": strconv.FormatUint(next.Entry-1, 10), "tag": hex.EncodeToString(next.Prev[:]),
	})
	if err != nil {
		return fmt.Errorf("recording the removal: %w", err)
	}
	if err := l.applyPending(); err != nil {
		return err
	}
	l.removed.Store(number)
	l.texts.dropped.Store(number)
	l.readers.forget(number)
	if err := l.dropIndexed(number); err != nil {
		return err
	}
	for _, s := range old {
		if s.number > number {
			break
		}
		if err := l.o.FS.Remove(l.path("segments", segment.Name(s.number))); err != nil {
			return fmt.Errorf("removing segment %d: %w", s.number, err)
		}
	}
	l.log.Info("old segments removed", "up_to", number)
	return l.o.FS.SyncDir(l.path("segments"))
}

func (l *Ledger) dropIndexed(number uint64) error {
	l.pending.apply.Lock()
	defer l.pending.apply.Unlock()
	if err := l.index.Drop(number); err != nil {
		return fmt.Errorf("dropping removed entries from the index: %w", err)
	}
	l.traits.forget()
	return nil
}
