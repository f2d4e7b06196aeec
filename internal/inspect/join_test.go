package inspect_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// halves gives the value that is found between two texts, as it stands in both.
// join2 joins two texts: what begins in the left one and ends in the right one.
func join2(e *inspect.Engine, left, right *inspect.Edge, o inspect.Options) (all []inspect.EdgeMatch) {
	for _, c := range e.Join([]*inspect.Edge{left, right}, o) {
		m := inspect.EdgeMatch{Rule: c.Rule, Value: c.Value, Known: c.Known}
		for _, p := range c.Parts {
			side := &m.Left
			if p.Index == 1 {
				side = &m.Right
			}
			if side.End == 0 {
				*side = p.Span
			}
			side.End = p.Span.End
		}
		all = append(all, m)
	}
	return all
}

func halves(t *testing.T, e *inspect.Engine, left, right string, o inspect.Options) (a, b string, m inspect.EdgeMatch) {
	t.Helper()
	l, r := e.Scan([]byte(left), o), e.Scan([]byte(right), o)
	list := join2(e, &l.Edge, &r.Edge, o)
	if len(list) != 1 {
		t.Fatalf("got %d matches between %q and %q, want 1: %+v", len(list), left, right, list)
	}
	m = list[0]
	return left[m.Left.Start:m.Left.End], right[m.Right.Start:m.Right.End], m
}

func TestHalvesInAdjacentParts(t *testing.T) {
	e := engine(t)
	secret := token(1)
	filler := strings.Repeat("wörds \\n \\\"and\\\" more ", 60)
	for _, size := range []string{"", "short \\u00e4 ", filler} {
		for _, at := range []int{1, 4, 5, 20, len(secret) - 1} {
			left := `{"type":"text","text":"` + size + `key ` + secret[:at] + `","role":"user"}`
			right := `{"type":"text","text":"` + secret[at:] + ` is it ` + size + `","id":"x"}`
			a, b, m := halves(t, e, left, right, inspect.Options{JSON: true})
			if a != secret[:at] || b != secret[at:] || string(m.Value) != secret || m.Rule.ID != "zed-token" {
				t.Errorf("at %d of %d: got %q and %q", at, len(left), a, b)
			}
		}
	}
}

func TestHalvesWithEscapes(t *testing.T) {
	e := engine(t)
	o := inspect.Options{JSON: true, Known: inspect.NewKnown([]inspect.KnownValue{{Value: []byte("ab\"cd\\efgé"), Rule: "test.password"}})}
	a, b, m := halves(t, e, `"x ab\"cd"`, `"\\ef\u0067\u00e9 y"`, o)
	if a != `ab\"cd` || b != `\\ef\u0067\u00e9` || !m.Known || m.Rule.Name() != "test.password" {
		t.Errorf("got %q and %q: %+v", a, b, m)
	}
}

func TestHalvesOfATextThatWasCut(t *testing.T) {
	e := engine(t)
	for _, long := range []string{"", strings.Repeat("filler ", 200)} {
		text := long + "the key " + token(2) + " and then" + long
		start := strings.Index(text, "zed_")
		for at := start + 1; at < start+36; at++ {
			a, b, _ := halves(t, e, text[:at], text[at:], inspect.Options{})
			if a+b != token(2) {
				t.Fatalf("cut at %d: got %q and %q", at, a, b)
			}
		}
	}
}

func TestContextBeforeTheCut(t *testing.T) {
	e := engine(t)
	for _, c := range []struct {
		left, right string
		json        bool
	}{
		{"my password", "=hunter22 ok", false}, {"my password=", "hunter22 ok", false},
		{`{"a":1,"password":`, `"hunter22","b":2}`, true}, {`{"a":1,"password"`, `:"hunter22"}`, true},
	} {
		a, b, _ := halves(t, e, c.left, c.right, inspect.Options{JSON: c.json})
		if a != "" || b != "hunter22" {
			t.Errorf("%s|%s: got %q and %q", c.left, c.right, a, b)
		}
	}
}

func TestJoinLeavesOutWhatIsNoHalf(t *testing.T) {
	e := engine(t)
	o := inspect.Options{JSON: true}
	for _, c := range [][2]string{
		{`{"text":"` + token(1) + `"}`, `{"text":"` + token(2) + `"}`},                // each is found by itself
		{`{"text":"see the password: "}`, `{"text":"hunter22 is what follows"}`},      // only the context is in the other text
		{`{"text":"zed_` + letters(16, 1) + `"}`, `{"id":"` + letters(16, 2) + `"}`},  // an id is no content
		{`{"text":"zed_` + letters(16, 1) + `"}`, `{"` + letters(16, 2) + `":"key"}`}, // nor is a key
		{`{"text":"zed_` + letters(16, 1) + ` "}`, `{"text":"` + letters(16, 2) + `"}`},
		{``, ``}, {`{"text":"zed_"}`, ``}, {`1`, `2`},
	} {
		l, r := e.Scan([]byte(c[0]), o), e.Scan([]byte(c[1]), o)
		if list := join2(e, &l.Edge, &r.Edge, o); len(list) != 0 {
			t.Errorf("%s and %s: got %+v", c[0], c[1], list)
		}
	}
	r := e.Scan([]byte("zed_"), inspect.Options{})
	if list := join2(e, nil, &r.Edge, inspect.Options{}); len(list) != 0 {
		t.Errorf("got %+v beside nothing", list)
	}
}

