package ledger_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// stage is a ledger on a disk in memory, with a script played on it.
type stage struct {
	dir string
	d   *disktest.FS
	l   *ledger.Ledger
	p   *played
	log bytes.Buffer
}

func newStage(t *testing.T, turns int) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir(), d: disktest.New(1 << 30)}
	s.reopen(t)
	if s.p = play(s.l, turns); len(s.p.errs) > 0 {
		t.Fatal(s.p.errs)
	}
	return s
}

// reopen opens the ledger after a crash.
func (s *stage) reopen(t *testing.T) {
	t.Helper()
	o := faultOptions(t, s.dir, s.d)
	o.Log = slog.New(slog.NewTextHandler(&s.log, nil))
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	s.l = l
	t.Cleanup(func() { l.Close() })
}

func (s *stage) crash(t *testing.T) {
	t.Helper()
	old := s.l
	s.d = s.d.Crash(nil)
	old.Close()
}

func (s *stage) file(number uint64) string {
	return filepath.Join(s.dir, "segments", segment.Name(number))
}

// last is the number of the newest segment with frames.
func (s *stage) last(t *testing.T) uint64 {
	t.Helper()
	names, err := s.d.List(filepath.Join(s.dir, "segments"))
	if err != nil {
		t.Fatal(err)
	}
	var last uint64
	for _, name := range names {
		if n, ok := segment.Number(name); ok && len(frames(s.d.Bytes(s.file(n)))) > 0 {
			last = n
		}
	}
	return last
}

// frames gives where the frames of a segment begin and end.
func frames(b []byte) [][2]int {
	var all [][2]int
	for at := segment.FileHead; ; {
		f, err := segment.Parse(b[min(at, len(b)):])
		if err != nil {
			return all
		}
		all = append(all, [2]int{at, at + f.Size})
		at += f.Size
	}
}

func (s *stage) cuts(t *testing.T) []string {
	t.Helper()
	names, err := s.d.List(filepath.Join(s.dir, "segments"))
	if err != nil {
		t.Fatal(err)
	}
	var cuts []string
	for _, name := range names {
		if strings.Contains(name, ".cut-") {
			cuts = append(cuts, name)
		}
	}
	return cuts
}

