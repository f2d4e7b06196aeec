package gemini

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/draft"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Decoder reads one answer: the chunks of a stream, or one body. Each has the
// same shape. Without a draft it keeps counters and short names only.
type Decoder struct {
	answer   flow.Answer
	draft    *draft.Draft // nil: parts are not wanted
	whole    bool         // a body that is no stream came to its end
	counted  []byte       // the last usageMetadata, raw: each one replaces the one before
	bytes    int          // of output text seen
	seen     uint64       // candidates, a bit each; those above 63 share one
	finished uint64
	last     [2]run // what the next chunk's text continues, for candidates 0 and 1
}

// run is the open part of a candidate: text is joined across chunks as long
// as it stays of one kind and carries no signature.
type run struct {
	open bool
	kind flow.Kind
	next int64 // number of parts so far
}

// NewDecoder makes a decoder; keep collects parts.
func NewDecoder(keep bool) *Decoder {
	d := &Decoder{}
	if keep {
		d.draft = draft.New()
	}
	return d
}

// Event takes one chunk of a stream.
func (d *Decoder) Event(_ string, data []byte) {
	if !d.chunk(data, false) {
		d.answer.Unknown++
	}
}

// chunk takes a chunk, or what Code Assist wraps.
func (d *Decoder) chunk(data []byte, wrapped bool) bool {
	s := peek.Scan(data)
	if !s.Object() {
		return false
	}
	known := false
	for s.Member() {
		switch string(s.Name) {
		case "candidates":
			known = d.candidates(&s) || known
		case "usageMetadata":
			known = d.count(s.Value()) || known
		case "modelVersion":
			if d.answer.Model == "" {
				d.answer.Model = peek.Short(s.Value())
			}
		case "response":
			if !wrapped {
				known = d.chunk(s.Value(), true) || known
			}
		case "responseId", "traceId":
			if d.answer.ID == "" {
				d.answer.ID = peek.Short(s.Value())
			}
		case "promptFeedback":
			known = true
			d.blocked(peek.Get(s.Value(), "blockReason"))
		case "error":
			known = true
			d.fault(s.Value())
		}
	}
	return known && !s.Bad()
}

// count keeps the usage to be read when it is asked for. It is a few hundred
// bytes; a longer one says nothing more.
func (d *Decoder) count(raw []byte) bool {
	if !peek.IsObject(raw) || len(raw) > 1<<16 {
		return false
	}
	d.counted = append(d.counted[:0], raw...)
	return true
}

func (d *Decoder) candidates(s *peek.Scanner) bool {
	if !s.Array() {
		return false
	}
	for s.Element() {
		d.candidate(s)
	}
	return true
}

// blocked takes the reason for which the prompt was not answered: such a
// stream has no candidate and ends so.
func (d *Decoder) blocked(raw []byte) {
	if reason := peek.Short(raw); reason != "" {
		d.answer.Stop, d.seen, d.finished = reason, d.seen|1, d.finished|1
	}
}

// fault reads google.rpc.Status. The message may quote the request and is not
// kept.
func (d *Decoder) fault(raw []byte) {
	if d.answer.Error = peek.Short(peek.Get(raw, "status")); d.answer.Error == "" {
		d.answer.Error = "error"
	}
}

func (d *Decoder) candidate(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	var index, parts, finish []byte
	for s.Member() {
		switch string(s.Name) {
		case "index":
			index = s.Value()
		case "content":
			parts = contentParts(s)
		case "finishReason":
			finish = s.Value()
		}
	}
	n := max(0, peek.Int(index))
	for w := peek.Elements(parts); w.Next(); {
		d.part(n, w.Value)
	}
	d.finish(n, finish)
}

func contentParts(s *peek.Scanner) (parts []byte) {
	if !s.Object() {
		return nil
	}
	for s.Member() {
		if string(s.Name) == "parts" {
			parts = s.Value()
		}
	}
	return parts
}

func (d *Decoder) finish(n int64, reason []byte) {
	bit := uint64(1) << uint64(min(n, 63))
	d.seen |= bit
	if len(reason) <= 2 || !peek.IsString(reason) {
		return
	}
	d.finished |= bit
	if n == 0 || d.answer.Stop == "" {
		d.answer.Stop = peek.Short(reason)
	}
}

