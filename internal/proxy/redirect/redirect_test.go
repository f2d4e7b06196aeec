package redirect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
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

// named gives an upstream that answers with its name and the path it got.
func named(t *testing.T, p flow.Provider, prefix, name string) redirect.Upstream {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name+" "+r.RequestURI) }))
	t.Cleanup(s.Close)
	u, err := upstream.New(upstream.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return redirect.Upstream{Provider: p, Prefix: prefix, Upstream: u}
}

func TestTheFirstUpstreamThatFitsGetsTheCall(t *testing.T) {
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	carrier := carry.New(carry.Options{
		Gate:        gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default}),
		Secret:      identity.Fingerprint(l.Subkey("test")),
		MaxBody:     1 << 20,
		MaxMemory:   1 << 20,
		ReadTimeout: 1 << 40,
		IdleTimeout: 1 << 40,
	})
	e := redirect.New(redirect.Options{
		Carrier:  carrier,
		Identity: identity.New(identity.Options{Anonymous: "somebody"}),
		Upstreams: []redirect.Upstream{
			named(t, flow.OpenAI, "/backend-api/", "chatgpt"), named(t, flow.OpenAI, "/", "openai"), named(t, flow.Gemini, "/v1internal", "assist"),
		},
	})
	s := httptest.NewUnstartedServer(e)
	s.Config.ConnContext = e.ConnContext
	s.Start()
	defer s.Close()
	for _, tt := range []struct {
		path, want string
		status     int
	}{
		{"/openai/backend-api/codex/responses", "chatgpt /backend-api/codex/responses", 200},
		{"/openai/v1/embeddings?x=1", "openai /v1/embeddings?x=1", 200},
		{"/gemini/v1internal:loadCodeAssist", "assist /v1internal:loadCodeAssist", 200},
		{"/gemini/v1beta/models", "", 404},
		{"/anthropic/v1/models", "", 404},
	} {
		resp, err := http.Get(s.URL + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || tt.status == 200 && string(text) != tt.want {
			t.Errorf("%s: %d %q, want %d %q", tt.path, resp.StatusCode, text, tt.status, tt.want)
		}
	}
}
