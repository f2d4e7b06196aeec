package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestNothingReadableInTheFolder greps the folder, while it is in use and
// afterwards, for words of the content, bare hashes of it, and what
// identifies people.
func TestNothingReadableInTheFolder(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	secret := []byte("planted-word-7431")
	body := fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"%s"}]},{"role":"user","content":"%s"}],"short":"%s"}`, secret, bytes.Repeat(secret, 100), secret)
	answer := fmt.Appendf(nil, "data: {\"text\":\"%s\"}\n\n", secret)
	in := intent("f1", "planted-session", body)
	in.Principal = flow.Principal{Name: "planted-user/claude", User: "planted-user", Credential: "fp_00112233445566aa"}
	in.Path = "/v1/planted-path"
	in.Model = "model-that-may-be-seen"
	r, err := l.Begin(in, ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	r.Push(answer)
	out := outcome("f1", answer)
	out.ProviderRequestID = "req_planted"
	if err := r.End(out, []ledger.Edit{{At: 0, Cut: 1, Put: secret}}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read("f1", ledger.Request, ledger.Access{Who: "planted-reader", Why: "planted-why"}); err != nil {
		t.Fatal(err)
	}
	words := [][]byte{
		secret, []byte("planted"), []byte("7431"), []byte("fp_00112233445566aa"), []byte("req_planted"),
	}
	for _, b := range [][]byte{body, answer, secret, []byte("planted-session"), []byte("planted-user/claude")} {
		h := sha256.Sum256(b)
		words = append(words, h[:16], []byte(hex.EncodeToString(h[:8])), []byte(base64.StdEncoding.EncodeToString(h[:])[:16]))
	}
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		info, ierr := d.Info()
		if err != nil || ierr != nil || !d.IsDir() && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s: %v, %v %v", path, info.Mode(), err, ierr)
		}
		return nil
	})
	by := ledger.Access{Who: "planted-reader", Why: "planted-why"}
	if found, err := l.Search(parse(t, `"planted word 7431"`), ledger.SearchQuery{}, by); err != nil || len(found.Hits) == 0 {
		t.Errorf("the word is not found: %v %+v", err, found)
	}
	look := func(when string) {
		t.Helper()
		seen := 0
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			for _, w := range words {
				if bytes.Contains(data, w) {
					t.Errorf("%s: %s holds %q", when, e.Name(), w)
				}
			}
			return nil
		})
		if err != nil || seen < 6 {
			t.Fatalf("looked at %d files: %v", seen, err)
		}
	}
	look("running")
	stop()
	look("closed")
}

// session plays one coding session: each turn resends all before it and adds
// some KB. It gives the bytes that went over the wire.
func session(t testing.TB, l *ledger.Ledger, name string, seed uint64, turns, last int) (wire int64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	system := prose(r, 20_000)
	var messages []byte
	var stored *ledger.Stored
	for turn := 1; turn <= turns; turn++ {
		code := prose(r, last/turns-700)
		messages = fmt.Appendf(messages, `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%016x","content":"%s"}]},{"role":"assistant","content":[{"type":"text","text":"%s"},{"type":"tool_use","id":"toolu_%016x","name":"Bash","input":{"command":"go test ./%d"}}]},`, r.Uint64(), code, prose(r, 200), r.Uint64(), turn)
		body := fmt.Appendf(nil, `{"model":"claude-test","messages":[%s],"system":[{"type":"text","text":"%s"}],"stream":true}`, bytes.TrimSuffix(messages, []byte(",")), system)
		wire += int64(len(body))
		var base *split.Doc
		if stored != nil {
			base = stored.Doc()
		}
		id := flow.ID(fmt.Sprintf("%s-%04d", name, turn))
		in := intent(id, name, body)
		in.Turn = turn
		rec, err := l.Begin(in, ledger.Content{Doc: split.Split(body, base), Base: stored})
		if err != nil {
			t.Fatal(err)
		}
		stored = rec.Stored()
		var answer []byte
		for i := range 8 {
			chunk := fmt.Appendf(nil, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n", prose(r, 40+i))
			answer = append(answer, chunk...)
			rec.Push(chunk)
		}
		if err := rec.End(outcome(id, answer), nil); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}

