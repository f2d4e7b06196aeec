package ledger

import (
	"sort"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/strand"
)

// compare says what a request has that the one before it had not.
func (t *teller) compare(out *Told, body *strand.Body, on basis) error {
	old := &strand.Body{}
	if on.told != nil {
		old, out.Before = on.head, on.in.Flow
		if on.names {
			old = on.body
		}
	}
	out.Gap = on.gap
	out.Tooled = body.Get(toolFields...).Count() > 0
	for _, group := range [][]string{systemFields, toolFields} {
		for _, name := range group {
			c, err := t.read.Compare(old.Get(name), body.Get(name))
			if err != nil {
				return err
			}
			left := on.names && body.Get(name) == nil // what stood there still holds
			changed := on.told != nil && len(c.New)+c.Removed > 0 && !left
			if group[0] == systemFields[0] {
				out.Change.System = out.Change.System || changed
			} else {
				out.Change.Tools = out.Change.Tools || changed
			}
			if err := t.bring(out, body, c.New, on.told == nil); err != nil {
				return err
			}
		}
	}
	return t.compareTalk(out, body, old, on)
}

func (t *teller) compareTalk(out *Told, body, old *strand.Body, on basis) error {
	now := body.Get(talkFields...)
	if on.names {
		old = &strand.Body{} // what it has is all new
	}
	c, err := t.read.Compare(old.Get(talkFields...), now)
	if err != nil {
		return err
	}
	ch := &out.Change
	ch.Kept, ch.Added, ch.Removed, ch.At = c.Kept, len(c.New), c.Removed, c.First
	if ch.At >= 0 {
		ch.Role = c.Was.Role
	}
	if on.names && on.told != nil {
		ch.Kept = on.total
	}
	return t.bring(out, body, c.New, false)
}

// bring adds blocks. Those of the head of a conversation that begins are left out
// when they were seen before: every agent of a session brings them again.
func (t *teller) bring(out *Told, body *strand.Body, list []strand.Block, known bool) error {
	for _, b := range list {
		first := t.first(out.Intent, b)
		if known && !t.whole && first.id != "" {
			continue
		}
		if len(out.Blocks) >= mostBlocks {
			out.Left++
			continue
		}
		raw, secrets, err := t.read.Content(body, b)
		if err != nil {
			return err
		}
		block := Block{Field: b.Field, Role: b.Role, Start: b.Start, Raw: raw, First: first.id, Turn: first.turn}
		for _, s := range secrets {
			block.Secrets = append(block.Secrets, Span(s))
		}
		if first.id != "" {
			block.Found = t.found(first.id, b)
		}
		out.Blocks = append(out.Blocks, block)
	}
	return nil
}

// first finds the flow that brought a block before; none for one that is new.
func (t *teller) first(in *flow.Intent, b strand.Block) firstFlow {
	ref := t.read.First(b)
	if ref == 0 {
		return firstFlow{}
	}
	i := t.runOf(ref)
	if i < 0 {
		return firstFlow{}
	}
	f, ok := t.firsts[i]
	if !ok {
		f = t.flowAt(i)
		t.firsts[i] = f
	}
	if f.id == in.Flow {
		return firstFlow{}
	}
	return f
}

func (t *teller) runOf(ref object.Ref) int {
	runs := t.shelf.runs
	return sort.Search(len(runs), func(i int) bool { return runs[i].first > ref }) - 1
}

// flowAt names the flow whose entry holds a run.
func (t *teller) flowAt(run int) firstFlow {
	e, err := t.l.entryAt(t.shelf.runs[run].at)
	if err != nil {
		return firstFlow{}
	}
	if e.kind == kindIntent {
		in, err := e.intent()
		if err != nil {
			return firstFlow{}
		}
		return firstFlow{in.Flow, in.Turn}
	}
	id := flow.ID(e.meta)
	rows, err := t.l.index.Find(string(id))
	if err != nil || len(rows) != 1 {
		return firstFlow{id: id}
	}
	return firstFlow{id, rows[0].Turn}
}

// bringing is what a flow brought first: where each block stands in it, and what
// was found there.
type bringing struct {
	found []flow.Finding
	start map[uint64]strand.Block
}

// found gives what was found in a block when it came first.
func (t *teller) found(id flow.ID, b strand.Block) (list []flow.Finding) {
	from, ok := t.brings[id]
	if !ok {
		from = t.bringing(id)
		t.brings[id] = from
	}
	if from == nil {
		return nil
	}
	at, ok := from.start[b.Key]
	if !ok {
		return nil
	}
	for _, f := range from.found {
		if f.Place == "" && f.Start >= at.Start && f.End <= at.Start+at.Size && f.End > f.Start {
			f.Start, f.End = f.Start-at.Start, f.End-at.Start
			list = append(list, f)
		}
	}
	return list
}

func (t *teller) bringing(id flow.ID) *bringing {
	rows, err := t.l.index.Find(string(id))
	if err != nil || len(rows) == 0 || rows[0].ID != id {
		return nil
	}
	e, err := t.l.entryAt(rows[0].IntentAt)
	if err != nil {
		return nil
	}
	in, err := e.intent()
	if err != nil || len(in.Findings) == 0 {
		return nil
	}
	body, _, err := t.body(in, e)
	if err != nil || body.Whole() {
		return nil
	}
	out := &bringing{found: in.Findings, start: map[uint64]strand.Block{}}
	for i := range body.Fields {
		list, err := t.read.Blocks(&body.Fields[i])
		if err != nil {
			return nil
		}
		for _, b := range list {
			out.start[b.Key] = b
		}
	}
	return out
}
