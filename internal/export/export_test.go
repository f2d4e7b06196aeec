package export_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/archive"
	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
)

var start = time.Date(2026, 3, 1, 10, 0, 0, 500e6, time.UTC)

const (
	said   = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello \u00e9 ü"}]}`
	answer = "event: message_start\ndata: {\"type\":\"message_start\"}\n\n"
)

// call is a flow that ended, with its bodies.
func call(request, response string) *export.Flow {
	f := &export.Flow{
		Intent: &flow.Intent{
			Flow: "f1", Started: start, Entrance: flow.Redirect, Provider: flow.Anthropic, API: flow.Messages, Method: http.MethodPost, Path: "/v1/messages?beta=true&key=fp_0123456789abcdef",
			Principal: flow.Principal{Name: "ann/claude"}, Decision: flow.Decision{Verdict: flow.Pass, Why: "nothing found"}, RequestBytes: int64(len(request)), RequestSHA256: "aa", ForwardedSHA256: "aa",
			Header: []flow.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Api-Key", Value: "fp_0123456789abcdef"}},
		},
		Outcome: &flow.Outcome{
			Flow: "f1", State: flow.Done, Status: 200, ResponseBytes: int64(len(response)), ResponseSHA256: "bb", DeliveredSHA256: "bb",
			FirstByte: 100 * time.Millisecond, Duration: 250 * time.Millisecond, Header: []flow.Header{{Name: "Content-Type", Value: "text/event-stream"}},
		},
	}
	f.Bodies = []export.Body{body(export.Request, request), body(export.Response, response)}
	return f
}

func body(what export.What, chunks ...string) export.Body {
	b := export.Body{What: what}
	for i, c := range chunks {
		b.Chunks = append(b.Chunks, export.Chunk{Data: []byte(c), At: time.Duration(i) * time.Second})
	}
	return b
}

func compressed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// socket is a message of a WebSocket, and what came back.
func socket() *export.Flow {
	f := call(`{"type":"response.create","model":"m"}`, "")
	f.Intent.Method, f.Intent.API, f.Intent.Provider, f.Intent.Path = flow.MethodMessage, flow.Responses, flow.OpenAI, "/v1/responses"
	f.Outcome.Status = 200
	f.Bodies[1] = body(export.Response, `{"type":"response.created"}`, "\xff\x00", `{"type":"response.completed"}`)
	return f
}

func lines(t *testing.T, flows ...*export.Flow) []map[string]json.RawMessage {
	t.Helper()
	var b bytes.Buffer
	w := export.NewJSONL(&b)
	for _, f := range flows {
		if err := w.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var list []map[string]json.RawMessage
	for line := range strings.Lines(b.String()) {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, m)
	}
	return list
}

