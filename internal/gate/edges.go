package gate

import "github.com/workingagents/gatehouse/internal/inspect"

// edgeBytes is what an edge that is kept takes, about.
const edgeBytes = 1500

// pieceEdge is the edge of a piece that the next turn may ask for.
type pieceEdge struct {
	piece int
	edge  *inspect.Edge
}

// kept gives the edge of a piece that the turn before had, too; nil when it was not
// kept, or made with other rules.
func (x *examiner) kept(i int) *inspect.Edge {
	same := x.doc.Pieces[i].Same
	if x.base == nil || same < 0 || x.base.engine != x.out.engine {
		return nil
	}
	for _, e := range x.base.edges {
		if e.piece == same {
			return e.edge
		}
	}
	return nil
}

// behind gives the piece from which on the ones before first are joined with it:
// the last that is too long for a value to go on from before it, and no further
// back than lookBack.
func (x *examiner) behind(first int) int {
	for n := 0; n < lookBack && first > 0; n++ {
		if first--; x.edge(first).Long() {
			break
		}
	}
	return first
}

// keep has the edges kept that the next turn will ask for: those of the pieces
// around the end of what is new, and those of old ones that were asked for in this
// turn.
func (x *examiner) keep() {
	x.out.edges = nil
	left := 0 // of the new pieces in a row, from here on
	for i := len(x.edges) - 1; i >= 0; i-- {
		left++
		if !x.fresh[i] {
			left = 0
		}
		if x.edges[i] != nil && left <= lookBack {
			x.out.edges = append(x.out.edges, pieceEdge{i, x.edges[i]})
		}
	}
}
