package conversation

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Numbers of parts: a request's are named by where their block begins, and no block
// has more parts than bytes; an answer's begin at said. All are below 2⁵³.
const (
	eachBlock = 64
	said      = int64(1) << 48
)

// mostParts bounds the parts of one block. The last one says all that the rest do.
const mostParts = 4096

func bounded(parts []flow.Part) []flow.Part {
	if len(parts) <= mostParts {
		return parts
	}
	last := parts[mostParts-1]
	var rest strings.Builder
	for _, p := range parts[mostParts-1:] {
		rest.WriteString(p.Text)
		rest.WriteByte('\n')
	}
	return append(parts[:mostParts-1:mostParts-1], flow.Part{Kind: flow.UnknownPart, Role: last.Role, Text: rest.String()})
}

// maker makes the parts of one flow.
type maker struct {
	f        *Flow
	limit    int   // bytes of a text; 0: all
	bare     bool  // nothing is hidden
	sieve    Sieve // nil: values are hidden only where they are known to stand
	only     int64 // number of the one part that is wanted; -1: all are
	findings []Finding
}

// request gives the parts of a request.
func (m *maker) request() (parts []*Part) {
	for i := range m.f.Blocks {
		b := &m.f.Blocks[i]
		if at := m.only/eachBlock - b.Start; m.only >= 0 && (at < 0 || at >= int64(len(b.Raw))) {
			continue
		}
		parts = append(parts, m.block(b)...)
	}
	if rest, err := codec.Parts(m.f.Intent.API, m.f.Rest); err == nil && m.only < 0 {
		for i := range rest {
			list := m.f.Hide.in(rest[i : i+1])
			m.nameless(&rest[i], m.f.Hide)
			p := newPart(&rest[i], Request, restAt+int64(i))
			m.fill(p, rest[i].Text, list)
			parts = append(parts, p)
		}
	}
	if len(m.f.Text) > 0 {
		parts = append(parts, m.text())
	}
	return parts
}

// restAt numbers the members beside the conversation.
const restAt = said / 2

// text gives a body that has no blocks as one part.
func (m *maker) text() *Part {
	raw := flow.Part{Kind: flow.UnknownPart, Text: string(m.f.Text)}
	list := m.f.Hide.in([]flow.Part{raw})
	for i := range m.f.Intent.Findings {
		f := &m.f.Intent.Findings[i]
		if f.Place == "" && f.Start >= 0 && f.Start < f.End && f.End <= int64(len(raw.Text)) {
			list = append(list, placed{0, int(f.Start), int(f.End), markOf(f, f.Start, f.End), m.hides(f)})
			if m.hides(f) {
				m.learn(f.Rule, raw.Text[f.Start:f.End])
			}
		}
	}
	p := newPart(&raw, Request, 0)
	m.fill(p, raw.Text, list)
	return p
}

// roles are those of what stands outside of messages.
var roles = map[string]string{
	"system": "system", "instructions": "system", "systemInstruction": "system", "system_instruction": "system", "input": "user",
}

// block reads one block.
func (m *maker) block(b *Block) (parts []*Part) {
	role := b.Role
	switch around := roles[b.Field]; {
	case around == "system", around != "" && role == "" && len(b.Raw) > 0 && b.Raw[0] == '"':
		role = around
	}
	spots := b.spots(m.f.Intent.Findings, m.hides)
	for _, s := range spots {
		if s.hide {
			m.learn(s.mark.Rule, string(b.Raw[s.start:s.end]))
		}
	}
	m.name(b, spots)
	raw := b.edit(m.f.Edits, spots)
	read := bounded(codec.Block(m.f.Intent.API, role, raw))
	list := place(raw, spots, read)
	if m.f.Loose {
		list = append(list, m.f.Hide.in(read)...)
	}
	hidden := m.values(b, spots)
	for i := range read {
		m.nameless(&read[i], hidden, m.f.Hide)
		p := newPart(&read[i], Request, b.Start*eachBlock+int64(i))
		m.fill(p, read[i].Text, of(list, i))
		if p.Kind == flow.Media {
			p.Media = media(raw, &read[i])
		}
		if p.Kind == flow.ToolResult && len(read) == 1 {
			p.Shows = shows(raw)
		}
		if b.First != "" {
			p.First = &Seen{Flow: b.First}
			if b.Turn > 0 {
				p.First.Turn = &b.Turn
			}
		}
		parts = append(parts, p)
	}
	m.tell(b, list, parts)
	return parts
}

