package gate

import (
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// voices are whose texts are put together although others speak between them: a value
// that is said in two prompts, or read by two calls, has the model's words in its
// middle.
var voices = [...]flow.Channel{flow.User, flow.ToolResults}

// lastSaid are the last texts of each voice, the oldest first.
type lastSaid [len(voices)][]*inspect.Edge

// size is how many bytes of memory they take, about.
func (l *lastSaid) size() (n int) {
	for _, texts := range l {
		n += edgeBytes * len(texts)
	}
	return n
}

// ending is what a later message may go on from.
type ending struct {
	last *inspect.Edge // of all of the message, or of its conversation
	said lastSaid
}

// tail gives the end of a row of texts that a later one can go on from.
func tail(texts []*inspect.Edge) []*inspect.Edge {
	first := len(texts)
	for first > 0 && len(texts)-first < lookBack {
		if first--; texts[first].Long() {
			break
		}
	}
	return slices.Clone(texts[first:])
}

// converse looks for values that go on from one text of a voice to its next. Between
// them stand what others said, calls, and media.
func (x *examiner) converse() {
	earlier := x.earlier()
	for v, pieces := range x.spoken() {
		x.out.said[v] = x.utter(earlier[v], pieces)
	}
}

// earlier gives what the texts of this request go on from.
func (x *examiner) earlier() lastSaid {
	switch {
	case x.before.last != nil:
		return x.before.said
	case x.base != nil && x.base.engine == x.out.engine:
		return x.base.said
	}
	return lastSaid{}
}

// spoken gives the texts of each voice. What the turn before had, too, is left out:
// its last texts are kept.
func (x *examiner) spoken() (pieces [len(voices)][]int) {
	for i := range x.doc.Pieces {
		p := &x.doc.Pieces[i]
		if !isBlock(p) || x.base != nil && p.Same >= 0 && !x.fresh[i] {
			continue
		}
		channel, ok := x.channels.Text(i, p.Start)
		if v := slices.Index(voices[:], channel); ok && v >= 0 {
			pieces[v] = append(pieces[v], i)
		}
	}
	return pieces
}

// utter joins the new ones of a voice's texts with those around them, and gives what
// a later turn may go on from.
func (x *examiner) utter(earlier []*inspect.Edge, pieces []int) []*inspect.Edge {
	for k := 0; k < len(pieces); k++ {
		if !x.fresh[pieces[k]] {
			continue
		}
		first := max(0, k-lookBack)
		for k < len(pieces) && x.fresh[pieces[k]] {
			k++
		}
		row := pieces[first:min(k+1, len(pieces))]
		var before []*inspect.Edge
		if first == 0 {
			before = earlier
		}
		x.joinFrom(before, row)
	}
	last := pieces[max(0, len(pieces)-lookBack):]
	return tail(append(slices.Clone(earlier), x.edgesOf(last)...))
}

func (x *examiner) edgesOf(pieces []int) []*inspect.Edge {
	row := make([]*inspect.Edge, len(pieces))
	for i, piece := range pieces {
		row[i] = x.edge(piece)
	}
	return row
}

// joinFrom looks for values that texts cut, of which some are no pieces of this
// request any more.
func (x *examiner) joinFrom(before []*inspect.Edge, pieces []int) {
	if len(before)+len(pieces) < 2 {
		return
	}
	row := append(slices.Clone(before), x.edgesOf(pieces)...)
	for _, c := range x.engine.Join(row, x.options()) {
		for _, p := range c.Parts {
			if i := p.Index - len(before); i >= 0 {
				x.fragment(pieces[i], p.Span, c.Rule, c.Value)
			}
		}
	}
}
