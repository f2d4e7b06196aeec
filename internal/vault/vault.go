// Package vault knows the values behind pseudonyms: which of a principal's
// values were found before, and which of them were replaced in which session.
// It keeps a bounded part of that in memory and reads the rest from the ledger,
// which holds the values sealed. It never writes a value anywhere, never gives
// one to another principal or another session, and finds nothing by itself.
package vault

import (
	"container/list"
	"fmt"
	"sync"
	"weak"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Origin says whose words a value stood in.
type Origin = ledger.Origin

// The origins.
const (
	Own  = ledger.Own
	Tool = ledger.Tool
)

// OriginOf tells by which key a value of a channel gets its pseudonym. What a
// model says repeats what it was told: see Session.Token.
func OriginOf(c flow.Channel) Origin {
	switch c {
	case flow.ToolResults, flow.ToolDefs, flow.ProviderActor:
		return Tool
	}
	return Own
}

// Value is a value that was found.
type Value struct {
	Text   []byte // decoded; not changed afterwards
	Rule   string // that found it
	Origin Origin
	Number bool // it stood there as a bare JSON number
}

// Store is where values are kept for good: the ledger.
type Store interface {
	VaultOf(principal string) ([]ledger.VaultEntry, error)
	VaultIn(principal, session string) ([]ledger.VaultEntry, error)
	VaultSecret(principal, purpose string) ([]byte, error)
}

// Bounds of what is kept in memory. What was used longest ago goes first, and
// comes back from the ledger.
const (
	maxPrincipals = 1024
	maxSessions   = 4096
	maxBytes      = 32 << 20 // of principals and of sessions, each
	maxKnown      = 4096     // values of a principal, the newest, in a quarter of maxBytes
	maxValue      = 64 << 10 // bytes of one that is looked for
)

// Vault is the values of all principals. It is safe for concurrent use.
type Vault struct {
	store Store

	mu         sync.Mutex
	principals cache[string, principal]
	sessions   cache[sessionKey, Session]
}

type sessionKey struct{ principal, session string }

// New makes a vault over what a ledger keeps.
func New(store Store) *Vault {
	return &Vault{
		store:      store,
		principals: newCache[string, principal](maxPrincipals),
		sessions:   newCache[sessionKey, Session](maxSessions),
	}
}

// Known gives the values that are known of a principal, the newest 4,096.
func (v *Vault) Known(name string) (*Known, error) {
	p, err := v.principal(name)
	if err != nil {
		return nil, err
	}
	return p.known(), nil
}

// Learn makes a value one to look for in all that its principal sends from now
// on. What the ledger did not get is forgotten with the process.
func (v *Vault) Learn(name string, value Value) error {
	p, err := v.principal(name)
	if err != nil {
		return err
	}
	p.learn(value)
	return nil
}

// Pseudonym gives what stands in the place of a value: "QZ" and 20 of A–Z and
// 2–9, the same each time for a principal, an origin, and a number or not.
func (v *Vault) Pseudonym(name string, value Value) (string, error) {
	p, err := v.principal(name)
	if err != nil {
		return "", err
	}
	return p.pseudonym(value), nil
}

// Session gives the pseudonyms that were put into a principal's session.
func (v *Vault) Session(name, session string) (*Session, error) {
	p, err := v.principal(name)
	if err != nil {
		return nil, err
	}
	key := sessionKey{name, session}
	v.mu.Lock()
	s := v.sessions.get(key)
	if s == nil {
		s = newSession(p)
		v.sessions.put(key, s)
	}
	v.mu.Unlock()
	s.load.Do(func() { s.loadErr = s.restore(v.store, name, session) })
	if s.loadErr != nil {
		v.mu.Lock()
		v.sessions.drop(key, s)
		v.mu.Unlock()
		return nil, fmt.Errorf("reading the session's vault: %w", s.loadErr)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sessions.weigh(key, s, s.size())
	return s, nil
}

func (v *Vault) principal(name string) (*principal, error) {
	v.mu.Lock()
	p := v.principals.get(name)
	if p == nil {
		p = &principal{}
		v.principals.put(name, p)
	}
	v.mu.Unlock()
	p.load.Do(func() { p.loadErr = p.restore(v.store, name) })
	if p.loadErr != nil {
		v.mu.Lock()
		v.principals.drop(name, p)
		v.mu.Unlock()
		return nil, fmt.Errorf("reading the principal's vault: %w", p.loadErr)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.principals.weigh(name, p, p.size())
	return p, nil
}

// cache holds what was used last. What somebody still has in his hands is found
// again after it was let go, so that there are never two of it.
type cache[K comparable, T any] struct {
	most   int
	all    map[K]*list.Element // of *cached[K, T]
	recent *list.List          // the latest first
	gone   map[K]weak.Pointer[T]
	bytes  int
}

type cached[K comparable, T any] struct {
	key   K
	value *T
	bytes int
}

func newCache[K comparable, T any](most int) cache[K, T] {
	return cache[K, T]{most: most, all: map[K]*list.Element{}, recent: list.New(), gone: map[K]weak.Pointer[T]{}}
}

// get gives nil for what has to be made.
func (c *cache[K, T]) get(key K) *T {
	if e := c.all[key]; e != nil {
		c.recent.MoveToFront(e)
		return e.Value.(*cached[K, T]).value
	}
	value := c.gone[key].Value()
	if value != nil {
		c.put(key, value)
	}
	return value
}

func (c *cache[K, T]) put(key K, value *T) {
	delete(c.gone, key)
	c.all[key] = c.recent.PushFront(&cached[K, T]{key: key, value: value})
}

// weigh says how many bytes an entry takes now, and lets go what is too much.
func (c *cache[K, T]) weigh(key K, value *T, bytes int) {
	e := c.all[key]
	if e == nil || e.Value.(*cached[K, T]).value != value {
		return
	}
	it := e.Value.(*cached[K, T])
	c.bytes += bytes - it.bytes
	it.bytes = bytes
	for c.recent.Len() > c.most || c.bytes > maxBytes && c.recent.Len() > 1 {
		old := c.recent.Back().Value.(*cached[K, T])
		c.remove(old)
		c.gone[old.key] = weak.Make(old.value)
	}
	if len(c.gone) > 2*c.most {
		for k, p := range c.gone {
			if p.Value() == nil {
				delete(c.gone, k)
			}
		}
	}
}

func (c *cache[K, T]) remove(it *cached[K, T]) {
	c.recent.Remove(c.all[it.key])
	delete(c.all, it.key)
	c.bytes -= it.bytes
}

// drop forgets a value that could not be made.
func (c *cache[K, T]) drop(key K, value *T) {
	if e := c.all[key]; e != nil && e.Value.(*cached[K, T]).value == value {
		c.remove(e.Value.(*cached[K, T]))
	}
}
