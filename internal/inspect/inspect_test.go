package inspect_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// letters makes n characters that look random and are the same each time.
func letters(n int, seed uint32) string {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		seed = seed*1664525 + 1013904223
		b.WriteByte(set[seed>>16%uint32(len(set))%62])
	}
	return b.String()
}

// token is a value that the rule zed-token finds.
func token(seed uint32) string { return "zed_" + letters(32, seed) }

// assignment finds the word behind the anchor, = or : and quotes.
func assignment(text []byte, at, end int, report func(start, end int)) {
	i := end
	for i < len(text) && i < end+8 && strings.IndexByte(`"\' :=`, text[i]) >= 0 {
		i++
	}
	start := i
	for i < len(text) && i < start+128 && strings.IndexByte(" \"'\\,}\n", text[i]) < 0 {
		i++
	}
	report(start, i)
}

func library() inspect.Library {
	return inspect.Library{
		Detectors: map[string]inspect.Detector{"assignment": assignment},
		Checks: map[string]inspect.Check{"not-placeholder": func(text []byte, start, end int, _ string) bool {
			return !strings.Contains(string(text[start:end]), "example")
		}},
		Key: []byte("key of the tests"),
	}
}

// rules are examples of each kind.
func rules() *inspect.Set {
	return &inspect.Set{Family: "test", Version: "1", Rules: []inspect.Rule{
		{ID: "zed-token", Title: "Zed token", Severity: flow.Critical, Confidence: 99, Anchors: []string{"zed_"}, CaseAnchors: true, Pattern: `\bzed_[A-Za-z0-9]{32}\b`, Checks: []string{"entropy>=3"}},
		{ID: "region-key", Title: "key with a region", Severity: flow.High, Confidence: 90, Anchors: []string{"-eu1"}, Pattern: `\b([0-9a-f]{24})-eu1\b`},
		{ID: "password", Title: "password", Severity: flow.Medium, Confidence: 60, Anchors: []string{"password"}, Detector: "assignment", Checks: []string{"len>=6", "not-placeholder"}},
		{ID: "code-name", Title: "code name", Severity: flow.Low, Confidence: 80, Anchors: []string{"bluebird", "red fox"}, Words: true},
		{ID: "canary", Title: "canary", Severity: flow.Critical, Confidence: 100, Anchors: []string{"Canary-7f3e"}, CaseAnchors: true},
	}}
}

func engine(t testing.TB, sets ...*inspect.Set) *inspect.Engine {
	t.Helper()
	if len(sets) == 0 {
		sets = []*inspect.Set{rules()}
	}
	e, err := inspect.Compile(library(), sets...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// quote is s as a JSON string.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// check scans and compares the only match.
func one(t *testing.T, e *inspect.Engine, b string, o inspect.Options) inspect.Match {
	t.Helper()
	r := e.Scan([]byte(b), o)
	if len(r.Matches) != 1 {
		t.Fatalf("got %d matches, want 1: %+v", len(r.Matches), r)
	}
	return r.Matches[0]
}

func TestScanFindsValuesWhereTheyStand(t *testing.T) {
	e := engine(t)
	secret := token(1)
	m := one(t, e, `{"text":"a \"`+secret+`\" \u00e4"}`, inspect.Options{JSON: true})
	if m.Start != 13 || m.End != 13+len(secret) || string(m.Value) != secret || m.Kind != inspect.InString || m.Rule.Name() != "test.zed-token" {
		t.Errorf("got %+v", m)
	}
	inner := base64.StdEncoding.EncodeToString([]byte("export TOKEN=" + secret))
	m = one(t, e, `{"text":"decode `+inner+`"}`, inspect.Options{JSON: true})
	if string(m.Secret) != secret || string(m.Value) != inner || len(m.Via) != 1 {
		t.Errorf("got %+v", m)
	}
	m = one(t, e, `{"arguments":`+quote(`{"password":"hun\u0074er22"}`)+`}`, inspect.Options{JSON: true})
	t.Logf("%q %q %+v", m.Value, m.Secret, m)
}

// units is a rune as JSON escapes of UTF-16.
func units(r rune) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(&b, `\u%04x`, u)
	}
	return b.String()
}
