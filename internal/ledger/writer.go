package ledger

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// writer numbers, seals and writes entries: everything that wants order.
type writer struct {
	l        *Ledger
	fillWake chan struct{} // holds one token when the filler should look
	keysWake chan struct{} // and one when it should make keys

	mu      sync.Mutex // one commit at a time; for all below
	tail    *tail
	next    uint64       // number of the next entry
	prev    segment.Tag  // of the last entry
	last    index.Pos    // where that is
	buf     []byte       // frames behind tail.off, not yet written
	clean   bool         // all that is written is synced
	written []*item      // or turned away, since the last sync
	crowd   int          // how many waited for the last batch
	keys    <-chan error // says when the keys of the batch's new sessions are durable; nil: they are
	held    []*item      // outcomes and checkpoints for which there was no room, in their order
	dueAt   time.Time    // when bounded mode syncs; zero: nothing to sync

	shown    atomic.Pointer[tail] // tail, for the filler
	prepared atomic.Bool          // ahead is there
	left     atomic.Bool          // sealed is not empty

	aheadMu sync.Mutex
	ahead   *tail   // the next segment, made before it is needed
	sealed  []*tail // to be sealed by the filler

	heldBytes atomic.Int64

	durable atomic.Pointer[index.Mark] // what Verify and Stats may look at
}

// maxBuf is how many bytes of frames are gathered for one write: few enough
// for the buffer to be kept, and to be in the processor's cache still when the
// system copies it.
const maxBuf = 512 << 10

// drive writes all that waits.
func (l *Ledger) drive() {
	w := l.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := w.gather(); b != nil; b = w.gather() {
		w.commit(b)
		if !w.dueAt.IsZero() && !time.Now().Before(w.dueAt) {
			w.syncDue()
		}
	}
	if l.pending.over() {
		l.tellIndex()
	}
}

// manyAwait is how many calls have to wait for the same sync for the next one to wait for
// more of them.
const manyAwait = 2

// mostYields bounds how often the next sync lets others run before it begins: where calls
// come without a gap, those that wait don't wait for all of them.
const mostYields = 4

// gather is take. When many calls come it lets those that can run do so first, until
// they add none: a sync costs the same for two calls as for twenty. When few do, it does
// not: something else that runs may take its time.
func (w *writer) gather() *batch {
	for n, i := -1, 0; i < mostYields && w.crowd >= manyAwait && n != w.l.queue.crowd(); i++ {
		n = w.l.queue.crowd()
		runtime.Gosched()
	}
	b := w.take()
	if b != nil {
		w.crowd = b.awaits
	}
	return b
}

// take gives what to commit next: what waits, or, when there is room again,
// nothing but what was held.
func (w *writer) take() *batch {
	b := w.l.queue.take()
	if b == nil && len(w.held) > 0 && !w.l.full.Load() && w.l.fault.Load() == nil {
		b = &batch{done: make(chan struct{})}
	}
	return b
}

// commit makes a batch durable and wakes who waits for it. When Run does not run, a call
// writes itself, and a server goes on after a panic of one of its calls: it must not look
// to others as if their items were durable.
func (w *writer) commit(b *batch) {
	defer close(b.done)
	whole := false
	defer func() {
		if !whole {
			w.fail(b, errCutShort)
		}
	}()
	w.put(b)
	whole = true
}

var errCutShort = errors.New("writing the ledger ended early")

func (w *writer) put(b *batch) {
	w.flushKeys()
	refused, err := w.write(b)
	if err == nil && (w.l.o.Mode == Strict || refused) {
		err = w.sync()
	}
	if kerr := w.keyed(); err == nil {
		err = kerr
	}
	if err != nil {
		w.fail(b, err)
		return
	}
	w.settle()
	if refused {
		w.overflow() // after the index was told of what there was room for
	}
	w.askFiller()
}

// flushKeys makes the keys of new sessions durable while the entries are
// written: no waiter wakes before both are.
func (w *writer) flushKeys() {
	if !w.l.ring.Dirty() {
		return
	}
	done := make(chan error, 1)
	w.keys = done
	go func() { done <- w.l.ring.Flush() }()
}

// keyed waits until the keys of the batch's new sessions are durable.
func (w *writer) keyed() error {
	if w.keys == nil {
		return nil
	}
	err := <-w.keys
	w.keys = nil
	return err
}

// write puts what was held and the items of a batch behind the tail. It errs
// when the disk fails. Without room an item that nothing depends on gets an
// error, and refused tells so; others are held.
func (w *writer) write(b *batch) (refused bool, err error) {
	if r := w.l.fault.Load(); r != nil {
		return false, r
	}
	items := b.items
	if len(w.held) > 0 {
		items = append(w.held, items...)
		w.held = nil
		w.heldBytes.Store(0)
	}
	for _, it := range items {
		if w.stale(it) || refused && it.refuse {
			it.err = errStale
			w.written = append(w.written, it)
			continue
		}
		if len(w.held) > 0 && !it.refuse {
			w.turnAway(it, errBehindHeld) // the entries of a flow stay in their order
			continue
		}
		err := w.place(it)
		if disk.Full(err) {
			w.turnAway(it, err)
			refused = refused || it.refuse
		} else if err != nil {
			return refused, err
		}
	}
	return refused, w.flush()
}

func (w *writer) place(it *item) error {
	if err := w.room(segment.HeaderSize + len(it.data) + segment.TagSize); err != nil {
		return err
	}
	w.frame(it)
	w.written = append(w.written, it)
	return nil
}

var errBehindHeld = errors.New("earlier entries wait for room")

