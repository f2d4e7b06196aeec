package gate

import (
	"bytes"
	"cmp"
	"container/list"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/action"
	"github.com/workingagents/gatehouse/internal/inspect/taint"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Bounds of what is remembered of sessions for this. What is let go is made anew
// from the conversation when it comes next.
const (
	maxTrails   = 4096     // sessions
	trailsBytes = 32 << 20 // of all of them
	trailBytes  = 512      // that a session needs at least, about
	maxCalls    = 256      // calls of a session whose results are still awaited
	maxOrigins  = 256      // of these results
)

// trail is what a session did that matters for what it may do next.
type trail struct {
	mu      sync.Mutex
	calls   []awaited     // oldest first
	memory  *taint.Memory // nil: nothing that others wrote came in
	origins []flow.Origin // by the memory's numbers, from 1; beyond maxOrigins the last stands for all
	private *flow.Origin  // the first secret of the session
	lost    bool          // its memory was let go

	bytes int           // that it takes, about; under the tracker's lock
	place *list.Element // in tracker.trails
}

// awaited is a call whose result may come: by its id or, where the provider gives
// none, by its tool.
type awaited struct {
	id, tool string
	asks     bool // others: what they wrote is the result
}

// trail gives a session's, and makes it when there is none.
func (t *tracker) trail(s *session) *trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.trail == nil {
		s.trail = &trail{}
	}
	if s.trail.place == nil {
		s.trail.place, s.trail.bytes = t.trails.PushFront(s.trail), trailBytes
		t.trailed += trailBytes
	}
	t.trails.MoveToFront(s.trail.place)
	return s.trail
}

// weigh notes what a trail takes. Of those that were not asked for longest the
// memory is let go.
func (t *tracker) weigh(r *trail, bytes int) {
	t.mu.Lock()
	var gone []*trail
	if r.place != nil {
		t.trailed += trailBytes + bytes - r.bytes
		r.bytes = trailBytes + bytes
	}
	for t.trails.Len() > maxTrails || t.trailed > trailsBytes && t.trails.Len() > 1 {
		old := t.trails.Remove(t.trails.Back()).(*trail)
		old.place, t.trailed = nil, t.trailed-old.bytes
		gone = append(gone, old)
	}
	t.mu.Unlock()
	for _, old := range gone {
		old.forget()
	}
}

// leave takes the trail of a session that is forgotten out of the list.
func (t *tracker) leave(r *trail) {
	if r != nil && r.place != nil {
		t.trails.Remove(r.place)
		r.place, t.trailed = nil, t.trailed-r.bytes
	}
}

func (r *trail) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = r.lost || r.memory != nil
	r.memory, r.origins = nil, nil
}

// await notes a call.
func (r *trail) await(part flow.Part, asks bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := awaited{cmp.Or(part.ID, part.Name), part.Name, asks}
	if c := r.call(now.id); c != nil {
		*c = now
		return
	}
	r.calls = append(r.calls, now)
	if len(r.calls) > maxCalls {
		r.calls = r.calls[1:]
	}
}

// call gives a call by its id; nil: it is not awaited.
func (r *trail) call(id string) *awaited {
	for i := len(r.calls) - 1; i >= 0; i-- {
		if r.calls[i].id == id {
			return &r.calls[i]
		}
	}
	return nil
}

// trace notes what a request brings into its session: secrets, calls that ask
// others, and what these answered. Until something that others wrote comes in,
// words are not looked at; then the conversation is read once from its beginning,
// and after that what each turn adds.
func (x *examiner) trace(p *Passage) {
	secret := x.private()
	reads := x.json && x.m.API.Generates() && x.tooled(p)
	if secret == nil && !reads {
		return
	}
	r := x.g.tracker.trail(p.session)
	if r.keep(secret); !reads {
		return
	}
	brought := x.asks(p, r)
	r.mu.Lock()
	first := r.memory == nil
	if first && !brought && !r.lost {
		r.mu.Unlock()
		return
	}
	if first {
		r.memory, r.lost = &taint.Memory{}, false
	}
	x.remember(r, first)
	size := r.memory.Size()
	r.mu.Unlock()
	x.g.tracker.weigh(r, size)
}

func (r *trail) keep(secret *flow.Origin) {
	if secret == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.private == nil {
		r.private = secret
	}
}

// tooled reports whether a request belongs to the work of an agent. Others it
// makes beside that, to sum up a page or to name a session: what stands in those
// is nobody's first word.
func (x *examiner) tooled(p *Passage) bool {
	tools, _ := x.doc.Get("tools")
	return len(tools) > 2 || p.facts.Previous != "" || x.m.API == flow.Responses && bytes.Contains(x.doc.Body, []byte(`"additional_tools"`)) // Codex has them in its input
}

