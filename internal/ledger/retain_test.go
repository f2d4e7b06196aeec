package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestSizeCapRemovesWholeSegments opens a ledger again and again, with one
// session that goes on all the time.
func TestSizeCapRemovesWholeSegments(t *testing.T) {
	dir := t.TempDir()
	o := ledger.Options{Dir: dir, SegmentBytes: 16 << 10, MaxBytes: 128 << 10}
	var stored *ledger.Stored
	var last flow.ID
	var body []byte
	n := 0
	for range 4 {
		l, err := ledger.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		stored = nil
		for range 25 {
			n++
			body = single(rand.New(rand.NewPCG(4, uint64(n))), 6000)
			last = flow.ID(fmt.Sprintf("f%04d", n))
			var base *split.Doc
			if stored != nil {
				base = stored.Doc()
			}
			r, err := l.Begin(intent(last, "long", body), ledger.Content{Doc: split.Split(body, base), Base: stored})
			if err != nil {
				t.Fatal(err)
			}
			stored = r.Stored()
			if err := r.End(outcome(last, nil), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := l.Stats().Bytes; got > o.MaxBytes+2*o.SegmentBytes {
		t.Errorf("%d bytes are kept, the cap is %d", got, o.MaxBytes)
	}
	views, err := listed(l, ledger.Query{})
	if err != nil || len(views) == 0 || len(views) == n || views[len(views)-1].ID != last {
		t.Fatalf("flows that are left: %d of %d, %v", len(views), n, err)
	}
	if _, _, err := l.Flow("f0001"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the first flow: %v", err)
	}
	if got := read(t, l, last, ledger.Request); !bytes.Equal(got, body) {
		t.Error("the last request is not what was recorded")
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.First == 1 {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

// TestRetentionLeavesYoungContentWhole: a conversation that is older than what
// is kept is stored anew in time, so that its younger flows stay readable.
func TestRetentionLeavesYoungContentWhole(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := ledger.Options{Dir: dir, SegmentBytes: 4 << 10, MaxAge: 100 * time.Hour, Now: func() time.Time { return now }}
	d := disktest.New(1 << 30)
	o.FS = d
	bodies := map[flow.ID][]byte{}
	for turn := 1; turn <= 30; turn++ {
		l, err := ledger.Open(o) // looks at the limits
		if err != nil {
			t.Fatal(err)
		}
		body := conversation(turn)
		id := flow.ID(fmt.Sprintf("f%04d", turn))
		r, err := l.Begin(intent(id, "long", body), ledger.Content{Doc: split.Split(body, nil)})
		if err != nil {
			t.Fatal(err)
		}
		r.End(outcome(id, nil), nil)
		bodies[id] = body
		l.Close()
		now = now.Add(10 * time.Hour)
	}
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	views, err := listed(l, ledger.Query{})
	if err != nil || len(views) >= 30 || len(views) < 8 {
		t.Fatalf("flows that are left: %d, %v", len(views), err)
	}
	for _, v := range views[len(views)/2:] {
		if got := read(t, l, v.ID, ledger.Request); !bytes.Equal(got, bodies[v.ID]) {
			t.Errorf("request of %s is not what was recorded", v.ID)
		}
	}
	for _, v := range views[:len(views)/2] {
		_, err := l.Read(v.ID, ledger.Request, ledger.Access{Who: "tester", Why: "test"})
		if err != nil && !errors.Is(err, ledger.ErrRemoved) {
			t.Errorf("request of %s: %v", v.ID, err)
		}
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
	d.Remove(filepath.Join(dir, "segments", fmt.Sprintf("%08d.seg", first(t, d, dir))))
	if rep, err := l.Verify(nil); err == nil && rep.Code == ledger.Sound {
		t.Error("a segment that nobody said to remove is not missed")
	}
}

// TestRetentionWhileRunning: the caller's base is of a time before the horizon
// moved.
func TestRetentionWhileRunning(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	o := faultOptions(t, dir, d)
	o.MaxBytes = 64 << 10
	synctest.Test(t, func(t *testing.T) {
		l, stop := open(t, o)
		var stored *ledger.Stored
		var last flow.ID
		var body []byte
		for turn := 1; turn <= 60; turn++ {
			body = conversation(turn)
			var base *split.Doc
			if stored != nil {
				base = stored.Doc()
			}
			last = flow.ID(fmt.Sprintf("f%04d", turn))
			r, err := l.Begin(intent(last, "long", body), ledger.Content{Doc: split.Split(body, base), Base: stored})
			if err != nil {
				t.Fatal(err)
			}
			stored = r.Stored()
			answer := prose(rand.New(rand.NewPCG(7, uint64(turn))), 8000)
			r.Push(answer)
			r.End(outcome(last, answer), nil)
			time.Sleep(4 * time.Second)
		}
		if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.First < 20 || rep.Bytes > o.MaxBytes+4*o.SegmentBytes {
			t.Errorf("verify: %v %+v", err, rep)
		}
		if got := read(t, l, last, ledger.Request); !bytes.Equal(got, body) {
			t.Error("the last request is not what was recorded")
		}
		stop()
	})
}

func first(t *testing.T, d *disktest.FS, dir string) (number uint64) {
	t.Helper()
	names, err := d.List(filepath.Join(dir, "segments"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	fmt.Sscanf(names[0], "%08d.seg", &number)
	return number
}

// TestRetentionWhileSessionsAreListed: those that are removed meanwhile are left out, and
// end no list.
func TestRetentionWhileSessionsAreListed(t *testing.T) {
	l, err := ledger.Open(ledger.Options{Dir: t.TempDir(), SegmentBytes: 16 << 10, MaxBytes: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := 0
	record := func() {
		n++
		body := single(rand.New(rand.NewPCG(7, uint64(n))), 6000)
		id := flow.ID(fmt.Sprintf("f%04d", n))
		in := intent(id, fmt.Sprintf("s%04d", n), body)
		in.Model = "model of " + string(id)
		r, err := l.Begin(in, ledger.Content{Doc: split.Split(body, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.End(outcome(id, nil), nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		record()
	}
	seen := 0
	for v, err := range l.Sessions(ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 1 && v.Session == "s0001" {
			for range 4 {
				for range 25 {
					record()
				}
				if err := l.Retain(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d sessions, want the one that was there", seen)
	}
}
