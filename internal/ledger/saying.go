package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/ledger/text"
	wire "github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// form says how a text is read from where it stands.
type form int64

const (
	formBlock  form = iota // a part of a block
	formLong               // a block that is a stretch of what was too long for one
	formInside             // the same, when it begins inside of a string
	formPlain              // a block that is no JSON
	formLoose              // what stands outside of blocks
	formWhole              // a part of a piece of a body that is decoded as a whole
	formAnswer             // a part of an answer; the last number: all of one that no codec reads
)

// wherein is the part of a text.Place that says which text of an entry it is.
type wherein struct {
	form  form
	part  int // of a block or an answer
	cut   int // of a long text
	piece int // of a whole body
}

const (
	formBits = 4
	partBits = 20
	cutBits  = 16

	maxParts  = 1<<partBits - 1
	maxCuts   = 1 << cutBits
	maxPieces = 1 << (63 - formBits - partBits - cutBits)
)

func (w wherein) number() int64 {
	return int64(w.form) | int64(w.part)<<formBits | int64(w.cut)<<(formBits+partBits) | int64(w.piece)<<(formBits+partBits+cutBits)
}

func whereinOf(n int64) wherein {
	return wherein{
		form: form(n & (1<<formBits - 1)), part: int(n >> formBits & maxParts),
		cut: int(n >> (formBits + partBits) & (maxCuts - 1)), piece: int(n >> (formBits + partBits + cutBits)),
	}
}

// saying is a text and where in its entry it is.
type saying struct {
	wherein
	said.Text
}

// eachPiece calls f for the pieces of texts.
func eachPiece(list []said.Text, w wherein, f func(saying)) {
	for i, t := range list[:min(len(list), maxParts)] {
		w.part = i
		for j, piece := range t.Pieces() {
			if j >= maxCuts {
				break
			}
			w.cut = j
			f(saying{w, piece})
		}
	}
}

// cutOf gives the piece of a text that a number names.
func cutOf(list []said.Text, w wherein) (said.Text, bool) {
	if w.part >= len(list) {
		return said.Text{}, false
	}
	pieces := list[w.part].Pieces()
	if w.cut >= len(pieces) {
		return said.Text{}, false
	}
	return pieces[w.cut], true
}

// blockTexts reads a block as its form says. inside: it ends within a string.
func blockTexts(api flow.API, role string, raw []byte, f form) (list []said.Text, inside bool) {
	switch f {
	case formLong, formInside:
		t := said.Text{Role: role, Kind: flow.UnknownPart}
		t.Text, inside = said.Stretch(raw, f == formInside)
		return []said.Text{t}, inside
	case formPlain:
		return []said.Text{{Role: role, Kind: flow.UnknownPart, Text: said.Plain(raw)}}, false
	}
	return said.Block(api, role, raw), false
}

// loose gives the text that stands outside of a request's blocks.
func (v *veils) loose(items []object.Item) said.Text {
	var raw []byte
	var hidden []said.Span
	for i, it := range items {
		if i < len(v.items) {
			for _, s := range v.within(v.items[i], v.items[i]+len(it.Bytes)+len(it.Tail)) {
				hidden = append(hidden, said.Span{Start: s.Start + len(raw), End: s.End + len(raw)})
			}
		}
		raw = append(append(raw, it.Bytes...), it.Tail...)
		if it.Tip != 0 {
			raw = append(raw, ',') // a name there is not the next one's
		}
	}
	return v.around(raw, hidden)
}

// wholeMax bounds what a compressed body is decoded to.
const wholeMax = 64 << 20

// whole gives the pieces of a body that came with a content coding.
func (l *Ledger) whole(in *flow.Intent, req *request, key uint64) (*split.Doc, error) {
	runs, err := l.directory(key)
	if err != nil {
		return nil, err
	}
	items, err := object.DecodeSkeleton(req.skeleton)
	if err != nil {
		return nil, err
	}
	body, err := object.Render(items, newShelf(l, runs), veiled{}, in.RequestBytes)
	if err != nil {
		return nil, err
	}
	plain, err := coding.Decode(encodingOf(in), body, coding.Limit{Bytes: wholeMax})
	if err != nil {
		return nil, err
	}
	return split.Split(plain, nil), nil
}

