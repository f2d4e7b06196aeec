package text

import (
	"encoding/binary"
	"errors"
)

// Node is an object that puts a block into a request: it stands behind its
// parent, and whoever names it sends both.
type Node struct{ Ref, Parent, Block uint64 }

// carried is what a flow's request sends, said shortly: the nodes that are new
// with it, the last nodes of its chains, texts that stand in no block, and, of
// a request that is stored as one piece, its texts in their order, as far as
// they differ from an earlier flow's.
type carried struct {
	nodes []Node
	tips  []uint64
	loose []int64 // docs

	like  uint64 // number of the flow whose first texts it sends again; 0: none
	kept  int    // how many of them
	order []int64
}

func (c *carried) append(dst []byte, n uint64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.nodes)))
	last := uint64(0)
	for _, node := range c.nodes {
		dst = binary.AppendUvarint(dst, node.Ref-last)
		dst = appendBack(dst, node.Ref, node.Parent)
		dst = appendBack(dst, node.Ref, node.Block)
		last = node.Ref
	}
	dst = binary.AppendUvarint(dst, uint64(len(c.tips)))
	for _, t := range c.tips {
		dst = binary.AppendVarint(dst, int64(t-last))
		last = t
	}
	dst = appendDocs(dst, c.loose)
	dst = appendBack(dst, n, c.like)
	dst = binary.AppendUvarint(dst, uint64(c.kept))
	return appendDocs(dst, c.order)
}

func appendBack(dst []byte, from, to uint64) []byte {
	if to == 0 {
		return append(dst, 0)
	}
	return binary.AppendUvarint(dst, from-to)
}

func appendDocs(dst []byte, docs []int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(docs)))
	last := int64(0)
	for _, d := range docs {
		dst = binary.AppendVarint(dst, d-last)
		last = d
	}
	return dst
}

var errCarried = errors.New("what a flow carries is malformed")

func decodeCarried(b []byte, n uint64) (c carried, err error) {
	r := carryReader{b: b}
	last := uint64(0)
	for range r.count() {
		last += r.uvarint()
		c.nodes = append(c.nodes, Node{last, r.back(last), r.back(last)})
	}
	for range r.count() {
		last += uint64(r.varint())
		c.tips = append(c.tips, last)
	}
	c.loose = r.docs()
	c.like = r.back(n)
	c.kept = int(r.uvarint())
	c.order = r.docs()
	if r.bad || len(r.b) != 0 {
		return carried{}, errCarried
	}
	return c, nil
}

type carryReader struct {
	b   []byte
	bad bool
}

func (r *carryReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return v * r.skip(n)
}

func (r *carryReader) varint() int64 {
	v, n := binary.Varint(r.b)
	return v * int64(r.skip(n))
}

// skip gives 1, or 0 when nothing could be read.
func (r *carryReader) skip(n int) uint64 {
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return 1
}

// count reads a number of things, of which each takes a byte at least.
func (r *carryReader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return 0
	}
	return int(n)
}

func (r *carryReader) back(from uint64) uint64 {
	n := r.uvarint()
	if n == 0 || n > from {
		return 0
	}
	return from - n
}

func (r *carryReader) docs() []int64 {
	var list []int64
	last := int64(0)
	for range r.count() {
		last += r.varint()
		list = append(list, last)
	}
	return list
}

// Carrying says in how many later flows a text was sent again, and in which one
// last.
type Carrying struct {
	Times int
	Last  string // id of the flow; empty: it was not
}

// follower counts the flows of a session that send one text.
type follower struct {
	Carrying
	doc    int64
	first  uint64              // number of the flow that brought it
	blocks map[uint64]struct{} // that hold it
	nodes  bits                // that it stands in or in front of
	places map[uint64]int      // where it stands among the texts of flows that are stored as one piece
}

func (f *follower) take(n uint64, id string, c *carried) {
	for _, node := range c.nodes {
		_, holds := f.blocks[node.Block]
		if holds || node.Parent != 0 && f.nodes.has(node.Parent) {
			f.nodes.set(node.Ref)
		}
	}
	if !f.sends(n, c) || n <= f.first {
		return
	}
	f.Times++
	f.Last = id
}

func (f *follower) sends(n uint64, c *carried) bool {
	for _, t := range c.tips {
		if f.nodes.has(t) {
			return true
		}
	}
	for _, d := range c.loose {
		if d == f.doc {
			return true
		}
	}
	at, ok := f.places[c.like]
	if ok = ok && at < c.kept; !ok {
		at, ok = index(c.order, f.doc)
		at += c.kept
	}
	if ok {
		if f.places == nil {
			f.places = map[uint64]int{}
		}
		f.places[n] = at
	}
	return ok
}

func index(docs []int64, doc int64) (int, bool) {
	for i, d := range docs {
		if d == doc {
			return i, true
		}
	}
	return 0, false
}

// bits is a set of numbers that lie close together.
type bits struct {
	base  uint64 // of the first word, in words
	words []uint64
}

func (b *bits) has(n uint64) bool {
	i := n/64 - b.base
	return n/64 >= b.base && i < uint64(len(b.words)) && b.words[i]&(1<<(n%64)) != 0
}

func (b *bits) set(n uint64) {
	if len(b.words) == 0 {
		b.base = n / 64
	}
	if n/64 < b.base {
		return // numbers only grow
	}
	for uint64(len(b.words)) <= n/64-b.base {
		b.words = append(b.words, 0)
	}
	b.words[n/64-b.base] |= 1 << (n % 64)
}
