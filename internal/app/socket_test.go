package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// socketUpstream speaks the Responses API over WebSocket: each message gets
// the events that reply gives for it.
func socketUpstream(t *testing.T, reply func(message string) []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req_up")
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, Subprotocols: []string{"p2"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			_, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			for _, event := range reply(string(text)) {
				if event == "CLOSE" {
					c.Close(4001, "enough")
					return
				}
				if err := c.Write(r.Context(), websocket.MessageText, []byte(event)); err != nil {
					return
				}
			}
		}
	})
}

func dial(t *testing.T, h *house, path string, header http.Header) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), h.url+path, &websocket.DialOptions{
		HTTPHeader: header, CompressionMode: websocket.CompressionContextTakeover, Subprotocols: []string{"p1", "p2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func say(t *testing.T, c *websocket.Conn, message string, events int) (got []string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	for range events {
		_, text, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	return got
}

func responseEvents(id, text string) []string {
	return []string{
		fmt.Sprintf(`{"type":"response.created","response":{"id":%q,"model":"gpt-5-codex"}}`, id),
		fmt.Sprintf(`{"type":"response.output_text.delta", "item_id":"m","delta":%q}`, text),
		fmt.Sprintf(`{"type":"response.completed","response":{"id":%q,"model":"gpt-5-codex","status":"completed","output":[],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":60},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":2}}}}`, id),
	}
}

func TestSocketMessagesAreFlows(t *testing.T) {
	n := 0
	up := socketUpstream(t, func(string) []string {
		n++
		return responseEvents(fmt.Sprint("resp_", n), strings.Repeat("word ", 100))
	})
	h := open(t, t.TempDir(), up, nil)
	c := dial(t, h, "/openai/v1/responses", http.Header{"Session-Id": {"sess-1"}, "Authorization": {"Bearer sk-planted-credential"}})
	if c.Subprotocol() != "p2" {
		t.Errorf("subprotocol = %q, want what the provider chose", c.Subprotocol())
	}
	messages := []string{
		`{"type":"response.create","model":"gpt-5-codex","generate":false,"input":[]}`,
		` {"type":"response.create","model":"gpt-5-codex","input":[{"role":"user","content":"` + strings.Repeat("long ", 50000) + `"}]}`,
		`{"type":"response.create","model":"gpt-5-codex","previous_response_id":"resp_2","input":[{"type":"function_call_output","call_id":"c","output":"ok"}]}`,
	}
	var answers []string
	for i, m := range messages {
		want := responseEvents(fmt.Sprint("resp_", i+1), strings.Repeat("word ", 100))
		got := say(t, c, m, len(want))
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("events of message %d were changed: %q", i, got)
		}
		answers = append(answers, strings.Join(want, ""))
	}
	c.Close(websocket.StatusNormalClosure, "")
	views := h.ended(4)
	if v := views[0]; v.Method != "GET" || v.Status != 101 || v.ProviderRequestID != "req_up" || v.Turn != nil {
		t.Errorf("upgrade: %+v", v)
	}
	for i, v := range views[1:] {
		h.exact(v, messages[i], answers[i])
		if v.Method != flow.MethodMessage || v.State != flow.Done || v.Session != "sess-1" {
			t.Errorf("message %d: %+v", i, v)
		}
		if u := v.Usage; u.Input != 40 || u.CacheRead != 60 || u.Output != 7 || u.Reasoning != 2 {
			t.Errorf("message %d: usage %+v", i, u)
		}
	}
	if views[1].Turn != nil || views[2].Turn == nil || *views[2].Turn != 1 || *views[3].Turn != 2 {
		t.Errorf("turns = %v %v %v; want none, 1, 2", views[1].Turn, views[2].Turn, views[3].Turn)
	}
	grep(t, h.dir, "sk-planted-credential", "long long", "function_call_output")
}

func TestSocketRefusalsAndCloses(t *testing.T) {
	up := socketUpstream(t, func(m string) []string {
		if strings.Contains(m, "bye") {
			return []string{"CLOSE"}
		}
		return responseEvents("resp_1", "x")
	})
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.Body = 1000 })
	c := dial(t, h, "/v1/responses", nil)
	got := say(t, c, `{"type":"response.create","input":"`+strings.Repeat("x", 2000)+`"}`, 1)
	if !strings.Contains(got[0], "over the limit") || !strings.Contains(got[0], `"type":"error"`) {
		t.Errorf("over the limit: %q", got)
	}
	c = dial(t, h, "/v1/responses", nil)
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","input":"bye"}`)); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Read(t.Context())
	if websocket.CloseStatus(err) != 4001 || !strings.Contains(err.Error(), "enough") {
		t.Errorf("close = %v, want the provider's code and reason", err)
	}
	views := h.ended(4)
	if views[1].State != flow.Refused || views[3].State != flow.Aborted {
		t.Errorf("states = %s, %s; want refused, aborted", views[1].State, views[3].State)
	}
}

// TestASocketsReasonStaysHere: nobody judges with what words a client closes a socket.
func TestASocketsReasonStaysHere(t *testing.T) {
	closed := make(chan websocket.CloseError, 1)
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		_, _, err = c.Read(r.Context())
		var end websocket.CloseError
		errors.As(err, &end)
		closed <- end
	})
	h := open(t, t.TempDir(), up, nil)
	dial(t, h, "/v1/responses", nil).Close(4002, "the token is "+planted(9))
	if end := <-closed; end.Code != 4002 || end.Reason != "" {
		t.Errorf("the provider got %v, want the code alone", end)
	}
}

func TestProviderRefusesTheUpgrade(t *testing.T) {
	body := `{"error":{"message":"` + strings.Repeat("no ", 1000) + `"}}`
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUpgradeRequired)
		w.Write([]byte(body))
	})
	h := open(t, t.TempDir(), up, nil)
	req, _ := http.NewRequestWithContext(context.Background(), "GET", h.url+"/openai/v1/responses", nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		req.Header.Set(name, value)
	}
	resp, text := h.do(req)
	if resp.StatusCode != 426 || text != body {
		t.Errorf("got %d and %d bytes, want 426 and %d", resp.StatusCode, len(text), len(body))
	}
	if v := h.ended(1)[0]; v.Status != 426 || h.raw(v.ID, "response") != body {
		t.Errorf("recorded %+v", v)
	}
}

func TestSocketMessagesCountAgainstTheMemoryForBodies(t *testing.T) {
	h := open(t, t.TempDir(), socketUpstream(t, func(string) []string { return responseEvents("resp_1", "x") }), func(c *config.Config) {
		c.Limits.Body, c.Limits.Memory = 1<<20, 1<<20
	})
	c := dial(t, h, "/v1/responses", nil)
	big := func(n int) string {
		return `{"type":"response.create","input":"` + strings.Repeat("x", n) + `"}`
	}
	for range 5 { // what one message held is given back
		say(t, c, big(500<<10), 3)
	}
	got := say(t, c, big(1040<<10), 1)
	if !strings.Contains(got[0], "limits.") || !strings.Contains(got[0], `"type":"error"`) {
		t.Errorf("beyond the memory: %.200q", got)
	}
}