// private gives the first finding in what is new that must not leave: more likely
// a secret than not, in what a user, a tool or a file said.
func (x *examiner) private() *flow.Origin {
	for i := range x.in.Findings {
		f := &x.in.Findings[i]
		if f.Confidence < lastingConfidence || f.Action == flow.Ignore || f.Place != "" {
			continue
		}
		family, _, _ := strings.Cut(f.Rule, ".")
		guarded := family == "secret" || family == inspect.RegisteredFamily || family == inspect.CanaryFamily || family == "pii" && f.Severity >= flow.High
		if guarded && (f.Channel == flow.User || f.Channel == flow.ToolResults || f.Channel == flow.File) {
			return &flow.Origin{Flow: x.in.Flow, Channel: f.Channel, Start: f.Start, End: f.End, Rule: f.Rule}
		}
	}
	return nil
}

// parts gives what a piece of the conversation says; nil: it is none.
func (x *examiner) parts(i int) []flow.Part {
	p := &x.doc.Pieces[i]
	if p.Kind != split.Block || p.Run < 0 || x.doc.Fields[p.Run].Name == "tools" {
		return nil
	}
	return codec.Block(x.m.API, "", x.doc.Body[p.Start:p.End])
}

// asks notes the new calls, and reports whether what others wrote came in. A piece
// without a call is not read for that: the result of one that is awaited has its id.
func (x *examiner) asks(p *Passage, r *trail) (brought bool) {
	for i, fresh := range x.fresh {
		piece := &x.doc.Pieces[i]
		if !fresh || piece.Kind != split.Block {
			continue
		}
		raw := x.doc.Body[piece.Start:piece.End]
		brought = brought || r.named(raw)
		if !codec.MayCall(raw) {
			continue
		}
		for _, part := range x.parts(i) {
			if part.Kind == flow.ToolCall && !r.awaits(part.ID) { // the answer that proposed it did not come this way
				call := x.g.o.Own.Judge(part.Name, []byte(part.Text))
				r.await(part, p.asks(part, &call))
			}
		}
	}
	return brought
}

// named reports whether a piece has the id of a call that asks others, or where
// there is none, its tool's name.
func (r *trail) named(raw []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.calls, func(c awaited) bool { return c.asks && c.id != "" && bytes.Contains(raw, []byte(c.id)) })
}

func (r *trail) awaits(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return id != "" && r.call(id) != nil
}

// brought gives the tool whose result a part is, when it holds what others wrote.
func (r *trail) brought(part flow.Part) (tool string, ok bool) {
	for _, id := range [...]string{part.ID, part.Name} {
		if c := r.call(id); c != nil && id != "" {
			return c.tool, c.asks
		}
	}
	return "", false
}

// asks reports whether what others wrote comes back from a call.
func (p *Passage) asks(part flow.Part, call *action.Call) bool {
	return p.policy.Untrusted(part.Name) || call.Asks()
}

// remember notes the words of what is new, or of all, in the order in which they
// were said: what stands around a conversation came before it.
func (x *examiner) remember(r *trail, all bool) {
	conversation := x.doc.Conversation()
	said := make([]bool, len(x.doc.Pieces))
	for _, i := range conversation {
		said[i] = true
	}
	for i := range x.doc.Pieces {
		if p := &x.doc.Pieces[i]; (all || x.fresh[i]) && !said[i] {
			r.memory.Trust(x.doc.Body[p.Start:p.End], true)
		}
	}
	for _, i := range conversation {
		if !all && !x.fresh[i] {
			continue
		}
		p := &x.doc.Pieces[i]
		for _, part := range x.parts(i) {
			tool, ok := "", false
			if part.Kind == flow.ToolResult {
				tool, ok = r.brought(part)
			}
			if !ok {
				r.memory.Trust([]byte(part.Text), part.Kind == flow.ToolCall)
				continue
			}
			r.memory.Taint([]byte(part.Text), false)
			from := flow.Origin{Flow: x.in.Flow, Channel: flow.ToolResults, Start: int64(p.Start), End: int64(p.End), Tool: tool}
			if r.origins = append(r.origins, from); len(r.origins) > maxOrigins {
				r.origins = r.origins[:maxOrigins]
			}
		}
	}
}

// carried judges a proposed call by what its session did before.
func (p *Passage) carried(part flow.Part, call *action.Call) (list []flow.Finding) {
	r := p.gate.tracker.trail(p.session)
	r.await(part, p.asks(part, call))
	r.mu.Lock()
	defer r.mu.Unlock()
	hits := r.look(p, part)
	for i := range call.Ways {
		w := &call.Ways[i]
		if f := p.way(r, part, w, r.reached(within(hits, w.Start, w.End), w.Start, w.End, w.Facts)); f != nil {
			list = append(list, *f)
		}
		if f := p.exit(r, part, w); f != nil {
			list = append(list, *f)
		}
	}
	for _, f := range call.Found {
		in := r.reached(within(hits, f.Start, f.End), f.Start, f.End, f.Facts)
		if len(in) == 0 || f.Severity < flow.High || f.Confidence < lastingConfidence {
			continue
		}
		c := r.finding(p, taint.Carried, flow.High, 85, part, in, f.Facts)
		c.Note = fmt.Sprintf("%d of its values came first from a result of %s: %s", len(in), c.From.Tool, f.Note)
		c.Start, c.End = int64(f.Start), int64(f.End)
		list = append(list, c)
	}
	return unique(list)
}

