package index_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
)

func open(tb testing.TB, path string) *index.Index {
	tb.Helper()
	x, err := index.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { x.Close() })
	return x
}

func fresh(tb testing.TB) *index.Index {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "index.db"))
}

func apply(tb testing.TB, x *index.Index, b index.Batch) {
	tb.Helper()
	if err := x.Apply(&b); err != nil {
		tb.Fatal(err)
	}
}

func check[T any](t *testing.T, what string, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// openFlow is a flow without outcome; n orders it.
func openFlow(n int, key uint64) index.Flow {
	return index.Flow{
		ID: flow.ID(fmt.Sprintf("01kb%022d", n)), Intent: uint64(2 * n), IntentAt: index.Pos{Segment: 1 + uint64(n/10), Offset: int64(n * 500)},
		Key: key, Started: 1_790_000_000_000 + int64(n)*1000, About: 1<<62 + 7, Path: 9, Turn: 1 + n, RequestBytes: int64(n * 1000),
	}
}

func end(n int) index.End {
	cost := float64(n) / 4
	return index.End{
		Ending: 1<<63 + 8, ResponseBytes: int64(n * 100), Cost: &cost, FirstByte: int64(n * 3), Duration: int64(n * 7000),
		Usage: flow.Usage{Input: int64(n), Output: 2, CacheRead: 3, CacheWrite: 4, CacheWrite1h: 5, Reasoning: 6},
	}
}

func doneFlow(n int, key uint64) index.Flow {
	f := openFlow(n, key)
	f.Outcome, f.OutcomeAt, f.End = uint64(2*n+1), index.Pos{Segment: f.IntentAt.Segment, Offset: f.IntentAt.Offset + 300}, end(n)
	return f
}

func ended(f index.Flow) index.Ended {
	return index.Ended{ID: f.ID, Outcome: f.Outcome, OutcomeAt: f.OutcomeAt, End: f.End}
}

func TestFlowsComeBackAsTheyWere(t *testing.T) {
	x := fresh(t)
	full := doneFlow(1, 1<<63+5) // keyed ids use all 64 bits
	full.Agent, full.Retry, full.Usage.Estimated = 1<<64-1, true, true
	same := doneFlow(2, 7)
	silent := doneFlow(3, 7)
	silent.Cost, silent.Usage, silent.FirstByte = nil, flow.Usage{}, 0
	still := openFlow(4, 7)
	want := []index.Flow{full, same, silent, still}
	apply(t, x, index.Batch{Flows: []index.Flow{same, full, still, silent}})
	got, err := x.Flows(index.Filter{})
	check(t, "Flows", got, err, want)
	got, err = x.Unended()
	check(t, "Unended", got, err, []index.Flow{still})
}

func TestFilters(t *testing.T) {
	x := fresh(t)
	var all []index.Flow
	for n := range 20 {
		all = append(all, doneFlow(n, uint64(n%3)))
	}
	all[7].Started = all[6].Started // ties go by id
	apply(t, x, index.Batch{Flows: all})
	of := func(keys ...uint64) (list []index.Flow) {
		for _, f := range all {
			if slices.Contains(keys, f.Key) {
				list = append(list, f)
			}
		}
		return list
	}
	tests := []struct {
		name   string
		filter index.Filter
		want   []index.Flow
	}{
		{"all", index.Filter{}, all},
		{"newest", index.Filter{Limit: 3}, all[17:]},
		{"since", index.Filter{Since: all[15].Started}, all[15:]},
		{"key", index.Filter{Keys: []uint64{1}}, of(1)},
		{"keys", index.Filter{Keys: []uint64{1, 2, 99}}, of(1, 2)},
		{"no keys", index.Filter{Keys: []uint64{}}, nil},
		{"before", index.Filter{Before: &index.Place{Started: all[7].Started, ID: all[7].ID}, Limit: 2}, all[5:7]},
		{"before, not in the list", index.Filter{Before: &index.Place{Started: all[4].Started + 1}}, all[:5]},
		{"key, since, newest", index.Filter{Keys: []uint64{0}, Since: all[3].Started, Limit: 2}, of(0)[5:]},
		{"after", index.Filter{After: &index.Place{Started: all[6].Started, ID: all[6].ID}}, all[7:]},
		{"after, before", index.Filter{After: &index.Place{Started: all[3].Started, ID: all[3].ID}, Before: &index.Place{Started: all[9].Started, ID: all[9].ID}}, all[4:9]},
		{"recorded up to an entry", index.Filter{Upto: all[12].Intent}, all[:13]},
	}
	for _, tt := range tests {
		got, err := x.Flows(tt.filter)
		check(t, tt.name, got, err, tt.want)
	}
	many := []uint64{1, 2}
	for n := range uint64(40) {
		many = append(many, 100+n)
	}
	for _, tt := range []struct {
		name   string
		filter index.Filter
		want   []index.Flow
	}{
		{"all", index.Filter{}, all},
		{"oldest", index.Filter{Limit: 3}, all[:3]},
		{"key, after, oldest", index.Filter{Keys: []uint64{0}, After: &index.Place{Started: all[3].Started, ID: all[3].ID}, Limit: 2}, of(0)[2:4]},
		{"many keys, after, oldest", index.Filter{Keys: many, After: &index.Place{Started: all[3].Started, ID: all[3].ID}, Limit: 2}, all[4:6]},
		{"many keys in a condition, after", index.Filter{Where: &index.Cond{Op: index.In, Column: index.Key, Set: many}, After: &index.Place{Started: all[15].Started, ID: all[15].ID}}, []index.Flow{all[16], all[17], all[19]}},
	} {
		got, err := x.Oldest(tt.filter)
		check(t, "oldest: "+tt.name, got, err, tt.want)
	}
}

func TestFind(t *testing.T) {
	x := fresh(t)
	a, b, c := doneFlow(1, 1), doneFlow(2, 1), doneFlow(30, 1)
	apply(t, x, index.Batch{Flows: []index.Flow{a, b, c}})
	for _, tt := range []struct {
		prefix string
		want   []index.Flow
	}{
		{string(b.ID), []index.Flow{b}},
		{string(c.ID[:25]), []index.Flow{c}},
		{string(a.ID[:25]), []index.Flow{a, b}},
		{"01", []index.Flow{a, b}},
		{"%", nil},
		{"01kb_", nil},
	} {
		got, err := x.Find(tt.prefix)
		check(t, tt.prefix, got, err, tt.want)
	}
}

func TestOutcomeInALaterBatch(t *testing.T) {
	x := fresh(t)
	f := doneFlow(1, 1)
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}, Mark: index.Mark{Entry: 2}})
	apply(t, x, index.Batch{Ended: []index.Ended{ended(f)}, Mark: index.Mark{Entry: 3}})
	got, err := x.Flows(index.Filter{})
	check(t, "Flows", got, err, []index.Flow{f})
	got, err = x.Unended()
	check(t, "Unended", got, err, nil)
}

