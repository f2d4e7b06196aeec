package ledger

import (
	"errors"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// Stretch is a segment of the record.
type Stretch struct {
	From  time.Time `json:"from"`  // its first entry
	Bytes int64     `json:"bytes"` // on disk
}

// Growth lists the segments, the oldest first. One that goes away meanwhile, or
// has no entry yet, is not in it.
func (l *Ledger) Growth() ([]Stretch, error) {
	all := []Stretch{}
	for _, s := range l.segments() {
		first, err := l.entryAt(index.Pos{Segment: s.number, Offset: segment.FileHead})
		if errors.Is(err, segment.ErrEnd) || errors.Is(err, ErrRemoved) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Stretch{first.at.UTC(), s.bytes})
	}
	return all, nil
}
