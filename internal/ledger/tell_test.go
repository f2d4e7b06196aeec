package ledger_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// teller records flows of one session and asks for them as they were told.
type teller struct {
	t    *testing.T
	l    *ledger.Ledger
	base *ledger.Stored
	n    int
	at   time.Time
}

func newTeller(t *testing.T) *teller {
	return &teller{t: t, l: start(t, ledger.Options{}), at: time.Now().Add(-time.Hour)}
}

func (s *teller) send(body []byte, secrets ...ledger.Secret) flow.ID {
	return s.sendAs(body, func(*flow.Intent) {}, secrets...)
}

func (s *teller) sendAs(body []byte, change func(*flow.Intent), secrets ...ledger.Secret) flow.ID {
	s.t.Helper()
	s.n++
	in := intent(flow.ID(fmt.Sprintf("f%04d", s.n)), "s", body)
	in.Started, in.Turn = s.at.Add(time.Duration(s.n)*time.Second), s.n
	change(in)
	var doc *split.Doc
	if s.base != nil {
		doc = s.base.Doc()
	}
	r, err := s.l.Begin(in, ledger.Content{Doc: split.Split(body, doc), Base: s.base, Secrets: secrets})
	if err != nil {
		s.t.Fatal(err)
	}
	s.base = r.Stored()
	if err := r.Push([]byte("answer")); err != nil {
		s.t.Fatal(err)
	}
	if err := r.End(outcome(in.Flow, []byte("answer")), nil); err != nil {
		s.t.Fatal(err)
	}
	return in.Flow
}

