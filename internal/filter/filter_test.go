package filter_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
)

var now = time.Date(2026, 11, 26, 15, 30, 0, 0, time.FixedZone("here", 3600))

func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(text, now)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// table gives the rows of the page's tables whose first header is so.
func table(t testing.TB, head string) (rows [][]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/reference/filters.md")
	if err != nil {
		t.Fatal(err)
	}
	in := false
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			in = false
		case "| "+strings.Join(cells, " | ")+" |" == head:
			in = true
		case in && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("the page has no table %s", head)
	}
	return rows
}

func code(cell string) string { return strings.Trim(cell, "`") }

// TestThePageIsTheLanguage: every field of the page is one of the program's and
// the other way round, and every example can be read.
func TestThePageIsTheLanguage(t *testing.T) {
	page := map[string][]string{}
	for _, row := range table(t, "| field | kind | what it is | example |") {
		page[code(row[0])] = row
	}
	for _, f := range filter.Fields() {
		row := page[string(f.Field)]
		delete(page, string(f.Field))
		if row == nil {
			t.Errorf("the page lacks the field %s", f.Field)
			continue
		}
		kind := string(f.Kind)
		if f.Choices != nil {
			kind += ": " + strings.Join(f.Choices, ", ")
		}
		if row[1] != kind || code(row[3]) != f.Example {
			t.Errorf("%s: the page says %q, %s; want %q, %s", f.Field, row[1], row[3], kind, f.Example)
		}
		parse(t, f.Example)
	}
	for name := range page {
		t.Errorf("there is no field %s", name)
	}
	for _, row := range table(t, "| filter | chooses |") {
		parse(t, code(row[0]))
	}
	for _, row := range table(t, "| shorthand | is short for |") {
		short, _, _ := strings.Cut(row[1], ";")
		if got, want := parse(t, code(row[0])).String(), code(short); got != want {
			t.Errorf("%s is %s, the page says %s", row[0], got, want)
		}
	}
}

func TestErrorsAreThoseOfThePage(t *testing.T) {
	for _, row := range table(t, "| filter | column | says |") {
		_, err := filter.Parse(code(row[0]), now)
		var wrong *filter.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		if strconv.Itoa(wrong.Column) != row[1] || wrong.Error() != row[2] {
			t.Errorf("%s:\n got %d %s\nwant %s %s", row[0], wrong.Column, wrong, row[1], row[2])
		}
	}
}

func number(n float64) *float64 { return &n }

// rich has a value of everything.
func rich() *flow.View {
	turn, retried := 4, flow.ID("01kb0")
	return &flow.View{
		ID: "01kb1", Session: "9f0c-1", Principal: "alice/claude", Agent: "claude", Model: "Claude-Opus-4", Provider: flow.Anthropic,
		API: flow.Messages, Entrance: flow.Intercept, Host: "api.example.com", Path: "/v1/messages?beta=true", Method: "POST",
		State: flow.Done, Status: 529, Verdict: flow.Redact, Would: "block", Why: "a secret, and the Limit", Rules: []string{"secrets", "limit:size"},
		Findings: []flow.Finding{{Rule: "secret.aws", Severity: flow.High}, {Rule: "pii.email", Severity: flow.Low}},
		Tools:    []string{"Bash", "mcp__x__y"}, Error: "overloaded_error", Stop: "tool_use", Subagent: "agent-7", Turn: &turn, RetryOf: &retried,
		Cost: number(0.75), Usage: flow.UsageView{Input: 1000, Output: 200, CacheRead: 50_000, CacheWrite: 3000, Reasoning: 40},
		RequestBytes: 2_000_000, ResponseBytes: 4096, DurationMS: number(31_000), FirstByteMS: number(1500.5),
		Started: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC),
	}
}

