package upstream_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// send makes one POST through an upstream with the options and gives what came
// back.
func send(t *testing.T, o upstream.Options, header http.Header, body string) (status int, text string) {
	t.Helper()
	u, err := upstream.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	resp, err := u.Send(t.Context(), http.MethodPost, "/v1/x%2Fy?beta=true", header, []byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestSendForwardsWhatCame(t *testing.T) {
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
	}))
	defer s.Close()
	header := http.Header{
		"X-Api-Key": {"k"}, "Anthropic-Beta": {"a,b", "c"}, "Connection": {"keep-alive, X-Hop"}, "X-Hop": {"1"},
		"Te": {"trailers"}, "X-Gatehouse-Key": {"ghk_secret"}, "Transfer-Encoding": {"chunked"}, "Expect": {"100-continue"},
	}
	send(t, upstream.Options{URL: s.URL + "/prefix/"}, header, "{ \"a\" : 1 }\n")

	if want := "/prefix/v1/x%2Fy?beta=true"; got.RequestURI != want {
		t.Errorf("request URI = %q, want %q", got.RequestURI, want)
	}
	if body != "{ \"a\" : 1 }\n" {
		t.Errorf("body = %q", body)
	}
	for _, name := range []string{"X-Hop", "Te", "X-Gatehouse-Key", "Expect", "User-Agent", "Accept-Encoding"} {
		if v, ok := got.Header[name]; ok {
			t.Errorf("%s: %q was forwarded", name, v)
		}
	}
	if v := got.Header["Anthropic-Beta"]; len(v) != 2 || v[0] != "a,b" {
		t.Errorf("Anthropic-Beta = %q", v)
	}
	if got.ContentLength != 12 {
		t.Errorf("Content-Length = %d, want 12", got.ContentLength)
	}
}

func TestNoSecondTryOfARequestThatMayHaveArrived(t *testing.T) {
	var seen atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if seen.Add(1) == 1 {
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close() // on a kept connection, before an answer: net/http would try again
		}
	}))
	defer s.Close()
	u, err := upstream.New(upstream.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Idempotency-Key": {"k1"}}
	resp, err := u.Send(t.Context(), http.MethodPost, "/", header, []byte("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp, err = u.Send(t.Context(), http.MethodPost, "/", header, []byte("2"), nil); err == nil {
		resp.Body.Close()
		t.Error("the broken call had an answer")
	}
	if n := seen.Load(); n != 2 {
		t.Errorf("the provider saw %d requests, want 2", n)
	}
}

// A request without a body is not sent twice either: net/http would, after a
// kept connection ended without an answer.
func TestNoSecondTryOfARequestWithoutABody(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete, http.MethodPost} {
		var seen atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) == 1 {
				return
			}
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		}))
		u, err := upstream.New(upstream.Options{URL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{"Idempotency-Key": {"k1"}}
		for i := range 2 {
			resp, err := u.Send(t.Context(), method, "/", header, nil, nil)
			if err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if (err == nil) != (i == 0) {
				t.Errorf("%s: call %d: %v", method, i, err)
			}
		}
		if n := seen.Load(); n != 2 {
			t.Errorf("%s: the provider saw %d requests, want 2", method, n)
		}
		u.Close()
		s.Close()
	}
}

// Over HTTP/2 net/http would send a request again whose stream was reset, or
// that the provider left when it went away.
func TestNoSecondTryOfAResetStream(t *testing.T) {
	const protocolError, refusedStream = 1, 7
	for _, code := range []byte{protocolError, refusedStream} {
		p := resetter(t, code)
		u, err := upstream.New(upstream.Options{URL: "https://" + p.addr, CAFile: p.ca})
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := u.Send(t.Context(), http.MethodPost, "/", nil, []byte("body"), nil); err == nil {
			resp.Body.Close()
			t.Error("a call that was reset has an answer")
		}
		if n := p.seen.Load(); n != 1 {
			t.Errorf("code %d: the provider saw %d requests, want 1", code, n)
		}
		u.Close()
	}
}

// resets is a server that speaks as much HTTP/2 (RFC 9113) as it takes to reset
// every stream.
type resets struct {
	addr, ca string
	seen     atomic.Int32
}

