package console

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// BenchmarkWatched is what a flow costs more when somebody watches: what waits for it
// (take), and with a reader that gets a hundred flows at a time (read), as at a thousand
// a second.
func BenchmarkWatched(b *testing.B) {
	for _, read := range []bool{false, true} {
		name := "take"
		if read {
			name = "read"
		}
		b.Run(name, func(b *testing.B) {
			f := &feed{watch: func(func(*flow.Intent, *flow.Outcome)) func() { return func() {} }}
			at := f.join()
			s := &eventStream{w: nowhere{}, match: func(*flow.View) bool { return true }, open: map[flow.ID]bool{}}
			var views []flow.View
			intents := make([]*flow.Intent, 100)
			for i := range intents {
				intents[i] = watchedIntent(i)
			}
			took := 20 * time.Millisecond
			cost := 0.0123
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				in := intents[i%100]
				f.take(in, nil)
				f.take(in, &flow.Outcome{Flow: in.Flow, State: flow.Done, Status: 200, Model: in.Model, Cost: &cost, FirstByte: took, Duration: took,
					Usage: flow.Usage{Input: 1200, Output: 300}, ResponseBytes: 2000})
				if !read || i%100 != 99 {
					continue
				}
				var missed bool
				views, at, missed, _ = f.since(at, views[:0])
				if err := s.tell(views, at, missed); err != nil || missed {
					b.Fatal(err, missed)
				}
			}
		})
	}
}

func watchedIntent(i int) *flow.Intent {
	return &flow.Intent{
		Flow: flow.ID(fmt.Sprintf("f06h1c3h%016d", i)), Session: flow.Session{ID: "01234567-0000-4000-8000-000000000001"}, Turn: 3, Entrance: flow.Redirect,
		Provider: flow.Anthropic, API: flow.Messages, Model: "claude-sonnet-4-5", Method: "POST", Path: "/v1/messages", Agent: "claude", Started: time.Now(),
		Principal: flow.Principal{Name: "ada/claude"}, Decision: flow.Decision{Verdict: flow.Pass, Why: "no rule applies (report)"}, RequestBytes: 2048,
		Findings: []flow.Finding{{ID: "f_1", Rule: "pii.email", Severity: flow.Low}},
	}
}

// nowhere is an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Flush()                      {}