func (s *teller) all() (list []*ledger.Told) {
	s.t.Helper()
	_, err := s.l.Tell(ledger.Window{Session: "s"}, ledger.Access{Who: "me", Why: "test"}, func(t *ledger.Told) error {
		list = append(list, t)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *teller) one(id flow.ID) *ledger.Told {
	s.t.Helper()
	_, told, err := s.l.TellFlow(id, "", ledger.Access{Who: "me", Why: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	return told
}

// wants gives the blocks of the fields that hold a conversation, with their roles,
// from the whole body.
func wants(body []byte) (list []string) {
	d := split.Split(body, nil)
	for _, p := range d.Pieces {
		if p.Kind != split.Block {
			continue
		}
		name := d.Fields[p.Run].Name
		if name != "messages" && name != "system" && name != "tools" {
			continue
		}
		role := ""
		d.Elements(p.Run, nil, func(start, end, _ int) {
			if start < p.Start && p.End < end {
				var m struct{ Role string }
				json.Unmarshal(body[start:end], &m)
				role = m.Role
			}
		})
		list = append(list, fmt.Sprintf("%s %s %d %d", name, role, p.Start, p.End))
	}
	slices.Sort(list)
	return list
}

func brought(t *ledger.Told) (list []string) {
	for _, b := range t.Blocks {
		list = append(list, fmt.Sprintf("%s %s %d %d", b.Field, b.Role, b.Start, b.Start+int64(len(b.Raw))))
	}
	slices.Sort(list)
	return list
}

// author makes messages of every form that agents were seen to send, and odd ones.
type author struct{ *rand.Rand }

func (a author) word(n int) string { return string(prose(a.Rand, n)) }

func (a author) block() string {
	marker := ""
	if a.IntN(4) == 0 {
		marker = `"cache_control":{"type":"ephemeral"},`
	}
	switch a.IntN(5) {
	case 0:
		return fmt.Sprintf(`{%s"type":"tool_result","content":%q}`, marker, a.word(a.IntN(900)))
	case 1:
		return fmt.Sprintf(`{"type":"text",%s"text":"{\"role\":\"no\"] , %s"}`, marker, a.word(a.IntN(90)))
	case 2:
		return fmt.Sprintf("%q", a.word(70+a.IntN(90)))
	case 3:
		return fmt.Sprintf(`{"type":"text","text":"é\\\" 𝄞 %s"}`, a.word(a.IntN(90)))
	}
	return fmt.Sprintf(`{"type":"text","text":%q}`, a.word(a.IntN(90)))
}

func (a author) message() string {
	role := []string{"user", "assistant", "system"}[a.IntN(3)]
	beside := ""
	if a.IntN(4) == 0 {
		beside = fmt.Sprintf(`,"metadata":{"role":"none","list":[[{"x":%q}]]}`, a.word(a.IntN(1400)))
	}
	var blocks []string
	for range 1 + a.IntN(3) {
		blocks = append(blocks, a.block())
	}
	content := "[" + strings.Join(blocks, ", ") + "]"
	switch a.IntN(5) {
	case 0:
		return fmt.Sprintf(`{"role":%q,"content":%q%s}`, role, a.word(a.IntN(300)), beside)
	case 1:
		return fmt.Sprintf(`{"content":%s%s,"role":%q}`, content, beside, role)
	case 2:
		return fmt.Sprintf("{\n \"role\" : %q%s, \"content\" :\t%s }", role, beside, content)
	}
	return fmt.Sprintf(`{"role":%q,"content":%s%s}`, role, content, beside)
}

func body(messages []string, system, tools string) []byte {
	return fmt.Appendf(nil, `{"model":"m", "messages":[%s],"system":%s,"tools":%s,"stream":true,"note":%q}`, strings.Join(messages, ","), system, tools, strings.Repeat("n", 700))
}

// TestBlocksStandWhereTheyAreTold: from the chains of nodes comes what cutting the
// whole body gives, each block in its place and in its mouth.
func TestBlocksStandWhereTheyAreTold(t *testing.T) {
	going := 0
	for seed := range uint64(12) {
		a := author{rand.New(rand.NewPCG(7, seed))}
		s := newTeller(t)
		var messages []string
		for range 6 {
			messages = append(messages, a.message(), a.message())
			if a.IntN(3) == 0 {
				messages[a.IntN(len(messages))] = a.message()
			}
			body := body(messages, `[{"type":"text","text":"be good"},`+a.block()+`]`, `[{"name":"a"},{"name":"b","description":"`+a.word(600)+`"}]`)
			var secrets []ledger.Secret
			for range a.IntN(4) {
				from := a.IntN(len(body) / 2)
				if at := from + bytes.Index(body[from:], []byte("ledger")); at > from {
					secrets = append(secrets, ledger.Secret{Start: at, End: at + 6, Rule: "secret.test"})
				}
			}
			id := s.send(body, secrets...)
			told := s.one(id)
			if told.Unread != nil {
				t.Fatal(told.Unread)
			}
			if got, want := brought(told), wants(body); !slices.Equal(got, want) {
				t.Fatalf("seed %d, flow %s:\ngot  %q\nwant %q", seed, id, got, want)
			}
			for _, b := range told.Blocks {
				if !bytes.Equal(b.Raw, body[b.Start:b.Start+int64(len(b.Raw))]) {
					t.Fatalf("seed %d: a block is %q, want %q", seed, b.Raw, body[b.Start:])
				}
				for _, x := range b.Secrets {
					if x.Rule != "secret.test" && !x.Part || x.Start < 0 || x.End > len(b.Raw) || x.End-x.Start > 6 {
						t.Errorf("seed %d: a value at %d to %d in %q", seed, x.Start, x.End, b.Raw)
					}
				}
			}
		}
		last := 0
		for i, told := range s.all() {
			if told.Before != "" && told.Change.Kept+told.Change.Removed != last {
				t.Errorf("seed %d, flow %d: %d kept and %d removed of %d", seed, i, told.Change.Kept, told.Change.Removed, last)
			}
			if last = told.Change.Kept + told.Change.Added; told.Before != "" {
				going++
			}
		}
	}
	if going < 50 { // of 60 that could: some lose half of what they said
		t.Errorf("%d flows were found to go on from another one", going)
	}
}

// TestLongBlocksAreWhole: a block that the ledger cuts is one to whom it is told.
func TestLongBlocksAreWhole(t *testing.T) {
	s := newTeller(t)
	r := rand.New(rand.NewPCG(1, 1))
	long := fmt.Sprintf(`{"type":"tool_result","content":"\"}]%s"}`, prose(r, 3<<20))
	messages := []string{`{"role":"user","content":[{"type":"text","text":"see"},` + long + `]}`}
	id := s.send(body(messages, `"be good"`, `[]`))
	messages = append(messages, `{"role":"assistant","content":[{"type":"text","text":"seen"}]}`)
	next := s.send(body(messages, `"be good"`, `[]`))
	told := s.one(id)
	if len(told.Blocks) != 3 || string(told.Blocks[2].Raw) != long || told.Blocks[2].Role != "user" {
		t.Errorf("%d blocks", len(told.Blocks))
	}
	all := s.all()
	if c := all[1].Change; c.Kept != 2 || c.Added != 1 || c.Removed != 0 || all[1].Before != id || all[1].Intent.Flow != next {
		t.Errorf("the next turn: %+v", c)
	}
}

// TestABodyThatCameCompressedIsTold, along its parts, with the values of the session
// beside it: nothing says where they stand.
func TestABodyThatCameCompressedIsTold(t *testing.T) {
	s := newTeller(t)
	text := body([]string{`{"role":"user","content":"hello"}`}, `"x"`, `[]`)
	packed := gzipped(t, text)
	coded := func(in *flow.Intent) { in.Header = []flow.Header{{Name: "content-encoding", Value: "gzip"}} }
	id := s.sendAs(packed, coded, ledger.Secret{End: len(packed), Part: true}, ledger.Secret{Value: []byte("hello"), Rule: "secret.test"})
	s.sendAs(gzipped(t, body([]string{`{"role":"user","content":"hello"}`, `{"role":"assistant","content":"hi"}`}, `"x"`, `[]`)), coded)
	told := s.one(id)
	if len(told.Blocks) != 2 || told.Blocks[1].Field != "messages" || !told.Loose || len(told.Values) == 0 || string(told.Values[0].Value) != "hello" {
		t.Errorf("told %+v, %v", told.Blocks, told.Unread)
	}
	if c := s.all()[1].Change; c.Kept != 1 || c.Added != 1 {
		t.Errorf("the next turn: %+v", c)
	}
}

// TestAWindowGoesOnWhereTheOneBeforeEnded.
func TestAWindowGoesOnWhereTheOneBeforeEnded(t *testing.T) {
	s := newTeller(t)
	var messages []string
	for i := range 9 {
		messages = append(messages, fmt.Sprintf(`{"role":"user","content":"message %d"}`, i))
		s.send(body(messages, `"x"`, `[]`))
	}
	var seen []string
	from, windows := flow.ID(""), 0
	for {
		windows++
		got, err := s.l.Tell(ledger.Window{Session: "s", From: from, Limit: 4}, ledger.Access{Who: "me", Why: "test"}, func(t *ledger.Told) error {
			c := t.Change
			seen = append(seen, fmt.Sprintf("%s %d+%d-%d", t.Intent.Flow, c.Kept, c.Added, c.Removed))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if (got.Prev == "") != (from == "") || got.Turns != 9 {
			t.Errorf("window from %q: %+v", from, got)
		}
		if from = got.Next; from == "" {
			break
		}
	}
	if windows != 3 || len(seen) != 9 || seen[4] != "f0005 4+1-0" || seen[8] != "f0009 8+1-0" {
		t.Errorf("%d windows: %q", windows, seen)
	}
}

// TestTellingIsRecordedOnce, before anything is told.
func TestTellingIsRecordedOnce(t *testing.T) {
	s := newTeller(t)
	for range 3 {
		s.send(single(rand.New(rand.NewPCG(1, 1)), 100))
	}
	if _, err := listed(s.l, ledger.Query{}); err != nil { // all that was recorded is there
		t.Fatal(err)
	}
	before := s.l.Stats().Entries
	s.l.Tell(ledger.Window{Session: "s"}, ledger.Access{Who: "me", Why: "test"}, func(*ledger.Told) error {
		if n := s.l.Stats().Entries; n != before+1 {
			t.Errorf("%d entries when the first flow is told, want one more than %d", n, before)
		}
		return nil
	})
	if n := s.l.Stats().Entries; n != before+1 {
		t.Errorf("%d entries, want one more than %d", n, before)
	}
	plain, err := s.l.Plain()
	if err != nil {
		t.Fatal(err)
	}
	if last := string(plain[len(plain)-1]); !strings.Contains(last, `"flow":"f0001"`) || !strings.Contains(last, `"last":"f0003"`) || !strings.Contains(last, `"why":"test"`) {
		t.Errorf("the entry says %s", last)
	}
	if _, err := s.l.Tell(ledger.Window{Session: "none"}, ledger.Access{}, nil); err != ledger.ErrNoSession {
		t.Errorf("an unknown session: %v", err)
	}
}

func gzipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestASocketThatIsOpenedAnew: agents open a socket with a request that says nothing,
// and name it in the next, which says all. A session that is resumed so goes on where
// it was.
func TestASocketThatIsOpenedAnew(t *testing.T) {
	s := newTeller(t)
	said := func(from, to int) string {
		var items []string
		for i := from; i < to; i++ {
			items = append(items, fmt.Sprintf(`{"type":"message","role":"user","content":[{"type":"input_text","text":"item %d"}]}`, i))
		}
		return fmt.Sprintf(`{"model":"gpt","input":[%s],"tools":[{"type":"function","name":"f"}]}`, strings.Join(items, ","))
	}
	names := func(id flow.ID) func(*flow.Intent) {
		return func(in *flow.Intent) { in.API, in.Session.Previous = flow.ResponsesSocket, id }
	}
	opened := s.sendAs([]byte(said(0, 0)), names(""))
	first := s.sendAs([]byte(said(0, 6)), names(opened))
	second := s.sendAs([]byte(said(6, 7)), names(first))
	third := s.sendAs([]byte(said(7, 8)), names(second))
	again := s.sendAs([]byte(said(0, 0)), names(""))
	fourth := s.sendAs([]byte(said(0, 10)), names(again))
	s.sendAs([]byte(said(10, 11)), names(fourth))
	want := []struct {
		before               flow.ID
		kept, added, removed int
	}{{"", 0, 0, 0}, {"", 0, 6, 0}, {first, 6, 1, 0}, {second, 7, 1, 0}, {"", 0, 0, 0}, {third, 6, 4, 0}, {fourth, 10, 1, 0}}
	for i, told := range s.all() {
		c, w := told.Change, want[i]
		if told.Gap || told.Before != w.before || c.Kept != w.kept || c.Added != w.added || c.Removed != w.removed || c.Tools || c.System {
			t.Errorf("request %d: against %q, %+v, gap %v; want %+v", i, told.Before, c, told.Gap, w)
		}
	}
}
