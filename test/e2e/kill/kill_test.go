// Package kill kills the gateway by SIGKILL, again and again, while streams
// run through it, and then asks the ledger for every request that the provider
// saw: no record, no passage.
package kill

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// roundsVar sets how often the gateway is killed; 6 without it.
const roundsVar = "GATEHOUSE_KILL_ROUNDS"

func rounds(t *testing.T) int {
	text := os.Getenv(roundsVar)
	if text == "" {
		return 6
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number of rounds", roundsVar, text)
	}
	return n
}

// load is clients that call for as long as ctx lives. Calls that fail are what
// a kill does to clients.
type load struct {
	url   string
	calls atomic.Int64
	whole atomic.Int64 // came to their end
}

// body is a request that no other one equals, so that each record can be
// found by its hash.
func (l *load) body(words int) string {
	n := l.calls.Add(1)
	return fmt.Sprintf(`{"model":"claude-sonnet-4-5","stream":true,"system":%q,"messages":[{"role":"user","content":"[words %d] [pace 1ms] call %d"}]}`,
		strings.Repeat("a long instruction. ", 200), words, n)
}

func (l *load) http(ctx context.Context) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/anthropic/v1/messages", strings.NewReader(l.body(5+rand.IntN(200))))
		if err != nil {
			return
		}
		req.Header.Set("X-Api-Key", rig.Secret)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			pause(ctx)
			continue
		}
		if _, err := io.Copy(io.Discard, resp.Body); err == nil {
			l.whole.Add(1)
		}
		_ = resp.Body.Close()
	}
}

// pause waits a little for a gateway that is just being started again.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Millisecond):
	}
}

func (l *load) socket(ctx context.Context) {
	for ctx.Err() == nil {
		c, _, err := websocket.Dial(ctx, strings.Replace(l.url, "http", "ws", 1)+"/openai/v1/responses", nil)
		if err != nil {
			pause(ctx)
			continue
		}
		c.SetReadLimit(1 << 24)
		for l.message(ctx, c) == nil {
		}
		_ = c.CloseNow()
	}
}

func (l *load) message(ctx context.Context, c *websocket.Conn) error {
	text := fmt.Sprintf(`{"type":"response.create","model":"gpt-5","input":"[words 50] [pace 1ms] call %d"}`, l.calls.Add(1))
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(`"type":"response.completed"`)) {
			l.whole.Add(1)
			return nil
		}
	}
}

func TestKill(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	l := &load{url: r.Gateway}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() { l.http(ctx) })
	}
	for range 2 {
		clients.Go(func() { l.socket(ctx) })
	}
	for range rounds(t) {
		time.Sleep(time.Duration(50+rand.IntN(450)) * time.Millisecond)
		r.Kill()
		r.Up()
	}
	time.Sleep(200 * time.Millisecond)
	cancel()
	clients.Wait()
	r.Stop()
	check(t, r)
	t.Logf("%d calls, %d of them whole, %d kills", l.calls.Load(), l.whole.Load(), rounds(t))
}

// check compares the provider's records with the ledger.
func check(t *testing.T, r *rig.Rig) {
	t.Helper()
	flows := map[string][]rig.Flow{}
	states := map[string]int{}
	for _, f := range r.Flows() {
		flows[f.RequestSHA256] = append(flows[f.RequestSHA256], f)
		states[f.State]++
	}
	seen := 0
	for _, x := range r.Received() {
		if x.In.Bytes == 0 {
			continue // an upgrade: its messages count
		}
		seen++
		found := flows[x.In.SHA256]
		if len(found) != 1 {
			t.Errorf("%d flows for request %d, which the provider saw", len(found), x.In.Number)
			continue
		}
		answered(t, found[0], x)
	}
	if states["open"] != 0 || states["unknown"] == 0 || states["done"] == 0 || seen == 0 {
		t.Errorf("states %v after %d requests: want none open, some unknown, some done", states, seen)
	}
	prefixes(t, r, flows)
	r.Sound()
	t.Logf("the provider saw %d requests; flows by state: %v", seen, states)
}

// answered: a flow that is done has the provider's bytes.
func answered(t *testing.T, f rig.Flow, x rig.Exchange) {
	t.Helper()
	if f.State == "done" && (f.ResponseSHA256 != x.Out.SHA256 || f.DeliveredSHA256 != x.Out.SHA256) {
		t.Errorf("flow %s is done with %s, the provider sent %s", f.ID, f.ResponseSHA256, x.Out.SHA256)
	}
}

// prefixes: of an answer that a kill cut, what is on record is what the
// provider sent first. Some of them are looked at.
func prefixes(t *testing.T, r *rig.Rig, flows map[string][]rig.Flow) {
	t.Helper()
	looked := 0
	for _, x := range r.Begun() {
		found := flows[x.In.SHA256]
		if len(found) != 1 || found[0].State != "unknown" || looked >= 10 {
			continue
		}
		looked++
		res := r.Gatehouse("show", "--raw", "response", found[0].ID)
		if res.Code != 0 || !bytes.HasPrefix(x.Answer, []byte(res.Out)) {
			t.Errorf("flow %s: exit %d, %d bytes that are not the first ones of what the provider sent: %s", found[0].ID, res.Code, len(res.Out), res.Err)
		}
		res = r.Gatehouse("show", "--raw", "request", found[0].ID)
		if res.Code != 0 || res.Out != string(x.Body) {
			t.Errorf("flow %s: exit %d, the request on record is not the one that was sent: %s", found[0].ID, res.Code, res.Err)
		}
	}
}
