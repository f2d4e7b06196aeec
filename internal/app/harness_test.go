package app_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// house is a running gateway in front of one upstream, as a client and an
// administrator see it.
type house struct {
	t     *testing.T
	url   string // of the agents' port
	proxy string // of the forward proxy; "" when there is none
	page  string // of the console; "" when there is none
	dir   string
	admin *http.Client
	stop  context.CancelFunc
	done  chan error
}

// open starts a gateway on a folder, with every provider at the upstream.
func open(t *testing.T, dir string, upstream http.Handler, change func(*config.Config)) *house {
	t.Helper()
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = dir, "127.0.0.1:0", "off", "off"
	for name, u := range c.Upstreams {
		u.URL = up.URL
		c.Upstreams[name] = u
	}
	if change != nil {
		change(c)
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &house{t: t, dir: dir, stop: stop, done: make(chan error, 1)}
	ready := make(chan app.About, 1)
	o := app.Options{Config: c, Version: "test", Log: slog.New(slog.DiscardHandler), Ready: func(a app.About) { ready <- a }}
	go func() { h.done <- app.Run(ctx, o) }()
	select {
	case a := <-ready:
		h.url = "http://" + a.Listen
		if a.Intercept != "" {
			h.proxy = "http://" + a.Intercept
		}
		if a.Console != "" {
			h.page = "http://" + a.Console
		}
	case err := <-h.done:
		t.Fatalf("starting: %v", err)
	}
	holder, _ := ledger.Held(dir)
	h.admin = socketClient(holder.Socket)
	t.Cleanup(h.close)
	return h
}

func socketClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

// close stops the gateway as SIGTERM does.
func (h *house) close() {
	if h.stop == nil {
		return
	}
	h.admin.CloseIdleConnections()
	h.stop()
	h.stop = nil
	if err := <-h.done; err != nil {
		h.t.Errorf("stopping: %v", err)
	}
}

// request makes a POST of a body to a path of the gateway.
func (h *house) request(path, body string, header ...string) *http.Request {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, h.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// call sends a POST and gives the whole answer.
func (h *house) call(path, body string, header ...string) (*http.Response, string) {
	h.t.Helper()
	return h.do(h.request(path, body, header...))
}

func (h *house) do(req *http.Request) (*http.Response, string) {
	h.t.Helper()
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("reading the answer: %v", err)
	}
	return resp, string(text)
}

func (h *house) adminGet(path string) []byte {
	h.t.Helper()
	resp, err := h.admin.Get("http://localhost/api/v1" + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("GET %s: %s %s %v", path, resp.Status, text, err)
	}
	return text
}

// flows lists every flow, oldest first.
func (h *house) flows() (views []flow.View) {
	h.t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(h.adminGet("/flows")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v flow.View
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			h.t.Fatal(err)
		}
		views = append(views, v)
	}
	return views
}

// ended waits until n flows are on record and none of them is open.
func (h *house) ended(n int) []flow.View {
	h.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		views := h.flows()
		open := 0
		for _, v := range views {
			if v.State == flow.Open {
				open++
			}
		}
		if len(views) == n && open == 0 {
			return views
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d flows, %d of them open; want %d, all ended: %+v", len(views), open, n, views)
		}
	}
}

// raw gives the exact bytes that the ledger kept of a flow.
func (h *house) raw(id flow.ID, what string) string {
	h.t.Helper()
	return string(h.adminGet("/flows/" + string(id) + "/content/" + what + "?why=" + url.QueryEscape("a test")))
}

// exact compares what was kept of a flow with what was seen outside.
func (h *house) exact(v flow.View, request, response string) {
	h.t.Helper()
	for _, c := range []struct{ what, sum, want string }{
		{"request", v.RequestSHA256, request}, {"forwarded", v.ForwardedSHA256, request},
		{"response", v.ResponseSHA256, response}, {"delivered", v.DeliveredSHA256, response},
	} {
		if got := h.raw(v.ID, c.what); got != c.want {
			h.t.Errorf("kept %s = %.200q, want %.200q", c.what, got, c.want)
		}
		if c.sum != sum(c.want) {
			h.t.Errorf("%s hash = %s, want %s", c.what, c.sum, sum(c.want))
		}
	}
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:])
}

// upstream is a provider that answers with a function and remembers what came.
type upstream struct {
	seen   chan *seen
	answer http.HandlerFunc
}

type seen struct {
	r    *http.Request
	body string
}

func answering(answer http.HandlerFunc) *upstream {
	return &upstream{seen: make(chan *seen, 100), answer: answer}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.seen <- &seen{r, string(body)}
	u.answer(w, r)
}
