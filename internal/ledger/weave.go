package ledger

import (
	"bytes"
	"sort"

	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Stored is a request as the ledger has it. Passed as the base of the next
// request of its session, it makes that cost what is new in it.
type Stored struct {
	doc   *split.Doc
	refs  []object.Ref // by piece of doc: the node that a block became
	key   uint64
	epoch uint64
	floor object.Ref
}

// Doc is the request, cut into pieces.
func (s *Stored) Doc() *split.Doc { return s.doc }

// maxSpan is how many bytes of objects go into one entry.
const maxSpan = 1 << 20

// bigGlue is the length from which glue is a block: shared, not repeated.
const bigGlue = 512

// weaver turns a request into objects and a skeleton. The scope is locked
// while it works.
type weaver struct {
	sc    *scope
	doc   *split.Doc
	base  *Stored
	refs  []object.Ref
	spans []woven
	skel  []byte
	hide  []*hidden // ordered by where they stand

	run  int        // of the chain that grows
	open bool       // there is such a chain
	tip  object.Ref // its last node
	from int        // what follows the tip, or the last item, begins here
}

// woven is a span and the addresses of its objects.
type woven struct {
	span
	addresses []object.Address
	secrets   []object.Ref // of its objects, those that are values
	scratch   *scratch     // behind span.data
}

// free gives the spans' buffers back; the addresses stay.
func (w *weaver) free() {
	for i := range w.spans {
		s := &w.spans[i]
		s.scratch.b, s.data = s.data, nil
		s.scratch.give()
	}
}

func (sc *scope) weave(c Content) *weaver {
	doc, base := c.Doc, c.Base
	w := &weaver{sc: sc, doc: doc, refs: make([]object.Ref, len(doc.Pieces)), run: -1, hide: hide(c.Secrets, doc.Body)}
	if base != nil && base.key == sc.key.ID && base.epoch == sc.epoch && base.floor == sc.floor {
		w.base = base
	}
	for i := range doc.Pieces {
		w.piece(i)
	}
	w.close(len(doc.Body))
	for _, h := range w.hide {
		w.secret(h)
	}
	return w
}

func (w *weaver) piece(i int) {
	p := &w.doc.Pieces[i]
	if w.open && (p.Kind == split.Literal || p.Run != w.run) {
		w.close(p.Start)
	}
	if p.Kind != split.Block {
		return
	}
	if !w.open {
		w.begin(p.Run, i)
	}
	if ref := w.known(p); ref != 0 {
		w.tip = ref
	} else {
		w.tip = w.block(w.tip, w.content(w.from, p.Start), p)
	}
	w.refs[i], w.from = w.tip, p.End
}

// known finds a block that the base has, and all before it in its chain, too.
func (w *weaver) known(p *split.Piece) object.Ref {
	if w.base == nil || p.Same < 0 || p.Same >= len(w.base.refs) {
		return 0
	}
	return w.base.refs[p.Same]
}

// begin starts the chain of a run at block i. Glue of the run before it
// belongs to the chain, what stands before that is literal.
func (w *weaver) begin(run, i int) {
	start := i
	for start > 0 && w.doc.Pieces[start-1].Kind == split.Glue && w.doc.Pieces[start-1].Run == run {
		start--
	}
	w.literal(w.doc.Pieces[start].Start)
	w.run, w.open, w.tip = run, true, 0
}

// literal puts what stands between w.from and end into the skeleton.
func (w *weaver) literal(end int) {
	c := w.content(w.from, end)
	w.from = end
	if c.block() {
		w.skel = object.AppendItem(w.skel, object.Item{Tip: w.chunks(0, nil, c, nil)})
		return
	}
	if len(c.b) > 0 {
		w.skel = object.AppendItem(w.skel, object.Item{Bytes: c.b})
	}
}

// close ends the chain before end, or puts out what is literal.
func (w *weaver) close(end int) {
	if !w.open {
		w.literal(end)
		return
	}
	tail := w.content(w.from, end)
	if tail.block() {
		w.tip, tail = w.chunks(w.tip, nil, tail, nil), content{}
	}
	w.skel = object.AppendItem(w.skel, object.Item{Tip: w.tip, Tail: tail.b})
	w.open, w.from = false, end
}

func (w *weaver) block(parent object.Ref, glue content, p *split.Piece) object.Ref {
	if glue.block() {
		parent, glue = w.chunks(parent, nil, glue, nil), content{}
	}
	c := w.content(p.Start, p.End)
	if len(p.Holes) == 0 {
		return w.chunks(parent, glue.b, c, nil)
	}
	lifted, holes, ok := lift(c, p)
	if !ok {
		return w.chunks(parent, glue.b, c, nil)
	}
	return w.chunks(parent, glue.b, lifted, holes)
}

// lift takes a piece's holes out of its content. Where a secret touches one
// nothing is lifted, for then the bytes of a hole would stand in a node.
func lift(c content, p *split.Piece) (lifted content, holes []object.Hole, ok bool) {
	lifted.b = make([]byte, 0, len(c.b))
	at, cuts := 0, c.cuts
	for _, h := range p.Holes {
		start, end := h.Start-p.Start, h.End-p.Start
		for len(cuts) > 0 && cuts[0].end <= start {
			lifted.move(cuts[0], at)
			cuts = cuts[1:]
		}
		if len(cuts) > 0 && cuts[0].start < end {
			return content{}, nil, false
		}
		lifted.b = append(lifted.b, c.b[at:start]...)
		holes = append(holes, object.Hole{At: len(lifted.b), Put: c.b[start:end]})
		at = end
	}
	for _, k := range cuts {
		lifted.move(k, at)
	}
	lifted.b = append(lifted.b, c.b[at:]...)
	return lifted, holes, true
}

// move takes over a cut of a content whose bytes from at on come next.
func (c *content) move(k cut, at int) {
	by := len(c.b) - at
	c.cuts = append(c.cuts, cut{k.start + by, k.end + by, k.ref})
}

// content is what stands between two offsets of the body, without its secrets.
func (w *weaver) content(start, end int) content {
	c := content{b: w.doc.Body[start:end]}
	i := sort.Search(len(w.hide), func(i int) bool { return w.hide[i].end > start })
	for ; i < len(w.hide) && w.hide[i].start < end; i++ {
		h := w.hide[i]
		if h.start == h.end {
			continue
		}
		if h.start >= start && h.end <= end {
			c.cuts = append(c.cuts, cut{h.start - start, h.end - start, w.secret(h)})
			continue
		}
		// It reaches into the next piece, which has the other part.
		from, to := max(h.start, start), min(h.end, end)
		part := &hidden{Secret: Secret{Value: w.doc.Body[from:to], Part: true}, start: from, end: to}
		c.cuts = append(c.cuts, cut{from - start, to - start, w.secret(part)})
	}
	return c
}

// block reports whether a content is stored as one wherever it stands.
func (c content) block() bool { return len(c.b) >= bigGlue || len(c.cuts) > 0 }

// secret gives the object of a value, made when the session has none yet.
func (w *weaver) secret(h *hidden) object.Ref {
	if h.ref != 0 {
		return h.ref
	}
	k := kept{Secret: h.Secret, session: w.sc.safe.session}
	if form := w.doc.Body[h.start:h.end]; !bytes.Equal(form, h.Value) {
		k.form = form
	}
	text := k.append(nil)
	a := w.sc.safe.address(text, h.Part)
	var ok bool
	if h.ref, ok = w.sc.objects[a]; ok {
		return h.ref
	}
	s := w.sc.safe.put(text, a, h.Part)
	h.ref = w.add(a, len(s.Data), func(dst []byte, _ object.Ref) []byte { return object.AppendSecret(dst, s) })
	if !h.Part {
		last := &w.spans[len(w.spans)-1]
		last.secrets = append(last.secrets, h.ref)
	}
	return h.ref
}

// chunks stores a content as one node, or as several when it is long.
func (w *weaver) chunks(parent object.Ref, glue []byte, c content, holes []object.Hole) object.Ref {
	start := 0
	for len(c.b) > object.MaxBlock {
		var head content
		head, c = c.split(object.MaxBlock)
		end := start + len(head.b)
		var mine []object.Hole
		mine, holes = holesBefore(holes, start, end)
		parent = w.node(parent, glue, head, mine)
		glue, start = nil, end
	}
	mine, _ := holesBefore(holes, start, start+len(c.b)+1)
	return w.node(parent, glue, c, mine)
}

// holesBefore takes the holes in front of end and counts them from start.
func holesBefore(holes []object.Hole, start, end int) (mine, rest []object.Hole) {
	i := 0
	for i < len(holes) && holes[i].At < end {
		mine = append(mine, object.Hole{At: holes[i].At - start, Put: holes[i].Put})
		i++
	}
	return mine, holes[i:]
}

func (w *weaver) node(parent object.Ref, glue []byte, c content, holes []object.Hole) object.Ref {
	n := object.Node{Parent: parent, Block: w.store(c), Glue: glue, Holes: holes}
	a := w.sc.address.Node(&n)
	if ref, ok := w.sc.objects[a]; ok {
		return ref
	}
	return w.add(a, len(glue), func(dst []byte, self object.Ref) []byte {
		return object.AppendNode(dst, self, &n)
	})
}

// store gives the block of a content.
func (w *weaver) store(c content) object.Ref {
	b := object.Block{Form: object.Literal, Data: c.b}
	if len(c.cuts) > 0 {
		b = object.Block{Form: object.Mixed, Data: c.mixed()}
	}
	a := w.sc.address.Of(object.Object{Block: b})
	if ref, ok := w.sc.objects[a]; ok {
		return ref
	}
	return w.add(a, len(b.Data), func(dst []byte, _ object.Ref) []byte { return object.AppendBlock(dst, b) })
}

// add gives an object the next number. size is about what it takes.
func (w *weaver) add(a object.Address, size int, encode func([]byte, object.Ref) []byte) object.Ref {
	self := w.sc.next
	if n := len(w.spans); n == 0 || len(w.spans[n-1].data)+size > maxSpan {
		buf := takeScratch()
		w.spans = append(w.spans, woven{span: span{first: self, floor: w.sc.floor, data: buf.b}, scratch: buf})
	}
	s := &w.spans[len(w.spans)-1]
	s.data = encode(s.data, self)
	s.count++
	s.addresses = append(s.addresses, a)
	w.sc.objects[a] = self
	w.sc.next++
	return self
}
