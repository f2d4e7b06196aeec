package app_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/workingagents/gatehouse/internal/flow"
)

// frame is a frame of text as a client sends it (RFC 6455 section 5.2): it says that it has
// length bytes.
func frame(final bool, length int, text string) []byte {
	first := byte(1)
	if final {
		first |= 0x80
	}
	b := []byte{first, 0x80 | byte(length), 1, 2, 3, 4}
	for i := range len(text) {
		b = append(b, text[i]^b[2+i%4])
	}
	return b
}

// TestAMessageWithoutItsEndIsNoMessage: a connection that is cut off inside of a message
// gives the other side none, and least of all bytes that nobody has said.
func TestAMessageWithoutItsEndIsNoMessage(t *testing.T) {
	const half = `{"type":"response.create","input":"delete nothing`
	for name, sent := range map[string][]byte{
		"in a frame":       frame(true, 100, half),
		"between frames":   frame(false, len(half), half),
		"behind a head":    frame(true, 100, ""),
		"in a long answer": append(frame(false, len(half), half), 0x80),
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			h := open(t, t.TempDir(), socketUpstream(t, func(m string) []string { got <- m; return nil }), nil)
			conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /openai/v1/responses HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", conn.RemoteAddr())
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(resp, err)
			}
			conn.Write(sent)
			conn.Close()
			v := h.ended(2)[1]
			if v.State != flow.Refused || v.ForwardedSHA256 != "" || !strings.Contains(v.Why, "ended early") {
				t.Errorf("recorded as %s, %q", v.State, v.Why)
			}
			h.close()
			if len(got) > 0 {
				t.Errorf("the provider got %q", <-got)
			}
		})
	}
}

// speaking is a provider that says exactly this on an upgraded connection, and ends it.
func speaking(accept func(key string) string, frames string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n%s", accept(r.Header.Get("Sec-WebSocket-Key")), frames)
	})
}

// accepted is the answer to a client's key (RFC 6455 section 4.2.2).
func accepted(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestAnEventWithoutItsEndIsNoEvent(t *testing.T) {
	const half = `{"type":"response.output_text.delta","delta":"rm -rf /ho`
	for name, frames := range map[string]string{
		"in a frame":     "\x81\x7d" + half,
		"between frames": "\x01" + string(rune(len(half))) + half,
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, t.TempDir(), speaking(accepted, frames), nil)
			c := dial(t, h, "/openai/v1/responses", nil)
			if _, text, err := c.Read(t.Context()); err == nil {
				t.Errorf("the agent got %q", text)
			}
		})
	}
}

func TestAnUpgradeThatFitsNobodyIsABrokenProvider(t *testing.T) {
	h := open(t, t.TempDir(), speaking(func(string) string { return "somebody else's" }, ""), nil)
	resp, text := h.do(upgrade(h, http.MethodGet, "/openai/v1/responses", ""))
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "status") {
		t.Errorf("got %s %s", resp.Status, text)
	}
	if v := h.ended(1)[0]; v.State != flow.Aborted {
		t.Errorf("recorded as %s %d", v.State, v.Status)
	}
}

// TestACloseWithoutACodeIsOneThere: what an ordinary close() sends.
func TestACloseWithoutACodeIsOneThere(t *testing.T) {
	closed := make(chan error, 1)
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if r.URL.Query().Has("first") {
			c.Close(websocket.StatusNoStatusRcvd, "")
			return
		}
		_, _, err = c.Read(r.Context())
		closed <- err
	})
	h := open(t, t.TempDir(), up, nil)
	dial(t, h, "/openai/v1/responses", nil).Close(websocket.StatusNoStatusRcvd, "")
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusNoStatusRcvd {
		t.Errorf("the provider saw %v", err)
	}
	_, _, err := dial(t, h, "/openai/v1/responses?first", nil).Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusNoStatusRcvd {
		t.Errorf("the agent saw %v", err)
	}
}

// TestARevokedKeyEndsItsSockets: a socket is open for hours, and each of its messages is
// admitted anew.
func TestARevokedKeyEndsItsSockets(t *testing.T) {
	got := make(chan string, 10)
	h := open(t, t.TempDir(), socketUpstream(t, func(m string) []string { got <- m; return responseEvents("resp_1", "x") }), nil)
	key := h.addKey("ci")
	c := dial(t, h, "/k/"+key+"/openai/v1/responses", nil)
	say(t, c, `{"type":"response.create","model":"m","input":"one"}`, 3)
	revoke, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://localhost/api/v1/keys/ci", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.admin.Do(revoke)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	said := say(t, c, `{"type":"response.create","model":"m","input":"two"}`, 1)
	if !strings.Contains(said[0], "revoked") {
		t.Errorf("the agent is told %s", said[0])
	}
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the socket ended with %v", err)
	}
	if v := h.ended(3)[2]; v.State != flow.Refused || v.Principal != "key:ci" {
		t.Errorf("recorded as %s of %s", v.State, v.Principal)
	}
	if len(got) != 1 {
		t.Errorf("the provider got %d messages", len(got))
	}
}
