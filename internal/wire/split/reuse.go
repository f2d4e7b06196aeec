package split

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// twins follows, beside the run at hand, the run of the same name in the base.
type twins struct {
	base   *Doc // nil: there is none
	run    int  // field of the run at hand, or -1
	twin   int  // field of the base's run of the same name, or -1
	expect int  // piece of the base that continues an unbroken chain of identical ones, or -1
	peer   int  // block of the base that the next block is compared with, or -1
	prev   int  // block of the base that the last block was compared with, or -1
	known  int  // block of the base that the last block is identical to, if that is known, or -1
	tail   int  // bytes that body and base have in common at their ends; -1: not looked at
}

// enter begins a run, if it is not at hand already.
func (t *twins) enter(d *Doc, run int) {
	if t.run == run {
		return
	}
	t.run, t.twin, t.expect, t.peer = run, t.find(d, run), -1, -1
	if t.twin < 0 {
		return
	}
	t.expect = t.base.first(t.twin)
	t.peer = t.nextBlock(t.expect)
}

// find gives the base's field of the same name, or -1.
func (t *twins) find(d *Doc, run int) int {
	f := &d.Fields[run]
	if f.Dup {
		return -1
	}
	for i := range t.base.Fields {
		if g := &t.base.Fields[i]; g.Name == f.Name && (g.In < 0) == (f.In < 0) {
			return i
		}
	}
	return -1
}

// nextBlock gives the first block of the base at or after a piece, within the
// twin run; -1 when there is none.
func (t *twins) nextBlock(i int) int {
	for ; i >= 0 && i < len(t.base.Pieces) && t.base.Pieces[i].Run == t.twin; i++ {
		if t.base.Pieces[i].Kind == Block {
			return i
		}
	}
	return -1
}

// same gives the piece of the base that is identical and has identical pieces
// before it in its run, or -1.
func (t *twins) same(d *Doc, p *Piece, from int) int {
	if t.base == nil || p.Run < 0 {
		return -1
	}
	t.enter(d, p.Run)
	if p.Kind == Block {
		t.prev, t.known = t.peer, from
		if from >= 0 && t.base.Pieces[from].Run == t.twin {
			t.peer = from
		}
		if t.peer >= 0 {
			t.peer = t.nextBlock(t.peer + 1)
		}
	}
	e := t.expect
	if e < 0 {
		return -1
	}
	if e >= len(t.base.Pieces) || t.base.Pieces[e].Run != t.twin || e != from && !identical(d, p, t.base, &t.base.Pieces[e]) {
		t.expect = -1
		return -1
	}
	t.expect++
	return e
}

// follow moves on in the twin run, behind pieces of the base up to end that
// were taken over.
func (t *twins) follow(end int, chained bool) {
	if chained {
		t.expect = end
	}
	if t.base.Pieces[end-1].Run == t.twin {
		t.peer = t.nextBlock(end)
	}
}

func identical(d *Doc, p *Piece, base *Doc, q *Piece) bool {
	if p.Kind != q.Kind || p.End-p.Start != q.End-q.Start || len(p.Holes) != len(q.Holes) {
		return false
	}
	for i, h := range p.Holes {
		if g := q.Holes[i]; h.Start-p.Start != g.Start-q.Start || h.End-p.Start != g.End-q.Start {
			return false
		}
	}
	return bytes.Equal(d.Body[p.Start:p.End], base.Body[q.Start:q.End])
}

// reuse takes the next block of the base's run for the block that begins here,
// if it has the same bytes and would leave the scanner in the state that is
// expected: then reading it would give nothing else.
func (w *walker) reuse(start int, end state) bool {
	if w.base == nil {
		return false
	}
	w.enter(w.doc, len(w.doc.Fields)-1)
	if w.peer < 0 {
		return false
	}
	p := &w.base.Pieces[w.peer]
	n := p.End - p.Start
	// A number does not say itself where it ends.
	if p.end != end || n > len(w.b)-start || !closed(w.b[start]) || !bytes.Equal(w.b[start:start+n], w.base.Body[p.Start:p.End]) {
		return false
	}
	k := Glue
	if end&^wrapped == atTop {
		k = Literal
	}
	w.gap(k, start)
	w.copyPiece(w.peer, start-p.Start, len(w.doc.Fields)-1-p.Run)
	w.i = w.mark
	return true
}

// closed reports whether a value that begins so says itself where it ends.
func closed(c byte) bool { return c == '{' || c == '[' || c == '"' }

// align looks, at the end of a block, for the place in the base where the same
// bytes follow in the same state, and goes on behind what they share.
func (w *walker) align(st state) state {
	if w.known >= 0 {
		return w.jump(st, w.known+1)
	}
	if i := w.inTail(st); i >= 0 {
		w.copy(i+1, len(w.base.Pieces))
		return done
	}
	if w.prev >= 0 && w.base.Pieces[w.prev].end == st {
		return w.jump(st, w.prev+1)
	}
	return st
}

// jump takes over pieces of the base from index j on, as far as the same bytes
// follow here and there. Both stand in state st. Only whole blocks are taken,
// and only such that are not the end of what is shared: how the pieces were cut
// up to the end of a block is decided by the bytes up to there and one more.
func (w *walker) jump(st state, j int) state {
	at := 0
	if j > 0 {
		at = w.base.Pieces[j-1].End
	}
	n := commonPrefix(w.b[w.mark:], w.base.Body[at:])
	if w.mark+n == len(w.b) && at+n == len(w.base.Body) {
		w.copy(j, len(w.base.Pieces))
		return done
	}
	m, _ := slices.BinarySearchFunc(w.base.Pieces, at+n, func(p Piece, end int) int { return p.End - end })
	for m > j && w.base.Pieces[m-1].Kind != Block {
		m--
	}
	if m <= j {
		return st
	}
	w.copy(j, m)
	return w.base.Pieces[m-1].end
}

