package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// long reports whether the long forms of the tests are asked for.
func long() bool { return os.Getenv("GATEHOUSE_LONG") != "" }

// played is what a script was promised.
type played struct {
	requests map[flow.ID][]byte // durable intents
	answers  map[flow.ID][]byte // durable outcomes
	values   [][2]string        // durable in the vault: session, value
	errs     []error
}

// play records flows of two sessions, two of them at a time, and notes what
// was acknowledged. It writes by itself: without Run all is deterministic.
func play(l *ledger.Ledger, turns int) *played {
	p := &played{requests: map[flow.ID][]byte{}, answers: map[flow.ID][]byte{}}
	bases := map[string]*ledger.Stored{}
	for turn := 1; turn <= turns; turn++ {
		var open []*ledger.Record
		var ids []flow.ID
		for _, session := range []string{"one", "two"} {
			id := flow.ID(fmt.Sprintf("%s-%03d", session, turn))
			body := conversation(turn)
			var base *split.Doc
			if bases[session] != nil {
				base = bases[session].Doc()
			}
			secrets := find(body, fmt.Sprintf("answer %d", turn-1), fmt.Sprintf("ls %d", turn/2))
			r, err := l.Begin(intent(id, session, body), ledger.Content{Doc: split.Split(body, base), Base: bases[session], Secrets: secrets})
			if err != nil {
				p.errs = append(p.errs, err)
				continue
			}
			bases[session] = r.Stored()
			p.requests[id] = body
			p.values = append(p.values, [2]string{session, fmt.Sprintf("answer %d", turn-1)})
			open, ids = append(open, r), append(ids, id)
		}
		for i, r := range open {
			answer := fmt.Appendf(nil, "answer to %s: %s", ids[i], bytes.Repeat([]byte("x"), 300<<10*(turn%2)))
			if err := r.Push(answer); err != nil {
				p.errs = append(p.errs, err)
			}
			out := outcome(ids[i], answer)
			out.DeliveredSHA256 = sum(append([]byte("ls 0"), answer[3:]...))
			if err := r.End(out, []ledger.Edit{{Cut: 3, Put: []byte("ls 0"), Secret: true}}); err != nil {
				p.errs = append(p.errs, err)
				continue
			}
			p.answers[ids[i]] = answer
		}
	}
	return p
}

// check opens the disk after a crash and finds what was promised, and a
// ledger that is sound and goes on.
func (p *played) check(t *testing.T, dir string, d *disktest.FS) {
	t.Helper()
	l, err := ledger.Open(faultOptions(t, dir, d))
	if err != nil {
		t.Fatalf("opening after the crash: %v", err)
	}
	defer l.Close()
	for id, body := range p.requests {
		if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
			t.Errorf("request of %s is not what was acknowledged", id)
		}
		_, out, err := l.Flow(id)
		if err != nil || out == nil {
			t.Errorf("flow %s: outcome %v, %v", id, out, err)
			continue
		}
		if want, ok := p.answers[id]; ok && (out.State != flow.Done || !bytes.Equal(read(t, l, id, ledger.Response), want)) {
			t.Errorf("answer of %s is not what was acknowledged (%s)", id, out.State)
		}
	}
	for _, v := range p.values {
		entries, err := l.VaultIn("alice/claude", v[0])
		if err != nil || !slices.ContainsFunc(entries, func(e ledger.VaultEntry) bool { return string(e.Value) == v[1] }) {
			t.Errorf("value %q of session %s is not in the vault: %v", v[1], v[0], err)
		}
	}
	rep, err := l.Verify(nil)
	if err != nil || rep.Code != ledger.Sound || rep.Open != 0 || rep.Flows < len(p.requests) {
		t.Errorf("verify: %v %+v", err, rep)
	}
	more := play2(l)
	if more != nil {
		t.Errorf("going on after the crash: %v", more)
	}
}

