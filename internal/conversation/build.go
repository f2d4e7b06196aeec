package conversation

import (
	"encoding/json"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Builder puts flows together, in the order in which they began. The zero Builder
// is ready, for a window from a session's beginning.
type Builder struct {
	Middle bool  // the window begins in the middle of a session
	Whole  bool  // texts are not cut
	Bare   bool  // no value is hidden; one that the provider did not get is not shown all the same
	Sieve  Sieve // what Done hides beside what is known where it stands; nil: nothing

	bytes    int
	turns    []*entry
	byFlow   map[flow.ID]*entry
	models   []string
	agent    string
	started  map[string]string // ids of tool calls that start agents, by what they tell them
	branches map[string]*Branch
	order    []*Branch
	rounds   map[string]int
	waiting  map[string][]*Turn // side turns before a branch's first round
}

// entry is a turn and what later ones need of it.
type entry struct {
	*Turn
	branch    string
	subagent  string
	parent    string
	startedBy string
	root      bool // a conversation begins
	bare      bool // it has no tools
	kind      bool // its operation makes a model answer
	prompt    string
	behind    bool // the model's words stand before the prompt
	goesOn    bool // another flow goes on from it
	last      last
}

// Add takes the next flow. It keeps nothing of it but what is shown.
func (b *Builder) Add(f *Flow) *Turn {
	if b.byFlow == nil {
		b.byFlow, b.started = map[flow.ID]*entry{}, map[string]string{}
	}
	t := newTurn(f)
	m := &maker{f: f, limit: shown, bare: b.Bare, sieve: b.Sieve, only: -1, findings: t.Findings}
	if b.Whole {
		m.limit = 0
	}
	t.Added = append(t.Added, m.request()...)
	b.answer(m, f, t)
	e := &entry{Turn: t, subagent: f.Intent.Session.Subagent, parent: f.Intent.Session.Parent, kind: f.Intent.API.Generates()}
	for _, p := range slices.Concat(t.Added, t.Answer) {
		b.bytes += len(p.Text)
		if p.Media != nil {
			b.bytes += len(p.Media.Data)
		}
		for _, m := range p.Shows {
			b.bytes += len(m.Data)
		}
	}
	t.Summary = t.Compacts != "" && summarised(t.Added)
	b.follow(e, f)
	b.calls(t)
	b.turns = append(b.turns, e)
	b.byFlow[t.Flow] = e
	if t.Model != "" && !slices.Contains(b.models, t.Model) {
		b.models = append(b.models, t.Model)
	}
	if t.Agent != "" {
		b.agent = t.Agent
	}
	return t
}

// Bytes is how much text and pictures there are so far.
func (b *Builder) Bytes() int { return b.bytes }

// follow says what a turn goes on from.
func (b *Builder) follow(e *entry, f *Flow) {
	t := e.Turn
	was := b.byFlow[f.Before]
	var before *last
	if was != nil {
		was.goesOn = true
		before = &was.last
		t.Change.Model = was.last.model != "" && f.Intent.Model != "" && was.last.model != f.Intent.Model
		e.branch, e.startedBy = was.branch, was.startedBy
		echo(was.Answer, t.Added)
	}
	e.root = f.Before == "" && !f.Gap
	t.Change.First = e.root && e.kind
	if t.Turn != nil && t.Unread == "" {
		t.Cache = explain(f, t, before)
	}
	e.bare = !f.Tooled && !slices.ContainsFunc(t.Added, func(p *Part) bool { return p.Kind == flow.ToolDef })
	e.prompt, e.behind = asks(t.Added)
	e.last = last{usage: t.Usage, known: f.Outcome != nil && prompted(t.Usage) > 0, at: t.Started, model: f.Intent.Model}
	if f.Outcome != nil {
		e.last.long = f.Outcome.Usage.CacheWrite1h > 0 || before != nil && before.long && f.Outcome.Usage.CacheWrite == 0
	}
	if !e.last.known { // a failed call leaves the cache as it was
		e.last.fresh = e.root
		if before != nil {
			e.last = *before
		}
	}
	switch {
	case e.subagent != "":
		e.branch = e.subagent
	case e.root && e.prompt != "" && was == nil:
		if id := b.started[key(e.prompt)]; id != "" {
			e.branch = "call:" + id
		}
	}
	if e.branch != "" && e.root {
		e.startedBy = b.started[key(e.prompt)]
	}
}

func newTurn(f *Flow) *Turn {
	v := flow.NewView(f.Intent, f.Outcome)
	t := &Turn{
		Flow: v.ID, Turn: v.Turn, API: v.API, Method: v.Method, Path: v.Path, State: v.State, Status: v.Status, Verdict: v.Verdict, Why: v.Why, Would: v.Would, Rules: v.Rules,
		Model: v.Model, Agent: v.Agent, Entrance: v.Entrance, Started: v.Started, FirstByteMS: v.FirstByteMS, DurationMS: v.DurationMS,
		Usage: v.Usage, Cost: v.Cost, RequestBytes: v.RequestBytes, ResponseBytes: v.ResponseBytes, Stop: v.Stop, Error: v.Error,
		Compacts: v.Predecessor, Before: f.Before, Redacted: f.Intent.Decision.Verdict == flow.Redact, Change: f.Change, Left: f.Left,
		Added: []*Part{}, Answer: []*Part{}, Findings: []Finding{}, Unread: f.Unread, AnswerUnread: f.NoReply,
	}
	if v.RetryOf != nil {
		t.RetryOf = *v.RetryOf
	}
	for _, found := range v.Findings {
		t.Findings = append(t.Findings, Finding{Finding: found})
	}
	return t
}

// calls notes the calls of an answer that start agents.
func (b *Builder) calls(t *Turn) {
	for _, p := range t.Answer {
		if p.Kind != flow.ToolCall || p.ID == "" || !starts(p.Name) {
			continue
		}
		for _, told := range tells(p.Text) {
			if k := key(told); k != "" && b.started[k] == "" {
				b.started[k] = p.ID
			}
		}
	}
}

// Done gives the conversation. Session, Principal, First, Last, Turns and the
// window's ends are the caller's to set.
func (b *Builder) Done() *Conversation {
	if b.Sieve != nil {
		b.sift()
	}
	c := &Conversation{Agent: b.agent, Models: append([]string{}, b.models...)}
	b.branches, b.rounds, b.waiting = map[string]*Branch{}, map[string]int{}, map[string][]*Turn{}
	b.order = nil
	b.branch(&entry{})
	tooled := slices.ContainsFunc(b.turns, func(e *entry) bool { return e.kind && !e.bare })
	for _, e := range b.turns {
		e.Side = b.side(e, tooled)
		b.place(e)
	}
	for _, branch := range b.order {
		if rest := b.waiting[branch.Subagent]; len(rest) > 0 {
			branch.Rounds = append(branch.Rounds, &Round{Turns: rest})
		}
	}
	c.Branches = b.order
	return c
}

// side reports whether a flow is beside the conversation: no turn, or a single call
// without tools in a session whose agent has some.
func (b *Builder) side(e *entry, tooled bool) bool {
	if e.Turn.Turn == nil || !e.kind {
		return true
	}
	return e.root && e.bare && !e.goesOn && e.subagent == "" && e.branch == "" && (tooled || b.Middle) && e.Compacts == ""
}

func (b *Builder) branch(e *entry) *Branch {
	br := b.branches[e.branch]
	if br == nil {
		br = &Branch{Subagent: e.branch, Parent: e.parent, Rounds: []*Round{}}
		b.branches[e.branch] = br
		b.order = append(b.order, br)
	}
	if br.StartedBy == "" {
		br.StartedBy = e.startedBy
	}
	return br
}

// place puts a turn into its round, or begins one.
func (b *Builder) place(e *entry) {
	br := b.branch(e)
	n := len(br.Rounds)
	switch {
	case e.Side && n == 0:
		b.waiting[e.branch] = append(b.waiting[e.branch], e.Turn)
		return
	case n == 0, !e.Side && e.prompt != "" && e.RetryOf == "" && !e.again(br.Rounds[n-1]):
		br.Rounds = append(br.Rounds, b.round(e))
		n++
	}
	r := br.Rounds[n-1]
	r.Turns = append(append(r.Turns, b.waiting[e.branch]...), e.Turn)
	delete(b.waiting, e.branch)
}

// again reports whether a turn says the prompt of its round once more, in the place of
// what it was: agents write a message anew when more stands beside it. What follows an
// answer is said anew.
func (e *entry) again(r *Round) bool {
	return e.Change.Removed > 0 && !e.behind && short(e.prompt, promptMost) == r.Prompt
}

func (b *Builder) round(e *entry) *Round {
	r := &Round{Prompt: short(e.prompt, promptMost)}
	if e.prompt != "" && !(b.Middle && e.branch == "") {
		b.rounds[e.branch]++
		n := b.rounds[e.branch]
		r.N = &n
	}
	return r
}

// echo marks what a request repeats of the answer before it.
func echo(answer, added []*Part) {
	var said []string
	for _, p := range added {
		p.Echo = slices.ContainsFunc(answer, func(a *Part) bool {
			return a.Kind == p.Kind && (p.ID != "" && a.ID == p.ID || a.Text == p.Text && a.Name == p.Name && modelSays(p))
		})
		if p.Echo || p.Kind != flow.ToolCall || !modelSays(p) {
			continue
		}
		if said == nil {
			for _, a := range answer {
				said = append(said, rewritten(a))
			}
		}
		p.Echo = slices.Contains(said, rewritten(p))
	}
}

func modelSays(p *Part) bool { return p.Role == "assistant" || p.Role == "model" }

// rewritten is a call as every writer of its JSON would write it: where an answer gives
// calls no ids, agents send them back with the spaces and escapes of their own JSON.
// Empty: that can't be told.
func rewritten(p *Part) string {
	var args any
	if p.Kind != flow.ToolCall || json.Unmarshal([]byte(p.Text), &args) != nil {
		return ""
	}
	text, err := json.Marshal([]any{p.Name, args})
	if err != nil {
		return ""
	}
	return string(text)
}
