package ledger

import (
	"container/list"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// scope is what one session has stored: blocks are shared, and addresses
// mean something, only within it.
type scope struct {
	key   *keys.Key
	safe  safe
	name  string // of scopes.byName
	epoch uint64 // of scopes when it was made

	inflight atomic.Int64 // entries with objects that the index does not have yet
	users    int          // scopes.mu; who keeps it from being evicted
	bytes    int          // scopes.mu; what it was last counted as
	place    *list.Element

	mu      sync.Mutex // held while objects are numbered and their entry is enqueued: numbers are in the entries' order
	loaded  bool
	named   bool // the index knows the session's name
	claimed string
	owner   string
	next    object.Ref
	floor   object.Ref // nothing new refers to an object below
	since   uint64     // segment of the object with the number floor, or an earlier one
	objects map[object.Address]object.Ref
	address *object.Addresser
}

// bounds of what the scopes keep in memory; the rest is loaded again when it
// is needed.
const (
	maxScopes     = 2048
	maxScopeBytes = 24 << 20
	scopeBytes    = 3 << 10 // of an empty scope, about
	objectBytes   = 48      // of one address in a map, about
	evictLooks    = 8       // scopes looked at for each that is let go
)

// scopes holds the scopes of active sessions.
type scopes struct {
	l     *Ledger
	epoch atomic.Uint64 // counts the times that all were given up

	mu     sync.Mutex
	byName map[string]*scope
	recent *list.List // of *scope, the latest first
	bytes  int
}

func newScopes(l *Ledger) *scopes {
	return &scopes{l: l, byName: map[string]*scope{}, recent: list.New()}
}

// use gives the scope of a session, which stays in memory until done.
func (s *scopes) use(principal, session string) (*scope, error) {
	name := fmt.Sprintf("%d %s%s", len(principal), principal, session)
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.byName[name]
	if sc == nil {
		_, known := s.l.ring.Known(principal, session)
		key, err := s.l.ring.Session(principal, session)
		if err != nil {
			return nil, fmt.Errorf("getting session key: %w", err)
		}
		vault, err := s.l.ring.Vault(principal)
		if err != nil {
			return nil, fmt.Errorf("getting vault key: %w", err)
		}
		sc = &scope{key: key, safe: safe{key: vault, scope: key.ID, session: session}, name: name, owner: principal, claimed: session, epoch: s.epoch.Load()}
		if !known {
			sc.begin() // there is nothing to load
		}
		s.byName[name] = sc
		sc.place = s.recent.PushFront(sc)
		sc.bytes = scopeBytes
		s.bytes += sc.bytes
	}
	s.recent.MoveToFront(sc.place)
	sc.users++
	return sc, nil
}

// done lets a scope go that use gave.
func (s *scopes) done(sc *scope) {
	sc.mu.Lock()
	bytes := scopeBytes + objectBytes*len(sc.objects)
	sc.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	sc.users--
	if s.byName[sc.name] != sc {
		return
	}
	s.bytes += bytes - sc.bytes
	sc.bytes = bytes
	s.evict()
}

// evict forgets what was used longest ago. A scope whose entries are not in the
// index yet stays: loaded again it would miss them. It counts as used just now, and
// only a few are looked at a time: no call pays for all that the index has yet to take.
func (s *scopes) evict() {
	for range evictLooks {
		if s.bytes <= maxScopeBytes && len(s.byName) <= maxScopes {
			return
		}
		sc := s.recent.Back().Value.(*scope)
		if sc.users == 0 && sc.inflight.Load() == 0 {
			s.forget(sc)
		} else {
			s.recent.MoveToFront(sc.place)
		}
	}
}

func (s *scopes) forget(sc *scope) {
	delete(s.byName, sc.name)
	s.recent.Remove(sc.place)
	s.bytes -= sc.bytes
}

// drop gives all scopes up: what they hold as stored may not be on disk.
// Entries that were made with them are refused from now on.
func (s *scopes) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch.Add(1)
	for _, sc := range s.byName {
		s.forget(sc)
	}
}

// ready brings a scope's objects into memory. sc.mu is held.
func (sc *scope) ready(l *Ledger) error {
	if !sc.loaded {
		if err := sc.load(l); err != nil {
			return err
		}
	}
	if sc.since != 0 && sc.since < l.horizon.Load() {
		sc.restart() // retention will take what it refers to
	}
	return nil
}

// load asks the index, which has all of the session: a scope is evicted only
// when nothing of it is in flight. After scopes were given up that may not be
// so, and the index catches up first.
func (sc *scope) load(l *Ledger) error {
	if sc.epoch > 0 {
		if err := l.applyPending(); err != nil {
			return err
		}
	}
	runs, err := l.directory(sc.key.ID)
	if err != nil {
		return err
	}
	sc.begin()
	if len(runs) > 0 {
		sc.fromRuns(runs)
	}
	return nil
}

func (sc *scope) begin() {
	sc.next, sc.floor, sc.since, sc.loaded = 1, 1, 0, true
	sc.objects = map[object.Address]object.Ref{}
	sc.address = object.NewAddresser(sc.key.Address)
}

// fromRuns takes the objects from the last restart on. When some of them are
// gone, none is used.
func (sc *scope) fromRuns(runs []run) {
	last := runs[len(runs)-1]
	sc.next, sc.floor = last.end(), last.floor
	i := slices.IndexFunc(runs, func(r run) bool { return r.first >= sc.floor })
	at := sc.floor
	for _, r := range runs[i:] {
		if r.first != at {
			sc.restart()
			return
		}
		for _, a := range r.addresses {
			sc.objects[a] = at
			at++
		}
	}
	sc.since = runs[i].at.Segment
}

// restart makes the scope refer to nothing that is stored so far.
func (sc *scope) restart() {
	sc.floor, sc.since = sc.next, 0
	clear(sc.objects)
}
