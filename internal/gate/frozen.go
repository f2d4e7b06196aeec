package gate

import (
	"bytes"
	"hash/maphash"

	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// was gives what an earlier turn made of a piece and forwarded; nil: it is new,
// or was blocked then.
func (x *examiner) was(i int) *view {
	if same := x.doc.Pieces[i].Same; same >= 0 {
		if v := x.base.view(same); v != nil && v.sent {
			return v
		}
		return nil
	}
	return x.moved[i]
}

// find looks for blocks that the request before had, too, and that do not stand
// as they stood: agents set their cache marker anew each turn, and take messages
// out. They are the same blocks, so what was forwarded of them stays. It reads
// only what is new here and what is gone there.
func (x *examiner) find(base *split.Doc) map[int]*view {
	kept := make([]bool, len(base.Pieces))
	var fresh []int
	for i, p := range x.doc.Pieces {
		if p.Same >= 0 {
			kept[p.Same] = true
		} else if isBlock(p) {
			fresh = append(fresh, i)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	gone := map[uint64]int{}
	for k, p := range base.Pieces {
		if v := x.base.view(k); !kept[k] && isBlock(p) && v != nil && v.sent {
			gone[maphash.Bytes(seed, unmarked(base, k))] = k
		}
	}
	moved := map[int]*view{}
	for _, i := range fresh {
		k, ok := gone[maphash.Bytes(seed, unmarked(x.doc, i))]
		if !ok || !bytes.Equal(unmarked(x.doc, i), unmarked(base, k)) || !x.sameWords(i, base, k) {
			continue
		}
		if v := x.base.view(k).move(&base.Pieces[k], &x.doc.Pieces[i]); v != nil {
			moved[i] = v
		}
	}
	return moved
}

// sameWords reports whether a block stands in the same mouth as it did: what is
// let pass in one may not be in another.
func (x *examiner) sameWords(i int, base *split.Doc, k int) bool {
	now, signed := codec.Channel(x.m.API, x.doc, i)
	then, was := codec.Channel(x.m.API, base, k)
	return now == then && signed == was
}

func isBlock(p split.Piece) bool { return p.Kind == split.Block && p.Run >= 0 }

// unmarked gives a block's bytes without what is lifted out of it.
func unmarked(d *split.Doc, i int) []byte {
	p := &d.Pieces[i]
	if len(p.Holes) == 0 {
		return d.Body[p.Start:p.End]
	}
	out, at := make([]byte, 0, p.End-p.Start), p.Start
	for _, h := range p.Holes {
		out = append(out, d.Body[at:h.Start]...)
		at = h.End
	}
	return append(out, d.Body[at:p.End]...)
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