// A flow that comes late (its intent waited in another batch) doesn't make its
// session older.
func TestSessionsAreOrderedByTheirLastFlow(t *testing.T) {
	x := fresh(t)
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(9, 1)}})
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(5, 2), openFlow(1, 1)}})
	sums, err := x.Sums(index.Filter{Since: openFlow(9, 1).Started})
	if err != nil || len(sums) != 1 || sums[0].Key != 1 || sums[0].Flows != 2 {
		t.Errorf("Sums = %+v, %v", sums, err)
	}
}

func TestReplayChangesNothing(t *testing.T) {
	x := fresh(t)
	f := doneFlow(1, 1)
	session := index.Session{Key: 1, Tag: []byte("tag"), Name: []byte("sealed")}
	batches := []index.Batch{
		{Flows: []index.Flow{openFlow(1, 1)}, Sessions: []index.Session{session}},
		{Parts: []index.Part{{f.ID, index.Pos{1, 900}}, {f.ID, index.Pos{1, 800}}}, Objects: []index.Objects{{1, 0, 2, 1, []byte("dir")}}},
		{Ended: []index.Ended{ended(f)}},
	}
	for range 2 {
		for _, b := range batches {
			apply(t, x, b)
		}
	}
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}})
	got, err := x.Flows(index.Filter{})
	check(t, "Flows", got, err, []index.Flow{f})
	parts, err := x.Parts(f.ID)
	check(t, "Parts", parts, err, []index.Pos{{1, 800}, {1, 900}})
	objects, err := x.Objects(1)
	check(t, "Objects", objects, err, []index.Objects{{1, 0, 2, 1, []byte("dir")}})
	keys, err := x.Tagged([]byte("tag"))
	check(t, "Tagged", keys, err, []uint64{1})
}

