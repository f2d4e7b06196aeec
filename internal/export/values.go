package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Hides reports whether what a rule found is a value that masking takes out.
// Others say what a text does, or that it could not be read: there is nothing in
// them to hide.
func Hides(rule string) bool {
	family, name, _ := strings.Cut(rule, ".")
	switch family {
	case "injection", "action", "taint", "coverage", "unreadable", "provider", "upstream":
		return false
	case "remote":
		return !strings.HasSuffix(name, "-failed")
	}
	return true
}

// Values are what rules found in one session. A later turn sends old text again,
// and only the first has the finding: so values are looked for wherever they may
// stand. The zero Values hold none and are ready.
type Values struct {
	Names func(rule string, value []byte) string // the id that a finding of a value has; nil: nobody knows

	forms []form
	seen  map[string]bool
	heads map[uint32][]form // by their first four bytes, the longest first
	maybe []bool            // by a hash of these
	short string            // rule of a value that is too short to be looked for
	blind string            // why some value is not known
	ready bool              // heads has all forms
}

// form is one way in which a value is written.
type form struct {
	text []byte
	rule string
}

const (
	leastValue = 4       // bytes: shorter ones stand in any text
	mostForms  = 1 << 14 // more are not kept: then nothing can be masked
)

// Learn takes the values that were found in a flow from its bodies: Request, and
// Response where something was found in the answer. What is found in a body that
// is not there makes that Mask leaves out all bodies that it can't be sure of.
func (v *Values) Learn(f *Flow) {
	var request []byte
	var parts []flow.Part
	for _, found := range findings(f) {
		switch {
		case !Hides(found.Rule):
		case found.Note == flow.InToolName:
			v.miss(found.Rule, f.Intent.Flow)
		case found.End <= found.Start:
		case found.Place == "" || found.Place == "answer" && f.Intent.API == flow.AskResponse:
			if request == nil {
				request = f.text(Request)
			}
			if found.Start < 0 || found.End > int64(len(request)) {
				v.miss(found.Rule, f.Intent.Flow)
				continue
			}
			v.Add(found.Rule, request[found.Start:found.End])
		case found.Place == "answer":
			if parts == nil {
				parts = f.parts(Response)
			}
			v.said(&found, parts, f.Intent.Flow)
		}
	}
}

// Sources are the bodies that Learn needs of a flow.
func (f *Flow) Sources() (list []What) {
	for _, found := range findings(f) {
		what := Request
		if found.Place == "answer" && f.Intent.API != flow.AskResponse {
			what = Response
		} else if found.Place != "" && found.Place != "answer" {
			continue
		}
		if Hides(found.Rule) && found.End > found.Start && !slices.Contains(list, what) {
			list = append(list, what)
		}
	}
	return list
}

func findings(f *Flow) []flow.Finding {
	if f.Outcome == nil {
		return f.Intent.Findings
	}
	return slices.Concat(f.Intent.Findings, f.Outcome.Findings)
}

// said takes a value from the parts of an answer. Its span counts in the text of a
// part, and nothing says of which: where its id does not tell, it is taken from all
// that can hold it.
func (v *Values) said(found *flow.Finding, parts []flow.Part, id flow.ID) {
	var list [][]byte
	for _, p := range parts {
		if (p.Kind == flow.ToolCall) != (found.Channel == flow.ToolCalls) || found.Start < 0 || found.End > int64(len(p.Text)) {
			continue
		}
		value := []byte(p.Text[found.Start:found.End])
		if v.Names != nil && (v.Names(found.Rule, value) == found.ID || v.Names(found.Rule, unquote(value)) == found.ID) {
			v.Add(found.Rule, value)
			return
		}
		list = append(list, value)
	}
	for _, value := range list {
		v.Add(found.Rule, value)
	}
	if len(list) == 0 {
		v.miss(found.Rule, id)
	}
}

func (v *Values) miss(rule string, id flow.ID) {
	if v.blind == "" {
		v.blind = fmt.Sprintf("what %s found in flow %s is not known, and may stand here, too", rule, id)
	}
}

// Miss says that a flow of the session, in which something was found, can't be
// read.
func (v *Values) Miss(id flow.ID) { v.miss("a rule", id) }

// Add adds a value, as it stands in a body or as it is.
func (v *Values) Add(rule string, raw []byte) {
	said := unquote(raw)
	if len(said) < leastValue {
		if len(said) > 0 {
			v.short = rule
		}
		return
	}
	for _, text := range [][]byte{said, raw} { // raw may be no JSON, but a text with backslashes
		v.form(rule, text)
		for _, once := range peek.Quotings(text) {
			v.form(rule, once)
			for _, twice := range peek.Quotings(once) {
				v.form(rule, twice)
			}
		}
	}
}

func (v *Values) form(rule string, text []byte) {
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	if v.seen[string(text)] {
		return
	}
	if len(v.forms) >= mostForms {
		v.blind = "more values were found in its session than can be looked for"
		return
	}
	v.seen[string(text)] = true
	v.forms, v.ready = append(v.forms, form{bytes.Clone(text), rule}), false
}

