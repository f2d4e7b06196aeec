package ledger_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestARefusedChunkIsNotKept: the chunk that Push refused was not delivered, so
// it is no part of the answer.
func TestARefusedChunkIsNotKept(t *testing.T) {
	d := disktest.New(1 << 30)
	o := faultOptions(t, t.TempDir(), d)
	o.SegmentBytes = 64 << 20
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	body := conversation(1)
	rec, err := l.Begin(intent("running", "one", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	d.SetFree(0)
	chunk := make([]byte, 256<<10) // that doesn't compress
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(chunk); i++ {
		chunk[i] = byte(r.Uint32())
	}
	var answer []byte
	var refused *flow.Refusal
	for len(answer) < 256<<20 {
		if err := rec.Push(chunk); errors.As(err, &refused) {
			break
		}
		answer = append(answer, chunk...)
		if _, err := listed(l, ledger.Query{}); err != nil { // lets the writer see what waits
			t.Fatal(err)
		}
	}
	if refused == nil {
		t.Fatalf("%d bytes were taken without room for them", len(answer))
	}
	d.SetFree(1 << 30)
	l.Room()
	if err := rec.End(outcome("running", answer), nil); err != nil {
		t.Fatal(err)
	}
	if got := read(t, l, "running", ledger.Response); !bytes.Equal(got, answer) {
		t.Errorf("%d bytes are kept, want the %d that were taken", len(got), len(answer))
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
}