func (s *stage) verify(t *testing.T) ledger.Report {
	t.Helper()
	rep, err := s.l.Verify(nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestTornTailIsCutAndKeptAside(t *testing.T) {
	t.Run("behind the last frame", func(t *testing.T) { testTorn(t, 0, false) })
	t.Run("behind zeros", func(t *testing.T) { testTorn(t, 1024, false) }) // sectors reach the disk in any order
	t.Run("with the next segment made", func(t *testing.T) { testTorn(t, 0, true) })
}

func testTorn(t *testing.T, gap int, next bool) {
	s := newStage(t, 2)
	s.crash(t)
	n := s.last(t)
	whole := s.d.Bytes(s.file(n))
	all := frames(whole)
	end := all[len(all)-1][1]
	torn := make([]byte, gap)
	torn = append(torn, whole[all[0][0]:all[0][1]]...) // begins like a frame and is none
	torn[gap+len(torn[gap:])/2] ^= 1
	s.d.Change(s.file(n), func(b []byte) []byte {
		b = append(b[:end:end], torn...)
		return append(b, make([]byte, 4096)...)
	})
	if next {
		f, err := s.d.Create(s.file(n + 1))
		if err != nil {
			t.Fatal(err)
		}
		f.WriteAt(append(segment.Head(n+1), make([]byte, 4096)...), 0)
		f.Sync()
	}
	s.reopen(t)
	if cuts := s.cuts(t); len(cuts) != 1 {
		t.Fatalf("kept aside: %q", cuts)
	} else if got := s.d.Bytes(filepath.Join(s.dir, "segments", cuts[0])); !bytes.Equal(got, bytes.TrimRight(torn, "\x00")) {
		t.Errorf("what was kept aside is not what was cut off")
	}
	if !strings.Contains(s.log.String(), "torn tail was cut off") {
		t.Errorf("the log does not say so: %s", &s.log)
	}
	if rep := s.verify(t); rep.Code != ledger.Sound || rep.Cut != 1 {
		t.Errorf("verify: %+v", rep)
	}
	s.l.Close()
	s.p.check(t, s.dir, s.d)
}

func TestDamageOfAcknowledgedEntriesIsNotCut(t *testing.T) {
	s := newStage(t, 2)
	s.crash(t)
	os.Remove(filepath.Join(s.dir, "index.db")) // all is replayed
	n := s.last(t)
	s.d.Change(s.file(n), func(b []byte) []byte {
		b[frames(b)[0][1]-3] ^= 1
		return b
	})
	s.reopen(t)
	if cuts := s.cuts(t); len(cuts) != 0 {
		t.Errorf("cut: %q", cuts)
	}
	if rep := s.verify(t); rep.Code != ledger.Tampered {
		t.Errorf("verify: %+v", rep)
	}
	if err := play2(s.l); err != nil {
		t.Errorf("going on: %v", err)
	}
}

func TestDamagedHead(t *testing.T) {
	s := newStage(t, 2)
	s.crash(t)
	os.Remove(filepath.Join(s.dir, "index.db"))
	s.d.Change(s.file(s.last(t)), func(b []byte) []byte { b[3] ^= 1; return b })
	s.reopen(t)
	if rep := s.verify(t); rep.Code != ledger.Tampered || rep.Flows != len(s.p.requests) {
		t.Errorf("verify: %+v", rep)
	}
	for id, body := range s.p.requests {
		if got := read(t, s.l, id, ledger.Request); !bytes.Equal(got, body) {
			t.Errorf("request of %s is not what was acknowledged", id)
		}
	}
	if err := play2(s.l); err != nil {
		t.Errorf("going on: %v", err)
	}
}

// TestDamagedEntryHidesNoOther: what the index knows of it is listed.
func TestDamagedEntryHidesNoOther(t *testing.T) {
	s := newStage(t, 2)
	before, err := listed(s.l, ledger.Query{})
	if err != nil {
		t.Fatal(err)
	}
	s.d.Change(s.file(1), func(b []byte) []byte { b[frames(b)[0][1]-3] ^= 1; return b })
	after, err := listed(s.l, ledger.Query{})
	if err != nil || len(after) != len(before) {
		t.Fatalf("%d flows, %v, want %d", len(after), err, len(before))
	}
	damaged := 0
	for i, v := range after {
		if v.Unreadable != "" {
			damaged++
			if v.ID != before[i].ID || v.State != before[i].State || v.ResponseBytes != before[i].ResponseBytes {
				t.Errorf("got %+v, want what the index knows of %+v", v, before[i])
			}
		}
	}
	if damaged != 1 {
		t.Errorf("%d flows are marked", damaged)
	}
}

func TestEveryChangeIsFound(t *testing.T) {
	s := newStage(t, 3)
	n := uint64(1)
	whole := s.d.Bytes(s.file(n))
	all := frames(whole)
	end := all[len(all)-1][1]
	if rep := s.verify(t); rep.Code != ledger.Sound || rep.Bodies == 0 {
		t.Fatalf("before any change: %+v", rep)
	}
	step := 397
	if long() {
		step = 7
	}
	for at := 0; at < end; at += step {
		s.d.Change(s.file(n), func(b []byte) []byte { b[at] ^= 0x10; return b })
		if rep := s.verify(t); rep.Code != ledger.Tampered {
			t.Errorf("bit of byte %d changed: %+v", at, rep)
		}
		s.d.Change(s.file(n), func([]byte) []byte { return bytes.Clone(whole) })
	}
	cut := func(i int) []byte { return append(bytes.Clone(whole[:all[i][0]]), whole[all[i][1]:]...) }
	swapped := bytes.Clone(whole[:all[0][0]])
	swapped = append(swapped, whole[all[1][0]:all[1][1]]...)
	swapped = append(swapped, whole[all[0][0]:all[0][1]]...)
	swapped = append(swapped, whole[all[1][1]:]...)
	for name, b := range map[string][]byte{
		"a frame removed":     cut(2),
		"two frames swapped":  swapped,
		"a frame repeated":    append(bytes.Clone(whole[:all[1][1]]), whole[all[1][0]:]...),
		"zeros in the middle": append(append(bytes.Clone(whole[:all[1][0]]), make([]byte, all[1][1]-all[1][0])...), whole[all[1][1]:]...),
	} {
		s.d.Change(s.file(n), func([]byte) []byte { return b })
		if rep := s.verify(t); rep.Code != ledger.Tampered {
			t.Errorf("%s: %+v", name, rep)
		}
	}
	s.d.Change(s.file(n), func([]byte) []byte { return bytes.Clone(whole) })
	if rep := s.verify(t); rep.Code != ledger.Sound {
		t.Errorf("after all was put back: %+v", rep)
	}
}

func TestMissingEntriesAreIncomplete(t *testing.T) {
	t.Run("segment", func(t *testing.T) {
		s := newStage(t, 12)
		s.crash(t)
		if s.last(t) < 3 {
			t.Fatal("the script fills too few segments")
		}
		s.d.Remove(s.file(2))
		s.reopen(t)
		rep := s.verify(t)
		if rep.Code == ledger.Sound || rep.Problems[0].Code != ledger.Incomplete || rep.Problems[0].Text != "segment is missing" {
			t.Errorf("verify: %+v", rep)
		}
	})
	t.Run("first segment", func(t *testing.T) {
		s := newStage(t, 12)
		s.crash(t)
		s.d.Remove(s.file(1))
		s.reopen(t)
		if rep := s.verify(t); rep.Code == ledger.Sound {
			t.Errorf("verify: %+v", rep)
		}
	})
	t.Run("tail", func(t *testing.T) {
		s := newStage(t, 2)
		if _, err := listed(s.l, ledger.Query{}); err != nil { // the index knows all
			t.Fatal(err)
		}
		s.crash(t)
		s.d.Change(s.file(s.last(t)), func(b []byte) []byte {
			all := frames(b)
			return b[:all[len(all)-2][0]]
		})
		s.reopen(t)
		rep := s.verify(t)
		if rep.Code != ledger.Incomplete {
			t.Errorf("verify: %+v", rep)
		}
		if !strings.Contains(s.log.String(), "acknowledged entries are missing") {
			t.Errorf("the log does not say so: %s", &s.log)
		}
	})
}

func TestCrashLeavesUnknown(t *testing.T) {
	s := newStage(t, 1)
	body := conversation(3)
	r, err := s.l.Begin(intent("open", "three", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	came := bytes.Repeat([]byte("streamed "), 40<<10)
	if err := r.Push(came); err != nil { // enough for a checkpoint
		t.Fatal(err)
	}
	if got := read(t, s.l, "open", ledger.Response); !bytes.Equal(got, came) {
		t.Errorf("answer of the open flow: %d bytes, want %d", len(got), len(came))
	}
	if rep := s.verify(t); rep.Code != ledger.Sound || rep.Open != 1 {
		t.Errorf("verify while it is open: %+v", rep)
	}
	s.crash(t)
	s.reopen(t)
	_, out, err := s.l.Flow("ope")
	if err != nil || out == nil || out.State != flow.Unknown || out.ResponseBytes != int64(len(came)) {
		t.Fatalf("after the crash: %+v, %v", out, err)
	}
	if got := read(t, s.l, "open", ledger.Response); !bytes.Equal(got, came) {
		t.Errorf("answer after the crash: %d bytes, want %d", len(got), len(came))
	}
	if rep := s.verify(t); rep.Code != ledger.Sound || rep.Open != 0 || rep.Unknown != 1 {
		t.Errorf("verify: %+v", rep)
	}
}

func TestIndexIsRebuilt(t *testing.T) {
	s := newStage(t, 4)
	want, err := listed(s.l, ledger.Query{})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := gather(s.l.Sessions(ledger.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	s.crash(t)
	if err := os.WriteFile(filepath.Join(s.dir, "index.db"), []byte("this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	got, err := listed(s.l, ledger.Query{})
	if err != nil || fmt.Sprint(flat(got)) != fmt.Sprint(flat(want)) {
		t.Errorf("flows: %v\n got %v\nwant %v", err, flat(got), flat(want))
	}
	if got, err := gather(s.l.Sessions(ledger.Query{})); err != nil || len(got) != 2 || got[0].Flows != sessions[0].Flows {
		t.Errorf("sessions: %v %+v", err, got)
	}
	s.l.Close()
	s.p.check(t, s.dir, s.d)
}

// flat is what can be compared of views.
func flat(views []flow.View) []string {
	var all []string
	for _, v := range views {
		all = append(all, fmt.Sprintf("%s %s %s %d %s", v.ID, v.Session, v.State, v.ResponseBytes, v.RequestSHA256))
	}
	return all
}

func TestFoldersThatCantBeOpened(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	opening := func() string {
		l, err := ledger.Open(ledger.Options{Dir: dir})
		if err != nil {
			return err.Error()
		}
		l.Close()
		return ""
	}
	swap := func(name, text string) func() {
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(path, []byte(text), 0o600)
		return func() { os.WriteFile(path, old, 0o600) }
	}
	back := swap("format", "gatehouse ledger, format 99\n")
	if got := opening(); !strings.Contains(got, "newer Gatehouse (format 99") {
		t.Errorf("newer format: %q", got)
	}
	back()
	swap("format", "gatehouse ledger, format 1\n")
	if got := opening(); got != "" {
		t.Errorf("older format: %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "format")); err != nil || string(text) != "gatehouse ledger, format 3\n" {
		t.Errorf("an older folder's format after it was opened: %q, %v", text, err)
	}
	back = swap("kek", strings.Repeat("ab", 32))
	if got := opening(); !strings.Contains(got, "does not open this ledger") {
		t.Errorf("another key: %q", got)
	}
	back()
	os.Rename(filepath.Join(dir, "kek"), filepath.Join(dir, "elsewhere"))
	if got := opening(); !strings.Contains(got, "is missing, and the keys") {
		t.Errorf("no key: %q", got)
	}
	os.Rename(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "kek"))
	young, err := os.ReadFile(filepath.Join(dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(ledger.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	in := intent("f1", "one", nil)
	rec, err := l.Begin(in, ledger.Content{})
	if err != nil {
		t.Fatal(err)
	}
	rec.End(outcome("f1", nil), nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"cut": string(young[:300]), "older": string(young)} {
		back = swap("keys.db", text)
		if got := opening(); !strings.Contains(got, "was cut") {
			t.Errorf("keys %s: %q", what, got)
		}
		back()
	}
	os.Rename(filepath.Join(dir, "keys.db"), filepath.Join(dir, "elsewhere"))
	if got := opening(); !strings.Contains(got, "is missing, and the segments") {
		t.Errorf("no keys: %q", got)
	}
	os.Rename(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "keys.db"))
	if got := opening(); got != "" {
		t.Errorf("all put back: %q", got)
	}
}

// TestSessionsThatWereForgotten: more sessions than stay in memory, and then
// the first ones again.
func TestSessionsThatWereForgotten(t *testing.T) {
	if !long() {
		t.Skip("long form only")
	}
	l := start(t, ledger.Options{})
	body := conversation(2)
	for round := range 2 {
		var all sync.WaitGroup
		for w := range 32 {
			all.Go(func() {
				for i := w; i < 3000; i += 32 {
					id := flow.ID(fmt.Sprintf("f%d-%d", round, i))
					body := append(bytes.Clone(body[:len(body)-1]), fmt.Sprintf(`,"round":%d}`, round)...)
					r, err := l.Begin(intent(id, fmt.Sprintf("s%d", i), body), ledger.Content{Doc: split.Split(body, nil)})
					if err != nil {
						t.Error(err)
						return
					}
					r.End(outcome(id, nil), nil)
				}
			})
		}
		all.Wait()
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.Flows != 6000 {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir, SegmentBytes: 32 << 10})
	var all sync.WaitGroup
	for w := range 16 {
		all.Go(func() {
			session := fmt.Sprintf("s%d", w%5) // shared: their objects are numbered in turn
			var base *ledger.Stored
			for turn := 1; turn <= 6; turn++ {
				body := conversation(turn + w)
				var doc *split.Doc
				if base != nil {
					doc = base.Doc()
				}
				doc = split.Split(body, doc)
				id := flow.ID(fmt.Sprintf("%02d-%02d", w, turn))
				r, err := l.Begin(intent(id, session, body), ledger.Content{Doc: doc, Base: base})
				if err != nil {
					t.Error(err)
					return
				}
				base = r.Stored()
				answer := fmt.Appendf(nil, "%s %d", session, turn)
				r.Push(answer)
				if err := r.End(outcome(id, answer), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	views, err := listed(l, ledger.Query{})
	if err != nil || len(views) != 96 {
		t.Errorf("flows: %d, %v", len(views), err)
	}
	rep, err := l.Verify(nil)
	if err != nil || rep.Code != ledger.Sound || rep.Flows != 96 || rep.Segments < 2 {
		t.Errorf("verify: %v %+v", err, rep)
	}
	stop()
}

// TestLastEntryIsLookedAtOnStart: after a clean stop nothing is replayed, and no
// later entry names the last one. That it was changed is told all the same.
func TestLastEntryIsLookedAtOnStart(t *testing.T) {
	for _, back := range []int{1, 40, 100} { // in the tag, in the text, in the header or the text
		t.Run(fmt.Sprint(back), func(t *testing.T) {
			s := newStage(t, 2)
			if err := s.l.Close(); err != nil {
				t.Fatal(err)
			}
			n := s.last(t)
			all := frames(s.d.Bytes(s.file(n)))
			end := all[len(all)-1][1]
			s.d.Change(s.file(n), func(b []byte) []byte { b[end-back] ^= 1; return b })
			s.reopen(t)
			if !strings.Contains(s.log.String(), "the last entry is not as it was written") {
				t.Errorf("the start says nothing of it: %s", &s.log)
			}
			if got := s.last(t); got == n {
				t.Error("the damaged segment is written on")
			}
			if rep := s.verify(t); rep.Code != ledger.Tampered {
				t.Errorf("verify: %+v", rep)
			}
			if err := s.l.Close(); err != nil {
				t.Fatal(err)
			}
			s.log.Reset()
			s.reopen(t)
			if s.log.Len() > 0 {
				t.Errorf("the next start says: %s", &s.log)
			}
		})
	}
}
