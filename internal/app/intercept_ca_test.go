package app_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// TestANewHostNeedsARotation, which a running gateway follows.
func TestANewHostNeedsARotation(t *testing.T) {
	dir := t.TempDir()
	if _, err := ca.Rotate(dir, []string{"api.openai.com"}, 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	up := answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, messagesSaid) })
	h := open(t, dir, up, func(c *config.Config) { c.Intercept.Listen = "127.0.0.1:0" })
	running := h.client(false, nil) // has read the old root
	status, text, _ := h.connect("api.anthropic.com:443")
	if status != http.StatusBadGateway || !strings.Contains(text, "gatehouse ca rotate") {
		t.Errorf("a host that the issuer does not permit: %d %s", status, text)
	}
	if _, err := ca.Rotate(dir, config.Default().Intercept.Hosts(), ca.Overlap, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, got := ask(t, h.client(false, nil), anthropic+"/v1/messages", messagesBody); got != messagesSaid {
		t.Errorf("after the rotation: %q", got)
	}
	if _, got := ask(t, running, "https://api.openai.com/v1/chat/completions", messagesBody); got != messagesSaid {
		t.Errorf("what ran before the rotation: %q", got)
	}
	if views := h.ended(3); views[0].State != flow.Refused || views[1].State != flow.Done || views[2].State != flow.Done {
		t.Errorf("on record: %+v", views)
	}
	var said struct{ Ledger struct{ Entries uint64 } }
	if err := getJSON(h.admin, "/api/v1/status", &said); err != nil || said.Ledger.Entries != 1+1+3*2 {
		t.Errorf("%d entries (%v); want 8: the start, the new issuer, two for each flow", said.Ledger.Entries, err)
	}
}

// TestAKeyThatOthersCanReadStopsTheStart, unless there is no forward proxy.
func TestAKeyThatOthersCanReadStopsTheStart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir := t.TempDir()
	made, err := ca.Rotate(dir, []string{"api.openai.com"}, 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, ca.Folder, made.ID+".key"), 0o640); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = dir, "127.0.0.1:0", "off", "127.0.0.1:0"
	if err := app.Run(t.Context(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "read by others") {
		t.Errorf("error = %v", err)
	}
	open(t, dir, answering(plainAnswer), nil)
}

// TestAProviderThatIsNotTrusted gets nothing, by whichever way, and the flow says
// why.
func TestAProviderThatIsNotTrusted(t *testing.T) {
	provider := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the provider was asked") }))
	provider.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	provider.StartTLS()
	defer provider.Close()
	h := intercepting(t, answering(plainAnswer), func(c *config.Config) {
		for name := range c.Upstreams {
			c.Upstreams[name] = config.Upstream{URL: provider.URL} // whose certificate nobody knows
		}
	})
	resp, text := ask(t, h.client(true, nil), anthropic+"/v1/messages", messagesBody)
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "could not be trusted") {
		t.Errorf("%s %s", resp.Status, text)
	}
	untrusted(t, h, h.ended(1)[0])
	_, resp, err := websocket.Dial(t.Context(), "wss://api.openai.com/v1/responses", &websocket.DialOptions{HTTPClient: h.client(false, nil)})
	if err == nil || resp == nil || resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a socket: %v %v", resp, err)
	}
	untrusted(t, h, h.ended(2)[1])
	row := caller{h.client(true, nil).Transport, "https://api.openai.com/agent.v1.Chat/Run"}.row(t, "application/grpc")
	if got := row.resp.Header.Get("Grpc-Message"); row.resp.Header.Get("Grpc-Status") != "14" || !strings.Contains(got, "trusted") {
		t.Errorf("a row of messages: %v", row.resp.Header)
	}
	untrusted(t, h, h.ended(3)[2])
}

// untrusted checks the record of a call to a provider that is not trusted.
func untrusted(t *testing.T, h *house, v flow.View) {
	t.Helper()
	if v.State != flow.Refused || v.Verdict != flow.Block || !strings.Contains(v.Why, "self-signed") || v.ProviderTLS != nil || v.ForwardedBytes != 0 || v.ForwardedSHA256 != "" {
		t.Errorf("on record: %+v", v)
	}
	if len(v.Findings) != 1 || v.Findings[0].Rule != policy.Untrusted || v.Findings[0].Severity != flow.High || v.Findings[0].Action != flow.BlockIt || !strings.Contains(v.Findings[0].Note, "self-signed") {
		t.Errorf("found: %+v", v.Findings)
	}
	if kept := h.raw(v.ID, "forwarded"); kept != "" {
		t.Errorf("%q is on record as forwarded", kept)
	}
}

// TestTheProxyBeyondLoopbackNeedsAKey as the agents' port does.
func TestTheProxyBeyondLoopbackNeedsAKey(t *testing.T) {
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = t.TempDir(), "127.0.0.1:0", "off", "0.0.0.0:0"
	err := app.Run(t.Context(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "gatehouse key add") || errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v", err)
	}
}
