// Package upstream is where a flow goes: one provider's address, the
// connections to it, and the last word on which headers leave. It never
// changes a body, and never sends a request twice of which a byte may have
// arrived: what net/http does on its own about that is prevented here.
package upstream

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Options describe one upstream.
type Options struct {
	URL    string // base address, http or https; a path is a prefix
	Proxy  string // HTTP(S) proxy address; empty: HTTPS_PROXY, HTTP_PROXY, NO_PROXY of the environment
	CAFile string // PEM file of further roots, beside the system's

	// Dial reaches the provider; nil: the network. Its *flow.Refusal is what
	// Refused gives. A proxy is the operator's choice, and not reached by it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Upstream sends requests to one provider. It is safe for concurrent use.
type Upstream struct {
	base   *url.URL
	http   tripper // HTTP/2 where the provider offers it
	legs   *legs
	single tripper // requests without a body, WebSocket upgrades (RFC 6455) among them: HTTP/1.1, a connection for each
}

// New checks the options. It opens no connection.
func New(o Options) (*Upstream, error) {
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("reading upstream address: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("upstream address %q is not http://HOST or https://HOST", o.URL)
	}
	if base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, errors.New("an upstream address has no query, fragment or user")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	base.RawPath = ""
	roots, err := loadRoots(o.CAFile)
	if err != nil {
		return nil, err
	}
	proxy := http.ProxyFromEnvironment
	if o.Proxy != "" {
		p, err := url.Parse(o.Proxy)
		if err != nil || p.Host == "" {
			return nil, fmt.Errorf("proxy address %q is not a URL", o.Proxy)
		}
		proxy = http.ProxyURL(p)
	}
	if o.Dial == nil {
		o.Dial = dialer.DialContext
	}
	w := &ways{proxy: proxy, direct: o.Dial}
	u := &Upstream{base: base, legs: &legs{}}
	u.http, u.single = tripper{transport(w, roots, true)}, tripper{transport(w, roots, false)}
	// net/http sends a request without a body again when a kept connection ends
	// before the answer, whether or not the provider has acted on it; over HTTP/2
	// also when a stream is reset. On a connection that was never used before it
	// does not (persistConn.shouldRetryRequest).
	u.single.DisableKeepAlives = true
	return u, nil
}

// At is the same upstream at another host: HOST or HOST:PORT. They share their
// connections' settings.
func (u *Upstream) At(host string) *Upstream {
	at, base := *u, *u.base
	base.Host = host
	at.base = &base
	return &at
}

func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading CA bundle: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA bundle %s holds no certificate", file)
	}
	return pool, nil
}

// Refused gives the refusal of the Dial of the Options, nil when that is not what
// went wrong, or when something may have been sent.
func Refused(err error) *flow.Refusal {
	var refusal *flow.Refusal
	if Sent(err) || !errors.As(err, &refusal) {
		return nil
	}
	return refusal
}

// tripper tells errors before there was a connection from later ones: see
// Distrust.
type tripper struct{ *http.Transport }

func (t tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	resp, err := t.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil && connected.Load() {
		err = &errLate{err}
	}
	return resp, err
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer has the standard library's own time limits (http.DefaultTransport).
var dialer = net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}

// ways are how connections leave: to the provider itself, or to a proxy. A
// transport dials both by the same function, so the proxies that it was told of
// are remembered.
type ways struct {
	proxy   func(*http.Request) (*url.URL, error)
	direct  dialFunc
	proxies sync.Map // their addresses: those of the configuration and the environment
}

func (w *ways) choose(r *http.Request) (*url.URL, error) {
	p, err := w.proxy(r)
	if err == nil && p != nil {
		w.proxies.Store(proxyAddress(p), nil)
	}
	return p, err
}

// usualPorts are those of proxies' schemes, as net/http has them.
var usualPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

func proxyAddress(p *url.URL) string {
	return net.JoinHostPort(p.Hostname(), cmp.Or(p.Port(), usualPorts[p.Scheme]))
}

func (w *ways) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	to := w.direct
	if _, ok := w.proxies.Load(addr); ok {
		to = dialer.DialContext
	}
	c, err := to(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}

// conn copies bodies through a buffer that is used again: the transport's own
// way (TCPConn.ReadFrom) makes one of 32 KB for each body that it can't hand
// to the kernel as a file.
type conn struct{ net.Conn }

const copyBytes = 64 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

// ReadFrom writes all of r.
func (c conn) ReadFrom(r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{c.Conn}, r, buf[:])
}

func transport(w *ways, roots *x509.CertPool, http2 bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Transport{
		Proxy:                 w.choose,
		DialContext:           w.dial,
		Protocols:             protocols,
		DisableCompression:    true, // the client's own Accept-Encoding counts
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, CipherSuites: suites, VerifyConnection: checkKeys},
	}
}

