package gate

import (
	"fmt"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestSmallTipsAreBounded: what a tip needs beside its body counts, too.
func TestSmallTipsAreBounded(t *testing.T) {
	tr := newTracker(Options{TipBytes: 1 << 20})
	for i := range 10_000 {
		body := []byte("{}")
		key := laneKey{"a/b", fmt.Sprint("session ", i)}
		tr.keep(&flow.Intent{}, reading{doc: split.Split(body, nil), digest: newDigest(body, nil, 0), lane: key}, &ledger.Stored{})
	}
	if n := tr.tips.Len(); n == 0 || n > 1024 || n != len(tr.lanes) {
		t.Errorf("%d tips in %d lanes; want some, and at most 1024", n, len(tr.lanes))
	}
}

// TestOthersGoOnWhileASessionIsRecalled: what an earlier process knew of a
// session is asked of the ledger. Flows of other sessions must not wait for the
// answer, and who else comes for the same session must not count it twice.
func TestOthersGoOnWhileASessionIsRecalled(t *testing.T) {
	tr := newTracker(Options{TipBytes: 1 << 20, SessionGap: time.Hour})
	asked, answer := make(chan struct{}), make(chan struct{})
	tr.recall = func(key sessionKey) (int, time.Time) {
		if key.id != "old" {
			return 0, time.Time{}
		}
		asked <- struct{}{}
		<-answer
		return 5, time.Now()
	}
	body := []byte(`{"messages":[{"role":"user","content":"hi"}]}`)
	place := func(id string) *flow.Intent {
		in := &flow.Intent{Flow: flow.ID(id), API: flow.Messages, Principal: flow.Principal{Name: "a/b"}, Started: time.Now()}
		doc := split.Split(body, nil)
		tr.place(in, Claim{Session: id}, reading{doc: doc, text: doc, digest: newDigest(body, nil, 0)})
		return in
	}
	turns := make(chan int, 2)
	for range 2 {
		go func() { turns <- place("old").Turn }()
		<-asked
	}
	if in := place("new"); in.Turn != 1 { // with the lock held it would never come back
		t.Errorf("a new session's first turn is %d", in.Turn)
	}
	close(answer)
	if a, b := <-turns, <-turns; min(a, b) != 6 || max(a, b) != 7 {
		t.Errorf("the recalled session goes on with turns %d and %d, want 6 and 7", a, b)
	}
}
