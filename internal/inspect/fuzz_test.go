package inspect_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// loose are rules that find much, so that the fuzzer reaches what comes behind.
func loose() *inspect.Set {
	return &inspect.Set{Family: "loose", Rules: []inspect.Rule{
		{ID: "lead", Severity: flow.High, Confidence: 90, Anchors: []string{"zed"}, Pattern: `(?s)zed(.{1,20})`},
		{ID: "around", Severity: flow.High, Confidence: 80, Anchors: []string{"mid"}, Pattern: `(?s).{0,9}mid.{0,9}`, Before: 16, After: 16},
		{ID: "detect", Severity: flow.Low, Confidence: 60, Anchors: []string{"pass"}, Detector: "assignment"},
		{ID: "word", Severity: flow.Medium, Confidence: 80, Anchors: []string{"fox"}, Words: true},
	}}
}

var fuzzKnown = inspect.NewKnown([]inspect.KnownValue{{Value: []byte("hunter22"), Rule: "loose.word"}, {Value: []byte("a\"b\\c"), Rule: "gone"}})

func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"text":"zed \u00e4\n\ud83d\ude00 pass=hunter22","n":12345}`, `{"pass":42,"fox":["mid","zed"]}`,
		"pass\x00w\x00o\x00r\x00d\x00=\x00", "emVkIGh1bnRlcjIyIGZveCBtaWQgcGFzcz1h", `{"a":"{\"pass\":\"{\\\"fox\\\":1}\"}"}`,
		"%7a%65%64%20mid &#122;ed;", strings.Repeat("fox ", 50), "\"\\", `{"a":"h1","b":"hunter","c":"22"}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	e := engine(f, loose(), rules())
	f.Fuzz(func(t *testing.T, b []byte, isJSON bool) {
		original := bytes.Clone(b)
		o := inspect.Options{JSON: isJSON, Known: fuzzKnown}
		r := e.Scan(b, o)
		if !bytes.Equal(b, original) {
			t.Fatal("the scan changed its input")
		}
		valid(t, b, o, r)
		for _, m := range join2(e, &r.Edge, &r.Edge, o) {
			within(t, b, m.Left)
			within(t, b, m.Right)
		}
		at := len(b) / 2
		left, right := e.Scan(b[:at], o), e.Scan(b[at:], o)
		for _, m := range join2(e, &left.Edge, &right.Edge, o) {
			within(t, b[:at], m.Left)
			within(t, b[at:], m.Right)
		}
	})
}

func within(t *testing.T, b []byte, s inspect.Span) {
	t.Helper()
	if s.Start < 0 || s.End < s.Start || s.End > len(b) {
		t.Fatalf("span %+v is not within %d bytes", s, len(b))
	}
}

// valid checks what holds for every result.
func valid(t *testing.T, b []byte, o inspect.Options, r inspect.Result) {
	t.Helper()
	last := 0
	for _, m := range r.Matches {
		within(t, b, inspect.Span{Start: m.Start, End: m.End})
		if m.Start < last || m.End == m.Start || len(m.Value) == 0 || len(m.Secret) == 0 {
			t.Fatalf("match %+v behind %d", m, last)
		}
		last = m.End
		mapsBack(t, b, o, m)
	}
	for _, m := range r.Inner {
		within(t, b, m.Left)
		within(t, b, m.Right)
	}
	for _, u := range r.Unread {
		within(t, b, inspect.Span{Start: u.Start, End: u.End})
	}
	if r.Scanned < 0 || r.Scanned > len(b) {
		t.Fatalf("scanned %d of %d", r.Scanned, len(b))
	}
}

// mapsBack checks that the span, decoded by another decoder, is the value, and
// that it can be replaced where it stands.
func mapsBack(t *testing.T, b []byte, o inspect.Options, m inspect.Match) {
	t.Helper()
	stretch := b[m.Start:m.End]
	switch {
	case !o.JSON:
		if !bytes.Equal(stretch, m.Value) || m.Kind != inspect.Raw {
			t.Fatalf("got %q for %q", m.Value, stretch)
		}
	case m.Kind == inspect.InNumber:
		if json.Valid(b) && !json.Valid(stretch) {
			t.Fatalf("%q is no number", stretch)
		}
	case m.Kind == inspect.InString && json.Valid(b) && utf8.Valid(b):
		var s string
		if err := json.Unmarshal([]byte(`"`+string(stretch)+`"`), &s); err != nil || s != string(m.Value) {
			t.Fatalf("got %q for %q (%v)", m.Value, stretch, err)
		}
		edited := string(b[:m.Start]) + "QZ" + string(b[m.End:])
		if !json.Valid([]byte(edited)) {
			t.Fatalf("%q can't be replaced in %q", stretch, b)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{good, "family: x\nrules: [{}]", "rules: {a: b}", "a: &x [*x]", "? a\n: b", "family: x\ncanaries:\n - {id: a, value: 'b'}", "{{{{", "- - - -", "a: |\n  b\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := inspect.Parse("rules.yaml", text)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(line, "rules.yaml:") {
					t.Fatalf("error %q does not say where", line)
				}
			}
			return
		}
		if e, err := inspect.Compile(library(), set); err == nil {
			e.Scan([]byte(`{"a":"password=hunter22 zed_"}`), inspect.Options{JSON: true})
		}
	})
}

// FuzzDecode checks the map between escaped and decoded text against
// encoding/json: wherever a known value stands in a string, it is found there.
func FuzzDecode(f *testing.F) {
	f.Add("before \" \\ \x01 ä 😀", "sec\"ret\\ value", "after\n", byte(0))
	f.Add("", "Ünicode-secret", "", byte(1))
	f.Add("\\u0041", "12345678", "\\", byte(2))
	e := engine(f)
	f.Fuzz(func(t *testing.T, before, value, after string, how byte) {
		// A value does not begin within a character.
		if len(value) < 8 || !utf8.ValidString(value) || !utf8.ValidString(before+value+after) || strings.Contains(before+value+after, "\x00") {
			return
		}
		b := []byte(`{"k":` + escape(before+value+after, how) + `}`)
		o := inspect.Options{JSON: true, Known: inspect.NewKnown([]inspect.KnownValue{{Value: []byte(value), Rule: "x"}})}
		r := e.Scan(b, o)
		valid(t, b, o, r)
		for _, m := range r.Matches {
			if strings.Contains(string(m.Value), value) {
				return
			}
		}
		t.Fatalf("%q not found in %s: %+v", value, b, r.Matches)
	})
}

// escape writes s as a JSON string in one of several ways.
func escape(s string, how byte) string {
	if how%3 == 0 {
		return quote(s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		plain := string(r)
		if q := quote(plain); len(q) != len(plain)+2 {
			plain = strings.Trim(q, `"`)
			if r == '"' {
				plain = `\"`
			}
		}
		if (i+int(how))%2 == 0 || how%3 == 1 {
			plain = units(r)
		}
		b.WriteString(plain)
	}
	b.WriteByte('"')
	return b.String()
}
