package ledger

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
	"github.com/workingagents/gatehouse/internal/ledger/text"
)

// texts keeps the full text near: it follows the segments behind the index, in
// steps, and never in a flow's way. What it needs to know of the flows under way it
// can find again, so that it may stop anywhere.
type texts struct {
	l      *Ledger
	secret []byte

	store   atomic.Pointer[text.Store] // nil until the first step
	damaged atomic.Bool                // the next step begins anew
	awaited atomic.Int32               // searches that wait for a step
	dropped atomic.Uint64              // what stood in segments up to this one is to be forgotten

	work sync.Mutex // one step at a time; for all below
	at   text.Mark  // how far the steps are: what they wait for holds the store's mark back
	done uint64     // of dropped, what is done
	open map[flow.ID]*begun
	held map[flow.ID]*heldObjects
	seen seenBlocks
	last uint64    // number of the last entry when the step before began
	when time.Time // it began
	told time.Time
	shut bool
}

// begun is what is known of a flow whose answer may still come.
type begun struct {
	n       uint64
	key     uint64
	api     flow.API
	message bool
}

// heldObjects are entries with objects of an intent that follows.
type heldObjects struct {
	before text.Mark // how far the full text is while they wait
	entry  uint64
	at     []index.Pos
}

const (
	textEvery = 500 * time.Millisecond
	textBatch = 1 << 20 // bytes of memory of what one step takes in
	textRead  = 8 << 20 // bytes of segments that one step reads

	// maxBegun bounds the flows that are remembered; the others are looked up.
	maxBegun = 4096
	// orphans: an intent follows its objects within fewer entries. It never comes
	// when a crash cut it off.
	orphans = 4096
	// manyEntries in a second leave no time to waste: what was said is found
	// later then.
	manyEntries = 1000
)

// pace says how much a step takes in, and how many times as long as it took the
// next one waits.
type pace struct {
	batch int // bytes of memory
	read  int64
	rest  float64
}

// The paces: when no flow comes, when some do, and when many do. A step's work
// competes with flows for the processors, so it is a fifth of one core at most, or
// a thirtieth, and short. While flows come each piece of it rests.
var (
	alone   = pace{textBatch, textRead, 0.25}
	beside  = pace{textBatch / 8, textRead / 8, 4}
	hurried = pace{textBatch / 32, textRead / 32, 30}
)

func newTexts(l *Ledger) *texts {
	return &texts{l: l, secret: l.ring.Subkey("text tokens"), open: map[flow.ID]*begun{}, held: map[flow.ID]*heldObjects{}, seen: newSeenBlocks()}
}

// Progress says how far the full text is: Done of Total entries are in.
type Progress struct {
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

// Indexed tells how far the full text is.
func (l *Ledger) Indexed() Progress {
	var p Progress
	if mark := l.writer.durable.Load(); mark != nil {
		p.Total = mark.Entry
	}
	if s := l.texts.store.Load(); s != nil {
		p.Done = min(s.Mark().Entry, p.Total)
	}
	return p
}

// loop takes in what is new, until ctx ends.
func (t *texts) loop(ctx context.Context) {
	timer := time.NewTimer(textEvery) // a command that only lists has ended by then
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(t.turn(ctx))
	}
}

// turn makes a step and says how long the next one may wait.
func (t *texts) turn(ctx context.Context) time.Duration {
	b := t.breathe(ctx, t.pace())
	more, err := t.step(b)
	rest := b.rest(time.Since(b.since))
	switch {
	case err != nil:
		t.failed(err)
		return 20 * textEvery
	case !more:
		return max(textEvery, rest)
	}
	return rest
}

// pace looks how many entries came since it looked last.
func (t *texts) pace() pace {
	t.work.Lock()
	defer t.work.Unlock()
	now, last := time.Now(), t.l.lastEntry()
	came, in := last-t.last, now.Sub(t.when)
	first := t.when.IsZero()
	t.last, t.when = last, now
	switch {
	case came == 0:
		return alone
	case first || many(came, in):
		return hurried
	}
	return beside
}

// failed tells of an error, not of each: the step is made again.
func (t *texts) failed(err error) {
	t.work.Lock()
	defer t.work.Unlock()
	if time.Since(t.told) < time.Minute {
		return
	}
	t.told = time.Now()
	t.l.log.Error("full text is behind", "err", err)
}

