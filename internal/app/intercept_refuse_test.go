package app_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// connect asks the proxy for a connection, and gives the status of its answer
// and the connection.
func (h *house) connect(target string, header ...string) (status int, text string, c net.Conn) {
	h.t.Helper()
	status, text, c, err := h.connecting(target, header...)
	if err != nil {
		h.t.Fatalf("CONNECT %s: %v", target, err)
	}
	h.t.Cleanup(func() { c.Close() })
	return status, text, c
}

// connecting is connect for goroutines, which may not end the test.
func (h *house) connecting(target string, header ...string) (status int, text string, c net.Conn, err error) {
	c, err = net.Dial("tcp", strings.TrimPrefix(h.proxy, "http://"))
	if err != nil {
		return 0, "", nil, err
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, target, strings.Join(header, ""))
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1<<16), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, "", c, err
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		text = string(body)
	}
	return resp.StatusCode, text, c, nil
}

// TestBadInputIsRefusedAndRecorded: each case of its own, nothing forwarded.
func TestBadInputIsRefusedAndRecorded(t *testing.T) {
	up := answering(plainAnswer)
	h := intercepting(t, up, nil)
	inside := func(c net.Conn, name string) (*tls.Conn, error) {
		conn := tls.Client(c, &tls.Config{ServerName: name, RootCAs: h.roots(), InsecureSkipVerify: name == ""})
		return conn, conn.Handshake()
	}
	cases := []struct {
		name, target string
		status       int // of the CONNECT
		try          func(c net.Conn)
		flowStatus   int
		why          string
	}{
		{"a port that is not listed", "api.anthropic.com:22", 403, nil, 403, "intercept.ports"},
		{"the gateway itself", strings.TrimPrefix(h.url, "http://"), 403, nil, 403, "intercept.ports"},
		{"loopback", "127.0.0.1:443", 403, nil, 403, "not public"},
		{"loopback by name", "localhost:443", 403, nil, 403, "not public"},
		{"loopback of version 6", "[::1]:443", 403, nil, 403, "not public"},
		{"loopback, mapped", "[::ffff:127.0.0.1]:443", 403, nil, 403, "not public"},
		{"metadata", "169.254.169.254:443", 403, nil, 403, "not public"},
		{"a private network", "10.1.2.3:443", 403, nil, 403, "not public"},
		{"loopback in two numbers", "127.1:443", 400, nil, 400, "notation"},
		{"loopback in one number", "2130706433:443", 400, nil, 400, "notation"},
		{"loopback in hexadecimal", "0x7F000001:443", 400, nil, 400, "notation"},
		{"plain HTTP", "api.anthropic.com:443", 200, func(c net.Conn) {
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n")
			if text, _ := io.ReadAll(c); !strings.Contains(string(text), "without TLS") {
				t.Errorf("plain HTTP is answered by %q", text)
			}
		}, 400, "without TLS"},
		{"HTTP/2 without TLS", "api.anthropic.com:443", 200, func(c net.Conn) { io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); io.ReadAll(c) }, 400, "without TLS"},
		{"another protocol", "api.anthropic.com:443", 200, func(c net.Conn) { io.WriteString(c, "SSH-2.0-x\r\n"); io.ReadAll(c) }, 400, "not TLS"},
		{"a hello that is none", "api.anthropic.com:443", 200, func(c net.Conn) { io.WriteString(c, "\x16\x03\x01\x00\x05hello"); io.ReadAll(c) }, 400, "could not be read"},
		{"another SNI", "api.anthropic.com:443", 200, func(c net.Conn) {
			if _, err := inside(c, "api.openai.com"); err == nil {
				t.Error("another SNI was answered")
			}
		}, 421, "another host (SNI)"},
		{"no SNI", "api.anthropic.com:443", 200, func(c net.Conn) {
			if _, err := inside(c, ""); err == nil {
				t.Error("no SNI was answered")
			}
		}, 421, "another host (SNI)"},
		{"a client that does not trust us", "api.anthropic.com:443", 200, func(c net.Conn) {
			if err := tls.Client(c, &tls.Config{ServerName: "api.anthropic.com", RootCAs: x509.NewCertPool()}).Handshake(); err == nil {
				t.Error("an empty pool trusts us")
			}
		}, 400, "pinned or untrusting client"},
		{"a client that does not trust us, and says so as OpenSSL does", "api.anthropic.com:443", 200, func(c net.Conn) {
			tls.Client(c, &tls.Config{ServerName: "api.anthropic.com", InsecureSkipVerify: true, VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error {
				c.Write([]byte{21, 3, 3, 0, 2, 2, 48}) // an alert that is not encrypted: unknown_ca
				return errors.New("not trusted")
			}}).Handshake()
		}, 400, "pinned or untrusting client"},
		{"TLS 1.1", "api.anthropic.com:443", 200, func(c net.Conn) {
			if err := tls.Client(c, &tls.Config{ServerName: "api.anthropic.com", RootCAs: h.roots(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake(); err == nil {
				t.Error("TLS 1.1 was spoken")
			}
		}, 400, "do not fit"},
		{"a request for another host", "api.anthropic.com:443", 200, func(c net.Conn) {
			conn, err := inside(c, "api.anthropic.com")
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "POST /v1/messages HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 0\r\n\r\n")
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 421 {
				t.Errorf("%v %v", resp, err)
			}
		}, 421, "another host than its connection"},
		{"another host in the request's line", "api.anthropic.com:443", 200, func(c net.Conn) {
			conn, err := inside(c, "api.anthropic.com")
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "POST https://chatgpt.com/v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Length: 0\r\n\r\n")
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 421 {
				t.Errorf("%v %v", resp, err)
			}
		}, 421, "another host than its connection"},
		{"a path of two meanings", "api.anthropic.com:443", 200, func(c net.Conn) {
			conn, err := inside(c, "api.anthropic.com")
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "POST /v1/x/%2e%2e/messages HTTP/1.1\r\nHost: api.anthropic.com:443\r\nContent-Length: 0\r\n\r\n")
			if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 400 {
				t.Errorf("%v %v", resp, err)
			}
		}, 400, "more than one way"},
	}
	for i, tt := range cases {
		status, text, c := h.connect(tt.target)
		if status != tt.status || status != 200 && !strings.Contains(text, "Gatehouse: ") {
			t.Errorf("%s: CONNECT is answered by %d %q, want %d", tt.name, status, text, tt.status)
			continue
		}
		if tt.try != nil {
			tt.try(c)
		}
		c.Close()
		v := h.ended(i + 1)[i]
		if v.State != flow.Refused || v.Verdict != flow.Block || v.Status != tt.flowStatus || !strings.Contains(v.Why, tt.why) || v.ForwardedBytes != 0 {
			t.Errorf("%s: on record as %s %s %d %q, want refused block %d %q", tt.name, v.State, v.Verdict, v.Status, v.Why, tt.flowStatus, tt.why)
		}
	}
	if n := len(up.seen); n != 0 {
		t.Errorf("the provider got %d requests", n)
	}
}

