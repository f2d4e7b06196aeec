package ledger

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/meta"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Edit replaces Cut bytes at offset At of a body by Put. Offsets count in the
// body as it was; a list is in their order and does not overlap.
type Edit = object.Edit

// Content is what is kept of a request beside its intent.
type Content struct {
	Doc   *split.Doc // the body; nil: metadata only, of the answer as well
	Base  *Stored    // the request whose Doc was the base of Doc, or nil
	Edits []Edit     // forwarded against request

	// Secrets are kept in the vault only: all of the body, also those in pieces
	// that the base has, for it may be that everything is stored anew.
	Secrets []Secret

	// Now is the clock by which the answer's chunks come; nil: the ledger's own.
	Now func() time.Time
}

// Record is a flow that is being recorded. Its methods may be called by
// several goroutines; End is called once.
type Record struct {
	l     *Ledger
	in    *flow.Intent
	key   *keys.Key
	vault *keys.Key // of the principal; nil unless kept
	kept  bool      // the bodies, not only metadata
	now   func() time.Time

	mu     sync.Mutex
	stored *Stored       // until Stored
	buf    *scratch      // of the chunks that are not in an entry yet; nil: there are none
	sizes  []chunkSize   // their lengths and times
	since  time.Duration // time of the first of them
	ended  bool
	hidden bool // the answer holds a value, or may
}

type chunkSize struct {
	n  int
	at time.Duration
}

const (
	checkpointBytes = 256 << 10
	checkpointEvery = time.Second

	// Above this much in all records together, each gives up what it holds
	// earlier: many streams must not need much memory.
	crowded      = 8 << 20
	crowdedBytes = 16 << 10
)

// Begin records an intent, with what is new in the request. When it returns
// without error the intent is durable (in bounded mode: written). Any error
// is a *flow.Refusal, and nothing may be forwarded.
func (l *Ledger) Begin(in *flow.Intent, c Content) (*Record, error) {
	if err := l.Ready(); err != nil {
		return nil, err
	}
	r, err := l.begin(in, c)
	if err != nil {
		return nil, refusal(err)
	}
	l.watch.tell(in, nil)
	return r, nil
}

// refusal makes an error one for the client.
func refusal(err error) error {
	var r *flow.Refusal
	if errors.As(err, &r) {
		return r
	}
	return &flow.Refusal{Status: 503, Kind: "ledger_fault", Text: "the ledger could not record the request, so it was not forwarded", Err: err}
}

func (l *Ledger) begin(in *flow.Intent, c Content) (*Record, error) {
	buf := takeScratch()
	defer buf.give()
	text, err := meta.AppendIntent(buf.b, in)
	if err != nil {
		return nil, err
	}
	buf.b = text
	if err := object.Check(c.Edits, in.RequestBytes); c.Doc != nil && err != nil {
		return nil, fmt.Errorf("checking edits: %w", err)
	}
	sc, err := l.scopes.use(in.Principal.Name, in.Session.ID)
	if err != nil {
		return nil, err
	}
	defer l.scopes.done(sc)
	r := &Record{l: l, in: in, key: sc.key, vault: sc.safe.key, now: c.Now}
	if r.now == nil {
		r.now = l.o.Now
	}
	intent, err := l.begunNote(in, sc.key.ID)
	if err != nil {
		return nil, err
	}
	b, items, err := r.enqueue(sc, text, c, intent)
	if err != nil {
		return nil, err
	}
	l.open.add(r) // before the intent is durable: whoever finds that must find the record, too
	l.wait(b)
	for _, it := range items {
		if it.err != nil {
			l.open.remove(r)
			return nil, it.err
		}
	}
	return r, nil
}

