package simulate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/workingagents/gatehouse/internal/simulate"
)

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), url+"/openai/v1/responses", &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Sec-Websocket-Extensions"); !strings.HasPrefix(got, "permessage-deflate") || strings.Contains(got, "no_context_takeover") {
		t.Errorf("extensions %q, want permessage-deflate with context takeover", got)
	}
	c.SetReadLimit(1 << 24)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

type socketEvent struct {
	Type     string
	Status   int
	Error    struct{ Code string }
	Response struct {
		ID     string
		Output []struct{ Type, Name, Input string }
		Usage  struct {
			Input int `json:"input_tokens"`
		}
	}
}

// ask sends one message and reads the events up to the last one.
func ask(t *testing.T, c *websocket.Conn, body string) (last socketEvent, types []string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(body)); err != nil {
		t.Fatal(err)
	}
	for {
		_, data, err := c.Read(t.Context())
		if err != nil {
			t.Fatalf("after %v: %v", types, err)
		}
		last = socketEvent{}
		if err := json.Unmarshal(data, &last); err != nil {
			t.Fatal(err)
		}
		types = append(types, last.Type)
		switch last.Type {
		case "response.completed", "response.failed", "error":
			return last, types
		}
	}
}

// TestSocket is Codex's way: a warm-up without an answer, then only what is
// new, continued by the previous response's id.
func TestSocket(t *testing.T) {
	dir := t.TempDir()
	c := dial(t, serve(t, simulate.Options{Record: dir}))
	warm, types := ask(t, c, `{"type":"response.create","generate":false,"model":"m","input":[]}`)
	if len(warm.Response.Output) != 0 || types[0] != "response.created" {
		t.Errorf("warm-up: %+v, events %v", warm, types)
	}
	first, _ := ask(t, c, `{"type":"response.create","model":"m","previous_response_id":"`+warm.Response.ID+`","input":[`+execTool+`,{"type":"message","role":"user","content":"run: echo hi"}]}`)
	if len(first.Response.Output) != 1 || first.Response.Output[0].Type != "custom_tool_call" || !strings.Contains(first.Response.Output[0].Input, "echo hi") {
		t.Fatalf("first: %+v", first)
	}
	second, types := ask(t, c, `{"type":"response.create","model":"m","previous_response_id":"`+first.Response.ID+`","input":[{"type":"custom_tool_call_output","call_id":"c","output":"hi"}]}`)
	if len(second.Response.Output) != 1 || second.Response.Output[0].Type != "message" || second.Response.Usage.Input <= first.Response.Usage.Input {
		t.Errorf("second: %+v", second)
	}
	ask(t, c, "a message whose answer comes after the record of the last one")
	var out simulate.Sent
	load(t, filepath.Join(dir, "000004.end.json"), &out)
	var in simulate.Received
	load(t, filepath.Join(dir, "000004.json"), &in)
	if in.Method != "MESSAGE" || len(out.Messages) != len(types) || !out.Complete {
		t.Errorf("record of message 3 (after the upgrade): %+v, %+v, %d events", in, out, len(types))
	}
}

func TestSocketErrors(t *testing.T) {
	c := dial(t, serve(t, simulate.Options{}))
	for body, want := range map[string]struct {
		code   string
		status int
	}{
		`{"type":"response.create","model":"m","previous_response_id":"resp_never","input":[]}`: {"previous_response_not_found", 400},
		`{"type":"response.create","model":"m","input":"[fail 429] x"}`:                         {"rate_limit_exceeded", 429},
		`{"type":"something.else"}`: {"invalid_request", 400},
		`no JSON`:                   {"invalid_request", 400},
	} {
		if got, _ := ask(t, c, body); got.Type != "error" || got.Status != want.status || got.Error.Code != want.code {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
	if got, _ := ask(t, c, `{"type":"response.create","model":"m","input":"[error 1] say: a b c d e f g h"}`); got.Type != "response.failed" {
		t.Errorf("error in the stream: %+v", got)
	}
}

func TestSocketCut(t *testing.T) {
	c := dial(t, serve(t, simulate.Options{}))
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":"[cut 1] say: a b c d e f g"}`)); err != nil {
		t.Fatal(err)
	}
	for {
		_, data, err := c.Read(t.Context())
		if err != nil {
			return
		}
		if strings.Contains(string(data), "response.completed") {
			t.Fatal("the answer came to its end")
		}
	}
}

// TestSocketStall: an answer that waits ends when its client leaves.
func TestSocketStall(t *testing.T) {
	dir := t.TempDir()
	s := simulate.New(simulate.Options{Record: dir})
	ended := make(chan struct{})
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		s.ServeHTTP(w, r)
	})
	c := dial(t, srv)
	if err := c.Write(context.Background(), websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":"[stall 1] say: a b c d e f g"}`)); err != nil {
		t.Fatal(err)
	}
	for {
		_, data, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "output_text.delta") {
			break
		}
	}
	_ = c.CloseNow()
	<-ended
	var out simulate.Sent
	load(t, filepath.Join(dir, "000002.end.json"), &out)
	if out.Complete {
		t.Errorf("a stalled answer is recorded as complete: %+v", out)
	}
}

func TestNoWebSocket(t *testing.T) {
	url := serve(t, simulate.Options{NoWebSocket: true})
	_, resp, err := websocket.Dial(t.Context(), url+"/v1/responses", nil)
	if err == nil || resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("dial: %v, %+v", err, resp)
	}
}

// TestContinue continues a response over HTTP, and reads it back.
func TestContinue(t *testing.T) {
	url := serve(t, simulate.Options{})
	_, got := post(t, url+"/v1/responses", `{"model":"m","input":"say: remember"}`)
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(got), &r); err != nil {
		t.Fatal(err)
	}
	if _, got := post(t, url+"/v1/responses", `{"model":"m","previous_response_id":"`+r.ID+`","input":[]}`); !strings.Contains(got, "remember") {
		t.Errorf("continued: %s", got)
	}
	resp := must(http.Get(url + "/v1/responses/" + r.ID))
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Errorf("reading back: status %d", resp.StatusCode)
	}
	if status, _ := post(t, url+"/v1/responses", `{"model":"m","previous_response_id":"resp_never","input":[]}`); status != 400 {
		t.Errorf("unknown id: status %d", status)
	}
}
