package strand

import (
	"hash/maphash"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Whole lays out a body that was read whole. With elements, a message is one block
// with all that lies in it: where it says things beside its parts.
func Whole(d *split.Doc, elements bool) *Body {
	b := &Body{doc: d.Body}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Name == "request" && f.In < 0 && i+1 < len(d.Fields) && d.Fields[i+1].In == i {
			continue // it wraps the ones behind it
		}
		out := Field{Name: f.Name, start: int64(f.Start), raw: d.Body[f.Start:f.End]}
		first := firstOf(d, i)
		switch {
		case first < 0 && conversation(f.Name) && out.raw[0] == '[': // too much to be cut along its parts
			out.run, out.list = true, elementsOf(d, i)
		case first < 0 || d.Pieces[first].Kind == split.Block && d.Pieces[first].Start == f.Start:
		case elements && conversation(f.Name):
			out.run, out.list = true, elementsOf(d, i)
		default:
			out.run, out.list = true, piecesOf(d, first)
		}
		b.Fields = append(b.Fields, out)
	}
	return b
}

func conversation(name string) bool {
	return name == "messages" || name == "input" || name == "contents"
}

// firstOf gives the first piece of a field's run; -1: it is none.
func firstOf(d *split.Doc, field int) int {
	for i := range d.Pieces {
		if d.Pieces[i].Run == field {
			return i
		}
	}
	return -1
}

func piecesOf(d *split.Doc, first int) (list []Block) {
	var s state
	run := d.Pieces[first].Run
	for i := first; i < len(d.Pieces) && d.Pieces[i].Run == run; i++ {
		p := &d.Pieces[i]
		if p.Kind != split.Block {
			was := s.elem
			if s.glue(d.Body[p.Start:p.End]); s.late != "" {
				tell(list, was, s.late)
			}
			continue
		}
		s.value()
		list = append(list, Block{
			Key: sum(d.Body, p.Start, p.End, p.Holes), Field: d.Fields[run].Name, Role: s.role,
			Start: int64(p.Start), Size: int64(p.End - p.Start), elem: s.elem,
		})
	}
	return list
}

func elementsOf(d *split.Doc, field int) (list []Block) {
	at := firstOf(d, field)
	d.Elements(field, nil, func(start, end, _ int) {
		var holes []split.Hole
		for at < len(d.Pieces) && d.Pieces[at].Start < end {
			if d.Pieces[at].Start >= start {
				holes = append(holes, d.Pieces[at].Holes...)
			}
			at++
		}
		list = append(list, Block{Key: sum(d.Body, start, end, holes), Field: d.Fields[field].Name, Start: int64(start), Size: int64(end - start)})
	})
	return list
}

// sum is a key of a stretch without its holes.
func sum(body []byte, start, end int, holes []split.Hole) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, hole := range holes {
		h.Write(body[start:hole.Start])
		start = hole.End
	}
	h.Write(body[start:end])
	return h.Sum64() | 1<<63
}
