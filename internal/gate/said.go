package gate

import (
	"bytes"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/remote"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// said is one string of a piece as a remote detector gets it: decoded, and with
// the credentials that our own detectors found in it as asterisks.
type said struct {
	piece   int
	json    bool // it stands in a JSON string
	start   int  // of its raw text in the piece, and its end
	end     int
	channel flow.Channel
	fixed   bool // nothing else can stand there
	packed  bool // the text was compressed: what is found in it is found in all of it
	text    string
	marks   []mark // the way back, by text; there is always one at 0
}

// mark is a place from which on text and raw text go together byte by byte, or, of
// one character that is written in another way, where it begins.
type mark struct {
	text, raw int
	one       bool
}

// raw gives where a span of the text stands in the piece. What begins or ends
// within a character takes all of it.
func (s *said) raw(start, end int) (from, to int) {
	i := s.markAt(start)
	from = s.marks[i].raw
	if !s.marks[i].one {
		from += start - s.marks[i].text
	}
	i = s.markAt(end)
	to = s.marks[i].raw
	switch {
	case !s.marks[i].one:
		to += end - s.marks[i].text
	case end > s.marks[i].text:
		to = s.end
		if i+1 < len(s.marks) {
			to = s.marks[i+1].raw
		}
	}
	return from, to
}

// markAt gives the last mark that is not behind a place of the text.
func (s *said) markAt(at int) int {
	return sort.Search(len(s.marks), func(k int) bool { return s.marks[k].text > at }) - 1
}

// read decodes raw, the bytes of the piece from start to end, hiding spans of them.
func (s *said) read(raw []byte, hidden []inspect.Span) {
	text := make([]byte, 0, len(raw))
	for at := 0; at < len(raw); {
		for len(hidden) > 0 && hidden[0].End <= s.start+at {
			hidden = hidden[1:]
		}
		if n := s.plain(raw[at:], s.start+at, hidden); n > 0 {
			s.marks = append(s.marks, mark{len(text), s.start + at, false})
			text, at = append(text, raw[at:at+n]...), at+n
			continue
		}
		s.marks = append(s.marks, mark{len(text), s.start + at, true})
		one, width := s.step(raw[at:])
		if len(hidden) > 0 && hidden[0].Start < s.start+at+width {
			one = []byte{'*'}
		}
		text, at = append(text, one...), at+width
	}
	if len(s.marks) == 0 || s.marks[len(s.marks)-1].one {
		s.marks = append(s.marks, mark{len(text), s.end, false})
	}
	s.text = string(text)
}

// step reads one character.
func (s *said) step(raw []byte) (one []byte, width int) {
	if s.json {
		return peek.Step(nil, raw)
	}
	_, n := utf8.DecodeRune(raw)
	return raw[:n], n
}

// plain is how many bytes stand for themselves, before an escape or a character to
// hide.
func (s *said) plain(raw []byte, at int, hidden []inspect.Span) int {
	n := len(raw)
	if i := bytes.IndexByte(raw, '\\'); s.json && i >= 0 {
		n = i
	}
	if len(hidden) > 0 {
		n = min(n, max(0, hidden[0].Start-at))
	}
	for n > 0 && n < len(raw) && !utf8.RuneStart(raw[n]) {
		n--
	}
	return n
}

// mostTexts is how many strings of one request we ask about; what is beyond them was
// not judged, and that is a finding.
const mostTexts = 4096

// sayer collects what detectors elsewhere are asked about.
type sayer struct {
	wants  func(flow.Channel) bool
	hidden func(*said) (spans []inspect.Span, unread bool) // credentials in a string; whether it is content that can't be read, which is a finding of its own

	list  []said
	short bool
}

// piece takes the strings of a piece of a request.
func (y *sayer) piece(x *examiner, i int) {
	p := &x.doc.Pieces[i]
	y.strings(i, x.doc.Body[p.Start:p.End], 0, func(at int) (flow.Channel, bool) {
		return x.channels.At(i, p.Start+at)
	})
}

// strings takes the strings of JSON text, a stretch of piece i that begins at an
// offset in it and outside of a string.
func (y *sayer) strings(i int, raw []byte, offset int, where func(at int) (flow.Channel, bool)) {
	var key []byte
	for at := 0; ; {
		open := bytes.IndexByte(raw[at:], '"')
		if open < 0 {
			return
		}
		start := at + open + 1
		end := start + closing(raw[start:])
		at = min(end+1, len(raw))
		if isKey(raw[at:]) {
			key = raw[start:end]
			continue
		}
		if !formal[string(key)] || !sealedOrWord(raw[start:end]) {
			y.take(said{piece: i, json: true, start: offset + start, end: offset + end}, raw[start:end], where)
		}
	}
}

// closing gives the length of a string's raw text.
func closing(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(raw)
}

func isKey(after []byte) bool {
	after = bytes.TrimLeft(after, " \t\r\n")
	return len(after) > 0 && after[0] == ':'
}

// formal are the members whose values are words of an API and no one's text, or
// sealed by a provider.
var formal = map[string]bool{
	"type": true, "role": true, "id": true, "tool_use_id": true, "tool_call_id": true, "call_id": true, "item_id": true,
	"media_type": true, "mime_type": true, "mimeType": true, "signature": true, "thoughtSignature": true, "thought_signature": true,
	"encrypted_content": true, "ttl": true,
}

// sealedOrWord reports whether a value is written as APIs write theirs, in base64 or
// as a name: arguments and bodies of others have these members, too, with texts
// in them.
func sealedOrWord(value []byte) bool {
	return !bytes.ContainsFunc(value, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || bytes.ContainsRune([]byte("+/=_-.:"), c))
	})
}

