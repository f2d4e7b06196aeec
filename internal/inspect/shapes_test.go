package inspect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// shaped gives an engine with one rule of shapes.
func shaped(t testing.TB, rule inspect.Rule) *inspect.Engine {
	t.Helper()
	rule.ID, rule.Title, rule.Severity, rule.Confidence = "number", "a number", flow.High, 90
	return engine(t, &inspect.Set{Family: "x", Rules: []inspect.Rule{rule}})
}

// A number is found at every place of the words of 8 bytes in which the text is
// looked through.
func TestShapesAreFoundAtEveryOffset(t *testing.T) {
	for shape, value := range map[string]string{
		"###-##-####": "536-32-3065", "#########": "536323065", "A#######A": "S1234567D", "AAA####": "ABC1235", "#### ####": "1234 5678",
		"#??.#??.#??.#??": "12.1.203.44", "######-###A": "131052-308T",
	} {
		e := shaped(t, inspect.Rule{Shapes: []string{shape}})
		for before := range 17 {
			text := strings.Repeat("x", before) + " " + value + strings.Repeat(" y", before)
			r := e.Scan([]byte(text), inspect.Options{})
			if len(r.Matches) != 1 || string(r.Matches[0].Value) != value || r.Matches[0].Start != before+1 {
				t.Errorf("%s behind %d bytes: %+v", shape, before, r.Matches)
			}
		}
	}
}

func TestShapesAreWholeTokens(t *testing.T) {
	e := shaped(t, inspect.Rule{Shapes: []string{"#########", "### ### ###"}})
	for _, text := range []string{
		"1536323065", "a536323065", "536323065a", "536323065.1", "1.536323065", "-536323065", "a-536323065", "536323065-1", "_536323065", "536323065_",
		"536 323 0655", "1 2 3 536 323 065 4 5", "3a2b-536323065-9f", "é536323065",
	} {
		if r := e.Scan([]byte(text), inspect.Options{}); len(r.Matches) > 0 {
			t.Errorf("%q: found %q", text, r.Matches[0].Value)
		}
	}
	for _, text := range []string{"536323065", "(536323065)", "n=536323065;", "536323065.", "at 536 323 065 12", "/536323065/", "№536323065", "身份证号536323065，", "7 536 323 065"} {
		if r := e.Scan([]byte(text), inspect.Options{}); len(r.Matches) != 1 {
			t.Errorf("%q: found %d", text, len(r.Matches))
		}
	}
}

// What is redacted must know what kind of place a number stands in.
func TestShapesInJSON(t *testing.T) {
	e := shaped(t, inspect.Rule{Shapes: []string{"#########"}})
	for body, want := range map[string]inspect.ValueKind{
		`{"n":536323065}`: inspect.InNumber, `{"n":"536323065"}`: inspect.InString, `{"n":"{\"n\":536323065}"}`: inspect.InString,
	} {
		r := e.Scan([]byte(body), inspect.Options{JSON: true})
		if len(r.Matches) != 1 || r.Matches[0].Kind != want || string(r.Matches[0].Value) != "536323065" {
			t.Errorf("%s: %+v", body, r.Matches)
		}
	}
	left := e.Scan([]byte("the number 5363"), inspect.Options{})
	right := e.Scan([]byte("23065 of it"), inspect.Options{})
	if m := join2(e, &left.Edge, &right.Edge, inspect.Options{}); len(m) != 1 || string(m[0].Value) != "536323065" {
		t.Errorf("halves: %+v", m)
	}
}

func TestShapesThatCannotBeFoundAreErrors(t *testing.T) {
	for shape, ok := range map[string]bool{
		"": false, "#": false, "A": false, "AAAA": false, "#A#A#A": false, "##b": false, "##_##": false, "#*": false, "@": false, strings.Repeat("#", 41): false,
		strings.Repeat("#?", 12): false, "##": true, "#?-#?": true,
	} {
		set := &inspect.Set{Family: "x", Rules: []inspect.Rule{{ID: "n", Title: "n", Severity: flow.Low, Confidence: 50, Shapes: []string{shape}}}}
		if _, err := inspect.Compile(inspect.Library{}, set); (err == nil) != ok {
			t.Errorf("%q: %v", shape, err)
		}
	}
	for _, keys := range []string{"shapes: ['##'], anchors: [abc]", "shapes: ['##'], pattern: a"} {
		set, err := inspect.Parse("r.yaml", []byte(fmt.Sprintf("family: x\nrules:\n  - {id: n, severity: low, confidence: 50, %s}\n", keys)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := inspect.Compile(inspect.Library{}, set); err == nil || !strings.HasPrefix(err.Error(), "r.yaml:3:") {
			t.Errorf("%s: %v", keys, err)
		}
	}
}
