// Package ledger is the record of every flow: what was asked, decided,
// forwarded, answered and delivered, byte for byte, appended to encrypted
// segments and durable before anything is forwarded. Everything else in its
// folder but the keys can be rebuilt from the segments. It never alters an
// entry, never decides about a flow, and puts no content in a log or an error.
package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

// Mode says when Begin returns.
type Mode int

// Strict: when the intent is durable. Bounded: when it is written; a crash of
// the system may cost what was written in the last Window.
const (
	Strict Mode = iota
	Bounded
)

func (m Mode) String() string {
	if m == Bounded {
		return "bounded"
	}
	return "strict"
}

// Options say where a ledger is and how it keeps. Zero fields but Dir have
// the defaults that are named.
type Options struct {
	Dir            string
	KEK            []byte // 32 bytes; nil: from the file kek in Dir, made on first start
	Mode           Mode
	Window         time.Duration // of Bounded; 50 ms
	StrictResponse bool          // End returns when the outcome is durable
	SegmentBytes   int64         // a segment is closed at; 64 MiB
	MaxBytes       int64         // the oldest segments are removed above; 0: never
	Reserve        int64         // free disk below which new flows are refused; 32 MiB; negative: none
	MaxAge         time.Duration // whole segments older are removed; 0: never
	FS             disk.FS       // the operating system's
	Now            func() time.Time
	Log            *slog.Logger // nil: none
}

func (o *Options) fill() {
	o.Window = or(o.Window, 50*time.Millisecond)
	o.SegmentBytes = or(o.SegmentBytes, 64<<20)
	o.Reserve = or(o.Reserve, 32<<20)
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Ledger is an open ledger. Its methods are safe for use by many goroutines.
type Ledger struct {
	o        Options
	log      *slog.Logger
	ring     *keys.Ring
	house    *keys.Key // of entries that belong to no session
	codec    *codec
	index    *index.Index
	tags     *sync.Pool // of hash.Hash, for the index's keyed ids
	findings *sync.Pool // likewise, for the ids of findings

	indexed index.Mark // pending.apply; how far the index is

	queue   *queue
	writer  *writer
	scopes  *scopes
	pending *pending
	open    *openRecords
	readers *readers
	traits  *traits
	names   *names
	watch   *watchers
	texts   *texts
	figures figures

	keep    sync.RWMutex // read-held while segments must not be removed
	closing atomic.Bool
	fault   atomic.Pointer[flow.Refusal] // set once, when the disk has failed
	full    atomic.Bool                  // less than Reserve is free, or a write found no room
	running atomic.Bool                  // Run's writer takes the queue
	horizon atomic.Uint64                // new entries refer to no object in segments below
	removed atomic.Uint64                // segments up to this one were removed by retention

	closed sync.Once
}

// Open opens the ledger in a folder, made when it is missing, and brings it
// in order: a torn tail is cut off and kept aside, the index catches up, and a
// flow that a crash left open gets the outcome Unknown. The caller holds the
// folder's lock.
func Open(o Options) (*Ledger, error) {
	o.fill()
	l := &Ledger{o: o, log: o.Log}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	if err := l.recover(); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *Ledger) path(name ...string) string {
	return filepath.Join(append([]string{l.o.Dir}, name...)...)
}

// prepare opens everything but the segments.
func (l *Ledger) prepare() (err error) {
	if err := l.o.FS.Mkdir(l.path("segments")); err != nil {
		return fmt.Errorf("making ledger folder: %w", err)
	}
	if err := checkFormat(l.o.FS, l.path("format")); err != nil {
		return err
	}
	ring, kek := l.path("keys.db"), l.o.KEK
	if err := l.checkKeys(ring); err != nil {
		return err
	}
	if kek == nil {
		if kek, err = loadKEK(l.o.FS, l.path("kek"), ring); err != nil {
			return err
		}
	}
	if l.ring, err = keys.Open(l.o.FS, ring, kek, l.o.Now); err != nil {
		return err
	}
	if l.house, err = l.ring.Session("", ""); err != nil {
		return fmt.Errorf("opening the house's key: %w", err)
	}
	l.tags, l.findings = keyed(l.ring.Subkey("index tags")), keyed(l.ring.Subkey("finding"))
	if l.codec, err = newCodec(); err != nil {
		return err
	}
	if l.index, err = index.Open(l.path("index.db")); err != nil {
		return fmt.Errorf("opening index: %w", err)
	}
	l.queue, l.pending, l.open = newQueue(), newPending(), newOpenRecords()
	l.scopes, l.readers, l.watch = newScopes(l), newReaders(l), &watchers{}
	l.traits, l.names = newTraits(l), newNames(l)
	l.texts = newTexts(l)
	return nil
}

// Subkey gives a secret of 32 bytes for a purpose, the same each time.
func (l *Ledger) Subkey(label string) []byte { return l.ring.Subkey(label) }

// Recall tells how many turns are recorded of a principal's session, and when
// its last flow started; zero for a session of which nothing is. It looks at
// what is durable, and is much cheaper than Sessions.
func (l *Ledger) Recall(principal, session string) (turns int, last time.Time, err error) {
	key, ok := l.ring.Known(principal, session)
	if !ok {
		return 0, time.Time{}, nil
	}
	l.pending.apply.Lock() // what is on its way into the index is counted once
	defer l.pending.apply.Unlock()
	turns, started, err := l.index.Turns(key)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("reading the index: %w", err)
	}
	more, later := l.pending.turns(key)
	if started = max(started, later); started > 0 {
		last = time.UnixMilli(started).UTC()
	}
	return turns + more, last, nil
}

