package ledger

import (
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// Stats are figures of a running ledger.
type Stats struct {
	Entries   uint64 // number of the last durable one
	Segments  int
	Bytes     int64 // of the segments, on disk
	Queue     int   // bytes that wait for the writer
	Open      int   // flows without outcome
	AtRisk    int   // entries that are written and not durable (bounded mode)
	Unindexed int   // durable entries that the index does not have yet
	Mode      Mode
	Fault     string // why nothing can be written; empty: it can
	Full      bool   // new flows are refused until there is room
	Syncs     Histogram
	Text      Progress // of the full text, in entries
}

// Histogram counts durations.
type Histogram struct {
	Bounds []time.Duration // upper bounds; what is longer is in the last count
	Counts []uint64        // one more than Bounds
	Sum    time.Duration
}

var syncBounds = []time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, time.Second,
}

type figures struct {
	syncs [11]atomic.Uint64 // by syncBounds
	total atomic.Int64      // nanoseconds
}

func (f *figures) sync(d time.Duration) {
	i := 0
	for i < len(syncBounds) && d > syncBounds[i] {
		i++
	}
	f.syncs[i].Add(1)
	f.total.Add(int64(d))
}

// Stats gives the ledger's figures.
func (l *Ledger) Stats() Stats {
	s := Stats{Mode: l.o.Mode, Text: l.Indexed(), Queue: l.queue.length() + int(l.writer.heldBytes.Load()), Open: l.open.length(), Full: l.full.Load()}
	if mark := l.writer.durable.Load(); mark != nil {
		s.Entries = mark.Entry
	}
	if f := l.fault.Load(); f != nil {
		s.Fault = f.Error()
	}
	l.writer.mu.Lock()
	s.AtRisk = len(l.writer.written)
	l.writer.mu.Unlock()
	l.pending.mu.Lock()
	s.Unindexed = len(l.pending.notes)
	l.pending.mu.Unlock()
	for _, seg := range l.segments() {
		s.Segments++
		s.Bytes += seg.bytes
	}
	s.Syncs = Histogram{Bounds: syncBounds, Counts: make([]uint64, len(syncBounds)+1), Sum: time.Duration(l.figures.total.Load())}
	for i := range s.Syncs.Counts {
		s.Syncs.Counts[i] = l.figures.syncs[i].Load()
	}
	return s
}

// segmentFile is a segment as it is listed.
type segmentFile struct {
	number uint64
	bytes  int64
}

// segments lists the segments, the oldest first. What can't be listed is not
// in it.
func (l *Ledger) segments() []segmentFile {
	names, err := l.o.FS.List(l.path("segments"))
	if err != nil {
		l.log.Warn("can't list segments", "err", err)
		return nil
	}
	var all []segmentFile
	for _, name := range names {
		number, ok := segment.Number(name)
		if !ok {
			continue
		}
		if size, err := l.readers.size(number); err == nil {
			all = append(all, segmentFile{number, size})
		}
	}
	return all
}

func (l *Ledger) sizeOf(number uint64) (int64, error) {
	f, err := l.readers.file(number)
	if err != nil {
		return 0, err
	}
	return f.Size()
}