// part is on the path of every byte of a stream.
func (d *Decoder) part(n int64, raw []byte) {
	var p piece
	p.read(raw)
	if p.text != nil {
		d.bytes += peek.Size(p.text)
	} else {
		d.bytes += len(p.call) + len(p.code)
	}
	if !p.known() {
		d.answer.Unknown++
	}
	if d.draft != nil {
		d.keep(n, &p, raw)
	}
}

func (d *Decoder) keep(n int64, p *piece, raw []byte) {
	r := &d.last[min(n, 1)]
	part := p.part("model", raw)
	joins := n < 2 && r.open && !part.Signed && r.kind == part.Kind && p.joins(part.Kind)
	if !joins {
		r.next++
	}
	key := draft.Key{Major: n, Minor: r.next}
	at := d.draft.At(key)
	if joins && at != nil {
		at.AppendRaw([]byte(part.Text))
	} else if at = d.draft.Open(key, part.Kind, part.Role); at != nil {
		at.Set(part)
	}
	r.kind = part.Kind
	r.open = !part.Signed && (p.joins(part.Kind) || p.continues())
}

// joins reports whether the part is text, or the rest of a call whose
// arguments stream.
func (p *piece) joins(kind flow.Kind) bool {
	switch kind {
	case flow.Text, flow.Thinking:
		return p.text != nil
	case flow.ToolCall:
		return p.call != nil && peek.Get(p.call, "name") == nil
	}
	return false
}

func (p *piece) continues() bool {
	return p.call != nil && (peek.True(peek.Get(p.call, "willContinue")) || peek.True(peek.Get(p.call, "will_continue")))
}

// Body takes an answer that is no stream: a response, an error, a count.
func (d *Decoder) Body(data []byte) {
	if !peek.Whole(data) {
		d.answer.Unreadable = "the answer is not one JSON object"
	}
	d.chunk(data, false)
	d.whole = d.answer.Unreadable == ""
}

// ID is that of the answer, as far as it has come.
func (d *Decoder) ID() string { return d.answer.ID }

// Answer gives what came so far. usageMetadata repeats in every chunk, the last
// one counts; of a stream that was cut it may lag behind the text.
func (d *Decoder) Answer() flow.Answer {
	a := d.answer
	a.Usage = usage(d.counted)
	a.Complete = d.whole || d.finished != 0 && d.finished == d.seen
	if d.seen != 0 && (d.counted == nil || !a.Complete) {
		a.Usage.Estimated = true
		a.Usage.Output = max(a.Usage.Output, int64(d.bytes+3)/4)
	}
	a.Parts = d.draft.Parts()
	for i := range a.Parts {
		assemble(&a.Parts[i])
	}
	if d.draft.Full() {
		a.Unreadable = "the answer is too long to be kept in parts"
	}
	return a
}

// Ended reports whether an error ended the answer. A finish reason is no sign:
// more candidates, or usage, may follow it.
func (d *Decoder) Ended() bool { return d.whole || d.answer.Error != "" }

// usage reads usageMetadata. The prompt's count includes what came from the
// cache; thoughts are counted and billed beside the candidates.
func usage(raw []byte) flow.Usage {
	var prompt, cached, candidates, thoughts, tools int64
	var tier string
	for w := peek.Members(raw); w.Next(); {
		n := max(0, peek.Int(w.Value))
		switch string(w.Name) {
		case "promptTokenCount":
			prompt = n
		case "cachedContentTokenCount":
			cached = n
		case "candidatesTokenCount", "responseTokenCount":
			candidates = n
		case "thoughtsTokenCount":
			thoughts = n
		case "toolUsePromptTokenCount":
			tools = n
		case "serviceTier", "trafficType":
			tier = tierName(peek.Short(w.Value))
		}
	}
	cached = min(cached, prompt)
	return flow.Usage{
		Input: prompt - cached + tools, Output: candidates + thoughts, CacheRead: cached, Reasoning: thoughts, Tier: tier,
	}
}

// tierName gives a tier that is priced apart: Gemini API's serviceTier or
// Vertex's trafficType; "" for the standard one.
func tierName(s string) string {
	s = strings.ToLower(strings.TrimPrefix(s, "ON_DEMAND_"))
	switch s {
	case "", "standard", "unspecified", "service_tier_unspecified", "on_demand", "traffic_type_unspecified":
		return ""
	}
	return s
}
