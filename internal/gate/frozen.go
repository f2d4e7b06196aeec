package gate

import (
	"container/list"
	"hash/maphash"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// frozen remembers which blocks were forwarded in a session, and how: agents set
// their cache marker anew each turn, take messages out, and send bodies that
// can't be compared because they are compressed. It holds no content but what was
// found in it. What it forgets is decided anew.
type frozen struct {
	seeds [2]maphash.Seed

	mu    sync.Mutex // guards what follows
	bytes int
	of    map[blockKey]*list.Element
	order *list.List // of *block, the latest first
}

// blockKey is a keyed hash of 128 bits of a block's sum and the session that it was
// forwarded in. The seeds are random: nobody can look for two that share one.
type blockKey struct{ a, b uint64 }

// block is how a block was forwarded; places in the view count without its holes.
type block struct {
	key    blockKey
	view   *view
	engine string // version of the rules
}

const (
	frozenBytes = 16 << 20
	blockBytes  = 200 // of memory that a block needs beside its view, about
)

func newFrozen() *frozen {
	return &frozen{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		of:    map[blockKey]*list.Element{}, order: list.New(),
	}
}

func (f *frozen) get(key blockKey) *block {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.of[key]
	if e == nil {
		return nil
	}
	f.order.MoveToFront(e)
	return e.Value.(*block)
}

func (f *frozen) put(b *block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.of[b.key]; e != nil {
		f.remove(e)
	}
	f.of[b.key] = f.order.PushFront(b)
	for f.bytes += b.size(); f.bytes > frozenBytes; {
		f.remove(f.order.Back())
	}
}

func (f *frozen) remove(e *list.Element) {
	b := f.order.Remove(e).(*block)
	delete(f.of, b.key)
	f.bytes -= b.size()
}

func (b *block) size() int { return blockBytes + b.view.size() }

// key names a block by its sum within its session and provider: what one was sent is
// no other one's business.
func (f *frozen) key(in *flow.Intent, block inspect.Sum) blockKey {
	var sums [2]uint64
	content := block.Append(nil)
	for n, seed := range f.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		for _, s := range []string{in.Principal.Name, in.Session.ID, string(in.Provider)} {
			h.WriteString(s)
			h.WriteByte(0)
		}
		h.Write(content)
		sums[n] = h.Sum64()
	}
	return blockKey{sums[0], sums[1]}
}

// was gives what an earlier turn made of a piece and forwarded, and whether that
// is all that is to be known of it; nil: it is new, or was blocked then.
func (x *examiner) was(i int) (v *view, known bool) {
	p := &x.doc.Pieces[i]
	if v := x.base.view(p.Same); v != nil && v.sent {
		return v, x.base.engine == x.out.engine
	}
	if !isBlock(p) {
		return nil, false
	}
	b := x.g.frozen.get(x.key(i))
	if b == nil {
		return nil, false
	}
	if v = b.view.move(&split.Piece{}, p); v == nil || !x.sameWords(i, v) {
		return nil, false
	}
	return v, b.engine == x.out.engine && len(p.Holes) == 0
}

func isBlock(p *split.Piece) bool { return p.Kind == split.Block && p.Run >= 0 }

// key is that of a piece, made once.
func (x *examiner) key(i int) blockKey {
	if x.keys == nil {
		x.keys = make([]blockKey, len(x.doc.Pieces))
	}
	if x.keys[i] == (blockKey{}) {
		x.keys[i] = x.g.frozen.key(x.in, x.sum(i))
	}
	return x.keys[i]
}

// sum is that of a piece without its holes, made once.
func (x *examiner) sum(i int) inspect.Sum {
	if x.sums == nil {
		x.sums = make([]inspect.Sum, len(x.doc.Pieces))
	}
	if x.sums[i] != (inspect.Sum{}) {
		return x.sums[i]
	}
	p := &x.doc.Pieces[i]
	at := p.Start
	var parts [][]byte
	for _, hole := range p.Holes {
		parts = append(parts, x.doc.Body[at:hole.Start])
		at = hole.End
	}
	x.sums[i] = x.g.cache.Sum(append(parts, x.doc.Body[at:p.End])...)
	return x.sums[i]
}

// sameWords reports whether what was found in a block stands in the same mouth as
// it did: what is let pass in one may not be in another.
func (x *examiner) sameWords(i int, v *view) bool {
	if len(v.found) == 0 {
		return true
	}
	f := &v.found[0]
	channel, signed := x.channels.At(i, x.doc.Pieces[i].Start+f.start)
	return channel == f.finding.Channel && (!signed || f.finding.Fixed)
}

// freeze marks what is about to be forwarded: in later turns it stays as it is.
func (x *examiner) freeze() {
	for i, v := range x.out.views {
		switch {
		case v == nil:
			v = clean
		case !v.sent:
			own := *v
			own.sent = true
			v = &own
		}
		x.out.views[i] = v
		if !x.fresh[i] || !x.json || !isBlock(&x.doc.Pieces[i]) {
			continue
		}
		if bare := v.move(&x.doc.Pieces[i], &split.Piece{}); bare != nil {
			x.g.frozen.put(&block{key: x.key(i), view: bare, engine: x.out.engine})
		}
	}
}

// move gives the view of a block that has other holes now; nil when something
// in it lies in a hole.
func (v *view) move(from, to *split.Piece) *view {
	if len(from.Holes) == 0 && len(to.Holes) == 0 || v == clean {
		return v
	}
	own := *v
	own.found, own.edits = append([]found(nil), v.found...), append([]pieceEdit(nil), v.edits...)
	for i := range own.found {
		f := &own.found[i]
		if !shift(from, to, &f.start, &f.end) {
			return nil
		}
	}
	for i := range own.edits {
		e := &own.edits[i]
		end := e.at + e.cut
		if !shift(from, to, &e.at, &end) || end-e.at != e.cut {
			return nil
		}
	}
	return &own
}

// shift moves a span from one piece to the other. It is false for one that
// touches a hole.
func shift(from, to *split.Piece, start, end *int) bool {
	by := 0
	for _, h := range from.Holes {
		switch first, last := h.Start-from.Start, h.End-from.Start; {
		case last <= *start:
			by += last - first
		case first < *end:
			return false
		}
	}
	*start, *end = *start-by, *end-by
	for _, h := range to.Holes {
		switch first, last := h.Start-to.Start, h.End-to.Start; {
		case first <= *start:
			*start, *end = *start+last-first, *end+last-first
		case first < *end:
			return false
		}
	}
	return true
}

// inHoles reports whether something was found in what is lifted out of a piece.
func (v *view) inHoles(p *split.Piece) bool {
	if v == nil {
		return false
	}
	for _, f := range v.found {
		for _, h := range p.Holes {
			if f.start < h.End-p.Start && h.Start-p.Start < f.end {
				return true
			}
		}
	}
	return false
}

// with gives what was found now, and was forwarded then.
func (v *view) with(was *view) *view {
	if v == nil {
		v = &view{}
	}
	v.edits, v.sent = was.edits, true
	return v
}
