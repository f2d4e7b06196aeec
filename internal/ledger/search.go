package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/said"
	"github.com/workingagents/gatehouse/internal/ledger/text"
)

// SearchQuery says which hits of a search are wanted.
type SearchQuery struct {
	Limit  int    // about so many, the newest; 0: 20; at most 200
	Before string // go on behind the hits of an earlier search: its Next
}

// Found is what a search found, the newest first.
type Found struct {
	Hits    []Hit    `json:"hits"`
	More    bool     `json:"more"`           // there may be more
	Next    string   `json:"next,omitempty"` // where to go on then
	Indexed Progress `json:"indexed"`        // less than all: what is missing was not searched
}

// Hit is a text in which something was found: where a session first had it.
type Hit struct {
	Flow      flow.ID    `json:"flow"` // that brought it
	Session   string     `json:"session"`
	Principal string     `json:"principal"`
	Turn      int        `json:"turn,omitempty"` // 0: not a turn
	Started   time.Time  `json:"started"`        // when the flow did
	Role      string     `json:"role,omitempty"`
	Kind      string     `json:"kind"`
	Snippet   []Fragment `json:"snippet"`
	Resent    int        `json:"resent"`         // later flows whose request has it again
	Last      flow.ID    `json:"last,omitempty"` // of them
}

// Fragment is a piece of a text.
type Fragment struct {
	Text  string `json:"text"`
	Match bool   `json:"match,omitempty"`
}

// How many hits a search gives.
const (
	usualHits = 20
	maxHits   = 200
)

// searchTime is how long a search looks for hits.
var searchTime = 2 * time.Second

const searched What = "search"

// Search finds texts: what flows brought that the filter chooses, where the
// filter's texts stand. That it is searched for is recorded first. The error for
// a filter that names no text is a *flow.Refusal.
func (l *Ledger) Search(f *filter.Filter, q SearchQuery, by Access) (Found, error) {
	s, err := l.newSearch(f)
	if err != nil {
		return Found{}, err
	}
	if q.Before != "" {
		if s.query.Before, err = strconv.ParseUint(q.Before, 10, 64); err != nil {
			return Found{}, &flow.Refusal{Status: 400, Kind: "before", Text: "before must be what an earlier search gave as next"}
		}
	}
	if err := l.recordSearch(f.String(), by); err != nil {
		return Found{}, err
	}
	if err := s.ready(); err != nil {
		return Found{}, err
	}
	limit := min(max(q.Limit, 0), maxHits)
	if limit == 0 {
		limit = usualHits
	}
	found, err := s.run(limit)
	found.Indexed = l.Indexed()
	return found, err
}

func (l *Ledger) recordSearch(query string, by Access) error {
	return l.recordReading(l.house, access{What: searched, Query: query, Who: by.Who, Why: by.Why})
}

// search is one search, under way.
type search struct {
	l     *Ledger
	store *text.Store
	root  *filter.Node
	terms map[filter.Text]*text.Term
	query text.Query
	names bool // some tests are of sessions and principals alone, which choose the keys
	views bool // some tests need more of a flow than its texts
	known map[flow.ID]*flow.View
	read  sayings

	denied map[filter.Text]bool // of terms: those that a text must not have
}

var errNoText = &flow.Refusal{Status: 400, Kind: "no_text", Text: `a search needs a word or a "phrase" to look for; to list flows by their fields alone, use flows`}

// newSearch reads a filter. Its error is a *flow.Refusal.
func (l *Ledger) newSearch(f *filter.Filter) (*search, error) {
	s := &search{l: l, root: f.Root(), terms: map[filter.Text]*text.Term{}, known: map[flow.ID]*flow.View{}, read: sayings{l: l}, denied: map[filter.Text]bool{}}
	s.deny(f.Root(), false)
	for _, t := range f.Texts() {
		term, err := term(t)
		if err != nil {
			return nil, err
		}
		s.terms[t] = term
	}
	want := s.want(s.root)
	if want == nil {
		return nil, errNoText
	}
	s.query.Want = *want
	for _, n := range conjuncts(s.root) {
		s.bound(n)
	}
	return s, nil
}

