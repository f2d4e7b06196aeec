package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

func plainAnswer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, helloAnswer)
}

func TestPathsReachTheProvider(t *testing.T) {
	tests := []struct {
		path, header, want string
		provider           flow.Provider
	}{
		{"/anthropic/v1/messages?beta=true", "", "/v1/messages?beta=true", flow.Anthropic},
		{"/llm-gateway/anthropic/v1/messages", "", "/v1/messages", flow.Anthropic},
		{"/v1/messages/count_tokens", "", "/v1/messages/count_tokens", flow.Anthropic},
		{"/openai/v1/responses", "", "/v1/responses", flow.OpenAI},
		{"/v1/embeddings", "", "/v1/embeddings", flow.OpenAI},
		{"/v1/files", "", "/v1/files", flow.OpenAI},
		{"/v1/files", "Anthropic-Version", "/v1/files", flow.Anthropic},
		{"/gemini/v1beta/models/gemini-2.5-pro:generateContent?key=AIzaSecret", "", "/v1beta/models/gemini-2.5-pro:generateContent?key=AIzaSecret", flow.Gemini},
		{"/v1internal:loadCodeAssist", "", "/v1internal:loadCodeAssist", flow.Gemini},
	}
	up := answering(plainAnswer)
	h := open(t, t.TempDir(), up, nil)
	for _, tt := range tests {
		header := []string{}
		if tt.header != "" {
			header = []string{tt.header, "2023-06-01"}
		}
		if resp, text := h.call(tt.path, "{}", header...); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", tt.path, resp.StatusCode, text)
			continue
		}
		if got := (<-up.seen).r.RequestURI; got != tt.want {
			t.Errorf("%s reached the provider as %s, want %s", tt.path, got, tt.want)
		}
	}
	for i, v := range h.ended(len(tests)) {
		if v.Provider != tests[i].provider {
			t.Errorf("%s: provider %s, want %s", tests[i].path, v.Provider, tests[i].provider)
		}
		if strings.Contains(v.Path, "AIzaSecret") {
			t.Errorf("a key stands in the recorded path %s", v.Path)
		}
	}
}

func TestWhoIsTurnedAway(t *testing.T) {
	up := answering(plainAnswer)
	h := open(t, t.TempDir(), up, nil)
	tests := []struct {
		name, path string
		change     func(*http.Request)
		status     int
		text       string
	}{
		{"a page from elsewhere", "/v1/messages", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403, "not for web pages"},
		{"a browser's navigation", "/v1/messages", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 403, "not for web pages"},
		{"a name bound to this address", "/v1/messages", func(r *http.Request) { r.Host = "evil.example:4000" }, 403, "Host"},
		{"a path of nobody", "/favicon.ico", nil, 404, "/anthropic"},
		{"a path that climbs", "/anthropic/v1/../../etc/passwd", nil, 404, "/anthropic"},
		{"an unknown access key", "/k/ghk_nonsense/anthropic/v1/messages", nil, 400, "access key"},
	}
	for _, tt := range tests {
		req := h.request(tt.path, hello)
		req.URL.Opaque = tt.path // no normalising by the client
		if tt.change != nil {
			tt.change(req)
		}
		resp, text := h.do(req)
		if resp.StatusCode != tt.status || !strings.Contains(text, tt.text) {
			t.Errorf("%s: %d %s; want %d and %q", tt.name, resp.StatusCode, text, tt.status, tt.text)
		}
	}
	if n := len(h.flows()); n > 0 || len(up.seen) > 0 {
		t.Errorf("%d flows, %d requests at the provider; want none", n, len(up.seen))
	}
}

func TestAccessKeyNamesThePrincipalAndStaysHere(t *testing.T) {
	up := answering(plainAnswer)
	h := open(t, t.TempDir(), up, nil)
	resp, err := h.admin.Post("http://localhost/api/v1/keys", "application/json", strings.NewReader(`{"name":"ci"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || !strings.HasPrefix(made.Key, "ghk_") {
		t.Fatalf("key %q, %v", made.Key, err)
	}
	h.call("/k/"+made.Key+"/anthropic/v1/messages", hello)
	h.call("/anthropic/v1/messages", hello, "X-Gatehouse-Key", made.Key)
	for _, v := range h.ended(2) {
		if v.Principal != "key:ci" || v.Path != "/v1/messages" {
			t.Errorf("principal %q, path %q", v.Principal, v.Path)
		}
		s := <-up.seen
		if dump := fmt.Sprint(s.r.RequestURI, s.r.Header); strings.Contains(dump, made.Key) {
			t.Errorf("the access key was forwarded: %s", dump)
		}
	}
	grep(t, h.dir, made.Key)
}

func TestDrainLetsStreamsEndAndTakesNoNewCalls(t *testing.T) {
	more, started := make(chan struct{}), make(chan struct{})
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"type\":\"ping\"}\n\n")
		http.NewResponseController(w).Flush()
		close(started)
		<-more
		io.WriteString(w, "data: {\"type\":\"message_stop\"}\n\n")
	})
	h := open(t, t.TempDir(), up, nil)
	resp, err := http.DefaultClient.Do(h.request("/v1/messages", hello))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-started
	h.stop()
	for { // until the stop has been noticed
		resp, err := h.admin.Get("http://localhost/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable {
			break
		}
	}
	if refused, text := h.call("/anthropic/v1/other", "{}"); refused.StatusCode != 503 || !strings.Contains(text, "stopping") {
		t.Errorf("a new call: %d %s", refused.StatusCode, text)
	}
	close(more)
	if text, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(text), "message_stop\"}\n\n") {
		t.Errorf("the running stream was cut: %q, %v", text, err)
	}
	if err := <-h.done; err != nil {
		t.Errorf("stopping: %v", err)
	}
	h.stop = nil
}

func TestSecondServerNamesTheFirst(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), nil)
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = h.dir, "127.0.0.1:0", "off", "off"
	err := app.Run(t.Context(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("error = %v", err)
	}
}

func TestBeyondLoopbackNeedsAKey(t *testing.T) {
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = t.TempDir(), "0.0.0.0:0", "off", "off"
	err := app.Run(t.Context(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "gatehouse key add") {
		t.Errorf("error = %v", err)
	}
}

func TestRefusalsOfStrangersAreCountedNotListed(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), nil)
	for range 50 {
		h.call("/nowhere", "x")
	}
	h.close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := config.Default()
	c.Data = h.dir
	sockets, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- app.Offline(ctx, app.Options{Config: c, Log: slog.New(slog.DiscardHandler)}, func(s string) { sockets <- s })
	}()
	select {
	case socket := <-sockets:
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}}
		defer client.CloseIdleConnections()
		resp, err := client.Get("http://localhost/api/v1/flows")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); len(text) > 0 {
			t.Errorf("flows = %s", text)
		}
		var status struct{ Ledger struct{ Entries uint64 } }
		if err := getJSON(client, "/api/v1/status", &status); err != nil || status.Ledger.Entries != 3 {
			t.Errorf("%d entries (%v); want 3: the start, one for all refusals, the stop", status.Ledger.Entries, err)
		}
	case err := <-done:
		t.Fatal(err)
	}
}

func getJSON(client *http.Client, path string, into any) error {
	resp, err := client.Get("http://localhost" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