// play2 records one more flow of a session that was there before.
func play2(l *ledger.Ledger) error {
	body := conversation(2)
	r, err := l.Begin(intent("zz-after", "one", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		return err
	}
	if err := r.End(outcome("zz-after", nil), nil); err != nil {
		return err
	}
	chunks, err := l.Read("zz-after", ledger.Request, ledger.Access{Who: "tester", Why: "test"})
	if err != nil {
		return err
	}
	if !bytes.Equal(all(chunks), body) {
		return errors.New("the body is not what was recorded")
	}
	return nil
}

// faultOptions are for a ledger on a disk in memory. Its index is on a real one.
func faultOptions(t *testing.T, dir string, d *disktest.FS) ledger.Options {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return ledger.Options{Dir: dir, FS: d, StrictResponse: true, SegmentBytes: 8 << 10}
}

// TestEveryFaultKeepsWhatWasAcknowledged breaks each write, sync and rename of
// a script, before and after it persists, then lets the power go. Every
// acknowledged intent and outcome is there afterwards, and the whole ledger
// verifies.
func TestEveryFaultKeepsWhatWasAcknowledged(t *testing.T) {
	turns := 3
	root := t.TempDir()
	whole := disktest.New(1 << 30)
	l, err := ledger.Open(faultOptions(t, filepath.Join(root, "whole"), whole))
	if err != nil {
		t.Fatal(err)
	}
	if p := play(l, turns); len(p.errs) > 0 {
		t.Fatal(p.errs)
	}
	l.Close()
	ops, step := whole.Ops(), 7
	if long() {
		step = 1
	}
	t.Logf("%d operations", ops)
	for _, fault := range []disktest.Fault{disktest.Before, disktest.After, disktest.Torn, disktest.Full, disktest.Gone} {
		for n := 1 + int(fault)%step; n <= ops; n += step {
			t.Run(fmt.Sprintf("%s/%d", fault, n), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(root, fmt.Sprintf("%s-%d", fault, n))
				d := disktest.New(1 << 30)
				var hit disktest.Op
				d.Fail(func(op disktest.Op) disktest.Fault {
					switch {
					case op.N == n:
						hit = op
						return fault
					case op.N > n && fault == disktest.Gone:
						return fault
					}
					return disktest.None
				})
				p := &played{}
				l, err := ledger.Open(faultOptions(t, dir, d))
				if err == nil {
					p = play(l, turns)
					for _, err := range p.errs {
						if strings.Contains(err.Error(), "question") || strings.Contains(err.Error(), "answer to") {
							t.Errorf("error holds content: %v", err)
						}
					}
				}
				after := d.Crash(rand.New(rand.NewPCG(uint64(n), uint64(fault))))
				if l != nil {
					l.Close() // to a disk that is gone
				}
				if n%2 == 0 {
					os.RemoveAll(dir) // the index is rebuilt, too
				}
				defer func() {
					if t.Failed() {
						t.Logf("broken: %+v; errors: %v", hit, p.errs)
					}
				}()
				p.check(t, dir, after)
			})
		}
	}
}

// TestPowerGoesUnderLoad lets the power go at some operation while writers,
// filler and index all work, again and again on the same folder.
func TestPowerGoesUnderLoad(t *testing.T) {
	rounds := 6
	if long() {
		rounds = 150
	}
	chance := rand.New(rand.NewPCG(8, 8))
	dir, d := t.TempDir(), disktest.New(1<<30)
	p := &played{requests: map[flow.ID][]byte{}, answers: map[flow.ID][]byte{}}
	for round := range rounds {
		n := d.Ops() + 20 + chance.IntN(150)
		d.Fail(func(op disktest.Op) disktest.Fault {
			if op.N >= n {
				return disktest.Gone
			}
			return disktest.None
		})
		l, stop := open(t, faultOptions(t, dir, d))
		load(l, p, round, func(int) bool { return true })
		d = d.Crash(chance)
		stop()
	}
	p.check(t, dir, d)
}