// inTail gives the index of the block in the base that ends where this one
// does, counted from the end, when all that follows is the same; or -1.
func (w *walker) inTail(st state) int {
	if w.tail < 0 {
		w.tail = commonSuffix(w.b[w.mark:], w.base.Body)
	}
	if w.mark < len(w.b)-w.tail {
		return -1
	}
	end := w.mark - len(w.b) + len(w.base.Body)
	i, ok := slices.BinarySearchFunc(w.base.Pieces, end, func(p Piece, end int) int { return p.End - end })
	if !ok || w.base.Pieces[i].Kind != Block || w.base.Pieces[i].end != st {
		return -1
	}
	return i
}

// copy takes over the pieces [j,m) of the base, and the fields that begin in
// them. They begin where the last piece ended.
func (w *walker) copy(j, m int) {
	pieces := w.base.Pieces[j:m]
	if len(pieces) == 0 {
		return
	}
	by, run := w.mark-pieces[0].Start, -1
	if j > 0 {
		run = w.base.Pieces[j-1].Run
	}
	runs := len(w.doc.Fields) - 1 - run
	last := len(w.base.Fields) - 1
	if m < len(w.base.Pieces) {
		last = w.base.Pieces[m-1].Run
	}
	if !w.copyFields(run, last, by) {
		return // w.why is set
	}
	for j < m {
		j = w.copyRun(j, m, by, runs)
	}
	w.i, w.object = w.mark, true
	w.known = -1
}

// copyRun takes over the pieces from index j on, up to m, that lie in the same
// run, and gives the index after them.
func (w *walker) copyRun(j, m, by, runs int) int {
	run, at := w.base.Pieces[j].Run, len(w.doc.Pieces)
	w.copyPiece(j, by, runs)
	if j++; run < 0 {
		return j
	}
	chained := w.expect == j
	if !chained && w.expect >= 0 {
		// The run is like another one of the base: piece by piece.
		for ; j < m && w.base.Pieces[j].Run == run; j++ {
			w.copyPiece(j, by, runs)
		}
		return j
	}
	end := j
	for end < m && w.base.Pieces[end].Run == run {
		end++
	}
	if end == j {
		return end
	}
	w.mark = w.base.Pieces[end-1].End + by
	w.follow(end, chained)
	if at+1+end-j > maxPieces {
		w.over = true
		return end
	}
	w.doc.Pieces = append(w.doc.Pieces, w.base.Pieces[j:end]...)
	copied := w.doc.Pieces[at+1:]
	for i := range copied {
		p := &copied[i]
		p.Start += by
		p.End += by
		p.Run += runs
		p.Same = -1
		if chained {
			p.Same = j + i
		}
		if len(p.Holes) > 0 {
			p.Holes = w.move(p.Holes, by)
		}
	}
	return end
}

// copyPiece takes over one piece, moved by so many bytes and runs.
func (w *walker) copyPiece(i, by, runs int) {
	p := w.base.Pieces[i]
	p.Start += by
	p.End += by
	if p.Run >= 0 {
		p.Run += runs
	}
	if len(p.Holes) > 0 {
		p.Holes = w.move(p.Holes, by)
	}
	w.add(p, i)
}

func (w *walker) move(holes []Hole, by int) []Hole {
	mark := len(w.holes)
	for _, h := range holes {
		w.holes = append(w.holes, Hole{h.Start + by, h.End + by})
	}
	return w.holes[mark:len(w.holes):len(w.holes)]
}

// copyFields takes over the fields (open,last] of the base, moved by so many
// bytes. The field open is the one at hand: its end, and its wrapper's, are
// taken from the base too; should they lie behind what is copied, reading on
// will set them again.
func (w *walker) copyFields(open, last, by int) bool {
	fields := w.base.Fields
	shift, in, wrap := len(w.doc.Fields)-1-open, -1, -1
	if open >= 0 {
		at := len(w.doc.Fields) - 1
		w.doc.Fields[at].End = fields[open].End + by
		if in = fields[open].In; in >= 0 {
			wrap = w.doc.Fields[at].In
			w.doc.Fields[wrap].End = fields[in].End + by
		}
	}
	for i := open + 1; i <= last; i++ {
		f := fields[i]
		f.Start += by
		f.End += by
		switch {
		case f.In < 0:
		case f.In == in:
			f.In = wrap
		default:
			f.In += shift
		}
		if len(w.doc.Fields) >= maxFields {
			w.i = f.Start
			return w.fail(tooMany)
		}
		f.Dup = w.dup(f.Name, f.In)
		w.doc.Fields = append(w.doc.Fields, f)
	}
	w.wrap = -1
	if n := len(w.doc.Fields); n > 0 {
		w.wrap = w.doc.Fields[n-1].In
	}
	return true
}

// commonPrefix gives the number of bytes in which a and b begin alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for step := 64; i+step <= n && bytes.Equal(a[i:i+step], b[i:i+step]); step = min(2*step, 4096) {
		i += step
	}
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)>>3
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonSuffix gives the number of bytes in which a and b end alike.
func commonSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for step := 64; i >= step && bytes.Equal(a[i-step:i], b[i-step:i]); step = min(2*step, 4096) {
		i -= step
	}
	for ; i >= 8; i -= 8 {
		if x := binary.LittleEndian.Uint64(a[i-8:]) ^ binary.LittleEndian.Uint64(b[i-8:]); x != 0 {
			return n - i + bits.LeadingZeros64(x)>>3
		}
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
