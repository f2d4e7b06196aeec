package ledger

import (
	"errors"
	"iter"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// Plain gives every entry as whoever has the session keys can read it: opened
// and unpacked, the vault's values still sealed.
func (l *Ledger) Plain() ([][]byte, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	var all [][]byte
	for _, s := range l.segments() {
		file, err := l.readers.file(s.number)
		if err != nil {
			return nil, err
		}
		reader := segment.NewReader(file, segment.FileHead, s.bytes)
		for {
			f, err := reader.Next()
			if errors.Is(err, segment.ErrEnd) {
				break
			}
			if err != nil {
				return nil, err
			}
			e, err := l.openFrame(f)
			if err != nil {
				return nil, err
			}
			all = append(all, append(append([]byte(nil), e.meta...), e.body...))
		}
	}
	return all, nil
}

// Retain removes what is over the limits, as Run does from time to time.
func (l *Ledger) Retain() error { return l.retain() }

// SearchFor changes for how long a search looks for hits, until back is called.
func SearchFor(d time.Duration) (back func()) {
	was := searchTime
	searchTime = d
	return func() { searchTime = was }
}

// Brought gives the flows that brought a text, each once for each place where
// it first stood, the newest first; those that resend it are not among them. That
// they are asked for is recorded first.
func (l *Ledger) Brought(t filter.Text, by Access) iter.Seq2[flow.ID, error] {
	return func(yield func(flow.ID, error) bool) {
		err := l.recordSearch(t.Words, by)
		if err == nil {
			err = l.brought(t, func(id flow.ID) bool { return yield(id, nil) })
		}
		if err != nil {
			yield("", err)
		}
	}
}

// Restock makes keys for sessions to come, as Run does when they get few.
func (l *Ledger) Restock() error { return l.ring.Restock() }
