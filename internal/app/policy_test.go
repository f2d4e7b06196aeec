package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
)

// says is a provider that answers every call with an empty message.
var says = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"id":"m","type":"message","content":[]}`)
})

// write saves a policy file.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h *house) reload() (status int, text string) {
	h.t.Helper()
	resp, err := h.admin.Post("http://localhost/api/v1/policy/reload", "", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func (h *house) policy() (s console.PolicyStatus) {
	h.t.Helper()
	if err := json.Unmarshal(h.adminGet("/policy"), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// entries counts the ledger's.
func (h *house) entries() (n uint64) {
	h.t.Helper()
	var status struct{ Ledger struct{ Entries uint64 } }
	if err := json.Unmarshal(h.adminGet("/status"), &status); err != nil {
		h.t.Fatal(err)
	}
	return status.Ledger.Entries
}

// A body that can't be read passes while policy reports, and is blocked when it
// enforces.
const unreadable = `{"model":`

func (h *house) judge() (code int, why string) {
	h.t.Helper()
	resp, text := h.call("/anthropic/v1/messages", unreadable)
	return resp.StatusCode, text
}

func TestPolicyReloadsWhole(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.yaml")
	h := open(t, dir, says, nil)
	if s := h.policy(); s.Mode != "report" || s.File != "" || !strings.HasPrefix(s.Version, "default-") {
		t.Errorf("without a file: %+v", s)
	}
	if code, text := h.judge(); code != 200 {
		t.Errorf("report: %d %s", code, text)
	}

	write(t, file, "version: 1\nmode: enforce\n")
	if code, _ := h.judge(); code != 200 {
		t.Error("a file that nobody asked to read is in force")
	}
	h.ended(2)
	before := h.entries()
	if code, text := h.reload(); code != 200 {
		t.Fatalf("reload: %d %s", code, text)
	}
	if n := h.entries() - before; n != 1 {
		t.Errorf("%d entries of a reload, want 1", n)
	}
	enforced := h.policy()
	if enforced.Mode != "enforce" || enforced.File != file || enforced.Error != "" {
		t.Errorf("enforce: %+v", enforced)
	}
	if code, text := h.judge(); code != 400 || !strings.Contains(text, "unreadable.malformed") {
		t.Errorf("enforce: %d %s", code, text)
	}

	for name, spoil := range map[string]func(){
		"policy.yaml:2:1: moode is no setting; did you mean mode?": func() { write(t, file, "version: 1\nmoode: observe") },
		"no such file":  func() { os.Remove(file) },
		"has more than": func() { write(t, file, "# "+strings.Repeat("x", 2<<20)) },
	} {
		spoil()
		if code, text := h.reload(); code != 400 || !strings.Contains(text, name) {
			t.Errorf("%s: %d %s", name, code, text)
		}
		s := h.policy()
		if s.Version != enforced.Version || !strings.Contains(s.Error, name) {
			t.Errorf("%s: %+v", name, s)
		}
		if code, _ := h.judge(); code != 400 {
			t.Errorf("%s: the old policy is not in force", name)
		}
	}
	write(t, file, "version: 1\nmode: observe")
	if code, _ := h.reload(); code != 200 || h.policy().Error != "" {
		t.Errorf("mended: %d %+v", code, h.policy())
	}
	views := h.ended(6)
	if v := views[0]; v.Verdict != flow.Pass || !strings.HasPrefix(v.Why, "would be blocked (report)") {
		t.Errorf("first: %s, %s", v.Verdict, v.Why)
	}
	if v := views[2]; v.Verdict != flow.Block || v.State != flow.Refused {
		t.Errorf("third: %s, %s", v.Verdict, v.State)
	}
}

func TestGatewayDoesNotStartWithABadPolicy(t *testing.T) {
	for want, change := range map[string]func(c *config.Config){
		"policy.yaml:1:10: version: must be a whole number": func(c *config.Config) { write(t, filepath.Join(c.Data, "policy.yaml"), "version: x") },
		"no such file": func(c *config.Config) { c.Policy.File = filepath.Join(c.Data, "none.yaml") },
	} {
		c := config.Default()
		c.Data, c.Listen, c.Console, c.Intercept.Listen = t.TempDir(), "127.0.0.1:0", "off", "off"
		change(c)
		err := app.Run(t.Context(), app.Options{Config: c, Version: "test", Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSignalReloads(t *testing.T) {
	dir, log, asked := t.TempDir(), make(chan string, 100), make(chan os.Signal)
	file := filepath.Join(t.TempDir(), "own.yaml")
	write(t, file, "version: 1")
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen, c.Policy.File = dir, "127.0.0.1:0", "off", "off", file
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	o := app.Options{Config: c, Version: "test", Log: slog.New(slog.NewTextHandler(lines(log), nil)), Reload: asked}
	go func() { done <- app.Run(ctx, o) }()
	expect := func(want ...string) {
		t.Helper()
		timeout := time.After(20 * time.Second)
		for {
			select {
			case line := <-log:
				if containsAll(line, want) {
					return
				}
			case <-timeout:
				t.Fatalf("the log does not say %q", want)
			}
		}
	}
	expect("msg=policy", "mode=report", "own.yaml")
	write(t, file, "version: 1\nmode: enforce")
	asked <- syscall.SIGHUP
	expect("msg=policy", "mode=enforce")
	write(t, file, "version: 1\nmode: enfroce\nrulez: []")
	asked <- syscall.SIGHUP
	expect("level=ERROR", "own.yaml:2:7: mode")
	expect("level=ERROR", "own.yaml:3:1: rulez is no setting; did you mean rules?")
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(bytes.TrimSpace(p))
	return len(p), nil
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// Who only reads a folder is not stopped by its policy file.
func TestOfflineReadsBesideABadPolicy(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "policy.yaml"), "version: x")
	c := config.Default()
	c.Data = dir
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- app.Offline(ctx, app.Options{Config: c, Version: "test", Log: slog.New(slog.DiscardHandler)}, func(socket string) { ready <- socket })
	}()
	select {
	case err := <-done:
		t.Fatal(err)
	case socket := <-ready:
		h := &house{t: t, admin: socketClient(socket)}
		if s := h.policy(); s.Mode != "" || !strings.Contains(s.Error, "policy.yaml:1:10") {
			t.Errorf("%+v", s)
		}
		h.adminGet("/flows")
		if resp, err := h.admin.Get("http://localhost/api/v1/policy/explain?rule=x"); err != nil || resp.StatusCode != http.StatusConflict {
			t.Errorf("explain: %v %v", resp, err)
		}
		h.admin.CloseIdleConnections()
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
