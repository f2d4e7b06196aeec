package remote

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// cache keeps what detectors said, so that a text that comes again is not sent
// again. It holds no text: keys are keyed hashes of 128 bits, whose seeds are
// random, so that nobody can look for two texts that share one. Failures are not
// kept. What was not asked for longest gives way.
type cache struct {
	seeds [2]maphash.Seed
	limit int

	mu      sync.Mutex // guards what follows
	bytes   int
	entries map[cacheKey]*list.Element
	order   *list.List // of *cached, the newest first
}

type cacheKey struct {
	a, b     uint64
	size     int
	detector string
	way      Direction
}

type cached struct {
	key     cacheKey
	verdict *verdict
}

func newCache(limit int) *cache {
	return &cache{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, limit: limit,
		entries: map[cacheKey]*list.Element{}, order: list.New(),
	}
}

func (c *cache) key(detector string, way Direction, text string) cacheKey {
	return cacheKey{maphash.String(c.seeds[0], text), maphash.String(c.seeds[1], text), len(text), detector, way}
}

func (c *cache) get(detector string, way Direction, text string) *verdict {
	key := c.key(detector, way, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).verdict
}

func (c *cache) put(detector string, way Direction, text string, v *verdict) {
	n := &cached{c.key(detector, way, text), v}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[n.key] != nil || n.size() > c.limit {
		return
	}
	c.entries[n.key] = c.order.PushFront(n)
	for c.bytes += n.size(); c.bytes > c.limit; {
		old := c.order.Remove(c.order.Back()).(*cached)
		delete(c.entries, old.key)
		c.bytes -= old.size()
	}
}

// size is the memory that an entry takes, about.
func (n *cached) size() int {
	size := 300
	for _, s := range n.verdict.spans {
		size += 100 + len(s.name) + len(s.note)
	}
	return size
}