// BuildText takes in all that is there, until ctx ends. A running ledger does it by
// itself; this is for who only reads.
func (l *Ledger) BuildText(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.catchUp(); err != nil {
			return err
		}
		more, err := l.texts.step(l.texts.breathe(ctx, alone))
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// near takes in what is new, for a search that comes now, unless it is so much
// that the search would wait.
func (t *texts) near() error {
	t.awaited.Add(1)
	defer t.awaited.Add(-1)
	end := time.Now().Add(nearTime)
	for time.Now().Before(end) {
		if p := t.l.Indexed(); t.store.Load() != nil && p.Total-p.Done > nearEntries {
			return nil
		}
		if more, err := t.step(t.breathe(context.Background(), beside)); err != nil || !more {
			return err
		}
	}
	return nil
}

const (
	nearTime    = 200 * time.Millisecond
	nearEntries = 2000
)

// step takes in some of what the index has. more: there is more.
func (t *texts) step(b *breath) (more bool, err error) {
	t.work.Lock()
	defer t.work.Unlock()
	if t.shut {
		return false, errClosing
	}
	s, err := t.ready()
	if err != nil {
		return false, err
	}
	f := &follow{t: t, s: s, breath: b, batch: s.NewBatch(), until: t.l.indexMark()}
	more, err = f.run(b.ctx)
	if errors.Is(err, text.ErrCorrupt) {
		t.damaged.Store(true)
	}
	if err != nil {
		t.forget()
	}
	return more, err
}

// forget has the next step begin where the store is, as after a restart: of what is
// known since, nobody can say whether it was written.
func (t *texts) forget() {
	clear(t.open)
	clear(t.held)
	t.at, t.seen = text.Mark{}, newSeenBlocks()
}

// ready opens the store, makes a damaged one anew, and forgets what retention
// removed.
func (t *texts) ready() (*text.Store, error) {
	s := t.store.Load()
	if s == nil {
		var err error
		if s, err = text.Open(t.l.path("text"), t.secret, index.Boot()); err != nil {
			return nil, err
		}
		t.store.Store(s)
		if p := t.l.Indexed(); p.Done == 0 && p.Total > 0 {
			t.l.log.Info("full text is made from the beginning", "entries", p.Total)
		}
		if mark := t.l.writer.durable.Load(); mark == nil || s.Mark().Entry > mark.Entry {
			t.damaged.Store(s.Mark().Entry > 0) // entries that it knows are gone
		}
		t.dropped.Store(max(t.dropped.Load(), t.l.removed.Load()))
	}
	if t.damaged.Load() {
		t.l.log.Warn("full text is damaged, and made anew")
		if err := s.Reset(); err != nil {
			return nil, err
		}
		t.forget()
		t.damaged.Store(false)
	}
	if n := t.dropped.Load(); n > t.done {
		if err := s.Drop(n); err != nil {
			t.damaged.Store(errors.Is(err, text.ErrCorrupt))
			return nil, err
		}
		t.done = n
	}
	return s, nil
}

func (t *texts) close() error {
	t.work.Lock()
	defer t.work.Unlock()
	t.shut = true
	if s := t.store.Swap(nil); s != nil {
		return s.Close()
	}
	return nil
}

// indexMark tells how far the index is.
func (l *Ledger) indexMark() index.Mark {
	l.pending.apply.Lock()
	defer l.pending.apply.Unlock()
	return l.indexed
}

// follow reads entries behind the full text's mark.
type follow struct {
	t      *texts
	s      *text.Store
	breath *breath
	batch  *text.Batch
	until  index.Mark
	mark   text.Mark
	read   int64
	err    error // of an Apply on the way
}

func (f *follow) run(ctx context.Context) (more bool, err error) {
	if f.mark = f.t.at; f.mark.Entry == 0 {
		f.mark = f.s.Mark()
	}
	if f.mark.Entry >= f.until.Entry {
		return false, nil
	}
	begin := f.mark
	for _, seg := range f.t.l.segments() {
		if seg.number < f.mark.Segment || seg.number > f.until.Segment {
			continue
		}
		if seg.number > f.mark.Segment {
			f.mark.Segment, f.mark.Offset = seg.number, segment.FileHead
		}
		if err := f.segment(ctx, seg); err != nil && !errors.Is(err, ErrRemoved) {
			return false, fmt.Errorf("reading segment %d: %w", seg.number, err)
		}
		if more = f.enough() || ctx.Err() != nil; more {
			break
		}
	}
	if !more {
		f.mark.Entry, f.mark.Segment, f.mark.Offset = f.until.Entry, f.until.Segment, f.until.Offset
	}
	if f.mark == begin {
		return more, nil
	}
	if err := f.s.Apply(f.batch, f.t.holdBack(f.mark), f.breath.pause); err != nil {
		return false, err
	}
	f.t.at = f.mark
	return more, nil
}

// flush writes the texts of a long request so far. The mark stays in front of
// it: after a crash it is read again.
func (f *follow) flush(r *requested) {
	if f.err == nil && f.batch.Size() > 4*textBatch && !coded(r.in) {
		f.err = f.s.Apply(f.batch, f.t.holdBack(f.mark), f.breath.pause)
		f.batch = f.s.NewBatch()
		f.batch.AddFlow(r.flow)
	}
}

func (f *follow) enough() bool {
	return f.batch.Size() > f.breath.pace.batch || f.read > f.breath.pace.read
}

// segment reads on in one segment.
func (f *follow) segment(ctx context.Context, seg segmentFile) error {
	file, err := f.t.l.readers.file(seg.number)
	if err != nil {
		return err
	}
	end := seg.bytes
	if seg.number == f.until.Segment {
		end = f.until.Offset
	}
	r := segment.NewReader(file, f.mark.Offset, end)
	for !f.enough() && ctx.Err() == nil {
		f.breath.pause()
		at := r.Offset()
		frame, err := r.Next()
		switch {
		case errors.Is(err, segment.ErrEnd):
			return nil
		case errors.Is(err, segment.ErrDamaged):
			// Verify reports it; what is behind it can be found all the same.
			if found, err := r.Resync(); err != nil || !found {
				return err
			}
			continue
		case err != nil:
			return err
		}
		f.read += int64(frame.Size)
		if e, err := f.t.l.openFrame(frame); err == nil {
			err := f.take(frame.Key, frame.Entry, e, index.Pos{Segment: seg.number, Offset: at})
			if err = errors.Join(err, f.err); err != nil {
				return err
			}
		}
		f.mark = text.Mark{Entry: frame.Entry, Segment: seg.number, Offset: r.Offset()}
	}
	return nil
}

// take takes in what an entry says. What can't be read in it is left out: there
// is nobody to tell, and Verify reports damage.
func (f *follow) take(key, number uint64, e *entry, at index.Pos) error {
	switch e.kind {
	case kindObjects:
		f.t.hold(flow.ID(e.meta), f.mark, number, at)
	case kindIntent:
		if in, err := e.intent(); err == nil {
			f.intent(key, number, in, e, at)
		}
	case kindOutcome:
		if out, err := e.outcome(); err == nil {
			return f.outcome(key, number, out, e, at)
		}
	}
	return nil
}

// hold keeps where objects stand until their intent comes.
func (t *texts) hold(id flow.ID, before text.Mark, entry uint64, at index.Pos) {
	h := t.held[id]
	if h == nil {
		h = &heldObjects{before: before, entry: entry}
		t.held[id] = h
	}
	h.at = append(h.at, at)
}

// holdBack keeps the mark in front of objects whose intent has not come, so
// that a restart reads them again.
func (t *texts) holdBack(m text.Mark) text.Mark {
	for id, h := range t.held {
		if m.Entry-h.entry > orphans {
			delete(t.held, id)
		} else if h.before.Entry < m.Entry && h.before.Segment > 0 {
			m = h.before
		}
	}
	return m
}

func (t *texts) begin(id flow.ID, b *begun) {
	if len(t.open) >= maxBegun {
		clear(t.open)
	}
	t.open[id] = b
}

// flow gives what is known of a flow that ends; nil when its intent is gone.
func (t *texts) flow(id flow.ID) (*begun, error) {
	if b := t.open[id]; b != nil {
		delete(t.open, id)
		return b, nil
	}
	rows, err := t.l.index.Find(string(id))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].ID != id {
			continue
		}
		e, err := t.l.entryAt(rows[i].IntentAt)
		if err != nil {
			return nil, nil
		}
		in, err := e.intent()
		if err != nil || len(e.body) == 0 {
			return nil, nil
		}
		return &begun{rows[i].Intent, rows[i].Key, in.API, in.Method == flow.MethodMessage}, nil
	}
	return nil, nil
}

