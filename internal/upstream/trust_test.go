package upstream_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// provider serves TLS as a case says, and counts what it is asked.
func provider(t *testing.T, asked *atomic.Int32, c badcert.Case) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); io.WriteString(w, "ok") }))
	s.TLS = c.TLS()
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// TestProvidersThatAreNotTrusted: nothing of the request reaches one, and the
// error says what is wrong with it.
func TestProvidersThatAreNotTrusted(t *testing.T) { trust(t) }

// TestTheEnvironmentMakesNobodyTrusted: what TLS we take is our own choice.
func TestTheEnvironmentMakesNobodyTrusted(t *testing.T) {
	t.Setenv("GODEBUG", "tlsrsakex=1,tls3des=1,tls10server=1")
	trust(t)
}

func trust(t *testing.T) {
	t.Helper()
	set, err := badcert.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	var text []byte
	for _, root := range set.Roots {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range append(set.Cases, late(set)) {
		var asked atomic.Int32
		u, err := upstream.New(upstream.Options{URL: provider(t, &asked, tt), CAFile: file})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := u.Send(t.Context(), http.MethodPost, "/", nil, []byte("secret"), nil)
		if err == nil {
			resp.Body.Close()
		}
		trusted := tt.Want == ""
		if (err == nil) != trusted || (asked.Load() > 0) != trusted {
			t.Errorf("%s: %v; it was asked %d times", tt.Name, err, asked.Load())
		}
		if tt.Name == lateName {
			if got := upstream.Distrust(err); err == nil || got != "" {
				t.Errorf("%s: %v: the reason is %q, and something was sent", tt.Name, err, got)
			}
			u.Close()
			continue
		}
		if got := upstream.Distrust(err); !strings.Contains(got, tt.Want) || (got == "") != trusted {
			t.Errorf("%s: %v: the reason is %q, want %q", tt.Name, err, got, tt.Want)
		}
		if trusted && resp != nil {
			if leg := u.Leg(resp.TLS); leg.Version != "TLS 1.3" || leg.Chain == "" || leg.Cipher == "" {
				t.Errorf("%s: %+v", tt.Name, leg)
			}
		}
		u.Close()
	}
}

const lateName = "wants a client certificate, over TLS 1.3"

// late is a provider that refuses a client when that believes to be connected.
func late(set badcert.Set) badcert.Case {
	c := set.Cases[0]
	c.Name, c.Want, c.Change = lateName, "nothing", func(c *tls.Config) { c.MinVersion, c.ClientAuth = tls.VersionTLS13, tls.RequireAnyClientCert }
	return c
}
