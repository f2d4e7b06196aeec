package inspect_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

func TestKindSaysHowAValueStands(t *testing.T) {
	e := engine(t)
	for _, c := range []struct {
		json, value string
		kind        inspect.ValueKind
	}{
		{`{"password":"hunter22"}`, "hunter22", inspect.InString},
		{`{"password": 12345678}`, "12345678", inspect.InNumber},
		{`{"password": -1234.5e6}`, "-1234.5e6", inspect.InNumber},
		{`{"password": truetrue}`, "truetrue", inspect.Raw},
		{`{"` + token(1) + `":1}`, token(1), inspect.InString},
		{`["a","password=hunter22","b"]`, "hunter22", inspect.InString},
		{`{"password":"hunt\u0065r22","x":1}`, "hunter22", inspect.InString},
		{`{"t":"\"password\": \"hunter22\""}`, "hunter22", inspect.InString},
		{`{"password":"pässwörd-😀"}`, "pässwörd-😀", inspect.InString},
		{`{"password":"p\u00e4ssw\u00f6rd-\ud83d\ude00"}`, "pässwörd-😀", inspect.InString},
	} {
		b := []byte(c.json)
		m := one(t, e, c.json, inspect.Options{JSON: true})
		if string(m.Value) != c.value || m.Kind != c.kind || string(m.Secret) != c.value {
			t.Errorf("%s: got %q as %s, want %q as %s", c.json, m.Value, m.Kind, c.value, c.kind)
		}
		mapsBack(t, b, inspect.Options{JSON: true}, m)
	}
	m := one(t, e, "password=hunter22 \\u0041", inspect.Options{})
	if string(m.Value) != "hunter22" || m.Kind != inspect.Raw {
		t.Errorf("got %+v", m)
	}
}

// greedy takes what stands behind the anchor, structure or not.
func TestAValueEndsWithItsString(t *testing.T) {
	set := &inspect.Set{Family: "x", Rules: []inspect.Rule{
		{ID: "greedy", Severity: flow.High, Confidence: 50, Anchors: []string{"key="}, Pattern: `key=(.{8,40})`},
		{ID: "quoted", Severity: flow.High, Confidence: 50, Anchors: []string{"pin"}, Pattern: `pin":("[0-9]+")`},
	}}
	e := engine(t, set)
	m := one(t, e, `{"a":"key=abc","b":"other value that stands beside it"}`, inspect.Options{JSON: true})
	if string(m.Value) != "abc" || m.Kind != inspect.InString {
		t.Errorf("got %q as %s", m.Value, m.Kind)
	}
	m = one(t, e, `{"pin":"1234"}`, inspect.Options{JSON: true})
	if string(m.Value) != "1234" || m.Kind != inspect.InString {
		t.Errorf("got %q as %s", m.Value, m.Kind)
	}
}

func TestWindowsReachBackFromTheAnchor(t *testing.T) {
	e := engine(t)
	key := strings.Repeat("0a1b2c3d", 3)
	text := strings.Repeat("filler ", 100)
	m := one(t, e, text+"key "+key+"-eu1 and -eu1 -eu1 "+text, inspect.Options{})
	if string(m.Value) != key {
		t.Errorf("got %q", m.Value)
	}
	// Merged windows: every key of a long row is found.
	row := strings.Repeat(key+"-eu1 ", 900)
	if r := e.Scan([]byte(row), inspect.Options{}); len(r.Matches) != 900 || r.Cut != "" {
		t.Errorf("got %d matches, want 900; cut %q", len(r.Matches), r.Cut)
	}
}

func TestLongValuesAreTakenWhole(t *testing.T) {
	set := open()
	set.Rules = append(set.Rules, inspect.Rule{ID: "around", Severity: flow.High, Confidence: 90, Anchors: []string{"-mark"}, Pattern: `[a-z]+-mark(\w+)`})
	e := engine(t, set)
	for _, n := range []int{500, 600, 5000, 60_000} {
		for _, prefix := range []string{"zed_", "x-mark"} {
			m := one(t, e, "a "+prefix+letters(n, 1)+" b", inspect.Options{})
			if m.End != 2+len(prefix)+n {
				t.Errorf("%s and %d: the value ends at %d", prefix, n, m.End)
			}
		}
	}
	if m := one(t, e, "password=hunter22 "+strings.Repeat("x", 1<<20), inspect.Options{}); m.End != 17 {
		t.Errorf("got %+v", m)
	}
}

