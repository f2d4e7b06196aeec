package remote

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
)

// FuzzReplies reads what a detector may answer, whatever it is: there is a verdict for
// each text or an error, and a verdict's spans lie in its text and cut no character.
func FuzzReplies(f *testing.F) {
	for _, reply := range []string{
		`[{"entity_type":"PERSON","start":0,"end":3,"score":0.85}]`, `[[{"entity_type":"X","start":1,"end":2,"score":1}],[]]`,
		`[{"entity_type":"","start":1e1,"end":-2,"score":null}]`, `{"action":"BLOCKED","blocked_reason":"\u001b[0m"}`,
		`{"action":"GUARDRAIL_INTERVENED","texts":["a *","é"]}`, `{"action":"NONE"}`,
		`{"results":[{"flagged":true,"categories":{"hate":true},"category_scores":{"hate":0.5}},{"flagged":false}]}`,
	} {
		f.Add([]byte(reply), "Ann Smith", "é😀\xff")
	}
	f.Fuzz(func(t *testing.T, reply []byte, a, b string) {
		for _, kind := range Kinds {
			d, err := newDetector(Options{
				Name: "them", Kind: kind, URL: "http://127.0.0.1:1", Timeout: time.Second, TextBytes: 1 << 10, Concurrency: 1,
				Channels: []flow.Channel{flow.User}, Directions: []Direction{Request},
			}, newCache(1<<10), func(Event) {}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			for _, texts := range [][]string{{a}, {a, b}} {
				said, err := d.protocol.read(reply, texts)
				if err == nil && len(said) != len(texts) {
					t.Fatalf("%s: %d verdicts for %d texts", kind, len(said), len(texts))
				}
				for i, v := range said {
					for _, s := range v.spans {
						check(t, kind, texts[i], &s)
					}
				}
			}
		}
	})
}

func check(t *testing.T, kind Kind, text string, s *span) {
	if s.start < 0 || s.end > len(text) || s.start > s.end || s.start == s.end && !s.whole {
		t.Fatalf("%s: span %d to %d of %d bytes", kind, s.start, s.end, len(text))
	}
	for _, at := range []int{s.start, s.end} {
		if utf8.ValidString(text) && at < len(text) && !utf8.RuneStart(text[at]) {
			t.Fatalf("%s: %d is inside of a character of %q", kind, at, text)
		}
	}
	if s.confidence < 1 || s.confidence > 100 || s.name == "" || s.name == "failed" || len(s.name) > 40 || len(s.note) > 300 || printable(s.note) != s.note {
		t.Fatalf("%s: %+v", kind, s)
	}
}
