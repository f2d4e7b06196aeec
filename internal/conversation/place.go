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

// hides reports whether what a rule found is not shown.
func hides(f *flow.Finding) bool {
	family, _, _ := strings.Cut(f.Rule, ".")
	switch family {
	case "secret", "registered", "canary":
		return true
	case "pii":
		return f.Action == flow.BlockIt || f.Action == flow.RedactIt || f.Severity >= flow.High
	}
	return f.Action == flow.RedactIt
}

// markOf is the mark of a finding at a place in the flow.
func markOf(f *flow.Finding, from, to int64) Mark {
	m := Mark{Rule: f.Rule, Severity: f.Severity, Action: f.Action.String(), Finding: f.ID, Shown: "text", From: from, To: to, Place: f.Place}
	if f.Note == "cut in pieces" || len(f.Via) > 0 {
		m.Value = new(bool)
	}
	return m
}

// spots are what is to be marked in a block, in their order.
func (b *Block) spots(findings []flow.Finding) (list []spot) {
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
		m := Mark{Rule: s.Rule, Shown: "text", From: b.Start + int64(s.Start), To: b.Start + int64(s.End)}
		if s.Part {
			m.Value = new(bool)
		}
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
			s.hide, s.mark.Shown = false, "pseudonym"
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
	w := &words{raw: raw}
	for _, s := range list {
		p, ok := w.find(&s, parts)
		if ok {
			all = append(all, p)
		}
		if s.hide && (!ok || s.end-s.start >= 8) {
			all = append(all, everywhere(w.said(&s), &s, parts)...)
		}
	}
	return all
}

// words goes over the strings of raw JSON.
type words struct {
	raw        []byte
	at         int // behind the last string that was looked at
	start, end int // of that string, with its quotes
}

// around finds the string that a spot begins in. Spots come in their order.
func (w *words) around(at int) bool {
	for w.end <= at {
		n := bytes.IndexByte(w.raw[w.at:], '"')
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
// the string that it lies in was decoded to.
func (w *words) find(s *spot, parts []flow.Part) (placed, bool) {
	for i := range parts {
		if t := parts[i].Text; t != "" && (t[0] == '{' || t[0] == '[' || t[0] == '"') {
			if at := verbatim(w.raw, t, s.start, s.end); at >= 0 {
				return placed{i, s.start - at, s.end - at, s.mark, s.hide}, true
			}
		}
	}
	if !w.around(s.start) {
		return placed{}, false
	}
	inner := w.raw[w.start+1 : max(w.start+1, min(w.end-1, len(w.raw)))]
	from := min(s.start-w.start-1, len(inner))
	to := min(max(from, s.end-w.start-1), len(inner))
	whole := text(inner)
	if whole == "" {
		return placed{}, false
	}
	start := len(text(inner[:from]))
	end := start + len(text(inner[from:to]))
	nth := bytes.Count(w.raw[:w.start], w.raw[w.start:min(w.end, len(w.raw))])
	for i := range parts {
		at := 0
		for {
			n := strings.Index(parts[i].Text[at:], whole)
			if n < 0 {
				break
			}
			if at += n; nth == 0 {
				return clamp(placed{i, at + start, at + end, s.mark, s.hide}, parts[i].Text), true
			}
			nth--
			at += len(whole)
		}
	}
	return placed{}, false
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

// verbatim finds a text in raw so that a spot lies in it; -1: it does not.
func verbatim(raw []byte, t string, start, end int) int {
	if end-start > len(t) {
		return -1
	}
	lo := max(0, end-len(t))
	hi := min(len(raw), start+len(t))
	if n := bytes.Index(raw[lo:hi], []byte(t)); n >= 0 && lo+n <= start {
		return lo + n
	}
	return -1
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
