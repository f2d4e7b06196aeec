package redirect_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/proxy/redirect"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/vault"
)

// A diagnostic log that tests read.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestNoCredentialOfAQueryInTheLog(t *testing.T) {
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	u, err := upstream.New(upstream.Options{URL: gone.URL})
	if err != nil {
		t.Fatal(err)
	}
	said := &log{}
	carrier := carry.New(carry.Options{
		Gate:        gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default}),
		Secret:      identity.Fingerprint(l.Subkey("test")),
		Log:         slog.New(slog.NewTextHandler(said, nil)),
		MaxBody:     1 << 20,
		MaxMemory:   1 << 20,
		ReadTimeout: 1 << 40,
		IdleTimeout: 1 << 40,
	})
	e := redirect.New(redirect.Options{
		Carrier:   carrier,
		Identity:  identity.New(identity.Options{Anonymous: "somebody"}),
		Upstreams: []redirect.Upstream{{Provider: flow.Gemini, Prefix: "/", Upstream: u}},
	})
	s := httptest.NewUnstartedServer(e)
	s.Config.ConnContext = e.ConnContext
	s.Start()
	defer s.Close()
	for _, socket := range []bool{false, true} {
		req, err := http.NewRequest("GET", s.URL+"/gemini/v1beta/live?key=AIza-planted-credential", nil)
		if err != nil {
			t.Fatal(err)
		}
		if socket {
			for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
				req.Header.Set(name, value)
			}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadGateway {
			t.Errorf("socket %v: %s", socket, resp.Status)
		}
	}
	if text := said.String(); !strings.Contains(text, "refused") || strings.Contains(text, "planted") {
		t.Errorf("the log says %s", text)
	}
}
