package strand

import (
	"hash/maphash"

	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Body is a request as its top-level members.
type Body struct {
	Fields []Field
	doc    []byte // of a body that was read whole
}

// Field is a member of the top-level object, or of an object that wraps a whole
// request in it.
type Field struct {
	Name  string
	start int64
	raw   []byte     // of a short value, or in a body that was read whole
	tip   object.Ref // else: the last node of its chain
	tail  []byte     // behind it
	end   *knot
	list  []Block // of a run in a body that was read whole
	run   bool
}

// Block is one block of a body, without its content.
type Block struct {
	Key   uint64 // the same content has the same key
	Field string
	Role  string // "" when the block names it itself, or nothing does
	Start int64  // offset in the body
	Size  int64

	ref   object.Ref // its last node
	nodes int
	elem  int
	raw   []byte // of a short value
}

// Layout reads the skeleton of a body. ErrOdd: it has to be read whole.
func (r *Reader) Layout(items []object.Item) (*Body, error) {
	o := outline{r: r, want: wantObject}
	for i := range items {
		if err := o.item(&items[i]); err != nil {
			return nil, err
		}
	}
	if o.want != wantEnd {
		return nil, ErrOdd
	}
	return &Body{Fields: o.fields}, nil
}

// want says what comes next in the top-level object.
type want uint8

const (
	wantObject want = iota
	wantName
	wantColon
	wantValue
	wantMore
	wantEnd
)

type outline struct {
	r      *Reader
	fields []Field
	at     int64
	level  int // of open objects: 1, or 2 in a wrapper
	want   want
	name   string
}

func (o *outline) item(it *object.Item) error {
	if it.Tip == 0 {
		return o.literal(it.Bytes)
	}
	if o.want == wantValue {
		return o.chain(it)
	}
	// What stands beside the runs was too long to be literal.
	n, b, err := o.r.node(it.Tip)
	if err != nil {
		return err
	}
	if n.Parent != 0 || len(n.Glue) > 0 || len(n.Holes) > 0 {
		return ErrOdd
	}
	content, err := o.r.content(b)
	if err != nil {
		return err
	}
	if err := o.literal(content); err != nil {
		return err
	}
	return o.literal(it.Tail)
}

func (o *outline) chain(it *object.Item) error {
	k, err := o.r.knot(it.Tip)
	if err != nil {
		return err
	}
	if k.state.cut {
		return ErrOdd
	}
	o.fields = append(o.fields, Field{Name: o.name, start: o.at, tip: it.Tip, tail: it.Tail, end: k})
	o.at += k.end + int64(len(it.Tail))
	o.want = wantMore
	return nil
}

func (o *outline) literal(b []byte) error {
	for i := 0; i < len(b); {
		c := b[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			i++
			continue
		}
		n := o.token(c, b[i:], o.at+int64(i))
		if n <= 0 {
			return ErrOdd
		}
		i += n
	}
	o.at += int64(len(b))
	return nil
}

// token takes what b begins with and gives its length; 0: it does not belong
// there.
func (o *outline) token(c byte, b []byte, at int64) int {
	switch {
	case o.want == wantObject && c == '{':
		o.level, o.want = 1, wantName
	case o.want == wantName && c == '"':
		n := quoted(b)
		if n > 0 {
			o.name, o.want = peek.String(b[:n]), wantColon
		}
		return n
	case o.want == wantColon && c == ':':
		o.want = wantValue
	case o.want == wantValue && c == '{' && o.name == "request" && o.level == 1:
		o.level, o.want = 2, wantName
	case o.want == wantValue:
		n := valueLen(b)
		if n > 0 {
			o.fields = append(o.fields, Field{Name: o.name, start: at, raw: b[:n]})
			o.want = wantMore
		}
		return n
	case o.want == wantMore && c == ',':
		o.want = wantName
	case (o.want == wantMore || o.want == wantName) && c == '}':
		o.want = wantMore
		if o.level--; o.level == 0 {
			o.want = wantEnd
		}
	default:
		return 0
	}
	return 1
}

// valueLen gives the length of the value that b begins with; 0: it does not end.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n < 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
			continue
		default:
			if depth > 0 || i+1 < len(b) && !ends(b[i+1]) {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

func ends(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

// Get gives a field by the first of some names that the body has; of fields with
// the same name the last one counts. It may be nil.
func (b *Body) Get(names ...string) *Field {
	for _, name := range names {
		for i := len(b.Fields) - 1; i >= 0; i-- {
			if b.Fields[i].Name == name {
				return &b.Fields[i]
			}
		}
	}
	return nil
}

var seed = maphash.MakeSeed()

// short gives the one block of a field that is no run, unless it says nothing.
func (f *Field) short() []Block {
	switch string(f.raw) {
	case "", "null", `""`, "[]", "{}":
		return nil
	}
	return []Block{{Key: maphash.Bytes(seed, f.raw) | 1<<63, Field: f.Name, Start: f.start, Size: int64(len(f.raw)), raw: f.raw}}
}

// Beside reports whether an element says calls, or which call it answers, beside
// its parts.
func (f *Field) Beside() bool {
	return f != nil && f.end != nil && (f.end.state.beside || f.tailBeside())
}

func (f *Field) tailBeside() bool {
	s := f.end.state
	s.glue(f.tail)
	return s.beside
}

// Forget lets go of the bytes of a body that later ones are only compared with.
func (b *Body) Forget() {
	b.doc = nil
	for i := range b.Fields {
		f := &b.Fields[i]
		if f.tip != 0 {
			continue
		}
		if !f.run {
			f.run, f.list = true, f.short()
		}
		for j := range f.list {
			f.list[j].raw = nil
		}
		f.raw = nil
	}
}

// Whole reports whether a body was read whole.
func (b *Body) Whole() bool { return b.doc != nil }

// Value gives the bytes of a field's value.
func (r *Reader) Value(f *Field) ([]byte, error) {
	if f.tip == 0 {
		return f.raw, nil
	}
	var refs []object.Ref
	for at := f.tip; at != 0; at = r.knots[at].parent {
		refs = append(refs, at)
	}
	var out filler
	for i := len(refs) - 1; i >= 0; i-- {
		n, _, err := r.node(refs[i])
		if err != nil {
			return nil, err
		}
		out.b = append(out.b, n.Glue...)
		if err := out.node(r, refs[i]); err != nil {
			return nil, err
		}
	}
	return append(out.b, f.tail...), nil
}

// Raw gives the bytes of a short value; nil: it is none.
func (f *Field) Raw() []byte { return f.raw }

// Count gives how many blocks a field has.
func (f *Field) Count() int {
	switch {
	case f == nil:
		return 0
	case f.run:
		return len(f.list)
	case f.tip != 0:
		return f.end.blocks
	}
	return len(f.short())
}

// Blocks gives the blocks of a field; nil has none.
func (r *Reader) Blocks(f *Field) ([]Block, error) { return r.after(f, 0) }

// after gives those behind a node of its chain.
func (r *Reader) after(f *Field, above object.Ref) ([]Block, error) {
	switch {
	case f == nil:
		return nil, nil
	case f.run:
		return f.list, nil
	case f.tip == 0:
		return f.short(), nil
	}
	var path []object.Ref
	for at := f.tip; at != above && at != 0; {
		k := r.knots[at]
		path = append(path, at)
		at = k.parent
	}
	var list []Block
	for i := len(path) - 1; i >= 0; i-- {
		k := r.knots[path[i]]
		if k.late != "" {
			tell(list, r.elemBefore(k), k.late)
		}
		if k.ends {
			list = append(list, Block{Key: k.key, Field: f.Name, Role: k.role, Start: f.start + k.end - k.size, Size: k.size, ref: path[i], nodes: k.nodes, elem: k.elem})
		}
	}
	if s := f.end.state; s.glue(f.tail) && s.late != "" {
		tell(list, f.end.state.elem, s.late)
	}
	return list, nil
}

func (r *Reader) elemBefore(k *knot) int {
	if p := r.knots[k.parent]; p != nil {
		return p.state.elem
	}
	return 0
}

// tell gives the role to the blocks of an element that was told behind them.
func tell(list []Block, elem int, role string) {
	for i := len(list) - 1; i >= 0 && list[i].elem == elem; i-- {
		if list[i].Role == "" {
			list[i].Role = role
		}
	}
}

// Secret is a stretch of a block's content that the vault keeps.
type Secret struct {
	Start, End      int // in the content
	Rule, Pseudonym string
	Part            bool
}

// Content gives a block's bytes as they stand in the body, and what of them the
// vault keeps.
func (r *Reader) Content(in *Body, b Block) ([]byte, []Secret, error) {
	if b.raw != nil {
		return b.raw, nil, nil
	}
	if in.doc != nil {
		return in.doc[b.Start : b.Start+b.Size], nil, nil
	}
	refs := make([]object.Ref, b.nodes)
	at := b.ref
	for i := b.nodes - 1; i >= 0; i-- {
		refs[i], at = at, r.knots[at].parent
	}
	var out filler
	out.b = make([]byte, 0, b.Size)
	for _, ref := range refs {
		if err := out.node(r, ref); err != nil {
			return nil, nil, err
		}
	}
	return out.b, out.secrets, nil
}

// First gives the object that holds a block's content, or its beginning; 0: it is
// in none of its own.
func (r *Reader) First(b Block) object.Ref {
	at := b.ref
	for range b.nodes - 1 {
		at = r.knots[at].parent
	}
	if at == 0 {
		return 0
	}
	n, _, err := r.node(at)
	if err != nil {
		return 0
	}
	return n.Block
}

type filler struct {
	b       []byte
	secrets []Secret
}

func (f *filler) node(r *Reader, ref object.Ref) error {
	n, b, err := r.node(ref)
	if err != nil {
		return err
	}
	holes, at := n.Holes, 0
	put := func(p []byte) {
		for len(holes) > 0 && holes[0].At <= at+len(p) {
			k := max(0, holes[0].At-at)
			f.b = append(append(f.b, p[:k]...), holes[0].Put...)
			p, at, holes = p[k:], at+k, holes[1:]
		}
		f.b, at = append(f.b, p...), at+len(p)
	}
	if b.Form == object.Literal {
		put(b.Data)
		return nil
	}
	return b.Each(func(literal []byte, ref uint64) error {
		if ref == 0 {
			put(literal)
			return nil
		}
		h, err := r.src.Hidden(ref)
		if err != nil {
			return err
		}
		put(nil) // a hole before it
		start := len(f.b)
		put(h.Form)
		f.secrets = append(f.secrets, Secret{Start: start, End: len(f.b), Rule: h.Rule, Pseudonym: h.Pseudonym, Part: h.Part})
		return nil
	})
}
