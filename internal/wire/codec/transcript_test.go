package codec_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

var update = flag.Bool("update", false, "write what the codec says into the transcripts; read the difference before you keep it")

// transcript is a file of testdata: a note and `key: value` lines, then the
// bytes, then what the codec must say about them.
type transcript struct {
	file string
	note string
	meta map[string]string
	body []byte
	want string
}

func transcripts(t testing.TB, folder, section string) []transcript {
	t.Helper()
	files, err := filepath.Glob("testdata/" + folder + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	var all []transcript
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, ok := strings.Cut(string(text), "-- "+section+" --\n")
		if !ok {
			t.Fatalf("%s: no section %q", file, section)
		}
		body, want, _ := strings.Cut(rest, "-- want --\n")
		all = append(all, transcript{file: file, note: head, meta: meta(head), body: []byte(body), want: want})
	}
	return all
}

func meta(head string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(head) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			m[key] = value
		}
	}
	return m
}

func (tr *transcript) name() string  { return strings.TrimSuffix(filepath.Base(tr.file), ".txt") }
func (tr *transcript) api() flow.API { return flow.API(tr.meta["api"]) }

func (tr *transcript) options() codec.Options {
	n, _ := strconv.ParseInt(tr.meta["request bytes"], 10, 64)
	return codec.Options{Keep: true, Facts: flow.Facts{Usage: tr.meta["usage"] == "yes"}, RequestBytes: n}
}

// check compares, or writes when asked to.
func (tr *transcript) check(t *testing.T, got, section string) {
	t.Helper()
	if !*update {
		if got != tr.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", tr.file, got, tr.want)
		}
		return
	}
	text := tr.note + "-- " + section + " --\n" + string(tr.body) + "-- want --\n" + got
	if err := os.WriteFile(tr.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// render writes an answer so that a person can check it.
func render(a flow.Answer) string {
	var b strings.Builder
	line := func(key string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "0" {
			fmt.Fprintf(&b, "%s: %s\n", key, text)
		}
	}
	line("model", a.Model)
	line("id", a.ID)
	line("stop", a.Stop)
	line("error", a.Error)
	line("complete", a.Complete)
	line("unknown", a.Unknown)
	line("unreadable", a.Unreadable)
	line("usage", compact(a.Usage))
	return b.String() + renderParts(a.Parts)
}

func renderParts(parts []flow.Part) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%s\n", compact(part))
	}
	return b.String()
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}
