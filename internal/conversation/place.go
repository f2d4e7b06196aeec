package conversation

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// spot is a stretch of raw JSON that is to be marked.
type spot struct {
	start, end int // in raw
	mark       Mark
	hide       bool // masked
}

// mask stands for a value that is not shown.
const mask = "●●●●"

// markOf is the mark of a finding at a place in the flow.
func markOf(f *flow.Finding, from, to int64) Mark {
	m := Mark{Rule: f.Rule, Severity: f.Severity, Action: f.Action.String(), Finding: f.ID, Shown: "text", From: from, To: to, Place: f.Place}
	m.Sealed = f.Note == "cut in pieces" || len(f.Via) > 0
	return m
}

// hides says that a mark does not stand under its value.
func (m *Mark) hides(shown string) { m.Shown, m.Value = shown, new(bool) }

// spots are what is to be marked in a block, in their order.
func (b *Block) spots(findings []flow.Finding, hides func(*flow.Finding) bool) (list []spot) {
	end := b.Start + int64(len(b.Raw))
	for i := range findings {
		f := &findings[i]
		if f.Place == "" && f.Start >= b.Start && f.End <= end && f.End > f.Start {
			list = append(list, spot{int(f.Start - b.Start), int(f.End - b.Start), markOf(f, f.Start, f.End), hides(f)})
		}
	}
	for i := range b.Found {
		f := &b.Found[i]
		if f.Start >= 0 && f.End <= int64(len(b.Raw)) && f.Start < f.End {
			list = append(list, spot{int(f.Start), int(f.End), markOf(f, b.Start+f.Start, b.Start+f.End), hides(f)})
		}
	}
	for _, s := range b.Secrets {
		if s.Start < 0 || s.End > len(b.Raw) || s.Start >= s.End || covered(list, s.Start, s.End) {
			continue
		}
		m := Mark{Rule: s.Rule, Shown: "text", From: b.Start + int64(s.Start), To: b.Start + int64(s.End), Sealed: s.Part}
		list = append(list, spot{s.Start, s.End, m, true})
	}
	slices.SortStableFunc(list, func(a, b spot) int { return a.start - b.start })
	return list
}

func covered(list []spot, start, end int) bool {
	return slices.ContainsFunc(list, func(s spot) bool { return s.hide && s.start <= start && end <= s.end })
}

// change is an edit in offsets of a block's bytes.
type change struct {
	from, to int
	put      []byte
}

func (b *Block) changes(edits []Edit) (list []change) {
	end := b.Start + int64(len(b.Raw))
	first := sort.Search(len(edits), func(i int) bool { return edits[i].At >= b.Start })
	at := b.Start
	for _, e := range edits[first:] {
		if e.At < at || e.Cut < 0 || e.Cut > end-e.At || e.At >= end {
			break
		}
		list = append(list, change{int(e.At - b.Start), int(e.At - b.Start + e.Cut), e.Put})
		at = e.At + e.Cut
	}
	return list
}

// edit makes the edits that lie in a block and moves its spots along. What stands in
// the place of a value is shown.
func (b *Block) edit(edits []Edit, list []spot) []byte {
	changes := b.changes(edits)
	if len(changes) == 0 {
		return b.Raw
	}
	var out []byte
	at := 0
	for _, c := range changes {
		out = append(append(out, b.Raw[at:c.from]...), c.put...)
		at = c.to
	}
	for i := range list {
		list[i].move(changes)
	}
	return append(out, b.Raw[at:]...)
}

// move gives a spot its place after the changes.
func (s *spot) move(changes []change) {
	start, end := s.start, s.end
	for _, c := range changes {
		by := len(c.put) - (c.to - c.from)
		switch {
		case c.to <= s.start && c.from < s.start:
			start, end = start+by, end+by
		case c.from >= s.end:
		case c.from <= s.start && s.end <= c.to:
			s.hide = false
			s.mark.hides("pseudonym")
			start -= s.start - c.from
			end = start + len(c.put)
		default: // it reaches beyond the change
			start -= max(0, s.start-c.from)
			end += by + max(0, c.to-s.end)
		}
	}
	s.start, s.end = start, max(start, end)
}

// placed is a stretch of a part's text.
type placed struct {
	part       int
	start, end int
	mark       Mark
	hide       bool
}

// place finds spots of raw JSON in the texts of the parts that were read from it.
func place(raw []byte, list []spot, parts []flow.Part) (all []placed) {
	if len(list) == 0 {
		return nil
	}
	w := &words{raw: raw, parts: parts, verbatim: make([]int, len(parts))}
	for i := range w.verbatim {
		w.verbatim[i] = -1
	}
	for _, s := range list {
		found := false
		for piece := s; piece.start < s.end; {
			p, next, ok := w.find(&piece)
			if ok {
				all, found = append(all, p), true
			}
			piece.start = max(next, piece.start+1)
		}
		if s.hide && (!found || len(list) <= fewSpots) {
			all = append(all, everywhere(w.said(&s), &s, parts)...)
		}
	}
	return all
}

