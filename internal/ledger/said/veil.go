package said

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Veil stands where something is that is not shown.
const Veil = "●●●●"

// Span is a stretch of bytes; End is exclusive.
type Span struct{ Start, End int }

// Shown is the text without what is hidden.
func (t *Text) Shown() string {
	if len(t.Hide) == 0 {
		return t.Text
	}
	var out strings.Builder
	at := 0
	for _, h := range t.Hide {
		out.WriteString(t.Text[at:h.Start])
		out.WriteString(Veil)
		at = h.End
	}
	out.WriteString(t.Text[at:])
	return out.String()
}

// Hidden is how many bytes of the text are.
func (t *Text) Hidden() (n int) {
	for _, h := range t.Hide {
		n += h.End - h.Start
	}
	return n
}

// HideAll hides all of some texts: something in them must not be shown, and nothing
// tells where it stands.
func HideAll(list []Text) {
	for i := range list {
		if list[i].Hide = nil; list[i].Text != "" {
			list[i].Hide = []Span{{0, len(list[i].Text)}}
		}
	}
}

// Form is how bytes that are masked are read.
type Form uint8

// The forms: JSON, a stretch of it that begins inside of a string, text as it is.
const (
	InJSON Form = iota
	InString
	Bare
)

// Mask puts other characters in the place of those in some spans, which are in their
// order: as long in the bytes, and as long in what is read out of them. So what a
// text hides is where that of the masked bytes differs. JSON's own structure stays.
func Mask(raw []byte, spans []Span, f Form) []byte {
	m := masker{out: bytes.Clone(raw), form: f, inside: f == InString}
	for at := 0; at < len(raw) && len(spans) > 0; {
		width := m.width(raw[at:])
		for len(spans) > 0 && spans[0].End <= at {
			spans = spans[1:]
		}
		if len(spans) > 0 && spans[0].Start < at+width {
			m.fill(at, width)
		}
		if f != Bare && raw[at] == '"' {
			m.inside = !m.inside
		}
		at += width
	}
	return m.out
}

type masker struct {
	out    []byte
	form   Form
	inside bool // of a string
}

// width is how many bytes the next character takes.
func (m *masker) width(raw []byte) int {
	if m.form != Bare && m.inside {
		_, n := peek.Step(nil, raw[:min(len(raw), 12)])
		return max(1, min(n, len(raw)))
	}
	_, n := utf8.DecodeRune(raw)
	return n
}

// The characters that fill what is masked: none of them is part of a word.
var (
	fillers = [...]string{1: "\x7f", 2: "\u0080", 3: "\ue000", 4: "\U0010fffd"}
	escapes = map[int]string{2: `\b`, 6: `\u007f`, 12: `\udbff\udffd`}
)

func (m *masker) fill(at, width int) {
	raw := m.out[at : at+width]
	if m.form == Bare || m.inside && raw[0] != '\\' && raw[0] != '"' {
		copy(raw, fillers[width])
		return
	}
	if !m.inside {
		if bytes.IndexByte([]byte(`{}[]:,"`+" \t\r\n"), raw[0]) < 0 {
			copy(raw, fillers[width])
		}
		return
	}
	if raw[0] == '"' {
		return
	}
	said, _ := peek.Step(nil, raw)
	escape := escapes[width]
	if width == 6 {
		escape = [...]string{1: `\u007f`, 2: `\u0080`, 3: `\ue000`}[min(len(said), 3)]
	}
	copy(raw, escape) // a lone backslash at an end stays
}

// Hide hides what differs between texts and those that were read in the same way out
// of masked bytes. Where they are not of one length, all between their first and last
// difference is hidden; where there is not the same number of them, all is.
func Hide(clear, masked []Text) {
	if len(clear) != len(masked) {
		HideAll(clear)
		return
	}
	for i := range clear {
		clear[i].differ(masked[i].Text)
	}
}

// differ hides what is otherwise in a text read out of masked bytes.
func (t *Text) differ(masked string) {
	if t.Text == masked {
		return
	}
	if len(t.Text) != len(masked) {
		t.hide(between(t.Text, masked))
		return
	}
	for at := 0; at < len(masked); at++ {
		if t.Text[at] != masked[at] {
			t.hide(Span{at, at + 1})
		}
	}
}

// between gives what of a is not the beginning or the end of b.
func between(a, b string) Span {
	n := min(len(a), len(b))
	head, tail := 0, 0
	for head < n && a[head] == b[head] {
		head++
	}
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return Span{head, len(a) - tail}
}

// near joins stretches that are so close that a byte which is by chance the one that
// fills its place would show.
const near = utf8.UTFMax

// hide adds a stretch behind those that are there, of whole characters.
func (t *Text) hide(s Span) {
	for s.Start > 0 && s.Start < len(t.Text) && !utf8.RuneStart(t.Text[s.Start]) {
		s.Start--
	}
	for s.End < len(t.Text) && !utf8.RuneStart(t.Text[s.End]) {
		s.End++
	}
	if n := len(t.Hide); n > 0 && s.Start <= t.Hide[n-1].End+near {
		t.Hide[n-1].End = max(t.Hide[n-1].End, s.End)
		return
	}
	t.Hide = append(t.Hide, s)
}

// Pieces cuts a long text between lines or words. The pieces put together are the
// text, and what is hidden is so in each.
func (t *Text) Pieces() []Text {
	list := cut(t.Text)
	out := make([]Text, len(list))
	at := 0
	for i, s := range list {
		out[i] = Text{Role: t.Role, Kind: t.Kind, Text: s}
		for _, h := range t.Hide {
			if start, end := max(h.Start-at, 0), min(h.End-at, len(s)); start < end {
				out[i].Hide = append(out[i].Hide, Span{start, end})
			}
		}
		at += len(s)
	}
	return out
}
