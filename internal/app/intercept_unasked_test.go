package app_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

// inside connects to an inspected host through the proxy, with TLS of its own
// where nothing is set.
func (h *house) inside(config *tls.Config) *tls.Conn {
	h.t.Helper()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.RootCAs = "api.anthropic.com", h.roots()
	status, text, c := h.connect("api.anthropic.com:443")
	if status != http.StatusOK {
		h.t.Fatalf("CONNECT: %d %s", status, text)
	}
	conn := tls.Client(c, config)
	if err := conn.Handshake(); err != nil {
		h.t.Fatal(err)
	}
	return conn
}

// TestAClientThatLeavesAtTheSightOfTheCertificate, when the handshake is over: as
// those do that look at the certificate themselves.
func TestAClientThatLeavesAtTheSightOfTheCertificate(t *testing.T) {
	h := intercepting(t, answering(plainAnswer), nil)
	n := 0
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, alpn := range []string{"", "http/1.1", "h2"} {
			for _, abrupt := range []bool{false, true} {
				config := &tls.Config{MinVersion: version, MaxVersion: version}
				if alpn != "" {
					config.NextProtos = []string{alpn}
				}
				conn := h.inside(config)
				if abrupt {
					conn.NetConn().Close()
				} else {
					conn.Close()
				}
				n++
				v := h.ended(n)[n-1]
				if v.State != flow.Refused || v.Entrance != flow.Intercept || v.Host != "api.anthropic.com" || v.Rules[0] != "limit:untrusting_client" || !strings.Contains(v.Why, "without a request") {
					t.Errorf("TLS %x, ALPN %q, abrupt %v: on record as %s %s %q %q", version, alpn, abrupt, v.State, v.Entrance, v.Rules, v.Why)
				}
			}
		}
	}
	// One that has asked, or has begun HTTP/2, takes the certificate.
	conn := h.inside(&tls.Config{NextProtos: []string{"h2"}})
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	if _, err := io.ReadFull(conn, make([]byte, 9)); err != nil {
		t.Error(err)
	}
	conn.Close()
	ask(t, h.client(false, func(tr *http.Transport) { tr.DisableKeepAlives = true }), anthropic+"/v1/messages", messagesBody)
	if v := h.ended(n + 1)[n]; v.State != flow.Done {
		t.Errorf("on record: %+v", v)
	}
}

// TestWhatIsNoHTTPInsideOfTLS is answered by net/http, and on record all the same.
func TestWhatIsNoHTTPInsideOfTLS(t *testing.T) {
	up := answering(plainAnswer)
	h := intercepting(t, up, nil)
	const head = "POST /v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\n"
	for i, tt := range []struct{ name, said, status string }{
		{"HTTP/0.9", "GET /v1/models\r\n\r\n", "400"},
		{"garbage", "\x00\x01\x02 is nothing\r\n\r\n", "400"},
		{"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"},
		{"too much of a head", head + "X-Long: " + strings.Repeat("x", 300<<10) + "\r\n\r\n", "431"},
		{"what nobody can expect", head + "Expect: the-moon\r\nContent-Length: 1\r\n\r\nx", "417"},
		{"half a request", head, ""},
	} {
		conn := h.inside(nil)
		io.WriteString(conn, tt.said)
		if tt.status == "" {
			conn.Close()
		} else if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || !strings.HasPrefix(resp.Status, tt.status) {
			t.Errorf("%s: %v %v", tt.name, resp, err)
		}
		conn.Close()
		if v := h.ended(i + 1)[i]; v.State != flow.Refused || v.Status != http.StatusBadRequest || v.Rules[0] != "limit:bad_request" || !strings.Contains(v.Why, "can't be read as HTTP") {
			t.Errorf("%s: on record as %s %d %q %q", tt.name, v.State, v.Status, v.Rules, v.Why)
		}
	}
	if n := len(up.seen); n != 0 {
		t.Errorf("the provider got %d requests", n)
	}
}

// TestGarbageAfterARequest has an entry beside the request's.
func TestGarbageAfterARequest(t *testing.T) {
	h := intercepting(t, answering(plainAnswer), nil)
	conn := h.inside(nil)
	read := bufio.NewReader(conn)
	for _, said := range []string{"POST /v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Length: 2\r\n\r\n{}", "no request\r\n\r\n"} {
		io.WriteString(conn, said)
		resp, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
	}
	conn.Close()
	if views := h.ended(2); views[0].State != flow.Done || views[1].Rules[0] != "limit:bad_request" {
		t.Errorf("on record: %+v", views)
	}
}
