package intercept

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
)

// inside is the connection to an inspected host that a client believes to have.
type inside struct {
	net.Conn
	read   *bufio.Reader
	target Target
	host   *Host
	who    caller
	leg    *flow.Leg // nil: no TLS

	message *gate.Message // the connection, for its record
	greeted bool          // a client hello was read
	refused error         // why it was not answered
	chain   string        // hash of the certificates that were shown; "": none were
	shaken  time.Time     // when TLS had come about

	// What has come inside of TLS: see follow.
	spoke bool        // something
	begun bool        // something since it was idle
	asked atomic.Bool // a request since it was idle
}

func (c *inside) Read(b []byte) (int, error) { return c.read.Read(b) }

// inspect takes the client's connection, ends its TLS, and hands it to the
// inner server. What goes wrong on the way is recorded, and ends it.
func (s *Server) inspect(w http.ResponseWriter, r *http.Request, m *gate.Message, h *Host, q carry.Request, who caller, t Target) {
	m.Entrance, m.Provider = flow.Intercept, h.Provider
	if !s.enter() {
		s.deny(w, m, errLeaving)
		return
	}
	defer s.active.Done()
	if err := s.o.Permits(t.Host); err != nil {
		s.deny(w, m, &flow.Refusal{Status: http.StatusBadGateway, Kind: "no_certificate", Text: err.Error(), Err: err})
		return
	}
	c, read, err := take(w)
	if err != nil {
		return // the client went away, and sent nothing
	}
	in := &inside{Conn: c, read: read, target: t, host: h, who: who, message: m}
	refusal := s.shake(in)
	if refusal == nil {
		return
	}
	s.o.Gate.Refuse(m, 0, refusal)
	c.Close()
}

// shake finds TLS inside, and ends it. Without a refusal the inner server has
// the connection.
func (s *Server) shake(in *inside) *flow.Refusal {
	ctx, cancel := context.WithTimeout(s.stay, s.o.HeaderTimeout)
	defer cancel()
	defer context.AfterFunc(s.stay, func() { in.Close() })()
	in.SetDeadline(time.Now().Add(s.o.HeaderTimeout))
	if refusal := s.speaksTLS(in); refusal != nil {
		return refusal
	}
	conn := tls.Server(in, s.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return notShaken(in, err)
	}
	in.SetDeadline(time.Time{})
	in.shaken = s.o.Now()
	state := conn.ConnectionState()
	in.leg = &flow.Leg{Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), ALPN: state.NegotiatedProtocol, Chain: in.chain}
	select {
	case s.ready <- conn:
		return nil
	case <-s.shut:
		return errLeaving
	}
}

// methods are how a client begins that speaks HTTP without TLS; PRI is HTTP/2's
// (RFC 9113 section 3.4).
var methods = []string{"GET ", "HEAD", "POST", "PUT ", "PATC", "DELE", "OPTI", "CONN", "TRAC", "PRI "}

// recordHandshake is the first byte of a client hello (RFC 8446 section 5.1).
const recordHandshake = 22

// speaksTLS looks at the first bytes, without taking them.
func (s *Server) speaksTLS(in *inside) *flow.Refusal {
	first, err := in.read.Peek(1)
	switch {
	case err != nil:
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "nothing_said", Text: "the client connected and said nothing", Err: err}
	case first[0] == recordHandshake:
		return nil
	}
	begin, _ := in.read.Peek(4)
	for _, m := range methods {
		if string(begin) == m {
			const text = "this host is inspected, and was spoken to without TLS; nothing was forwarded. Call it by https"
			io.WriteString(in.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nGatehouse: "+text+"\n")
			return refuse(http.StatusBadRequest, "plain_http", text)
		}
	}
	return refuse(http.StatusBadRequest, "unknown_protocol", "this host is inspected, and what the client speaks is not TLS; nothing was forwarded. Where that is meant, list the host under intercept.bypass")
}