// deny notes the terms of a node that a text must not have.
func (s *search) deny(n *filter.Node, denied bool) {
	if n == nil {
		return
	}
	if n.Op == filter.Brings && denied {
		s.denied[n.Text] = true
	}
	for _, m := range n.Nodes {
		s.deny(m, denied != (n.Op == filter.Not))
	}
}

func term(t filter.Text) (*text.Term, error) {
	term, err := text.Parse(t.Words, t.Prefix)
	if err != nil {
		return nil, &flow.Refusal{Status: 400, Kind: "search", Text: fmt.Sprintf("%s: %v", t.Words, err)}
	}
	return &term, nil
}

// want gives what a text must have for a node to hold; nil: nothing.
func (s *search) want(n *filter.Node) *text.Want {
	if n == nil {
		return nil
	}
	switch n.Op {
	case filter.Brings:
		return &text.Want{Term: s.terms[n.Text]}
	case filter.Is:
		s.views = true
	case filter.Not:
		s.want(n.Nodes[0]) // for what it tests
	case filter.All:
		var all []text.Want
		for _, m := range n.Nodes {
			if w := s.want(m); w != nil {
				all = append(all, *w)
			}
		}
		if all != nil {
			return &text.Want{All: all}
		}
	case filter.Any:
		var any []text.Want
		for _, m := range n.Nodes {
			if w := s.want(m); w != nil {
				any = append(any, *w)
			}
		}
		if len(any) == len(n.Nodes) {
			return &text.Want{Any: any}
		}
	}
	return nil
}

// conjuncts gives the nodes that must all hold.
func conjuncts(n *filter.Node) []*filter.Node {
	if n == nil || n.Op != filter.All {
		return []*filter.Node{n}
	}
	return n.Nodes
}

// bound narrows what is looked at by a test that must hold.
func (s *search) bound(n *filter.Node) {
	if n.Op != filter.Is {
		return
	}
	switch n.Field {
	case filter.FieldSession, filter.FieldPrincipal:
		s.names = true
	case filter.FieldSince, filter.FieldUntil:
		if len(n.Values) == 1 && !n.Values[0].Known && !n.Values[0].Unknown {
			// A millisecond more on each side: whether a bound itself is in, Match tells.
			if from := n.Values[0].Min; from > 0 && from < 1<<52 {
				s.query.Since = max(s.query.Since, int64(from)-1)
			}
			if to := n.Values[0].Max; to > 0 && to < 1<<52 {
				s.query.Until = int64(to) + 1
			}
		}
	}
}

// ready brings the full text near, and finds the sessions.
func (s *search) ready() error {
	if err := s.l.catchUp(); err != nil {
		return err
	}
	if err := s.l.texts.near(); err != nil {
		return unsearchable(err)
	}
	if s.store = s.l.texts.store.Load(); s.store == nil {
		return unsearchable(errors.New("it is not open"))
	}
	if !s.names {
		return nil
	}
	names, err := s.l.names.all()
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	s.query.Keys = []uint64{}
	for key, name := range names { // one that is nil can't be opened: nor can its flows
		if name != nil && s.named(&flow.View{Session: name.Session, Principal: name.Principal}) {
			s.query.Keys = append(s.query.Keys, key)
		}
	}
	return nil
}

// named reports whether the tests of sessions and principals hold.
func (s *search) named(v *flow.View) bool {
	return !slices.ContainsFunc(conjuncts(s.root), func(n *filter.Node) bool {
		return n.Op == filter.Is && (n.Field == filter.FieldSession || n.Field == filter.FieldPrincipal) && !n.Match(v, nil)
	})
}

func unsearchable(err error) *flow.Refusal {
	return &flow.Refusal{Status: 503, Kind: "unsearchable", Text: "the full text can't be read; it is made anew, or the gateway's log says why not", Err: err}
}

// candidate is a text that was read and holds what is looked for.
type candidate struct {
	hit      text.Hit
	said     string
	in       *flow.Intent
	withheld bool // it is not shown: see isWithheld
}

