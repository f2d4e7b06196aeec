// Package object is the form in which bodies are kept: blocks that are stored
// once, nodes that chain them, the skeleton that makes a body of them again,
// the chunks of an answer, the edits between two bodies. It turns them into
// bytes and back; it does no I/O and does not know who refers to what.
package object

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed says that bytes are not what this package made.
var ErrMalformed = errors.New("malformed object")

// MaxBlock is the longest block. A longer piece becomes several nodes.
const MaxBlock = 1 << 20

// Ref is the number of an object within its session; 0 is none. An object
// refers to lower numbers only.
type Ref = uint64

// The forms of a block.
const (
	Literal = 0 // its data is its content
	Mixed   = 1 // its data is literals and vault references
)

// Block is the content of a part, without what was lifted out of it.
type Block struct {
	Form byte
	Data []byte
}

// Hole puts bytes that were lifted out of a block back in.
type Hole struct {
	At  int // offset in the block's content; ascending
	Put []byte
}

// Node is one step of a chain: what its parent says, then glue, then a block.
type Node struct {
	Parent Ref // 0: the chain starts here
	Block  Ref
	Glue   []byte
	Holes  []Hole
}

// Object is a block or, when Node is not nil, a node, or, when Secret is not
// nil, a value of the vault.
type Object struct {
	Block  Block
	Node   *Node
	Secret *Secret
}

const (
	tagBlock  = 1
	tagNode   = 2
	tagSecret = 3
)

// AppendBlock encodes a block.
func AppendBlock(dst []byte, b Block) []byte {
	dst = append(dst, tagBlock, b.Form)
	return appendBytes(dst, b.Data)
}

// AppendNode encodes the node with the number self.
func AppendNode(dst []byte, self Ref, n *Node) []byte {
	dst = append(dst, tagNode)
	dst = appendRef(dst, self, n.Parent)
	dst = appendRef(dst, self, n.Block)
	dst = appendBytes(dst, n.Glue)
	dst = binary.AppendUvarint(dst, uint64(len(n.Holes)))
	for _, h := range n.Holes {
		dst = binary.AppendUvarint(dst, uint64(h.At))
		dst = appendBytes(dst, h.Put)
	}
	return dst
}

// Decode reads the object with the number self, which b begins with, and gives
// what follows it. The object aliases b.
func Decode(b []byte, self Ref) (Object, []byte, error) {
	r := reader{b: b}
	var o Object
	switch r.byte() {
	case tagBlock:
		o.Block.Form = r.byte()
		o.Block.Data = r.bytes()
		if o.Block.Form > Mixed {
			r.fail()
		}
	case tagNode:
		o.Node = r.node(self)
	case tagSecret:
		o.Secret = r.secret()
	default:
		r.fail()
	}
	return o, r.b, r.err
}

func (r *reader) node(self Ref) *Node {
	n := &Node{Parent: r.ref(self), Block: r.ref(self), Glue: r.bytes()}
	if n.Block == 0 {
		r.fail()
	}
	count := r.count(2)
	for range count {
		n.Holes = append(n.Holes, Hole{At: r.count(0), Put: r.bytes()})
	}
	return n
}

// appendRef writes how far back ref is, which is small and so compresses well.
func appendRef(dst []byte, self, ref Ref) []byte {
	if ref == 0 {
		return append(dst, 0)
	}
	return binary.AppendUvarint(dst, self-ref)
}

func (r *reader) ref(self Ref) Ref {
	back := r.uvarint()
	if back == 0 {
		return 0
	}
	if back >= self {
		r.fail()
		return 0
	}
	return self - back
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

// reader takes values off the front of b. After the first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = ErrMalformed
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things of which each takes at least size bytes.
func (r *reader) count(size int) int {
	v := r.uvarint()
	if v > 1<<40 || size > 0 && v > uint64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}
