package ledger

import (
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

	run  int        // of the chain that grows
	open bool       // there is such a chain
	tip  object.Ref // its last node
	from int        // what follows the tip, or the last item, begins here
}

// woven is a span and the addresses of its objects.
type woven struct {
	span
	addresses []object.Address
	scratch   *scratch // behind span.data
}

// free gives the spans' buffers back; the addresses stay.
func (w *weaver) free() {
	for i := range w.spans {
		s := &w.spans[i]
		s.scratch.b, s.data = s.data, nil
		s.scratch.give()
	}
}

func (sc *scope) weave(doc *split.Doc, base *Stored) *weaver {
	w := &weaver{sc: sc, doc: doc, refs: make([]object.Ref, len(doc.Pieces)), run: -1}
	if base != nil && base.key == sc.key.ID && base.epoch == sc.epoch && base.floor == sc.floor {
		w.base = base
	}
	for i := range doc.Pieces {
		w.piece(i)
	}
	w.close(len(doc.Body))
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
		w.tip = w.block(w.tip, w.doc.Body[w.from:p.Start], p)
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
	b := w.doc.Body[w.from:end]
	w.from = end
	if len(b) >= bigGlue {
		w.skel = object.AppendItem(w.skel, object.Item{Tip: w.chunks(0, nil, b, nil)})
		return
	}
	if len(b) > 0 {
		w.skel = object.AppendItem(w.skel, object.Item{Bytes: b})
	}
}

// close ends the chain before end, or puts out what is literal.
func (w *weaver) close(end int) {
	if !w.open {
		w.literal(end)
		return
	}
	tail := w.doc.Body[w.from:end]
	if len(tail) >= bigGlue {
		w.tip, tail = w.chunks(w.tip, nil, tail, nil), nil
	}
	w.skel = object.AppendItem(w.skel, object.Item{Tip: w.tip, Tail: tail})
	w.open, w.from = false, end
}

func (w *weaver) block(parent object.Ref, glue []byte, p *split.Piece) object.Ref {
	if len(glue) >= bigGlue {
		parent, glue = w.chunks(parent, nil, glue, nil), nil
	}
	body := w.doc.Body[p.Start:p.End]
	if len(p.Holes) == 0 {
		return w.chunks(parent, glue, body, nil)
	}
	content := make([]byte, 0, len(body))
	holes := make([]object.Hole, 0, len(p.Holes))
	at := p.Start
	for _, h := range p.Holes {
		content = append(content, w.doc.Body[at:h.Start]...)
		holes = append(holes, object.Hole{At: len(content), Put: w.doc.Body[h.Start:h.End]})
		at = h.End
	}
	return w.chunks(parent, glue, append(content, w.doc.Body[at:p.End]...), holes)
}

// chunks stores a content as one node, or as several when it is long.
func (w *weaver) chunks(parent object.Ref, glue, content []byte, holes []object.Hole) object.Ref {
	start := 0
	for len(content)-start > object.MaxBlock {
		end := start + object.MaxBlock
		var mine []object.Hole
		mine, holes = holesBefore(holes, start, end)
		parent = w.node(parent, glue, content[start:end], mine)
		glue, start = nil, end
	}
	mine, _ := holesBefore(holes, start, len(content)+1)
	return w.node(parent, glue, content[start:], mine)
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

func (w *weaver) node(parent object.Ref, glue, content []byte, holes []object.Hole) object.Ref {
	a := w.sc.address.Block(content)
	block, ok := w.sc.objects[a]
	if !ok {
		block = w.add(a, len(content), func(dst []byte, _ object.Ref) []byte {
			return object.AppendBlock(dst, object.Block{Data: content})
		})
	}
	n := object.Node{Parent: parent, Block: block, Glue: glue, Holes: holes}
	a = w.sc.address.Node(&n)
	if ref, ok := w.sc.objects[a]; ok {
		return ref
	}
	return w.add(a, len(glue), func(dst []byte, self object.Ref) []byte {
		return object.AppendNode(dst, self, &n)
	})
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
