package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// start opens a ledger and runs it until the test ends.
func start(t testing.TB, o ledger.Options) *ledger.Ledger {
	t.Helper()
	l, stop := open(t, o)
	t.Cleanup(stop)
	return l
}

// open opens a ledger and runs it until stop is called.
func open(t testing.TB, o ledger.Options) (l *ledger.Ledger, stop func()) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	return l, func() {
		cancel()
		<-ended
		if err := l.Close(); err != nil {
			t.Log("closing:", err)
		}
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func intent(id flow.ID, session string, body []byte) *flow.Intent {
	return &flow.Intent{
		Flow: id, Started: time.Now(), Entrance: flow.Redirect, Provider: flow.Anthropic, API: flow.Messages,
		Model: "claude-test", Method: "POST", Path: "/v1/messages?beta=true",
		Session: flow.Session{ID: session, Claimed: true}, Turn: 1,
		Principal: flow.Principal{Name: "alice/claude", User: "alice", Program: "claude"},
		Custody:   flow.SameUser, Capture: flow.CaptureFull, Policy: "observe-1",
		Decision:     flow.Decision{Verdict: flow.Pass, Why: "observe"},
		Header:       []flow.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Api-Key", Value: "fp_0123456789abcdef"}},
		RequestBytes: int64(len(body)), RequestSHA256: sum(body), ForwardedSHA256: sum(body),
	}
}

func outcome(id flow.ID, answer []byte) *flow.Outcome {
	cost := 0.25
	return &flow.Outcome{
		Flow: id, State: flow.Done, Status: 200, Model: "claude-test-1", ResponseBytes: int64(len(answer)),
		ResponseSHA256: sum(answer), DeliveredSHA256: sum(answer), Usage: flow.Usage{Input: 10, Output: 20},
		Cost: &cost, Stop: "end_turn", ProviderRequestID: "req_1", FirstByte: time.Millisecond, Duration: 5 * time.Millisecond,
	}
}

// conversation makes the body of a turn: each turn resends the ones before.
func conversation(turns int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"claude-test","max_tokens":1024,"messages":[`)
	for i := range turns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"role":"user","content":[{"type":"text","text":"question %d: %s"`, i, bytes.Repeat([]byte("word "), 40))
		if i == turns-1 {
			b.WriteString(`,"cache_control":{"type":"ephemeral"}`)
		}
		fmt.Fprintf(&b, `}]},{"role":"assistant","content":[{"type":"text","text":"answer %d"},{"type":"tool_use","id":"toolu_%d","name":"Bash","input":{"command":"ls %d"}}]}`, i, i, i)
	}
	b.WriteString(`],"system":[{"type":"text","text":"You are a careful assistant."}],"stream":true}`)
	return b.Bytes()
}

func all(chunks []ledger.Chunk) []byte {
	var b []byte
	for _, c := range chunks {
		b = append(b, c.Data...)
	}
	return b
}

func read(t testing.TB, l *ledger.Ledger, id flow.ID, what ledger.What) []byte {
	t.Helper()
	chunks, err := l.Read(id, what, ledger.Access{Who: "tester", Why: "test"})
	if err != nil {
		t.Fatalf("reading %s of %s: %v", what, id, err)
	}
	return all(chunks)
}

func TestBodiesComeBackExactly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	l, stop := open(t, ledger.Options{Dir: dir})
	var base *ledger.Stored
	for turn := 1; turn <= 5; turn++ {
		body := conversation(turn)
		var doc *split.Doc
		if base == nil {
			doc = split.Split(body, nil)
		} else {
			doc = split.Split(body, base.Doc())
		}
		id := flow.ID(fmt.Sprintf("f%02d", turn))
		in := intent(id, "s1", body)
		in.Turn, in.ForwardedSHA256 = turn, sum(append([]byte("{xyz"), body[3:]...))
		r, err := l.Begin(in, ledger.Content{Doc: doc, Base: base, Edits: []ledger.Edit{{At: 1, Cut: 2, Put: []byte("xyz")}}})
		if err != nil {
			t.Fatal(err)
		}
		base = r.Stored()
		var answer []byte
		for i := range 3 {
			chunk := fmt.Appendf(nil, "event: delta\ndata: {\"i\":%d,\"turn\":%d}\n\n", i, turn)
			if err := r.Push(chunk); err != nil {
				t.Fatal(err)
			}
			answer = append(answer, chunk...)
		}
		out := outcome(id, answer)
		out.DeliveredSHA256 = sum(answer[5:])
		if err := r.End(out, []ledger.Edit{{At: 0, Cut: 5}}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(l *ledger.Ledger) {
		t.Helper()
		if rep, err := l.Verify(nil); err != nil || rep.Code != 0 || rep.Flows != 5 {
			t.Errorf("verify: %v %+v", err, rep)
		}
		for turn := 1; turn <= 5; turn++ {
			id := flow.ID(fmt.Sprintf("f%02d", turn))
			body := conversation(turn)
			if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
				t.Fatalf("turn %d: request\n got %q\nwant %q", turn, got, body)
			}
			want := append([]byte("{xyz"), body[3:]...)
			if got := read(t, l, id, ledger.Forwarded); !bytes.Equal(got, want) {
				t.Fatalf("turn %d: forwarded\n got %q\nwant %q", turn, got, want)
			}
			answer := read(t, l, id, ledger.Response)
			if got := read(t, l, id, ledger.Delivered); !bytes.Equal(got, answer[5:]) {
				t.Fatalf("turn %d: delivered\n got %q\nwant %q", turn, got, answer[5:])
			}
		}
		views, err := listed(l, ledger.Query{Session: "s1"})
		if err != nil || len(views) != 5 || views[4].ID != "f05" || views[4].State != flow.Done {
			t.Fatalf("flows: %v %+v", err, views)
		}
		sessions, err := gather(l.Sessions(ledger.Query{}))
		if err != nil || len(sessions) != 1 || sessions[0].Principal != "alice/claude" || sessions[0].Session != "s1" || sessions[0].Flows != 5 {
			t.Fatalf("sessions: %v %+v", err, sessions)
		}
	}
	check(l)
	stop()
	l, stop = open(t, ledger.Options{Dir: dir})
	check(l)
	stop()
}

// TestRecall: the turns of a session and its last flow, whether or not the
// index has them yet, and after a restart.
func TestRecall(t *testing.T) {
	o := ledger.Options{Dir: t.TempDir()}
	l, stop := open(t, o)
	begun := time.Now()
	for i := range 3 {
		body := conversation(1)
		in := intent(flow.ID(fmt.Sprint("f", i)), "one", body)
		in.Started, in.Turn = begun.Add(time.Duration(i)*time.Second), i // the first is no turn
		if _, err := l.Begin(in, ledger.Content{Doc: split.Split(body, nil)}); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if _, err := listed(l, ledger.Query{}); err != nil { // brings the index up to date
				t.Fatal(err)
			}
		}
	}
	check := func() {
		t.Helper()
		turns, last, err := l.Recall("alice/claude", "one")
		if err != nil || turns != 2 || last.UnixMilli() != begun.Add(2*time.Second).UnixMilli() {
			t.Errorf("%d turns, last %v, %v; want 2, %v", turns, last, err, begun.Add(2*time.Second))
		}
		if turns, last, err := l.Recall("bob/claude", "one"); err != nil || turns != 0 || !last.IsZero() {
			t.Errorf("another's session: %d turns, last %v, %v", turns, last, err)
		}
	}
	check()
	stop()
	l, stop = open(t, o)
	defer stop()
	check()
}
