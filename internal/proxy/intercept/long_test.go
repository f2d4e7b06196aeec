package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// pipes is a listener in memory. In a bubble of synctest time goes on while all
// wait for one of its connections, which it does not for a real one.
type pipes struct {
	conns chan net.Conn
	shut  chan struct{}
	once  sync.Once
}

// local is a connection from this machine: others would need an access key.
type local struct{ net.Conn }

func (local) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (local) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), shut: make(chan struct{})} }

func (p *pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- local{there}:
		return here, nil
	case <-p.shut:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.shut:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.shut) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serve serves on pipes until the test ends.
func serve(t *testing.T, s *http.Server) *pipes {
	t.Helper()
	p := newPipes()
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	var run sync.WaitGroup
	run.Go(func() {
		if s.TLSConfig != nil {
			s.ServeTLS(p, "", "")
		} else {
			s.Serve(p)
		}
	})
	t.Cleanup(func() { s.Close(); p.Close(); run.Wait() })
	return p
}

// slow is a provider under TLS that sends events, and is silent for a pause after each.
func slow(t *testing.T, events int, pause time.Duration) *upstream.Upstream {
	t.Helper()
	root, err := badcert.Issue(nil, badcert.Authority("a root", 1), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	form := badcert.Server()
	form.NotBefore, form.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour)
	leaf, err := badcert.Issue(root, form, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, &http.Server{TLSConfig: badcert.Case{Chain: []*badcert.Pair{leaf}}.TLS(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			fmt.Fprintf(w, "event: ping\ndata: {\"type\":\"ping\",\"n\":%d}\n\n", i)
			http.NewResponseController(w).Flush()
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
		}
		io.WriteString(w, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
	})})
	u, err := upstream.New(upstream.Options{URL: "https://127.0.0.1", CAFile: file, Dial: p.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// TestLongStreams run for 4 hours, and for 30, past the end of the leaf under
// which they began: no limit cuts a stream whose events come within the idle time.
// One whose next event comes later is cut.
func TestLongStreams(t *testing.T) {
	for _, tt := range []struct {
		name    string
		http2   bool
		events  int
		pause   time.Duration
		ends    flow.State
		lasting time.Duration
	}{
		{"4 hours", false, 60, 4 * time.Minute, flow.Done, 4 * time.Hour},
		{"4 hours over HTTP/2", true, 60, 4 * time.Minute, flow.Done, 4 * time.Hour},
		{"4 hours, with an event just in time", true, 25, idleTimeout - time.Second, flow.Done, 25 * (idleTimeout - time.Second)},
		{"30 hours", false, 200, 9 * time.Minute, flow.Done, 30 * time.Hour},
		{"30 hours over HTTP/2", true, 200, 9 * time.Minute, flow.Done, 30 * time.Hour},
		{"silence", true, 2, idleTimeout + time.Second, flow.Aborted, idleTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { lasts(t, tt.http2, slow(t, tt.events, tt.pause), tt.events, tt.ends, tt.lasting) })
		})
	}
}

// lasts makes a call, reads its events until they end, and then makes another
// one by a new connection, for which a leaf that has ended would not do.
func lasts(t *testing.T, http2 bool, u *upstream.Upstream, events int, ends flow.State, lasting time.Duration) {
	p := &proxy{ended: make(chan *flow.Outcome, 10)}
	p.wire(t, u)
	front := serve(t, &http.Server{Handler: p.server, ConnContext: p.server.ConnContext, ReadHeaderTimeout: headerTimeout})
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { p.server.Run(ctx) })
	t.Cleanup(func() { stop(); run.Wait() })
	begun := time.Now()
	got, serial := stream(t, front, p.roots, http2)
	if passed := time.Since(begun); passed < lasting || passed > lasting+time.Minute {
		t.Errorf("the stream lasted %v, want %v", passed, lasting)
	}
	if out := <-p.ended; out.State != ends || (got == events) != (ends == flow.Done) {
		t.Errorf("%d of %d events; on record: %s %s", got, events, out.State, out.Why)
	}
	if ends == flow.Done && lasting > 24*time.Hour {
		if _, next := stream(t, front, p.roots, http2); next == serial {
			t.Error("a leaf that has ended is shown to a new connection")
		}
		<-p.ended
	}
}

// stream makes a call by a connection of its own, and counts the events of its
// answer. It gives the serial number of the leaf that it was shown, too.
func stream(t *testing.T, front *pipes, roots *x509.CertPool, http2 bool) (events int, serial string) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	tr := &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test"}), DialContext: front.Dial, Protocols: protocols,
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodPost, "https://"+inspected+"/v1/messages", strings.NewReader(`{"model":"m","stream":true,"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if want := map[bool]int{false: 1, true: 2}[http2]; resp.ProtoMajor != want || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Proto, resp.Status)
	}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `"type":"ping"`) {
			events++
		}
	}
	return events, resp.TLS.PeerCertificates[0].SerialNumber.String()
}
