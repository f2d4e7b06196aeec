package rewrite_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// recorded is an answer that was recorded, or written down as a transcript.
type recorded struct {
	name   string
	api    flow.API
	framed rewrite.Framing
	pieces [][]byte
}

// answers gives what the real agents got, and the codec's transcripts.
func answers(t testing.TB) (list []recorded) {
	t.Helper()
	apis := map[string]flow.API{"claude": flow.Messages, "codex": flow.Responses, "gemini": flow.StreamGenerate}
	for _, name := range glob(t, "../../../test/fixtures/agents/*/*.response.gz") {
		program, _, _ := strings.Cut(filepath.Base(filepath.Dir(name)), "-")
		a := recorded{name: name, api: apis[program], pieces: [][]byte{unzip(t, name)}}
		if strings.Contains(name, "websocket") {
			a.framed, a.pieces = rewrite.Messages, bytes.SplitAfter(bytes.TrimSpace(a.pieces[0]), []byte("\n"))
		}
		list = append(list, a)
	}
	for _, name := range glob(t, "../codec/testdata/answers/*.txt") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(string(text), "-- answer --\n")
		body, _, _ := strings.Cut(rest, "-- want --\n")
		_, api, _ := strings.Cut(head, "api: ")
		api, _, _ = strings.Cut(api, "\n")
		list = append(list, recorded{name: name, api: flow.API(api), pieces: [][]byte{[]byte(body)}})
	}
	return list
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return files
}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// What real agents got passes unchanged, held or not, however it is cut.
func TestRecordedAnswersPass(t *testing.T) {
	for _, a := range answers(t) {
		for _, hold := range []bool{false, true} {
			o := holding(a.api, "", nil)
			o.Hold, o.Framing = hold, a.framed
			want := string(bytes.Join(a.pieces, nil))
			if a.framed == rewrite.Messages {
				g := run(t, o, a.pieces...)
				if g.body != want || len(g.edits) > 0 || len(g.messages) != len(a.pieces) {
					t.Errorf("%s: changed", a.name)
				}
				continue
			}
			g := replay(t, o, a.pieces[0], 1+len(want)/80)
			torn := hold && (strings.Contains(a.name, "cut") || strings.Contains(a.name, "cancelled") || strings.Contains(a.name, "partial"))
			if !torn && (g.body != want || len(g.edits) > 0) {
				t.Errorf("%s: changed, hold %v: %+v", a.name, hold, g.edits)
			}
		}
	}
}

// With each call refused, no call of the client's is left, and what is
// delivered ends well.
func TestRecordedCallsBlocked(t *testing.T) {
	for _, a := range answers(t) {
		o := holding(a.api, "", nil)
		o.Framing = a.framed
		calls := 0
		o.Judge = func(p flow.Part) *flow.Refusal { calls++; return judge("", nil)(p) }
		run(t, o, a.pieces...)
		o.Judge = func(flow.Part) *flow.Refusal {
			return &flow.Refusal{Status: 400, Kind: "policy", Text: `no "rm" here`}
		}
		g := run(t, o, a.pieces...)
		if (g.blocked != nil) != (calls > 0) {
			t.Errorf("%s: blocked %v, calls %d", a.name, g.blocked, calls)
		}
		pieces := []string{g.body}
		if a.framed == rewrite.Messages {
			pieces = append(g.messages, "")
		}
		for _, p := range read(a.api, pieces...) {
			if p.Kind == flow.ToolCall && clients(p.Name) {
				t.Errorf("%s: %+v", a.name, p)
			}
		}
	}
}

// clients reports whether the client runs a tool, not the provider.
func clients(name string) bool {
	switch name {
	case "web_search", "code_interpreter", "file_search", "executableCode", "mcp", "image_generation", "web_fetch", "code_execution", "GOOGLE_SEARCH_WEB", "deepwiki.ask":
		return false
	}
	return true
}
