package conversation

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
)

// shown is how many bytes of a text a part has.
const shown = 32 << 10

// fill gives a part its text, with what is hidden masked and the marks in their
// places.
func (p *Part) fill(t string, list []placed, limit int) {
	p.Bytes = len(t)
	t, marks := masked(t, list)
	if limit > 0 && len(t) > limit {
		p.Cut = true
		n := limit
		for _, m := range marks { // not in the middle of a mask
			if m.start < n && n < m.end && m.mark.Shown != "text" {
				n = m.start
			}
		}
		for n > 0 && !utf8.RuneStart(t[n]) {
			n--
		}
		t = t[:n]
	}
	p.mark(t, marks)
	p.Text = t
	if p.Kind == flow.ToolCall {
		defer func() { p.Title = title(p.Name, p.Text) }() // of what is shown
	}
	if !utf8.ValidString(t) {
		p.Text, p.Bad = strings.Map(func(r rune) rune { return r }, t), true // each byte by itself: marks are counted so
	}
	p.tell()
}

// masked replaces what is hidden. The marks come back in their order.
func masked(t string, list []placed) (string, []placed) {
	if len(list) == 0 {
		return t, nil
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	list = slices.CompactFunc(list, func(a, b placed) bool {
		return a.start == b.start && a.end == b.end && a.mark.Rule == b.mark.Rule
	})
	holes := spans(t, list)
	var out strings.Builder
	at := 0
	for _, h := range holes {
		out.WriteString(t[at:h[0]])
		out.WriteString(mask)
		at = h[1]
	}
	out.WriteString(t[at:])
	shift := shifts(holes)
	for i := range list {
		list[i].settle(holes, shift)
	}
	return out.String(), list
}

// spans joins the hidden stretches that touch.
func spans(t string, list []placed) (holes [][2]int) {
	for _, p := range list {
		if !p.hide || p.start >= p.end || p.end > len(t) {
			continue
		}
		if n := len(holes); n > 0 && p.start <= holes[n-1][1] {
			holes[n-1][1] = max(holes[n-1][1], p.end)
			continue
		}
		holes = append(holes, [2]int{p.start, p.end})
	}
	return holes
}

// settle moves a stretch to where it is after the holes were masked. shift is, for
// each hole, by how much what lies between it and the one before moves.
func (p *placed) settle(holes [][2]int, shift []int) {
	i := sort.Search(len(holes), func(i int) bool { return holes[i][1] > p.start })
	start, end := p.start+shift[i], p.end+shift[i]
	for ; i < len(holes) && holes[i][0] < p.end; i++ {
		h := holes[i]
		at := h[0] + shift[i]
		if h[0] <= p.start && p.end <= h[1] {
			p.start, p.end = at, at+len(mask)
			p.mark.hides("masked")
			return
		}
		if h[0] <= p.start { // it begins in the hole
			start = at
		}
		end = max(p.end, h[1]) + shift[i+1]
	}
	p.start, p.end = start, max(start, end)
}

// shifts are how much each stretch between holes moves, and what follows the last.
func shifts(holes [][2]int) []int {
	shift := make([]int, len(holes)+1)
	for i, h := range holes {
		shift[i+1] = shift[i] + len(mask) - (h[1] - h[0])
	}
	return shift
}

// mark sets the marks, counted in UTF-16 code units of the text.
func (p *Part) mark(t string, list []placed) {
	units, at := 0, 0
	unit := func(to int) int { // ascending only
		if to < at {
			units, at = 0, 0
		}
		units, at = units+utf16Len(t[at:to]), to
		return units
	}
	for _, m := range list {
		if m.start > len(t) || m.start == len(t) && p.Cut {
			continue
		}
		start := unit(min(m.start, len(t)))
		end := start + utf16Len(t[min(m.start, len(t)):min(max(m.start, m.end), len(t))])
		m.mark.Start, m.mark.End = start, end
		p.Marks = append(p.Marks, m.mark)
	}
}

// utf16Len counts code units; a byte that is no UTF-8 is one, as what replaces it,
// but for a run of them.
func utf16Len(s string) (n int) {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			n, i = n+1, i+1
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n, i = n+1, i+size
		if r > 0xffff {
			n++
		}
	}
	return n
}
