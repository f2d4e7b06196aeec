package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/strand"
)

// Window chooses flows of one session, in the order in which they began.
type Window struct {
	Session   string  // as claimed
	Principal string  // whose; empty: of the only one that has it
	From      flow.ID // the first; empty: the session's first
	End       bool    // the last ones, whatever From says
	Limit     int     // at most; 0: 200
	For       string  // what it is read for, as its record has it; empty: to be looked at
}

// Telling is a session, and which part of it was told.
type Telling struct {
	Session, Principal string
	Turns              int       // of all of the session
	First, Last        time.Time // when its first and last flow began
	From, Next, Prev   flow.ID   // first of the window; that of the window behind it and of the one before it; empty: there is none
	Custody            flow.Custody
}

// Told is a flow with what it brought against the one before it in its
// conversation. What a body lacks has its reason beside it.
type Told struct {
	Intent  *flow.Intent
	Outcome *flow.Outcome // nil: open

	Before flow.ID // that it was compared with; empty: its conversation begins here
	Gap    bool    // the one before it is not in reach, so that nobody can say what is new
	Change Change
	Tooled bool         // it offers tools
	Blocks []Block      // that are new; of one flow told by itself, all
	Left   int          // blocks that were left out: there are too many
	Rest   []byte       // of one flow told by itself: the other members, as a JSON object
	Text   []byte       // of one told by itself that has no blocks: the body
	Edits  []Edit       // forwarded against the decoded body; nil when there is none that tells
	Values []VaultEntry // of the session: they may stand in the answer
	Loose  bool         // and in Blocks and Text, without a Span
	Unread error        // why there are no Blocks

	Answer     []Chunk // as the provider sent it
	Unanswered error   // why there is none
}

// Change counts blocks of the conversation.
type Change struct {
	Kept, Added, Removed int
	System, Tools        bool   // changed
	At                   int    // index of the first block of the earlier one that does not stand where it stood; -1: all do
	Role                 string // of that block
}

// Block is a block of a request.
type Block struct {
	Field   string // the top-level member in which it stands
	Role    string // of its message; empty: it names its own, or there is none
	Start   int64  // in the decoded body
	Raw     []byte // as it stands there
	Secrets []Span
	First   flow.ID        // an earlier flow that brought it; empty: none did
	Turn    int            // of that one; 0: none
	Found   []flow.Finding // in First; Start and End count in Raw
}

// Span is a stretch of a block that the vault keeps.
type Span struct {
	Start, End      int // in Raw
	Rule, Pseudonym string
	Part            bool // some bytes of a value only
}

// Sizes of what is told at once.
const (
	mostTold   = 200
	lookBehind = 24       // flows before a window that its first ones are compared with
	mostBlocks = 4096     // of one flow
	tellBytes  = 64 << 20 // of a body that has to be read whole
)

// What an access to a session reads.
const (
	toldSession What = "conversation"
	toldFlow    What = "conversation of flow"
)

// ErrNoParts says that a body is not what its operation's bodies are.
var ErrNoParts = strand.ErrOdd

// ErrNoSession says that there is no session of that name, or none of that principal.
var ErrNoSession = errors.New("there is no such session")

// ErrShared says that several principals have a session of that name.
var ErrShared = errors.New("several principals have a session of that name: say whose by principal (--principal P)")

// ErrEnough, from a visit, ends a telling before its window does: what follows is the next one's.
var ErrEnough = errors.New("that is enough")

