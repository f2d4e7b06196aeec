package inspect

import (
	"container/list"
	"encoding/binary"
	"hash/maphash"
	"sync"
)

// Cache keeps results of scans, so that what an agent sends again is not scanned
// again. It is safe for concurrent use. When it is full the result that was not
// asked for longest gives way.
type Cache struct {
	seeds [2]maphash.Seed
	limit int

	mu      sync.Mutex // guards what follows
	size    int
	entries map[cacheKey]*list.Element
	order   *list.List // of *cached, the newest first
}

// Sum is a keyed hash of 128 bits of a text. The seeds are random: nobody can look
// for two texts that share one.
type Sum struct{ a, b uint64 }

// cacheKey is the sum of the scanned bytes, and all else that a result depends on.
type cacheKey struct {
	Sum
	size        int
	json, media bool
	version     string
	known       string
}

type cached struct {
	key    cacheKey
	result Result
	size   int
}

// NewCache makes a cache that holds at most limit bytes.
func NewCache(limit int) *Cache {
	return &Cache{
		seeds:   [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		limit:   limit,
		entries: make(map[cacheKey]*list.Element),
		order:   list.New(),
	}
}

// Sum gives the sum of a text that comes in parts.
func (c *Cache) Sum(parts ...[]byte) Sum {
	if len(parts) == 1 {
		return Sum{maphash.Bytes(c.seeds[0], parts[0]), maphash.Bytes(c.seeds[1], parts[0])}
	}
	var a, b maphash.Hash
	a.SetSeed(c.seeds[0])
	b.SetSeed(c.seeds[1])
	for _, part := range parts {
		a.Write(part)
		b.Write(part)
	}
	return Sum{a.Sum64(), b.Sum64()}
}

// Append appends the sum's bytes.
func (s Sum) Append(b []byte) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, s.a), s.b)
}

// Scan is e.Scan, from the cache when it has the result. Results share memory:
// they must not be changed.
func (c *Cache) Scan(e *Engine, b []byte, o Options) Result { return c.ScanSum(e, b, c.Sum(b), o) }

// ScanSum is Scan for bytes whose sum is known.
func (c *Cache) ScanSum(e *Engine, b []byte, sum Sum, o Options) Result {
	key := cacheKey{Sum: sum, size: len(b), json: o.JSON, media: o.Media, version: e.version, known: o.Known.ID()}
	if r, ok := c.get(key); ok {
		return r
	}
	r := e.Scan(b, o)
	c.put(key, r)
	return r
}

func (c *Cache) get(key cacheKey) (Result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.entries[key]
	if !ok {
		return Result{}, false
	}
	c.order.MoveToFront(at)
	return at.Value.(*cached).result, true
}

func (c *Cache) put(key cacheKey, r Result) {
	n := &cached{key, r, r.bytes() + cachedBytes}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok || n.size > c.limit {
		return
	}
	c.entries[key] = c.order.PushFront(n)
	c.size += n.size
	for c.size > c.limit {
		oldest := c.order.Back()
		old := c.order.Remove(oldest).(*cached)
		delete(c.entries, old.key)
		c.size -= old.size
	}
}

// Size is the number of bytes that the cache holds, and of results.
func (c *Cache) Size() (bytes, results int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size, len(c.entries)
}

// cachedBytes is about what an entry takes beside its result.
const cachedBytes = 400

// bytes is about what a result takes.
func (r *Result) bytes() int {
	n := len(r.Cut) + 64*len(r.Unread) + 16*len(r.Edge.found)
	for _, m := range r.Matches {
		n += 160 + len(m.Value) + len(m.Secret) + 16*len(m.Via)
	}
	for _, m := range r.Inner {
		n += 120 + len(m.Value) + 16*len(m.Between)
	}
	for _, e := range []*ends{&r.Edge.values, &r.Edge.whole} {
		for _, t := range []*thread{&e.head, &e.tail} {
			n += cap(t.text) + 16*cap(t.pieces)
		}
	}
	return n
}
