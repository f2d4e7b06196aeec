package redirect_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
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

// relay is an entrance before a provider that speaks WebSocket.
type relay struct {
	url   string
	begun chan struct{}      // one for each message that is on record
	ended chan *flow.Outcome // of messages
}

func newRelay(t *testing.T, idle time.Duration, provider func(ctx context.Context, c *websocket.Conn, begun <-chan struct{})) *relay {
	t.Helper()
	return newRelayWith(t, idle, func(*gate.Options) {}, provider)
}

// newRelayWith is newRelay with a gate of its own.
func newRelayWith(t *testing.T, idle time.Duration, change func(*gate.Options), provider func(ctx context.Context, c *websocket.Conn, begun <-chan struct{})) *relay {
	t.Helper()
	k := &relay{begun: make(chan struct{}, 4096), ended: make(chan *flow.Outcome, 4096)}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			return
		}
		defer c.CloseNow()
		provider(r.Context(), c, k.begun)
	}))
	t.Cleanup(p.Close)
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u, err := upstream.New(upstream.Options{URL: p.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	o := gate.Options{
		Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: policy.Default,
		Begun: func(in *flow.Intent) {
			if in.Method == flow.MethodMessage {
				k.begun <- struct{}{}
			}
		},
		Ended: func(in *flow.Intent, out *flow.Outcome) {
			if in.Method == flow.MethodMessage {
				k.ended <- out
			}
		},
	}
	change(&o)
	carrier := carry.New(carry.Options{
		Gate:        gate.New(o),
		Secret:      identity.Fingerprint(l.Subkey("test")),
		Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
		MaxBody:     64 << 20,
		MaxMemory:   256 << 20,
		ReadTimeout: idle,
		IdleTimeout: idle,
	})
	e := redirect.New(redirect.Options{
		Carrier:   carrier,
		Identity:  identity.New(identity.Options{Anonymous: "somebody"}),
		Upstreams: []redirect.Upstream{{Provider: flow.OpenAI, Prefix: "/", Upstream: u}},
	})
	s := httptest.NewUnstartedServer(e)
	s.Config.ConnContext = e.ConnContext
	s.Start()
	t.Cleanup(func() { carrier.Cut(); s.Close() })
	k.url = s.URL
	return k
}

// dial gives a client that waits for ten seconds at most: what used to hang
// fails.
func (k *relay) dial(t *testing.T, path string) (context.Context, *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	c, _, err := websocket.Dial(ctx, k.url+path, &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return ctx, c
}

func (k *relay) outcome(t *testing.T, ctx context.Context) *flow.Outcome {
	t.Helper()
	select {
	case out := <-k.ended:
		return out
	case <-ctx.Done():
		t.Fatal("no message has an outcome")
		return nil
	}
}

// large is more than the buffers between two ends of a connection hold when
// nobody reads.
func large(head string) []byte {
	return append(append([]byte(head), noise()...), `"}`...)
}

var noise = sync.OnceValue(func() []byte {
	b, r := make([]byte, 8<<20), rand.New(rand.NewPCG(1, 1))
	for i := 0; i < len(b); i += 8 { // letters that don't compress well
		for j, x := 0, r.Uint64(); j < 8; j, x = j+1, x>>8 {
			b[i+j] = 'a' + byte(x&15)
		}
	}
	return b
})

const (
	responsesPath = "/openai/v1/responses"
	realtimePath  = "/openai/v1/realtime"
	unanswered    = `{"type":"response.cancel","pad":"`
)

// TestAMessageIsDoneOnceTheProviderHasIt: it was marked done before it was
// written, also when it never arrived.
func TestAMessageIsDoneOnceTheProviderHasIt(t *testing.T) {
	k := newRelay(t, time.Hour, func(ctx context.Context, c *websocket.Conn, begun <-chan struct{}) {
		select {
		case <-begun: // on record, and on its way; the provider leaves without reading it
		case <-ctx.Done():
		}
	})
	ctx, c := k.dial(t, responsesPath)
	go c.Write(ctx, websocket.MessageText, large(unanswered))
	if out := k.outcome(t, ctx); out.State != flow.Aborted || out.Why == "" {
		t.Errorf("the outcome is %s %q, want aborted", out.State, out.Why)
	}
}

func TestAnOrderThatArrivesIsDone(t *testing.T) {
	k := newRelay(t, time.Hour, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) { c.Read(ctx); c.Read(ctx) })
	ctx, c := k.dial(t, responsesPath)
	c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.cancel"}`))
	if out := k.outcome(t, ctx); out.State != flow.Done || out.Status != http.StatusOK {
		t.Errorf("the outcome is %s %d", out.State, out.Status)
	}
}

// TestAProviderThatTakesNothingIsGivenUp: nothing limited a write, so the
// socket hung for as long as both ends stayed.
func TestAProviderThatTakesNothingIsGivenUp(t *testing.T) {
	k := newRelay(t, 300*time.Millisecond, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) { <-ctx.Done() })
	ctx, c := k.dial(t, responsesPath)
	go func() {
		message := append(append([]byte(unanswered), noise()[:256<<10]...), `"}`...)
		for c.Write(ctx, websocket.MessageText, message) == nil {
		}
	}()
	out := k.outcome(t, ctx)
	for out.State == flow.Done { // what the buffers between them hold
		out = k.outcome(t, ctx)
	}
	if out.State != flow.Aborted || out.Why != "the provider did not take the message in time" {
		t.Errorf("the outcome is %s %q", out.State, out.Why)
	}
}