// fewSpots is how many spots a block may have so that the value of each is looked
// for in all of its texts: many take too long.
const fewSpots = 64

// words goes over the strings of raw JSON, and knows where the last one stands in
// the texts.
type words struct {
	raw        []byte
	parts      []flow.Part
	verbatim   []int // by part: where in raw its text stands as it is; -1: it was not looked for, len(raw): nowhere from here on
	at         int   // behind the last string that was looked at
	start, end int   // of that string, with its quotes

	read      int // start of the string that what follows is of, plus one
	part      int // that it stands in; -1: none
	base      int // where it begins there
	last, off int // an offset in it, and the one in the text
}

// around finds the string that a place lies in, or the next one. Places come in their
// order.
func (w *words) around(at int) (inside bool) {
	for w.end <= at {
		n := bytes.IndexByte(w.raw[min(w.at, len(w.raw)):], '"')
		if n < 0 {
			w.start, w.end = len(w.raw), len(w.raw)+1
			return false
		}
		w.start = w.at + n
		w.end = w.start + closed(w.raw[w.start:])
		w.at = w.end
	}
	return w.start < at && at < w.end
}

// closed gives the length of the string that b begins with.
func closed(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

// said gives what a spot says, escapes undone.
func (w *words) said(s *spot) string {
	b := w.raw[s.start:min(s.end, len(w.raw))]
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	return text(b)
}

// text undoes the escapes of some bytes of a string.
func text(b []byte) string {
	q := make([]byte, 0, len(b)+2)
	q = append(append(append(q, '"'), b...), '"')
	return peek.String(q)
}

// find looks for a spot in the texts: where these are JSON as it stands, or where
// the string that it lies in was decoded to. Next is where the rest of the spot
// begins, when it goes on behind the string.
func (w *words) find(s *spot) (p placed, next int, ok bool) {
	for i := range w.parts {
		if at := w.asItIs(i, s); at >= 0 {
			return placed{i, s.start - at, s.end - at, s.mark, s.hide}, s.end, true
		}
	}
	if !w.around(s.start) {
		return p, w.start + 1, false
	}
	inner := w.raw[w.start+1 : max(w.start+1, min(w.end-1, len(w.raw)))]
	if w.read != w.start+1 {
		w.locate(inner)
	}
	if w.part < 0 {
		return p, w.end, false
	}
	from := min(s.start-w.start-1, len(inner))
	to := min(max(from, s.end-w.start-1), len(inner))
	if from < w.last {
		w.last, w.off = 0, 0
	}
	w.off += len(text(inner[w.last:from]))
	w.last = from
	start := w.base + w.off
	p = placed{w.part, start, start + len(text(inner[from:to])), s.mark, s.hide}
	return clamp(p, w.parts[w.part].Text), w.end, true
}

// asItIs finds where a part's text stands in raw so that a spot lies in it; -1: it
// does not. Spots come in their order, so it is looked for forwards only.
func (w *words) asItIs(i int, s *spot) int {
	t := w.parts[i].Text
	if t == "" || t[0] != '{' && t[0] != '[' && t[0] != '"' {
		return -1
	}
	at := w.verbatim[i]
	for at < len(w.raw) && (at < 0 || at+len(t) < s.end) {
		n := bytes.Index(w.raw[at+1:], []byte(t))
		if n < 0 {
			at = len(w.raw)
			break
		}
		at += 1 + n
	}
	if w.verbatim[i] = at; at > s.start || at+len(t) < s.end {
		return -1
	}
	return at
}

// locate finds the text that the string at hand was decoded to: of several that say
// the same, the one in its place among them.
func (w *words) locate(inner []byte) {
	w.read, w.part, w.last, w.off = w.start+1, -1, 0, 0
	whole := text(inner)
	if whole == "" {
		return
	}
	nth := bytes.Count(w.raw[:w.start], w.raw[w.start:min(w.end, len(w.raw))])
	for i := range w.parts {
		for at := 0; ; at += len(whole) {
			n := strings.Index(w.parts[i].Text[at:], whole)
			if n < 0 {
				break
			}
			if at += n; nth == 0 {
				w.part, w.base = i, at
				return
			}
			nth--
		}
	}
}

func clamp(p placed, t string) placed {
	p.start = min(p.start, len(t))
	p.end = min(max(p.start, p.end), len(t))
	for p.start > 0 && p.start < len(t) && !utf8.RuneStart(t[p.start]) {
		p.start--
	}
	for p.end < len(t) && !utf8.RuneStart(t[p.end]) {
		p.end++
	}
	return p
}

// everywhere finds all places where a hidden value stands in the texts: what can't
// be followed into them must not be shown by it.
func everywhere(value string, s *spot, parts []flow.Part) (all []placed) {
	if len(value) < 4 {
		return nil
	}
	for i := range parts {
		t := parts[i].Text
		for at := 0; ; {
			n := strings.Index(t[at:], value)
			if n < 0 {
				break
			}
			all = append(all, placed{i, at + n, at + n + len(value), s.mark, true})
			at += n + len(value)
		}
	}
	return all
}
