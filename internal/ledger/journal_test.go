package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestJournal: what happened to the gateway and who read content is listed, in
// order, in pages, and also after the index was lost.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	body := conversation(1)
	r, err := l.Begin(intent("f1", "s", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	r.End(outcome("f1", nil), nil)
	if err := l.Admin("policy.reload", "asked by alice", map[string]string{"mode": "report"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read("f1", ledger.Request, ledger.Access{Who: "bob", Why: "audit"}); err != nil {
		t.Fatal(err)
	}
	check := func(l *ledger.Ledger, when string) {
		t.Helper()
		all, err := l.Journal(ledger.JournalQuery{})
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %+v, %v; want two entries", when, all, err)
		}
		if j := all[0]; j.Kind != "policy.reload" || j.Why != "asked by alice" || j.Attrs["mode"] != "report" || j.At.IsZero() {
			t.Errorf("%s: %+v", when, j)
		}
		if j := all[1]; j.Kind != "read" || j.Who != "bob" || j.Why != "audit" || j.What != ledger.Request || j.Flow != "f1" || j.Entry <= all[0].Entry {
			t.Errorf("%s: %+v", when, j)
		}
		yes, no := true, false
		for name, tc := range map[string]struct {
			q    ledger.JournalQuery
			want uint64
		}{
			"the newest": {ledger.JournalQuery{Limit: 1}, all[1].Entry}, "the one before": {ledger.JournalQuery{Limit: 1, Before: all[1].Entry}, all[0].Entry},
			"who read": {ledger.JournalQuery{Readings: &yes}, all[1].Entry}, "what happened": {ledger.JournalQuery{Readings: &no}, all[0].Entry},
		} {
			got, err := l.Journal(tc.q)
			if err != nil || len(got) != 1 || got[0].Entry != tc.want {
				t.Errorf("%s, %s: %+v, %v; want entry %d", when, name, got, err, tc.want)
			}
		}
	}
	check(l, "at once")
	stop()
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, ledger.Options{Dir: dir})
	check(l, "after the index was lost")
}

// TestJournalTellsWhatWasRead: of a flow, a part of it, or a session.
func TestJournalTellsWhatWasRead(t *testing.T) {
	l, _ := open(t, ledger.Options{Dir: t.TempDir()})
	body := conversation(1)
	r, err := l.Begin(intent("f1", "s", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	r.End(outcome("f1", nil), nil)
	by := ledger.Access{Who: "bob", Why: "audit"}
	if _, _, err := l.TellFlow("f1", "reveal f_1 3-9", by); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Tell(ledger.Window{Session: "s"}, by, func(*ledger.Told) error { return nil }); err != nil {
		t.Fatal(err)
	}
	list, err := l.Journal(ledger.JournalQuery{})
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v; want two entries", list, err)
	}
	if j := list[0]; j.Flow != "f1" || j.Part != "reveal f_1 3-9" || j.Session != "" {
		t.Errorf("a value that was revealed: %+v", j)
	}
	if j := list[1]; j.Session != "s" || j.Flow != "f1" || j.Part != "" || j.Principal == "" {
		t.Errorf("a session: %+v", j)
	}
}

// TestDamageHidesNoMoreThanItself: a damaged entry is told of, and so are the others.
func TestDamageHidesNoMoreThanItself(t *testing.T) {
	dir := t.TempDir()
	l := start(t, ledger.Options{Dir: dir})
	for _, kind := range []string{"one", "two"} {
		if err := l.Admin(kind, "a test", nil); err != nil {
			t.Fatal(err)
		}
	}
	grown, err := l.Growth()
	if err != nil || len(grown) != 1 {
		t.Fatalf("%+v, %v", grown, err)
	}
	name := filepath.Join(dir, "segments", segment.Name(1))
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("spoilt"), int64(frames(whole)[0][1]-6)); err != nil {
		t.Fatal(err)
	}
	list, err := l.Journal(ledger.JournalQuery{})
	if err != nil || len(list) != 2 || list[0].Kind != "unreadable" || list[0].Entry == 0 || list[0].Why == "" || list[1].Kind != "two" {
		t.Errorf("the journal: %+v, %v", list, err)
	}
	if now, err := l.Growth(); err != nil || len(now) != 1 || now[0].Bytes != grown[0].Bytes {
		t.Errorf("grown: %+v, %v; before %+v", now, err, grown)
	}
}
