package gate

import (
	"fmt"
	"testing"

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
