// Package gate is the one path that every message takes: Admit parses, places,
// decides and records it before a byte is forwarded; the Passage that Admit
// gives watches the answer and records how it ended. Other people's detectors are
// asked through package remote; but for that the gate does no network
// I/O of its own and never forwards anything: an entrance does, with what the
// gate lets it have.
package gate

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/action"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/price"
	"github.com/workingagents/gatehouse/internal/remote"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	refuse "github.com/workingagents/gatehouse/internal/wire/refusal"
	"github.com/workingagents/gatehouse/internal/wire/splice"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Options are what a gate needs. Ledger, Vault, Policy and Rules are required.
type Options struct {
	Ledger  *ledger.Ledger
	Vault   *vault.Vault
	Policy  func() policy.Policy   // the one in force
	Rules   func() *inspect.Engine // those in force
	Own     action.Own             // where this gateway is: what a proposed call would do to it
	Remote  *remote.Set            // other people's detectors; nil: none
	Prices  *price.Table
	Capture func(flow.Principal) flow.Capture
	Now     func() time.Time
	Log     *slog.Logger

	// Begun and Ended are called once for each flow, after its intent is
	// durable and after its outcome is queued; Turned for each refusal that is
	// only counted. They must be quick; each may be nil.
	Begun  func(*flow.Intent)
	Ended  func(*flow.Intent, *flow.Outcome)
	Turned func(kind string)

	TipBytes   int64         // memory for the last bodies of conversations; 0: 32 MiB
	DecodeMax  int64         // most bytes that a compressed body may decode to; 0: 256 MiB
	ScanBytes  int           // memory for what scans found; 0: 16 MiB
	PlainBytes int           // most bytes of an answer that came compressed and is changed: the record needs what was delivered beside what came; 0: 16 MiB
	SessionGap time.Duration // a conversation without an id of its own starts a new session after this silence; 0: an hour
}

// Gate admits messages. It is safe for concurrent use.
type Gate struct {
	o        Options
	tracker  *tracker
	tally    tally
	cache    *inspect.Cache
	frozen   *frozen
	values   values
	blindKey []byte // keys the hashes of log-ins
}

// New makes a gate.
func New(o Options) *Gate {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.TipBytes == 0 {
		o.TipBytes = 32 << 20
	}
	if o.DecodeMax == 0 {
		o.DecodeMax = 256 << 20
	}
	if o.SessionGap == 0 {
		o.SessionGap = time.Hour
	}
	if o.ScanBytes == 0 {
		o.ScanBytes = 16 << 20
	}
	if o.PlainBytes == 0 {
		o.PlainBytes = 16 << 20
	}
	return &Gate{o: o, tracker: newTracker(o), cache: inspect.NewCache(o.ScanBytes), frozen: newFrozen(), blindKey: o.Ledger.Subkey("login")}
}

// Claim is what a client says of its own session, in headers or, for a
// WebSocket, in the headers of its upgrade.
type Claim struct {
	Session, Subagent, Parent string
}

// Message is one client message, whole.
type Message struct {
	Entrance  flow.Entrance
	Provider  flow.Provider
	API       flow.API
	Method    string
	Path      string        // as it is recorded: credentials as fingerprints
	Route     string        // path without query, as the codec reads it
	Host      string        // that the client called, and its port unless that is 443; "": the gateway, by a base URL
	Header    []flow.Header // as it is recorded: credentials as fingerprints
	Veiled    []flow.Header // what Path ("") and Header have fingerprints for, where the provider's own credential does not stand: scanned, and not recorded
	Encoding  string        // Content-Encoding
	Type      string        // Content-Type
	Principal flow.Principal
	Custody   flow.Custody
	Claim     Claim
	TLS       *flow.Leg // the client's connection; nil: without TLS
	Body      []byte
}

// Admit judges a message and records it. When it returns a Passage, the intent
// is durable and the Passage's Body may be forwarded; otherwise the error is a
// *flow.Refusal and nothing may be. A message that policy blocks is recorded as
// refused before the refusal is returned.
func (g *Gate) Admit(m *Message) (*Passage, error) {
	in := g.intent(m)
	if err := g.o.Ledger.Ready(); err != nil {
		return nil, g.unrecorded(err)
	}
	r := g.read(m, in)
	s := g.tracker.place(in, m.Claim, r)
	p := &Passage{gate: g, in: in, session: s, facts: r.facts, hash: sha256.New(), policy: g.o.Policy()}
	in.Policy, in.RequestSHA256 = p.policy.Version(), r.digest.sum
	if err := g.judge(m, p, &r); err != nil {
		return nil, g.unrecorded(err)
	}
	r.seal()
	if passes(in) {
		g.forward(p, &r)
	}
	if err := p.begin(r); err != nil {
		return nil, err
	}
	if passes(in) {
		return p, nil
	}
	refusal := &flow.Refusal{Status: refuse.Blocked(in.Provider), Kind: "blocked", Text: in.Decision.Why}
	return p, p.refuse(refusal)
}

// judge looks at the message and has policy decide.
func (g *Gate) judge(m *Message, p *Passage, r *reading) error {
	x, err := g.examine(m, p.in, r, p.session)
	if err != nil {
		return err
	}
	r.plan, err = x.decide(p.policy, g.tracker.barred(m, r.facts.Previous))
	if err != nil {
		return err
	}
	if passes(p.in) {
		x.freeze()
		x.trace(p)
		if m.API == flow.Responses || x.goesOn() {
			g.tracker.setEnd(p.session, m.API, x.after)
		}
	}
	if r.text == r.doc && x.json {
		r.seen = x.out
	}
	p.known, p.vault = x.known, x.vault
	p.in.Model = p.named(p.in.Model)
	return nil
}