// Find visits the places in a text where values stand, in the order in which they
// begin: of those that begin at one place the longest.
func (v *Values) Find(text string, at func(start, end int, rule string)) {
	v.sort()
	v.each([]byte(text), func(s span) bool {
		at(s.start, s.end, s.rule)
		return true
	})
}

// Blind says why some value can't be looked for; empty: all can.
func (v *Values) Blind() string { return v.blind }

// sort makes heads of forms.
func (v *Values) sort() {
	if v.ready {
		return
	}
	v.ready = true
	slices.SortStableFunc(v.forms, func(a, b form) int { return len(b.text) - len(a.text) })
	v.heads, v.maybe = map[uint32][]form{}, make([]bool, 1<<16)
	for _, f := range v.forms {
		head := binary.LittleEndian.Uint32(f.text)
		v.heads[head] = append(v.heads[head], f)
		v.maybe[head*2654435761>>16] = true
	}
}

// Mask puts [RULE] in the place of each value in a flow's bodies, in its path, its
// headers and the names in its metadata. A body that may still hold one is left out. So are the hashes of
// content: who has all but a short value could try guesses against them.
func (v *Values) Mask(f *Flow) {
	v.sort()
	f.Masked = true
	in := *f.Intent
	in.RequestSHA256, in.ForwardedSHA256 = "", ""
	in.Path = v.path(in.Path, in.Findings)
	in.Header = v.header(in.Header, in.Findings)
	v.intent(&in)
	for i := range f.Bodies {
		v.body(f, &f.Bodies[i])
	}
	f.Intent = &in
	if f.Outcome != nil {
		out := *f.Outcome
		out.ResponseSHA256, out.DeliveredSHA256 = "", ""
		out.Header = v.header(out.Header, nil)
		v.outcome(&out)
		f.Outcome = &out
	}
}

// path masks the whole query when something was found in it, and the whole path when
// it was there.
func (v *Values) path(path string, found []flow.Finding) string {
	asked := ""
	for i := range found {
		f := &found[i]
		switch inPath, inQuery := f.InAddress(path); {
		case !Hides(f.Rule):
		case inPath:
			return "/[" + f.Rule + "]"
		case inQuery && asked == "":
			asked = f.Rule
		}
	}
	if asked != "" {
		path, _, _ = strings.Cut(path, "?")
		return v.words(path) + "?[" + asked + "]"
	}
	return v.words(path)
}

// header masks the whole of a value in which something was found.
func (v *Values) header(list []flow.Header, found []flow.Finding) []flow.Header {
	list = slices.Clone(list)
	for i := range list {
		list[i].Value = v.words(list[i].Value)
		for _, f := range found {
			if name, ok := strings.CutPrefix(f.Place, "header "); ok && strings.EqualFold(name, list[i].Name) && Hides(f.Rule) {
				list[i].Value = "[" + f.Rule + "]"
			}
		}
	}
	return list
}

func (v *Values) words(s string) string {
	text, _ := v.replace([]byte(s), false)
	return string(text)
}

// body masks one body.
func (v *Values) body(f *Flow, b *Body) {
	if b.Left != "" || len(b.Chunks) == 0 || len(v.forms) == 0 && v.short == "" && v.blind == "" {
		return
	}
	if why := v.inText(f, b); why != "" {
		*b = Body{What: b.What, Left: why}
	}
}

func (v *Values) inText(f *Flow, b *Body) string {
	switch {
	case v.blind != "":
		return v.blind
	case v.short != "":
		return "what " + v.short + " found in its session is too short to be looked for"
	}
	if !f.message() {
		text, ok := plain(b.whole(), f.coding(b.What))
		if !ok {
			return "it can't be decoded, so nothing can be masked in it"
		}
		b.Chunks, b.Plain = []Chunk{{Data: text}}, f.coding(b.What) != ""
	}
	for i := range b.Chunks {
		if !utf8.Valid(b.Chunks[i].Data) {
			return "it is no text, so nothing can be masked in it"
		}
		masked, n := v.replace(b.Chunks[i].Data, true)
		if n > 0 && json.Valid(b.Chunks[i].Data) && !json.Valid(masked) {
			return "what is to be masked is not a text of its own in it"
		}
		b.Chunks[i].Data, b.Masks = masked, b.Masks+n
	}
	if rule := v.holds(f, b); rule != "" {
		return "a value that " + rule + " found can't be masked where it stands"
	}
	return ""
}

// text gives a body free of its content coding; nil: it can't be read.
func (f *Flow) text(what What) []byte {
	b := f.Body(what)
	if b == nil || b.Left != "" {
		return nil
	}
	if b.Plain {
		return b.whole()
	}
	text, ok := plain(b.whole(), f.coding(what))
	if !ok {
		return nil
	}
	return text
}

// parts reads an answer as its API has it.
func (f *Flow) parts(what What) []flow.Part {
	b := f.Body(what)
	if b == nil || b.Left != "" {
		return nil
	}
	if f.message() {
		read := codec.NewAnswer(f.Intent.API, codec.Options{Keep: true, Stream: codec.Messages})
		for _, c := range b.Chunks {
			read.Push(c.Data)
		}
		return read.End().Parts
	}
	read := codec.NewAnswer(f.Intent.API, codec.Options{Keep: true})
	read.Push(f.text(what))
	return read.End().Parts
}
