// Package redirect is the entrance for agents whose base URL points at us: an
// HTTP handler that reads one request whole, has the gate admit it, forwards
// the bytes that came, and hands the answer's bytes back as they come. It never
// forwards anything that the gate did not admit, and never serves a browser.
package redirect

import (
	"context"
	"log/slog"
	"net"
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

// Options are what the entrance needs.
type Options struct {
	Gate      *gate.Gate
	Identity  *identity.Resolver
	Upstreams []Upstream                 // the first that fits a call gets it
	Secret    func(secret []byte) string // keyed fingerprint of a credential, for what is recorded
	Hosts     []string                   // names that a Host header may carry beside loopback and IP addresses
	Log       *slog.Logger

	MaxBody     int64         // most bytes of one message
	MaxMemory   int64         // most bytes of bodies that wait or are being forwarded
	ReadTimeout time.Duration // a client that sends nothing for so long is given up
	IdleTimeout time.Duration // a provider, or a client that does not read, likewise
	KeepAlive   time.Duration // how often a client is told that an answer is held back; 0: 15 s
}

// Upstream is where a provider's calls go whose path begins with Prefix.
type Upstream struct {
	Provider flow.Provider
	Prefix   string
	*upstream.Upstream
}

// Server is the entrance. It is an http.Handler.
type Server struct {
	o        Options
	budget   *semaphore.Weighted
	draining atomic.Bool
	active   sync.WaitGroup // exchanges and sockets under way; mu is held to add one
	life     context.Context
	end      context.CancelFunc // of life: see Cut

	mu      sync.Mutex
	sockets map[*socket]struct{}
}

// New makes the entrance. It does not listen.
func New(o Options) *Server {
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	s := &Server{o: o, budget: semaphore.NewWeighted(o.MaxMemory), sockets: map[*socket]struct{}{}}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

type peerKey struct{}

// ConnContext goes into http.Server: it remembers who is at the other end.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, s.o.Identity.Conn(c))
}

// Drain refuses new messages with 503 and returns when the running ones have
// ended, or with ctx's error.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	for k := range s.sockets {
		k.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.active.Wait()
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
func (s *Server) Cut() { s.end() }

// enter counts an exchange as under way. None is after Drain was called.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.active.Add(1)
	return true
}

// Draining reports whether Drain has been called.
func (s *Server) Draining() bool { return s.draining.Load() }

// call is one request on its way through the entrance.
type call struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	route   route.Route
	up      *upstream.Upstream
	message *gate.Message
	upQuery string // what follows the upstream's base address
	early   early
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := s.open(w, r)
	if err != nil {
		s.turnAway(w, r, c, err)
		return
	}
	if !s.enter() {
		w.Header().Set("Connection", "close")
		s.turnAway(w, r, c, refuse(http.StatusServiceUnavailable, "draining", "the gateway is stopping; running calls end, new ones are not taken"))
		return
	}
	defer s.active.Done()
	if isUpgrade(r) {
		c.serveSocket()
		return
	}
	c.serve()
}

// open finds out who calls what. Its errors are refusals of somebody unknown:
// they are counted, not recorded one by one.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (*call, error) {
	if err := s.checkBrowser(r); err != nil {
		return nil, err
	}
	path, key := accessKey(r)
	match, ok := route.Match(r.Method, path, r.Header, r.URL.Query())
	c := &call{s: s, w: w, r: r, route: match}
	if err := checkLiteral(path, r); err != nil {
		return c, err
	}
	if !ok {
		return c, refuse(http.StatusNotFound, "no_route", "no provider has this path. Point the agent at …/anthropic, …/openai/v1 or …/gemini (`gatehouse env AGENT` prints the setting)")
	}
	if c.up = s.upstreamFor(match); c.up == nil {
		return c, refuse(http.StatusNotFound, "no_upstream", "no address is configured for the provider "+string(match.Provider))
	}
	peer, _ := r.Context().Value(peerKey{}).(*identity.Peer)
	principal, err := s.o.Identity.Principal(peer, key, r.Header, r.URL.Query())
	if err != nil {
		return c, err
	}
	c.upQuery = match.Path
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		c.upQuery += "?" + r.URL.RawQuery
	}
	c.message = s.message(c, peer, principal)
	return c, nil
}

func (s *Server) upstreamFor(r route.Route) *upstream.Upstream {
	for _, u := range s.o.Upstreams {
		if u.Provider == r.Provider && strings.HasPrefix(r.Path, u.Prefix) {
			return u.Upstream
		}
	}
	return nil
}

func (s *Server) message(c *call, peer *identity.Peer, principal flow.Principal) *gate.Message {
	session, subagent, parent := agents.Claims(c.r.Header)
	return &gate.Message{
		Entrance: flow.Redirect, Provider: c.route.Provider, API: c.route.API,
		Method: c.r.Method, Path: identity.ScrubPath(c.upQuery, s.o.Secret), Route: c.route.Path,
		Header: identity.ScrubHeader(c.r.Header, s.o.Secret), Encoding: contentEncoding(c.r.Header), Type: c.r.Header.Get("Content-Type"),
		Principal: principal, Custody: s.o.Identity.Custody(peer),
		Claim: gate.Claim{Session: session, Subagent: subagent, Parent: parent},
	}
}

// contentEncoding joins the codings of a message in the order in which they
// were applied (RFC 9110 section 8.4).
func contentEncoding(h http.Header) string { return strings.Join(h["Content-Encoding"], ",") }

// accessKey takes our key out of a request. It gives the path that is left, as
// the client escaped it.
func accessKey(r *http.Request) (path, key string) {
	if key, rest, ok := identity.CutKey(r.URL.EscapedPath()); ok {
		return rest, key
	}
	return r.URL.EscapedPath(), r.Header.Get(identity.KeyHeader)
}

// checkLiteral refuses what could not go on as it came, or would carry an
// access key to a provider.
func checkLiteral(path string, r *http.Request) error {
	if strings.Contains(r.URL.RawQuery, "#") {
		return refuse(http.StatusBadRequest, "fragment", "the query of this request has a # in it, which must be written as %23")
	}
	return identity.Misplaced(path, r.URL.RawQuery, r.Header)
}

// checkBrowser refuses what a web page could have sent: agents' ports are not
// for browsers. A page from elsewhere carries an Origin; a name that was bound
// to this address carries that name in Host (DNS rebinding).
func (s *Server) checkBrowser(r *http.Request) error {
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return refuse(http.StatusForbidden, "browser", "this port is for agents, not for web pages (the request carries an Origin)")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if net.ParseIP(host) != nil || strings.EqualFold(host, "localhost") {
		return nil
	}
	for _, name := range s.o.Hosts {
		if strings.EqualFold(host, name) {
			return nil
		}
	}
	return refuse(http.StatusForbidden, "host", "the Host of this request is not one of the gateway's names (setting: hosts)")
}

func refuse(status int, kind, text string) *flow.Refusal {
	return &flow.Refusal{Status: status, Kind: kind, Text: text}
}

// turnAway answers a call that no flow exists for.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, c *call, err error) {
	refusal := asRefusal(err)
	s.o.Gate.Turned(refusal.Kind, refusal.Text)
	s.discard(w, r)
	provider := flow.OpenAI
	if c != nil && c.route.Provider != "" {
		provider = c.route.Provider
	}
	writeRefusal(w, provider, r.Method, refusal)
}

// retryAfter is what a client is asked to wait when a later try may pass,
// in seconds.
const retryAfter = "5"

func writeRefusal(w http.ResponseWriter, p flow.Provider, method string, refusal *flow.Refusal) {
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