// values are those that are hidden in a block.
func (m *maker) values(b *Block, list []spot) *Values {
	var all []Value
	for _, s := range list {
		if s.hide {
			all = append(all, Value{text(b.Raw[s.start:s.end]), s.mark.Rule})
		}
	}
	if all == nil {
		return nil
	}
	return NewValues(all)
}

// nameless hides values in what a part is called: marks count in its text only.
func (m *maker) nameless(p *flow.Part, hidden ...*Values) {
	if m.bare {
		return
	}
	for _, v := range hidden {
		for _, s := range []*string{&p.Name, &p.ID} {
			*s, _ = masked(*s, v.in([]flow.Part{{Text: *s}}))
		}
	}
}

// name gives the marks of values that only the vault told of the ids that findings of
// them have.
func (m *maker) name(b *Block, list []spot) {
	for i := range list {
		if s := &list[i]; s.mark.Finding == "" && s.mark.Rule != "" && m.f.Names != nil {
			s.mark.Finding = m.f.Names(s.mark.Rule, []byte(text(b.Raw[s.start:s.end])))
		}
	}
}

// tell says of the findings in a block which part they are in.
func (m *maker) tell(b *Block, list []placed, parts []*Part) {
	if len(parts) == 0 {
		return
	}
	type place struct {
		id   string
		from int64
	}
	in := map[place]int64{}
	for _, p := range list {
		in[place{p.mark.Finding, p.mark.From}] = parts[p.part].N
	}
	end := b.Start + int64(len(b.Raw))
	for i := range m.findings {
		f := &m.findings[i]
		if f.Place != "" || f.Part != nil || f.Start < b.Start || f.End > end || f.End <= f.Start {
			continue
		}
		n, ok := in[place{f.ID, f.Start}]
		if !ok {
			n = parts[0].N
		}
		f.Part = &n
	}
}

func of(list []placed, part int) (mine []placed) {
	for _, p := range list {
		if p.part == part {
			mine = append(mine, p)
		}
	}
	return mine
}

func newPart(p *flow.Part, side string, n int64) *Part {
	return &Part{N: n, Side: side, Kind: p.Kind, Role: clean(p.Role), ID: clean(p.ID), Name: clean(p.Name), Signed: p.Signed, Failed: p.Failed}
}

// answer gives the parts of what the provider said.
func (m *maker) answer(read []flow.Part) (parts []*Part) {
	list := m.placeAnswer(read)
	named := !m.bare && slices.ContainsFunc(m.findings, func(f Finding) bool { return f.Note == flow.InToolName && m.hides(&f.Finding) })
	for i := range read {
		n := said + int64(i)
		if m.only >= 0 && m.only != n {
			continue
		}
		m.nameless(&read[i], m.f.Hide)
		if named && read[i].Kind == flow.ToolCall && !slices.Contains(m.f.Outcome.Tools, read[i].Name) {
			read[i].Name = mask // tools that are listed have names in which nothing was found
		}
		p := newPart(&read[i], Answer, n)
		m.fill(p, read[i].Text, of(list, i))
		if p.Kind == flow.Media {
			p.Media = &Media{Type: read[i].Name}
		}
		parts = append(parts, p)
	}
	return parts
}

