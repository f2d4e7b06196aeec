package ledger

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// note is what the index will know of an entry. A new entry and one that is
// replayed make the same note.
type note struct {
	flow    *index.Flow
	ended   *index.Ended
	part    flow.ID // of a checkpoint
	session *index.Session
	journal *index.Journal
	run     *run
	traits  []*index.Trait // of flow or ended
	scope   *scope         // that counts the entry as in flight
}

// run is a span of objects as the directory has it.
type run struct {
	key       uint64
	first     object.Ref
	floor     object.Ref
	count     int
	addresses []object.Address // nil when nobody needs them
	owner     uint64           // key of the vault that its secrets belong to
	secrets   []object.Ref     // those of its objects that are values of the vault
	at        index.Pos
}

// end is the number behind the last object.
func (r *run) end() object.Ref { return r.first + object.Ref(r.count) }

// begunNote is what the index will know of an intent.
func (l *Ledger) begunNote(in *flow.Intent, key uint64) (note, error) {
	about, err := l.traits.about(in)
	if err != nil {
		return note{}, err
	}
	path := l.traits.path(in.Path)
	n := note{traits: []*index.Trait{about, path}, flow: &index.Flow{
		ID: in.Flow, Key: key, Started: in.Started.UnixMilli(), About: about.ID, Path: path.ID,
		Turn: in.Turn, Retry: in.RetryOf != "", RequestBytes: in.RequestBytes,
	}}
	if in.Session.Subagent != "" {
		agent := l.traits.subagent(key, in.Session.Subagent)
		n.flow.Agent, n.traits = agent.ID, append(n.traits, agent)
	}
	return n, nil
}

// journalRow is that of an entry which is about no flow's passage.
func journalRow(k kind) *index.Journal { return &index.Journal{Reading: k == kindAccess} }

// endedNote is what the index will know of an outcome.
func (l *Ledger) endedNote(out *flow.Outcome) (note, error) {
	ending, err := l.traits.ending(out)
	if err != nil {
		return note{}, err
	}
	u := out.Usage
	u.Tier = ""
	return note{traits: []*index.Trait{ending}, ended: &index.Ended{ID: out.Flow, End: index.End{
		Ending: ending.ID, ResponseBytes: out.ResponseBytes, Usage: u, Cost: out.Cost,
		FirstByte: out.FirstByte.Microseconds(), Duration: out.Duration.Microseconds(),
	}}}, nil
}

// noted is a note of an entry that is on disk.
type noted struct {
	note
	entry uint64
	at    index.Pos
}

// pending are notes that the index does not have yet.
type pending struct {
	wake chan struct{} // holds one token when there is much

	mu    sync.Mutex
	notes []noted
	mark  index.Mark

	apply sync.Mutex // one Apply at a time
}

const (
	manyPending = 4096
	maxPending  = 20_000 // above, the writer waits for the index
	indexEvery  = 250 * time.Millisecond
)

func newPending() *pending { return &pending{wake: make(chan struct{}, 1)} }

func (p *pending) add(items []*item, mark index.Mark) {
	p.mu.Lock()
	for _, it := range items {
		if it.err == nil {
			p.notes = append(p.notes, noted{it.note, it.entry, it.at})
		} else if it.note.scope != nil {
			it.note.scope.inflight.Add(-1)
		}
	}
	p.mark = mark
	many := len(p.notes) > manyPending
	p.mu.Unlock()
	if many {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// turns counts the turns of a session that the index does not have yet, and
// gives when the last of its flows among them started, in Unix ms.
func (p *pending) turns(key uint64) (n int, last int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.notes {
		f := p.notes[i].flow
		if f == nil || f.Key != key {
			continue
		}
		if f.Turn > 0 && !f.Retry {
			n++
		}
		last = max(last, f.Started)
	}
	return n, last
}

func (p *pending) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.notes) > maxPending
}

func (p *pending) take() ([]noted, index.Mark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	notes := p.notes
	p.notes = nil
	return notes, p.mark
}

// applyPending brings the index up to date with what is durable.
func (l *Ledger) applyPending() error {
	l.pending.apply.Lock()
	defer l.pending.apply.Unlock()
	notes, mark := l.pending.take()
	if mark.Entry == 0 || len(notes) == 0 && mark == l.indexed {
		return nil
	}
	b := gather(notes)
	b.Mark = mark
	if err := l.index.Apply(b); err != nil {
		l.putBack(notes)
		return fmt.Errorf("indexing: %w", err)
	}
	l.indexed = mark
	l.traits.applied(b.Traits)
	for i := range notes {
		if sc := notes[i].scope; sc != nil {
			sc.inflight.Add(-1)
		}
	}
	return nil
}

