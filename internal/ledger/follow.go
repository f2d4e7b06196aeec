package ledger

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/ledger/text"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// intent takes in what is new in a request.
func (f *follow) intent(key, number uint64, in *flow.Intent, e *entry, at index.Pos) {
	held := f.t.held[in.Flow]
	delete(f.t.held, in.Flow)
	req, err := decodeRequest(e.body)
	if err != nil || req == nil { // only metadata is kept
		return
	}
	f.t.begin(in.Flow, &begun{number, key, in.API, in.Method == flow.MethodMessage})
	r := newRequested(f.t.l, in, key, &f.t.seen)
	r.flow = &text.Flow{N: number, Key: key, ID: string(in.Flow), Started: in.Started.UnixMilli(), Segment: at.Segment, Offset: at.Offset}
	r.put = func(s saying, at text.Place, in int) int64 {
		f.flush(r)
		f.breath.pause()
		return f.batch.AddText(text.Text{Key: key, Flow: number, Entry: number, Role: s.Role, Kind: string(s.Kind), At: at, In: in, Veiled: int64(s.Hidden())}, s.Text.Text, s.Shown())
	}
	r.again = func(at text.Place, hash int64) {
		f.batch.AddKnown(text.Text{Key: key, Flow: number, Entry: number, At: at, In: text.Order}, hash)
	}
	f.batch.AddFlow(r.flow)
	var before []index.Pos
	if held != nil {
		before = held.at
	}
	r.take(req, before, at)
}

// requested takes in one request.
type requested struct {
	l     *Ledger
	in    *flow.Intent
	key   uint64
	seen  *seenBlocks
	flow  *text.Flow
	items []object.Item
	veils *veils

	put   func(s saying, at text.Place, in int) (hash int64) // takes in a text
	again func(at text.Place, hash int64)                    // one that was taken in before

	blocks map[object.Ref]placed // of the last entries, not yet in a node
	roles  map[object.Ref]string // of the nodes that are new
	last   object.Ref            // the node before
	inside bool                  // its block ends within a string
	long   bool                  // its block is a stretch of what is longer
	later  []waiting             // texts of it, until what follows tells whose they are
}

type waiting struct {
	saying
	at text.Place
}

func newRequested(l *Ledger, in *flow.Intent, key uint64, seen *seenBlocks) *requested {
	return &requested{l: l, in: in, key: key, seen: seen, flow: &text.Flow{}, blocks: map[object.Ref]placed{}, roles: map[object.Ref]string{}}
}

// take goes through a request, whose intent is at a place, and some of whose objects
// are in entries before it.
func (r *requested) take(req *request, before []index.Pos, at index.Pos) {
	r.veils = r.l.veils(r.in, req, r.key)
	if coded(r.in) {
		r.whole(req, at)
		return
	}
	var err error
	if r.items, err = object.DecodeSkeleton(req.skeleton); err != nil {
		return
	}
	for _, p := range before {
		r.entry(p)
	}
	r.span(&req.span, at)
	r.settle(nil, 0)
	for _, it := range r.items {
		if it.Tip != 0 {
			r.flow.Tips = append(r.flow.Tips, it.Tip)
		}
	}
	r.add(r.veils.loose(r.items), wherein{form: formLoose}, text.Place{Segment: at.Segment, Offset: at.Offset}, text.Loose)
}

type placed struct {
	raw []byte
	at  index.Pos
}

// entry takes in the objects of an entry that came before the intent.
func (r *requested) entry(at index.Pos) {
	e, err := r.l.entryAt(at)
	if err != nil {
		return
	}
	if s, err := e.span(); err == nil {
		r.span(&s, at)
	}
}

// span takes in objects. A block stands in front of the node that puts it into
// the request, and often in the same entry.
func (r *requested) span(s *span, at index.Pos) {
	s.each(func(ref object.Ref, o object.Object) error {
		switch {
		case o.Secret != nil:
		case o.Node != nil:
			r.node(ref, o.Node)
		default:
			raw, err := o.Block.Content(veiled{})
			if err == nil {
				r.blocks[ref] = placed{raw, at}
			}
		}
		return nil
	})
}

func (r *requested) node(ref object.Ref, n *object.Node) {
	r.flow.Nodes = append(r.flow.Nodes, text.Node{Ref: ref, Parent: n.Parent, Block: n.Block})
	r.settle(n.Glue, n.Parent)
	role := r.role(ref, n)
	r.roles[ref] = role
	block, ok := r.blocks[n.Block]
	delete(r.blocks, n.Block)
	goesOn := r.long && n.Parent == r.last && r.last != 0 && len(n.Glue) == 0 && len(n.Holes) == 0
	r.last = ref
	if !ok { // the session has it already
		r.long = false
		return
	}
	form := formLong
	switch {
	case goesOn && r.inside:
		form = formInside
	case goesOn:
	case peek.Whole(block.raw) || peek.IsString(block.raw):
		form = formBlock
	case r.in.API == flow.Opaque && !said.JSON(block.raw):
		form = formPlain
	}
	list, inside := r.veils.texts(r.in.API, role, block.raw, form, r.veils.blocks[n.Block])
	r.long, r.inside = form == formLong || form == formInside, inside
	at := text.Place{Segment: block.at.Segment, Offset: block.at.Offset, Ref: n.Block}
	eachPiece(list, wherein{form: form}, func(s saying) {
		if s.Role == "" {
			r.later = append(r.later, waiting{s, at})
			return
		}
		r.one(s, at, text.Block)
	})
}