// wholeRoles gives the role of each block of a document.
func wholeRoles(doc *split.Doc) []string {
	roles := make([]string, len(doc.Pieces))
	role, from, run, fixed := "", 0, -1, false
	var unknown []int // blocks of the last element
	for i := range doc.Pieces {
		p := &doc.Pieces[i]
		if p.Kind != split.Block {
			continue
		}
		glue := doc.Body[from:p.Start]
		if bytes.IndexByte(glue, '}') >= 0 {
			for _, u := range unknown {
				roles[u] = said.RoleBehind(glue)
			}
			unknown = nil
		}
		if p.Run != run {
			role, run, fixed = "", p.Run, false
			if run >= 0 && run < len(doc.Fields) {
				role = said.RoleIn(doc.Fields[run].Name)
				fixed = role != "" // whatever it says: Gemini's is a message of a user
			}
		}
		if r, ok := said.Role(glue); ok && !fixed {
			role = r
		}
		if roles[i], from = role, p.End; role == "" {
			unknown = append(unknown, i)
		}
	}
	for _, u := range unknown {
		roles[u] = said.RoleBehind(doc.Body[from:])
	}
	return roles
}

// wholeLoose gives what stands outside of a document's blocks.
func (v *veils) wholeLoose(doc *split.Doc) said.Text {
	var raw []byte
	var hidden []said.Span
	for i := range doc.Pieces {
		p := &doc.Pieces[i]
		if p.Kind != split.Literal {
			continue
		}
		for _, s := range v.within(p.Start, p.End) {
			hidden = append(hidden, said.Span{Start: s.Start + len(raw), End: s.End + len(raw)})
		}
		raw = append(raw, doc.Body[p.Start:p.End]...)
	}
	return v.around(raw, hidden)
}

// answerTexts gives what an answer says: its parts, or all of it where no codec
// reads it. Of one that holds a value of the vault only what came before that.
func (l *Ledger) answerTexts(b *begun, id flow.ID, out *flow.Outcome, e *entry) ([]said.Text, error) {
	a := &answering{l: l, findings: out.Findings, codec: wire.NewAnswer(b.api, wire.Options{Keep: true, Stream: streamOf(b.message)}), api: b.api}
	var err error
	if a.decoder, err = coding.New(contentCoding(out.Header), coding.Limit{Bytes: wholeMax}); err != nil {
		return nil, nil // an unknown coding: not text
	}
	defer a.decoder.Close()
	parts, err := l.index.Parts(id)
	if err != nil {
		return nil, err
	}
	for _, at := range parts {
		e, err := l.entryAt(at)
		if err != nil || e.kind != kindCheckpoint || !a.take(e.body) {
			a.short = true
			return a.end(), nil // Verify reports it
		}
	}
	a.short = !a.take(e.body)
	return a.end(), nil
}

func streamOf(message bool) wire.Stream {
	if message {
		return wire.Messages
	}
	return wire.Sniff
}

// answering puts an answer together.
type answering struct {
	api     flow.API
	codec   *wire.Answer
	decoder *coding.Decoder
	raw     []byte // of what no codec reads
	short   bool   // it goes on, where it can't be read

	l        *Ledger
	findings []flow.Finding
}

// take takes the chunks that an entry's body begins with; false: the rest is
// the vault's.
func (a *answering) take(body []byte) bool {
	if len(body) == 0 {
		return true
	}
	chunks, hidden, _, err := decodeChunks(body)
	if err != nil || hidden != nil {
		return false
	}
	for _, c := range chunks {
		plain, err := a.decoder.Push(c.Data)
		a.push(plain)
		if err != nil {
			return false
		}
	}
	return true
}

func (a *answering) push(plain []byte) {
	if a.api != flow.Opaque {
		a.codec.Push(plain)
	} else if len(a.raw) < maxRaw {
		a.raw = append(a.raw, plain[:min(len(plain), maxRaw-len(a.raw))]...)
	}
}

// maxRaw is how much of an answer that no codec reads is indexed.
const maxRaw = 4 << 20

func (a *answering) end() []said.Text {
	if rest, err := a.decoder.End(); err == nil {
		a.push(rest)
	}
	if a.api == flow.Opaque {
		list := []said.Text{{Role: "assistant", Kind: flow.UnknownPart, Text: said.Body(a.raw)}}
		if slices.ContainsFunc(a.findings, func(f flow.Finding) bool { return f.Place == "answer" && f.Hidden() }) {
			said.HideAll(list)
		}
		return list
	}
	list := a.l.veiledParts(a.api, a.codec.End().Parts, a.findings, a.short)
	for i := range list {
		if list[i].Role == "" {
			list[i].Role = "assistant"
		}
	}
	return list
}

// sayings reads texts where a search found them. Those of one entry come one
// behind the other, and may be thousands: what was read last is kept.
type sayings struct {
	l *Ledger

	pos, flowAt index.Pos // of the entry, and of the intent of its flow
	e           *entry
	in          *flow.Intent
	out         *flow.Outcome         // of the entry, when it is one; nil: not asked for
	blocks      map[object.Ref][]byte // of the entry; nil: not looked at
	doc         *split.Doc            // of the entry; nil: not decoded

	veils *veils // of the flow's request; nil: not asked for

	ref   object.Ref // of list
	place wherein    // of list, its part and cut left out
	list  []said.Text
}

