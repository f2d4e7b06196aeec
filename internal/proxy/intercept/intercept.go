// Package intercept is the entrance for agents that ignore a base URL: a forward
// proxy. It ends the TLS of hosts that are inspected, and has each request
// carried as if it had come by a base URL; all other hosts get a tunnel, of
// which it knows name, bytes and time, or a refusal. It never reads what is not
// on its list, never answers for a host without a certificate that says so, and
// never reaches what is private, or the gateway itself.
package intercept

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// Options are what the entrance needs.
type Options struct {
	Carrier  *carry.Carrier
	Gate     *gate.Gate
	Identity *identity.Resolver
	Permits  func(host string) error                     // why there can be no certificate for an inspected host
	Leaf     func(host string) (*tls.Certificate, error) // a certificate for an inspected host
	Hosts    []Host                                      // that are inspected; the first that fits counts
	Bypass   []Bypass
	Refuse   bool                             // all other hosts, instead of a tunnel
	Ports    []int                            // that a client may CONNECT to
	Private  []netip.Prefix                   // addresses that are not public and may be reached
	Own      func(netip.AddrPort) bool        // whether an address is the gateway's
	Proxy    func(*url.URL) (*url.URL, error) // the proxy that tunnels go through; nil: none
	Set      map[flow.Provider]http.Header    // headers that are set for a provider
	Log      *slog.Logger
	Now      func() time.Time

	HeaderTimeout time.Duration // for a client to shake hands and send headers
	IdleTimeout   time.Duration // a tunnel in which nothing was sent for so long is ended
}

// Host is a host whose calls are inspected.
type Host struct {
	Name     string // or *.DOMAIN
	Provider flow.Provider
	Upstream *upstream.Upstream
	Moved    bool // the upstream is somewhere else than the host
}

// Bypass is an inspected host that is tunnelled for a while.
type Bypass struct {
	Host, Owner, Reason string
	End                 time.Time
}

// Server is the entrance: an http.Handler for the proxy's own port, and the
// server of what is found inside of TLS.
type Server struct {
	o     Options
	guard guard
	tls   *tls.Config
	inner *http.Server
	ready chan net.Conn // connections whose TLS is ended, on their way to inner
	shut  chan struct{} // closed when inner takes no more
	life  context.Context
	end   context.CancelFunc
	stay  context.Context // ends when Drain is called: who has not shaken hands is sent away
	leave context.CancelFunc

	shutOnce sync.Once
	plain    *http.Transport // to hosts without TLS

	mu      sync.Mutex
	leaving bool
	tunnels map[*tunnel]struct{}
	active  sync.WaitGroup // connections that were taken over; mu is held to add one
}

// New makes the entrance. It does not listen.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, guard: guard{o.Private, o.Own}, ready: make(chan net.Conn), shut: make(chan struct{}), tunnels: map[*tunnel]struct{}{}}
	s.life, s.end = context.WithCancel(context.Background())
	s.stay, s.leave = context.WithCancel(s.life)
	s.tls = &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: s.hello, GetCertificate: s.certificate,
	}
	s.inner = &http.Server{
		Handler: http.HandlerFunc(s.serveInner), ConnContext: innerContext, ConnState: s.follow,
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request like any other
		ReadHeaderTimeout:            o.HeaderTimeout, MaxHeaderBytes: 256 << 10,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	s.plain = s.transport()
	return s
}

// caller is who is at the other end of a connection to the proxy's port.
type caller struct {
	peer *identity.Peer
	key  string // access key
}

type (
	peerKey  struct{}
	innerKey struct{}
)

// ConnContext goes into the http.Server of the proxy's port: it remembers who
// is at the other end.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, s.o.Identity.Conn(c))
}

// Run serves what is inside of TLS until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Cut)
	defer stop()
	if err := s.inner.Serve(listener{s}); ctx.Err() == nil && s.life.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving inspected connections: %w", err)
	}
	return nil
}

// listener hands connections to the inner server until that stops.
type listener struct{ s *Server }

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.s.ready:
		return c, nil
	case <-l.s.shut:
		return nil, net.ErrClosed
	}
}

