// Package strand lays the requests of a session beside each other: which blocks
// one brings that the one before it had not, where they stand in its body, and
// whose they are. It goes along the chains of nodes as they are stored, and looks
// at each node once, so that a long conversation costs what is in it and not what
// was sent of it. It never makes a body, never writes, and does no I/O but by its
// Source.
package strand

import (
	"errors"

	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// ErrOdd says that a body is not stored along its parts: it came compressed, it is
// no JSON object, or holds what only the whole body tells.
var ErrOdd = errors.New("the body is not stored along its parts")

// Source gives objects, and what stands in a body where a block refers to the
// vault.
type Source interface {
	object.Source
	Hidden(object.Ref) (Hidden, error)
}

// Hidden is a value of the vault as it stands in a body.
type Hidden struct {
	Form            []byte
	Rule, Pseudonym string
	Part            bool // some bytes of a value only
}

// Reader reads the bodies of one session. It is not for several goroutines.
type Reader struct {
	src   Source
	knots map[object.Ref]*knot
	from  []object.Ref
}

// NewReader makes a reader.
func NewReader(src Source) *Reader { return &Reader{src: src, knots: map[object.Ref]*knot{}} }

// knot is what is known of a node and of all before it in its chain.
type knot struct {
	parent object.Ref
	root   object.Ref // first block of the chain
	key    uint64     // of the block that ends here
	end    int64      // length of the chain up to here
	size   int64      // of the block that ends here
	blocks int        // that end here or before
	nodes  int        // that the block takes, so far
	ends   bool       // a block ends here
	elem   int        // of the chain's elements, the one that it is in
	role   string     // of that element, as far as it is told before the block
	late   string     // role of the element before it, told behind its blocks
	state  state      // behind the node
}

// wholeBytes is the length from which a block may be cut in several nodes.
const wholeBytes = object.MaxBlock / 2

// knot gives what is known of a node. Its ancestors are looked at first, from the
// chain's start, each once.
func (r *Reader) knot(ref object.Ref) (*knot, error) {
	if ref == 0 {
		return &knot{}, nil
	}
	r.from = r.from[:0]
	for at := ref; at != 0 && r.knots[at] == nil; {
		o, err := r.src.Object(at)
		if err != nil {
			return nil, err
		}
		if o.Node == nil {
			return nil, object.ErrMalformed
		}
		r.from = append(r.from, at)
		at = o.Node.Parent
	}
	for i := len(r.from) - 1; i >= 0; i-- {
		if err := r.tie(r.from[i]); err != nil {
			return nil, err
		}
	}
	return r.knots[ref], nil
}

// tie looks at a node whose parent is known.
func (r *Reader) tie(ref object.Ref) error {
	n, b, err := r.node(ref)
	if err != nil {
		return err
	}
	k := &knot{parent: n.Parent}
	if p := r.knots[n.Parent]; p != nil {
		k.root, k.end, k.blocks, k.state = p.root, p.end, p.blocks, p.state
		if p.state.cut {
			k.key, k.size, k.nodes, k.elem, k.role = p.key, p.size, p.nodes, p.elem, p.role
		}
	} else {
		k.root = n.Block
	}
	k.end += int64(len(n.Glue))
	if k.state.cut && len(n.Glue) > 0 || !k.state.glue(n.Glue) {
		return ErrOdd
	}
	k.late = k.state.late
	content, err := r.content(b)
	if err != nil {
		return err
	}
	if err := k.take(n, content); err != nil {
		return err
	}
	r.knots[ref] = k
	return nil
}

// take adds a node's content: a block, some of one, or glue that was too long to
// stand beside one.
func (k *knot) take(n *object.Node, content []byte) error {
	size := int64(len(content))
	for _, h := range n.Holes {
		size += int64(len(h.Put))
	}
	k.end += size
	s := &k.state
	switch {
	case s.cut:
	case !looksWhole(content) && !(len(content) >= wholeBytes && opens(content)):
		if !s.glue(content) {
			return ErrOdd
		}
		k.late = s.late
		return nil
	default:
		s.value()
		k.size, k.nodes, k.key = 0, 0, 0
		k.elem, k.role = s.elem, s.role
	}
	k.size, k.nodes = k.size+size, k.nodes+1
	k.key = k.key*0x9E3779B97F4A7C15 + n.Block
	if s.cut || len(content) >= wholeBytes {
		s.long(content)
	}
	if s.cut {
		return nil
	}
	k.ends = true
	k.blocks++
	return nil
}

// looksWhole reports whether a content begins and ends as a JSON value. Glue does
// not: it begins behind a value or ends before one.
func looksWhole(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch last := b[len(b)-1]; b[0] {
	case '{':
		return last == '}'
	case '[':
		return last == ']'
	case '"':
		return last == '"' && len(b) > 1
	case ',', ':', '}', ']', ' ', '\t', '\n', '\r':
		return false
	}
	return true
}

func opens(b []byte) bool { return b[0] == '{' || b[0] == '[' || b[0] == '"' }

func (r *Reader) node(ref object.Ref) (*object.Node, object.Block, error) {
	o, err := r.src.Object(ref)
	if err != nil {
		return nil, object.Block{}, err
	}
	if o.Node == nil {
		return nil, object.Block{}, object.ErrMalformed
	}
	b, err := r.src.Object(o.Node.Block)
	if err != nil {
		return nil, object.Block{}, err
	}
	if b.Node != nil || b.Secret != nil {
		return nil, object.Block{}, object.ErrMalformed
	}
	return o.Node, b.Block, nil
}

// content gives what a block stands for.
func (r *Reader) content(b object.Block) ([]byte, error) { return b.Content(forms{r.src}) }

type forms struct{ Source }

func (f forms) Value(ref object.Ref) ([]byte, error) {
	h, err := f.Hidden(ref)
	return h.Form, err
}