// Send forwards one request and returns the provider's answer, whose body the
// caller closes. pathQuery is appended to the base address as it stands. Of a body
// that takes time, moved is called whenever more of it goes out.
func (u *Upstream) Send(ctx context.Context, method, pathQuery string, header http.Header, body []byte, moved func()) (*http.Response, error) {
	req, err := u.request(ctx, method, pathQuery, header)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return u.single.RoundTrip(req)
	}
	p := &payload{data: body, small: len(body) <= smallBody, moved: moved}
	req = withBody(req, p)
	defer p.drop()
	resp, err := u.http.Transport.RoundTrip(req) // p sees what a tripper would
	if err != nil && p.late() {
		err = &errLate{err}
	}
	return resp, err
}

// Stream is Send for a body that comes while the answer does. It is sent once:
// nobody has it a second time.
func (u *Upstream) Stream(ctx context.Context, method, pathQuery string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := u.request(ctx, method, pathQuery, header)
	if err != nil {
		return nil, err
	}
	req.Body, req.ContentLength = io.NopCloser(body), -1
	return u.http.RoundTrip(req)
}

// Socket gives the address and the client for a WebSocket upgrade. Headers are
// the caller's, through Forward.
func (u *Upstream) Socket(pathQuery string) (string, *http.Client) {
	return u.base.String() + pathQuery, &http.Client{
		Transport:     u.single,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends idle connections.
func (u *Upstream) Close() {
	u.http.CloseIdleConnections()
	u.single.CloseIdleConnections()
}

func (u *Upstream) request(ctx context.Context, method, pathQuery string, header http.Header) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.base.String()+pathQuery, nil)
	if err != nil {
		return nil, fmt.Errorf("making the upstream request: %w", err)
	}
	req.Header = Forward(header)
	if strings.HasPrefix(header.Get("Content-Type"), "application/grpc") {
		req.Header.Set("Te", "trailers") // gRPC's servers ask for it (PROTOCOL-HTTP2), and it is true
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = nil // keeps net/http from adding its own
	}
	return req, nil
}

// withBody attaches a body that the transport may start again on a fresh
// connection as long as not a byte was written: a kept connection that the
// provider had already closed is no failure. net/http would also send a request
// again that may have arrived:
//
//   - over HTTP/1.1 if it carries an Idempotency-Key under its canonical name
//     (Request.isReplayable). So the name is spelled in lower case, which is the
//     same header (RFC 9110 section 5.1).
//   - over HTTP/2 if the provider resets the stream with REFUSED_STREAM or
//     PROTOCOL_ERROR, or goes away (http2canRetryError). So the body can't be had
//     again once the headers of an HTTP/2 stream are out.
func withBody(req *http.Request, p *payload) *http.Request {
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: p.connected, WroteHeaders: p.wrote}))
	req.ContentLength = int64(len(p.data))
	req.Body, _ = p.open()
	req.GetBody = p.open
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if v, ok := req.Header[name]; ok {
			delete(req.Header, name)
			req.Header[strings.ToLower(name)] = v
		}
	}
	return req
}

// smallBody is the length up to which a body may be kept for as long as its
// call runs. Such a one is a bytes.Reader, which the transport knows to be in
// memory: it sends head and body in one write. Of others it sends the head
// first, in case that the body takes time.
const smallBody = 8 << 10

// payload is a body that can be read from its start while the call has no
// answer. The transport keeps the request until the answer has ended; what it
// keeps must not be the body, or a thousand streams hold a thousand bodies.
type payload struct {
	mu    sync.Mutex
	data  []byte // nil: dropped
	small bool   // may be kept for as long as its call runs
	moved func()
	got   bool // there was a connection
	http2 bool // the connection at hand speaks it
	sent  bool // headers went out over HTTP/2
}

var (
	errAnswered = errors.New("the call has its answer")
	errSent     = errors.New("the request may have arrived, and is not sent again")
)

func (p *payload) connected(info httptrace.GotConnInfo) {
	t, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = true
	p.http2 = ok && t.ConnectionState().NegotiatedProtocol == "h2"
}

// late reports whether there was a connection.
func (p *payload) late() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

func (p *payload) wrote() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = p.sent || p.http2
}

func (p *payload) open() (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.data == nil:
		return nil, errAnswered
	case p.sent:
		return nil, errSent
	}
	if p.small {
		return io.NopCloser(bytes.NewReader(p.data)), nil
	}
	return &payloadReader{r: bytes.NewReader(p.data), moved: p.moved}, nil
}

func (p *payload) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = nil
}

// payloadReader lets its bytes go when the transport closes it.
type payloadReader struct {
	moved func() // nil: nobody asks

	mu sync.Mutex
	r  *bytes.Reader // nil: closed
}

func (p *payloadReader) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.r == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	if p.moved != nil {
		p.moved()
	}
	return p.r.Read(b)
}

func (p *payloadReader) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.r = nil
	return nil
}

// hopByHop are the headers of one connection (RFC 9110 section 7.6.1), and our
// own.
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "X-Gatehouse-Key",
	"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Accept", // RFC 6455 section 4.1: of one handshake
}

// Forward copies a message's headers without those that belong to one
// connection.
func Forward(h http.Header) http.Header {
	out := make(http.Header, len(h)+1)
	for name, values := range h {
		out[name] = values
	}
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		delete(out, name)
	}
	return out
}
