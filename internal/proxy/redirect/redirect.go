// Package redirect is the entrance for agents whose base URL points at us: an
// HTTP handler that finds out who calls which provider, and has the request
// carried. It never forwards anything itself, and never serves a browser.
package redirect

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// Options are what the entrance needs.
type Options struct {
	Carrier   *carry.Carrier
	Identity  *identity.Resolver
	Upstreams []Upstream // the first that fits a call gets it
	Hosts     []string   // names that a Host header may carry beside loopback and IP addresses
}

// Upstream is where a provider's calls go whose path begins with Prefix.
type Upstream struct {
	Provider flow.Provider
	Prefix   string
	*upstream.Upstream
}

// Server is the entrance. It is an http.Handler.
type Server struct{ o Options }

// New makes the entrance. It does not listen.
func New(o Options) *Server { return &Server{o} }

type peerKey struct{}

// ConnContext goes into http.Server: it remembers who is at the other end.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, s.o.Identity.Conn(c))
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := s.open(r)
	if err != nil {
		s.o.Carrier.TurnAway(w, r, q.Route.Provider, err)
		return
	}
	s.o.Carrier.Carry(w, r, q)
}

// open finds out who calls what. Its errors are refusals of somebody unknown:
// they are counted, not recorded one by one.
func (s *Server) open(r *http.Request) (q carry.Request, err error) {
	if err := s.checkBrowser(r); err != nil {
		return q, err
	}
	path, key := accessKey(r)
	match, ok := route.Match(r.Method, path, r.Header, r.URL.Query())
	q.Entrance, q.Route = flow.Redirect, match
	if err := carry.Literal(path, r); err != nil {
		return q, err
	}
	if !ok {
		return q, unrouted(path)
	}
	if q.Upstream = s.upstreamFor(match); q.Upstream == nil {
		return q, refuse(http.StatusNotFound, "no_upstream", "no address is configured for the provider "+string(match.Provider))
	}
	peer, _ := r.Context().Value(peerKey{}).(*identity.Peer)
	q.Principal, err = s.o.Identity.Principal(peer, key, r.Header, r.URL.Query())
	if err != nil {
		return q, err
	}
	q.Custody = s.o.Identity.Custody(peer)
	q.MayStill = func() error { return s.o.Identity.MayStill(key) }
	return q, nil
}

// unrouted says why a path is none of a provider's.
func unrouted(path string) error {
	const point = "Point the agent at …/anthropic, …/openai/v1 or …/gemini (`gatehouse env AGENT` prints the setting)"
	if !route.Plain(path) {
		return refuse(http.StatusNotFound, "bad_path", "servers may read this path in more than one way: it has an empty segment (// or a / at its end), a dot segment or a backslash. "+point)
	}
	return refuse(http.StatusNotFound, "no_route", "no provider has this path. "+point)
}

func (s *Server) upstreamFor(r route.Route) *upstream.Upstream {
	for _, u := range s.o.Upstreams {
		if u.Provider == r.Provider && strings.HasPrefix(r.Path, u.Prefix) {
			return u.Upstream
		}
	}
	return nil
}

// accessKey takes our key out of a request. It gives the path that is left, as
// the client escaped it.
func accessKey(r *http.Request) (path, key string) {
	if key, rest, ok := identity.CutKey(r.URL.EscapedPath()); ok {
		return rest, key
	}
	return r.URL.EscapedPath(), r.Header.Get(identity.KeyHeader)
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
