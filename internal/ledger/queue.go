package ledger

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

// item is an entry on its way to disk.
type item struct {
	key    *keys.Key
	data   []byte   // the entry, packed as how says; aliases buf
	buf    *scratch // nil: data is its own
	how    packing
	refuse bool   // may be turned away when there is no room: nothing depends on it yet
	epoch  uint64 // of the scope whose objects it holds or names; anyEpoch: of none
	note   note

	// Set by the writer before the batch is done.
	err   error
	entry uint64
	at    index.Pos
	size  int
}

const anyEpoch = ^uint64(0)

// item packs an entry whose body is what body appends; nil: none.
func (l *Ledger) item(e entry, body func([]byte) []byte, key *keys.Key, n note) *item {
	e.at = l.o.Now()
	plain, packed := takeScratch(), takeScratch()
	plain.b = e.append(plain.b)
	if body != nil {
		plain.b = body(plain.b)
	}
	it := &item{key: key, epoch: anyEpoch, note: n}
	if packed.b, it.how = l.codec.pack(packed.b, plain.b); it.how.flag == 0 {
		plain, packed = packed, plain
	}
	plain.give()
	it.hold(packed)
	return it
}

// hold makes a buffer's content the item's. The item keeps the buffer unless
// that is much larger: what waits must not take much more memory than it says.
func (it *item) hold(s *scratch) {
	if cap(s.b) > 4*len(s.b) {
		it.data = bytes.Clone(s.b)
		s.give()
		return
	}
	it.data, it.buf = s.b, s
}

// let gives the item's buffer back, when its entry was written.
func (it *item) let() {
	it.data = nil
	if it.buf != nil {
		it.buf.give()
		it.buf = nil
	}
}

// scratch is a buffer that is used for one entry after the other. It saves
// two thirds of what a flow allocates (BenchmarkFlow2KB).
type scratch struct{ b []byte }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func takeScratch() *scratch { return scratches.Get().(*scratch) }

// give puts a buffer back; a large one is let go.
func (s *scratch) give() {
	if s.b = s.b[:0]; cap(s.b) <= 128<<10 {
		scratches.Put(s)
	}
}

// batch is what becomes durable together. Its items belong to the writer
// until done is closed.
type batch struct {
	items  []*item
	awaits int // how many wait for it
	done   chan struct{}
}

// maxQueue is how many bytes may wait. Whoever comes then waits with them.
const maxQueue = 16 << 20

// An entry for which nobody waits goes to disk with the next one for which
// somebody does, or after patience: each sync holds up those that come while
// it runs. When much waits it does not wait any longer.
const (
	patience     = 20 * time.Millisecond
	patientBytes = 1 << 20
)

// queue holds the batch that is being gathered while another is written.
type queue struct {
	wake  chan struct{} // holds one token when the batch may not be empty
	later chan struct{} // holds one token when there is something that can wait
	timed atomic.Bool   // the writer will look within patience

	mu    sync.Mutex
	room  sync.Cond
	batch *batch
	bytes int
}

func newQueue() *queue {
	q := &queue{wake: make(chan struct{}, 1), later: make(chan struct{}, 1)}
	q.room.L = &q.mu
	return q
}

// put appends items in one batch and wakes the writer, at once when it is
// urgent. When the queue is full it waits while wait() holds, and gives nil
// when that ends.
func (q *queue) put(items []*item, urgent bool, wait func() bool) *batch {
	q.mu.Lock()
	for q.bytes > maxQueue {
		if !wait() {
			q.mu.Unlock()
			return nil
		}
		q.room.Wait()
	}
	if q.batch == nil {
		q.batch = &batch{done: make(chan struct{})}
	}
	b := q.batch
	for _, it := range items {
		q.bytes += len(it.data)
	}
	b.items = append(b.items, items...)
	if urgent {
		b.awaits++
	}
	urgent = urgent || q.bytes > patientBytes
	q.mu.Unlock()
	if urgent {
		q.signal()
	} else if q.timed.CompareAndSwap(false, true) {
		q.later <- struct{}{} // has room: the writer took the last one before it cleared timed
	}
	return b
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take gives all that waits, or nil.
func (q *queue) take() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.batch
	q.batch, q.bytes = nil, 0
	q.room.Broadcast()
	return b
}

// crowd is how many wait for what take would give.
func (q *queue) crowd() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.batch == nil {
		return 0
	}
	return q.batch.awaits
}

func (q *queue) stir() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.room.Broadcast()
}

func (q *queue) length() (bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// submit hands items to the writer. When Run is not running the caller writes
// himself, so that nothing ever waits for nobody.
func (l *Ledger) submit(items ...*item) *batch { return l.hand(items, true) }

// leave is submit for an entry for which nobody waits.
func (l *Ledger) leave(it *item) *batch { return l.hand([]*item{it}, l.o.StrictResponse) }

func (l *Ledger) hand(items []*item, urgent bool) *batch {
	for {
		if b := l.queue.put(items, urgent, l.running.Load); b != nil {
			return b
		}
		l.drive()
	}
}

// stir makes the writer look, though nothing new waits.
func (l *Ledger) stir() {
	l.queue.signal()
	if !l.running.Load() {
		l.drive()
	}
}

// wait returns when the batch is durable (in bounded mode: written).
func (l *Ledger) wait(b *batch) {
	if !l.running.Load() {
		l.drive()
	}
	<-b.done
}