func size(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestGrowingSessionsStaySmall: two sessions whose bodies grow to 1 MB over
// 200 turns (100 MB each on the wire) take less than 1/60 of it. In the short
// form they are a fifth as long, with bodies as large for each turn. Full text,
// which is as large as what is new has different words, comes on top: less than
// what is new, though few of its words are alike here.
func TestGrowingSessionsStaySmall(t *testing.T) {
	turns, last, ratio := 40, 200<<10, int64(20)
	if long() {
		turns, last, ratio = 200, 1<<20, 60
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	l, stop := open(t, ledger.Options{Dir: dir})
	wire := session(t, l, "one", 1, turns, last) + session(t, l, "two", 2, turns, last)
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	running := size(t, dir) - size(t, text)
	rep, err := l.Verify(nil)
	if err != nil || rep.Code != ledger.Sound || rep.Flows != 2*turns {
		t.Errorf("verify: %v %+v", err, rep)
	}
	stop()
	words := size(t, text)
	closed := size(t, dir) - words
	t.Logf("%.1f MB on the wire, %.2f MB kept while running (1/%d), %.2f MB closed (1/%d), %.2f MB full text", float64(wire)/1e6, float64(running)/1e6, wire/running, float64(closed)/1e6, wire/closed, float64(words)/1e6)
	if words > int64(2*last) {
		t.Errorf("full text takes %d bytes for %d that are new", words, 2*last)
	}
	if wire/closed < ratio {
		t.Errorf("kept 1/%d, want 1/%d", wire/closed, ratio)
	}
}

func TestBoundedLosesAtMostTheWindow(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	o := faultOptions(t, dir, d)
	o.Mode, o.Window = ledger.Bounded, time.Hour
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	p := play(l, 1)
	if len(p.errs) > 0 {
		t.Fatal(p.errs)
	}
	if got := l.Stats(); got.Mode != ledger.Bounded || got.AtRisk < 4 {
		t.Errorf("stats: %+v", got)
	}
	if views, err := listed(l, ledger.Query{}); err != nil || len(views) != 2 { // listing syncs
		t.Errorf("flows: %v %v", views, err)
	}
	if got := l.Stats().AtRisk; got != 0 {
		t.Errorf("at risk after a listing: %d", got)
	}
	body := conversation(3)
	if _, err := l.Begin(intent("lost", "three", body), ledger.Content{Doc: split.Split(body, nil)}); err != nil {
		t.Fatal(err)
	}
	after := d.Crash(nil)
	l.Close()
	l, err = ledger.Open(faultOptions(t, dir, after))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, _, err := l.Flow("lost"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a flow within the window: %v", err)
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.Flows != 2 {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

// TestFullDisk: new flows are refused with the reason, running ones end, and
// when there is room again all goes on.
func TestFullDisk(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	o := faultOptions(t, dir, d)
	o.SegmentBytes = 64 << 20
	l, err := ledger.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	body := conversation(2)
	running, err := l.Begin(intent("running", "one", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	d.SetFree(0)
	r := rand.New(rand.NewPCG(5, 5))
	var refused *flow.Refusal
	kept := map[flow.ID][]byte{}
	for i := range 200 {
		body := single(r, 10_000)
		id := flow.ID(fmt.Sprintf("f%03d", i))
		rec, err := l.Begin(intent(id, "one", body), ledger.Content{Doc: split.Split(body, nil)})
		if errors.As(err, &refused) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kept[id] = body
		rec.End(outcome(id, nil), nil)
	}
	if refused == nil || refused.Status != 503 || refused.Kind != "ledger_full" || len(kept) == 0 {
		t.Fatalf("refusal %+v after %d flows", refused, len(kept))
	}
	if err := l.Ready(); !errors.As(err, &refused) {
		t.Errorf("ready: %v", err)
	}
	if err := running.Push([]byte("the end")); err != nil {
		t.Errorf("a running flow's answer: %v", err)
	}
	// Whether its end still finds room in what the file has, or waits for some,
	// is a matter of a few bytes.
	if err := running.End(outcome("running", []byte("the end")), nil); err != nil && !(errors.As(err, &refused) && refused.Kind == "ledger_full") {
		t.Errorf("a running flow's end: %v", err)
	}
	d.SetFree(1 << 30)
	l.Room()
	body = conversation(4)
	base := running.Stored()
	if running.Stored() != nil {
		t.Error("the record still holds the request")
	}
	if _, err := l.Begin(intent("again", "one", body), ledger.Content{Doc: split.Split(body, base.Doc()), Base: base}); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	kept["again"] = body
	for id, body := range kept {
		if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
			t.Errorf("request of %s is not what was recorded", id)
		}
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.Open != 1 {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

func TestFaultRefusesEverything(t *testing.T) {
	s := newStage(t, 1)
	s.d.Fail(func(op disktest.Op) disktest.Fault {
		if op.Kind == "sync" {
			return disktest.Before
		}
		return disktest.None
	})
	body := conversation(1)
	begin := func() error {
		_, err := s.l.Begin(intent("new", "one", body), ledger.Content{Doc: split.Split(body, nil)})
		return err
	}
	var refused *flow.Refusal
	if err := begin(); !errors.As(err, &refused) || refused.Status != 503 {
		t.Fatalf("begin: %v", err)
	}
	s.d.Fail(nil) // the disk says that it is well again: nobody believes it
	if err := begin(); !errors.As(err, &refused) || s.l.Ready() == nil {
		t.Errorf("begin after the fault: %v", err)
	}
	if _, err := s.l.Read("one-001", ledger.Request, ledger.Access{Who: "tester", Why: "test"}); err == nil {
		t.Error("content can be read though the access can't be recorded")
	}
	if got := s.l.Stats().Fault; got == "" {
		t.Error("stats do not tell the fault")
	}
}

func TestMetadataOnly(t *testing.T) {
	l := start(t, ledger.Options{})
	in := intent("f1", "s", []byte("never kept"))
	in.Capture = flow.CaptureMetadata
	r, err := l.Begin(in, ledger.Content{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Stored() != nil {
		t.Error("something is stored")
	}
	r.Push([]byte("nor this"))
	if err := r.End(outcome("f1", []byte("nor this")), nil); err != nil {
		t.Fatal(err)
	}
	for _, what := range []ledger.What{ledger.Request, ledger.Forwarded, ledger.Response, ledger.Delivered} {
		if _, err := l.Read("f1", what, ledger.Access{}); !errors.Is(err, ledger.ErrNotKept) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := r.End(outcome("f1", nil), nil); err == nil {
		t.Error("a second outcome is taken")
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

func TestWatch(t *testing.T) {
	l := start(t, ledger.Options{})
	var seen, other []string
	note := func(list *[]string) func(*flow.Intent, *flow.Outcome) {
		return func(in *flow.Intent, out *flow.Outcome) {
			v := flow.NewView(in, out)
			*list = append(*list, fmt.Sprint(v.ID, " ", v.State))
		}
	}
	record := func(id flow.ID) {
		r, err := l.Begin(intent(id, "s", nil), ledger.Content{})
		if err != nil {
			t.Fatal(err)
		}
		r.End(outcome(id, nil), nil)
	}
	stop := l.Watch(note(&seen))
	record("f1")
	stopOther := l.Watch(note(&other))
	record("f2")
	stop()
	record("f3")
	stopOther()
	record("f4")
	if got, want := strings.Join(seen, ", "), "f1 open, f1 done, f2 open, f2 done"; got != want {
		t.Errorf("seen: %s, want %s", got, want)
	}
	if got, want := strings.Join(other, ", "), "f2 open, f2 done, f3 open, f3 done"; got != want {
		t.Errorf("the other: %s, want %s", got, want)
	}
}

func TestCheckpointsEachSecond(t *testing.T) {
	dir := t.TempDir()
	d := disktest.New(1 << 30)
	o := faultOptions(t, dir, d)
	synctest.Test(t, func(t *testing.T) {
		l, stop := open(t, o)
		body := conversation(1)
		r, err := l.Begin(intent("f1", "s", body), ledger.Content{Doc: split.Split(body, nil)})
		if err != nil {
			t.Fatal(err)
		}
		before := l.Stats().Entries
		if err := r.Push([]byte("slow")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond)
		if got := l.Stats().Entries; got != before {
			t.Errorf("%d entries after 0.4 s, want %d", got, before)
		}
		time.Sleep(1200 * time.Millisecond)
		if got := l.Stats().Entries; got != before+1 {
			t.Errorf("%d entries after 1.6 s, want %d", got, before+1)
		}
		if err := r.End(outcome("f1", []byte("slow")), nil); err != nil {
			t.Fatal(err)
		}
		chunks, err := l.Read("f1", ledger.Response, ledger.Access{Who: "tester", Why: "test"})
		if err != nil || string(all(chunks)) != "slow" {
			t.Errorf("answer: %q, %v", all(chunks), err)
		}
		stop()
	})
}

// TestLargePieces: blocks over the limit, literals and glue that are long, a
// body that is no JSON, an empty one.
func TestLargePieces(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	r := rand.New(rand.NewPCG(6, 6))
	blob := make([]byte, 1<<20+17)
	for i := range blob {
		blob[i] = byte(r.Uint32())
	}
	long := prose(r, 2<<20+99)
	bodies := map[flow.ID][]byte{
		"blob":  blob,
		"empty": {},
		"block": fmt.Appendf(nil, `{"messages":[{"role":"user","content":[{"type":"text","text":"%s","cache_control":{"type":"ephemeral"}}]}]}`, long),
		"glue":  fmt.Appendf(nil, `{"messages":[{"role":"user","extra":"%s","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"more":"%s"}],"end":{"a":"%s"}}`, long[:4000], long[4000:9000], long[:9000]),
		"words": []byte("not JSON"),
	}
	for id, body := range bodies {
		for _, again := range []flow.ID{"", "-again"} {
			rec, err := l.Begin(intent(id+again, "s", body), ledger.Content{Doc: split.Split(body, nil)})
			if err != nil {
				t.Fatal(err)
			}
			if err := rec.End(outcome(id+again, nil), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id, body := range bodies {
		for _, again := range []flow.ID{"", "-again"} {
			if got := read(t, l, id+again, ledger.Request); !bytes.Equal(got, body) {
				t.Errorf("%s: %d bytes come back, want %d, or others", id+again, len(got), len(body))
			}
		}
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
	stop()
	if got := size(t, dir); got > 3<<20 {
		t.Errorf("%d bytes are kept: what came again was stored again", got)
	}
}
