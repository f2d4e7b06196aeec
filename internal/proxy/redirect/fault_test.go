package redirect_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/vault"
)

// shut is a ledger whose vault can't be read, session by session.
type shut struct {
	*ledger.Ledger
	on atomic.Bool
}

func (s *shut) VaultIn(principal, session string) ([]ledger.VaultEntry, error) {
	if s.on.Load() {
		return nil, errors.New("the disk fails")
	}
	return s.Ledger.VaultIn(principal, session)
}

// TestAVaultThatCantBeRead: where it isn't known what is to be restored and held,
// the provider is not asked at all, and the socket goes on.
func TestAVaultThatCantBeRead(t *testing.T) {
	var store *shut
	asked := make(chan string, 10)
	k := newRelayWith(t, time.Minute, func(o *gate.Options) {
		store = &shut{Ledger: o.Ledger}
		v := vault.New(store)
		o.Vault = v
		o.Capture = func(p flow.Principal) flow.Capture { // whoever it is has a value
			if err := v.Learn(p.Name, vault.Value{Text: []byte("a value that is known")}); err != nil {
				t.Error(err)
			}
			return flow.CaptureFull
		}
	}, func(ctx context.Context, c *websocket.Conn, _ <-chan struct{}) {
		for {
			_, body, err := c.Read(ctx)
			if err != nil {
				return
			}
			asked <- string(body)
			c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.completed","response":{"id":"r"}}`))
		}
	})
	ctx, c := k.dial(t, "/v1/responses")
	say := func(session string) string {
		t.Helper()
		if err := c.Write(ctx, websocket.MessageText, []byte(`{"type":"response.create","model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"begin `+session+`"}]}]}`)); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	for _, session := range []string{"a", "b", "c"} {
		fails := session == "b"
		store.on.Store(fails)
		got := say(session)
		if strings.Contains(got, "response.completed") == fails {
			t.Errorf("session %s: got %s", session, got)
		}
		if out := k.outcome(t, ctx); (out.State == flow.Aborted) != fails || (out.FirstByte == 0) != fails {
			t.Errorf("session %s: recorded %+v", session, out)
		}
		if len(asked) == 0 != fails {
			t.Errorf("session %s: the provider got %d messages", session, len(asked))
		}
		for len(asked) > 0 {
			<-asked
		}
	}
}
