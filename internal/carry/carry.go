// Package carry takes one request of an entrance the whole way: it reads it
// whole, has the gate admit it, forwards the bytes that came, and hands the
// answer's bytes back as they come. An entrance has found out before who calls
// what. It never forwards anything that the gate did not admit.
package carry

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// Options are what a carrier needs.
type Options struct {
	Gate   *gate.Gate
	Secret func(secret []byte) string // keyed fingerprint of a credential, for what is recorded
	Log    *slog.Logger

	MaxBody     int64         // most bytes of one message
	MaxMemory   int64         // most bytes of bodies that wait or are being forwarded
	ReadTimeout time.Duration // a client that sends nothing for so long is given up
	IdleTimeout time.Duration // a provider, or a client that does not read, likewise
	KeepAlive   time.Duration // how often a client is told that an answer is held back; 0: 15 s
}

// Carrier carries the requests of all entrances: they share its bounds. It is
// safe for concurrent use.
type Carrier struct {
	o        Options
	budget   *semaphore.Weighted
	draining atomic.Bool
	active   sync.WaitGroup // exchanges and sockets under way; mu is held to add one
	life     context.Context
	end      context.CancelFunc // of life: see Cut

	mu      sync.Mutex
	sockets map[*socket]struct{}
}

// New makes a carrier.
func New(o Options) *Carrier {
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	s := &Carrier{o: o, budget: semaphore.NewWeighted(o.MaxMemory), sockets: map[*socket]struct{}{}}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Request is what an entrance has found out about a request.
type Request struct {
	Entrance  flow.Entrance
	Route     route.Route
	Host      string // as gate.Message has it
	Upstream  *upstream.Upstream
	Principal flow.Principal
	Custody   flow.Custody
	TLS       *flow.Leg    // the client's connection; nil: without TLS
	MayStill  func() error // asked before each message of a socket: an error refuses it; nil: all may
}

// Drain refuses new messages with 503 and returns when the running ones have
// ended, or with ctx's error.
func (s *Carrier) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	for k := range s.sockets {
		k.drain()
	}
	s.mu.Unlock()
	return Ended(ctx, &s.active)
}

// Ended returns when all of a group have, or with ctx's error.
func Ended(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Cut ends the calls that still run. Drain tells when they are on record.
func (s *Carrier) Cut() { s.end() }

// enter counts an exchange as under way. None is after Drain was called.
func (s *Carrier) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.active.Add(1)
	return true
}

// Draining reports whether Drain has been called.
func (s *Carrier) Draining() bool { return s.draining.Load() }

// call is one request on its way.
type call struct {
	s       *Carrier
	w       http.ResponseWriter
	r       *http.Request
	route   route.Route
	up      *upstream.Upstream
	message *gate.Message
	upQuery string       // what follows the upstream's base address
	still   func() error // Request.MayStill
	early   early
	idle    *time.Timer // until the call ends because nothing comes; nil: it is not forwarded yet
}

// errDraining refuses what comes while the gateway stops.
var errDraining = refuse(http.StatusServiceUnavailable, "draining", "the gateway is stopping; running calls end, new ones are not taken")

// Carry takes a request the whole way. It returns when the answer has ended.
func (s *Carrier) Carry(w http.ResponseWriter, r *http.Request, q Request) {
	if !s.enter() {
		w.Header().Set("Connection", "close")
		s.TurnAway(w, r, q.Route.Provider, errDraining)
		return
	}
	defer s.active.Done()
	c := s.call(w, r, q)
	if isUpgrade(r) {
		c.serveSocket()
		return
	}
	if isStream(r) {
		c.serveStream()
		return
	}
	c.serve()
}

// Refuse records a request that its entrance does not let pass, and answers it.
// Its body is not read.
func (s *Carrier) Refuse(w http.ResponseWriter, r *http.Request, q Request, refusal *flow.Refusal) {
	if !s.enter() {
		w.Header().Set("Connection", "close")
		s.TurnAway(w, r, q.Route.Provider, errDraining)
		return
	}
	defer s.active.Done()
	s.call(w, r, q).deny(nil, refusal)
}

func (s *Carrier) call(w http.ResponseWriter, r *http.Request, q Request) *call {
	c := &call{s: s, w: w, r: r, route: q.Route, up: q.Upstream, upQuery: q.Route.Path, still: q.MayStill}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		c.upQuery += "?" + r.URL.RawQuery
	}
	session, subagent, parent := agents.Claims(r.Header)
	c.message = &gate.Message{
		Entrance: q.Entrance, Provider: c.route.Provider, API: c.route.API,
		Method: r.Method, Path: identity.ScrubPath(c.upQuery, s.o.Secret), Route: c.route.Path, Host: q.Host,
		Header: identity.ScrubHeader(r.Header, s.o.Secret), Veiled: identity.Veiled(r.Header, c.upQuery), Encoding: ContentEncoding(r.Header), Type: r.Header.Get("Content-Type"),
		Principal: q.Principal, Custody: q.Custody, TLS: q.TLS,
		Claim: gate.Claim{Session: session, Subagent: subagent, Parent: parent},
	}
	return c
}

func (c *call) mayStill() error {
	if c.still == nil {
		return nil
	}
	return c.still()
}

// ContentEncoding joins the codings of a message in the order in which they
// were applied (RFC 9110 section 8.4).
func ContentEncoding(h http.Header) string { return strings.Join(h["Content-Encoding"], ",") }

// Literal refuses what could not go on as it came, or would carry an access key
// to a provider. The path is escaped, and has no access key at its start any
// more.
func Literal(path string, r *http.Request) error {
	if strings.Contains(r.URL.RawQuery, "#") {
		return refuse(http.StatusBadRequest, "fragment", "the query of this request has a # in it, which must be written as %23")
	}
	if sentPath(r) != r.URL.EscapedPath() || strings.Contains(r.URL.RawQuery, " ") {
		return refuse(http.StatusBadRequest, "unescaped", "the address of this request has characters in it (a space, a #, a brace, a letter beyond ASCII) that must be escaped, as %20 for a space")
	}
	return identity.Misplaced(path, r.URL.RawQuery, r.Header)
}

// sentPath is the path as it was written. That of a parsed address is escaped
// where the client had not done so.
func sentPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if r.URL.Host == "" {
		return path
	}
	_, path, _ = strings.Cut(path, "://")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[i:]
	}
	return ""
}

func refuse(status int, kind, text string) *flow.Refusal {
	return &flow.Refusal{Status: status, Kind: kind, Text: text}
}

// TurnAway answers a call that no flow exists for, in the provider's shape, or
// in OpenAI's when that is "". It is counted.
func (s *Carrier) TurnAway(w http.ResponseWriter, r *http.Request, p flow.Provider, err error) {
	refusal := AsRefusal(err)
	s.o.Gate.Turned(refusal.Kind, refusal.Text)
	s.discard(w, r)
	WriteRefusal(w, p, r.Method, refusal)
}

// retryAfter is what a client is asked to wait when a later try may pass,
// in seconds.
const retryAfter = "5"

// WriteRefusal answers with a refusal in a provider's shape.
func WriteRefusal(w http.ResponseWriter, p flow.Provider, method string, refusal *flow.Refusal) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(refusal.Kind, "ledger"):
		// A person has to see to the ledger, so the text should be read now. Claude
		// Code would try for minutes, and Codex 30 times with Retry-After between.
		w.Header().Set("X-Should-Retry", "false")
	case refusal.Status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(refusal.Status)
	if method != http.MethodHead {
		w.Write(gate.Reply(p, method, refusal))
	}
}
