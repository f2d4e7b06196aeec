package app_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// intercepting starts a gateway with its forward proxy.
func intercepting(t *testing.T, upstream http.Handler, change func(*config.Config)) *house {
	t.Helper()
	return open(t, t.TempDir(), upstream, func(c *config.Config) {
		c.Intercept.Listen = "127.0.0.1:0"
		if change != nil {
			change(c)
		}
	})
}

// roots are those that a client of the house trusts.
func (h *house) roots() *x509.CertPool {
	h.t.Helper()
	all, err := ca.List(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for _, r := range ca.Roots(all, time.Now()) {
		pool.AddCert(r)
	}
	return pool
}

// client is a program with nothing but proxy and CA set. It keeps no connection
// when the test has ended.
func (h *house) client(http2 bool, change func(*http.Transport)) *http.Client {
	h.t.Helper()
	proxy, err := url.Parse(h.proxy)
	if err != nil {
		h.t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	tr := &http.Transport{Proxy: http.ProxyURL(proxy), Protocols: protocols, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: h.roots()}}
	if change != nil {
		change(tr)
	}
	h.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask makes a POST and gives the whole answer.
func ask(t *testing.T, c *http.Client, address, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

const (
	messagesBody = `{ "model":"claude-x",  "max_tokens": 9, "messages":[{"role":"user","content":"hi \u00e9"}] }`
	messagesSaid = `{"id":"m1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`
)

// TestAnInspectedCallIsTheSameFlow but for how it came in.
func TestAnInspectedCallIsTheSameFlow(t *testing.T) {
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Alt-Svc", `h3=":443"`)
		io.WriteString(w, messagesSaid)
	})
	h := intercepting(t, up, nil)
	h.call("/anthropic/v1/messages?beta=true", messagesBody, "X-Api-Key", "sk-ant-k", "Content-Type", "application/json", "User-Agent", "x")
	var sent []*seen
	sent = append(sent, <-up.seen)
	for _, http2 := range []bool{false, true} {
		c := h.client(http2, nil)
		resp, text := ask(t, c, "https://api.anthropic.com/v1/messages?beta=true", messagesBody, "X-Api-Key", "sk-ant-k", "Content-Type", "application/json", "User-Agent", "x")
		if want := map[bool]int{false: 1, true: 2}[http2]; resp.ProtoMajor != want || resp.StatusCode != 200 || text != messagesSaid {
			t.Errorf("%s %s %q", resp.Proto, resp.Status, text)
		}
		if resp.Header.Get("Alt-Svc") != "" {
			t.Error("Alt-Svc was passed on")
		}
		sent = append(sent, <-up.seen)
	}
	for _, s := range sent[1:] {
		if s.body != sent[0].body || s.r.RequestURI != sent[0].r.RequestURI || len(s.r.Header) != len(sent[0].r.Header) {
			t.Errorf("the provider got %s %v %q, by redirect %s %v %q", s.r.RequestURI, s.r.Header, s.body, sent[0].r.RequestURI, sent[0].r.Header, sent[0].body)
		}
	}
	views := h.ended(3)
	for i, v := range views {
		h.exact(v, messagesBody, messagesSaid)
		want, want2 := flow.Redirect, ""
		if i > 0 {
			want, want2 = flow.Intercept, "TLS 1.3"
		}
		if v.Entrance != want || v.Provider != flow.Anthropic || v.API != flow.Messages || v.Model != "claude-x" || v.Usage.Output != 1 || v.Path != "/v1/messages?beta=true" || v.Session != views[0].Session {
			t.Errorf("flow %d: %+v", i, v)
		}
		if got := v.ClientTLS; want2 == "" && got != nil || want2 != "" && (got == nil || got.Version != want2 || len(got.Chain) != 64) {
			t.Errorf("flow %d: client's TLS %+v", i, got)
		}
	}
	if a, b := views[1].ClientTLS, views[2].ClientTLS; a.ALPN != "" && a.ALPN != "http/1.1" || b.ALPN != "h2" {
		t.Errorf("ALPN %q and %q", a.ALPN, b.ALPN)
	}
}

// addKey makes an access key.
func (h *house) addKey(name string) string {
	h.t.Helper()
	resp, err := h.admin.Post("http://localhost/api/v1/keys", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name)))
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Key == "" {
		h.t.Fatalf("adding a key: %s %v", resp.Status, err)
	}
	return made.Key
}
