package split_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

type span struct{ start, end int }

// elementsOf cuts a field's value without its pieces.
func elementsOf(d *split.Doc, field int) (list []span) {
	f := d.Fields[field]
	value := d.Body[f.Start:f.End]
	if !peek.IsArray(value) {
		return []span{{f.Start, f.End}}
	}
	for w := peek.Elements(value); w.Next(); {
		start := f.Start + cap(value) - cap(w.Value)
		list = append(list, span{start, start + len(w.Value)})
	}
	return list
}

// sameElements compares Elements with elementsOf, and what they
// say of the base with its bytes. It gives the number of elements found there.
func sameElements(t *testing.T, d, base *split.Doc) (known int) {
	t.Helper()
	for k := range d.Fields {
		want := elementsOf(d, k)
		var got []span
		d.Elements(k, base, func(start, end, was int) {
			got = append(got, span{start, end})
			if was < 0 {
				return
			}
			known++
			if !bytes.HasPrefix(base.Body[was:], d.Body[start:end]) {
				t.Fatalf("element %q is not at %d of the base %q", d.Body[start:end], was, base.Body)
			}
		})
		if len(got) != len(want) {
			t.Fatalf("%q field %d: %v, want %v", d.Body, k, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%q field %d: %v, want %v", d.Body, k, got, want)
			}
		}
	}
	return known
}

func TestElements(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, body := range []string{
		`{}`, `{"a":[]}`, `{"a":[1,2]}`, `{"a":[1,{"b":2}]}`, `{"a":1,"b":"` + long + `"}`, `{"tools":[1,{"b":"` + long + `"}]}`,
		`{"messages":[{"role":"user","content":[{"x":"]}{["},{"y":1}],"z":"}]"},{"content":"x"},{"content":[{"q":1}],"input":[{"r":1}]}]}`,
		`{"messages":[ {"a":1} , {"content":[ {"x":1} ] } ] , "system":{"parts":[{"text":"a"},{"text":"b"}],"role":"x"}}`,
		`{"request":{"contents":[{"parts":[{"q":1}]},{"parts":[]}],"b":{"parts":[{}]}}}`,
		`{"contents":["` + long + `","y",{"parts":["` + long + `",{"a":1}]}]}`,
	} {
		d := split.Split([]byte(body), nil)
		if !d.JSON {
			t.Fatalf("%s: %s", body, d.Why)
		}
		sameElements(t, d, nil)
		sameElements(t, split.Split([]byte(body), d), d)
	}
}

func TestElementsOfEdits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	all := conversations(r, 3)
	known := 0
	for range 120 {
		bodies := all[r.IntN(len(all))]
		base := split.Split(bodies[r.IntN(len(bodies))], nil)
		d := split.Split(edit(r, bodies[r.IntN(len(bodies))], bodies), base)
		if d.JSON {
			known += sameElements(t, d, base)
		}
	}
	if known < 100 {
		t.Errorf("%d elements were found in their base: the edits test nothing", known)
	}
}

// Too many pieces are cut by content: elements are the same.
func TestElementsOfABodyThatIsCutByItsContent(t *testing.T) {
	d := split.Split([]byte(`{"input":[`+strings.Repeat(`{"a":1},`, 70000)+`{"a":2}]}`), nil)
	n := 0
	d.Elements(0, nil, func(start, end, was int) { n++ })
	if !d.JSON || n != 70001 {
		t.Errorf("%d elements", n)
	}
}

func TestValid(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":[1]}`: true, ` "x" `: true, `1`: true, "": false, `{`: false, `{} {}`: false, "{\"a\":\"\xff\"}": false, `{"a":1,}`: false,
	} {
		if got := split.Valid([]byte(text)); got != want {
			t.Errorf("Valid(%q) = %v", text, got)
		}
	}
}