// errName says that a client asks, inside of a connection, for another host.
var errName = errors.New("the client's TLS names another host (SNI) than its CONNECT")

// hello lets a handshake go on when it is for the host that the client asked to
// be connected to. No certificate is made before.
func (s *Server) hello(h *tls.ClientHelloInfo) (*tls.Config, error) {
	in, ok := h.Conn.(*inside)
	if !ok {
		return nil, errName
	}
	in.greeted = true
	if strings.ToLower(strings.TrimSuffix(h.ServerName, ".")) != in.target.Host {
		in.refused = errName
		return nil, errName
	}
	return nil, nil
}

func (s *Server) certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	in, ok := h.Conn.(*inside)
	if !ok {
		return nil, errName
	}
	cert, err := s.o.Leaf(in.target.Host)
	if err != nil {
		in.refused = err
		return nil, err
	}
	hash := sha256.New()
	for _, der := range cert.Certificate {
		hash.Write(der)
	}
	in.chain = hex.EncodeToString(hash.Sum(nil))
	return cert, nil
}

// distrust are the alerts by which a client says that it does not take our
// certificate (RFC 8446 section 6.2). crypto/tls tells an alert by its text.
var distrust = func() (texts []string) {
	for _, alert := range []tls.AlertError{42, 43, 44, 45, 46, 48, 49} {
		texts = append(texts, alert.Error())
	}
	return texts
}()

// garbled is what crypto/tls makes of such an alert of OpenSSL's, which comes before
// OpenSSL encrypts (TLS 1.3).
var garbled = tls.AlertError(20).Error() // bad_record_mac

// alertOf gives the alert that ended a connection, "" when none did.
func alertOf(err error) (text string, theirs bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" && op.Op != "local error" {
		return "", false
	}
	return op.Err.Error(), op.Op == "remote error"
}

const (
	untrusting = "pinned or untrusting client: it refused the certificate that Gatehouse showed. " + remedy
	unasking   = "probably a pinned or untrusting client: it closed the connection as soon as it had seen the certificate of Gatehouse, without a request. " + remedy
	remedy     = "Make it trust the root (gatehouse ca install), or, when it pins the host's own certificate, list the host under intercept.bypass"
)

// notShaken says why TLS with a client did not come about.
func notShaken(in *inside, err error) *flow.Refusal {
	alert, theirs := alertOf(err)
	switch {
	case errors.Is(in.refused, errName):
		return refuse(http.StatusMisdirectedRequest, "sni", errName.Error()+"; nothing was forwarded")
	case in.refused != nil:
		return &flow.Refusal{Status: http.StatusBadGateway, Kind: "no_certificate", Text: in.refused.Error(), Err: err}
	case !in.greeted:
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "bad_hello", Text: "the client's TLS could not be read, or ended before it began", Err: err}
	case theirs && slices.Contains(distrust, alert):
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "untrusting_client", Text: untrusting, Err: err}
	case theirs:
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "tls_failed", Text: "the client refused the TLS of Gatehouse: " + alert, Err: err}
	case in.chain != "" && alert == garbled:
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "untrusting_client", Text: untrusting, Err: err}
	case in.chain != "" && alert == "":
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "untrusting_client", Text: untrusting + " (it closed the connection when it saw it)", Err: err}
	}
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "tls_failed", Text: "the client's TLS and Gatehouse's (version 1.2 or newer) do not fit", Err: err}
}

// innerContext goes into the inner http.Server.
func innerContext(ctx context.Context, c net.Conn) context.Context {
	if _, in := insideOf(c); in != nil {
		return context.WithValue(ctx, innerKey{}, in)
	}
	return ctx
}

// insideOf gives both of a connection of the inner server; nil: it is none.
func insideOf(c net.Conn) (*tls.Conn, *inside) {
	conn, ok := c.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	in, _ := conn.NetConn().(*inside)
	return conn, in
}
