package intercept_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/proxy/intercept"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/vault"
)

const inspected = "api.example.com"

// proxy is the entrance on a port, before a provider that counts its calls.
type proxy struct {
	addr   string
	server *intercept.Server
	minted atomic.Int32 // certificates that were asked for
	asked  atomic.Int32 // calls that reached the provider
	ended  chan *flow.Outcome
	roots  *x509.CertPool // of the authority
}

func newProxy(t testing.TB, change ...func(*intercept.Options)) *proxy {
	t.Helper()
	p := &proxy{ended: make(chan *flow.Outcome, 1<<15)}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.asked.Add(1) }))
	t.Cleanup(provider.Close)
	u, err := upstream.New(upstream.Options{URL: provider.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	p.wire(t, u, change...)
	s := httptest.NewUnstartedServer(p.server)
	var first sync.Once
	var who context.Context
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		first.Do(func() { who = p.server.ConnContext(context.Background(), c) })
		return oneCaller{ctx, who}
	}
	s.Start()
	ctx, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { p.server.Run(ctx) })
	t.Cleanup(func() { stop(); run.Wait(); s.Close() })
	p.addr = s.Listener.Addr().String()
	return p
}

// oneCaller makes all connections one caller's, who is found out once: to look for a
// process in the system's tables costs more than all that is tried here.
type oneCaller struct {
	context.Context
	who context.Context
}

func (c oneCaller) Value(key any) any {
	if v := c.who.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// limits are those of the proxy's time, as the settings have them.
const (
	headerTimeout = 30 * time.Second
	idleTimeout   = 10 * time.Minute
)

// wire makes the entrance before a provider, with a ledger and an authority of
// its own.
func (p *proxy) wire(t testing.TB, u *upstream.Upstream, change ...func(*intercept.Options)) {
	t.Helper()
	dir := t.TempDir()
	if _, err := ca.Rotate(dir, []string{inspected}, 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	authority, err := ca.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ledger.Options{Dir: dir, Mode: ledger.Bounded, Window: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	engine, err := inspect.Compile(inspect.Library{})
	if err != nil {
		t.Fatal(err)
	}
	g := gate.New(gate.Options{
		Ledger: l, Vault: vault.New(l), Rules: func() *inspect.Engine { return engine }, Policy: policy.Default,
		Ended: func(_ *flow.Intent, out *flow.Outcome) { p.ended <- out },
	})
	log := slog.New(slog.DiscardHandler)
	o := intercept.Options{
		Carrier: carry.New(carry.Options{
			Gate: g, Secret: identity.Fingerprint(l.Subkey("test")), Log: log,
			MaxBody: 1 << 20, MaxMemory: 1 << 24, ReadTimeout: headerTimeout, IdleTimeout: idleTimeout,
		}),
		Gate: g, Identity: identity.New(identity.Options{Anonymous: "somebody"}), Log: log,
		Permits: authority.Permits,
		Leaf: func(host string) (*tls.Certificate, error) {
			p.minted.Add(1)
			return authority.Leaf(host)
		},
		Hosts: []intercept.Host{{Name: inspected, Provider: flow.Anthropic, Upstream: u, Moved: true}},
		Ports: []int{443}, HeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
	}
	for _, c := range change {
		c(&o)
	}
	p.server = intercept.New(o)
	all, err := ca.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.roots = x509.NewCertPool()
	p.roots.AddCert(all[0].Root)
}

// connect gives a connection to the inspected host, as far as a client knows.
func (p *proxy) connect(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(c, "CONNECT %s:443 HTTP/1.1\r\n\r\n", inspected)
	if resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect}); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("CONNECT: %v %v", resp, err)
	}
	return c
}

// TestRandomNamesMintNothing: a hello that names another host than the CONNECT
// did makes no certificate, not even that host's. A hello is made once, and its
// name changed for each connection: to make 10,000 would cost more than the rest.
func TestRandomNamesMintNothing(t *testing.T) {
	p := newProxy(t)
	many := 10_000
	if testing.Short() {
		many = 500
	}
	const any = "r00000"
	forms := [][]byte{hello(t, any+"."+inspected), hello(t, any+".example.net")}
	var at atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for n := at.Add(1); n <= int32(many); n = at.Add(1) {
				name := fmt.Sprintf("r%05d", n)
				if said := p.greet(t, bytes.Replace(forms[n%2], []byte(any), []byte(name), 1)); !bytes.Equal(said, refusing) {
					t.Errorf("%s was answered with %x", name, said)
				}
				if out := <-p.ended; out.State != flow.Refused || out.Status != http.StatusMisdirectedRequest {
					t.Errorf("%s: %s %d %s", name, out.State, out.Status, out.Why)
				}
			}
		})
	}
	all.Wait()
	if n := p.minted.Load(); n > 0 {
		t.Errorf("%d certificates were made", n)
	}
	if said := p.greet(t, hello(t, inspected)); len(said) < 100 || p.minted.Load() != 1 {
		t.Errorf("the CONNECT's own name made %d certificates and was answered with %x", p.minted.Load(), said)
	}
}

// refusing is an alert, internal_error, and nothing before it (RFC 8446 sections
// 5.1 and 6).
var refusing = []byte{21, 3, 1, 0, 2, 2, 80}

// greet sends a hello, and gives all that comes back.
func (p *proxy) greet(t testing.TB, hello []byte) []byte {
	c := p.connect(t)
	defer c.Close()
	c.Write(hello)
	c.(*net.TCPConn).CloseWrite()
	said, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return said
}

// FuzzInside gives bytes to what a client takes for the host: each connection
// ends, and nothing reaches the provider but by TLS.
func FuzzInside(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05hello"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	f.Add([]byte{22, 3, 1, 0, 4, 1, 0, 0, 0})
	f.Add([]byte{})
	f.Add(hello(f, inspected))
	p := newProxy(f)
	f.Fuzz(func(t *testing.T, said []byte) {
		c := p.connect(t)
		c.Write(said)
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
		c.Close()
		if out := <-p.ended; out.State != flow.Refused || out.Why == "" {
			t.Errorf("%s %q", out.State, out.Why)
		}
		if p.asked.Load() != 0 {
			t.Error("the provider was asked")
		}
	})
}

// hello is a client's first flight.
func hello(t testing.TB, name string) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go tls.Client(client, &tls.Config{ServerName: name}).Handshake()
	b := make([]byte, 4096)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}