// unique keeps one finding for each id: a command may be a way and a danger.
func unique(list []flow.Finding) []flow.Finding {
	slices.SortStableFunc(list, func(a, b flow.Finding) int { return b.Confidence - a.Confidence })
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(f flow.Finding) bool {
		had := seen[f.ID]
		seen[f.ID] = true
		return had
	})
}

// look finds the words of a call that others wrote. A pseudonym is looked for as
// the value that it stands for.
func (r *trail) look(p *Passage, part flow.Part) []taint.Hit {
	if r.memory == nil {
		return nil
	}
	text, json := []byte(part.Text), strings.HasPrefix(strings.TrimSpace(part.Text), "{")
	hits := r.memory.Look(text, json)
	if p.vault == nil || !bytes.Contains(text, []byte("QZ")) {
		return hits
	}
	for i := 0; i+tokenSize <= len(text); i++ {
		token := text[i : i+tokenSize]
		if !isToken(token) {
			continue
		}
		value, _, ok := p.vault.Lookup(token)
		if !ok {
			continue
		}
		for _, h := range r.memory.Look(value, false) {
			h.Start, h.End = i, i+tokenSize
			hits = append(hits, h)
		}
	}
	return hits
}

// within gives the hits that lie in a span.
func within(hits []taint.Hit, start, end int) (in []taint.Hit) {
	for _, h := range hits {
		if h.Start < end && start < h.End {
			in = append(in, h)
		}
	}
	return in
}

// reached adds to the hits of a span the hosts that it reaches and does not spell as
// others wrote them.
func (r *trail) reached(hits []taint.Hit, start, end int, facts []string) []taint.Hit {
	if r.memory == nil || slices.ContainsFunc(hits, func(h taint.Hit) bool { return h.Kind == taint.Host }) {
		return hits
	}
	for _, f := range facts {
		name, ok := strings.CutPrefix(f, "host=")
		if !ok {
			continue
		}
		if h, ok := r.memory.LookHost(name); ok {
			h.Start, h.End = start, end
			hits = append(hits, h)
		}
	}
	return hits
}

// way judges the values that go a way. An address that is asked as it was
// written is what following a link is; another value that is put into one, or
// anything that goes out, carries.
func (p *Passage) way(r *trail, part flow.Part, w *action.Way, hits []taint.Hit) *flow.Finding {
	if len(hits) == 0 {
		return nil
	}
	rule, severity, confidence, note := taint.Carried, flow.High, 65, "goes out"
	leads := slices.ContainsFunc(hits, func(h taint.Hit) bool { return h.Kind == taint.Host || h.Kind == taint.Address })
	address := slices.ContainsFunc(hits, func(h taint.Hit) bool { return h.Kind == taint.Address })
	switch {
	case w.Out && leads:
		confidence, note = 75, "says where it goes"
	case w.Out:
	case address || leads:
		rule, severity, confidence, note = taint.Followed, flow.Low, 30, "is asked"
	default:
		severity, confidence, note = flow.Medium, 50, "stands in the address that is asked"
	}
	f := r.finding(p, rule, severity, confidence, part, hits, w.Facts)
	f.Start, f.End = int64(hits[0].Start), int64(hits[0].End)
	f.Note = fmt.Sprintf("what came first from a result of %s %s", f.From.Tool, note)
	return &f
}

// exit judges that something leaves a session in which something private was
// said.
func (p *Passage) exit(r *trail, part flow.Part, w *action.Way) *flow.Finding {
	if !w.Out || r.private == nil {
		return nil
	}
	f := flow.Finding{
		ID: p.gate.findingID(taint.Exit, []byte(strings.Join(w.Facts, "\x00"))), Rule: taint.Exit, Severity: flow.Medium, Confidence: 40,
		Channel: flow.ToolCalls, Place: "answer", Start: int64(w.Start), End: int64(w.End), Facts: w.Facts,
		From: r.private, Note: "the session holds what " + r.private.Rule + " found",
	}
	if r.memory != nil || r.lost {
		f.Severity, f.Confidence, f.Note = flow.High, 60, f.Note+", and what others wrote"
	}
	return &f
}

func (r *trail) finding(p *Passage, rule string, severity flow.Severity, confidence int, part flow.Part, hits []taint.Hit, facts []string) flow.Finding {
	from := r.origins[min(int(hits[0].Origin), len(r.origins))-1]
	return flow.Finding{
		ID:   p.gate.findingID(rule, append(append([]byte(strings.Join(facts, "\x00")), 0), hits[0].Text...)),
		Rule: rule, Severity: severity, Confidence: confidence, Channel: flow.ToolCalls, Place: "answer",
		Facts: append(slices.Clone(facts), "from="+printable(from.Tool)), From: &from,
	}
}

// printable is the name of a tool as it may stand in a fact.
func printable(tool string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f {
			return '.'
		}
		return c
	}, tool[:min(len(tool), maxID)])
}