// at gives the text of a hit, and the intent of its flow.
func (s *sayings) at(h *text.Hit) (t said.Text, in *flow.Intent, err error) {
	w := whereinOf(h.At.Part)
	if err := s.open(index.Pos{Segment: h.At.Segment, Offset: h.At.Offset}, index.Pos{Segment: h.IntentAt.Segment, Offset: h.IntentAt.Offset}); err != nil {
		return t, nil, err
	}
	place := wherein{form: w.form, piece: w.piece}
	if s.list == nil || s.ref != h.At.Ref || s.place != place {
		s.list, err = s.texts(h.Key, h.At.Ref, w)
		s.ref, s.place = h.At.Ref, place
	}
	if err != nil {
		return t, nil, err
	}
	t, ok := cutOf(s.list, w)
	if !ok {
		return t, nil, fmt.Errorf("there is no such text: %w", errMalformed)
	}
	return t, s.in, nil
}

// open reads an entry and the intent of its flow.
func (s *sayings) open(at, flowAt index.Pos) error {
	if s.in != nil && s.pos == at && s.flowAt == flowAt {
		return nil
	}
	was := *s
	if *s = (sayings{l: s.l, pos: at, flowAt: flowAt}); was.flowAt == flowAt {
		s.veils = was.veils
	}
	var err error
	if s.e, err = s.l.entryAt(at); err != nil {
		return err
	}
	first := s.e
	if at != flowAt {
		if first, err = s.l.entryAt(flowAt); err != nil {
			return err
		}
	}
	s.in, err = first.intent()
	return err
}

// findings gives what rules found in the flow, as far as it is about the entry.
func (s *sayings) findings() []flow.Finding {
	if s.pos == s.flowAt || s.e.kind != kindOutcome {
		return s.in.Findings
	}
	if s.out == nil {
		s.out, _ = s.e.outcome() // its text was read
	}
	if s.out == nil {
		return nil
	}
	return s.out.Findings
}

// texts gives the texts among which one is.
func (s *sayings) texts(key uint64, ref object.Ref, w wherein) ([]said.Text, error) {
	switch w.form {
	case formBlock, formLong, formInside, formPlain:
		raw, err := s.block(ref)
		if err != nil {
			return nil, err
		}
		v, err := s.veiled(key)
		if err != nil {
			return nil, err
		}
		list, _ := v.texts(s.in.API, "", raw, w.form, v.blocks[ref])
		return list, nil
	case formAnswer:
		out, err := s.e.outcome()
		if err != nil {
			return nil, err
		}
		return s.l.answerTexts(&begun{api: s.in.API, message: s.in.Method == flow.MethodMessage}, s.in.Flow, out, s.e)
	}
	req, err := decodeRequest(s.e.body)
	if err != nil || req == nil {
		return nil, errors.Join(errMalformed, err)
	}
	v, err := s.veiled(key)
	if err != nil {
		return nil, err
	}
	if w.form == formLoose && !coded(s.in) {
		items, err := object.DecodeSkeleton(req.skeleton)
		return []said.Text{v.loose(items)}, err
	}
	if s.doc == nil {
		if s.doc, err = s.l.whole(s.in, req, key); err != nil {
			return nil, err
		}
	}
	if w.form == formLoose {
		return []said.Text{v.wholeLoose(s.doc)}, nil
	}
	if w.piece >= len(s.doc.Pieces) {
		return nil, errMalformed
	}
	p := &s.doc.Pieces[w.piece]
	list, _ := v.texts(s.in.API, "", s.doc.Body[p.Start:p.End], formBlock, v.within(p.Start, p.End))
	return list, nil
}

// veiled gives the veils of the flow's request.
func (s *sayings) veiled(key uint64) (*veils, error) {
	if s.veils != nil {
		return s.veils, nil
	}
	e := s.e
	if s.pos != s.flowAt {
		var err error
		if e, err = s.l.entryAt(s.flowAt); err != nil {
			return nil, err
		}
	}
	req, err := decodeRequest(e.body)
	if err != nil || req == nil {
		return nil, errors.Join(errMalformed, err)
	}
	s.veils = s.l.veils(s.in, req, key)
	return s.veils, nil
}

// block gives a block that the entry brings.
func (s *sayings) block(ref object.Ref) ([]byte, error) {
	if s.blocks == nil {
		span, err := s.e.span()
		if err != nil {
			return nil, err
		}
		all := map[object.Ref][]byte{}
		err = span.each(func(at object.Ref, o object.Object) (err error) {
			if o.Node == nil && o.Secret == nil {
				all[at], err = o.Block.Content(veiled{})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		s.blocks = all
	}
	raw, ok := s.blocks[ref]
	if !ok {
		return nil, errMalformed
	}
	return raw, nil
}