// take adds a string, unless it is of a channel that nobody is asked about, was
// signed by the provider, or could not be read.
func (y *sayer) take(s said, raw []byte, where func(at int) (flow.Channel, bool)) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return
	}
	if y.full(); y.short {
		return
	}
	var signed bool
	s.channel, signed = where(s.start)
	if signed || !y.wants(s.channel) {
		return
	}
	hidden, unread := y.hidden(&s)
	if unread {
		return
	}
	s.read(raw, hidden)
	y.list = append(y.list, s)
}

// hidden gives the credentials that were found in a string of the request.
func (x *examiner) hidden(s *said) (spans []inspect.Span, unread bool) {
	if v := x.out.views[s.piece]; v != nil {
		return hidden(s, v.found)
	}
	return nil, false
}

func hidden(s *said, list []found) (spans []inspect.Span, unread bool) {
	for i := range list {
		f := &list[i]
		if f.end <= s.start || s.end <= f.start {
			continue
		}
		switch {
		case f.finding.Rule == unreadableMedia, f.finding.Rule == unreadableEncoded && f.end-f.start > (s.end-s.start)/2:
			unread = true
		case isSecret(f.finding.Rule):
			spans = append(spans, inspect.Span{Start: f.start, End: f.end})
		}
	}
	slices.SortFunc(spans, func(a, b inspect.Span) int { return a.Start - b.Start })
	return spans, unread
}

// stretches takes the texts of a body that is no conversation.
func (y *sayer) stretches(x *examiner) {
	where := always(x.besides(), false)
	for _, s := range x.m.stretches(x.doc.Body) {
		raw := x.doc.Body[s.Start:s.End]
		known := len(y.list)
		switch {
		case s.Coding != "":
			y.message(x, s)
		case s.Binary:
		case s.JSON:
			y.strings(0, raw, s.Start, where)
		default:
			y.take(said{start: s.Start, end: s.End}, raw, where)
		}
		for i := known; i < len(y.list) && s.Fixed; i++ {
			y.list[i].fixed = true
		}
	}
}

// message takes the texts of a compressed message of a gRPC or Connect stream. One that
// can't be decompressed is a finding of its own.
func (y *sayer) message(x *examiner, s codec.Stretch) {
	text, err := coding.Decode(s.Coding, x.doc.Body[s.Start:s.End], coding.Limit{Bytes: x.g.o.DecodeMax})
	if err != nil || !y.wants(x.besides()) {
		return
	}
	for _, inner := range codec.Stretches("application/proto", "", text) {
		if y.full(); inner.Binary || y.short {
			continue
		}
		raw := text[inner.Start:inner.End]
		one := said{end: len(raw), channel: x.besides()}
		one.read(raw, credentials(x.engine.Scan(raw, inspect.Options{JSON: inner.JSON, Known: x.known})))
		one.start, one.end, one.packed, one.fixed = s.Start, s.End, true, true
		y.list = append(y.list, one)
	}
}

// credentials gives where they were found in a text.
func credentials(r inspect.Result) (spans []inspect.Span) {
	for i := range r.Matches {
		if m := &r.Matches[i]; isSecret(m.Rule.Name()) {
			spans = append(spans, inspect.Span{Start: m.Start, End: m.End})
		}
	}
	for i := range r.Inner {
		if m := &r.Inner[i]; isSecret(m.Rule.Name()) {
			spans = append(append(append(spans, m.Left), m.Between...), m.Right)
		}
	}
	slices.SortFunc(spans, func(a, b inspect.Span) int { return a.Start - b.Start })
	return spans
}

// full notes that no more texts are taken, when that is so.
func (y *sayer) full() {
	y.short = y.short || len(y.list) == mostTexts
}

// part takes what a part of an answer says: its text, or the strings in the
// arguments of a call.
func (y *sayer) part(i int, p *flow.Part) {
	where, raw := always(spoken(p), p.Signed), []byte(p.Text)
	if p.Kind == flow.ToolCall && peek.Whole(raw) {
		y.strings(i, raw, 0, where)
		return
	}
	y.take(said{piece: i, end: len(raw)}, raw, where)
}

// spoken is the channel of a part of an answer.
func spoken(p *flow.Part) flow.Channel {
	if p.Kind == flow.ToolCall {
		return flow.ToolCalls
	}
	return flow.Assistant
}

func (y *sayer) texts() []remote.Text {
	texts := make([]remote.Text, len(y.list))
	for i := range y.list {
		texts[i] = remote.Text{Channel: y.list[i].channel, Said: y.list[i].text}
	}
	return texts
}