// TestBadTargetsAreTurnedAway: they name nothing that a record could be of.
func TestBadTargetsAreTurnedAway(t *testing.T) {
	h := intercepting(t, answering(plainAnswer), nil)
	for _, target := range []string{"api.anthropic.com", "api.anthropic.com:0", "api.anthropic.com:https", "[fe80::1%25eth0]:443", "a..b:443", "-:99999", "ann:pw@api.anthropic.com:443", "api.anthropic.com:443/v1", "api%2eanthropic.com:443"} {
		if status, _, _ := h.connect(target); status != 400 {
			t.Errorf("%s: %d, want 400", target, status)
		}
	}
	resp, err := http.Get(h.proxy + "/v1/messages")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("a request that is none for a proxy: %s", resp.Status)
	}
	if views := h.flows(); len(views) != 0 {
		t.Errorf("%d flows", len(views))
	}
}

// echo is a host of somebody else's: it sends back what it gets, under TLS of its
// own. The settings let clients reach it.
func echo(t *testing.T) (target string, host *httptest.Server, allow func(*config.Config)) {
	t.Helper()
	s := quietTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	return u.Host, s, func(c *config.Config) {
		c.Intercept.Ports = append(c.Intercept.Ports, port)
		c.Intercept.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
}

// TestOtherHostsStayPrivate: a tunnel is recorded by host, bytes and time.
func TestOtherHostsStayPrivate(t *testing.T) {
	target, host, allow := echo(t)
	h := intercepting(t, answering(plainAnswer), allow)
	c := h.client(false, func(tr *http.Transport) {
		tr.TLSClientConfig.RootCAs.AddCert(host.Certificate())
		tr.DisableKeepAlives = true
	})
	const private = "what is nobody's business"
	if _, got := ask(t, c, "https://"+target+"/secret/path?q=1", private, "X-Api-Key", "sk-private"); got != private {
		t.Errorf("got %q", got)
	}
	v := h.ended(1)[0]
	if v.Entrance != flow.Tunnel || v.Method != http.MethodConnect || v.Path != target || v.State != flow.Done || v.Status != 200 {
		t.Errorf("on record: %+v", v)
	}
	if v.SentBytes < int64(len(private)) || v.ResponseBytes < int64(len(private)) || v.RequestBytes != 0 || v.ResponseSHA256 != "" || v.Session == "" {
		t.Errorf("%d bytes up, %d down: %+v", v.SentBytes, v.ResponseBytes, v)
	}
	all := string(h.adminGet("/flows")) + string(h.adminGet("/flows/"+string(v.ID)))
	for _, word := range []string{"secret/path", "sk-private", "nobody"} {
		if strings.Contains(all, word) {
			t.Errorf("the record holds %q", word)
		}
	}
	own, _ := url.Parse(h.url)
	port, _ := strconv.Atoi(own.Port())
	if status, text, _ := h.connect(own.Host); status != 403 {
		t.Errorf("the gateway's own port %d: %d %s", port, status, text)
	}
}

// TestOwnAddressesAreNotReached, also where private ones may be.
func TestOwnAddressesAreNotReached(t *testing.T) {
	var ports []int
	for p := 1024; p < 1<<16; p++ {
		ports = append(ports, p)
	}
	h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
		c.Console = "127.0.0.1:0"
		c.Intercept.Ports, c.Intercept.Private = ports, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	})
	c := h.client(false, nil)
	for _, addr := range []string{h.url, h.proxy, h.page} {
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(addr, "http://"))
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
			status, text, _ := h.connect(host + ":" + port)
			if status != 403 || !strings.Contains(text, "own") {
				t.Errorf("%s:%s: %d %s", host, port, status, text)
			}
			resp, err := c.Get("http://" + host + ":" + port + "/api/v1/status") // its line names the whole address
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 403 {
				t.Errorf("GET http://%s:%s through the proxy: %s", host, port, resp.Status)
			}
		}
	}
}

