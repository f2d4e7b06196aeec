package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// Stretch is a segment of the record.
type Stretch struct {
	From  time.Time `json:"from"`  // its first entry
	Bytes int64     `json:"bytes"` // on disk
}

// Growth lists the segments, the oldest first. One that goes away meanwhile, or
// has no entry that can be read, is not in it.
func (l *Ledger) Growth() ([]Stretch, error) {
	all := []Stretch{}
	for _, s := range l.segments() {
		from, err := l.begins(s)
		if errors.Is(err, segment.ErrEnd) || errors.Is(err, ErrRemoved) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading segment %d: %w", s.number, err)
		}
		all = append(all, Stretch{from.UTC(), s.bytes})
	}
	return all, nil
}

// begins gives the time of a segment's first entry that can be read. Verify reports
// those that can't.
func (l *Ledger) begins(s segmentFile) (time.Time, error) {
	file, err := l.readers.file(s.number)
	if err != nil {
		return time.Time{}, err
	}
	for r := segment.NewReader(file, segment.FileHead, s.bytes); ; {
		f, err := r.Next()
		if errors.Is(err, segment.ErrDamaged) {
			found, err := r.Resync()
			if err != nil {
				return time.Time{}, err
			}
			if !found {
				return time.Time{}, segment.ErrEnd
			}
			continue
		}
		if err != nil {
			return time.Time{}, err
		}
		if e, err := l.openFrame(f); err == nil {
			return e.at, nil
		}
	}
}