func TestMatch(t *testing.T) {
	bare := &flow.View{ID: "02", State: flow.Open, Verdict: flow.Pass, Started: rich().Started, Principal: "bob", Model: "unknown"}
	brought := func(x filter.Text) bool { return x == filter.Text{Words: "deploy"} }
	for _, tt := range []struct {
		text       string
		rich, bare bool
	}{
		{"", true, true},
		{"model:claude*", true, false},
		{"model:*OPUS*", true, false},
		{"model:claude", false, false},
		{"model:c*opus*4 model:*-*-*", true, false},
		{`model:"claude*"`, false, false},
		{"-model:claude*", false, true},
		{"NOT model:claude*", false, true},
		{"--model:claude*", true, false},
		{"model:unknown", false, true},
		{"agent:unknown", false, true},
		{"agent:*", true, false},
		{`agent:"unknown"`, false, false},
		{"tool:bash", true, false},
		{"tool:Read,mcp__*", true, false},
		{"-tool:*", false, true},
		{"tool:Bash OR is:open", true, true},
		{"is:open tool:Bash OR agent:claude", true, false},
		{"is:open (tool:Bash OR agent:claude)", false, false},
		{"cost>0.5", true, false},
		{"cost>0.75", false, false},
		{"cost>=$0.75", true, false},
		{"cost<1", true, false},
		{"cost>0", true, false},
		{"cost:unknown", false, true},
		{"-cost>1", true, true},
		{"cost:0.5..0.75", true, false},
		{"cost=0.75", true, false},
		{"tokens>=54.2k tokens<=54200", true, false},
		{"input:1k output:200 cache_read:50k cache_write:3k reasoning:40", true, false},
		{"tokens:0", false, true},
		{"size>1.9MB size:2MB -size>=2MiB", true, false},
		{"response_size:4KiB", true, false},
		{"duration>30s duration<=31s duration:31000ms", true, false},
		{"duration<1d", true, false},
		{"first_byte:1500.5ms", true, false},
		{"turn:3..9", true, false},
		{"turn:5..", false, false},
		{"turn:..4", true, false},
		{"turn<3", false, false},
		{"turn:unknown", false, true},
		{"status:5xx", true, false},
		{"status:529,404", true, false},
		{"status>=4xx status>4xx", true, false},
		{"status<5xx", false, false},
		{"status:unknown", false, true},
		{"verdict:block,redact", true, false},
		{"Would:BLOCK", true, false},
		{"would:*", true, false},
		{"why:*limit", true, false},
		{"rule:limit:*", true, false},
		{"finding:secret.*", true, false},
		{"-finding:secret.*", false, true},
		{"severity>=high", true, false},
		{"severity:critical,medium", false, false},
		{"severity:low..medium", true, false},
		{"severity<medium", true, false},
		{"retry:yes", true, false},
		{"retry:false", false, true},
		{"is:subagent is:turn is:retry is:priced is:finding is:redacted is:done", true, false},
		{"is:blocked,open", false, true},
		{"is:unpriced", false, false},
		{"entrance:intercept host:*.example.com path:/v1/* method:post api:anthropic.messages provider:anthropic", true, false},
		{"error:overloaded* stop:tool_use subagent:agent-7 state:done principal:alice/* session:9f0c* id:01kb1", true, false},
		{"state:open", false, true},
		{"since:2026-11-26", true, true},
		{"since:5h", true, true},
		{"since:4h", false, false},
		{"since:11:00 until:11:01", true, true}, // 10:00 UTC is 11:00 here
		{"until:11:00", false, false},
		{"until:2026-11-25", false, false},
		{"until:2026-11-26", true, true}, // the whole day
		{"since:yesterday until:today", true, true},
		{"since:2026-11-26T10:00:00Z -since:2026-11-26T10:00:01Z", true, true},
		{"deploy", true, true},
		{"-deploy", false, false},
		{"deploy*", false, false},
		{`"deploy"`, false, false},
		{"model:claude* deploy", true, false},
	} {
		f := parse(t, tt.text)
		if got := f.Match(rich(), brought); got != tt.rich {
			t.Errorf("%s: rich %v, want %v", tt.text, got, tt.rich)
		}
		if got := f.Match(bare, brought); got != tt.bare {
			t.Errorf("%s: bare %v, want %v", tt.text, got, tt.bare)
		}
	}
	if parse(t, "deploy").Match(bare, nil) || !parse(t, "-deploy").Match(bare, nil) {
		t.Error("without an index no flow brought a text")
	}
}