// turnAway refuses a new flow's intent. The end of a running one is held until
// there is room; it is not durable, and whoever waits for that learns it.
func (w *writer) turnAway(it *item, err error) {
	it.err = full(err)
	if it.refuse {
		w.written = append(w.written, it)
		return
	}
	again := *it
	again.err = nil
	w.held = append(w.held, &again)
	w.heldBytes.Add(int64(len(it.data)))
	if !w.l.full.Swap(true) {
		w.l.log.Error("ledger's disk is full; running flows' ends wait in memory for room")
	}
}

// stale reports whether an item names objects of a scope that was given up.
func (w *writer) stale(it *item) bool {
	return it.refuse && it.epoch < w.l.scopes.epoch.Load()
}

var errStale = &flow.Refusal{Status: 503, Kind: "ledger_fault", Text: "the ledger could not record what this request builds on: try again"}

func full(err error) *flow.Refusal {
	r := *errFull
	r.Err = err
	return &r
}

// overflow: objects that the scopes think are stored are not. New flows are
// refused until there is room again.
func (w *writer) overflow() {
	w.l.full.Store(true)
	w.l.scopes.drop()
	w.l.log.Error("ledger's disk is full; refusing new flows until there is room")
}

func (w *writer) frame(it *item) {
	h := segment.Header{Entry: w.next, Flags: it.how.flag, Dict: it.how.dict, Key: it.key.ID, Prev: w.prev}
	if w.clean {
		h.Flags |= segment.Synced
		w.clean = false
	}
	start := len(w.buf)
	w.buf, w.prev = segment.Append(w.buf, &h, it.key.AEAD, it.data)
	it.let()
	w.last = index.Pos{Segment: w.tail.number, Offset: w.tail.off + int64(start)}
	it.entry, it.at, it.size = w.next, w.last, len(w.buf)-start
	w.next++
}

// room makes sure that a frame of n bytes fits behind what is gathered.
func (w *writer) room(n int) error {
	end := w.tail.off + int64(len(w.buf)+n)
	if end > w.l.o.SegmentBytes && w.tail.off+int64(len(w.buf)) > segment.FileHead {
		if err := w.rotate(); err != nil && !disk.Full(err) {
			return err
		}
		end = w.tail.off + int64(len(w.buf)+n)
	}
	if end > w.tail.extent.Load() {
		if err := w.tail.fill(end + w.step()); err != nil {
			if !disk.Full(err) || end > w.tail.extent.Load() {
				return err
			}
		}
	}
	if len(w.buf) > maxBuf {
		return w.flush()
	}
	return nil
}

func (w *writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	if _, err := w.tail.file.WriteAt(w.buf, w.tail.off); err != nil {
		return fmt.Errorf("writing segment %d: %w", w.tail.number, err)
	}
	w.tail.off += int64(len(w.buf))
	w.tail.seen.Store(w.tail.off)
	w.buf = w.buf[:0]
	if cap(w.buf) > 2*maxBuf {
		w.buf = nil
	}
	return nil
}

func (w *writer) sync() error {
	if w.clean {
		return nil
	}
	start := time.Now()
	if err := w.tail.file.Sync(); err != nil {
		return fmt.Errorf("syncing segment %d: %w", w.tail.number, err)
	}
	w.l.figures.sync(time.Since(start))
	w.clean = true
	return nil
}

// rotate goes on in the next segment. After an error the tail is as before. What is
// left behind is durable with its keys: recovery cuts at the end of the last segment
// only.
func (w *writer) rotate() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.keyed(); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		return err
	}
	w.aheadMu.Lock()
	defer w.aheadMu.Unlock()
	next := w.ahead
	if next == nil {
		var err error
		if next, err = w.makeTail(w.tail.number + 1); err != nil {
			return err
		}
	}
	w.ahead = nil
	w.sealed = append(w.sealed, w.tail)
	w.left.Store(true)
	w.prepared.Store(false)
	w.enter(next)
	return nil
}

func (w *writer) enter(t *tail) {
	w.tail = t
	w.shown.Store(t)
}

// fail ends the ledger's writing. No item of the batch counts as recorded,
// though some may be found on disk: then as flows that never went on.
func (w *writer) fail(b *batch, err error) {
	r := w.l.poison(err)
	for _, it := range b.items {
		it.err = r
	}
	w.l.scopes.drop()
}

// settle passes what is durable on to the index.
func (w *writer) settle() {
	if !w.clean && w.l.o.Mode == Bounded {
		if w.dueAt.IsZero() {
			w.dueAt = time.Now().Add(w.l.o.Window)
		}
		return
	}
	w.hand()
}

func (w *writer) hand() {
	w.dueAt = time.Time{}
	mark := &index.Mark{Entry: w.next - 1, Segment: w.tail.number, Offset: w.tail.off, Tag: w.prev}
	if w.last.Segment == w.tail.number {
		mark.Last = w.last.Offset
	}
	w.durable.Store(mark)
	w.l.pending.add(w.written, *mark)
	clear(w.written)
	w.written = w.written[:0]
}

// syncNow is bounded mode's sync.
func (w *writer) syncNow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.syncDue()
}

func (w *writer) syncDue() {
	if w.dueAt.IsZero() || w.l.fault.Load() != nil {
		return
	}
	if err := w.sync(); err != nil {
		w.fail(&batch{}, err)
		w.dueAt = time.Time{}
		return
	}
	w.hand()
}

func (w *writer) due() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dueAt
}

// finish seals the tail of a ledger that closes.
func (w *writer) finish() error {
	w.syncNow()
	w.sealOld()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropAhead()
	if w.l.fault.Load() != nil {
		w.tail.close() // what it holds is for recovery to say
		return nil
	}
	return errors.Join(w.l.ring.Flush(), w.tail.seal())
}
