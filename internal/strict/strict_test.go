package strict_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/strict"
)

type inner struct {
	Name string `yaml:"name"`
	Flag bool   `yaml:"flag"`
}

type outer struct {
	Inner inner             `yaml:",inline"`
	Count int               `yaml:"count"`
	Words strict.List       `yaml:"words"`
	Map   map[string]string `yaml:"map"`
	Items []inner           `yaml:"items"`
}

func TestReadOverWhatIsThere(t *testing.T) {
	o := outer{Count: 3, Inner: inner{Flag: true}, Words: strict.List{"old"}, Items: []inner{{Name: "old"}}}
	r := strict.Read([]byte("name: x\nwords: one\nmap: {a.b: c}\nitems:\n  - {name: y}\ncount:\n"), &o)
	want := outer{Inner: inner{"x", true}, Count: 3, Words: strict.List{"one"}, Map: map[string]string{"a.b": "c"}, Items: []inner{{Name: "y"}}}
	if problems := r.Problems(); len(problems) > 0 || r.Broken || !reflect.DeepEqual(o, want) {
		t.Errorf("got %+v, %v; want %+v", o, problems, want)
	}
	for path, want := range map[string]int{"words": 2, "items": 4, "items[0]": 5, "items[0].name": 5, "items[0].flag": 5, "items[7]": 4, "none": 0} {
		if got := r.At(path).Line; got != want {
			t.Errorf("%s stands on line %d, want %d", path, got, want)
		}
	}
	if !r.Has("items[0].name") || r.Has("items[0].flag") {
		t.Error("Has does not say what the text has")
	}
}

func TestProblemsHavePlaces(t *testing.T) {
	for text, want := range map[string]string{
		"nmae: x":                     "1:1 nmae is no setting; did you mean name?",
		"count: 1.5":                  "1:8 count: must be a whole number",
		"\ncount: x":                  "2:8 count: must be a whole number",
		"count: 99999999999999999999": "1:8 count: must be a whole number",
		"flag: 1":                     "1:7 flag: must be true or false",
		"words: {a: b}":               "1:8 words: must be a single value",
		"words: [a, [b]]":             "1:12 words[1]: must be a single value",
		"items: {}":                   "1:8 items: must be a list",
		"map: x":                      "1:6 map: must be a mapping of keys to values",
		"name: a\nname: b":            "2:1 name stands here twice",
		"name: a\n---\nname: b":       "3:5 a second document begins here: settings are one",
		"name: *a":                    "1:7 name: must be a single value",
		"name: [":                     "1:7 not YAML",
		strings.Repeat("# ", 300_000): "0:0 has more than",
		strings.Repeat("- ", 65):      "0:0 nests more than 64 deep",
		strings.Repeat("[", 65):       "0:0 nests more than 64 deep",
	} {
		problems := strict.Read([]byte(text), &outer{}).Problems()
		if len(problems) == 0 {
			t.Errorf("%.40q is accepted", text)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s", problems[0].Line, problems[0].Column, problems[0].Text); !strings.HasPrefix(got, want) {
			t.Errorf("%.40q: %s, want %s", text, got, want)
		}
	}
}

func TestRequireTellsTheNearestKey(t *testing.T) {
	r := strict.Read([]byte("count: 1\nitems:\n  - name: x\n"), &outer{})
	r.Require(false, "items[0].flag", "is missing in %d", 1)
	r.Require(false, "map.x", "is a default")
	r.Require(true, "count", "is fine")
	problems := r.Problems()
	if len(problems) != 2 || problems[0] != (strict.Problem{Text: "map.x: is a default"}) || problems[1].Line != 3 || problems[1].Text != "items[0].flag: is missing in 1" {
		t.Errorf("%+v", problems)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "limits", "ledger"}
	for word, want := range map[string]string{"listn": "; did you mean listen?", "zzzzzzzz": "", "": ""} {
		if got := strict.Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// Ordinary text is not taken for nesting.
func TestDashesAndBracketsInText(t *testing.T) {
	text := "# " + strings.Repeat("- -- --- ", 10) + "\n# " + strings.Repeat("-", 200) + "\n# " + strings.Repeat("[a] {b} ", 200) + "\nitems:\n" + strings.Repeat("  - {name: x}\n", 500)
	var o outer
	if problems := strict.Read([]byte(text), &o).Problems(); len(problems) > 0 || len(o.Items) != 500 {
		t.Errorf("%v, %d items", problems, len(o.Items))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("name: x\nwords: [a, b]\nmap: {a: b}\nitems: [{name: y, flag: true}]\ncount: 3"))
	f.Add([]byte("a: &a [*a]\n<<: {b: 1}\n? [x]\n: y\n--- |\n x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var o outer
		r := strict.Read(text, &o)
		if r.Broken && len(r.Problems()) == 0 {
			t.Error("broken without a problem")
		}
	})
}
