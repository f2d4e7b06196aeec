package console_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// saga is a session as Claude Code makes them: each turn adds a call and its
// result, and after so many turns the conversation is made short.
type saga struct {
	l     *ledger.Ledger
	r     *rand.Rand
	start time.Time
	fresh int // bytes that a turn adds
	every int // turns between two compactions; 0: none

	messages [][]byte
	base     *ledger.Stored
	last     int
}

func (s *saga) prose(n int) []byte {
	b := make([]byte, 0, n+12)
	for len(b) < n {
		b = fmt.Appendf(b, "%s%d ", []string{"func", "return", "err", "ledger", "value", "append"}[s.r.IntN(6)], s.r.IntN(1000))
	}
	return b[:n]
}

func (s *saga) body() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"claude-test","messages":[`)
	for i, m := range s.messages {
		if i > 0 {
			b.WriteByte(',')
		}
		marker := ""
		if i == len(s.messages)-1 {
			marker = `,"cache_control":{"type":"ephemeral"}`
		}
		role := []string{"user", "assistant"}[i%2]
		fmt.Fprintf(&b, `{"role":"%s","content":[%s%s}]}`, role, m, marker)
	}
	fmt.Fprintf(&b, `],"system":[{"type":"text","text":"%s"}],"tools":[{"name":"Bash","description":"%s","input_schema":{"type":"object"}}],"max_tokens":10,"stream":true}`,
		bytes.Repeat([]byte("be good "), 1500), bytes.Repeat([]byte("runs a command "), 2500))
	return b.Bytes()
}

func (s *saga) turn(t testing.TB, n int) {
	if s.every > 0 && n%s.every == 0 || n == 0 {
		s.messages = [][]byte{fmt.Appendf(nil, `{"type":"text","text":"part %d of the task"`, n)}
	} else {
		s.messages = append(s.messages,
			fmt.Appendf(nil, `{"type":"tool_use","id":"toolu_%d","name":"Bash","input":{"command":"cat file%d.go"}`, n, n),
			fmt.Appendf(nil, `{"type":"tool_result","tool_use_id":"toolu_%d","content":"%s"`, n, s.prose(s.fresh)))
	}
	body := s.body()
	s.last = len(body)
	in := &flow.Intent{
		Flow: flow.ID(fmt.Sprintf("f%08d", n)), Started: s.start.Add(time.Duration(n) * time.Second), Entrance: flow.Redirect, Provider: flow.Anthropic,
		API: flow.Messages, Model: "claude-test", Method: "POST", Path: "/v1/messages", Session: flow.Session{ID: "saga", Claimed: true}, Turn: n + 1,
		Principal: flow.Principal{Name: "alice/claude"}, Capture: flow.CaptureFull, Decision: flow.Decision{Verdict: flow.Pass, Why: "observe"}, RequestBytes: int64(len(body)),
	}
	var doc *split.Doc
	if s.base != nil {
		doc = s.base.Doc()
	}
	rec, err := s.l.Begin(in, ledger.Content{Doc: split.Split(body, doc), Base: s.base})
	if err != nil {
		t.Fatal(err)
	}
	s.base = rec.Stored()
	answer := fmt.Appendf(nil, `{"id":"msg_%d","type":"message","role":"assistant","model":"claude-test","content":[{"type":"text","text":"going on"},{"type":"tool_use","id":"toolu_%d","name":"Bash","input":{"command":"cat file%d.go"}}],"stop_reason":"tool_use","usage":{"input_tokens":10,"cache_read_input_tokens":%d,"cache_creation_input_tokens":500,"output_tokens":20}}`, n, n+1, n+1, len(body)/4)
	if err := rec.Push(answer); err != nil {
		t.Fatal(err)
	}
	out := &flow.Outcome{Flow: in.Flow, State: flow.Done, Status: 200, Model: "claude-test", ResponseBytes: int64(len(answer)), Usage: flow.Usage{Input: 10, CacheRead: int64(len(body) / 4), CacheWrite: 500, Output: 20}}
	if err := rec.End(out, nil); err != nil {
		t.Fatal(err)
	}
}

func newSaga(t testing.TB, turns, fresh, every int) *saga {
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir(), Mode: ledger.Bounded})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended; l.Close() })
	s := &saga{l: l, r: rand.New(rand.NewPCG(1, 2)), start: time.Now().Add(-time.Hour), fresh: fresh, every: every}
	for n := range turns {
		s.turn(t, n)
	}
	return s
}

func BenchmarkConversation(b *testing.B) {
	for _, tc := range []struct {
		name                string
		turns, fresh, every int
		from                string
	}{
		{"200 turns of 1.1 MB", 200, 5000, 0, ""},
		{"200 in 50000 turns", 50_000, 1500, 150, "f00025000"},
		{"4 turns of 20 MB", 4, 7 << 20, 0, ""},
	} {
		b.Run(tc.name, func(b *testing.B) {
			s := newSaga(b, tc.turns, tc.fresh, tc.every)
			c := console.New(console.Options{Flows: s.l, Talk: s.l, Ledger: s.l, Token: token, Hosts: []string{"gate.example"}})
			b.ReportAllocs()
			b.ResetTimer()
			var size int
			for b.Loop() {
				r := httptest.NewRequest("GET", "http://127.0.0.1:4040/api/v1/sessions/saga/conversation?why=bench&from="+tc.from, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				c.Handler().ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "JSON-bytes")
			b.ReportMetric(float64(s.last), "body-bytes")
		})
	}
}
