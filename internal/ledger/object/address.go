package object

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// Address is what an object is found by: a keyed hash of what it says, cut to
// 16 bytes. Without the key nobody can tell whether a guess is right.
type Address [16]byte

// Addresser makes the addresses of one session. It is for one goroutine at a
// time.
type Addresser struct {
	mac hash.Hash
	buf []byte
	sum [sha256.Size]byte
}

// NewAddresser makes addresses with a key.
func NewAddresser(key []byte) *Addresser { return &Addresser{mac: hmac.New(sha256.New, key)} }

// Block gives the address of a literal block whose content comes in parts.
func (a *Addresser) Block(parts ...[]byte) Address {
	a.mac.Reset()
	a.buf = append(a.buf[:0], tagBlock, Literal)
	a.mac.Write(a.buf)
	for _, p := range parts {
		a.mac.Write(p)
	}
	return a.done()
}

// Node gives the address of a node.
func (a *Addresser) Node(n *Node) Address {
	a.mac.Reset()
	a.buf = append(a.buf[:0], tagNode)
	a.buf = binary.LittleEndian.AppendUint64(a.buf, n.Parent)
	a.buf = binary.LittleEndian.AppendUint64(a.buf, n.Block)
	a.buf = appendBytes(a.buf, n.Glue)
	for _, h := range n.Holes {
		a.buf = binary.AppendUvarint(a.buf, uint64(h.At))
		a.buf = appendBytes(a.buf, h.Put)
	}
	a.mac.Write(a.buf)
	return a.done()
}

// Of gives the address of any object. A mixed block's is over its form and
// data; a secret carries its own, which only its vault's key can make.
func (a *Addresser) Of(o Object) Address {
	if o.Secret != nil {
		return o.Secret.Address
	}
	if o.Node != nil {
		return a.Node(o.Node)
	}
	if o.Block.Form == Literal {
		return a.Block(o.Block.Data)
	}
	a.mac.Reset()
	a.buf = append(a.buf[:0], tagBlock, o.Block.Form)
	a.mac.Write(a.buf)
	a.mac.Write(o.Block.Data)
	return a.done()
}

func (a *Addresser) done() Address { return Address(a.mac.Sum(a.sum[:0])[:16]) }