func (l *Ledger) putBack(notes []noted) {
	l.pending.mu.Lock()
	defer l.pending.mu.Unlock()
	l.pending.notes = append(notes, l.pending.notes...)
}

// gather makes one batch of notes. A flow that begins and ends in it becomes
// one row.
func gather(notes []noted) *index.Batch {
	b := &index.Batch{}
	begun := make(map[flow.ID]int)
	directory := map[place]int{}
	told := map[uint64]bool{}
	for i := range notes {
		n := &notes[i]
		for _, t := range n.traits {
			if !told[t.ID] {
				told[t.ID] = true
				b.Traits = append(b.Traits, *t)
			}
		}
		if n.session != nil {
			b.Sessions = append(b.Sessions, *n.session)
		}
		switch {
		case n.flow != nil:
			begun[n.flow.ID] = len(b.Flows)
			row := *n.flow
			row.Intent, row.IntentAt = n.entry, n.at
			b.Flows = append(b.Flows, row)
		case n.ended != nil:
			row := *n.ended
			row.Outcome, row.OutcomeAt = n.entry, n.at
			if j, ok := begun[row.ID]; ok {
				f := &b.Flows[j]
				f.Outcome, f.OutcomeAt, f.End = row.Outcome, row.OutcomeAt, row.End
			} else {
				b.Ended = append(b.Ended, row)
			}
		case n.journal != nil:
			row := *n.journal
			row.Entry, row.At = n.entry, n.at
			b.Journal = append(b.Journal, row)
		case n.part != "":
			b.Parts = append(b.Parts, index.Part{Flow: n.part, At: n.at})
		}
		if n.run != nil {
			addRun(b, directory, n)
			addSecrets(b, n)
		}
	}
	return b
}

// place is what one row of the directory is for.
type place struct{ key, segment uint64 }

func addRun(b *index.Batch, rows map[place]int, n *noted) {
	p := place{n.run.key, n.at.Segment}
	i, ok := rows[p]
	if ok && b.Objects[i].First+uint64(b.Objects[i].Count) != n.run.first {
		ok = false // a run is missing in between: a row of its own
	}
	if !ok {
		i = len(b.Objects)
		rows[p] = i
		b.Objects = append(b.Objects, index.Objects{Key: p.key, First: n.run.first, Segment: p.segment})
	}
	o := &b.Objects[i]
	o.Count += n.run.count
	o.Data = n.run.append(o.Data, n.at.Offset)
}

func addSecrets(b *index.Batch, n *noted) {
	for _, ref := range n.run.secrets {
		b.Secrets = append(b.Secrets, index.Secret{Owner: n.run.owner, Key: n.run.key, Ref: ref, Entry: n.entry, At: n.at})
	}
}

// A row's data is, for each entry: offset, floor as steps back from the first
// number, count, addresses.
func (r *run) append(dst []byte, offset int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(offset))
	dst = binary.AppendUvarint(dst, r.first-r.floor)
	dst = binary.AppendUvarint(dst, uint64(len(r.addresses)))
	for _, a := range r.addresses {
		dst = append(dst, a[:]...)
	}
	return dst
}

func decodeRuns(row index.Objects) ([]run, error) {
	var runs []run
	first := row.First
	for b := row.Data; len(b) > 0; {
		var v [3]uint64
		for i := range v {
			var n int
			if v[i], n = binary.Uvarint(b); n <= 0 {
				return nil, errMalformed
			}
			b = b[n:]
		}
		if v[1] > first || v[2] > uint64(len(b)/len(object.Address{})) {
			return nil, errMalformed
		}
		r := run{key: row.Key, first: first, floor: first - v[1], count: int(v[2]), addresses: make([]object.Address, v[2]), at: index.Pos{Segment: row.Segment, Offset: int64(v[0])}}
		for i := range r.addresses {
			b = b[copy(r.addresses[i][:], b):]
		}
		runs = append(runs, r)
		first += v[2]
	}
	return runs, nil
}

// directory gives where the objects of a session stand, in their order, as far
// as the index knows. What retention removed is left out.
func (l *Ledger) directory(key uint64) ([]run, error) {
	rows, err := l.index.Objects(key)
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	var runs []run
	for _, row := range rows {
		if row.Segment <= l.removed.Load() {
			continue
		}
		more, err := decodeRuns(row)
		if err != nil {
			return nil, fmt.Errorf("reading the index: %w", err)
		}
		runs = append(runs, more...)
	}
	return runs, nil
}
