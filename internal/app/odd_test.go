package app_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// raw answers with bytes that net/http would not write.
func raw(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, text)
	})
}

func TestAnAnswerWithoutAStatusOfItsOwnIsABrokenProvider(t *testing.T) {
	for _, status := range []string{"000 odd", "099 odd", "101 Switching Protocols"} {
		t.Run(status, func(t *testing.T) {
			h := open(t, t.TempDir(), raw("HTTP/1.1 "+status+"\r\nContent-Length: 2\r\n\r\n{}"), nil)
			resp, text := h.do(h.request("/anthropic/v1/messages", `{"model":"m","messages":[]}`))
			if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "status") {
				t.Errorf("got %s %s", resp.Status, text)
			}
			if v := h.ended(1)[0]; v.State != flow.Aborted {
				t.Errorf("recorded %+v", v)
			}
		})
	}
}

// TestAProviderThatHadTheRequestMayBillIt: one that ends the connection is not one that
// could not be reached.
func TestAProviderThatHadTheRequestMayBillIt(t *testing.T) {
	h := open(t, t.TempDir(), raw(""), nil)
	resp, text := h.do(h.request("/anthropic/v1/messages", `{"model":"m","messages":[]}`))
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "had the request") {
		t.Errorf("got %s %s", resp.Status, text)
	}
	if v := h.ended(1)[0]; v.State != flow.Aborted || v.ForwardedSHA256 == "" || !strings.Contains(v.Why, "had the request") {
		t.Errorf("recorded %+v", v)
	}
}

// TestAClientThatSaysNoMoreGetsNoSuccess: who ends the sending side of its connection counts
// as gone, and an empty 200 would pass for the provider's answer.
func TestAClientThatSaysNoMoreGetsNoSuccess(t *testing.T) {
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	h := open(t, t.TempDir(), up, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}")
	conn.(*net.TCPConn).CloseWrite()
	if answer, _ := io.ReadAll(conn); len(answer) > 0 {
		t.Errorf("got %q", answer)
	}
	if v := h.ended(1)[0]; v.State != flow.Aborted || v.Status != 0 {
		t.Errorf("recorded %+v", v)
	}
}

// TestACutBodyIsAsLongAsWhatCame: not as its head announced.
func TestACutBodyIsAsLongAsWhatCame(t *testing.T) {
	h := open(t, t.TempDir(), raw(""), nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{\"a\":1")
	conn.(*net.TCPConn).CloseWrite() // who has closed all of it may be gone before we know who it was
	if v := h.ended(1)[0]; v.State != flow.Refused || v.RequestBytes != 6 {
		t.Errorf("recorded %d bytes, %s", v.RequestBytes, v.State)
	}
}

func TestAProviderThatIsSilentOnAnUpgradeIsGivenUp(t *testing.T) {
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.IdleTimeout = config.Duration(300 * time.Millisecond) })
	client := &http.Client{Timeout: 5 * time.Second}
	req := upgrade(h, http.MethodGet, "/openai/v1/responses", "")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("got %s", resp.Status)
	}
}

func upgrade(h *house, method, path, body string) *http.Request {
	req := h.request(path, body, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	req.Method = method
	return req
}

func TestOnlyAGETBecomesASocket(t *testing.T) {
	up := answering(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("{}")) })
	h := open(t, t.TempDir(), up, nil)
	h.do(upgrade(h, http.MethodPost, "/anthropic/v1/messages", `{"model":"m","messages":[]}`))
	if got := <-up.seen; got.r.Method != http.MethodPost || got.body != `{"model":"m","messages":[]}` {
		t.Errorf("the provider got %s %q", got.r.Method, got.body)
	}
}

func TestTheRecordSaysWhoEndedASocket(t *testing.T) {
	for _, tt := range []struct{ what, want string }{
		{"close", "the provider closed the socket"}, {"large", "over the limit"}, {"leave", "the client went away"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				defer c.CloseNow()
				c.Read(r.Context())
				c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"response.created","response":{"id":"r"}}`))
				switch tt.what {
				case "close":
					c.Close(4001, "enough")
				case "large":
					c.Write(r.Context(), websocket.MessageText, make([]byte, 64<<20+1))
				}
				c.Read(r.Context())
			})
			h := open(t, t.TempDir(), up, nil)
			c := dial(t, h, "/openai/v1/responses", nil)
			say(t, c, `{"type":"response.create","model":"m","input":[]}`, 1)
			if tt.what != "leave" {
				c.Read(t.Context())
			}
			c.CloseNow()
			if v := h.ended(2)[1]; v.State != flow.Aborted || !strings.Contains(v.Why, tt.want) {
				t.Errorf("%s: %s (%s)", tt.what, v.State, v.Why)
			}
		})
	}
}