func TestAnchorsFoldCaseUnlessTheyMayNot(t *testing.T) {
	e := engine(t)
	for text, want := range map[string]int{
		"PassWord=hunter22": 1, "Bluebird": 1, "RED FOX": 1, "bluebirds": 0, "a_bluebird": 0, "(bluebird)": 1, "übluebird": 0,
		strings.ToUpper(token(1)): 0, "xx" + token(1): 0, "Canary-7f3e": 1, "canary-7f3e": 0, "xxCanary-7f3exx": 1, "password=an-example": 0,
	} {
		if r := e.Scan([]byte(text), inspect.Options{}); len(r.Matches) != want {
			t.Errorf("%s: got %d matches, want %d", text, len(r.Matches), want)
		}
	}
}

// An anchor is found at every offset of a text and of the steps of the scan.
func TestAnchorsAreFoundAtEveryOffset(t *testing.T) {
	set := &inspect.Set{Family: "x"}
	for _, a := range []string{"abc", "defg", "hijkl", "m-n", "opqrstuvwxyz"} {
		set.Rules = append(set.Rules, inspect.Rule{ID: a, Severity: flow.High, Confidence: 50, Anchors: []string{a}})
	}
	e := engine(t, set)
	for _, r := range set.Rules {
		for before := range 20 {
			for after := range 12 {
				text := strings.Repeat(" ", before) + r.ID + strings.Repeat(" ", after)
				if m := one(t, e, text, inspect.Options{}); m.Rule.ID != r.ID || m.Start != before {
					t.Fatalf("%q: got %+v", text, m)
				}
			}
		}
	}
}

func TestOverlapsBecomeOne(t *testing.T) {
	e := engine(t)
	m := one(t, e, "password=prefix-"+token(1)+"-suffix", inspect.Options{})
	if m.Rule.ID != "zed-token" || string(m.Value) != "prefix-"+token(1)+"-suffix" || string(m.Secret) != token(1) {
		t.Errorf("got %s %q, want the worst rule with all that any covers", m.Rule.ID, m.Value)
	}
}

// open has rules that take as much as there is, and are sure of it.
func open() *inspect.Set {
	return &inspect.Set{Family: "open", Rules: []inspect.Rule{
		{ID: "long", Severity: flow.Medium, Confidence: 95, Anchors: []string{"zed_"}, Pattern: `zed_[A-Za-z0-9]{16,}`},
		{ID: "assigned", Severity: flow.High, Confidence: 90, Anchors: []string{"password"}, Detector: "assignment", Checks: []string{"len>=6"}},
	}}
}

func TestTheMoreSevereRuleNamesAnOverlap(t *testing.T) {
	m := one(t, engine(t, open()), "password="+token(1), inspect.Options{})
	if m.Rule.ID != "assigned" {
		t.Errorf("got %s, want the more severe one although the other is surer", m.Rule.ID)
	}
}

func TestANumberIsTakenWhole(t *testing.T) {
	o := inspect.Options{JSON: true, Known: inspect.NewKnown([]inspect.KnownValue{{Value: []byte("22223333"), Rule: "x"}})}
	m := one(t, engine(t), `{"card":4111222233334444}`, o)
	if string(m.Value) != "4111222233334444" || m.Kind != inspect.InNumber {
		t.Errorf("got %q as %s", m.Value, m.Kind)
	}
}

func TestChecksSiftValues(t *testing.T) {
	e := engine(t)
	for text, want := range map[string]int{
		"zed_" + strings.Repeat("a", 32): 0, token(1): 1, "password=hunt": 0, "password=hunter": 1,
	} {
		if r := e.Scan([]byte(text), inspect.Options{}); len(r.Matches) != want {
			t.Errorf("%s: got %d matches, want %d", text, len(r.Matches), want)
		}
	}
}