// seenBlocks knows what the last blocks of bodies that come whole each turn
// said, so that a turn costs what it adds. By a hash of key and block.
type seenBlocks struct {
	seed       maphash.Seed
	now, older map[uint64][]knownText
}

// knownText is a text of such a block.
type knownText struct {
	wherein
	hash int64
}

// maxSeen bounds the blocks in now; when it is full it becomes older.
const maxSeen = 1 << 15

func newSeenBlocks() seenBlocks {
	return seenBlocks{seed: maphash.MakeSeed(), now: map[uint64][]knownText{}}
}

func (s *seenBlocks) sum(key uint64, raw []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	maphash.WriteComparable(&h, key)
	h.Write(raw)
	return h.Sum64()
}

func (s *seenBlocks) get(sum uint64) ([]knownText, bool) {
	list, ok := s.now[sum]
	if !ok {
		if list, ok = s.older[sum]; ok {
			s.put(sum, list)
		}
	}
	return list, ok
}

func (s *seenBlocks) put(sum uint64, list []knownText) {
	if len(s.now) >= maxSeen {
		s.now, s.older = make(map[uint64][]knownText, maxSeen), s.now
	}
	s.now[sum] = list
}

// veiled stands where a block refers to the vault: its values are not indexed,
// nor shown.
type veiled struct{}

const veil = said.Veil

func (veiled) Value(object.Ref) ([]byte, error) { return []byte(veil), nil }
