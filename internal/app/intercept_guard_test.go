package app_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// allAtLoopback has every name resolve to 127.0.0.1 while the test runs, as a
// name server of somebody else's may say.
func allAtLoopback(t *testing.T) {
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerNames(theirs)
		return ours, nil
	}}
}

// answerNames answers as DNS over TCP does (RFC 1035 section 4.2.2): one address
// for a question of type A, none for another.
func answerNames(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		m := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, m); err != nil {
			return
		}
		end := 12 + slices.Index(m[12:], 0) + 5 // of the question: the name, its type and class
		answers, record := byte(0), []byte(nil)
		if m[end-3] == 1 {
			answers, record = 1, []byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1}
		}
		said := append([]byte{m[0], m[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, m[12:end]...)
		said = append(said, record...)
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(said))), said...))
	}
}

// quietTLS is a server whose clients' distrust is no news.
func quietTLS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	return s
}

const corp = "llm.corp.example"

// inspectCorp has the hosts below a domain inspected, which go to themselves.
func inspectCorp(c *config.Config) {
	c.Intercept.Inspect = append(c.Intercept.Inspect, config.Inspected{Host: "*.corp.example", Provider: flow.Anthropic})
}

// TestAnInspectedHostIsNoWayIn: its port and its addresses are judged as those
// of any other host, whether it is called by CONNECT or by a whole address.
func TestAnInspectedHostIsNoWayIn(t *testing.T) {
	allAtLoopback(t)
	inner := answering(plainAnswer)
	local := quietTLS(inner)
	defer local.Close()
	u, _ := url.Parse(local.URL)
	port, _ := strconv.Atoi(u.Port())
	h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
		c.Console = "127.0.0.1:0"
		inspectCorp(c)
		c.Intercept.Ports = append(c.Intercept.Ports, port)
	})
	console := strings.TrimPrefix(h.page, "http://127.0.0.1:")
	tests := []struct{ url, why, rule string }{
		{"http://" + corp + ":" + console + "/healthz", "intercept.ports", "limit:port"},
		{"http://api.anthropic.com:8080/v1/models", "intercept.ports", "limit:port"},
		{"http://" + corp + ":" + u.Port() + "/v1/models", "not public", "limit:private_address"},
		{"https://" + corp + ":" + u.Port() + "/v1/models", "not public", "limit:private_address"},
		{"http://" + corp + "/v1/models", "not public", "limit:private_address"},
		{"https://" + corp + "/v1/models", "not public", "limit:private_address"},
		{"http://other.example/", "not public", "limit:private_address"},
	}
	for i, tt := range tests {
		resp, err := h.client(false, nil).Get(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(string(text), tt.why) {
			t.Errorf("%s: %s %s", tt.url, resp.Status, text)
		}
		v := h.ended(i + 1)[i]
		if v.State != flow.Refused || v.Verdict != flow.Block || !slices.Equal(v.Rules, []string{tt.rule}) || !strings.Contains(v.Why, tt.why) {
			t.Errorf("%s is on record as %s, %s by %q: %q", tt.url, v.State, v.Verdict, v.Rules, v.Why)
		}
	}
	if status, _, _ := h.connect("other.example:443"); status != http.StatusForbidden {
		t.Errorf("CONNECT to a host at loopback: %d", status)
	}
	if v := h.ended(len(tests) + 1)[len(tests)]; v.State != flow.Refused || v.Verdict != flow.Block || !slices.Equal(v.Rules, []string{"limit:private_address"}) {
		t.Errorf("the tunnel is on record as %s, %s by %q", v.State, v.Verdict, v.Rules)
	}
	if n := len(inner.seen); n != 0 {
		t.Errorf("loopback got %d requests", n)
	}
}

// TestAnInspectedHostAtAListedAddress is reached: the operator says so. The
// gateway's own ports are not, even then.
func TestAnInspectedHostAtAListedAddress(t *testing.T) {
	allAtLoopback(t)
	local := quietTLS(answering(plainAnswer))
	defer local.Close()
	u, _ := url.Parse(local.URL)
	var ports []int
	for p := 443; p < 1<<16; p++ {
		ports = append(ports, p)
	}
	h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
		c.Console = "127.0.0.1:0"
		inspectCorp(c)
		c.Intercept.Ports, c.Intercept.Private = ports, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	resp, text := ask(t, h.client(false, nil), "https://"+corp+":"+u.Port()+"/v1/messages", messagesBody)
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "certificate is another host's") { // it was dialled
		t.Errorf("a listed address: %s %s", resp.Status, text)
	}
	_, console, _ := net.SplitHostPort(strings.TrimPrefix(h.page, "http://"))
	resp, text = ask(t, h.client(false, nil), "https://"+corp+":"+console+"/v1/messages", messagesBody)
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(text, "own") {
		t.Errorf("the console: %s %s", resp.Status, text)
	}
	if v := h.ended(2)[1]; v.Verdict != flow.Block || !slices.Equal(v.Rules, []string{"limit:own_address"}) {
		t.Errorf("on record as %s by %q", v.Verdict, v.Rules)
	}
}