func TestUnknownFlowsAreLeftOut(t *testing.T) {
	x := fresh(t)
	apply(t, x, index.Batch{Ended: []index.Ended{ended(doneFlow(1, 1))}, Parts: []index.Part{{doneFlow(1, 1).ID, index.Pos{2, 3}}}})
	flows, err := x.Flows(index.Filter{})
	check(t, "Flows", flows, err, nil)
	parts, err := x.Parts(doneFlow(1, 1).ID)
	check(t, "Parts", parts, err, nil)
}

func TestSums(t *testing.T) {
	x := fresh(t)
	a, b, c, d := doneFlow(1, 9), doneFlow(2, 9), doneFlow(4, 9), openFlow(3, 5)
	b.Retry, b.Agent, b.Usage.Estimated = true, 77, true
	c.Turn, c.Agent, c.Cost, c.About = 0, 78, nil, 5
	apply(t, x, index.Batch{
		Flows:    []index.Flow{a, b, c, d},
		Sessions: []index.Session{{Key: 9, Tag: []byte("t9"), Name: []byte("n9")}, {Key: 4, Tag: []byte("t4"), Name: []byte("idle")}},
	})
	cost := 0.75
	nine := index.Sum{
		Session: index.Session{Key: 9, Tag: []byte("t9"), Name: []byte("n9")}, Flows: 3, Turns: 1, First: a.Started, Last: c.Started, Ended: c.Started + c.Duration/1000,
		Usage: flow.Usage{Input: 7, Output: 6, CacheRead: 9, CacheWrite: 12, CacheWrite1h: 15, Reasoning: 18, Estimated: true},
		Cost:  &cost, Unpriced: 1, Agents: 2,
		Served: []index.Served{{index.Traits{5, a.Ending}, 1}, {index.Traits{a.About, a.Ending}, 2}},
	}
	five := index.Sum{
		Session: index.Session{Key: 5}, Flows: 1, Turns: 1, First: d.Started, Last: d.Started, Ended: d.Started,
		Served: []index.Served{{index.Traits{d.About, 0}, 1}},
	}
	for _, tt := range []struct {
		name   string
		filter index.Filter
		want   []index.Sum
	}{
		{"all", index.Filter{}, []index.Sum{five, nine}},
		{"newest", index.Filter{Limit: 1}, []index.Sum{nine}},
		{"key", index.Filter{Keys: []uint64{5}}, []index.Sum{five}},
		{"since", index.Filter{Since: c.Started}, []index.Sum{nine}}, // and all of its flows
		{"with a condition", index.Filter{Where: &index.Cond{Op: index.In, Column: index.Agent, Set: []uint64{77}}}, []index.Sum{nine}},
		{"never", index.Filter{Since: c.Started + 1}, nil},
	} {
		got, err := x.Sums(tt.filter)
		check(t, tt.name, got, err, tt.want)
		var keys []uint64
		for _, s := range got {
			keys = append(keys, s.Key)
		}
		recent, err := x.Recent(tt.filter)
		check(t, "the keys of "+tt.name, recent, err, keys)
	}
}