// TestTheAgentsPortDoesNotLeadToTheConsole, whatever a request's line or Host names.
func TestTheAgentsPortDoesNotLeadToTheConsole(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), func(c *config.Config) { c.Console = "127.0.0.1:0" })
	console := strings.TrimPrefix(h.page, "http://")
	for _, line := range []string{"GET /api/v1/status", "GET /live", "GET " + h.page + "/api/v1/status", "GET /anthropic/../api/v1/status", "CONNECT " + console} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", line, console)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if text, _ := io.ReadAll(resp.Body); resp.StatusCode < 400 || strings.Contains(string(text), "custody") || strings.Contains(string(text), "<!doctype") {
			t.Errorf("%s: %s %q", line, resp.Status, text)
		}
		conn.Close()
	}
}

func TestOtherHostsAreRefusedWhereSettingsSay(t *testing.T) {
	target, _, allow := echo(t)
	h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
		allow(c)
		c.Intercept.Others = "refuse"
	})
	if status, text, _ := h.connect(target); status != 403 || !strings.Contains(text, "intercept.inspect") {
		t.Errorf("%d %s", status, text)
	}
	if _, got := ask(t, h.client(true, nil), anthropic+"/v1/messages", messagesBody); got == "" {
		t.Error("no answer of an inspected host")
	}
	views := h.ended(2)
	if views[0].State != flow.Refused || views[0].Path != target || views[1].State != flow.Done {
		t.Errorf("on record: %+v", views)
	}
}

