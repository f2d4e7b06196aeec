package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

const anthropic = "https://api.anthropic.com"

// TestAnInspectedStreamIsNotHeld: each event reaches the client before the
// provider sends the next, over both versions of HTTP.
func TestAnInspectedStreamIsNotHeld(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		next := make(chan struct{})
		h := intercepting(t, answering(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 5 {
				fmt.Fprintf(w, "event: ping\ndata: {\"type\":\"ping\",\"n\":%d}\n\n", i)
				http.NewResponseController(w).Flush()
				select {
				case <-next:
				case <-r.Context().Done():
					return
				}
			}
		}), nil)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, anthropic+"/v1/messages", strings.NewReader(messagesBody))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := h.client(http2, nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data:") {
				events++
				next <- struct{}{}
			}
		}
		resp.Body.Close()
		cancel()
		if events != 5 {
			t.Errorf("HTTP/2 %v: %d events, want 5", http2, events)
		}
		if v := h.ended(1)[0]; v.Entrance != flow.Intercept || v.State != flow.Done {
			t.Errorf("HTTP/2 %v: %+v", http2, v)
		}
	}
}

// TestInspectedBytesAtEveryChunk: however the provider cuts its answer, the
// client gets the same bytes, and the record holds them.
func TestInspectedBytesAtEveryChunk(t *testing.T) {
	const stream = "event: message_start\r\ndata: {\"type\":\"message_start\", \"message\":{\"id\":\"m\",\"model\":\"claude-x\",\"usage\":{\"input_tokens\":1}}}\r\n\r\n: odd\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	cut := make(chan int, 1)
	h := intercepting(t, answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		n := <-cut
		for rest := stream; rest != ""; {
			size := min(n, len(rest))
			io.WriteString(w, rest[:size])
			http.NewResponseController(w).Flush()
			rest = rest[size:]
		}
	}), nil)
	flows := 0
	for _, http2 := range []bool{false, true} {
		c := h.client(http2, nil)
		for _, n := range []int{1, 2, 3, 7, 64, len(stream)} {
			cut <- n
			if _, got := ask(t, c, anthropic+"/v1/messages", messagesBody); got != stream {
				t.Errorf("HTTP/2 %v, chunks of %d: got %q", http2, n, got)
			}
			flows++
		}
	}
	for _, v := range h.ended(flows) {
		h.exact(v, messagesBody, stream)
	}
}

// TestAnInspectedSocket relays messages, each a flow, as the redirect entrance
// does.
func TestAnInspectedSocket(t *testing.T) {
	provider := socketUpstream(t, func(string) []string { return responseEvents("r1", "hello") })
	h := intercepting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Origin") // this provider takes any
		provider.ServeHTTP(w, r)
	}), nil)
	c, _, err := websocket.Dial(t.Context(), "wss://api.openai.com/v1/responses", &websocket.DialOptions{
		HTTPClient: h.client(false, nil), HTTPHeader: http.Header{"Session-Id": {"s1"}, "Origin": {"https://elsewhere.example"}}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	const message = `{"type":"response.create", "model":"gpt-5-codex","input":[]}`
	if got := say(t, c, message, 3); strings.Join(got, "\n") != strings.Join(responseEvents("r1", "hello"), "\n") {
		t.Errorf("events %q", got)
	}
	c.Close(websocket.StatusNormalClosure, "")
	views := h.ended(2)
	if v := views[1]; v.Entrance != flow.Intercept || v.Method != flow.MethodMessage || v.Usage.Output != 7 || v.Session != "s1" || v.ClientTLS == nil {
		t.Errorf("the message's flow: %+v", v)
	}
	if got := h.raw(views[1].ID, "request"); got != message {
		t.Errorf("kept %q", got)
	}
}

// TestAnInspectedUploadIsAskedFor: 100-continue, chunked bodies, trailers.
func TestAnInspectedUploadIsAskedFor(t *testing.T) {
	h := intercepting(t, answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		io.WriteString(w, "part")
		w.Header().Set("Grpc-Status", "7")
	}), nil)
	for _, http2 := range []bool{false, true} {
		c := h.client(http2, func(tr *http.Transport) { tr.ExpectContinueTimeout = 10 * time.Second })
		req, err := http.NewRequest(http.MethodPost, anthropic+"/v1/files", io.MultiReader(strings.NewReader("no "), strings.NewReader("length")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Expect", "100-continue")
		begun := time.Now()
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(text) != "part" || resp.Trailer.Get("Grpc-Status") != "7" || time.Since(begun) > 9*time.Second {
			t.Errorf("HTTP/2 %v: %q, trailer %v", http2, text, resp.Trailer)
		}
	}
	for _, v := range h.ended(2) {
		h.exact(v, "no length", "part")
	}
}

// TestAnInspectedSecretIsReplaced, on its way out and back.
func TestAnInspectedSecretIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte("version: 1\nmode: enforce\nrules:\n  - {rule: \"secret.*\", do: redact}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, messagesSaid)
	})
	h := open(t, dir, up, func(c *config.Config) { c.Intercept.Listen = "127.0.0.1:0" })
	secret := canary()
	body := strings.Replace(messagesBody, "hi ", "my key is "+secret+" ", 1)
	ask(t, h.client(true, nil), anthropic+"/v1/messages", body, "Content-Type", "application/json")
	if got := (<-up.seen).body; strings.Contains(got, secret) || !token.MatchString(got) {
		t.Errorf("the provider got %q", got)
	}
	if v := h.ended(1)[0]; v.Verdict != flow.Redact || v.Entrance != flow.Intercept {
		t.Errorf("%+v", v)
	}
}