// TestFullUnderLoad: the disk gets full and has room again while writers work
// on shared sessions. What was acknowledged is there, each object once.
func TestFullUnderLoad(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	l, stop := open(t, faultOptions(t, dir, d))
	p := &played{requests: map[flow.ID][]byte{}, answers: map[flow.ID][]byte{}}
	var turns, refused atomic.Int64
	load(l, p, 0, func(done int) bool {
		switch n := turns.Add(1); {
		case n%40 == 20:
			d.SetFree(100)
		case n%40 == 0:
			d.SetFree(1 << 30)
			l.Room()
		}
		if done < 0 {
			refused.Add(1)
		}
		return turns.Load() > 250
	})
	d.SetFree(1 << 30)
	l.Room()
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
	rep, err := l.Verify(nil)
	if err != nil || rep.Code != ledger.Sound || rep.Flows != len(p.requests) {
		t.Errorf("verify: %v %+v, want %d flows", err, rep, len(p.requests))
	}
	stop()
	p.check(t, dir, d)
}

// load records flows until one is refused and stop agrees. stop hears of every
// turn; a refused one is negative.
func load(l *ledger.Ledger, p *played, round int, stop func(turn int) bool) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for w := range 6 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			var base *ledger.Stored
			for turn := 1; ; turn++ {
				id := flow.ID(fmt.Sprintf("r%d-%d-%d", round, w, turn))
				body := single(r, 3000)
				var doc *split.Doc
				if base != nil {
					doc = base.Doc()
				}
				rec, err := l.Begin(intent(id, fmt.Sprintf("s%d", w%4), body), ledger.Content{Doc: split.Split(body, doc), Base: base})
				if err != nil {
					if stop(-turn) {
						return
					}
					continue
				}
				stop(turn)
				base = rec.Stored()
				mu.Lock()
				p.requests[id] = body
				mu.Unlock()
				rec.Push(body[:1000])
				if rec.End(outcome(id, body[:1000]), nil) == nil {
					mu.Lock()
					p.answers[id] = body[:1000]
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
}

// TestKeyIsDurableBeforeItsSegmentIsLeft: the power goes after entries of a new
// session have filled a segment and begun the next, and before its key is durable. What
// can't be opened then may stand at the end of the last segment only: there it is cut.
func TestKeyIsDurableBeforeItsSegmentIsLeft(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	l, stop := open(t, faultOptions(t, dir, d))
	r := rand.New(rand.NewPCG(5, 5))
	begin := func(l *ledger.Ledger, id, session string, size int) error {
		body := single(r, size)
		rec, err := l.Begin(intent(flow.ID(id), session, body), ledger.Content{Doc: split.Split(body, nil)})
		if err == nil {
			err = rec.End(&flow.Outcome{Flow: flow.ID(id), State: flow.Done}, nil)
		}
		return err
	}
	if err := begin(l, "a", "first", 3000); err != nil {
		t.Fatal(err)
	}
	d.Fail(func(op disktest.Op) disktest.Fault {
		if strings.HasPrefix(op.Name, "keys") {
			return disktest.Before
		}
		return disktest.None
	})
	if err := begin(l, "b", "second", 3<<20); err == nil {
		t.Fatal("an intent whose key was not written is said to be durable")
	}
	after := d.Crash(nil)
	stop()
	l, stop = open(t, faultOptions(t, dir, after))
	defer stop()
	if err := begin(l, "c", "third", 3000); err != nil {
		t.Fatal(err)
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

// TestAWriteThatPanicsEndsWriting: a server goes on after a panic of one of its calls,
// and that call may have written for others, too.
func TestAWriteThatPanicsEndsWriting(t *testing.T) {
	d := disktest.New(1 << 30)
	l, err := ledger.Open(faultOptions(t, t.TempDir(), d))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begin := func(id flow.ID) (panicked any, err error) {
		defer func() { panicked = recover() }()
		_, err = l.Begin(intent(id, "one", nil), ledger.Content{})
		return nil, err
	}
	d.Fail(func(op disktest.Op) disktest.Fault {
		if op.Kind == "sync" && strings.HasSuffix(op.Name, ".seg") {
			panic("the disk is on fire")
		}
		return disktest.None
	})
	if panicked, _ := begin("one"); panicked == nil {
		t.Fatal("the write did not panic")
	}
	d.Fail(nil)
	panicked, err := begin("two")
	if refusal := (*flow.Refusal)(nil); !errors.As(err, &refusal) || refusal.Kind != "ledger_fault" {
		t.Errorf("after a write that panicked a flow began: %v, %v", err, panicked)
	}
}