func TestKnownValuesAreFoundEverywhere(t *testing.T) {
	e := engine(t)
	known := inspect.NewKnown([]inspect.KnownValue{
		{Value: []byte("tricky\"value\\é"), Rule: "test.password"}, {Value: []byte("s3cr3t"), Rule: "gone.rule"}, {Value: []byte("abc"), Rule: "test.password"},
	})
	o := inspect.Options{JSON: true, Known: known}
	m := one(t, e, `{"x":"ab tricky\"value\\\u00e9 cd"}`, o)
	if !m.Known || m.Rule.Name() != "test.password" || string(m.Value) != "tricky\"value\\é" || m.Rule.Severity != flow.Medium {
		t.Errorf("got %+v", m)
	}
	m = one(t, e, `{"x":"`+encodings["base64"]("this is s3cr3t, is it not")+`"}`, o)
	if !m.Known || m.Rule.Name() != "gone.rule" || string(m.Secret) != "s3cr3t" {
		t.Errorf("got %+v", m)
	}
	for _, text := range []string{`"xs3cr3t"`, `"s3cr3ts"`, `"abc"`, `"S3CR3T"`} {
		if r := e.Scan([]byte(text), o); len(r.Matches) != 0 {
			t.Errorf("%s: got %+v: short values count as words only, shorter ones not at all", text, r.Matches)
		}
	}
	if known.Len() != 2 || (*inspect.Known)(nil).Len() != 0 {
		t.Errorf("got %d values", known.Len())
	}
}

func TestManyKnownValuesThatLookAlike(t *testing.T) {
	e := engine(t)
	var values []inspect.KnownValue
	for i := range 5000 {
		values = append(values, inspect.KnownValue{Value: []byte("zed_" + letters(20, uint32(i)))})
	}
	o := inspect.Options{Known: inspect.NewKnown(values)}
	// Few rules with many values, and many rules with few values.
	few := inspect.Options{Known: inspect.NewKnown(values[:50])}
	large := engine(t, many(2000))
	for _, v := range values[:50] {
		if m := one(t, large, "x "+string(v.Value), few); !m.Known {
			t.Fatalf("got %+v", m)
		}
	}
	for _, v := range values[:50] {
		if m := one(t, e, "x "+string(v.Value)+" y", o); string(m.Value) != string(v.Value) || !m.Known {
			t.Fatalf("got %+v", m)
		}
	}
}

func TestKnownIDIsThatOfItsValues(t *testing.T) {
	a, b := inspect.KnownValue{Value: []byte("first-value"), Rule: "r"}, inspect.KnownValue{Value: []byte("second-value"), Rule: "r"}
	id := inspect.NewKnown([]inspect.KnownValue{a, b}).ID()
	if got := inspect.NewKnown([]inspect.KnownValue{b, a, b}).ID(); got != id {
		t.Errorf("got %s and %s for the same values", got, id)
	}
	if got := inspect.NewKnown([]inspect.KnownValue{a}).ID(); got == id || (*inspect.Known)(nil).ID() != "" {
		t.Errorf("got %s for other values", got)
	}
}

