package export

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// span is a stretch of a text that is to be masked.
type span struct {
	start, end int
	rule       string
}

// replace masks every form of a value, and gives how many stretches that were.
func (v *Values) replace(text []byte, quotes bool) ([]byte, int) {
	var list []span
	v.each(text, func(s span) bool {
		list = append(list, s)
		return true
	})
	return put(text, list, quotes)
}

// in gives the rule of a value that a text has.
func (v *Values) in(text []byte) (rule string) {
	v.each(text, func(s span) bool {
		rule = s.rule
		return false
	})
	return rule
}

// each visits the places where a form begins, at each place the longest one, until
// visit says that it is enough. The text is gone over once, however many forms
// there are.
func (v *Values) each(text []byte, visit func(span) bool) {
	if len(v.forms) == 0 {
		return
	}
	for i := 0; i+leastValue <= len(text); i++ {
		head := binary.LittleEndian.Uint32(text[i:])
		if !v.maybe[head*2654435761>>16] { // Knuth's multiplicative hash
			continue
		}
		for _, f := range v.heads[head] {
			if bytes.HasPrefix(text[i:], f.text) {
				if !visit(span{i, i + len(f.text), f.rule}) {
					return
				}
				break
			}
		}
	}
}

// put puts the masks into a text. Stretches that overlap become one. A number that
// JSON has outside of a string gets quotes.
func put(text []byte, list []span, quotes bool) ([]byte, int) {
	if len(list) == 0 {
		return text, 0
	}
	slices.SortStableFunc(list, func(a, b span) int { return a.start - b.start })
	var out []byte
	at, n := 0, 0
	for i := 0; i < len(list); n++ {
		s := list[i]
		for i++; i < len(list) && list[i].start < s.end; i++ {
			s.end = max(s.end, list[i].end)
		}
		mask := "[" + s.rule + "]"
		if quotes && bare(text, s) {
			mask = `"` + mask + `"`
		}
		out = append(append(out, text[at:s.start]...), mask...)
		at = s.end
	}
	return append(out, text[at:]...), n
}

// bare reports whether a stretch is the whole of a number that is a member's value
// or an element.
func bare(text []byte, s span) bool {
	if strings.Trim(string(text[s.start:s.end]), "-+.0123456789eE") != "" {
		return false
	}
	before := bytes.TrimRight(text[:s.start], " \t\r\n")
	after := bytes.TrimLeft(text[s.end:], " \t\r\n")
	if len(before) == 0 || len(after) == 0 || !strings.ContainsRune(",:[", rune(before[len(before)-1])) || !strings.ContainsRune(",]}", rune(after[0])) {
		return false
	}
	return !inString(text, s.start)
}

// inString reports whether a place of JSON text is within a string. JSON has no
// line end in one.
func inString(text []byte, at int) bool {
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
	in := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			in = !in
		}
	}
	return in
}

// holds looks whether a value is left in a body, in whatever way it may be put
// together again: as a string of JSON, in JSON within strings, from the pieces of
// a stream. It gives the rule that found it.
func (v *Values) holds(f *Flow, b *Body) string {
	answer := b.What == Response || b.What == Delivered
	g := &gleaner{}
	if answer { // in requests, values that are cut in pieces are found piece by piece
		g.joined = map[string][]byte{}
	}
	for _, c := range b.Chunks {
		g.lines(c.Data, 0)
		if rule := v.in(c.Data); rule != "" {
			return rule
		}
	}
	for _, text := range g.texts {
		if rule := v.in(text); rule != "" {
			return rule
		}
	}
	for _, text := range g.joined {
		if rule := v.in(text); rule != "" {
			return rule
		}
	}
	if !answer {
		return ""
	}
	inner := &gleaner{}
	for _, p := range f.parts(b.What) {
		inner.texts = append(inner.texts, []byte(p.Text))
		inner.lines([]byte(p.Text), 0)
	}
	for _, text := range inner.texts {
		if rule := v.in(text); rule != "" {
			return rule
		}
	}
	return ""
}

// gleaner collects what the strings of JSON say: those that are written with
// escapes, and all those of one member, one behind the other, as a stream brings
// its text.
type gleaner struct {
	texts  [][]byte
	joined map[string][]byte // nil: not wanted
}

// deepest is how deep JSON is looked for in the strings of JSON.
const deepest = 4

// lines takes the strings of each line: a document, or an event of a stream.
func (g *gleaner) lines(text []byte, depth int) {
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		g.line(line, depth)
	}
}

func (g *gleaner) line(line []byte, depth int) {
	key := ""
	for at := 0; ; {
		i := bytes.IndexByte(line[at:], '"')
		if i < 0 {
			return
		}
		start := at + i + 1
		end := start + closing(line[start:])
		raw := line[start:end]
		at = min(end+1, len(line))
		if rest := bytes.TrimLeft(line[at:], " \t"); len(rest) > 0 && rest[0] == ':' {
			key = string(raw)
			continue
		}
		g.take(key, raw, depth)
	}
}

func (g *gleaner) take(key string, raw []byte, depth int) {
	said := unquote(raw)
	if depth == 0 && g.joined != nil {
		g.joined[key] = append(g.joined[key], said...)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return
	}
	g.texts = append(g.texts, said)
	if depth < deepest && bytes.IndexByte(said, '"') >= 0 {
		g.lines(said, depth+1)
	}
}

// closing gives the length of a string's raw text up to its quote.
func closing(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(b)
}

// unquote undoes the escapes of a string's raw text.
func unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return peek.Append(nil, slices.Concat([]byte{'"'}, raw, []byte{'"'}))
}