// Tell tells a window of a session, flow after flow. What a Told holds is good
// until the visit returns. That it is read is recorded first, once.
func (l *Ledger) Tell(w Window, by Access, visit func(*Told) error) (*Telling, error) {
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	out, rows, behind, err := l.window(w)
	if err != nil {
		return nil, err
	}
	a := access{Flow: string(rows[0].ID), Last: string(rows[len(rows)-1].ID), Principal: out.Principal, Session: out.Session, Part: w.For, What: toldSession, Who: by.Who, Why: by.Why}
	if err := l.recordTelling(rows[0].Key, a); err != nil {
		return nil, err
	}
	t, err := l.teller(rows[0].Key, out)
	if err != nil {
		return nil, err
	}
	if err := t.ask(rows); err != nil {
		return nil, err
	}
	for i := range behind {
		t.pass(&behind[i])
	}
	t.begun = len(behind) > 0
	for i := range rows {
		told, err := t.told(&rows[i])
		if errors.Is(err, errSkip) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Custody = told.Intent.Custody
		if err := visit(told); errors.Is(err, ErrEnough) {
			if i+1 < len(rows) {
				out.Next = rows[i+1].ID
			}
			break
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TellFlow tells one flow, all of its request.
func (l *Ledger) TellFlow(id flow.ID, part string, by Access) (*Telling, *Told, error) {
	row, err := l.find(id)
	if err != nil {
		return nil, nil, err
	}
	out, err := l.telling(row.Key)
	if err != nil {
		return nil, nil, err
	}
	out.From = row.ID
	a := access{Flow: string(row.ID), What: toldFlow, Part: part, Who: by.Who, Why: by.Why}
	if err := l.recordTelling(row.Key, a); err != nil {
		return nil, nil, err
	}
	t, err := l.teller(row.Key, out)
	if err != nil {
		return nil, nil, err
	}
	t.whole = true
	told, err := t.told(row)
	if err != nil {
		return nil, nil, err
	}
	out.Custody = told.Intent.Custody
	return out, told, nil
}

func (l *Ledger) recordTelling(key uint64, a access) error {
	k, err := l.readers.key(key)
	if err != nil {
		return err
	}
	return l.recordReading(k, a)
}

// window finds the rows of a window, and some before it.
func (l *Ledger) window(w Window) (out *Telling, rows, behind []index.Flow, err error) {
	key, err := l.sessionOf(w)
	if err != nil {
		return nil, nil, nil, err
	}
	if out, err = l.telling(key); err != nil {
		return nil, nil, nil, err
	}
	n := w.Limit
	if n <= 0 || n > mostTold {
		n = mostTold
	}
	if rows, err = l.rowsOf(key, w, n); err != nil {
		return nil, nil, nil, err
	} else if len(rows) == 0 {
		return nil, nil, nil, ErrNoSession
	}
	if len(rows) > n {
		out.Next, rows = rows[n].ID, rows[:n]
	}
	first := &rows[0]
	out.From = first.ID
	if behind, err = l.index.Until(key, first.Started, string(first.ID), max(n, lookBehind)); err != nil {
		return nil, nil, nil, err
	}
	if len(behind) > 0 {
		out.Prev = behind[max(0, len(behind)-n)].ID
	}
	return out, rows, behind[max(0, len(behind)-lookBehind):], nil
}

// rowsOf gives the rows of a window, and the one behind it.
func (l *Ledger) rowsOf(key uint64, w Window, n int) ([]index.Flow, error) {
	if w.End {
		return l.index.Until(key, 1<<62, "", n)
	}
	if w.From == "" {
		return l.index.After(key, 0, "", n+1)
	}
	from, err := l.index.Find(string(w.From))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(from, func(f index.Flow) bool { return f.Key == key })
	if i < 0 {
		return nil, ErrNotFound
	}
	return l.index.After(key, from[i].Started, string(from[i].ID), n+1)
}

// telling says what is known of a session.
func (l *Ledger) telling(key uint64) (*Telling, error) {
	name, err := l.names.get(key)
	if err != nil {
		return nil, err
	}
	if name == nil {
		return nil, ErrNoSession
	}
	turns, first, last, err := l.index.Reach(key)
	return &Telling{Session: name.Session, Principal: name.Principal, Turns: turns, First: time.UnixMilli(first).UTC(), Last: time.UnixMilli(last).UTC()}, err
}

// sessionOf finds the session that a window is of.
func (l *Ledger) sessionOf(w Window) (uint64, error) {
	if w.Principal != "" {
		key, ok := l.ring.Known(w.Principal, w.Session)
		if !ok {
			return 0, ErrNoSession
		}
		return key, nil
	}
	keys, err := l.index.Tagged(l.tag("session", w.Session))
	switch {
	case err != nil:
		return 0, err
	case len(keys) == 0:
		return 0, ErrNoSession
	case len(keys) > 1:
		return 0, l.shared(keys)
	}
	return keys[0], nil
}

// shared is an ErrShared that names whose sessions there are.
func (l *Ledger) shared(keys []uint64) error {
	const most = 20
	var whose []string
	for _, key := range keys[:min(len(keys), most)] {
		name, err := l.names.get(key)
		if err != nil {
			return err
		}
		if name != nil {
			whose = append(whose, name.Principal)
		}
	}
	slices.Sort(whose)
	if len(keys) > most {
		whose = append(whose, "and others")
	}
	return fmt.Errorf("%w, one of %s", ErrShared, strings.Join(whose, ", "))
}