func TestTexts(t *testing.T) {
	got := parse(t, `a "b c" -(a OR de*) model:x a`).Texts()
	want := []filter.Text{{Words: "a"}, {Words: "b c", Phrase: true}, {Words: "de", Prefix: true}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		"  MODEL:Claude*   AND  tool = Bash ": "",
		"MODEL=Claude*   AND  tool:Bash ":     "model:Claude* tool:Bash",
		"((a OR b) c)":                        "(a OR b) c",
		"(a b) c (d OR (e OR f))":             "a b c (d OR e OR f)",
		"a b OR -(c d)":                       "a b OR -(c d)",
		"NOT NOT a":                           "a",
		"since:1d":                            "since:2026-11-25T14:30:00Z",
		"until:2026-11-26":                    "until:2026-11-26T23:00:00Z",
		"size>1MB size:1KiB..":                "size>1000000 size:1024..",
		"duration>1.5m":                       "duration>1m30s",
		`host:"a b",c"*"*`:                    `host:"a b",c"*"*`,
		"status:404,5XX":                      "status:404,5xx",
		`"say \"x\" \\"`:                      `"say \"x\" \\"`,
		"severity>=HIGH":                      "severity>=high",
	} {
		f, err := filter.Parse(text, now)
		if want == "" {
			if err == nil {
				t.Errorf("%s was read as %s", text, f)
			}
			continue
		}
		if want = strings.ReplaceAll(want, `c"*"*`, `"c*"*`); err != nil || f.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, f, err, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"bytes":       strings.Repeat("x", filter.MaxBytes+1),
		"terms":       strings.Repeat("a ", 201),
		"values":      "tool:" + strings.Repeat("a,", 200) + "a",
		"parentheses": strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100),
		"negations":   strings.Repeat("-", 100) + "a",
		"levels":      strings.Repeat("(a OR b (", 20) + "c" + strings.Repeat("))", 20),
		"control":     "a\x1b[31m",
		"UTF-8":       "a \xff",
		"digits":      "size>" + strings.Repeat("9", 400),
		"age":         "since:90000000d",
	} {
		if f, err := filter.Parse(text, now); err == nil {
			t.Errorf("%s: was read as %.80s", name, f)
		}
	}
	parse(t, strings.Repeat("a ", 200))
	parse(t, strings.Repeat("(a OR b (", 15)+"c"+strings.Repeat("))", 15))
}

// FuzzParse: what was read is written in a form that is read as the same.
func FuzzParse(f *testing.F) {
	for _, head := range []string{"| filter | chooses |", "| filter | column | says |"} {
		for _, row := range table(f, head) {
			f.Add(code(row[0]))
		}
	}
	for _, a := range filter.Fields() {
		f.Add(a.Example)
		f.Add("-" + a.Example + " OR (is:unpriced x)")
	}
	f.Add(`a:"b"c*"d\"" -- NOT ((x`)
	f.Fuzz(func(t *testing.T, text string) {
		first, err := filter.Parse(text, now)
		if err != nil {
			var wrong *filter.Error
			if !errors.As(err, &wrong) || wrong.Column < 1 || wrong.Column > len(text)+1 || wrong.Text == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		second, err := filter.Parse(first.String(), now.Add(time.Hour))
		if err != nil || second.String() != first.String() {
			t.Fatalf("%q is %q, which is %q, %v", text, first, second, err)
		}
		for _, v := range []*flow.View{rich(), {}} {
			if first.Match(v, nil) != second.Match(v, nil) {
				t.Fatalf("%q and %q differ", text, first)
			}
		}
	})
}