// TestAClientThatReadsNothingIsGivenUp on either kind of socket, for what it is.
func TestAClientThatReadsNothingIsGivenUp(t *testing.T) {
	for _, path := range []string{responsesPath, realtimePath} {
		k := newRelay(t, 500*time.Millisecond, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) {
			c.Read(ctx)
			event := append(append([]byte(`{"type":"response.created","pad":"`), noise()[:256<<10]...), `"}`...)
			for c.Write(ctx, websocket.MessageText, event) == nil {
			}
		})
		ctx, c := k.dial(t, path)
		c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":[]}`))
		if out := k.outcome(t, ctx); out.State != flow.Aborted || out.Why != "the client did not read the answer in time" {
			t.Errorf("%s: the outcome is %s %q", path, out.State, out.Why)
		}
	}
}

// TestASocketThatNobodyUsesIsClosed: only those of the Responses API were, and
// those only while an answer is due.
func TestASocketThatNobodyUsesIsClosed(t *testing.T) {
	k := newRelay(t, 50*time.Millisecond, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) { c.Read(ctx) })
	ctx, c := k.dial(t, realtimePath)
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("a socket without a word was left open: %v", err)
	}
}

// TestHalfAMessageIsNotWaitedFor for longer than the rest of a body is: it holds
// memory that others may need.
func TestHalfAMessageIsNotWaitedFor(t *testing.T) {
	k := newRelay(t, 100*time.Millisecond, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) { c.Read(ctx) })
	ctx, c := k.dial(t, responsesPath)
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(noise()[:64<<10]) // more than the client keeps back
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("a socket with half a message was left open: %v", err)
	}
}

// TestAResponsesSocketMayRest between answers: agents keep it from turn to turn.
func TestAResponsesSocketMayRest(t *testing.T) {
	const idle = 300 * time.Millisecond
	rested := make(chan struct{})
	k := newRelay(t, idle, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) {
		for {
			if _, _, err := c.Read(ctx); err != nil {
				return
			}
			c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.completed","response":{"id":"r","output":[]}}`))
		}
	})
	ctx, c := k.dial(t, responsesPath)
	for i := range 2 {
		c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":[]}`))
		if _, _, err := c.Read(ctx); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if out := k.outcome(t, ctx); out.State != flow.Done {
			t.Errorf("answer %d: %s %q", i, out.State, out.Why)
		}
		if i == 0 {
			time.AfterFunc(2*idle, func() { close(rested) })
		}
		<-rested
	}
}
