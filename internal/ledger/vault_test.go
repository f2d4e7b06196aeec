package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// planted is a value that no other text holds.
func planted(n int) string { return fmt.Sprintf("planted-%03d-%s", n, strings.Repeat("q7", 8)) }

// find gives the secrets that a body holds, everywhere they stand.
func find(body []byte, values ...string) []ledger.Secret {
	var list []ledger.Secret
	for _, v := range values {
		form, _ := json.Marshal(v)
		form = form[1 : len(form)-1]
		for at := 0; ; {
			i := bytes.Index(body[at:], form)
			if i < 0 {
				break
			}
			s := ledger.Secret{Start: at + i, End: at + i + len(form), Rule: "secret.test"}
			if string(form) != v {
				s.Value = []byte(v)
			}
			list = append(list, s)
			at += i + len(form)
		}
	}
	return list
}

// record stores a body with secrets and gives the flow its outcome.
func record(t testing.TB, l *ledger.Ledger, id flow.ID, session string, c ledger.Content, delivered []ledger.Edit) *ledger.Stored {
	t.Helper()
	in := intent(id, session, c.Doc.Body)
	in.ForwardedSHA256 = sum(edited(t, c.Doc.Body, c.Edits))
	r, err := l.Begin(in, c)
	if err != nil {
		t.Fatal(err)
	}
	answer := []byte("data: the answer holds QZTOKEN here\n\n")
	if err := r.Push(answer); err != nil {
		t.Fatal(err)
	}
	out := outcome(id, answer)
	out.DeliveredSHA256 = sum(edited(t, answer, delivered))
	if err := r.End(out, delivered); err != nil {
		t.Fatal(err)
	}
	return r.Stored()
}

func edited(t testing.TB, body []byte, edits []ledger.Edit) []byte {
	t.Helper()
	var out []byte
	at := int64(0)
	for _, e := range edits {
		out = append(append(out, body[at:e.At]...), e.Put...)
		at = e.At + e.Cut
	}
	return append(out, body[at:]...)
}

