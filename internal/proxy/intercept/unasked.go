package intercept

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// openedAhead is how soon a client that has seen our certificate must be gone to
// have gone for that. Browsers open connections ahead, and close those that they
// did not need later: Chromium after 10 seconds.
const openedAhead = 5 * time.Second

// follow is told by the inner server what becomes of a connection. When it ends
// without a request, or with one that net/http could not read and answered by
// itself, that is recorded: nobody else would.
func (s *Server) follow(c net.Conn, state http.ConnState) {
	conn, in := insideOf(c)
	if in == nil {
		return
	}
	switch state {
	case http.StateActive: // not told where the whole request came before it was waited for
		in.spoke, in.begun = true, true
	case http.StateIdle:
		in.begun = false
		in.asked.Store(false)
	case http.StateClosed:
		refusal := s.unasked(conn, in)
		if refusal == nil || !s.enter() {
			return
		}
		defer s.active.Done()
		s.o.Gate.Refuse(in.message, 0, refusal)
	}
}

var errNoHTTP = refuse(http.StatusBadRequest, "bad_request", "what the client said inside of TLS can't be read as HTTP, or not in one way only; nothing of it was forwarded")

// unasked says why a connection that has ended is to be recorded; nil: it is not.
// A client that has begun HTTP/2 takes the certificate, and may close as it likes.
func (s *Server) unasked(conn *tls.Conn, in *inside) *flow.Refusal {
	_, err := conn.Read(make([]byte, 1)) // of a closed connection: what ended it
	alert, theirs := alertOf(err)
	ours := err == nil || errors.Is(err, net.ErrClosed)
	switch {
	case in.unread(ours && s.stay.Err() == nil):
		return errNoHTTP
	case in.spoke || ours:
		return nil
	case theirs && slices.Contains(distrust, alert):
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "untrusting_client", Text: untrusting, Err: err}
	case s.o.Now().Sub(in.shaken) < openedAhead:
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "untrusting_client", Text: unasking, Err: err}
	}
	return nil
}

// unread reports whether what came last is nothing that net/http could read: it
// has closed a connection then that did not begin as HTTP/2 does, or was idle.
func (c *inside) unread(ours bool) bool {
	if c.leg.ALPN == "h2" {
		return ours && !c.spoke
	}
	return !c.asked.Load() && (c.begun || ours && c.spoke)
}
