package remote_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/remote"
)

// service answers as a test says, and counts.
type service struct {
	url    string
	mu     sync.Mutex
	bodies []string
	answer func(body string) (status int, reply string)
}

func serve(t *testing.T, answer func(body string) (int, string)) *service {
	s := &service{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies = append(s.bodies, r.URL.Path+" "+string(raw))
		answer := s.answer
		s.mu.Unlock()
		status, reply := answer(string(raw))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies)
}

func (s *service) become(answer func(string) (int, string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.bodies = answer, nil
}

func always(status int, reply string) func(string) (int, string) {
	return func(string) (int, string) { return status, reply }
}

// options are those of the tests: one channel, time enough.
func options(kind remote.Kind, url string) remote.Options {
	return remote.Options{
		Name: "them", Kind: kind, URL: url, Channels: []flow.Channel{flow.User}, Directions: []remote.Direction{remote.Request},
		Timeout: time.Minute, Language: "en", TextBytes: 64 << 10, Concurrency: 4,
	}
}

func set(t *testing.T, o remote.Options, watch func(remote.Event), now func() time.Time) *remote.Set {
	t.Helper()
	s, err := remote.New([]remote.Options{o}, watch, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func users(texts ...string) []remote.Text {
	list := make([]remote.Text, len(texts))
	for i, text := range texts {
		list[i] = remote.Text{Channel: flow.User, Said: text}
	}
	return list
}

// told puts findings in words: rule@text[the span].
func told(texts []remote.Text, found []remote.Finding, failures []remote.Failure) string {
	var list []string
	for _, f := range found {
		what := "whole"
		if !f.Whole {
			what = texts[f.Text].Said[f.Start:f.End]
		}
		list = append(list, fmt.Sprintf("%s@%d[%s]%d%%%s", f.Rule, f.Text, what, f.Confidence, map[bool]string{true: " " + f.Note}[f.Note != ""]))
	}
	for _, f := range failures {
		list = append(list, fmt.Sprintf("%s@%d: %s", f.Rule, f.Text, f.Note))
	}
	return strings.Join(list, " | ")
}

func ask(s *remote.Set, texts ...string) string {
	list := users(texts...)
	found, failures := s.Ask(context.Background(), remote.Request, list)
	return told(list, found, failures)
}

// TestGuardrail: what LiteLLM's generic guardrail API may answer, and what becomes
// of it.
func TestGuardrail(t *testing.T) {
	for name, tc := range map[string]struct {
		reply string
		texts []string
		want  string
	}{
		"nothing":             {`{"action":"NONE"}`, []string{"a", "b"}, ""},
		"blocked":             {`{"action":"BLOCKED","blocked_reason":"no\u001b[2J\n  weapons"}`, []string{"a"}, "remote.them-blocked@0[whole]100% no.[2J weapons"},
		"without a reason":    {`{"action":"BLOCKED"}`, []string{"a"}, "remote.them-blocked@0[whole]100%"},
		"one name":            {`{"action":"GUARDRAIL_INTERVENED","texts":["hi [PERSON], bye"]}`, []string{"hi Ann Smith, bye"}, "remote.them-changed@0[Ann Smith]90%"},
		"two names":           {`{"action":"GUARDRAIL_INTERVENED","texts":["<P> met <P> today"]}`, []string{"Zoë met Bob today"}, "remote.them-changed@0[Zoë]90% | remote.them-changed@0[Bob]90%"},
		"the second of two":   {`{"action":"GUARDRAIL_INTERVENED","texts":["a","b *"]}`, []string{"a", "b c"}, "remote.them-changed@1[c]90%"},
		"all of it":           {`{"action":"GUARDRAIL_INTERVENED","texts":[""]}`, []string{"a b"}, "remote.them-changed@0[a b]90%"},
		"the same":            {`{"action":"GUARDRAIL_INTERVENED","texts":["a"]}`, []string{"a"}, ""},
		"something added":     {`{"action":"GUARDRAIL_INTERVENED","texts":["a b c"]}`, []string{"a c"}, "remote.them-changed@0[whole]90% something was added, or it is not said what was changed"},
		"nobody says what":    {`{"action":"GUARDRAIL_INTERVENED"}`, []string{"a"}, "remote.them-changed@0[whole]90% something was added, or it is not said what was changed"},
		"more than was asked": {`{"action":"GUARDRAIL_INTERVENED","texts":["a","b"]}`, []string{"a"}, "remote.them-changed@0[whole]90% something was added, or it is not said what was changed"},
		"no action":           {`{}`, []string{"a"}, "remote.them-failed@0: its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
		"an odd action":       {`{"action":"ALLOW"}`, []string{"a"}, "remote.them-failed@0: its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
		"no object":           {`[]`, []string{"a"}, "remote.them-failed@0: its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
	} {
		s := serve(t, always(200, tc.reply))
		if got := ask(set(t, options(remote.Guardrail, s.url), nil, nil), tc.texts...); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if !strings.HasPrefix(s.bodies[0], "/beta/litellm_basic_guardrail_api ") || !strings.Contains(s.bodies[0], `"input_type":"request"`) {
			t.Errorf("%s: it was told %s", name, s.bodies[0])
		}
	}
}

// guarding blocks texts in which a word stands; batch is what it says when it is asked
// about more than one.
func guarding(word string) func(string) (int, string) {
	return func(body string) (int, string) {
		var in struct{ Texts []string }
		json.Unmarshal([]byte(body), &in)
		if slices.ContainsFunc(in.Texts, func(s string) bool { return strings.Contains(s, word) }) {
			return 200, `{"action":"BLOCKED","blocked_reason":"bad"}`
		}
		return 200, `{"action":"NONE"}`
	}
}

// TestGuardrailBlocksOneOfMany: a batch that is blocked is asked about again text by
// text, so that the right one is blamed and remembered.
func TestGuardrailBlocksOneOfMany(t *testing.T) {
	s := serve(t, guarding("evil"))
	them := set(t, options(remote.Guardrail, s.url), nil, nil)
	if got, want := ask(them, "good", "evil", "fine"), "remote.them-blocked@1[whole]100% bad"; got != want || s.calls() != 4 {
		t.Errorf("%s with %d calls, want %s with 4", got, s.calls(), want)
	}
	if got := ask(them, "good", "fine"); got != "" || s.calls() != 4 {
		t.Errorf("without it: %s with %d calls", got, s.calls())
	}
	s.become(func(body string) (int, string) {
		if strings.Contains(body, `"x","y"`) {
			return 200, `{"action":"BLOCKED"}`
		}
		return 200, `{"action":"NONE"}`
	})
	if got := ask(them, "x", "y"); strings.Count(got, "together with the other texts") != 2 {
		t.Errorf("together: %s", got)
	}
}

func TestModeration(t *testing.T) {
	const fail = "remote.them-failed@0: "
	for name, tc := range map[string]struct {
		reply string
		score float64
		only  []string
		want  string
	}{
		"harmless": {reply: `{"results":[{"flagged":false,"categories":{"hate":false},"category_scores":{"hate":0.01}}]}`},
		"hate": {reply: `{"results":[{"flagged":true,"categories":{"hate/threatening":true,"sexual":false},"category_scores":{"hate/threatening":0.912,"sexual":0.4}}]}`,
			want: "remote.them-hate-threatening@0[whole]91%"},
		"by score": {reply: `{"results":[{"flagged":false,"categories":{"hate":false,"sexual":true},"category_scores":{"hate":0.5,"sexual":0.2}}]}`, score: .5,
			want: "remote.them-hate@0[whole]50%"},
		"only some":          {reply: `{"results":[{"flagged":true,"categories":{"hate":true,"Violence":true}}]}`, only: []string{"violence"}, want: "remote.them-violence@0[whole]100%"},
		"not applicable":     {reply: `{"results":[{"flagged":false,"categories":{"illicit":null}}]}`},
		"flagged, no reason": {reply: `{"results":[{"flagged":true}]}`, want: "remote.them-flagged@0[whole]100%"},
		"it calls it failed": {reply: `{"results":[{"flagged":true,"categories":{"failed":true}}]}`, want: "remote.them-other@0[whole]100%"},
		"an odd name":        {reply: `{"results":[{"flagged":true,"categories":{"\u001b[31m ×":true}}]}`, want: "remote.them-31m@0[whole]100%"},
		"no results":         {reply: `{}`, want: fail + "its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
		"too few":            {reply: `{"results":[]}`, want: fail + "its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
		"flagged is no word": {reply: `{"results":[{"categories":{}}]}`, want: fail + "its answer is not what its kind of detector says; 1 of 1 texts were not judged"},
		"a score of 7":       {reply: `{"results":[{"flagged":true,"categories":{"hate":true},"category_scores":{"hate":7}}]}`, want: fail + "it reported a score that is not between 0 and 1; 1 of 1 texts were not judged"},
	} {
		s := serve(t, always(200, tc.reply))
		o := options(remote.Moderation, s.url)
		o.MinScore, o.Entities, o.Model = tc.score, tc.only, "m"
		if got := ask(set(t, o, nil, nil), "text"); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if want := `/v1/moderations {"input":["text"],"model":"m"}`; s.bodies[0] != want {
			t.Errorf("%s: it was told %s, want %s", name, s.bodies[0], want)
		}
	}
}

// finding answers as Presidio does: each "Ann" is a person.
func finding(body string) (int, string) {
	var in struct{ Text json.RawMessage }
	json.Unmarshal([]byte(body), &in)
	var texts []string
	if json.Unmarshal(in.Text, &texts) != nil {
		texts = []string{""}
		json.Unmarshal(in.Text, &texts[0])
	}
	lists := make([]string, len(texts))
	for i, text := range texts {
		var found []string
		runes := []rune(text)
		for at := 0; at+3 <= len(runes); at++ {
			if string(runes[at:at+3]) == "Ann" {
				found = append(found, fmt.Sprintf(`{"entity_type":"PERSON","start":%d,"end":%d,"score":0.5}`, at, at+3))
			}
		}
		lists[i] = "[" + strings.Join(found, ",") + "]"
	}
	if in.Text[0] == '"' {
		return 200, lists[0]
	}
	return 200, "[" + strings.Join(lists, ",") + "]"
}

// TestLongTextsAreCut: a text that is too long for a call goes in stretches that share
// an edge, in which nothing is lost and nothing is found twice.
func TestLongTextsAreCut(t *testing.T) {
	s := serve(t, finding)
	o := options(remote.Presidio, s.url)
	o.TextBytes = 1 << 10
	long := strings.Repeat("ü", 509) + "Ann" + strings.Repeat("é😀", 700) + "Ann"
	if got, want := ask(set(t, o, nil, nil), long, "Ann"), "remote.them-person@0[Ann]50% | remote.them-person@0[Ann]50% | remote.them-person@1[Ann]50%"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, body := range s.bodies {
		if strings.Contains(body, `\ufffd`) || len(body) > 2<<10 {
			t.Errorf("it was told %d bytes: %.100s", len(body), body)
		}
	}
}

// TestManyTexts: many texts take few calls, the same one is asked about once, and
// channels and directions that it is not for are not.
func TestManyTexts(t *testing.T) {
	s := serve(t, finding)
	var events []remote.Outcome
	var mu sync.Mutex
	them := set(t, options(remote.Presidio, s.url), func(e remote.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.Outcome)
	}, nil)
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprint("text ", i%100))
	}
	if got := ask(them, texts...); got != "" || s.calls() != 2 {
		t.Errorf("%q with %d calls, want 2", got, s.calls())
	}
	ask(them, texts...)
	other := []remote.Text{{Channel: flow.System, Said: "Ann"}, {Channel: flow.User, Said: " \n"}}
	them.Ask(context.Background(), remote.Request, other)
	them.Ask(context.Background(), remote.Answer, users("Ann"))
	if want := []remote.Outcome{remote.Answered, remote.Answered, remote.Cached}; s.calls() != 2 || !slices.Equal(events, want) {
		t.Errorf("%d calls, %v, want %v", s.calls(), events, want)
	}
	var none *remote.Set
	if found, failures := none.Ask(context.Background(), remote.Request, users("Ann")); found != nil || failures != nil || none.Any(remote.Request) || none.Wants(remote.Request, flow.User) {
		t.Error("a set of none says something")
	}
}

// TestCircuit: who failed five times is left alone for ten seconds; then one request
// tries again.
func TestCircuit(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := serve(t, always(500, ""))
	them := set(t, options(remote.Presidio, s.url), nil, func() time.Time { return now })
	const open = "left alone"
	for i := range 8 {
		got := ask(them, fmt.Sprint("text ", i))
		if strings.Contains(got, open) != (i >= 5) || !strings.Contains(got, "remote.them-failed@0") {
			t.Errorf("request %d: %s", i, got)
		}
	}
	if s.calls() != 5 || !them.Open()["them"] {
		t.Errorf("%d calls, open: %v", s.calls(), them.Open())
	}
	now = now.Add(11 * time.Second)
	if got := ask(them, "a"); strings.Contains(got, open) || s.calls() != 6 {
		t.Errorf("the try: %s, %d calls", got, s.calls())
	}
	if got := ask(them, "a"); !strings.Contains(got, open) || s.calls() != 6 {
		t.Errorf("after it failed: %s, %d calls", got, s.calls())
	}
	now = now.Add(11 * time.Second)
	s.become(finding)
	for range 2 {
		if got := ask(them, "Ann"); got != "remote.them-person@0[Ann]50%" {
			t.Errorf("well again: %s", got)
		}
	}
	if them.Open()["them"] {
		t.Error("it is still open")
	}
}

// TestOneTriesAtATime: while one request tries, others don't wait.
func TestOneTriesAtATime(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := serve(t, always(500, ""))
	them := set(t, options(remote.Presidio, s.url), nil, func() time.Time { return now })
	for i := range 5 {
		ask(them, fmt.Sprint(i))
	}
	now = now.Add(11 * time.Second)
	trying, done := make(chan bool, 2), make(chan bool)
	s.become(func(body string) (int, string) {
		trying <- true
		<-done
		return finding(body)
	})
	first := make(chan string)
	go func() { first <- ask(them, "Ann") }()
	<-trying
	second := make(chan string, 1)
	go func() { second <- ask(them, "Bob") }()
	select {
	case <-trying:
		t.Error("meanwhile a second one tries")
	case got := <-second:
		if !strings.Contains(got, "left alone") {
			t.Errorf("meanwhile: %s", got)
		}
	}
	close(done)
	if got := <-first; got != "remote.them-person@0[Ann]50%" {
		t.Errorf("the try: %s", got)
	}
}

// TestPartOfTheAnswersIsKept: what was judged in time is not asked about again.
func TestPartOfTheAnswersIsKept(t *testing.T) {
	s := serve(t, func(body string) (int, string) {
		if strings.Contains(body, "bad") {
			return 500, ""
		}
		return finding(body)
	})
	o := options(remote.Presidio, s.url)
	o.TextBytes = 1 << 10
	them := set(t, o, nil, nil)
	good, bad := "Ann "+strings.Repeat("g", 900), "bad "+strings.Repeat("b", 900)
	const want = "remote.them-person@0[Ann]50% | remote.them-failed@1: it answered with status 500; 1 of 2 texts were not judged"
	if got := ask(them, good, bad); got != want || s.calls() != 2 {
		t.Errorf("%s with %d calls, want %s", got, s.calls(), want)
	}
	if got := ask(them, good, bad); got != want || s.calls() != 3 {
		t.Errorf("again: %s with %d calls", got, s.calls())
	}
}

func TestAddress(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:5002":         "http://127.0.0.1:5002/analyze",
		"http://localhost:5002/":        "http://localhost:5002/analyze",
		"http://[::1]:5002/analyze":     "http://[::1]:5002/analyze",
		"https://them.example/presidio": "https://them.example/presidio/analyze",
		"http://them.example":           "",
		"http://10.0.0.1":               "",
		"http://127.0.0.1.example":      "",
		"ftp://127.0.0.1":               "",
		"https://me:p4ss@them.example":  "",
		"https://them.example?key=p4ss": "",
		"them.example":                  "",
		"":                              "",
	} {
		got, err := remote.Address(remote.Presidio, base)
		if got != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %s, %v, want %s", base, got, err, want)
		}
	}
}

// TestRealAnswers: what presidio-analyzer itself answered. testdata/presidio.json was
// recorded from version 2.2.366 of the Python registry on 2026-11-25, its own app.py (of 2026-07-02)
// with a blank English pipeline: its pattern recognizers, and one of ours for names,
// because its models are not in the registry.
func TestRealAnswers(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "presidio.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Texts []string
		Reply json.RawMessage
		Want  string
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		s := serve(t, always(200, string(c.Reply)))
		if got := ask(set(t, options(remote.Presidio, s.url), nil, nil), c.Texts...); got != c.Want {
			t.Errorf("%q: %s, want %s", c.Texts, got, c.Want)
		}
	}
	if len(cases) == 0 {
		t.Error("no answers are recorded")
	}
}