func resetter(t *testing.T, code byte) *resets {
	t.Helper()
	known := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(known.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: known.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &resets{addr: l.Addr().String(), ca: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(p.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: known.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c, code)
		}
	}()
	return p
}

func (p *resets) serve(c net.Conn, code byte) {
	const headers, settings = 1, 4
	defer c.Close()
	io.CopyN(io.Discard, c, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	c.Write([]byte{0, 0, 0, settings, 0, 0, 0, 0, 0})
	for {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		io.CopyN(io.Discard, c, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
		switch {
		case head[3] == headers:
			p.seen.Add(1)
			c.Write([]byte{0, 0, 4, 3, 0, head[5], head[6], head[7], head[8], 0, 0, 0, code}) // RST_STREAM
		case head[3] == settings && head[4] == 0:
			c.Write([]byte{0, 0, 0, settings, 1, 0, 0, 0, 0})
		}
	}
}

func TestPrivateCAAndHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, proto := send(t, upstream.Options{URL: s.URL, CAFile: ca}, nil, "x"); proto != "HTTP/2.0" {
		t.Errorf("protocol = %q, want HTTP/2.0", proto)
	}
	u, err := upstream.New(upstream.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := u.Send(t.Context(), http.MethodGet, "/", nil, nil, nil); err == nil {
		resp.Body.Close()
		t.Error("a certificate of an unknown issuer was accepted")
	}
}

func TestThroughAProxy(t *testing.T) {
	origin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "origin") }))
	defer origin.Close()
	var connects atomic.Int32
	proxy := httptest.NewServer(tunnel(&connects))
	defer proxy.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: origin.Certificate().Raw}), 0o600)
	_, text := send(t, upstream.Options{URL: origin.URL, CAFile: ca, Proxy: proxy.URL}, nil, "x")
	if text != "origin" || connects.Load() != 1 {
		t.Errorf("answer %q through %d tunnels, want origin through 1", text, connects.Load())
	}
}

// tunnel is a proxy that only knows CONNECT.
func tunnel(count *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		count.Add(1)
		out, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		in, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			out.Close()
			return
		}
		io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(out, buf); out.Close() }()
		go func() { io.Copy(in, out); in.Close() }()
	}
}

func TestNewRefusesBadAddresses(t *testing.T) {
	for _, bad := range []string{"", "api.example.com", "ftp://x", "http://", "http://u:p@h", "http://h?x=1", "http://h#f", "http://[::1"} {
		if _, err := upstream.New(upstream.Options{URL: bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	_, err := upstream.New(upstream.Options{URL: "http://h", CAFile: "/nonexistent"})
	if err == nil || !strings.Contains(err.Error(), "CA bundle") {
		t.Errorf("missing CA bundle: %v", err)
	}
}

// TestALongBodyTellsThatItMoves: a provider that takes a body slowly is not one that says
// nothing.
func TestALongBodyTellsThatItMoves(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	u, err := upstream.New(upstream.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	var moved atomic.Int64
	resp, err := u.Send(t.Context(), http.MethodPost, "/", nil, make([]byte, 8<<20), func() { moved.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if moved.Load() < 10 {
		t.Errorf("8 MB moved %d times", moved.Load())
	}
}

// TestAProxyIsNotDialledAsTheProvider: what may not be reached is the provider.
func TestAProxyIsNotDialledAsTheProvider(t *testing.T) {
	var connects atomic.Int32
	proxy := httptest.NewServer(tunnel(&connects))
	defer proxy.Close()
	refused := &flow.Refusal{Status: http.StatusForbidden, Kind: "x", Text: "x"}
	for address, want := range map[string]*flow.Refusal{proxy.URL: nil, "": refused} {
		u, err := upstream.New(upstream.Options{URL: "https://127.0.0.1:1", Proxy: address, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, refused
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"", "x"} {
			_, err := u.Send(t.Context(), http.MethodPost, "/", http.Header{}, []byte(body), func() {})
			if got := upstream.Refused(err); err == nil || got != want {
				t.Errorf("through %q: %v, refused by %v, want %v", address, err, got, want)
			}
		}
	}
	if n := connects.Load(); n != 2 {
		t.Errorf("the proxy was asked %d times, want 2", n)
	}
}