func TestPlainHTTPThroughTheProxy(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %q %q %q", r.Method, r.RequestURI, r.Header.Get("Proxy-Authorization")+r.Header.Get("X-Gatehouse-Key"), r.Header.Get("X-Forwarded-For"), body)
	}))
	defer host.Close()
	u, _ := url.Parse(host.URL)
	port, _ := strconv.Atoi(u.Port())
	up := answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, messagesSaid) })
	h := intercepting(t, up, func(c *config.Config) {
		c.Intercept.Ports = append(c.Intercept.Ports, port)
		c.Intercept.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	c := h.client(false, nil)
	const said = `POST /a?b=c;d%zz "" "192.0.2.7" "body"`
	resp, got := ask(t, c, host.URL+"/a?b=c;d%zz", "body", "X-Forwarded-For", "192.0.2.7", "X-Gatehouse-Key", h.addKey("ci"))
	if resp.StatusCode != http.StatusTeapot || got != said {
		t.Errorf("%s %q", resp.Status, got)
	}
	if _, got := ask(t, c, "http://api.anthropic.com/v1/messages", messagesBody); got != messagesSaid {
		t.Errorf("an inspected host without TLS: %q", got)
	}
	views := h.ended(2)
	if v := views[0]; v.Entrance != flow.Tunnel || v.Path != u.Host || v.Status != http.StatusTeapot || v.SentBytes != 4 || v.ResponseBytes != int64(len(said)) {
		t.Errorf("on record: %+v", v)
	}
	if v := views[1]; v.Entrance != flow.Intercept || v.API != flow.Messages || v.ClientTLS != nil {
		t.Errorf("on record: %+v", v)
	}
}

// TestABypassIsATunnelUntilItsDay.
func TestABypassIsATunnelUntilItsDay(t *testing.T) {
	for days, want := range map[int]flow.Entrance{1: flow.Tunnel, -2: flow.Intercept} {
		h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
			c.Intercept.Ports = []int{443}
			c.Intercept.Bypass = []config.Bypass{{Host: "chatgpt.com", Owner: "ann", Reason: "it pins", Until: config.Date{Time: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, days)}}}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://chatgpt.com/backend-api/x", nil)
		if resp, err := h.client(true, nil).Do(req); err == nil { // the name does not resolve in a test
			resp.Body.Close()
		}
		cancel()
		v := h.ended(1)[0]
		if v.Entrance != want {
			t.Errorf("%d days: %+v", days, v)
		}
	}
}