func TestRegisteredValuesAreFoundByTheirHash(t *testing.T) {
	key := library().Key
	add := func(id, value string) inspect.Registered {
		v := inspect.Register(key, []byte(value))
		v.Rule = inspect.Rule{ID: id, Title: id, Severity: flow.Critical, Confidence: 100}
		return v
	}
	set := rules()
	set.Registered = []inspect.Registered{add("db", "Tr0ub4dor&3!x"), add("pin", "0123456789ab")}
	e := engine(t, set)
	for text, want := range map[string]string{
		`db "Tr0ub4dor&3!x" ok`: "test.db", "PGPASSWORD=Tr0ub4dor&3!x psql": "test.db", "postgres://u:Tr0ub4dor&3!x@host/db": "test.db",
		"0123456789ab": "test.pin", "id-0123456789ab,": "test.pin", "x0123456789ab": "", "0123456789abc": "", "Tr0ub4dor&3!y": "",
	} {
		r := e.Scan([]byte(text), inspect.Options{})
		got := ""
		if len(r.Matches) > 0 {
			got = r.Matches[0].Rule.Name()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	m := one(t, e, `{"v":"`+encodings["base64"]("password is Tr0ub4dor&3!x")+`"}`, inspect.Options{JSON: true})
	if string(m.Secret) != "Tr0ub4dor&3!x" {
		t.Errorf("got %q", m.Secret)
	}
	if _, err := inspect.Compile(inspect.Library{}, &inspect.Set{Family: "x", File: "r.yaml", Registered: set.Registered}); err == nil || !strings.Contains(err.Error(), "key") {
		t.Errorf("got %v without a key", err)
	}
}

func TestDetectorsThatFailAreTold(t *testing.T) {
	lib := inspect.Library{Detectors: map[string]inspect.Detector{
		"panics": func([]byte, int, int, func(int, int)) { panic("no") },
		"lies": func(text []byte, at, end int, report func(int, int)) {
			report(-5, 3)
			report(4, 2)
			report(0, len(text)+9)
		},
	}}
	e, err := inspect.Compile(lib, &inspect.Set{Family: "x", Rules: []inspect.Rule{
		{ID: "panics", Severity: flow.High, Confidence: 50, Anchors: []string{"boom"}, Detector: "panics"},
		{ID: "lies", Severity: flow.High, Confidence: 50, Anchors: []string{"liar"}, Detector: "lies"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r := e.Scan([]byte("a boom"), inspect.Options{}); !strings.Contains(r.Cut, "detector") {
		t.Errorf("got cut %q", r.Cut)
	}
	if r := e.Scan([]byte("a liar"), inspect.Options{}); len(r.Matches) != 0 || r.Cut != "" {
		t.Errorf("got %+v", r)
	}
}

// A detector may look at 8 KiB each time that it is called, so it is called less
// often where there is so much to look at.
func TestDetectorsAreNotCalledForEver(t *testing.T) {
	calls := 0
	lib := inspect.Library{Detectors: map[string]inspect.Detector{"slow": func([]byte, int, int, func(int, int)) { calls++ }}}
	e, err := inspect.Compile(lib, &inspect.Set{Family: "x", Rules: []inspect.Rule{{ID: "slow", Severity: flow.High, Confidence: 50, Anchors: []string{"secret="}, Detector: "slow"}}})
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Repeat("secret=x ", 30_000)
	if r := e.Scan([]byte(words), inspect.Options{}); calls != 30_000 || r.Cut != "" {
		t.Errorf("got %d calls for 30,000 short values, cut %q", calls, r.Cut)
	}
	calls = 0
	row := strings.Repeat("secret=", 30_000)
	if r := e.Scan([]byte(row), inspect.Options{}); calls > 3000 || !strings.Contains(r.Cut, "work") || r.Scanned > 20_000 {
		t.Errorf("got %d calls in a row without a break, cut %q, scanned %d", calls, r.Cut, r.Scanned)
	}
}

func TestTooManyFindingsAreTold(t *testing.T) {
	e := engine(t)
	for _, n := range []int{1000, 1001, 10_000} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + token(uint32(i)) + `",`)
		}
		r := e.Scan([]byte(b.String()), inspect.Options{JSON: true})
		if len(r.Matches) != 1000 || strings.Contains(r.Cut, "matches") != (n > 1000) {
			t.Errorf("%d: got %d matches, cut %q", n, len(r.Matches), r.Cut)
		}
		if r.Scanned < b.Len() != (n == 10_000) {
			t.Errorf("%d: scanned %d of %d", n, r.Scanned, b.Len())
		}
	}
}

func TestCacheGivesWhatAScanGives(t *testing.T) {
	e, c := engine(t), inspect.NewCache(1<<20)
	b := []byte(`{"a":"` + token(1) + `"}`)
	known := inspect.NewKnown([]inspect.KnownValue{{Value: []byte(`{"a":"`), Rule: "x"}})
	for range 2 {
		if r := c.Scan(e, b, inspect.Options{JSON: true}); len(r.Matches) != 1 || r.Matches[0].Kind != inspect.InString {
			t.Errorf("got %+v", r)
		}
		if r := c.Scan(e, b, inspect.Options{}); len(r.Matches) != 1 || r.Matches[0].Kind != inspect.Raw {
			t.Errorf("got %+v: not JSON is another result", r)
		}
		if r := c.Scan(e, b, inspect.Options{Known: known}); len(r.Matches) != 2 {
			t.Errorf("got %+v: other known values are another result", r)
		}
		if r := c.Scan(engine(t, loose()), b, inspect.Options{}); len(r.Matches) != 1 || r.Matches[0].Rule.Name() != "loose.lead" {
			t.Errorf("got %+v: other rules are another result", r)
		}
	}
	if _, n := c.Size(); n != 4 {
		t.Errorf("got %d results in the cache, want 4", n)
	}
}

func TestCacheIsBoundedAndShared(t *testing.T) {
	e, c := engine(t), inspect.NewCache(40_000)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				text := []byte(`{"a":"` + token(uint32(i%50+g)) + `"}`)
				if r := c.Scan(e, text, inspect.Options{JSON: true}); len(r.Matches) != 1 || string(r.Matches[0].Value) != token(uint32(i%50+g)) {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
	wg.Wait()
	if size, n := c.Size(); size > 40_000 || n == 0 {
		t.Errorf("got %d bytes in %d results", size, n)
	}
}
