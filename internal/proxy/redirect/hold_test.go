package redirect_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

const start = `event: message_start
data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-x","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I look."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"Bash","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"command\":\"ls"}}

`

const rest = `event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

`

// A provider that is silent in the middle of a tool call, which is held back,
// does not make the stream silent; and what came meanwhile is on record as ours.
func TestAHeldCallIsNoSilence(t *testing.T) {
	alive := make(chan struct{})
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, start)
		http.NewResponseController(w).Flush()
		select {
		case <-alive:
			io.WriteString(w, rest)
		case <-r.Context().Done():
		}
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
	enforce, err := policy.Parse("policy.yaml", []byte("version: 1\nmode: enforce\n"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan *flow.Outcome, 1)
	carrier := carry.New(carry.Options{
		Gate: gate.New(gate.Options{
			Ledger: l, Vault: vault.New(l), Rules: noRules, Policy: func() policy.Policy { return enforce },
			Ended: func(_ *flow.Intent, out *flow.Outcome) { ended <- out },
		}),
		Secret:      identity.Fingerprint(l.Subkey("test")),
		Log:         slog.New(slog.DiscardHandler),
		MaxBody:     1 << 20,
		MaxMemory:   1 << 20,
		ReadTimeout: time.Hour,
		IdleTimeout: time.Hour,
		KeepAlive:   time.Millisecond,
	})
	e := redirect.New(redirect.Options{
		Carrier:   carrier,
		Identity:  identity.New(identity.Options{Anonymous: "somebody"}),
		Upstreams: []redirect.Upstream{{Provider: flow.Anthropic, Prefix: "/", Upstream: u}},
	})
	s := httptest.NewUnstartedServer(e)
	s.Config.ConnContext = e.ConnContext
	s.Start()
	defer s.Close()
	resp, err := http.Post(s.URL+"/anthropic/v1/messages", "application/json", strings.NewReader(`{"model":"claude-x","stream":true,"messages":[{"role":"user","content":"list"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got strings.Builder
	ours := 0
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		line := lines.Text()
		fmt.Fprintln(&got, line)
		if strings.HasPrefix(line, "data: ") && !strings.Contains(start+rest, line) {
			if ours++; ours == 1 {
				close(alive)
			}
		}
		if ours == 0 && strings.Contains(line, "tool_use") {
			t.Fatalf("the call was delivered before it was judged:\n%s", got.String())
		}
	}
	if ours == 0 || !strings.HasSuffix(got.String(), rest) {
		t.Errorf("%d events of ours, then:\n%s", ours, got.String())
	}
	out := <-ended
	if out.State != flow.Done || out.DeliveredSHA256 == out.ResponseSHA256 {
		t.Errorf("outcome %+v", out)
	}
	chunks, err := l.Read(out.Flow, ledger.Delivered, ledger.Access{Who: "a test", Why: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	var delivered strings.Builder
	for _, c := range chunks {
		delivered.Write(c.Data)
	}
	if delivered.String() != got.String() {
		t.Errorf("on record as delivered:\n%s\nand it was:\n%s", delivered.String(), got.String())
	}
}