func TestObjectsComeInOrder(t *testing.T) {
	x := fresh(t)
	list := []index.Objects{{1 << 63, 0, 3, 1, []byte("a")}, {1 << 63, 3, 1, 1, []byte("b")}, {1 << 63, 4, 9, 2, []byte("c")}}
	apply(t, x, index.Batch{Objects: []index.Objects{list[2], list[0], {8, 0, 1, 1, []byte("other")}, list[1]}})
	got, err := x.Objects(1 << 63)
	check(t, "Objects", got, err, list)
}

func TestDrop(t *testing.T) {
	x := fresh(t)
	old, young, twin := doneFlow(5, 1), doneFlow(15, 1), doneFlow(6, 2) // segments 1, 2, 1
	apply(t, x, index.Batch{
		Flows:    []index.Flow{old, twin, young},
		Sessions: []index.Session{{1, []byte("one"), []byte("n")}, {2, []byte("two"), []byte("n")}, {3, []byte("three"), []byte("n")}},
		Parts:    []index.Part{{old.ID, index.Pos{1, 1}}, {old.ID, index.Pos{2, 1}}, {young.ID, index.Pos{2, 2}}},
		Objects:  []index.Objects{{1, 0, 1, 1, []byte("a")}, {1, 1, 1, 2, []byte("b")}, {2, 0, 1, 1, []byte("c")}, {3, 0, 1, 2, []byte("d")}},
		Mark:     index.Mark{Entry: 40, Segment: 2},
	})
	if err := x.Drop(1); err != nil {
		t.Fatal(err)
	}
	flows, err := x.Flows(index.Filter{})
	check(t, "Flows", flows, err, []index.Flow{young})
	for _, tt := range []struct {
		flow index.Flow
		want []index.Pos
	}{{old, nil}, {young, []index.Pos{{2, 2}}}} {
		parts, err := x.Parts(tt.flow.ID)
		check(t, "Parts", parts, err, tt.want)
	}
	objects, err := x.Objects(1)
	check(t, "Objects", objects, err, []index.Objects{{1, 1, 1, 2, []byte("b")}})
	keys, err := x.Tagged([]byte("two"))
	check(t, "Tagged", keys, err, nil)
	keys, err = x.Tagged([]byte("three")) // its objects are still there
	check(t, "Tagged", keys, err, []uint64{3})
	mark, err := x.Mark()
	check(t, "Mark", mark, err, index.Mark{Entry: 40, Segment: 2})
}

func TestMarkIsPartOfTheBatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path)
	m, err := x.Mark()
	check(t, "new Mark", m, err, index.Mark{})
	want := index.Mark{Entry: 1 << 40, Segment: 3, Offset: 1 << 33, Tag: [16]byte{1, 2, 15: 9}}
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}, Mark: want})
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, path)
	m, err = x.Mark()
	check(t, "Mark", m, err, want)
	if err := x.Reset(); err != nil {
		t.Fatal(err)
	}
	m, err = x.Mark()
	check(t, "Mark after Reset", m, err, index.Mark{})
	flows, err := x.Flows(index.Filter{})
	check(t, "Flows after Reset", flows, err, nil)
	apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}})
	flows, err = x.Flows(index.Filter{})
	check(t, "Flows after Apply", flows, err, []index.Flow{openFlow(1, 1)})
}

func TestUnusableFilesAreMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"text": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("not a database\n", 999)), 0o600)
		},
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"half":  func(path string) error { return os.Truncate(path, 6000) },
		"other": func(path string) error { return overwrite(path, 60, []byte{0, 0, 1, 0}) }, // user_version
		"alien": func(path string) error { return overwrite(path, 68, []byte("????")) },     // application_id
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index.db")
			x := open(t, path)
			apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}, Mark: index.Mark{Entry: 5}})
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			x = open(t, path)
			m, err := x.Mark()
			check(t, "Mark", m, err, index.Mark{})
			apply(t, x, index.Batch{Flows: []index.Flow{openFlow(2, 1)}})
		})
	}
}