func (s *search) run(limit int) (Found, error) {
	var all []candidate
	var hits []text.Hit
	found := Found{Hits: []Hit{}}
	end := time.Now().Add(searchTime)
	last := uint64(0)
	for h, err := range s.store.Find(s.query) {
		if err != nil {
			return found, s.broken(err)
		}
		// What one entry brought stays together: Next is between entries.
		if last != 0 && h.Entry != last && (len(all) >= limit || time.Now().After(end)) {
			found.More, found.Next = true, strconv.FormatUint(last, 10)
			break
		}
		last = h.Entry
		c, err := s.look(h)
		if err != nil {
			return found, err
		}
		if c != nil {
			all, hits = append(all, *c), append(hits, h)
		}
	}
	carried, err := s.store.Carried(hits)
	if err != nil {
		return found, s.broken(err)
	}
	for i := range all {
		found.Hits = append(found.Hits, s.shown(&all[i], carried[i]))
	}
	return found, nil
}

// broken has a damaged full text made anew.
func (s *search) broken(err error) error {
	if errors.Is(err, text.ErrCorrupt) {
		s.l.texts.damaged.Store(true)
	}
	return unsearchable(err)
}

// look reads a text and gives it when the filter holds; nil when it does not, or
// when it can't be read (any more).
func (s *search) look(h text.Hit) (*candidate, error) {
	if h.ID == "" || h.At.Segment <= s.l.removed.Load() || h.IntentAt.Segment <= s.l.removed.Load() {
		return nil, nil
	}
	read, in, err := s.read.at(&h)
	if err != nil {
		return nil, nil // Verify reports what is damaged
	}
	view := &flow.View{}
	if s.views {
		if view, err = s.view(flow.ID(h.ID)); err != nil || view == nil {
			return nil, err
		}
	}
	shown := s.l.conceal(read.Shown(), s.read.findings())
	withheld := isWithheld(&read, &h)
	has := func(t filter.Text) bool {
		if withheld { // the index found it by what is shown: to look in it would tell the rest to who guesses
			return !s.denied[t]
		}
		return len(s.terms[t].In(shown, 1)) > 0
	}
	if !s.root.Match(view, has) {
		return nil, nil
	}
	return &candidate{h, shown, in, withheld}, nil
}

// isWithheld reports whether what is known of a text does not tell where all that
// stands which is not shown.
func isWithheld(read *said.Text, h *text.Hit) bool { return int64(read.Hidden()) != h.Veiled }

// view gives a flow as filters see it.
func (s *search) view(id flow.ID) (*flow.View, error) {
	if v, ok := s.known[id]; ok {
		return v, nil
	}
	rows, err := s.l.index.Find(string(id))
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	var v *flow.View
	if i := slices.IndexFunc(rows, func(r index.Flow) bool { return r.ID == id }); i >= 0 {
		if made, err := s.l.brief(&rows[i], needs(s.root)); err == nil {
			v = &made
		}
	}
	if len(s.known) > 4096 {
		clear(s.known)
	}
	s.known[id] = v
	return v, nil
}

// withheld is shown in place of a text from which a value can't be taken out: the
// flow in which rules found it is gone, or found only later what they find now.
const withheld = "withheld: rules found something in this text, and nothing tells where it stands here"

func (s *search) shown(c *candidate, again text.Carrying) Hit {
	fragments := []Fragment{{Text: withheld}}
	if !c.withheld {
		var spans []text.Span
		for _, t := range s.terms {
			spans = append(spans, t.In(c.said, 8)...)
		}
		fragments = snippet(c.said, spans)
	}
	return Hit{
		Flow: flow.ID(c.hit.ID), Session: c.in.Session.ID, Principal: c.in.Principal.Name, Turn: c.in.Turn, Started: c.in.Started.UTC(),
		Role: c.hit.Role, Kind: c.hit.Kind, Snippet: fragments, Resent: again.Times, Last: flow.ID(again.Last),
	}
}

