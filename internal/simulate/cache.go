package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"slices"
	"sync"
)

// cache knows which prompts it has seen, as the providers' prompt caches do:
// a request whose bytes changed on the way would miss it, and say so in its
// usage. It holds hashes only, 100,000 of them at most; then it starts over.
type cache struct {
	mu   sync.Mutex
	seen map[[32]byte]bool
}

// marker is an Anthropic cache marker. It moves from turn to turn, so it is no
// part of what is cached.
var marker = regexp.MustCompile(`,?"cache_control":\{[^}]*\}`)

// count tells how the tokens of a prompt are billed. Its first cached blocks
// may be read from the cache, or else are written to it.
func (c *cache) count(scope string, blocks [][]byte, cached int) (u usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) > 100_000 {
		c.seen = map[[32]byte]bool{}
	}
	sum := sha256.Sum256([]byte(scope))
	for i, b := range blocks {
		n := tokens(len(b))
		if i >= cached {
			u.fresh += n
			continue
		}
		sum = chain(sum, b)
		if c.seen[sum] { // and so were all before it: the sum is theirs, too
			u.read += n
			continue
		}
		c.seen[sum] = true
		u.write += n
	}
	return u
}

func chain(sum [32]byte, block []byte) [32]byte {
	h := sha256.New()
	h.Write(sum[:])
	_ = binary.Write(h, binary.BigEndian, uint64(len(block)))
	h.Write(block)
	return [32]byte(h.Sum(nil))
}

// store keeps answered Responses so that later requests can continue them. It
// is bounded: the oldest are forgotten, and continuing them is the error that
// the provider gives.
type store struct {
	mu    sync.Mutex
	nodes map[string]node
	order []string
	bytes int
}

// node is one response: the items of its request and of its answer, and what
// it continues.
type node struct {
	prev  string
	items []json.RawMessage
	body  json.RawMessage // the whole response object
}

func (n node) size() int {
	size := 256 + len(n.body)
	for _, it := range n.items {
		size += len(it)
	}
	return size
}

const storeBytes = 64 << 20

func (s *store) put(id string, n node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes == nil {
		s.nodes = map[string]node{}
	}
	s.nodes[id] = n
	s.order = append(s.order, id)
	s.bytes += n.size()
	for s.bytes > storeBytes && len(s.order) > 1 {
		old := s.order[0]
		s.order = s.order[1:]
		s.bytes -= s.nodes[old].size()
		delete(s.nodes, old)
	}
}

// conversation gives the items from the start up to the response id. It is
// not ok when any part of them was never there or is forgotten.
func (s *store) conversation(id string) (items []json.RawMessage, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var chain []node
	for id != "" {
		n, known := s.nodes[id]
		if !known {
			return nil, false
		}
		chain = append(chain, n)
		id = n.prev
	}
	for _, n := range slices.Backward(chain) {
		items = append(items, n.items...)
	}
	return items, true
}

func (s *store) body(id string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.nodes[id]
	return n.body, ok
}