// While it is open the file is not synced. A dead process leaves it whole all
// the same, a dead machine doesn't.
func TestCrash(t *testing.T) {
	for name, boot := range map[string]string{"of the process": "", "of the machine": "another boot"} {
		t.Run(name, func(t *testing.T) {
			path, left := filepath.Join(t.TempDir(), "index.db"), filepath.Join(t.TempDir(), "index.db")
			x := open(t, path)
			want := index.Mark{Entry: 5}
			apply(t, x, index.Batch{Flows: []index.Flow{openFlow(1, 1)}, Mark: want})
			copyFile(t, path, left) // as a killed process leaves it
			if boot != "" || runtime.GOOS != "linux" {
				execute(t, left, "UPDATE life SET boot = '"+boot+"'")
				want = index.Mark{}
			}
			m, err := open(t, left).Mark()
			check(t, "Mark", m, err, want)
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func overwrite(path string, at int64, with []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(with, at)
	return errors.Join(err, f.Close())
}

func TestDamageIsReportedAndReset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path)
	for n := range 50 {
		apply(t, x, index.Batch{Flows: []index.Flow{doneFlow(n, 1)}})
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	const from = 12 << 12 // behind what Open reads
	if err := overwrite(path, from, bytes.Repeat([]byte{0xff}, int(info.Size())-from)); err != nil {
		t.Fatal(err)
	}
	if x, err = index.Open(path); err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	err = x.Apply(&index.Batch{Flows: []index.Flow{doneFlow(99, 1)}})
	if !errors.Is(err, index.ErrCorrupt) {
		t.Errorf("Apply = %v, want ErrCorrupt", err)
	}
	if err := x.Reset(); err != nil {
		t.Fatal(err)
	}
	apply(t, x, index.Batch{Flows: []index.Flow{doneFlow(99, 1)}})
}

func TestOddPaths(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41;é", "index.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestOpenWithoutFolderIsAnError(t *testing.T) {
	if x, err := index.Open(filepath.Join(t.TempDir(), "none", "index.db")); err == nil {
		x.Close()
		t.Error("Open in a missing folder succeeds")
	}
}

func TestReadingBesideWriting(t *testing.T) {
	x := fresh(t)
	apply(t, x, index.Batch{Flows: []index.Flow{doneFlow(0, 1)}})
	done := make(chan error)
	for range 3 {
		go func() {
			var err error
			for range 8 {
				_, e := x.Flows(index.Filter{Limit: 10})
				_, e2 := x.Sums(index.Filter{})
				err = errors.Join(err, e, e2)
			}
			done <- err
		}()
	}
	for n := range 20 {
		apply(t, x, index.Batch{Flows: []index.Flow{doneFlow(n, 1)}})
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestSecrets(t *testing.T) {
	x := fresh(t)
	secret := func(owner, key uint64, n int) index.Secret {
		return index.Secret{Owner: owner, Key: key, Ref: uint64(100 - n), Entry: uint64(n / 2), At: index.Pos{Segment: 1 + uint64(n/4), Offset: int64(n) * 10}}
	}
	var all []index.Secret
	for n := range 10 {
		all = append(all, secret(1<<63, uint64(1+n%2), n), secret(2, 3, n))
	}
	apply(t, x, index.Batch{Secrets: all, Mark: index.Mark{Entry: 5}})
	apply(t, x, index.Batch{Secrets: all[:3], Mark: index.Mark{Entry: 5}}) // again changes nothing
	get := func(owner, key uint64, limit int, want ...int) {
		t.Helper()
		var list []index.Secret
		for _, n := range want {
			list = append(list, secret(owner, uint64(1+n%2), n))
		}
		got, err := x.Secrets(owner, key, limit)
		check(t, fmt.Sprint("secrets of ", owner, key), got, err, list)
	}
	get(1<<63, 0, 100, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8)
	get(1<<63, 0, 5, 4, 7, 6, 9, 8)
	get(1<<63, 2, 2, 7, 9)
	get(3, 0, 100)
	if err := x.Drop(1); err != nil {
		t.Fatal(err)
	}
	get(1<<63, 0, 100, 5, 4, 7, 6, 9, 8)
}

// The ledger's goal for the whole folder leaves the index this much.
func TestFourHundredFlowsStaySmall(t *testing.T) {
	dir := t.TempDir()
	x := open(t, filepath.Join(dir, "index.db"))
	for n := 0; n < 400; n += 4 {
		b := index.Batch{Mark: index.Mark{Entry: uint64(2 * n)}}
		for i := range 4 {
			b.Flows = append(b.Flows, doneFlow(n+i, uint64(i%2)+1<<40))
		}
		apply(t, x, b)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(e.Name(), info.Size())
		if !strings.HasSuffix(e.Name(), "-shm") { // 32 KB, and never on a disk for long
			size += info.Size()
		}
	}
	if size > 212<<10 {
		t.Errorf("400 flows take %d bytes", size)
	}
}

func BenchmarkApply(b *testing.B) {
	x := fresh(b)
	n := 0
	for b.Loop() {
		batch := index.Batch{Mark: index.Mark{Entry: uint64(n)}}
		for range 1000 {
			batch.Flows = append(batch.Flows, doneFlow(n, uint64(n%7)))
			n++
		}
		if err := x.Apply(&batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "flows/s")
}

func BenchmarkFlows(b *testing.B) {
	x := fresh(b)
	var batch index.Batch
	for n := range 100_000 {
		batch.Flows = append(batch.Flows, doneFlow(n, uint64(n%500)))
	}
	apply(b, x, batch)
	for name, f := range map[string]index.Filter{"newest 100": {Limit: 100}, "session": {Keys: []uint64{7}}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Flows(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("sums of 20", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.Sums(index.Filter{Limit: 20}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestFullDisk: that there is no room is told as such.
func TestFullDisk(t *testing.T) {
	x := fresh(t)
	if err := index.LimitPages(x, 40); err != nil {
		t.Fatal(err)
	}
	var err error
	for n := 1; n < 200 && err == nil; n++ {
		b := index.Batch{Mark: index.Mark{Entry: uint64(n)}}
		for i := range 64 {
			b.Flows = append(b.Flows, openFlow(n*64+i, 1))
		}
		err = x.Apply(&b)
	}
	if !errors.Is(err, index.ErrFull) {
		t.Errorf("applying without room: %v", err)
	}
}

// TestTotalsOfStretches: however many flows are added up at a time, none is left out
// and none counted twice, also where many started at once.
func TestTotalsOfStretches(t *testing.T) {
	x := fresh(t)
	var b index.Batch
	for n := range 100 {
		f := doneFlow(n, uint64(1+n%3))
		f.Started = int64(n/13) * 40_000_000
		b.Flows = append(b.Flows, f)
	}
	apply(t, x, b)
	type group struct{ key, day, about, ending uint64 }
	for _, f := range []index.Filter{{}, {Keys: []uint64{2}}, {Keys: []uint64{1, 3}, Since: 41_000_000}} {
		var want map[group][3]int64
		for _, n := range []int{1000, 100, 99, 13, 7, 1} {
			back := index.Stretch(n)
			got := map[group][3]int64{}
			parts := 0
			err := x.Totals(f, 0, true, func(total *index.Total) error {
				parts++
				g := got[group{total.Key, uint64(total.Day), total.About, total.Ending}]
				g[0], g[1], g[2] = g[0]+int64(total.Flows), g[1]+int64(total.Turns), g[2]+total.Usage.Input
				got[group{total.Key, uint64(total.Day), total.About, total.Ending}] = g
				return nil
			})
			back()
			if want == nil {
				want = got
			}
			check(t, fmt.Sprintf("%+v, %d at a time, in %d parts", f, n, parts), got, err, want)
		}
	}
}