// noneInClear fails when a word stands in an entry that was opened with the
// session's key, or in any file of the folder.
func noneInClear(t *testing.T, l *ledger.Ledger, dir string, words ...string) {
	t.Helper()
	entries, err := l.Plain()
	if err != nil || len(entries) == 0 {
		t.Fatal(len(entries), err)
	}
	for i, e := range entries {
		for _, w := range words {
			if bytes.Contains(e, []byte(w)) {
				t.Errorf("entry %d holds %q in clear: %.300q", i, w, e)
			}
		}
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(data, []byte(w)) {
				t.Errorf("%s holds %q", d.Name(), w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sound(t testing.TB, l *ledger.Ledger, bodies int) {
	t.Helper()
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound || rep.Bodies < bodies {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

// everywhere holds values in all places where bytes of a body can be kept.
func everywhere() (body []byte, values []string) {
	for i := range 12 {
		values = append(values, planted(i))
	}
	values[3] += "\"quote\\"
	q := func(i int) string {
		form, _ := json.Marshal(values[i])
		return string(form[1 : len(form)-1])
	}
	long := strings.Repeat("long literal ", 60)
	body = fmt.Appendf(nil, `{"model":"m","top":"%s","messages":[{"role":"user","glue":"%s","content":[`+
		`{"type":"text","text":"in a block %s and %s twice %s","cache_control":{"type":"ephemeral"}},`+
		`{"type":"text","text":"%s","cache_control":{"type":"ephemeral","hole":"%s"}},`+
		`{"cache_control":{"type":"ephemeral"},"type":"text","text":"behind a hole %s"},`+
		`{"type":"text","text":"number","n":%s}],"tail":"%s"}],"long":"%s%s","system":[{"type":"text","text":"%s"}],"end":"%s"}`,
		q(0), q(1), q(2), q(3), q(2), q(4), q(5), q(10), "8812345678901234", q(6), long, q(7), q(8), q(9))
	return body, append(values[:11:11], "8812345678901234")
}

func TestSecretsStandInTheVaultOnly(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	body, values := everywhere()
	secrets := find(body, values...)
	if len(secrets) != len(values)+1 {
		t.Fatalf("%d secrets stand in the body", len(secrets))
	}
	put := ledger.Edit{At: 17, Cut: 7, Put: []byte(values[2]), Secret: true}
	edits := []ledger.Edit{{At: 3, Cut: 1, Put: []byte("x")}, {At: 20, Cut: 2, Put: []byte(values[0]), Secret: true}}
	stored := record(t, l, "f1", "s", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets, Edits: edits}, []ledger.Edit{put})
	record(t, l, "f2", "s", ledger.Content{Doc: split.Split(body, stored.Doc()), Base: stored, Secrets: secrets}, nil)
	record(t, l, "f3", "s", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets}, []ledger.Edit{put})
	record(t, l, "f4", "other", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets}, nil)
	check := func() {
		t.Helper()
		noneInClear(t, l, dir, append(values, "planted-")...)
		sound(t, l, 13)
		for _, id := range []flow.ID{"f1", "f2", "f3", "f4"} {
			if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
				t.Errorf("%s: request\n got %q\nwant %q", id, got, body)
			}
		}
		if got, want := read(t, l, "f1", ledger.Forwarded), edited(t, body, edits); !bytes.Equal(got, want) {
			t.Errorf("forwarded\n got %q\nwant %q", got, want)
		}
		if got := read(t, l, "f3", ledger.Delivered); !bytes.Contains(got, []byte(values[2])) {
			t.Errorf("delivered %q", got)
		}
	}
	check()
	stop()
	l, stop = open(t, ledger.Options{Dir: dir})
	check()
	stop()
	os.Remove(filepath.Join(dir, "index.db"))
	l, stop = open(t, ledger.Options{Dir: dir})
	check()
	stop()
}

// TestWhatComesAgainIsSharedWithItsSecrets: also without a base, and after a
// restart.
func TestWhatComesAgainIsSharedWithItsSecrets(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	body := conversation(8)
	secrets := find(body, "answer 3", "ls 5", "question 1")
	once := func(id flow.ID) int {
		t.Helper()
		before, err := l.Plain()
		if err != nil {
			t.Fatal(err)
		}
		record(t, l, id, "s", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets}, nil)
		after, err := l.Plain()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range after[len(before):] {
			n += len(e)
		}
		return n
	}
	first := once("f1")
	if again := once("f2"); again > first-2000 {
		t.Errorf("the same request takes %d bytes again, it took %d", again, first)
	}
	stop()
	l, stop = open(t, ledger.Options{Dir: dir})
	defer stop()
	if again := once("f3"); again > first-2000 {
		t.Errorf("after a restart it takes %d bytes, it took %d", again, first)
	}
	sound(t, l, 9)
}

// TestSecretsOverTheEndOfABlock: a block that is too long is not cut within a
// secret, and a span that is too long becomes several.
func TestSecretsOverTheEndOfABlock(t *testing.T) {
	l := start(t, ledger.Options{})
	text := bytes.Repeat([]byte("text "), 420_000)
	for i := range text {
		if i%1000 < 700 {
			text[i] = 'X'
		}
	}
	body := fmt.Appendf(nil, `{"messages":[{"role":"user","content":[{"type":"text","text":"%s","cache_control":{"type":"ephemeral"}}]}]}`, text)
	at := bytes.IndexByte(body, 'X')
	var secrets []ledger.Secret
	for i := 0; i < 1_500_000; i += 1000 {
		secrets = append(secrets, ledger.Secret{Start: at + i, End: at + i + 700})
	}
	secrets = append(secrets, ledger.Secret{Start: at + 1_500_000, End: at + 2_100_000})
	record(t, l, "f1", "s", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets}, nil)
	if got := read(t, l, "f1", ledger.Request); !bytes.Equal(got, body) {
		t.Errorf("%d bytes come back, want %d, or others", len(got), len(body))
	}
	entries, err := l.Plain()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if i := bytes.Index(e, bytes.Repeat([]byte("X"), 20)); i >= 0 {
			t.Fatalf("an entry holds a secret in clear at %d", i)
		}
	}
	if got, err := l.VaultOf("alice/claude"); err != nil || len(got) != 1 {
		t.Errorf("%d values are known, %v", len(got), err)
	}
	sound(t, l, 3)
}