// Ready tells whether a flow may begin. The error is a *flow.Refusal.
func (l *Ledger) Ready() error {
	if r := l.fault.Load(); r != nil {
		return r
	}
	switch {
	case l.closing.Load():
		return errClosing
	case l.full.Load():
		return errFull
	case l.pending.over():
		return errBehind
	}
	return nil
}

var (
	errClosing = &flow.Refusal{Status: 503, Kind: "ledger_closing", Text: "the ledger is closing: nothing can be recorded, so nothing is forwarded"}
	errBehind  = &flow.Refusal{Status: 503, Kind: "ledger_behind", Text: "the ledger's index can't be written: new flows would not be found, so nothing is forwarded"}
	errFull    = &flow.Refusal{Status: 503, Kind: "ledger_full", Text: "the ledger's disk is nearly full: nothing can be recorded, so nothing is forwarded"}
)

// poison ends all writing. Nobody knows what a failed write or sync left on
// disk, and asking again would get a yes for data that is gone (fsync reports
// an error once). The next Open reads what is there.
func (l *Ledger) poison(err error) *flow.Refusal {
	r := &flow.Refusal{Status: 503, Kind: "ledger_fault", Text: "the ledger can't be written: nothing can be recorded, so nothing is forwarded", Err: err}
	if l.fault.CompareAndSwap(nil, r) {
		l.log.Error("ledger can't be written; refusing all flows until restart", "err", err)
	}
	return l.fault.Load()
}

// Close writes what waits, gives the zeros at the end back, and closes the
// files. Flows that are open stay open on disk: the next Open ends them.
func (l *Ledger) Close() (err error) {
	l.closed.Do(func() {
		l.closing.Store(true)
		l.full.Store(false) // what is held gets a last try
		l.drive()
		if n := l.writer.heldBytes.Load(); n > 0 {
			l.log.Error("no room for outcomes; their flows will be unknown", "bytes", n)
		}
		err = errors.Join(l.applyPending(), l.writer.finish(), l.release())
		if !l.fault.CompareAndSwap(nil, errClosing) {
			err = errors.Join(l.fault.Load(), err)
		}
	})
	return err
}

func (l *Ledger) release() error {
	err := l.texts.close()
	l.readers.close()
	err = errors.Join(err, l.index.Close(), l.ring.Close())
	l.codec.close()
	return err
}
