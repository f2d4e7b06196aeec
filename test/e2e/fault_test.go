package e2e

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// call posts to the gateway as a bare client does.
func call(t *testing.T, ctx context.Context, url, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", rig.Secret)
	req.Header.Set("Anthropic-Version", "2023-06-01")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func stream(text string) string {
	return `{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"` + text + `"}]}`
}

// TestFaults plays what goes wrong at providers and with clients. Whatever
// came is on record, and the client sees what it would see without us.
func TestFaults(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	url := r.Gateway + "/anthropic/v1/messages"
	for _, tc := range []struct {
		text, state, want string
		status            int
		broken            bool
	}{
		{"[huge 1048576]", "done", "message_stop", 200, false},
		{"[crlf] [odd] say: hello", "done", "message_stop", 200, false},
		{"[encode gzip] say: hello", "done", "", 200, false},
		{"[encode br] [chunk 5] say: hello", "done", "", 200, false},
		{"[encode zstd] say: hello", "done", "", 200, false},
		{"[encode deflate] say: hello", "done", "", 200, false},
		{"[bare] say: hello", "done", "message_stop", 200, false},
		{"[fail 529] x", "done", "overloaded_error", 529, false},
		{"[error 1] say: one two three four five six", "done", "overloaded_error", 200, false},
		{"[cut 1] say: one two three four five six", "aborted", "one two three", 200, true},
	} {
		t.Run(tc.text, func(t *testing.T) {
			before := len(r.Flows())
			resp := call(t, t.Context(), url, stream(tc.text), "Accept-Encoding", "gzip, deflate, br, zstd")
			body, err := io.ReadAll(resp.Body)
			if broken := err != nil; broken != tc.broken || resp.StatusCode != tc.status || !strings.Contains(string(body), tc.want) {
				t.Errorf("status %d, error %v, %d bytes", resp.StatusCode, err, len(body))
			}
			flows := r.Settled()[before:]
			if len(flows) != 1 || flows[0].State != tc.state || flows[0].Status != tc.status || flows[0].ResponseBytes != int64(len(body)) {
				t.Errorf("flows %+v, the client got %d bytes", flows, len(body))
			}
		})
	}
	r.Pairs()
	r.Sound()
}

// TestCancel: a client that leaves in the middle ends the provider's call, and
// what came until then is on record.
func TestCancel(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	resp := call(t, ctx, r.Gateway+"/anthropic/v1/messages", stream("[stall 2] say: one two three four five six seven eight"))
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "content_block_delta") {
			break
		}
	}
	cancel()
	flows, seen := r.Settled(), r.Received()
	if len(flows) != 1 || flows[0].State != "aborted" || flows[0].ResponseBytes == 0 || flows[0].Usage.Input == 0 {
		t.Errorf("flows %+v", flows)
	}
	if len(seen) != 1 || seen[0].Out.Complete {
		t.Errorf("the provider saw %+v", seen)
	}
}

// TestDrain: SIGTERM lets a running stream end.
func TestDrain(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	resp := call(t, t.Context(), r.Gateway+"/anthropic/v1/messages", stream("[pace 20ms] [words 60]"))
	if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { r.Stop(); close(done) }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "message_stop") {
		t.Errorf("the stream was cut: %v", err)
	}
	<-done
	for _, f := range r.Flows() {
		if f.State != "done" {
			t.Errorf("flow %+v", f)
		}
	}
	r.Sound()
}

// TestHTTP2: the way to a provider over HTTP/2, under a private certificate.
func TestHTTP2(t *testing.T) {
	r := rig.Start(t, rig.Options{TLS: true})
	for text, state := range map[string]string{"say: over two": "done", "[encode br] say: over two": "done", "[cut 1] say: one two three four five": "aborted"} {
		resp := call(t, t.Context(), r.Gateway+"/anthropic/v1/messages", stream(text), "Accept-Encoding", "br")
		_, err := io.ReadAll(resp.Body)
		flows := r.Settled()
		if last := flows[len(flows)-1]; last.State != state || (err == nil) != (state == "done") {
			t.Errorf("%s: error %v, flow %+v", text, err, last)
		}
	}
	for _, p := range r.Pairs() {
		if p.Seen.In.Proto != "HTTP/2.0" {
			t.Errorf("the provider was called over %s", p.Seen.In.Proto)
		}
	}
	if said := r.Ask(rig.Codex, "say: a socket behind TLS"); !said.Said("a socket behind TLS") {
		t.Errorf("said %s%s", said.Out, said.Err)
	}
}
