package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

const hello = `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}`

const helloAnswer = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":3}}`

// Bodies that other gateways are known to change.
var oddBodies = []string{
	hello,
	" \r\n{ \"model\" : \"claude-sonnet-4-5\",\t\"messages\": [ {\"role\":\"user\",\"content\":\"a\\u0062\\/\"} ] }\n\n",
	`{"model":"a","model":"b","messages":[],"x":1.50,"y":1e400,"z":-0.0}`,
	`{"messages":[{"role":"user","content":"half`,
	"\xef\xbb\xbf{}",
	"not json at all \x00\xff\xfe",
	`[1,2,3]`,
	"",
}

func TestBodiesPassByteForByte(t *testing.T) {
	for i, body := range oddBodies {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			answer := strings.ToUpper(body) + "\r\n" + body
			up := answering(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Request-Id", "req_7")
				io.WriteString(w, answer)
			})
			h := open(t, t.TempDir(), up, nil)
			_, got := h.call("/anthropic/v1/messages?beta=true", body, "X-Api-Key", "k", "Content-Type", "application/json")
			if got != answer {
				t.Errorf("answer = %q, want %q", got, answer)
			}
			if s := <-up.seen; s.body != body {
				t.Errorf("the provider got %q, want %q", s.body, body)
			}
			v := h.ended(1)[0]
			h.exact(v, body, answer)
			if v.ProviderRequestID != "req_7" || v.State != flow.Done || v.Status != 200 {
				t.Errorf("recorded %+v", v)
			}
		})
	}
}

func TestStreamKeepsItsBytesAndItsGrouping(t *testing.T) {
	chunks := []string{
		"event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\r\n\r\n",
		": a comment\nevent: unheard_of\ndata: {\"type\":\"unheard_of\",\"x\":\"" + strings.Repeat("y", 1<<20) + "\"}\n\n",
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":42}}\n\n",
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	}
	next := make(chan struct{})
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		http.NewResponseController(w).Flush()
		for _, c := range chunks {
			<-next
			io.WriteString(w, c)
			http.NewResponseController(w).Flush()
		}
	})
	h := open(t, t.TempDir(), up, nil)
	resp, err := http.DefaultClient.Do(h.request("/v1/messages", hello))
	if err != nil {
		t.Fatal(err) // the head must come before any chunk does
	}
	defer resp.Body.Close()
	for i, c := range chunks {
		next <- struct{}{}
		got := make([]byte, len(c))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != c {
			t.Fatalf("chunk %d = %.100q, %v", i, got, err)
		}
	}
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	v := h.ended(1)[0]
	h.exact(v, hello, strings.Join(chunks, ""))
	if v.Usage.Input != 9 || v.Usage.Output != 42 || v.Stop != "end_turn" || v.Cost == nil {
		t.Errorf("usage %+v, stop %q, cost %v", v.Usage, v.Stop, v.Cost)
	}
}

func TestCompressedBodiesPassAndAreRead(t *testing.T) {
	pack := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.String()
	}
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, pack(helloAnswer))
	})
	h := open(t, t.TempDir(), up, nil)
	resp, got := h.call("/anthropic/v1/messages", pack(hello), "Content-Encoding", "gzip", "Accept-Encoding", "gzip")
	if got != pack(helloAnswer) || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the compressed answer was changed")
	}
	if s := <-up.seen; s.body != pack(hello) || s.r.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the compressed request was changed")
	}
	v := h.ended(1)[0]
	h.exact(v, pack(hello), pack(helloAnswer))
	if v.Model != "claude-sonnet-4-5" || v.Usage.Output != 3 || v.Unreadable != "" {
		t.Errorf("model %q, usage %+v, unreadable %q", v.Model, v.Usage, v.Unreadable)
	}
}

func TestBombIsForwardedAndMarked(t *testing.T) {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	w.Write(make([]byte, 1<<20))
	w.Close()
	b := strings.Repeat(member.String(), 300)
	up := answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, helloAnswer) })
	h := open(t, t.TempDir(), up, nil)
	h.call("/anthropic/v1/messages", b, "Content-Encoding", "gzip")
	v := h.ended(1)[0]
	if v.Unreadable == "" {
		t.Error("a decompression bomb is not marked")
	}
	if v.RequestSHA256 != sum(b) || (<-up.seen).body != b {
		t.Error("the body was changed")
	}
}

