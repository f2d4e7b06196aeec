package ledger_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestSparesBecomeSessions: once a user's sessions keep coming, a new one waits for its
// entry alone, and not for its key. A crash takes such a key's name, which comes back, and no
// session is given a key that another had.
func TestSparesBecomeSessions(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	var l *ledger.Ledger
	start := func() {
		t.Helper()
		var err error
		if l, err = ledger.Open(faultOptions(t, dir, d)); err != nil {
			t.Fatal(err)
		}
	}
	start()
	bodies := map[flow.ID][]byte{}
	turns := map[string]int{}
	record := func(session string) {
		t.Helper()
		turns[session]++
		id := flow.ID(fmt.Sprintf("%s-%d", session, turns[session]))
		bodies[id] = fmt.Appendf(nil, `{"messages":[{"role":"user","content":"turn %d of %s"}]}`, turns[session], session)
		rec, err := l.Begin(intent(id, session, bodies[id]), ledger.Content{Doc: split.Split(bodies[id], nil)})
		if err == nil {
			err = rec.End(&flow.Outcome{Flow: id, State: flow.Done}, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(when string) {
		t.Helper()
		for id, body := range bodies {
			if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
				t.Errorf("%s the request of %s is another", when, id)
			}
		}
		for session, want := range turns {
			if n, _, err := l.Recall("alice/claude", session); err != nil || n != want {
				t.Errorf("%s session %s has %d turns, want %d: %v", when, session, n, want, err)
			}
		}
		if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
			t.Errorf("%s verify: %v %+v", when, err, rep)
		}
	}
	for i := range 8 {
		record(fmt.Sprintf("early%d", i))
	}
	if err := l.Restock(); err != nil {
		t.Fatal(err)
	}
	keySyncs := func(during func()) (n int) {
		d.Fail(func(op disktest.Op) disktest.Fault {
			if op.Kind == "sync" && strings.HasPrefix(op.Name, "keys") {
				n++
			}
			return disktest.None
		})
		defer d.Fail(nil)
		during()
		return n
	}
	if n := keySyncs(func() { record("other"); record("spare1"); record("spare2"); record("spare1") }); n != 0 {
		t.Errorf("with keys made ahead, new sessions waited for %d syncs of the keys", n)
	}
	look("before a crash")
	for _, when := range []string{"after a crash", "after a crash that follows"} {
		d = d.Crash(nil)
		start()
		look(when)
		if n := keySyncs(func() { record("spare1"); record("new " + when) }); n != 0 {
			t.Errorf("%s keys that nobody took are not used: %d syncs", when, n)
		}
		look("going on " + when)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	start()
	defer l.Close()
	look("after a stop")
}
