package splice_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/splice"
)

// at gives a change of the n-th occurrence of what stands in the body.
func at(t *testing.T, body, old string, kind splice.Kind, text string) splice.Change {
	t.Helper()
	i := strings.Index(body, old)
	if i < 0 {
		t.Fatalf("%q is not in %q", old, body)
	}
	return splice.Change{Start: i, End: i + len(old), Kind: kind, Text: []byte(text)}
}

func apply(t *testing.T, body string, changes ...splice.Change) string {
	t.Helper()
	edits, err := splice.Edits([]byte(body), changes)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return string(splice.Apply([]byte(body), edits))
}

func TestEdits(t *testing.T) {
	for _, tt := range []struct {
		body, old string
		kind      splice.Kind
		text      string
		want      string
	}{
		{`{"a": "x secret y" }`, "secret", splice.String, "QZ", `{"a": "x QZ y" }`},
		{`{"a":"secret"}`, "secret", splice.String, "q\"\\\n\x01é😀/", `{"a":"q\"\\\n\u0001é😀/"}`},
		{`{"a":"secret"}`, "secret", splice.String, "", `{"a":""}`},
		{`{"secret":1}`, "secret", splice.String, "QZ", `{"QZ":1}`},
		{`{"a":"s\u0065cret\n"}`, `s\u0065cret`, splice.String, "QZ", `{"a":"QZ\n"}`},
		{`{"a":4111,"b":2}`, "4111", splice.Number, "QZ", `{"a":"QZ","b":2}`},
		{`{"a":-4.5e3}`, "-4.5e3", splice.Number, "QZ", `{"a":"QZ"}`},
		{`[141112]`, "4111", splice.Number, "QZ", `["1QZ2"]`},
		{`4111`, "4111", splice.Number, "", `""`},
		{`key = secret`, "secret", splice.Raw, "a\"b", `key = a"b`},
	} {
		if got := apply(t, tt.body, at(t, tt.body, tt.old, tt.kind, tt.text)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.body, got, tt.want)
		}
	}
}

func TestSeveralChangesInAnyOrder(t *testing.T) {
	body := `{"a":"one two","n":123456,"b":["three"]}`
	got := apply(t, body,
		at(t, body, "three", splice.String, "3"), at(t, body, "56", splice.Number, "C"), at(t, body, "one", splice.String, "1"),
		at(t, body, "12", splice.Number, "A"), at(t, body, "two", splice.String, "2"), at(t, body, "3", splice.Number, "B"))
	if want := `{"a":"1 2","n":"AB4C","b":["3"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatCanNotBeDone(t *testing.T) {
	body := `{"a":"x\n\\y\u00e9\ud83d\ude00é","n":12,"t":true,"QZ":"QZ"}`
	place := func(old string, from, to int) splice.Change {
		i := strings.Index(body, old)
		return splice.Change{Start: i + from, End: i + to}
	}
	kind := func(c splice.Change, k splice.Kind, text string) splice.Change {
		c.Kind, c.Text = k, []byte(text)
		return c
	}
	for name, tt := range map[string]struct {
		change splice.Change
		want   error
	}{
		"before the body":       {splice.Change{Start: -1}, splice.ErrRange},
		"behind the body":       {splice.Change{Start: 0, End: len(body) + 1}, splice.ErrRange},
		"backwards":             {splice.Change{Start: 3, End: 2}, splice.ErrRange},
		"structure":             {place(`:"x`, 0, 1), splice.ErrPlace},
		"with the quote":        {place(`"x`, 0, 2), splice.ErrPlace},
		"over the end":          {place(`é"`, 0, 4), splice.ErrPlace},
		"half an escape":        {place(`x\n`, 0, 2), splice.ErrPlace},
		"half a backslash":      {place(`\\y`, 1, 3), splice.ErrPlace},
		"half a \\u":            {place(`\u00e9`, 4, 6), splice.ErrPlace},
		"the end of a \\u":      {place(`\u00e9`, 5, 6), splice.ErrPlace},
		"half a pair":           {place(`\ud83d\ude00`, 6, 12), splice.ErrPlace},
		"half a rune":           {place("é\"", 1, 2), splice.ErrPlace},
		"a string as a number":  {kind(place("x", 0, 1), splice.Number, "y"), splice.ErrPlace},
		"a number as a string":  {place("12", 0, 2), splice.ErrPlace},
		"true":                  {kind(place("true", 0, 4), splice.Number, "y"), splice.ErrPlace},
		"no UTF-8":              {kind(place("x", 0, 1), splice.String, "\xff"), splice.ErrText},
		"no UTF-8 for a number": {kind(place("12", 0, 2), splice.Number, "\xff"), splice.ErrText},
	} {
		if edits, err := splice.Edits([]byte(body), []splice.Change{tt.change}); !errors.Is(err, tt.want) || edits != nil {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	x := place("x", 0, 1)
	for _, two := range [][]splice.Change{{x, x}, {place(`x\n`, 0, 3), place(`\n`, 0, 2)}, {kind(place("12", 0, 2), splice.Number, ""), kind(place("12", 1, 2), splice.Number, "")}} {
		if _, err := splice.Edits([]byte(body), two); !errors.Is(err, splice.ErrOverlap) {
			t.Errorf("%+v: %v", two, err)
		}
	}
	if _, err := splice.Edits([]byte(`{"a":"never ends`), []splice.Change{{Start: 7, End: 9}}); !errors.Is(err, splice.ErrPlace) {
		t.Errorf("a string without an end: %v", err)
	}
}

// A thousand changes in one long string cost one look at it.
func TestManyChangesInALongString(t *testing.T) {
	body := []byte(`{"a":"` + strings.Repeat("secret and other words; ", 40000) + `"}`)
	var changes []splice.Change
	for i := 0; len(changes) < 1000; {
		i += bytes.Index(body[i:], []byte("secret"))
		changes = append(changes, splice.Change{Start: i, End: i + 6, Text: []byte("QZ")})
		i += 6
	}
	edits, err := splice.Edits(body, changes)
	if err != nil || len(edits) != 1000 {
		t.Fatal(len(edits), err)
	}
	if got := splice.Apply(body, edits); bytes.Count(got, []byte("secret")) != 39000 || bytes.Count(got, []byte("QZ")) != 1000 {
		t.Error("not all were changed")
	}
}

func BenchmarkEdits(b *testing.B) {
	body := []byte(`{"a":"` + strings.Repeat(`words and a \"quote\"; `, 20000) + `secret"}`)
	i := bytes.Index(body, []byte("secret"))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := splice.Edits(body, []splice.Change{{Start: i, End: i + 6, Text: []byte("QZ")}}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleEdits() {
	body := []byte(`{"card":4111111111111111, "note":"call me"}`)
	edits, err := splice.Edits(body, []splice.Change{
		{Start: 8, End: 24, Kind: splice.Number, Text: []byte("QZ7")},
		{Start: 34, End: 38, Kind: splice.String, Text: []byte(`"write"`)},
	})
	fmt.Printf("%s %v\n", splice.Apply(body, edits), err)
	// Output: {"card":"QZ7", "note":"\"write\" me"} <nil>
}
