package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// TestStalledProvider: an idle time-out, not a total one, ends a provider that
// says nothing more.
func TestStalledProvider(t *testing.T) {
	r := rig.Start(t, rig.Options{Config: "limits:\n  idle_timeout: 300ms\n"})
	resp := call(t, t.Context(), r.Gateway+"/anthropic/v1/messages", stream("[stall 1] say: one two three four five"))
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stream came to an end as if it were whole")
	}
	resp = call(t, t.Context(), r.Gateway+"/anthropic/v1/messages", stream("[pace 100ms] say: "+strings.Repeat("slow and long ", 8)))
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("a slow stream was cut: %v", err)
	}
	flows := r.Settled()
	if flows[0].State != "aborted" || flows[0].ResponseBytes == 0 || flows[1].State != "done" {
		t.Errorf("flows %+v", flows)
	}
}

// TestSlowClient: a client that stops sending is told so, and nothing of it is
// forwarded.
func TestSlowClient(t *testing.T) {
	r := rig.Start(t, rig.Options{Config: "limits:\n  read_timeout: 300ms\n"})
	c, err := net.Dial("tcp", strings.TrimPrefix(r.Gateway, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprintf(c, "POST /anthropic/v1/messages HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\n{\"model\":", strings.TrimPrefix(r.Gateway, "http://"))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 4 || !strings.Contains(string(body), `"type":"error"`) {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
	if seen := r.Begun(); len(seen) != 0 {
		t.Errorf("the provider saw %+v", seen)
	}
}

// TestMalformed: what is no JSON, or does not decode, goes through as it is;
// the provider judges it.
func TestMalformed(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(z, zeros{}, 80<<20)
	_ = z.Close()
	for name, tc := range map[string]struct{ body, coding string }{
		"cut":     {`{"model":"claude-sonnet-4-5","messages":[{"role":"us`, ""},
		"empty":   {"", ""},
		"bytes":   {"\x00\xff\xfe binary", ""},
		"no gzip": {"this is not gzip", "gzip"},
		"unknown": {"whatever", "x-unknown"},
		"bomb":    {bomb.String(), "gzip"},
	} {
		resp := call(t, t.Context(), r.Gateway+"/anthropic/v1/messages", tc.body, "Content-Encoding", tc.coding)
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 400 || strings.Contains(string(body), "Gatehouse") {
			t.Errorf("%s: %v, status %d: %s", name, err, resp.StatusCode, body)
		}
	}
	for _, p := range r.Pairs() {
		if p.State != "done" || p.Status != 400 {
			t.Errorf("flow %+v", p.Flow)
		}
	}
	r.Sound()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestQueryKey: a key in the query reaches the provider and no file of ours.
func TestQueryKey(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	resp, err := http.Post(r.Gateway+"/gemini/v1beta/models/gemini-2.5-pro:generateContent?key="+rig.Secret, "application/json",
		strings.NewReader(`{"contents":[{"role":"user","parts":[{"text":"say: hello"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	pairs := r.Pairs()
	if len(pairs) != 1 || !strings.HasSuffix(pairs[0].Seen.In.Path, "?key="+fingerprint(rig.Secret)) {
		t.Fatalf("the provider saw %+v", pairs)
	}
	if strings.Contains(pairs[0].Path, rig.Secret) {
		t.Errorf("the flow's path holds the key: %s", pairs[0].Path)
	}
	sealed(t, r)
}

// TestPrefixes: the same call by each of its paths is the same flow.
func TestPrefixes(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	for _, path := range []string{"/anthropic/v1/messages", "/llm-gateway/anthropic/v1/messages", "/v1/messages", "/llm-gateway/v1/messages", "/anthropic/v1/messages?beta=true"} {
		resp := call(t, t.Context(), r.Gateway+path, stream("say: hello "+path))
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(body), "message_stop") {
			t.Errorf("%s: status %d: %s", path, resp.StatusCode, body)
		}
	}
	for _, p := range r.Pairs() {
		if p.Provider != "anthropic" || !strings.HasPrefix(p.Seen.In.Path, "/v1/messages") || p.Turn == nil {
			t.Errorf("%s arrived as %s: %+v", p.Path, p.Seen.In.Path, p.Flow)
		}
	}
	for _, path := range []string{"/anthropic/../v1/messages", "/anthropic/v1/%2e%2e/messages", "/nothing", "/v2/whatever"} {
		resp := call(t, t.Context(), r.Gateway+path, stream("say: no"))
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 404 || !strings.Contains(string(body), "/anthropic") {
			t.Errorf("%s: status %d: %s", path, resp.StatusCode, body)
		}
	}
	if n := len(r.Flows()); n != 5 {
		t.Errorf("%d flows: what fits no provider is none", n)
	}
}