func har(t *testing.T, flows ...*export.Flow) string {
	t.Helper()
	var b bytes.Buffer
	w := export.NewHAR(&b, "1.0", func(*flow.Intent) string { return "https://api.example.com" })
	for _, f := range flows {
		if err := w.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if len(flows) > 0 && json.Valid(b.Bytes()) {
		t.Error("it looks complete before it is closed")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type content struct {
	Text     *string
	Base64   []byte
	LeftOut  string `json:"left_out"`
	Decoded  bool
	Masked   int
	Messages []struct {
		At     float64 `json:"at_ms"`
		Text   *string
		Base64 []byte
	}
}

func read(t *testing.T, raw json.RawMessage) (c content) {
	t.Helper()
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return c
}

// TestJSONL: bodies are exact, as text when they are UTF-8; what is missing says
// why; metadata alone has none.
func TestJSONL(t *testing.T) {
	zipped := call(compressed(said), answer)
	gone := call(said, answer)
	gone.Bodies[1] = export.Body{What: export.Response, Left: "retention removed it"}
	bare := call(said, answer)
	bare.Bodies = nil
	list := lines(t, call(said, answer), zipped, gone, bare, socket(), call("", "\x00"))
	if len(list) != 6 {
		t.Fatalf("%d lines", len(list))
	}
	if c := read(t, list[0]["request"]); c.Text == nil || *c.Text != said {
		t.Errorf("request %s", list[0]["request"])
	}
	if c := read(t, list[0]["response"]); c.Text == nil || *c.Text != answer {
		t.Errorf("response %s", list[0]["response"])
	}
	var view flow.View
	if err := json.Unmarshal(list[0]["view"], &view); err != nil || view.ID != "f1" || view.RequestSHA256 != "aa" {
		t.Errorf("view %s %v", list[0]["view"], err)
	}
	if c := read(t, list[1]["request"]); c.Text != nil || string(c.Base64) != compressed(said) {
		t.Errorf("a compressed request: %s", list[1]["request"])
	}
	if c := read(t, list[2]["response"]); c.LeftOut != "retention removed it" || c.Text != nil {
		t.Errorf("what is gone: %s", list[2]["response"])
	}
	if list[3]["request"] != nil || list[3]["response"] != nil || list[3]["intent"] == nil {
		t.Errorf("metadata alone: %s", list[3])
	}
	m := read(t, list[4]["response"]).Messages
	if len(m) != 3 || m[0].Text == nil || m[1].Text != nil || string(m[1].Base64) != "\xff\x00" || m[2].At != 2000 {
		t.Errorf("messages %+v", m)
	}
	if c := read(t, list[5]["response"]); c.Text == nil || *c.Text != "\x00" {
		t.Errorf("NUL: %s", list[5]["response"])
	}
}

// required are the members that HAR 1.2 asks for, by object.
var required = map[string][]string{
	"log": {"version", "creator", "entries"}, "creator": {"name", "version"},
	"entry":    {"startedDateTime", "time", "request", "response", "cache", "timings"},
	"request":  {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
	"response": {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"},
	"content":  {"size", "mimeType"}, "timings": {"send", "wait", "receive"}, "postData": {"mimeType", "text"},
}

// meets checks an object, and those in it, against the specification.
func meets(t *testing.T, name string, v any) {
	t.Helper()
	object, ok := v.(map[string]any)
	if !ok {
		t.Errorf("%s is no object: %v", name, v)
		return
	}
	for _, member := range required[name] {
		switch m := object[member].(type) {
		case nil:
			t.Errorf("%s has no %s", name, member)
		case map[string]any:
			meets(t, member, m)
		case []any:
			for _, e := range m {
				switch member {
				case "entries":
					meets(t, "entry", e)
				case "headers", "queryString", "cookies":
					p := e.(map[string]any)
					if _, ok := p["name"].(string); !ok || p["value"] == nil {
						t.Errorf("%s: %v", member, e)
					}
				}
			}
		}
	}
	if post, ok := object["postData"]; ok && name == "request" {
		meets(t, "postData", post)
	}
	for _, m := range []string{"send", "wait", "receive"} {
		if n, ok := object[m].(float64); name == "timings" && (!ok || n < 0) {
			t.Errorf("timings: %v", object)
		}
	}
}

func TestHARMeetsItsSpecification(t *testing.T) {
	open := call(said, "")
	open.Outcome = nil
	failed := call(said, "")
	failed.Outcome = &flow.Outcome{State: flow.Aborted, Why: "the provider went away", Duration: time.Second}
	bare := call("", "")
	bare.Bodies = nil
	var log map[string]any
	text := har(t, call(said, answer), open, failed, bare, socket())
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	meets(t, "log", log["log"])
	entries := log["log"].(map[string]any)["entries"].([]any)
	first := entries[0].(map[string]any)
	request := first["request"].(map[string]any)
	if request["url"] != "https://api.example.com/v1/messages?beta=true&key=fp_0123456789abcdef" || first["time"] != 250.0 || first["startedDateTime"] != "2026-03-01T10:00:00.5Z" {
		t.Errorf("%v %v %v", request["url"], first["time"], first["startedDateTime"])
	}
	if h := request["headers"].([]any)[1].(map[string]any); !strings.Contains(h["comment"].(string), "fingerprint") {
		t.Errorf("a credential: %v", h)
	}
	if own := first["_gatehouse"].(map[string]any); own["verdict"] != "pass" || own["usage"] == nil || own["request_body"] != "request" {
		t.Errorf("_gatehouse: %v", own)
	}
	if e := entries[2].(map[string]any); !strings.Contains(e["comment"].(string), "went away") {
		t.Errorf("a call that failed: %v", e)
	}
	meets(t, "log", func() (log any) {
		var empty map[string]any
		if err := json.Unmarshal([]byte(har(t)), &empty); err != nil {
			t.Fatal(err)
		}
		return empty["log"]
	}())
}

// TestHARComesBack: what the importer reads of it is what was sent and what came,
// byte for byte; of a compressed answer what it decodes to.
func TestHARComesBack(t *testing.T) {
	image := call(said, "\x89PNG\xff\xfe")
	zipped := call(compressed(said), compressed(answer))
	zipped.Intent.Header = append(zipped.Intent.Header, flow.Header{Name: "Content-Encoding", Value: "gzip"})
	zipped.Outcome.Header = append(zipped.Outcome.Header, flow.Header{Name: "Content-Encoding", Value: "gzip"})
	again := call(said, answer) // as an import has it: free of the coding that the header tells
	again.Outcome.Header = zipped.Outcome.Header
	var list []*archive.Exchange
	err := archive.Read(strings.NewReader(har(t, call(said, answer), image, zipped, again, socket())), func(x *archive.Exchange) error {
		list = append(list, x)
		return nil
	})
	if err != nil || len(list) != 5 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	for i, want := range []struct{ request, response string }{
		{said, answer}, {said, "\x89PNG\xff\xfe"}, {compressed(said), answer}, {said, answer},
	} {
		x := list[i]
		if string(x.Body) != want.request || string(x.Response.Body) != want.response {
			t.Errorf("%d: %q, %q", i, x.Body, x.Response.Body)
		}
		if !x.Started.Equal(start) || x.Response.FirstByte != 100*time.Millisecond || x.Response.Duration != 250*time.Millisecond || x.Response.Status != 200 {
			t.Errorf("%d: %v %+v", i, x.Started, x.Response)
		}
	}
	if list[2].Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", list[2].Header)
	}
	m := list[4].Messages
	if len(m) != 4 || !m[0].FromClient || m[1].FromClient || m[2].Text || string(m[2].Data) != "\xff\x00" || !m[3].At.Equal(start.Add(2*time.Second)) || !strings.HasPrefix(list[4].URL, "wss://") {
		t.Errorf("%s: messages %+v", list[4].URL, m)
	}
}

func TestHARSaysWhatIsLeftOut(t *testing.T) {
	f := call(said, answer)
	f.Bodies[0] = export.Body{What: export.Request, Left: "only metadata of this flow is kept"}
	if text := har(t, f); !strings.Contains(text, "left out: only metadata") {
		t.Errorf("%s", text)
	}
	f = call(said, base64.StdEncoding.EncodeToString([]byte("no gzip"))+"\xff")
	f.Outcome.Header = append(f.Outcome.Header, flow.Header{Name: "Content-Encoding", Value: "gzip"})
	if text := har(t, f); !strings.Contains(text, "could not be decoded") {
		t.Errorf("%s", text)
	}
}
