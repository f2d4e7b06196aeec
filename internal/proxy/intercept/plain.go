package intercept

import (
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
)

// absolute answers a request with a whole address (RFC 9112 section 3.2.2).
// That of an inspected host is a request like those inside of TLS, and goes on
// by TLS; another one's is forwarded as it comes, recorded as a tunnel is.
func (s *Server) absolute(w http.ResponseWriter, r *http.Request, q carry.Request, who caller) {
	usual := map[string]int{"http": 80, "https": 443}[r.URL.Scheme]
	t, err := ParseTarget(r.URL.Host, usual)
	switch {
	case usual != 0 && errors.Is(err, errNumeric):
		s.deny(w, message(r.Method, t, q), errNumeric)
		return
	case usual == 0 || err != nil:
		s.o.Carrier.TurnAway(w, r, "", refuse(http.StatusBadRequest, "bad_target", "the address of this request is not http://HOST or https://HOST"))
		return
	}
	h, bypass := s.host(t.Host)
	goesOn := h != nil && bypass == nil
	if goesOn {
		t = secured(t)
	}
	m := message(r.Method, t, q)
	switch {
	case goesOn && !slices.Contains(s.o.Ports, t.Port):
		s.deny(w, m, errPort)
	case goesOn:
		r.Host = t.recorded()
		s.serve(w, r, &inside{target: t, host: h, who: who})
	case s.o.Refuse && bypass == nil:
		s.deny(w, m, refuse(http.StatusForbidden, "other_host", "this host is not among those that agents may call (settings: intercept.inspect, intercept.others)"))
	case usual == 443:
		s.deny(w, m, refuse(http.StatusBadRequest, "https_without_connect", "an address with https is asked for by CONNECT: this proxy adds no TLS to what it does not inspect"))
	case t.Port != 80 && !slices.Contains(s.o.Ports, t.Port):
		s.deny(w, m, errPort)
	case r.Header.Get("Upgrade") != "":
		s.deny(w, m, refuse(http.StatusNotImplemented, "upgrade", "an upgrade without TLS is asked for by CONNECT"))
	default:
		s.relay(w, r, m)
	}
}

// secured is where a request without TLS to an inspected host goes: the usual
// port becomes TLS's.
func secured(t Target) Target {
	if t.Port == 80 {
		t.Port = 443
	}
	return t
}

// relay forwards one request without TLS, as it comes.
func (s *Server) relay(w http.ResponseWriter, r *http.Request, m *gate.Message) {
	if !s.enter() {
		s.deny(w, m, errLeaving)
		return
	}
	defer s.active.Done()
	p, err := s.o.Gate.AdmitBlind(m, gate.Tunnel, "a host that is not inspected: forwarded, unread")
	if err != nil {
		carry.WriteRefusal(w, "", r.Method, carry.AsRefusal(err))
		return
	}
	e := &exchange{passage: p}
	defer func() { // counts where the handler ends by a panic
		p.Tunnelled(e.status, e.up.Load(), e.down.Load(), flow.Aborted, "the client or the host broke it off")
	}()
	proxy := &httputil.ReverseProxy{
		Transport: s.plain, FlushInterval: -1, ErrorLog: s.inner.ErrorLog,
		Rewrite: e.request, ModifyResponse: e.response, ErrorHandler: e.failed,
	}
	proxy.ServeHTTP(w, r)
	p.Tunnelled(e.status, e.up.Load(), e.down.Load(), flow.Done, "") // counts unless it has failed
}

// exchange is one request without TLS and its answer, counted.
type exchange struct {
	passage  *gate.Passage
	status   int
	up, down atomic.Int64
}

// asTheyCame are headers that ReverseProxy takes for its own.
var asTheyCame = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

func (e *exchange) request(p *httputil.ProxyRequest) {
	p.Out.Host, p.Out.URL.RawQuery = p.In.Host, p.In.URL.RawQuery
	for _, name := range asTheyCame {
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
	p.Out.Header.Del(identity.KeyHeader)
	if _, ok := p.Out.Header["User-Agent"]; !ok {
		p.Out.Header["User-Agent"] = nil // keeps net/http from adding its own
	}
	if p.Out.Body != nil && p.Out.Body != http.NoBody {
		p.Out.Body = counted{p.Out.Body, &e.up}
	}
}

func (e *exchange) response(resp *http.Response) error {
	e.status = resp.StatusCode
	resp.Body = counted{resp.Body, &e.down}
	return nil
}

func (e *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	refusal := carry.AsRefusal(err)
	if refusal.Kind == "internal" {
		refusal = &flow.Refusal{Status: http.StatusBadGateway, Kind: "unreachable", Text: "the host could not be reached", Err: err}
	}
	e.passage.Refuse(refusal)
	carry.WriteRefusal(w, "", r.Method, refusal)
}

// transport reaches hosts without TLS, through the guard. A connection is used
// once: net/http would try a request again on another one.
func (s *Server) transport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols: protocols, DisableKeepAlives: true, DisableCompression: true,
		ResponseHeaderTimeout: s.o.IdleTimeout, ExpectContinueTimeout: time.Second,
		DialContext: s.guard.reach,
	}
}

// counted is a body whose bytes are counted as they are read.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}