// settle takes in the texts that wait. Glue is that of the node which comes,
// behind parent; without one, what follows stands in the skeleton.
func (r *requested) settle(glue []byte, parent object.Ref) {
	if len(r.later) == 0 {
		return
	}
	if parent == r.last && bytes.IndexByte(glue, '}') < 0 {
		return // the same element goes on
	}
	if parent != r.last {
		glue = nil
		for _, it := range r.items {
			if it.Tip == r.last {
				glue = it.Tail
			}
		}
	}
	role := said.RoleBehind(glue)
	r.roles[r.last] = role
	for _, w := range r.later {
		w.Role = role
		r.one(w.saying, w.at, text.Block)
	}
	r.later = nil
}

// role gives whose a node's block is.
func (r *requested) role(ref object.Ref, n *object.Node) string {
	if role := said.RoleIn(r.member(ref)); role != "" {
		return role // whatever it says: Gemini's is a message of a user
	}
	if role, ok := said.Role(n.Glue); ok {
		return role
	}
	if role, ok := r.roles[n.Parent]; ok && n.Parent != 0 {
		return role
	}
	return ""
}

// member names the member that a node is in: nodes are numbered in the order of
// the body, and the last one of each chain is in the skeleton.
func (r *requested) member(ref object.Ref) string {
	for i, it := range r.items {
		if it.Tip < ref || i == 0 {
			continue
		}
		before := &r.items[i-1]
		if before.Tip != 0 {
			return said.Member(before.Tail)
		}
		return said.Member(before.Bytes)
	}
	return ""
}

// add adds one text, cut when it is long.
func (r *requested) add(t said.Text, w wherein, at text.Place, in int) {
	eachPiece([]said.Text{t}, w, func(s saying) { r.one(s, at, in) })
}

func (r *requested) one(s saying, at text.Place, in int) int64 {
	at.Part = s.number()
	return r.put(s, at, in)
}

// whole takes in a request whose body is stored as it came, compressed: all of it
// comes each turn. What was seen lately is not read again.
func (r *requested) whole(req *request, at index.Pos) {
	doc, err := r.l.whole(r.in, req, r.key)
	if err != nil {
		return // not decodable, or kept by the vault as a whole
	}
	place := text.Place{Segment: at.Segment, Offset: at.Offset}
	roles := wholeRoles(doc)
	for i := range doc.Pieces {
		if p := &doc.Pieces[i]; p.Kind == split.Block && i < maxPieces {
			r.piece(doc, roles[i], i, place)
		}
	}
	r.add(r.veils.wholeLoose(doc), wherein{form: formLoose}, place, text.Loose)
}

func (r *requested) piece(doc *split.Doc, role string, i int, at text.Place) {
	p := &doc.Pieces[i]
	raw, hidden := doc.Body[p.Start:p.End], r.veils.within(p.Start, p.End)
	sum := r.seen.sum(r.key, raw)
	list, ok := r.seen.get(sum)
	ok = ok && len(hidden) == 0 // else what is new about it has to be taken in
	for _, known := range list {
		if !ok {
			break
		}
		known.piece = i
		at.Part = known.number()
		r.again(at, known.hash)
	}
	if ok {
		return
	}
	list = nil
	texts, _ := r.veils.texts(r.in.API, role, raw, formBlock, hidden)
	eachPiece(texts, wherein{form: formWhole, piece: i}, func(s saying) {
		if hash := r.one(s, at, text.Order); hash != 0 {
			list = append(list, knownText{s.wherein, hash})
		}
	})
	r.seen.put(sum, list)
}

// outcome takes in an answer.
func (f *follow) outcome(key, number uint64, out *flow.Outcome, e *entry, at index.Pos) error {
	b, err := f.t.flow(out.Flow)
	if err != nil || b == nil || out.ResponseBytes == 0 {
		return err
	}
	list, err := f.t.l.answerTexts(b, out.Flow, out, e)
	if err != nil {
		return err
	}
	place := text.Place{Segment: at.Segment, Offset: at.Offset}
	eachPiece(list, wherein{form: formAnswer}, func(s saying) {
		place.Part = s.number()
		f.breath.pause()
		f.batch.AddText(text.Text{Key: key, Flow: b.n, Entry: number, Role: s.Role, Kind: string(s.Kind), At: place, Veiled: int64(s.Hidden())}, s.Text.Text, s.Shown())
	})
	return nil
}
