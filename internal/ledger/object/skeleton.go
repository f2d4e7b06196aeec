package object

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Item is a stretch of a body: the bytes themselves, or a chain that ends in
// Tip followed by Tail.
type Item struct {
	Bytes []byte // when Tip is 0
	Tip   Ref
	Tail  []byte
}

// AppendItem encodes an item of a skeleton. An item without a tip is literal.
func AppendItem(dst []byte, it Item) []byte {
	dst = binary.AppendUvarint(dst, it.Tip)
	if it.Tip == 0 {
		return appendBytes(dst, it.Bytes)
	}
	return appendBytes(dst, it.Tail)
}

// DecodeSkeleton reads the items that b is made of.
func DecodeSkeleton(b []byte) ([]Item, error) {
	var items []Item
	r := reader{b: b}
	for len(r.b) > 0 {
		it := Item{Tip: r.uvarint()}
		if it.Tip == 0 {
			it.Bytes = r.bytes()
		} else {
			it.Tail = r.bytes()
		}
		items = append(items, it)
	}
	return items, r.err
}

// Source gives objects by their number.
type Source interface {
	Object(Ref) (Object, error)
}

// ErrTooLong says that a body would be longer than it is said to be.
var ErrTooLong = errors.New("body is longer than recorded")

// Render makes the body of a skeleton, limit bytes at most.
func Render(items []Item, src Source, v Vault, limit int64) ([]byte, error) {
	out := renderer{src: src, vault: v, limit: limit}
	for _, it := range items {
		if it.Tip == 0 {
			out.put(it.Bytes)
			continue
		}
		if err := out.chain(it.Tip); err != nil {
			return nil, err
		}
		out.put(it.Tail)
	}
	if out.over {
		return nil, ErrTooLong
	}
	return out.body, nil
}

type renderer struct {
	src   Source
	vault Vault
	limit int64
	body  []byte
	over  bool
}

func (r *renderer) put(b []byte) {
	if int64(len(r.body)+len(b)) > r.limit {
		r.over = true
		return
	}
	r.body = append(r.body, b...)
}

func (r *renderer) chain(tip Ref) error {
	var nodes []*Node
	for ref := tip; ref != 0; {
		o, err := r.src.Object(ref)
		if err != nil {
			return err
		}
		if o.Node == nil {
			return fmt.Errorf("object %d is no node: %w", ref, ErrMalformed)
		}
		nodes = append(nodes, o.Node)
		ref = o.Node.Parent
	}
	for _, n := range slices.Backward(nodes) {
		if err := r.node(n); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) node(n *Node) error {
	o, err := r.src.Object(n.Block)
	if err != nil {
		return err
	}
	if o.Node != nil || o.Secret != nil {
		return fmt.Errorf("object %d is no block: %w", n.Block, ErrMalformed)
	}
	content, err := o.Block.Content(r.vault)
	if err != nil {
		return err
	}
	r.put(n.Glue)
	at := 0
	for _, h := range n.Holes {
		if h.At < at || h.At > len(content) {
			return ErrMalformed
		}
		r.put(content[at:h.At])
		r.put(h.Put)
		at = h.At
	}
	r.put(content[at:])
	return nil
}
