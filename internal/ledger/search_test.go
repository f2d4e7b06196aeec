package ledger_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

func parse(t testing.TB, q string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// seek searches, with all that was recorded taken in.
func seek(t testing.TB, l *ledger.Ledger, q string) ledger.Found {
	t.Helper()
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := l.Search(parse(t, q), ledger.SearchQuery{}, ledger.Access{Who: "tester", Why: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// brief says hits as "flow role xN", the newest first.
func brief(hits []ledger.Hit) string {
	var list []string
	for _, h := range hits {
		list = append(list, fmt.Sprintf("%s %s x%d", h.Flow, cmp.Or(h.Role, "-"), h.Resent))
	}
	return strings.Join(list, ", ")
}

func want(t testing.TB, l *ledger.Ledger, q, hits string) {
	t.Helper()
	if got := brief(seek(t, l, q).Hits); got != hits {
		t.Errorf("%s: got %q, want %q", q, got, hits)
	}
}

// talk plays sessions: each turn sends what was said so far.
type talk struct {
	t     testing.TB
	l     *ledger.Ledger
	bases map[string]*ledger.Stored
	n     int
}

func newTalk(t testing.TB, l *ledger.Ledger) *talk {
	return &talk{t: t, l: l, bases: map[string]*ledger.Stored{}}
}

// turn sends a body and gets an answer of one text; it gives the flow.
func (k *talk) turn(session, body, answer string, change func(*flow.Intent, *ledger.Content)) flow.ID {
	k.t.Helper()
	k.n++
	id := flow.ID(fmt.Sprintf("f%03d", k.n))
	in := intent(id, session, []byte(body))
	in.Turn = k.n
	c := ledger.Content{Base: k.bases[session]}
	if change != nil {
		change(in, &c)
	}
	var doc *split.Doc
	if c.Base != nil {
		doc = c.Base.Doc()
	}
	c.Doc = split.Split([]byte(body), doc)
	r, err := k.l.Begin(in, c)
	if err != nil {
		k.t.Fatal(err)
	}
	k.bases[session] = r.Stored()
	sse := said(answer)
	if err := r.Push(sse); err != nil {
		k.t.Fatal(err)
	}
	if err := r.End(outcome(id, sse), nil); err != nil {
		k.t.Fatal(err)
	}
	return id
}

// said is an answer of the Messages API.
func said(text string) []byte {
	return fmt.Appendf(nil, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"content\":[]}}\n\n"+
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"+
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n"+
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"+
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", text)
}

func messages(list ...string) string {
	return `{"model":"claude-test","messages":[` + strings.Join(list, ",") + `],"system":[{"type":"text","text":"Always be careful with parrots."}],"stream":true}`
}

func user(text string) string {
	return fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":%q}]}`, text)
}

func model(text string) string {
	return fmt.Sprintf(`{"role":"assistant","content":[{"type":"text","text":%q}]}`, text)
}

// TestSearchCountsResends: a word that every turn resends is one hit, an answer
// and its place in the history are one, and the count is that of the flows that
// sent it again, whichever way it came there.
func TestSearchCountsResends(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	k.turn("s", messages(user("the quokka sleeps")), "It dreams of ferns.", nil)                                                                // f001
	k.turn("s", messages(user("the quokka sleeps"), model("It dreams of ferns."), user("wake it")), "It yawns.", nil)                           // f002
	k.turn("s", messages(user("the quokka sleeps"), model("It dreams of ferns."), user("wake it"), model("It yawns."), user("go")), "Ok.", nil) // f003
	want(t, l, "quokka", "f001 user x2")
	want(t, l, "ferns", "f001 assistant x2")
	want(t, l, "yawns", "f002 assistant x1")
	want(t, l, "parrots", "f001 system x2")
	want(t, l, "absent", "")

	// A fork: it shares the beginning only.
	k.turn("s", messages(user("the quokka sleeps"), model("It dreams of ferns."), user("let it be")), "Fine.", nil) // f004
	want(t, l, "ferns", "f001 assistant x3")
	want(t, l, "yawns", "f002 assistant x1")
	// A compaction: the same text in a new place, and nothing else.
	delete(k.bases, "s")
	k.turn("s", messages(user("Summary: all is well"), model("It yawns.")), "Good.", nil) // f005
	want(t, l, "yawns", "f002 assistant x2")
	want(t, l, "quokka", "f001 user x3")
	// A sub-agent of the same session, and another session.
	delete(k.bases, "s")
	k.turn("s", messages(user("the quokka sleeps")), "Yes.", func(in *flow.Intent, _ *ledger.Content) { in.Session.Subagent = "sub" }) // f006
	k.turn("other", messages(user("the quokka sleeps")), "Yes.", nil)                                                                  // f007
	want(t, l, "quokka", "f007 user x0, f001 user x4")

	hit := seek(t, l, "quokka session:s").Hits[0]
	if hit.Last != "f006" || hit.Session != "s" || hit.Principal != "alice/claude" || hit.Turn != 1 || hit.Kind != "text" {
		t.Errorf("hit: %+v", hit)
	}
}

func TestSearchLanguage(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	k.turn("s", messages(user("open src/main.go and read ECONNREFUSED near line 42")), "Configuration is missing.", nil)
	k.turn("s2", messages(user("main and src, go")), "Something configured.", nil)
	k.turn("s3", messages(user("日本語のテスト")), "snake_case_name = 7; naïve Ärger", func(in *flow.Intent, _ *ledger.Content) { in.Principal.Name = "bob/claude" })
	for q, hits := range map[string]string{
		"src/main.go":               "f001 user x0",
		"main.go":                   "f001 user x0",
		"src main":                  "f002 user x0, f001 user x0",
		`"main go"`:                 "f001 user x0",
		`"and read econnrefused"`:   "f001 user x0",
		`"read and"`:                "",
		"config*":                   "f002 assistant x0, f001 assistant x0",
		"configur* -something":      "f001 assistant x0",
		"missing OR something":      "f002 assistant x0, f001 assistant x0",
		"main session:s2":           "f002 user x0",
		"main -session:s2":          "f001 user x0",
		"main principal:bob/*":      "",
		"snake_case_name":           "f003 assistant x0",
		"case_name":                 "f003 assistant x0",
		"snake_name":                "",
		"NAÏVE ärger":               "f003 assistant x0",
		"テスト":                       "f003 user x0",
		"本":                         "f003 user x0",
		"語本":                        "",
		"42 turn:1":                 "f001 user x0",
		"42 turn:2":                 "",
		"main since:1h":             "f002 user x0, f001 user x0",
		"main until:2020-01-01":     "",
		"claude":                    "",
		"main (model:x OR turn:2)":  "f002 user x0",
		"42 (verdict:pass OR main)": "f001 user x0",
	} {
		want(t, l, q, hits)
	}
	for _, q := range []string{"model:claude*", "", "main OR model:x", "-main", "co*", `"!?"`} {
		if _, err := l.Search(parse(t, q), ledger.SearchQuery{}, ledger.Access{Who: "t", Why: "t"}); err == nil {
			t.Errorf("%q: no error", q)
		}
	}
}

func TestSearchPages(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	for i := range 9 {
		k.turn(fmt.Sprint("s", i), messages(user(fmt.Sprint("needle number ", i)), user("another needle")), "", nil)
	}
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []string
	q := ledger.SearchQuery{Limit: 3}
	for range 10 {
		found, err := l.Search(parse(t, "needle"), q, ledger.Access{Who: "t", Why: "t"})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			all = append(all, string(h.Flow))
		}
		if !found.More {
			break
		}
		q.Before = found.Next
	}
	slices.Reverse(all)
	if len(all) != 18 || !slices.IsSorted(all) {
		t.Errorf("pages: %v", all)
	}
}

// TestSnippetsAndTools: what stands around a match, calls of tools and their
// results.
func TestSnippetsAndTools(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	long := strings.Repeat("before ", 100) + "the  needle\n\there" + strings.Repeat(" after", 100)
	k.turn("s", messages(user(long),
		`{"role":"assistant","content":[{"type":"tool_use","id":"toolu_77","name":"Bash","input":{"command":"cat \"notes about herons\"","timeout":120}}]}`,
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_77","content":[{"type":"text","text":"herons\u0020are \u0067rey"}]},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`+strings.Repeat("QUJD", 200)+`"}}]}`),
		"", nil)
	hit := seek(t, l, "needle").Hits[0]
	var text, match string
	for _, f := range hit.Snippet {
		text += f.Text
		if f.Match {
			match += f.Text
		}
	}
	if match != "needle" || !strings.Contains(text, "the needle here after") || !strings.HasPrefix(text, "… before") || !strings.HasSuffix(text, "after …") || len(text) > 400 {
		t.Errorf("snippet: %q, match %q", text, match)
	}
	want(t, l, "herons", "f001 user x0, f001 assistant x0")
	want(t, l, "grey", "f001 user x0")
	want(t, l, "toolu_77 120", "f001 assistant x0")
	want(t, l, "tool_use", "") // a word of the format
	want(t, l, "QUJDQUJD", "")
	for _, h := range seek(t, l, "herons").Hits {
		if h.Kind != "tool_call" && h.Kind != "tool_result" {
			t.Errorf("kind %q", h.Kind)
		}
	}
}

// TestRoles: whose words a text is, wherever a client writes it.
func TestRoles(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	gemini := func(in *flow.Intent, _ *ledger.Content) { in.API, in.Provider = flow.Generate, flow.Gemini }
	body := `{"contents":[{"parts":[{"text":"an emu asks"}],"role":"user"},{"parts":[{"text":"an owl answers"},{"text":"at length"}],"role":"model"},{"parts":[{"text":"the finch nods"}],"role":"user"}],"systemInstruction":{"role":"user","parts":[{"text":"be like a heron"}]}}`
	k.turn("g", body, "", gemini)
	k.turn("z", zip(t, body), "", func(in *flow.Intent, c *ledger.Content) {
		gemini(in, c)
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
	})
	chat := func(in *flow.Intent, _ *ledger.Content) { in.API, in.Provider = flow.Chat, flow.OpenAI }
	k.turn("c", `{"messages":[{"role":"system","content":"a stork rules"},{"role":"user","content":[{"type":"text","text":"a crane asks"}]}],"tools":[{"type":"function","function":{"name":"lookup","description":"finds a gull"}}]}`, "", chat)
	for q, role := range map[string]string{"emu": "user", "owl": "model", "length": "model", "finch": "user", "heron": "system", "stork": "system", "crane": "user"} {
		for _, h := range seek(t, l, q).Hits {
			if h.Role != role {
				t.Errorf("%s in %s: role %q, want %q", q, h.Flow, h.Role, role)
			}
		}
	}
	if hits := seek(t, l, "gull").Hits; len(hits) != 1 || hits[0].Kind != "tool_definition" {
		t.Errorf("gull: %+v", hits)
	}
	if hits := seek(t, l, "heron").Hits; len(hits) != 2 {
		t.Errorf("heron: %+v", hits)
	}
}

// TestSearchIsRecorded: who searches, what for and why, sealed as all is; and no
// content without it.
func TestSearchIsRecorded(t *testing.T) {
	l := start(t, ledger.Options{})
	newTalk(t, l).turn("s", messages(user("needle")), "", nil)
	seek(t, l, `needle "and thread"`)
	plain, err := l.Plain()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(plain, func(b []byte) bool {
		return bytes.Contains(b, []byte(`"what":"search"`)) && bytes.Contains(b, []byte("and thread")) && bytes.Contains(b, []byte("tester"))
	}) {
		t.Error("the search is not on record")
	}
}

// TestSecretsAreNotFound: a value of the vault is neither indexed nor shown.
func TestSecretsAreNotFound(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	body := messages(user("my key is hunter2secret, keep it"))
	at := strings.Index(body, "hunter2secret")
	hide := func(_ *flow.Intent, c *ledger.Content) {
		c.Secrets = []ledger.Secret{{Start: at, End: at + len("hunter2secret"), Rule: "secret.test"}}
	}
	k.turn("s", body, "Fine.", hide)
	want(t, l, "hunter2secret", "")
	hits := seek(t, l, "keep it").Hits
	if len(hits) != 1 || strings.Contains(fmt.Sprint(hits), "hunter2") || !strings.Contains(fmt.Sprint(hits), "●●●●") {
		t.Errorf("hits: %+v", hits)
	}

	// A model that says a value itself.
	id := flow.ID("g1")
	r, err := l.Begin(intent(id, "s", []byte(body)), ledger.Content{Doc: split.Split([]byte(body), nil)})
	if err != nil {
		t.Fatal(err)
	}
	answer := said("It is hunter3secret.")
	r.Hide()
	r.Push(answer)
	if err := r.End(outcome(id, answer), nil); err != nil {
		t.Fatal(err)
	}
	want(t, l, "hunter3secret", "")
}

func zip(t testing.TB, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// TestCompressedRequests: bodies that come compressed, whole each turn.
func TestCompressedRequests(t *testing.T) {
	l, stop := open(t, ledger.Options{Dir: t.TempDir()})
	defer func() { stop() }()
	k := newTalk(t, l)
	coded := func(in *flow.Intent, _ *ledger.Content) {
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
	}
	said := []string{user("the quokka sleeps")}
	for i := range 4 {
		k.turn("s", zip(t, messages(said...)), fmt.Sprint("Answer nr", i), coded)
		said = append(said, model(fmt.Sprint("Answer nr", i)), user(fmt.Sprint("question q", i)))
	}
	k.turn("s", zip(t, messages(said[:3]...)), "", coded)
	want(t, l, "quokka", "f001 user x4")
	want(t, l, "nr0", "f001 assistant x4")
	want(t, l, "nr2", "f003 assistant x1")
	want(t, l, "q1", "f003 user x1")
	want(t, l, "parrots", "f001 system x4")
	if got := seek(t, l, "q1").Hits[0].Last; got != "f004" {
		t.Errorf("last: %s", got)
	}
	k.turn("s", "\x28\xb5\x2f\xfd not zstd after all", "", coded)
	want(t, l, "zstd", "")
}

// TestLongAndBinaryBodies: 20 MB in one string are searchable to their end,
// with no more memory than a few of its pieces; bytes that are no text have no
// words.
func TestLongAndBinaryBodies(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	var b strings.Builder
	for i := range 1_400_000 {
		fmt.Fprintf(&b, "line%07d aa ", i)
		if i == 1_300_000 {
			b.WriteString("buried needle here ")
		}
	}
	k.turn("s", messages(user(b.String())), "", nil)
	found := seek(t, l, `"buried needle"`)
	if len(found.Hits) != 1 || found.Hits[0].Flow != "f001" || !strings.Contains(fmt.Sprint(found.Hits[0].Snippet), "line13") {
		t.Errorf("hits: %.500v", found.Hits)
	}
	k.turn("s", "\x89PNG\r\n\x1a\n\x00\x00needle\x00\x01\x02", "", func(in *flow.Intent, _ *ledger.Content) { in.API = flow.Opaque })
	k.turn("s", "a plain text with needle2 in it", "", func(in *flow.Intent, _ *ledger.Content) { in.API = flow.Opaque })
	want(t, l, "needle2", "f003 - x0")
	want(t, l, "png", "")
}

// TestFullTextComesBack: lost, damaged, of another version, or stopped between
// two batches, it is made again and says the same.
func TestFullTextComesBack(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	k := newTalk(t, l)
	var said []string
	for i := range 30 {
		said = append(said, user(fmt.Sprintf("question nr%d about quokkas", i)))
		k.turn("s", messages(said...), fmt.Sprintf("answer an%d", i), nil)
		said = append(said, model(fmt.Sprintf("answer an%d", i)))
	}
	check := func(when string) {
		t.Helper()
		for q, hits := range map[string]string{"nr0": "f001 user x29", "an3": "f004 assistant x26", "nr29": "f030 user x0", "parrots": "f001 system x29"} {
			if got := brief(seek(t, l, q).Hits); got != hits {
				t.Errorf("%s: %s: got %q, want %q", when, q, got, hits)
			}
		}
	}
	check("at first")
	text := filepath.Join(dir, "text")
	files, err := filepath.Glob(filepath.Join(text, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for when, harm := range map[string]func(){
		"restarted":    func() {},
		"folder lost":  func() { os.RemoveAll(text) },
		"file lost":    func() { os.Remove(files[0]) },
		"state lost":   func() { os.Remove(filepath.Join(text, "state.json")) },
		"file damaged": func() { spoil(t, files[0]) },
		"file no index": func() {
			os.WriteFile(files[0], []byte("not a database at all, but long enough for a head of one, perhaps"), 0o600)
		},
		"other version": func() {
			name := filepath.Join(text, "state.json")
			data, _ := os.ReadFile(name)
			os.WriteFile(name, bytes.Replace(data, []byte(`"version":`), []byte(`"version":9`), 1), 0o600)
		},
	} {
		stop()
		harm()
		l, stop = open(t, ledger.Options{Dir: dir})
		if when == "file damaged" { // the first that touches it finds out
			l.BuildText(t.Context())
			l.Search(parse(t, "quokkas"), ledger.SearchQuery{Limit: 200}, ledger.Access{Who: "t", Why: "t"})
		}
		check(when)
	}
	stop()
}

// TestFullTextAfterACrash: whatever of a batch was written when the program was
// killed, all is there once when it goes on, and counted once.
func TestFullTextAfterACrash(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	k := newTalk(t, l)
	var said []string
	part := func(from, to int) {
		for i := from; i < to; i++ {
			said = append(said, user(fmt.Sprintf("question nr%d about quokkas", i)))
			k.turn("s", messages(said...), fmt.Sprintf("answer an%d", i), nil)
			said = append(said, model(fmt.Sprintf("answer an%d", i)))
		}
		if err := l.BuildText(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	state := func(from string) []byte {
		data, err := os.ReadFile(filepath.Join(from, "text", "state.json"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	part(0, 10)
	before := state(dir)
	part(10, 20)
	// Killed now; and killed before the state of the last batches was written.
	for name, data := range map[string][]byte{"now": state(dir), "between": before} {
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, "text", "state.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		after, end := open(t, ledger.Options{Dir: copied})
		for q, hits := range map[string]string{"nr0": "f001 user x19", "an3": "f004 assistant x16", "nr19": "f020 user x0", "an19": "f020 assistant x0", "parrots": "f001 system x19"} {
			if got := brief(seek(t, after, q).Hits); got != hits {
				t.Errorf("%s: %s: got %q, want %q", name, q, got, hits)
			}
		}
		end()
	}
	stop()
}

// spoil changes a file's pages behind the first.
func spoil(t *testing.T, name string) {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBroughtAndSays: which flows brought a text.
func TestBroughtAndSays(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	k.turn("s", messages(user("the quokka sleeps")), "It dreams of ferns.", nil)
	k.turn("s", messages(user("the quokka sleeps"), model("It dreams of ferns."), user("wake the wombat")), "It yawns.", nil)
	k.turn("s2", messages(user("another quokka wakes")), "", nil)
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	by := ledger.Access{Who: "tester", Why: "test"}
	for _, c := range []struct {
		text  filter.Text
		flows string
	}{
		{filter.Text{Words: "quokka"}, "f003 f001"},
		{filter.Text{Words: "ferns"}, "f001"},
		{filter.Text{Words: "quok", Prefix: true}, "f003 f001"},
		{filter.Text{Words: "quokka sleeps", Phrase: true}, "f001"},
		{filter.Text{Words: "wombat"}, "f002"},
		{filter.Text{Words: "nothing"}, ""},
	} {
		var got []string
		for id, err := range l.Brought(c.text, by) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(id))
		}
		if strings.Join(got, " ") != c.flows {
			t.Errorf("%+v: got %v, want %s", c.text, got, c.flows)
		}
		for _, id := range []flow.ID{"f001", "f002", "f003"} {
			says, err := l.Says(id, c.text)
			if err != nil || says != strings.Contains(c.flows, string(id)) {
				t.Errorf("%s says %+v: %v, %v", id, c.text, says, err)
			}
		}
	}
}

// TestListsByText: a filter's text chooses the flows that brought it.
func TestListsByText(t *testing.T) {
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	k.turn("s", messages(user("the quokka sleeps")), "It dreams of ferns.", nil)
	k.turn("s", messages(user("the quokka sleeps"), model("It dreams of ferns."), user("wake the wombat")), "It yawns.", nil)
	k.turn("s2", messages(user("another quokka wakes")), "", nil)
	for q, flows := range map[string]string{"quokka": "f001 f003", "quokka session:s": "f001", "-quokka": "f002", `"quokka sleeps" OR yawns`: "f001 f002", "wak*": "f002 f003"} {
		rows, err := l.Rows(ledger.Query{Filter: parse(t, q)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, string(r.ID))
		}
		if strings.Join(got, " ") != flows {
			t.Errorf("%s: got %v, want %s", q, got, flows)
		}
		follow(t, l, q, flows)
	}
	read := true
	list, err := l.Journal(ledger.JournalQuery{Readings: &read})
	if err != nil || !slices.ContainsFunc(list, func(j ledger.JournalEntry) bool { return j.Who == "watcher" && j.Query == "quokka session:s" }) {
		t.Errorf("that somebody follows a text is not on record: %+v, %v", list, err)
	}
}

// follow wants that who follows flows by a filter is shown the same ones.
func follow(t *testing.T, l *ledger.Ledger, q, flows string) {
	t.Helper()
	match, err := l.Follow(parse(t, q), ledger.Access{Who: "watcher", Why: "test"})
	if err != nil {
		t.Fatal(err)
	}
	views, err := listed(l, ledger.Query{})
	if err != nil || len(views) != 3 {
		t.Fatalf("%d flows, %v", len(views), err)
	}
	for i := range views {
		if v := &views[i]; match(v) != strings.Contains(flows, string(v.ID)) {
			t.Errorf("%s: followed, %s matches: %v", q, v.ID, match(v))
		}
	}
}

// TestRetentionTakesTexts: what stood in removed segments is not found any
// more, but where it was stored again; a file that has nothing left goes.
func TestRetentionTakesTexts(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l, stop := open(t, ledger.Options{Dir: dir, SegmentBytes: 64 << 10, MaxBytes: 300 << 10, Now: func() time.Time { return now }})
	defer func() { stop() }()
	k := newTalk(t, l)
	at := func(in *flow.Intent, _ *ledger.Content) { in.Started = now }
	k.turn("old", messages(user("ancient papyrus")), "", at)
	now = now.AddDate(0, 1, 0)
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		k.turn("s", messages(user("evergreen"), user(fmt.Sprintf("turn nr%d %s", i, filler(i)))), "", at)
		if i%10 == 0 {
			want(t, l, fmt.Sprint("nr", i), fmt.Sprintf("f%03d user x0", i+2))
			if err := l.Retain(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		if err := l.Retain(); err != nil {
			t.Fatal(err)
		}
	}
	want(t, l, "papyrus", "")
	want(t, l, "nr0", "")
	want(t, l, "nr59", "f061 user x0")
	hits := seek(t, l, "evergreen").Hits
	if len(hits) != 1 || hits[0].Flow <= "f002" {
		t.Errorf("evergreen: %s", brief(hits))
	}
	files, err := filepath.Glob(filepath.Join(dir, "text", "*.db"))
	if err != nil || len(files) != 1 || filepath.Base(files[0]) != "2026-03.db" && filepath.Base(files[0]) != "2026-02.db" {
		t.Errorf("files: %v, %v", files, err)
	}
}

// filler is text that does not compress well.
func filler(i int) string {
	var b strings.Builder
	x := uint64(i + 1)
	for range 700 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&b, "%x ", x)
	}
	return b.String()
}

// TestRolesAreNotInClear: a role is what a client says, too.
func TestRolesAreNotInClear(t *testing.T) {
	dir := t.TempDir()
	l := start(t, ledger.Options{Dir: dir})
	k := newTalk(t, l)
	k.turn("s", `{"model":"m","messages":[{"role":"my-password-is-hunter2","content":[{"type":"text","text":"the quokka sleeps"}]},{"role":"my-password-is-hunter3","content":"the wombat"}]}`, "x", nil)
	k.turn("s", zip(t, `{"model":"m","messages":[{"role":"my-password-is-hunter4","content":[{"type":"text","text":"the numbat sleeps"}]}]}`), "x", func(in *flow.Intent, _ *ledger.Content) {
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
	})
	want(t, l, "quokka", "f001 - x0")
	want(t, l, "numbat", "f002 - x0")
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("my-password")) {
			t.Errorf("%s has a client's words", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestListingByAWordIsRecorded: which flows have a word is content, too.
func TestListingByAWordIsRecorded(t *testing.T) {
	l := start(t, ledger.Options{})
	newTalk(t, l).turn("s", messages(user("the quokka sleeps")), "", nil)
	by := ledger.Access{Who: "lister", Why: "to know"}
	for i, ask := range []func(q ledger.Query) error{
		func(q ledger.Query) error { _, err := l.Rows(q); return err },
		func(q ledger.Query) error { _, err := listed(l, q); return err },
		func(q ledger.Query) error { _, err := l.Count(q); return err },
		func(q ledger.Query) error { _, err := gather(l.Sessions(q)); return err },
		func(q ledger.Query) error { _, err := l.Overview(q, nil, 0); return err },
	} {
		if err := ask(ledger.Query{Filter: parse(t, `quokka -"the wombat"`), By: by}); err != nil {
			t.Fatal(err)
		}
		list, err := l.Journal(ledger.JournalQuery{})
		if err != nil {
			t.Fatal(err)
		}
		list = slices.DeleteFunc(list, func(j ledger.JournalEntry) bool { return j.Kind != "read" })
		if len(list) != i+1 || list[i].Who != "lister" || list[i].Why != "to know" || list[i].Query != `quokka -"the wombat"` {
			t.Errorf("question %d: the journal has %+v", i, list)
		}
	}
}

// TestTwoCodingsOfARequest: each may have a line of its own (RFC 9110 section 5.3).
func TestTwoCodingsOfARequest(t *testing.T) {
	l := start(t, ledger.Options{})
	newTalk(t, l).turn("s", zip(t, zip(t, messages(user("the quokka sleeps")))), "", func(in *flow.Intent, _ *ledger.Content) {
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"}, flow.Header{Name: "Content-Encoding", Value: "zstd"})
	})
	want(t, l, "quokka", "f001 user x0")
}

// TestSearchWithoutTimeGoesOn: each answer is further than the one before.
func TestSearchWithoutTimeGoesOn(t *testing.T) {
	defer ledger.SearchFor(0)()
	l := start(t, ledger.Options{})
	k := newTalk(t, l)
	for range 5 {
		k.turn("s"+time.Now().String(), messages(user("the quokka sleeps")), "", nil)
	}
	if err := l.BuildText(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for q := (ledger.SearchQuery{}); len(got) < 20; {
		found, err := l.Search(parse(t, "quokka"), q, ledger.Access{})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			got = append(got, string(h.Flow))
		}
		if !found.More {
			break
		}
		if found.Next == q.Before || len(found.Hits) == 0 {
			t.Fatalf("%+v goes on at %q", found.Hits, found.Next)
		}
		q.Before = found.Next
	}
	if list := strings.Join(got, " "); list != "f005 f004 f003 f002 f001" {
		t.Errorf("got %s", list)
	}
}

// TestSearchReadsABodyOnce: a body may have thousands of texts, and is not read for
// each.
func TestSearchReadsABodyOnce(t *testing.T) {
	var list []string
	for i := range 1500 {
		list = append(list, user("the quokka sleeps "+strings.Repeat(string(rune('a'+i%26))+" word ", 300)+time.Duration(i).String()))
	}
	for coding, body := range map[string]string{"identity": messages(list...), "zstd": zip(t, messages(list...))} {
		t.Run(coding, func(t *testing.T) {
			l := start(t, ledger.Options{})
			newTalk(t, l).turn("s", body, "", func(in *flow.Intent, _ *ledger.Content) {
				in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: coding})
			})
			if err := l.BuildText(t.Context()); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			found, err := l.Search(parse(t, "quokka"), ledger.SearchQuery{Limit: 1}, ledger.Access{})
			if took := time.Since(begin); err != nil || len(found.Hits) != 1500 || took > 10*time.Second {
				t.Errorf("%d hits after %v, %v", len(found.Hits), took, err)
			}
		})
	}
}

// TestTheLargestFilters: whatever a filter may ask, the index answers, and is not
// taken for damaged.
func TestTheLargestFilters(t *testing.T) {
	l := start(t, ledger.Options{})
	newTalk(t, l).turn("s", messages(user("the quokka sleeps")), "", nil)
	deep := "quokka"
	for i := range 15 {
		deep = fmt.Sprintf("quokka (w%d OR (%s))", i, deep)
	}
	not := "quokka"
	for i := range 15 {
		not = fmt.Sprintf("-(w%d OR -(%s))", i, not)
	}
	for name, q := range map[string]string{
		"deep": deep, "denied": "quokka " + not, "many": "quokka" + strings.Repeat(" OR w", 190), "all": "quokka" + strings.Repeat(" quokka", 190),
		"long": `quokka OR "` + strings.TrimSpace(strings.Repeat("a b.c-d ", 480)) + `"`, "chinese": `quokka OR "` + strings.Repeat("鸭嘴兽", 440) + `"`,
		"beginnings": "quokka" + strings.Repeat(" OR sleep*", 190),
	} {
		if err := l.BuildText(t.Context()); err != nil {
			t.Fatal(err)
		}
		found, err := l.Search(parse(t, q), ledger.SearchQuery{}, ledger.Access{})
		if err != nil || len(found.Hits) != 1 || found.Indexed.Done != found.Indexed.Total-1 && found.Indexed.Done != found.Indexed.Total {
			t.Errorf("%s: %d hits, %+v, %v", name, len(found.Hits), found.Indexed, err)
		}
		if rows, err := l.Rows(ledger.Query{Filter: parse(t, q)}); err != nil || len(rows) != 1 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

// TestTextThatCouldNotBeWritten is taken in again: what was known of it until then was
// of a step that failed.
func TestTextThatCouldNotBeWritten(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want(t, l, "quokka", "")
	k := newTalk(t, l)
	coded := func(in *flow.Intent, _ *ledger.Content) {
		in.Started = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
	}
	id := k.turn("s", zip(t, messages(user("the quokka sleeps"))), "", coded)
	barrier := filepath.Join(dir, "text", "2026-05.db", "in the way") // where its file is to be
	if err := os.MkdirAll(barrier, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.BuildText(t.Context()); err == nil {
		t.Fatal("the full text was written")
	}
	if err := os.RemoveAll(filepath.Dir(barrier)); err != nil {
		t.Fatal(err)
	}
	want(t, l, "quokka", string(id)+" user x0")
}