// TestAnySpansComeBackExactly cuts out spans that no detector would give: over
// pieces, holes and each other, empty, long, outside of the body.
func TestAnySpansComeBackExactly(t *testing.T) {
	l := start(t, ledger.Options{})
	r := rand.New(rand.NewPCG(3, 3))
	blob := make([]byte, 1<<20+99)
	for i := range blob {
		blob[i] = byte(r.Uint32())
	}
	long := fmt.Appendf(nil, `{"messages":[{"role":"user","content":[{"type":"text","text":"%s","cache_control":{"type":"ephemeral"}}]}]}`, prose(r, 1<<20+99))
	bodies := [][]byte{conversation(6), single(r, 20_000), []byte("words"), {}, []byte(`{}`), conversation(3), single(r, 900)}
	var stored *ledger.Stored
	for n := range 70 {
		body := bodies[n%len(bodies)]
		if n%12 == 0 { // longer than a block
			body = [][]byte{blob, long}[n/12%2]
		}
		if n%7 < 2 {
			body = append(bytes.Clone(body), fmt.Sprint(n)...)
		}
		var secrets []ledger.Secret
		for range r.IntN(20) {
			start := r.IntN(len(body)+2) - 1
			s := ledger.Secret{Start: start, End: start + r.IntN(2+min(len(body), 300)), Rule: "secret.any", Part: r.IntN(4) == 0}
			if r.IntN(4) == 0 {
				s.Value = []byte("what it says")
			}
			if r.IntN(20) == 0 {
				s.End += 200 << 10
			}
			secrets = append(secrets, s)
		}
		id := flow.ID(fmt.Sprintf("f%03d", n))
		var base *split.Doc
		if stored != nil && n%3 == 0 {
			base = stored.Doc()
		} else {
			stored = nil
		}
		stored = record(t, l, id, "s", ledger.Content{Doc: split.Split(body, base), Base: stored, Secrets: secrets}, nil)
		if got := read(t, l, id, ledger.Request); !bytes.Equal(got, body) {
			t.Fatalf("%s: %d bytes come back, want %d, or others", id, len(got), len(body))
		}
	}
	sound(t, l, 200)
}

