package split_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// check holds a Doc against what is true of every Doc.
func check(t *testing.T, d, base *split.Doc) {
	t.Helper()
	at := 0
	for i, p := range d.Pieces {
		if p.Start != at || p.End <= p.Start {
			t.Fatalf("piece %d is [%d,%d), the one before ends at %d", i, p.Start, p.End, at)
		}
		at = p.End
		if (p.Kind == split.Literal || !d.JSON) && p.Run != -1 {
			t.Fatalf("piece %d: %v in run %d", i, p.Kind, p.Run)
		}
		if p.Run >= 0 && (p.Start < d.Fields[p.Run].Start || p.End > d.Fields[p.Run].End) {
			t.Fatalf("piece %d [%d,%d) is outside of its field %+v", i, p.Start, p.End, d.Fields[p.Run])
		}
		checkHoles(t, d, p)
	}
	if at != len(d.Body) {
		t.Fatalf("pieces end at %d of %d", at, len(d.Body))
	}
	for i, want := range same(d, base) {
		if got := d.Pieces[i].Same; got != want {
			t.Fatalf("piece %d: same as %d, want %d", i, got, want)
		}
	}
	if want := valid(d.Body); d.JSON != want && !strings.HasSuffix(d.Why, "too many top-level members") {
		t.Fatalf("JSON is %v (%s), want %v", d.JSON, d.Why, want)
	}
	if d.JSON == (d.Why != "") {
		t.Fatalf("JSON is %v, and why is %q", d.JSON, d.Why)
	}
	checkFields(t, d)
}

func checkHoles(t *testing.T, d *split.Doc, p split.Piece) {
	t.Helper()
	if len(p.Holes) == 0 {
		return
	}
	var rest []byte
	at := p.Start
	for _, h := range p.Holes {
		if h.Start < at || h.End <= h.Start || h.End > p.End {
			t.Fatalf("hole %v in piece [%d,%d) after %d", h, p.Start, p.End, at)
		}
		rest = append(rest, d.Body[at:h.Start]...)
		at = h.End
	}
	rest = append(rest, d.Body[at:p.End]...)
	var with, without map[string]json.RawMessage
	if err := json.Unmarshal(d.Body[p.Start:p.End], &with); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(rest, &without); err != nil {
		t.Fatalf("without its holes a block is no object: %v: %s", err, rest)
	}
	if _, ok := without["cache_control"]; ok && !bytes.Contains(rest, []byte(`\`)) {
		t.Fatalf("a marker is left: %s", rest)
	}
	if len(without) != len(with)-1 && !bytes.Contains(rest, []byte(`\`)) {
		t.Fatalf("%d members left of %d", len(without), len(with))
	}
}

func checkFields(t *testing.T, d *split.Doc) {
	t.Helper()
	var want map[string]json.RawMessage
	if !d.JSON || json.Unmarshal(d.Body, &want) != nil {
		return
	}
	for name, value := range want {
		got, ok := d.Get(name)
		if !ok || !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(value)) {
			t.Fatalf("Get(%q) is %q, want %q", name, got, value)
		}
	}
	for i, f := range d.Fields {
		dup := false
		for _, g := range d.Fields[:i] {
			dup = dup || g.Name == f.Name && g.In == f.In
		}
		if f.Dup != dup {
			t.Fatalf("field %d %q: dup %v, want %v", i, f.Name, f.Dup, dup)
		}
		if !json.Valid(d.Body[f.Start:f.End]) {
			t.Fatalf("field %d %q is %q", i, f.Name, d.Body[f.Start:f.End])
		}
	}
}

// valid is what encoding/json takes, less what it is lenient about.
func valid(body []byte) bool {
	deep, most, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			deep++
			most = max(most, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return json.Valid(body) && utf8.Valid(body) && most <= 512
}

// same says in the plainest way what Same must be.
func same(d, base *split.Doc) []int {
	want := make([]int, len(d.Pieces))
	broken := map[int]bool{}
	next := map[int]int{}
	for i, p := range d.Pieces {
		want[i] = -1
		if base == nil || p.Kind == split.Literal || broken[p.Run] || (p.Run < 0) != unnamed(base) {
			continue
		}
		if _, ok := next[p.Run]; !ok {
			next[p.Run] = start(d, base, p.Run)
		}
		j := next[p.Run]
		if j < 0 || j >= len(base.Pieces) || base.Pieces[j].Run != base.Pieces[start(d, base, p.Run)].Run || !equal(d, p, base, base.Pieces[j]) {
			broken[p.Run] = true
			continue
		}
		want[i] = j
		next[p.Run]++
	}
	return want
}

// unnamed reports whether a body was cut by its content.
func unnamed(d *split.Doc) bool {
	return len(d.Pieces) > 0 && d.Pieces[0].Kind == split.Block
}

// start gives the first piece of the base's run that corresponds to a run.
func start(d, base *split.Doc, run int) int {
	if run < 0 {
		return 0
	}
	f := d.Fields[run]
	for k, g := range base.Fields {
		if g.Name != f.Name || (g.In < 0) != (f.In < 0) || f.Dup {
			continue
		}
		for j, p := range base.Pieces {
			if p.Run == k {
				return j
			}
		}
		return -1
	}
	return -1
}

func equal(d *split.Doc, p split.Piece, base *split.Doc, q split.Piece) bool {
	if p.Kind != q.Kind || len(p.Holes) != len(q.Holes) || !bytes.Equal(d.Body[p.Start:p.End], base.Body[q.Start:q.End]) {
		return false
	}
	for i := range p.Holes {
		if p.Holes[i].Start-p.Start != q.Holes[i].Start-q.Start || p.Holes[i].End-p.Start != q.Holes[i].End-q.Start {
			return false
		}
	}
	return true
}

// agree makes sure that a base changes nothing but Same.
func agree(t *testing.T, body []byte, base *split.Doc) *split.Doc {
	t.Helper()
	got, want := split.Split(body, base), split.Split(body, nil)
	check(t, want, nil)
	check(t, got, base)
	if got.JSON != want.JSON || got.Why != want.Why {
		t.Fatalf("with a base: JSON %v %q, without: %v %q", got.JSON, got.Why, want.JSON, want.Why)
	}
	if g, w := fmt.Sprint(got.Fields), fmt.Sprint(want.Fields); g != w {
		t.Fatalf("fields with a base\n%s\nwithout\n%s", g, w)
	}
	if g, w := dump(got), dump(want); g != w {
		t.Fatalf("pieces with a base\n%s\nwithout\n%s\nbody %q\nbase %q", g, w, clip(body), clip(base.Body))
	}
	return got
}

func clip(b []byte) []byte { return b[:min(len(b), 3000)] }

// dump writes pieces without Same.
func dump(d *split.Doc) string {
	var s strings.Builder
	for _, p := range d.Pieces {
		p.Same = 0
		fmt.Fprintln(&s, p)
	}
	return s.String()
}
