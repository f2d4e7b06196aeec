package intercept

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
)

// connect answers a CONNECT: the host is inspected, tunnelled or refused.
func (s *Server) connect(w http.ResponseWriter, r *http.Request, q carry.Request, who caller) {
	t, err := ParseTarget(r.RequestURI, 0) // r.Host is without a user and a path, which do not belong here
	switch {
	case errors.Is(err, errNumeric):
		s.deny(w, message(r.Method, t, q), errNumeric)
		return
	case err != nil:
		s.o.Carrier.TurnAway(w, r, "", refuse(http.StatusBadRequest, "bad_target", "this CONNECT does not name a host and a port"))
		return
	}
	h, bypass := s.host(t.Host)
	m := message(r.Method, t, q)
	switch {
	case !slices.Contains(s.o.Ports, t.Port):
		s.deny(w, m, errPort)
	case h != nil && bypass == nil:
		s.inspect(w, r, m, h, q, who, t)
	case bypass != nil:
		s.tunnel(w, r, m, t, "bypassed by "+bypass.Owner+" until "+bypass.End.UTC().Format(time.DateOnly)+": "+bypass.Reason)
	case s.o.Refuse:
		s.deny(w, m, refuse(http.StatusForbidden, "other_host", "this host is not among those that agents may call (settings: intercept.inspect, intercept.others)"))
	default:
		s.tunnel(w, r, m, t, "a host that is not inspected: a tunnel, unread")
	}
}

// message is what the gate is told of a connection.
func message(method string, t Target, q carry.Request) *gate.Message {
	return &gate.Message{
		Entrance: flow.Tunnel, API: flow.Opaque, Method: method, Path: t.recorded(), Host: t.recorded(),
		Principal: q.Principal, Custody: q.Custody,
	}
}

// deny records a connection that is refused, and answers. Nothing was sent
// anywhere, and no name was resolved.
func (s *Server) deny(w http.ResponseWriter, m *gate.Message, refusal *flow.Refusal) {
	carry.WriteRefusal(w, m.Provider, m.Method, s.o.Gate.Refuse(m, 0, refusal))
}

var errPort = refuse(http.StatusForbidden, "port", "connections to this port are not allowed (setting: intercept.ports)")

var errLeaving = refuse(http.StatusServiceUnavailable, "draining", "the gateway is stopping; new connections are not taken")

// take gives the connection of a request, which is the caller's from then on,
// after a positive answer. read has what came with the request.
func take(w http.ResponseWriter) (c net.Conn, read *bufio.Reader, err error) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.SetDeadline(time.Time{})
	if _, err = c.Write([]byte("HTTP/1.1 200 Connection Established\r\n\r\n")); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, rw.Reader, nil
}

// tunnel connects client and host, and records it: who, where to, how much, how
// long.
func (s *Server) tunnel(w http.ResponseWriter, r *http.Request, m *gate.Message, target Target, why string) {
	if !s.enter() {
		s.deny(w, m, errLeaving)
		return
	}
	defer s.active.Done()
	p, err := s.o.Gate.AdmitBlind(m, gate.Tunnel, why)
	if err != nil {
		carry.WriteRefusal(w, m.Provider, m.Method, carry.AsRefusal(err))
		return
	}
	defer p.End(flow.Aborted, "the gateway failed") // counts when we panic only
	host, err := s.reach(r.Context(), target)
	if err != nil {
		refusal := carry.AsRefusal(err)
		p.Refuse(refusal)
		carry.WriteRefusal(w, m.Provider, m.Method, refusal)
		return
	}
	defer host.Close()
	client, read, err := take(w)
	if err != nil {
		p.End(flow.Aborted, "the client went away")
		return
	}
	defer client.Close()
	t := newTunnel(client, read, host, s.o.IdleTimeout)
	if !s.keep(t) {
		t.cut()
	}
	defer s.drop(t)
	t.run()
	state, why := t.ended(s.life.Err() != nil)
	p.Tunnelled(http.StatusOK, t.up.Load(), t.down.Load(), state, why)
}

func (s *Server) keep(t *tunnel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tunnels[t] = struct{}{}
	if s.leaving {
		t.hurry(leavingIdle)
	}
	return s.life.Err() == nil
}

func (s *Server) drop(t *tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tunnels, t)
}

// reach connects to a host, through the proxy that leads out of here if there
// is one.
func (s *Server) reach(ctx context.Context, t Target) (net.Conn, error) {
	proxy, err := s.proxyFor(t)
	switch {
	case err != nil:
		return nil, err
	case proxy != nil:
		return s.through(ctx, proxy, t)
	}
	return s.guard.dial(ctx, t)
}