func TestVaultAfterARestart(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	l, err := ledger.Open(faultOptions(t, dir, d))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"messages":[{"role":"user","content":"%s and %s"}],"n":%d}`, planted(1), planted(2), 555000111222)
	secrets := find(body, planted(1), planted(2), "555000111222")
	secrets[0].Pseudonym = "QZONE"
	secrets[1].Origin = ledger.Tool
	secrets[2].Number, secrets[2].Value = true, []byte("555000111222")
	header := ledger.Secret{Value: []byte("only in a header"), Rule: "secret.header"}
	half := ledger.Secret{Start: 2, End: 6, Part: true}
	record(t, l, "f1", "one", ledger.Content{Doc: split.Split(body, nil), Secrets: append(secrets, header, half)}, nil)
	record(t, l, "f2", "one", ledger.Content{Doc: split.Split(body, nil), Secrets: append(secrets, header, half)}, nil)
	record(t, l, "f3", "two", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets[:1]}, nil)
	entry := func(session string, s ledger.Secret, value string) ledger.VaultEntry {
		return ledger.VaultEntry{Session: session, Value: []byte(value), Rule: s.Rule, Origin: s.Origin, Number: s.Number, Pseudonym: s.Pseudonym}
	}
	one := []ledger.VaultEntry{
		entry("one", secrets[0], planted(1)), entry("one", secrets[1], planted(2)),
		entry("one", secrets[2], "555000111222"), entry("one", header, "only in a header"),
	}
	two := []ledger.VaultEntry{entry("two", secrets[0], planted(1))}
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			what string
			get  func() ([]ledger.VaultEntry, error)
			want []ledger.VaultEntry
		}{
			{"all", func() ([]ledger.VaultEntry, error) { return l.VaultOf("alice/claude") }, append(one[:4:4], two...)},
			{"session one", func() ([]ledger.VaultEntry, error) { return l.VaultIn("alice/claude", "one") }, one},
			{"session two", func() ([]ledger.VaultEntry, error) { return l.VaultIn("alice/claude", "two") }, two},
			{"another session", func() ([]ledger.VaultEntry, error) { return l.VaultIn("alice/claude", "three") }, nil},
			{"another principal", func() ([]ledger.VaultEntry, error) { return l.VaultOf("bob") }, nil},
			{"another principal's session", func() ([]ledger.VaultEntry, error) { return l.VaultIn("bob", "one") }, nil},
		} {
			got, err := c.get()
			slices.SortStableFunc(got, func(a, b ledger.VaultEntry) int {
				return strings.Compare(a.Session, b.Session)
			})
			if err != nil || !sameEntries(got, c.want) {
				t.Errorf("%s: %s: %v\n got %+v\nwant %+v", when, c.what, err, got, c.want)
			}
		}
	}
	check("running")
	before := l.Stats().Entries
	l.VaultOf("alice/claude")
	l.VaultOf("bob")
	if got := l.Stats().Entries; got != before+1 {
		t.Errorf("reading the vault makes %d entries, want one", got-before)
	}
	d = d.Crash(nil)
	l.Close()
	os.RemoveAll(dir) // the index
	if l, err = ledger.Open(faultOptions(t, dir, d)); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	check("after a crash")
	sound(t, l, 9)
}

// sameEntries compares without regard to the order of a session's values.
func sameEntries(got, want []ledger.VaultEntry) bool {
	if len(got) != len(want) {
		return false
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g ledger.VaultEntry) bool { return reflect.DeepEqual(g, w) }) {
			return false
		}
	}
	return true
}

func TestVaultGivesTheNewest(t *testing.T) {
	l := start(t, ledger.Options{})
	var secrets []ledger.Secret
	for i := range 5000 {
		secrets = append(secrets, ledger.Secret{Value: fmt.Appendf(nil, "value %d", i), Rule: "secret.many"})
	}
	record(t, l, "f1", "s", ledger.Content{Doc: split.Split([]byte("{}"), nil), Secrets: secrets}, nil)
	got, err := l.VaultOf("alice/claude")
	if err != nil || len(got) != 4096 || string(got[0].Value) != "value 904" || string(got[4095].Value) != "value 4999" {
		t.Errorf("%d values, %v", len(got), err)
	}
	if got, err := l.VaultIn("alice/claude", "s"); err != nil || len(got) != 5000 {
		t.Errorf("%d values of the session, %v", len(got), err)
	}
}

// TestRetentionKeepsTheSecretsOfYoungFlows: values are stored anew with the
// blocks that hold them, and old ones go.
func TestRetentionKeepsTheSecretsOfYoungFlows(t *testing.T) {
	dir, d := t.TempDir(), disktest.New(1<<30)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := ledger.Options{Dir: dir, SegmentBytes: 4 << 10, MaxAge: 100 * time.Hour, Now: func() time.Time { return now }, FS: d}
	bodies := map[flow.ID][]byte{}
	for turn := 1; turn <= 30; turn++ {
		l, err := ledger.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		body := conversation(turn)
		if turn == 1 {
			body = append(body, planted(1)...)
		}
		id := flow.ID(fmt.Sprintf("f%04d", turn))
		secrets := find(body, "question 0", fmt.Sprintf("answer %d", turn-1), planted(1))
		for i := range secrets {
			secrets[i].Pseudonym = fmt.Sprint("QZ", i)
		}
		record(t, l, id, "long", ledger.Content{Doc: split.Split(body, nil), Secrets: secrets},
			[]ledger.Edit{{At: 5, Cut: 2, Put: []byte("question 0"), Secret: true}})
		bodies[id] = body
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
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
	for _, v := range views {
		if got := read(t, l, v.ID, ledger.Delivered); !bytes.Contains(got, []byte("question 0")) {
			t.Errorf("answer of %s: %q", v.ID, got)
		}
	}
	for _, v := range views[len(views)-5:] { // younger than half of the limit
		if got := read(t, l, v.ID, ledger.Request); !bytes.Equal(got, bodies[v.ID]) {
			t.Errorf("request of %s is not what was recorded", v.ID)
		}
	}
	values := map[string]bool{}
	entries, err := l.VaultIn("alice/claude", "long")
	for _, e := range entries {
		values[string(e.Value)] = true
	}
	if err != nil || !values["question 0"] || !values["answer 29"] || values[planted(1)] || values["answer 0"] {
		t.Errorf("values that are left: %v, %v", values, err)
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Sound {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

// TestHiddenAnswers: what a model says of a value is kept as the value is.
func TestHiddenAnswers(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	body := conversation(1)
	r, err := l.Begin(intent("f1", "s", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	say := func(text string) {
		t.Helper()
		if err := r.Push([]byte(text)); err != nil {
			t.Fatal(err)
		}
		answer = append(answer, text...)
	}
	say(strings.Repeat("before ", 50_000)) // is a checkpoint
	say("the key is " + planted(1)[:9])
	r.Hide()
	say(planted(1)[9:])
	say(strings.Repeat("and again "+planted(1), 10_000)) // is one, too
	say("the end " + planted(1))
	if got := read(t, l, "f1", ledger.Response); !bytes.Equal(got, answer) {
		t.Error("the open flow's answer is another one")
	}
	say("and last " + planted(1))
	out := outcome("f1", answer)
	out.DeliveredSHA256 = sum(answer[3:])
	if err := r.End(out, []ledger.Edit{{Cut: 3}}); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if got := read(t, l, "f1", ledger.Response); !bytes.Equal(got, answer) {
			t.Errorf("%d bytes come back, want %d, or others", len(got), len(answer))
		}
		noneInClear(t, l, dir, planted(1), planted(1)[9:], "the end ")
		sound(t, l, 3)
	}
	check()
	stop()
	if got := size(t, dir); got > 200<<10 {
		t.Errorf("%d bytes are kept of a text that says one thing again and again", got)
	}
	os.Remove(filepath.Join(dir, "index.db"))
	l, stop = open(t, ledger.Options{Dir: dir})
	check()
	stop()
}

func TestMetadataOnlyKeepsNoSecret(t *testing.T) {
	l := start(t, ledger.Options{})
	in := intent("f1", "s", []byte(planted(1)))
	r, err := l.Begin(in, ledger.Content{Secrets: []ledger.Secret{{Value: []byte(planted(1))}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(outcome("f1", nil), []ledger.Edit{{Put: []byte(planted(1)), Secret: true}}); err != nil {
		t.Fatal(err)
	}
	if got, err := l.VaultOf("alice/claude"); err != nil || len(got) != 0 {
		t.Errorf("%d values are kept, %v", len(got), err)
	}
}

func TestVaultSecrets(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	get := func(principal, purpose string) string {
		t.Helper()
		s, err := l.VaultSecret(principal, purpose)
		if err != nil || len(s) != 32 {
			t.Fatal(len(s), err)
		}
		return string(s)
	}
	first := get("alice", "a")
	if first == get("alice", "b") || first == get("bob", "a") {
		t.Error("secrets of different purposes or principals are the same")
	}
	record(t, l, "f1", "s", ledger.Content{Doc: split.Split([]byte("{}"), nil)}, nil) // makes the keys durable
	stop()
	l, stop = open(t, ledger.Options{Dir: dir})
	defer stop()
	if first != get("alice", "a") {
		t.Error("after a restart it is another one")
	}
}