func TestTenantsAndKeys(t *testing.T) {
	up := answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, messagesSaid) })
	h := intercepting(t, up, func(c *config.Config) {
		c.Intercept.Tenants = config.Tenants{Anthropic: []string{"org-a", "org-b"}, ChatGPT: []string{"ws-1"}}
	})
	key := h.addKey("ci")
	c := h.client(true, func(tr *http.Transport) {
		proxy, _ := url.Parse(h.proxy)
		proxy.User = url.UserPassword("gatehouse", key)
		tr.Proxy = http.ProxyURL(proxy)
	})
	ask(t, c, anthropic+"/v1/messages", messagesBody, "Anthropic-Allowed-Org-Ids", "org-mine")
	ask(t, c, "https://chatgpt.com/backend-api/codex/responses", messagesBody)
	first, second := <-up.seen, <-up.seen
	if got := first.r.Header["Anthropic-Allowed-Org-Ids"]; len(got) != 1 || got[0] != "org-a,org-b" {
		t.Errorf("Anthropic got %q", got)
	}
	if got := second.r.Header.Get("Chatgpt-Allowed-Workspace-Id"); got != "ws-1" || second.r.Header.Get("Anthropic-Allowed-Org-Ids") != "" {
		t.Errorf("OpenAI got %q", got)
	}
	for _, v := range h.ended(2) {
		if v.Principal != "key:ci" {
			t.Errorf("the caller is %s", v.Principal)
		}
	}
	if status, _, _ := h.connect("api.anthropic.com:443", "Proxy-Authorization: Basic Z2F0ZWhvdXNlOmdoa193cm9uZw==\r\n"); status == 200 {
		t.Error("a wrong key was let in")
	}
}

// TestALogInIsAFingerprint: neither its body nor a hash that could be guessed
// against is kept.
func TestALogInIsAFingerprint(t *testing.T) {
	const password, granted = `{"grant_type":"password","password":"hunter2"}`, `{"access_token":"sk-ant-oat01-granted"}`
	up := answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, granted) })
	h := intercepting(t, up, nil)
	for range 2 {
		if _, got := ask(t, h.client(true, nil), anthropic+"/v1/oauth/token", password); got != granted {
			t.Errorf("got %q", got)
		}
		if got := (<-up.seen).body; got != password {
			t.Errorf("the provider got %q", got)
		}
	}
	views := h.ended(2)
	for _, v := range views {
		for _, text := range []string{password, granted} {
			plain := sha256.Sum256([]byte(text))
			for _, sum := range []string{v.RequestSHA256, v.ForwardedSHA256, v.ResponseSHA256, v.DeliveredSHA256} {
				if sum == "" || sum == hex.EncodeToString(plain[:]) {
					t.Errorf("hash %q is none, or not keyed", sum)
				}
			}
		}
		if v.RequestBytes != int64(len(password)) || v.ResponseBytes != int64(len(granted)) || v.API != flow.Opaque || v.ScannedBytes != 0 {
			t.Errorf("on record: %+v", v)
		}
		for _, what := range []string{"request", "response"} {
			resp, err := h.admin.Get("http://localhost/api/v1/flows/" + string(v.ID) + "/content/" + what + "?why=test")
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "granted") {
				t.Errorf("the record holds %q", text)
			}
		}
	}
	if views[0].RequestSHA256 != views[1].RequestSHA256 {
		t.Error("the same log-in has two fingerprints")
	}
}

// TestAStopEndsTunnels that are silent, and lets an answer come to its end.
func TestAStopEndsTunnels(t *testing.T) {
	target, _, allow := echo(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	h := intercepting(t, answering(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, messagesSaid[:20])
		http.NewResponseController(w).Flush()
		close(begun)
		<-goOn
		io.WriteString(w, messagesSaid[20:])
	}), func(c *config.Config) {
		allow(c)
		c.Limits.HeaderTimeout, c.Limits.DrainTimeout = config.Duration(time.Hour), config.Duration(time.Hour)
	})
	for _, silent := range []string{target, "api.anthropic.com:443"} {
		if status, _, _ := h.connect(silent); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	got := make(chan string, 1)
	c := h.client(true, nil)
	go func() {
		_, text := ask(t, c, anthropic+"/v1/messages", messagesBody)
		got <- text
	}()
	<-begun
	closed := make(chan struct{})
	go func() { h.close(); close(closed) }()
	close(goOn)
	if text := <-got; text != messagesSaid {
		t.Errorf("got %q", text)
	}
	<-closed
}