// placeAnswer finds the parts that the answer's findings stand in. Their spans count
// in a part's text, and nothing says in which: it is told where only one part of
// their channel can hold it. What hides is hidden in all that can.
func (m *maker) placeAnswer(read []flow.Part) (all []placed) {
	for i := range m.findings {
		f := &m.findings[i]
		if f.Place != "answer" || f.Start < 0 || f.End <= f.Start {
			continue
		}
		var in []int
		for j := range read {
			if (read[j].Kind == flow.ToolCall) == (f.Channel == flow.ToolCalls) && f.End <= int64(len(read[j].Text)) {
				in = append(in, j)
			}
		}
		in = m.fits(f, read, in)
		if len(in) == 1 {
			n := said + int64(in[0])
			f.Part = &n
		}
		if hide := m.hides(&f.Finding); hide || len(in) == 1 {
			for _, j := range in {
				p := placed{j, int(f.Start), int(f.End), markOf(&f.Finding, f.Start, f.End), hide}
				all = append(all, clamp(p, read[j].Text))
				if hide {
					m.learn(f.Rule, read[j].Text[f.Start:f.End])
				}
			}
		}
	}
	return append(all, m.f.Hide.in(read)...)
}

// fits leaves of the parts that may hold a finding the one that does, where its id
// tells that.
func (m *maker) fits(f *Finding, read []flow.Part, in []int) []int {
	if len(in) < 2 || m.f.Names == nil {
		return in
	}
	for _, j := range in {
		value := []byte(read[j].Text[f.Start:f.End])
		for _, v := range [][]byte{value, []byte(text(value)), append([]byte(read[j].Name+"\x00"), value...)} {
			if m.f.Names(f.Rule, v) == f.ID {
				return []int{j}
			}
		}
	}
	return in
}

// pictureMax is how large a picture may be that is shown.
const pictureMax = 1 << 20

// media finds the data of a part that is no text. Only pictures made of pixels are
// given out: others may hold programs.
func media(raw []byte, p *flow.Part) *Media {
	m := &Media{Type: p.Name}
	data := encoded(raw)
	m.Bytes = base64.StdEncoding.DecodedLen(len(data)) - bytes.Count(data[max(0, len(data)-2):], []byte("="))
	if m.Bytes > pictureMax || len(data) == 0 {
		return m
	}
	picture, err := base64.StdEncoding.DecodeString(string(data))
	if kind := pixels(picture); err == nil && kind != "" {
		m.Type, m.Data = kind, string(data)
	}
	return m
}

// showsMost is how many pictures of one result are shown.
const showsMost = 4

// shows finds the pictures in a tool's result.
func shows(raw []byte) (list []*Media) {
	for _, path := range [][]string{{"content"}, {"output"}, {"functionResponse", "parts"}, {"function_response", "parts"}} {
		v := peek.Get(raw, path...)
		if !peek.IsArray(v) {
			continue
		}
		for w := peek.Elements(v); w.Next() && len(list) < showsMost; {
			if m := media(w.Value, &flow.Part{}); m.Data != "" {
				list = append(list, m)
			}
		}
	}
	return list
}

// encoded finds base64 where the APIs put it.
func encoded(raw []byte) []byte {
	for _, path := range [][]string{{"source", "data"}, {"inlineData", "data"}, {"inline_data", "data"}, {"image_url", "url"}, {"image_url"}, {"file_data"}, {"file", "file_data"}, {"input_audio", "data"}, {"result"}} {
		v := peek.Get(raw, path...)
		if !peek.IsString(v) || len(v) < 2 {
			continue
		}
		data := v[1 : len(v)-1]
		if bytes.IndexByte(data, '\\') >= 0 {
			data = []byte(peek.String(v))
		}
		if rest, ok := bytes.CutPrefix(data, []byte("data:")); ok {
			_, data, _ = bytes.Cut(rest, []byte(";base64,"))
		} else if path[0] == "image_url" {
			continue // an address
		}
		return data
	}
	return nil
}

// pixels gives the type of a picture that is made of pixels, by its first bytes.
func pixels(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "image/gif"
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}
