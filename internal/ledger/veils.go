package ledger

import (
	"cmp"
	"slices"
	"sort"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// veils tell where in a request stands what rules found and is not shown. Full text
// has no word of it, and search shows none: findings count in the decoded body, and so
// they are followed from there into its blocks, and with these into their texts.
type veils struct {
	spans  []said.Span                // of the decoded body
	lost   bool                       // nothing tells where in its blocks they are: all of these is hidden
	blocks map[object.Ref][]said.Span // of a block, with the vault's values veiled
	items  []int                      // where each item of the skeleton, or its tail, begins in the body
}

// veils finds them. What can't be read of the request is no error: then all is hidden.
func (l *Ledger) veils(in *flow.Intent, req *request, key uint64) *veils {
	v := &veils{spans: found(in)}
	if len(v.spans) == 0 || coded(in) { // its pieces are taken from the whole body
		return v
	}
	runs, err := l.directory(key)
	if err != nil {
		return &veils{lost: true}
	}
	t := tracer{veils: v, shelf: newShelf(l, runs)}
	if err := t.body(req); err != nil {
		return &veils{lost: true}
	}
	for ref, list := range v.blocks {
		v.blocks[ref] = apart(list)
	}
	return v
}

// found gives the stretches of a request's decoded body that are not shown.
func found(in *flow.Intent) (list []said.Span) {
	for i := range in.Findings {
		f := &in.Findings[i]
		asked := f.Place == "" || f.Place == "answer" && in.API == flow.AskResponse
		if asked && f.Hidden() && f.Start >= 0 && f.Start < f.End {
			list = append(list, said.Span{Start: int(f.Start), End: int(f.End)})
		}
	}
	return apart(list)
}

// apart sorts stretches and joins those that touch.
func apart(list []said.Span) []said.Span {
	slices.SortFunc(list, func(a, b said.Span) int { return cmp.Compare(a.Start, b.Start) })
	n := 0
	for _, s := range list {
		if n > 0 && s.Start <= list[n-1].End {
			list[n-1].End = max(list[n-1].End, s.End)
			continue
		}
		list[n] = s
		n++
	}
	return list[:n]
}

// within gives the stretches that lie in some bytes of the body, counted from there.
func (v *veils) within(start, end int) (list []said.Span) {
	first := sort.Search(len(v.spans), func(i int) bool { return v.spans[i].End > start })
	for _, s := range v.spans[first:] {
		if s.Start >= end {
			break
		}
		list = append(list, said.Span{Start: max(s.Start-start, 0), End: min(s.End, end) - start})
	}
	return list
}

// tracer follows a body along its chains.
type tracer struct {
	*veils
	shelf *shelf
	at    int // in the body
}

func (t *tracer) body(req *request) error {
	items, err := object.DecodeSkeleton(req.skeleton)
	if err != nil {
		return err
	}
	t.blocks = map[object.Ref][]said.Span{}
	for _, it := range items {
		if it.Tip != 0 {
			if err := t.chain(it.Tip); err != nil {
				return err
			}
		}
		t.items = append(t.items, t.at)
		t.at += len(it.Bytes) + len(it.Tail)
	}
	return nil
}

func (t *tracer) chain(tip object.Ref) error {
	var nodes []*object.Node
	for ref := tip; ref != 0; {
		o, err := t.shelf.Object(ref)
		if err != nil {
			return err
		}
		if o.Node == nil {
			return errMalformed
		}
		nodes = append(nodes, o.Node)
		ref = o.Node.Parent
	}
	for _, n := range slices.Backward(nodes) {
		if err := t.node(n); err != nil {
			return err
		}
	}
	return nil
}

// node goes over a block: the bytes that it has itself, what was lifted out of it, and
// what the vault has of it.
func (t *tracer) node(n *object.Node) error {
	o, err := t.shelf.Object(n.Block)
	if err != nil {
		return err
	}
	t.at += len(n.Glue)
	holes, content, raw := n.Holes, 0, 0
	lifted := func(to int) { // what stands in front of a place of the content, or there
		for len(holes) > 0 && holes[0].At <= to {
			k := holes[0].At - content
			t.note(n.Block, raw, k)
			t.at, content, raw = t.at+k+len(holes[0].Put), content+k, raw+k
			holes = holes[1:]
		}
	}
	literal := func(size int) {
		end := content + size
		lifted(end)
		t.note(n.Block, raw, end-content)
		t.at, raw, content = t.at+end-content, raw+end-content, end
	}
	if o.Block.Form == object.Literal {
		literal(len(o.Block.Data))
		return nil
	}
	return o.Block.Each(func(b []byte, ref uint64) error {
		if ref == 0 {
			literal(len(b))
			return nil
		}
		value, err := t.shelf.Value(ref)
		lifted(content)
		t.at, content, raw = t.at+len(value), content+len(value), raw+len(veil)
		return err
	})
}

// note notes what of a block is not shown: of size bytes that stand at raw in it, and
// at hand in the body.
func (t *tracer) note(block object.Ref, raw, size int) {
	for _, s := range t.within(t.at, t.at+size) {
		t.blocks[block] = append(t.blocks[block], said.Span{Start: raw + s.Start, End: raw + s.End})
	}
}

// texts reads a block as its form says, and hides in its texts what is not shown.
func (v *veils) texts(api flow.API, role string, raw []byte, f form, hidden []said.Span) (list []said.Text, inside bool) {
	list, inside = blockTexts(api, role, raw, f)
	switch {
	case v.lost:
		said.HideAll(list)
	case len(hidden) > 0:
		in := said.InJSON
		if f == formInside {
			in = said.InString
		} else if f == formPlain {
			in = said.Bare
		}
		masked, _ := blockTexts(api, role, said.Mask(raw, hidden, in), f)
		said.Hide(list, masked)
	}
	return list, inside
}

// around reads what stands around a conversation.
func (v *veils) around(raw []byte, hidden []said.Span) said.Text {
	list := []said.Text{{Kind: flow.UnknownPart, Text: said.Around(raw)}}
	switch {
	case v.lost:
		said.HideAll(list)
	case len(hidden) > 0:
		in := said.InJSON
		if !said.JSON(raw) {
			in = said.Bare
		}
		said.Hide(list, []said.Text{{Text: said.Around(said.Mask(raw, hidden, in))}})
	}
	return list[0]
}

// veiledParts reads the parts of an answer, and hides what was found in them. Findings
// count in the text of a part, and nothing says in which: it is hidden in all that may
// be meant. Short says that the answer goes on where it can't be read.
func (l *Ledger) veiledParts(api flow.API, parts []flow.Part, findings []flow.Finding, short bool) []said.Text {
	list := said.Parts(api, parts)
	spans := make([][]said.Span, len(parts))
	for i := range findings {
		f := &findings[i]
		if f.Place != "answer" || !f.Hidden() || f.Start < 0 || f.Start >= f.End {
			continue
		}
		in := l.meant(f, parts)
		if len(in) == 0 && !short {
			said.HideAll(list)
			return list
		}
		for _, j := range in {
			spans[j] = append(spans[j], said.Span{Start: int(f.Start), End: int(min(f.End, int64(len(parts[j].Text))))})
		}
	}
	masked := slices.Clone(parts)
	for i := range masked {
		in := said.Bare
		if raw := []byte(masked[i].Text); peek.Whole(raw) {
			in = said.InJSON
		}
		if hidden := apart(spans[i]); len(hidden) > 0 {
			masked[i].Text = string(said.Mask([]byte(masked[i].Text), hidden, in))
		}
	}
	said.Hide(list, said.Parts(api, masked))
	return list
}

// meant gives the parts that a finding may be about: those in which its id tells that
// it stands, else all that are long enough.
func (l *Ledger) meant(f *flow.Finding, parts []flow.Part) (in []int) {
	var sure []int
	for j := range parts {
		p := &parts[j]
		if (p.Kind == flow.ToolCall) != (f.Channel == flow.ToolCalls) || f.Start >= int64(len(p.Text)) {
			continue
		}
		in = append(in, j)
		if f.End > int64(len(p.Text)) {
			continue
		}
		value := []byte(p.Text[f.Start:f.End])
		plain := peek.Append(nil, append(append([]byte{'"'}, value...), '"'))
		if l.FindingID(f.Rule, value) == f.ID || l.FindingID(f.Rule, plain) == f.ID {
			sure = append(sure, j)
		}
	}
	if len(sure) > 0 {
		return sure
	}
	return in
}
