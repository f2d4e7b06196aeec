package upstream_test

import (
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
	resp, err := u.Send(t.Context(), http.MethodPost, "/v1/x%2Fy?beta=true", header, []byte(body))
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
	resp, err := u.Send(t.Context(), http.MethodPost, "/", header, []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp, err = u.Send(t.Context(), http.MethodPost, "/", header, []byte("2")); err == nil {
		resp.Body.Close()
		t.Error("the broken call had an answer")
	}
	if n := seen.Load(); n != 2 {
		t.Errorf("the provider saw %d requests, want 2", n)
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
	if resp, err := u.Send(t.Context(), http.MethodGet, "/", nil, nil); err == nil {
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