// brought calls each for the flows that brought a text, until it has had enough.
// That somebody asks is on record. Terms other than single words are looked for in
// the texts themselves, but for those that are withheld: they may have it.
func (l *Ledger) brought(t filter.Text, each func(flow.ID) bool) error {
	term, err := term(t)
	if err != nil {
		return err
	}
	s := &search{l: l, query: text.Query{Want: text.Want{Term: term}}, read: sayings{l: l}}
	if err := s.ready(); err != nil {
		return err
	}
	last := ""
	for h, err := range s.store.Find(s.query) {
		if err != nil {
			return s.broken(err)
		}
		if h.ID == "" || h.ID == last {
			continue
		}
		if !term.Exact() {
			read, _, err := s.read.at(&h)
			if err != nil || !isWithheld(&read, &h) && len(term.In(read.Shown(), 1)) == 0 {
				continue
			}
		}
		if last = h.ID; !each(flow.ID(h.ID)) {
			return nil
		}
	}
	return nil
}

// Says reports whether a flow brought a text, for those who watch flows come:
// also when the full text does not have it yet. That somebody watches is for
// them to record.
func (l *Ledger) Says(id flow.ID, t filter.Text) (bool, error) {
	term, err := term(t)
	if err != nil {
		return false, err
	}
	row, err := l.find(id)
	if err != nil {
		return false, err
	}
	says := false
	first := func(s said.Text) {
		says = says || len(term.In(s.Shown(), 1)) > 0 && l.texts.first(row.Key, row.Intent, s.Text)
	}
	e, err := l.entryAt(row.IntentAt)
	if err != nil {
		return false, err
	}
	in, err := e.intent()
	if err != nil {
		return false, err
	}
	req, err := decodeRequest(e.body)
	if err != nil || req == nil {
		return false, err
	}
	before, err := l.objectsBefore(row, req)
	if err != nil {
		return false, err
	}
	seen := newSeenBlocks()
	r := newRequested(l, in, row.Key, &seen)
	r.put = func(s saying, _ text.Place, _ int) int64 { first(s.Text); return 0 }
	r.take(req, before, row.IntentAt)
	if says || row.OutcomeAt.Segment == 0 {
		return says, nil
	}
	if e, err = l.entryAt(row.OutcomeAt); err != nil {
		return false, err
	}
	out, err := e.outcome()
	if err != nil {
		return false, err
	}
	list, err := l.answerTexts(&begun{api: in.API, message: in.Method == flow.MethodMessage}, id, out, e)
	eachPiece(list, wherein{}, func(s saying) { first(s.Text) })
	return says, err
}

// Follow gives what tells, of flows as they come, whether a filter chooses them.
// When it asks for texts, that somebody watches is recorded first. A flow whose
// texts can't be read is not chosen.
func (l *Ledger) Follow(f *filter.Filter, by Access) (func(*flow.View) bool, error) {
	if len(f.Texts()) == 0 {
		return func(v *flow.View) bool { return f.Match(v, nil) }, nil
	}
	for _, t := range f.Texts() {
		if _, err := term(t); err != nil {
			return nil, err
		}
	}
	if err := l.recordSearch(f.String(), by); err != nil {
		return nil, err
	}
	return func(v *flow.View) bool {
		return f.Match(v, func(t filter.Text) bool {
			says, err := l.Says(v.ID, t)
			return err == nil && says
		})
	}, nil
}

// objectsBefore gives the entries with objects of a request that stand in front
// of its intent.
func (l *Ledger) objectsBefore(row *index.Flow, req *request) (list []index.Pos, err error) {
	if req.span.first <= 1 {
		return nil, nil
	}
	runs, err := l.directory(row.Key)
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(runs) {
		if run.first >= req.span.first {
			continue
		}
		e, err := l.entryAt(run.at)
		if err != nil || e.kind != kindObjects || flow.ID(e.meta) != row.ID {
			break
		}
		list = append(list, run.at)
	}
	slices.Reverse(list)
	return list, nil
}

// first reports whether no flow but one is known to have brought a text to a
// session.
func (t *texts) first(key, flow uint64, said string) bool {
	s := t.store.Load()
	if s == nil {
		return true
	}
	brought, ok, err := s.BroughtBy(key, said)
	return err != nil || !ok || brought == flow
}