// passes reports whether anything of a request may be forwarded.
func passes(in *flow.Intent) bool {
	return in.Decision.Verdict == flow.Pass || in.Decision.Verdict == flow.Redact
}

// seal has a compressed body kept by the vault when a value stands in it: it
// can't be cut out there.
func (r *reading) seal() {
	if r.text == r.doc || len(r.plan.secrets) == 0 {
		return
	}
	for i := range r.plan.secrets {
		s := &r.plan.secrets[i]
		s.Start, s.End = 0, 0
	}
	r.plan.secrets = append(r.plan.secrets, ledger.Secret{End: len(r.doc.Body), Rule: r.plan.secrets[0].Rule, Part: true})
}

// forward makes the body that goes to the provider: the bytes that came, with
// the edits made. Of a body that was encoded, the decoded text goes on.
func (g *Gate) forward(p *Passage, r *reading) {
	p.body, r.forwarded = r.doc.Body, r.digest
	switch {
	case len(r.plan.edits) == 0:
	case r.text == r.doc:
		p.body = applied(r.doc.Body, r.plan.edits)
		r.forwarded = r.base.forwardedFor(p.body, r)
	default:
		p.body, p.decoded = applied(r.text.Body, r.plan.edits), true
		r.forwarded = newDigest(p.body, nil, 0)
		r.plan.edits = []ledger.Edit{{Cut: int64(len(r.doc.Body)), Put: p.body, Secret: true}}
	}
	p.in.ForwardedSHA256, p.in.ForwardedBytes = r.forwarded.sum, int64(len(p.body))
}

// Refuse records a message that cannot be admitted, whose body was not read
// whole or not at all, and gives the refusal back. size is the number of bytes
// that the client announced or sent.
func (g *Gate) Refuse(m *Message, size int64, refusal *flow.Refusal) *flow.Refusal {
	in := g.intent(m)
	in.RequestBytes = size
	in.Policy = g.o.Policy().Version()
	in.Decision = *refusedBy(refusal)
	if err := g.o.Ledger.Ready(); err != nil {
		return g.unrecorded(err)
	}
	r := reading{doc: split.Split(nil, nil)}
	s := g.tracker.place(in, m.Claim, r)
	p := &Passage{gate: g, in: in, session: s, hash: sha256.New()}
	if err := p.begin(r); err != nil {
		return asRefusal(err)
	}
	return asRefusal(p.refuse(refusal))
}

func (g *Gate) intent(m *Message) *flow.Intent {
	now := g.o.Now()
	in := &flow.Intent{
		Flow: newID(now), Started: now, Entrance: m.Entrance, Provider: m.Provider, API: m.API,
		Method: m.Method, Path: m.Path, Host: m.Host, Header: m.Header, Principal: m.Principal,
		Custody: m.Custody, Capture: flow.CaptureFull,
		RequestBytes: int64(len(m.Body)), TLS: m.TLS,
	}
	if a, _, ok := agents.Caller(m.Principal.Program, m.Header); ok {
		in.Agent = a.Name
	}
	if g.o.Capture != nil {
		in.Capture = g.o.Capture(m.Principal)
	}
	return in
}

// reading is what was understood of a request.
type reading struct {
	doc    *split.Doc // of the bytes as they came
	text   *split.Doc // of the decoded body; doc itself when nothing was encoded
	digest *digest    // of the bytes as they came
	lane   laneKey
	base   *tip // the earlier request that doc was cut against, or nil
	common int  // bytes with which doc and base begin alike
	facts  flow.Facts

	seen      *seen   // what inspection made of doc; nil of an encoded body
	plan      plan    // what follows from it
	forwarded *digest // of what is forwarded; nil: nothing is
}

// read cuts the body against the conversation it belongs to and reads its
// facts. A body that can't be read passes as opaque and is marked.
func (g *Gate) read(m *Message, in *flow.Intent) reading {
	r := reading{lane: laneKey{in.Principal.Name, m.Claim.Session}}
	r.base = g.tracker.base(in, r.lane, m.Body)
	r.doc = split.Split(m.Body, r.base.splitDoc())
	r.digest, r.common = r.base.digestFor(m.Body)
	r.text = r.doc
	if m.Encoding != "" && m.Encoding != "identity" {
		r.text = g.decode(m, in)
	}
	if m.API == flow.Opaque {
		return r
	}
	if !r.text.JSON && len(m.Body) > 0 && in.Unreadable == "" {
		in.Unreadable = r.text.Why
	}
	r.facts = codec.Facts(m.API, m.Route, r.text)
	in.Model = r.facts.Model
	return r
}

func (g *Gate) decode(m *Message, in *flow.Intent) *split.Doc {
	body, err := coding.Decode(m.Encoding, m.Body, coding.Limit{Bytes: g.o.DecodeMax})
	if err != nil {
		in.Unreadable = err.Error()
		return &split.Doc{}
	}
	return split.Split(body, nil)
}

// applied gives the body with the edits made.
func applied(body []byte, edits []ledger.Edit) []byte {
	list := make([]splice.Edit, len(edits))
	for i, e := range edits {
		list[i] = splice.Edit{At: e.At, Cut: e.Cut, Put: e.Put}
	}
	return splice.Apply(body, list)
}

// unrecorded counts a refusal that the ledger has no room for.
func (g *Gate) unrecorded(err error) *flow.Refusal {
	r := asRefusal(err)
	g.Turned(r.Kind, r.Text)
	return r
}

func asRefusal(err error) *flow.Refusal {
	var r *flow.Refusal
	if errors.As(err, &r) {
		return r
	}
	return &flow.Refusal{Status: http.StatusServiceUnavailable, Kind: "internal", Text: "the gateway could not record this call, so nothing was forwarded", Err: err}
}