func TestTheProvidersErrorsPassUnchanged(t *testing.T) {
	const body = `{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}`
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("X-Should-Retry", "true")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(429)
		io.WriteString(w, body)
	})
	h := open(t, t.TempDir(), up, nil)
	resp, got := h.call("/v1/messages", hello, "X-Claude-Code-Session-Id", "s1")
	if resp.StatusCode != 429 || got != body || resp.Header.Get("Retry-After") != "7" || resp.Header.Get("X-Should-Retry") != "true" {
		t.Errorf("got %d %q %v", resp.StatusCode, got, resp.Header)
	}
	h.call("/v1/messages", hello, "X-Claude-Code-Session-Id", "s1")
	views := h.ended(2)
	first, second := views[0], views[1]
	if first.Status != 429 || first.Error != "rate_limit_error" || first.State != flow.Done {
		t.Errorf("first: %+v", first)
	}
	if second.RetryOf == nil || *second.RetryOf != first.ID || *second.Turn != 1 {
		t.Errorf("a retry must share its turn: %+v", second)
	}
}

func TestClientThatGoesAwayEndsTheCall(t *testing.T) {
	gone := make(chan struct{})
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	h := open(t, t.TempDir(), up, nil)
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := http.DefaultClient.Do(h.request("/v1/messages", hello).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 10))
	cancel()
	resp.Body.Close()
	<-gone
	v := h.ended(1)[0]
	if v.State != flow.Aborted || v.Usage.Input != 9 || v.ResponseBytes == 0 || !strings.Contains(v.Why, "client went away") {
		t.Errorf("recorded %+v", v)
	}
}

func TestUpstreamDownAndSilent(t *testing.T) {
	hang := make(chan struct{})
	up := answering(func(w http.ResponseWriter, r *http.Request) { <-hang })
	defer close(hang)
	h := open(t, t.TempDir(), up, func(c *config.Config) {
		c.Limits.IdleTimeout = config.Duration(50 * time.Millisecond)
		gemini := c.Upstreams["gemini"]
		gemini.URL = "http://127.0.0.1:1"
		c.Upstreams["gemini"] = gemini
	})
	resp, body := h.call("/gemini/v1beta/models/gemini-2.5-pro:generateContent", `{"contents":[]}`)
	if resp.StatusCode != 502 || !strings.Contains(body, `"status":"UNAVAILABLE"`) {
		t.Errorf("down: %d %s", resp.StatusCode, body)
	}
	resp, body = h.call("/anthropic/v1/messages", hello)
	if resp.StatusCode != 504 || !strings.Contains(body, "idle_timeout") {
		t.Errorf("silent: %d %s", resp.StatusCode, body)
	}
	for _, v := range h.ended(2) {
		if v.State != flow.Aborted || v.Why == "" || v.Status < 500 {
			t.Errorf("recorded %+v", v)
		}
		if kept := h.raw(v.ID, "delivered"); !strings.Contains(kept, "Gatehouse") {
			t.Errorf("delivered = %q", kept)
		}
		if sent := v.ForwardedSHA256 != "" && h.raw(v.ID, "forwarded") != ""; sent != (v.Status == 504) {
			t.Errorf("%d: forwarded is %q", v.Status, v.ForwardedSHA256)
		}
	}
}

func TestBodyOverTheLimit(t *testing.T) {
	up := answering(func(w http.ResponseWriter, r *http.Request) {})
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.Body = 1000 })
	big := `{"messages":"` + strings.Repeat("x", 2000) + `"}`
	for i, body := range []io.Reader{strings.NewReader(big), io.MultiReader(strings.NewReader(big))} {
		req, _ := http.NewRequest("POST", h.url+"/openai/v1/chat/completions", body)
		resp, text := h.do(req)
		if resp.StatusCode != 400 || !strings.Contains(text, "over the limit of 1000 bytes") || !strings.Contains(text, `"invalid_request_error"`) {
			t.Errorf("%d: %d %s", i, resp.StatusCode, text)
		}
	}
	for _, v := range h.ended(2) {
		if v.State != flow.Refused || v.Verdict != flow.Block || v.RequestBytes <= 1000 || v.ForwardedSHA256 != "" {
			t.Errorf("recorded %+v", v)
		}
	}
	if len(up.seen) > 0 {
		t.Error("a body over the limit reached the provider")
	}
}

func TestAnOpenStreamHoldsNoBody(t *testing.T) {
	hold := make(chan struct{})
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"type\":\"ping\"}\n\n")
		http.NewResponseController(w).Flush()
		<-hold
	})
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.Body, c.Limits.Memory = 1<<20, 3<<19 })
	body := `{"messages":[],"x":"` + strings.Repeat("y", 1<<19+1<<18) + `"}`
	for i := range 3 { // more than limits.memory has room for
		resp, err := http.DefaultClient.Do(h.request("/v1/messages", body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("call %d: %s", i, resp.Status)
		}
	}
	close(hold)
	h.ended(3)
}

func TestAnEmptyAnswerIsWhole(t *testing.T) {
	h := open(t, t.TempDir(), answering(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }), nil)
	h.call("/v1/messages", hello)
	if v := h.ended(1)[0]; v.State != flow.Done || strings.Contains(v.Why, "end") {
		t.Errorf("recorded %s: %s", v.State, v.Why)
	}
}