// enqueue hands the intent and its objects to the writer. The scope is locked
// until they are in the queue, so that nothing that names an object comes
// before it.
func (r *Record) enqueue(sc *scope, meta []byte, c Content, intent note) (*batch, []*item, error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if !sc.named {
		row, err := r.l.sessionRow(sc.key, sc.owner, sc.claimed)
		if err != nil {
			return nil, nil, err
		}
		intent.session, sc.named = row, true
	}
	if c.Doc == nil {
		it := r.l.item(entry{kind: kindIntent, meta: meta}, nil, sc.key, intent)
		it.refuse = true
		return r.l.submit(it), []*item{it}, nil
	}
	if err := sc.ready(r.l); err != nil {
		return nil, nil, err
	}
	items := r.items(sc, meta, c, intent)
	return r.l.submit(items...), items, nil
}

func (r *Record) items(sc *scope, meta []byte, c Content, intent note) []*item {
	w := sc.weave(c)
	r.kept, r.vault = true, sc.safe.key
	r.stored = &Stored{doc: c.Doc, refs: w.refs, key: sc.key.ID, epoch: sc.epoch, floor: sc.floor}
	req := request{skeleton: w.skel, edits: sealEdits(r.vault, c.Edits), span: span{first: sc.next, floor: sc.floor}}
	var items []*item
	for i := range w.spans {
		s := &w.spans[i]
		n := note{scope: sc, run: &run{key: sc.key.ID, first: s.first, floor: s.floor, count: s.count, addresses: s.addresses, owner: r.vault.ID, secrets: s.secrets}}
		if i == len(w.spans)-1 {
			req.span, intent.run, intent.scope = s.span, n.run, sc
			break
		}
		items = append(items, r.l.item(entry{kind: kindObjects, meta: []byte(r.in.Flow)}, s.append, sc.key, n))
	}
	defer w.free()
	items = append(items, r.l.item(entry{kind: kindIntent, meta: meta}, req.append, sc.key, intent))
	for _, it := range items {
		it.refuse, it.epoch = true, sc.epoch
		if it.note.scope != nil {
			sc.inflight.Add(1)
		}
	}
	if sc.since == 0 && len(w.spans) > 0 {
		sc.since = r.l.writer.shown.Load().number
	}
	return items
}

// Stored hands over the request as it was stored, for the next one of its
// session. The record lets go of it: an open flow must not hold its body.
// The second time, and when only metadata is kept, it is nil.
func (r *Record) Stored() *Stored {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stored
	r.stored = nil
	return s
}

// Push records one chunk of the provider's answer: a read, or one WebSocket
// message. The chunk is copied. It waits when the disk is behind, and errs
// when the ledger can't be written.
func (r *Record) Push(p []byte) error {
	if !r.kept {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errEnded
	}
	at := r.now().Sub(r.in.Started)
	if len(r.sizes) == 0 {
		r.since = at
	}
	if r.buf == nil {
		r.buf = answers.Get().(*scratch)
	}
	r.buf.b = append(r.buf.b, p...)
	r.sizes = append(r.sizes, chunkSize{len(p), at})
	held := r.l.open.bytes.Add(int64(len(p)))
	if n := len(r.buf.b); n < checkpointBytes && (held <= crowded || n < crowdedBytes) {
		return nil
	}
	err := r.checkpoint()
	if err != nil { // the chunk is not delivered, so it is no part of the answer
		r.l.open.bytes.Add(-int64(len(p)))
		r.buf.b, r.sizes = r.buf.b[:len(r.buf.b)-len(p)], r.sizes[:len(r.sizes)-1]
	}
	return err
}

// Hide keeps what comes of the answer from now on, and what of it is in no
// entry yet, under the vault's key: a value was found in it. Called before the
// Push of the chunk in which the value ends, it leaves in clear at most a part
// of the value that came over a second before.
func (r *Record) Hide() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hidden = true
}

// sealed gives the chunks of a hidden answer as they are kept, and nil for
// another one.
func (r *Record) sealed() []byte {
	if !r.hidden {
		return nil
	}
	return sealChunks(r.vault, r.chunks())
}

var errEnded = errors.New("the flow has its outcome already")

