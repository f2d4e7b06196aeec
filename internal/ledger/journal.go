package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

// JournalEntry is an entry that is about no flow's passage: something happened to
// the gateway, or somebody read content.
type JournalEntry struct {
	Entry uint64            `json:"entry"`
	At    time.Time         `json:"at"`
	Kind  string            `json:"kind"` // "start", "policy.reload" …; "read" when content was read; "unreadable"
	Why   string            `json:"why,omitempty"`
	Attrs map[string]string `json:"attrs,omitempty"`

	Who       string  `json:"who,omitempty"` // read it
	What      What    `json:"what,omitempty"`
	Flow      flow.ID `json:"flow,omitempty"`      // of a window of a session the first
	Part      string  `json:"part,omitempty"`      // of the flow, when it was not all: a part's number, or "reveal" with a finding and its span; of a session: "file" when it was written into one
	Session   string  `json:"session,omitempty"`   // of which a window was read
	Principal string  `json:"principal,omitempty"` // whose vault or session was read
	Query     string  `json:"query,omitempty"`     // that was searched for
}

// Kinds of entries: reading says that content was read, of an unreadable one nobody
// knows what it says.
const (
	reading    = "read"
	unreadable = "unreadable"
)

// JournalQuery chooses entries of the journal.
type JournalQuery struct {
	Before   uint64 // entries before this one; 0: the newest
	Limit    int    // the newest so many; 0: all
	Readings *bool  // true: who read content; false: all else; nil: both
}

// Journal gives the newest entries of the journal, the newest last. One that is
// damaged hides no other: it has the time of the one before it.
func (l *Ledger) Journal(q JournalQuery) ([]JournalEntry, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	rows, err := l.index.Journal(q.Before, q.Limit, q.Readings)
	if err != nil {
		return nil, err
	}
	list := make([]JournalEntry, 0, len(rows))
	for i := range rows {
		j, err := l.journalEntry(&rows[i])
		if errors.Is(err, ErrRemoved) {
			continue // since the index was asked
		}
		if err != nil {
			j = JournalEntry{Entry: rows[i].Entry, Kind: unreadable, Why: "the entry can't be read: " + err.Error()}
			if len(list) > 0 {
				j.At = list[len(list)-1].At
			}
		}
		list = append(list, j)
	}
	return list, nil
}

func (l *Ledger) journalEntry(row *index.Journal) (JournalEntry, error) {
	e, err := l.entryAt(row.At)
	if err != nil {
		return JournalEntry{}, err
	}
	j := JournalEntry{Entry: row.Entry, At: e.at, Kind: reading}
	if e.kind == kindAccess {
		var a access
		err = json.Unmarshal(e.meta, &a)
		j.Who, j.Why, j.What, j.Flow, j.Part = a.Who, a.Why, a.What, flow.ID(a.Flow), a.Part
		j.Session, j.Principal, j.Query = a.Session, a.Principal, a.Query
	} else {
		var a admin
		err = json.Unmarshal(e.meta, &a)
		j.Kind, j.Why, j.Attrs = a.Kind, a.Why, a.Attrs
	}
	if err != nil {
		return JournalEntry{}, fmt.Errorf("reading entry %d: %w", row.Entry, err)
	}
	return j, nil
}