// Close may be called again and again.
func (l listener) Close() error {
	l.s.shutOnce.Do(func() { close(l.s.shut) })
	return nil
}

func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

// leavingIdle is how long a tunnel may be silent once the gateway stops.
const leavingIdle = 2 * time.Second

// Drain takes no more connections, and returns when those that there are have
// ended, or with ctx's error. What is inspected ends by itself once it has its
// answer; a tunnel ends when it is silent.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.leaving = true
	for t := range s.tunnels {
		t.hurry(leavingIdle)
	}
	s.mu.Unlock()
	s.leave()
	s.inner.Shutdown(ctx)
	return carry.Ended(ctx, &s.active)
}

// Cut ends the connections that there are.
func (s *Server) Cut() {
	s.end()
	s.inner.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
	for t := range s.tunnels {
		t.cut()
	}
}

// enter counts a connection as taken over. None is once Drain was called.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leaving {
		s.active.Add(1)
	}
	return !s.leaving
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, who, err := s.identify(r)
	if err != nil {
		if q := carry.AsRefusal(err); q.Kind == "access_key_missing" {
			w.Header().Set("Proxy-Authenticate", `Basic realm="gatehouse"`)
			err = &flow.Refusal{Status: http.StatusProxyAuthRequired, Kind: q.Kind, Text: proxyKeyHelp}
		}
		s.o.Carrier.TurnAway(w, r, "", err)
		return
	}
	switch {
	case r.Method == http.MethodConnect:
		s.connect(w, r, q, who)
	case r.URL.IsAbs():
		s.absolute(w, r, q, who)
	default:
		s.o.Carrier.TurnAway(w, r, "", refuse(http.StatusBadRequest, "no_proxy_request", "this port is a forward proxy (HTTPS_PROXY), and no base URL: it wants CONNECT, or an address with a scheme"))
	}
}

const proxyKeyHelp = "this gateway needs an access key: put it into the proxy's address (HTTPS_PROXY=http://gatehouse:ghk_…@HOST:PORT); whoever runs the gateway makes one with: gatehouse key add NAME"

// identify finds out who uses the proxy.
func (s *Server) identify(r *http.Request) (q carry.Request, who caller, err error) {
	peer, _ := r.Context().Value(peerKey{}).(*identity.Peer)
	who = caller{peer, proxyKey(r.Header)}
	q.Entrance = flow.Tunnel
	q.Principal, err = s.o.Identity.Principal(peer, who.key, nil, nil)
	if err == nil {
		q.Custody = s.o.Identity.Custody(peer)
	}
	return q, who, err
}

// proxyKey reads our access key out of a proxy's credentials (RFC 7617): the
// password, or the name when there is none.
func proxyKey(h http.Header) string {
	scheme, value, _ := strings.Cut(h.Get("Proxy-Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return h.Get(identity.KeyHeader)
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return ""
	}
	name, password, _ := strings.Cut(string(text), ":")
	if password == "" {
		return name
	}
	return password
}

// host finds the entry of an inspected host; bypass is the one that has it
// tunnelled now.
func (s *Server) host(name string) (h *Host, bypass *Bypass) {
	i := slices.IndexFunc(s.o.Hosts, func(h Host) bool { return ca.Listed([]string{h.Name}, name) })
	if i < 0 {
		return nil, nil
	}
	now := s.o.Now()
	for n := range s.o.Bypass {
		if b := &s.o.Bypass[n]; ca.Listed([]string{b.Host}, name) && now.Before(b.End) {
			return &s.o.Hosts[i], b
		}
	}
	return &s.o.Hosts[i], nil
}

// upstream is where the calls to an inspected host go.
func (h *Host) upstream(t Target) *upstream.Upstream {
	switch {
	case h.Moved:
		return h.Upstream
	case t.Port == 443:
		return h.Upstream.At(t.Host)
	}
	return h.Upstream.At(t.String())
}

func refuse(status int, kind, text string) *flow.Refusal {
	return &flow.Refusal{Status: status, Kind: kind, Text: text}
}