// checkpoint puts what came into an entry. r.mu is held.
func (r *Record) checkpoint() error {
	if f := r.l.fault.Load(); f != nil {
		return f
	}
	if r.l.writer.heldBytes.Load() > maxQueue {
		return errFull
	}
	if len(r.sizes) == 0 {
		return nil
	}
	body := func(dst []byte) []byte { return appendChunks(dst, r.chunks(), r.sealed()) }
	r.l.leave(r.l.item(entry{kind: kindCheckpoint, meta: []byte(r.in.Flow)}, body, r.key, note{part: r.in.Flow}))
	r.empty()
	return nil
}

// chunks aliases r.buf.
func (r *Record) chunks() []object.Chunk {
	chunks := make([]object.Chunk, len(r.sizes))
	off := 0
	for i, s := range r.sizes {
		chunks[i] = object.Chunk{Data: r.buf.b[off : off+s.n], At: s.at}
		off += s.n
	}
	return chunks
}

// answers are buffers of chunks. An open flow has one only while it holds
// chunks, and large ones are let go: many streams must not need much memory.
var answers = sync.Pool{New: func() any { return new(scratch) }}

func (r *Record) empty() {
	if r.buf != nil {
		r.l.open.bytes.Add(-int64(len(r.buf.b)))
		if r.buf.b = r.buf.b[:0]; cap(r.buf.b) <= 64<<10 {
			answers.Put(r.buf)
		}
		r.buf = nil
	}
	r.sizes = r.sizes[:0]
	if cap(r.sizes) > 512 {
		r.sizes = nil
	}
}

// End records the outcome, with what is left of the answer. delivered are the
// edits from what the provider sent to what the client got. The outcome goes
// to disk with the next batch, soon; with StrictResponse End returns when it is
// there.
func (r *Record) End(out *flow.Outcome, delivered []Edit) error {
	buf := takeScratch()
	defer buf.give()
	text, err := meta.AppendOutcome(buf.b, out)
	if err != nil {
		return err
	}
	buf.b = text
	it, b, err := r.end(text, out, delivered)
	if err != nil {
		return err
	}
	r.l.open.remove(r)
	r.l.watch.tell(r.in, out)
	if !r.l.o.StrictResponse {
		return nil
	}
	r.l.wait(b)
	return it.err
}

func (r *Record) end(meta []byte, out *flow.Outcome, delivered []Edit) (*item, *batch, error) {
	ended, err := r.l.endedNote(out)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil, nil, errEnded
	}
	r.ended = true
	var body func([]byte) []byte
	if r.kept {
		body = (&answer{chunks: r.chunks(), hidden: r.sealed(), edits: sealEdits(r.vault, delivered)}).append
	}
	it := r.l.item(entry{kind: kindOutcome, meta: meta}, body, r.key, ended)
	r.empty()
	r.sizes = nil
	if f := r.l.fault.Load(); f != nil {
		r.l.open.remove(r)
		return nil, nil, f
	}
	return it, r.l.leave(it), nil
}

// openRecords are the flows that have no outcome yet.
type openRecords struct {
	bytes atomic.Int64 // of chunks that they hold

	mu  sync.Mutex
	all map[*Record]struct{}
}

func newOpenRecords() *openRecords { return &openRecords{all: map[*Record]struct{}{}} }

func (o *openRecords) add(r *Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[r] = struct{}{}
}

func (o *openRecords) remove(r *Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, r)
}

func (o *openRecords) list() []*Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]*Record, 0, len(o.all))
	for r := range o.all {
		all = append(all, r)
	}
	return all
}

func (o *openRecords) length() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}

// checkpoints records what has waited for long enough in the open flows.
func (l *Ledger) checkpoints() {
	if l.open.bytes.Load() == 0 {
		return
	}
	for _, r := range l.open.list() {
		r.mu.Lock()
		if len(r.sizes) > 0 && r.now().Sub(r.in.Started)-r.since >= checkpointEvery {
			r.checkpoint() // a fault is told to the flow by its next Push
		}
		r.mu.Unlock()
	}
}
