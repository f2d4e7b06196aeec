package redirect_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

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

// TestADefectEndsOneSocket: what panics while a provider's event is read ends
// its socket, as net/http ends a call, and not the gateway.
func TestADefectEndsOneSocket(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.Read(r.Context())
		c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"response.completed","response":{"id":"r","output":[]}}`))
		c.Read(r.Context())
	}))
	defer provider.Close()
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := upstream.New(upstream.Options{URL: provider.URL})
	if err != nil {
		t.Fatal(err)
	}
	carrier := carry.New(carry.Options{
		Gate: gate.New(gate.Options{Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default, Ended: func(in *flow.Intent, _ *flow.Outcome) {
			if in.Method == flow.MethodMessage {
				panic("a defect")
			}
		}}),
		Secret:      identity.Fingerprint(l.Subkey("test")),
		Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxBody:     1 << 20,
		MaxMemory:   1 << 20,
		ReadTimeout: time.Hour,
		IdleTimeout: time.Hour,
	})
	e := redirect.New(redirect.Options{
		Carrier:   carrier,
		Identity:  identity.New(identity.Options{Anonymous: "somebody"}),
		Upstreams: []redirect.Upstream{{Provider: flow.OpenAI, Prefix: "/", Upstream: u}},
	})
	s := httptest.NewUnstartedServer(e)
	s.Config.ConnContext = e.ConnContext
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	defer s.Close()
	c, _, err := websocket.Dial(t.Context(), s.URL+"/openai/v1/responses", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":[]}`))
	for err == nil {
		_, _, err = c.Read(t.Context())
	}
	if err := carrier.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