func TestInnerStringsAreJoined(t *testing.T) {
	e := engine(t)
	secret := token(3)
	filler := strings.Repeat("long text ", 100)
	for _, c := range []struct {
		json    string
		between int
	}{
		{`{"content":[{"type":"text","text":"key ` + secret[:9] + `"},{"type":"text","text":"` + secret[9:] + ` ok"}]}`, 0},
		{`{"content":[{"text":"` + filler + secret[:9] + `"},{"text":"` + secret[9:] + ` ` + filler + `"}]}`, 0},
		{`["key \u007aed_` + secret[4:9] + `","` + secret[9:14] + `","` + secret[14:] + `"]`, 1},
	} {
		r := e.Scan([]byte(c.json), inspect.Options{JSON: true})
		if len(r.Matches) != 0 || len(r.Inner) != 1 {
			t.Errorf("%.80s: got %+v", c.json, r.Inner)
			continue
		}
		m := r.Inner[0]
		if string(m.Value) != secret || len(m.Between) != c.between || c.json[m.Right.Start:m.Right.End] != secret[len(secret)-(m.Right.End-m.Right.Start):] {
			t.Errorf("%.80s: got %+v", c.json, m)
		}
		if left := c.json[m.Left.Start:m.Left.End]; !strings.HasSuffix(left, secret[4:9]) {
			t.Errorf("%.80s: got left %q", c.json, left)
		}
	}
}

func TestInnerLeavesOutWhatIsFoundAlone(t *testing.T) {
	e := engine(t)
	for _, text := range []string{
		`["` + token(1) + `","` + token(2) + `"]`, `["password=","hunter22"]`, `["password=hun","ter22 xyz"]`,
		`[{"type":"zed_` + letters(16, 1) + `"},{"text":"` + letters(16, 1) + `"}]`,
	} {
		if r := e.Scan([]byte(text), inspect.Options{JSON: true}); len(r.Inner) != 0 {
			t.Errorf("%s: got %+v", text, r.Inner)
		}
	}
}

func TestJoinGoesOnThroughShortTexts(t *testing.T) {
	e := engine(t)
	secret := token(4)
	for _, o := range []inspect.Options{{}, {JSON: true}} {
		var edges []*inspect.Edge
		var texts []string
		for _, piece := range []string{"a key ", secret[:7], secret[7:8], secret[8:20], secret[20:], " and more"} {
			if o.JSON {
				piece = `{"type":"text","text":` + quote(piece) + `}`
			}
			r := e.Scan([]byte(piece), o)
			edges, texts = append(edges, &r.Edge), append(texts, piece)
		}
		list := e.Join(edges, o)
		if len(list) != 1 {
			t.Fatalf("got %+v", list)
		}
		var got string
		for _, p := range list[0].Parts {
			got += texts[p.Index][p.Span.Start:p.Span.End]
		}
		if got != secret || string(list[0].Value) != secret || len(list[0].Parts) != 4 {
			t.Errorf("got %q in %d parts", got, len(list[0].Parts))
		}
	}
}

// A rule that takes all it gets must not go on into the next text when what it
// found is whole, and one that needs only context is not believed across texts.
func TestWhatIsWholeDoesNotGoOn(t *testing.T) {
	e := engine(t, open())
	o := inspect.Options{JSON: true}
	for _, c := range [][2]string{
		{`{"text":"` + token(1) + `"}`, `{"text":"andmore"}`},
		{`{"text":"see the password: "}`, `{"text":"hunter22 is what follows"}`},
	} {
		l, r := e.Scan([]byte(c[0]), o), e.Scan([]byte(c[1]), o)
		if list := join2(e, &l.Edge, &r.Edge, o); len(list) != 0 {
			t.Errorf("%s and %s: got %+v", c[0], c[1], list)
		}
		if r := e.Scan([]byte("["+c[0]+","+c[1]+"]"), o); len(r.Inner) != 0 {
			t.Errorf("%s and %s: got %+v", c[0], c[1], r.Inner)
		}
	}
}

// The beginning and the end of one long text are not beside each other.
func TestTheEndsOfOneTextAreNotJoined(t *testing.T) {
	e := engine(t)
	text := strings.Repeat("x ", 118) + token(5)[:20] + strings.Repeat(" y", 200) + token(5)[20:] + strings.Repeat(" z", 120)
	o := inspect.Options{JSON: true}
	r := e.Scan([]byte(`["a b","`+text+`","c d"]`), o)
	if len(r.Inner) != 0 {
		t.Errorf("got %+v", r.Inner)
	}
	left, right := e.Scan([]byte(`["`+text+`"]`), o), e.Scan([]byte(`["c"]`), o)
	if list := join2(e, &left.Edge, &right.Edge, o); len(list) != 0 {
		t.Errorf("got %+v", list)
	}
}
