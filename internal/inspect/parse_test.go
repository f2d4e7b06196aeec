package inspect_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// good is a rules file with everything in it. Its examples are rotated.
const good = `family: test
version: 3
rules:
  - id: zed-token
    title: Zed token
    severity: critical
    confidence: 95
    anchors: ["zed_"]
    case_anchors: true
    pattern: '\bzed_[A-Za-z0-9]{8,}'
    before: 16
    after: 128
    checks: ["len>=12", "entropy>=2", not-placeholder]
    match:
      - 'gbxra mrq_NoPq6789 uryyb'
    miss:
      - 'mrq_rknzcyr12345'
      - 'mrq_N'
  - {id: password, title: A password, severity: medium, confidence: 60, anchors: [password], detector: assignment, match: ['cnffjbeq=uhagre77']}
dictionaries:
  - {id: projects, title: Names of projects, severity: low, confidence: 80, words: [bluebird, "red fox"]}
canaries:
  - {id: bait, title: Bait in the vault, value: Canary-7f3e-99}
registered:
  - {id: prod-db, title: The database, severity: high, length: 12, tag: 'a1b2', hash: 'aa00000000000000000000000000000000000000000000000000000000000000'}
`

func TestParseReadsAll(t *testing.T) {
	set, err := inspect.Parse("test.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if set.Family != "test" || set.Version != "3" || len(set.Rules) != 4 || len(set.Registered) != 1 {
		t.Fatalf("got %+v", set)
	}
	r := set.Rules[0]
	if r.Name() != "test.zed-token" || r.Severity != flow.Critical || r.Confidence != 95 || !r.CaseAnchors || r.Before != 16 || r.After != 128 || len(r.Checks) != 3 {
		t.Errorf("got %+v", r)
	}
	if r.Examples[0] != "token zed_AbCd1234 hello" {
		t.Errorf("got example %q, want it rotated back", r.Examples[0])
	}
	if c := set.Rules[3]; c.Severity != flow.Critical || c.Confidence != 100 || c.Anchors[0] != "Canary-7f3e-99" {
		t.Errorf("got canary %+v", c)
	}
	if d := set.Rules[2]; !d.Words || len(d.Anchors) != 2 {
		t.Errorf("got dictionary %+v", d)
	}
}

func TestParseNamesThePlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"family: x\nrules:\n  - id: a\n    patern: b\n", `r.yaml:4:5: unknown key "patern"`},
		{"family: x\nrules:\n  - id: a\n    severity: awful\n", `r.yaml:4:15: unknown severity "awful"`},
		{"family: x\nrules:\n  - confidence: 101\n", `r.yaml:3:17: must be a number from 0 to 100`},
		{"family: x\nrules:\n  - before: 5000\n", `r.yaml:3:13: must be a number from 0 to 4096`},
		{"family: x\nrules: {}\n", `r.yaml:2:8: must be a list`},
		{"family: x\nrules: [a]\n", `r.yaml:2:9: a rule must be a mapping`},
		{"family: x\nrules:\n  - id: [a]\n", `must be a single value`},
		{"family: x\nfamily: y\n", `r.yaml:2:1: family stands here twice`},
		{"family: x\nrules:\n  - words: yes please\n", `must be true or false`},
		{"family: x\nregistered:\n  - hash: zz\n", `r.yaml:3:11: must be 64 hex digits`},
		{"version: 1\n", `family is missing`},
		{"", `r.yaml:1:1: the file is empty`},
		{"family: x\n---\nfamily: y\n", `a second document`},
		{"family: [x\n", `r.yaml:1:`},
		{strings.Repeat("[", 1<<20), `nested`},
		{strings.Repeat("- ", 1<<18), `nested`},
		{strings.Repeat("#", 5<<20), `at most`},
	} {
		_, err := inspect.Parse("r.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestParseTellsAllProblems(t *testing.T) {
	_, err := inspect.Parse("r.yaml", []byte("family: x\nrules:\n  - {id: a, x: 1}\n  - {id: b, severity: y}\n"))
	if err == nil || strings.Count(err.Error(), "r.yaml:") != 2 {
		t.Errorf("got %v, want two problems", err)
	}
}

func TestCompileIsAllOrNothing(t *testing.T) {
	const head = "family: x\nrules:\n  - {id: a, title: t, severity: low, confidence: 50, anchors: [abc], pattern: abc}\n"
	for _, c := range []struct{ text, want string }{
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], pattern: 'a(b'}\n", "r.yaml:4:"},
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], pattern: 'a(b'}\n", "missing closing )"},
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], pattern: '((x{100}){100}){100}'}\n", "pattern"},
		{"  - {id: b, severity: low, confidence: 50, anchors: [ab], pattern: x}\n", `anchor "ab" must be 3 to 1024 bytes`},
		{"  - {id: b, severity: low, confidence: 50, pattern: x}\n", "anchors are missing"},
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], detector: nobody}\n", `no detector "nobody"`},
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], checks: [nothing]}\n", `no check "nothing"`},
		{"  - {id: b, severity: low, confidence: 50, anchors: [abc], checks: ['entropy>=x']}\n", `write entropy>=number`},
		{"  - {id: b, confidence: 50, anchors: [abc]}\n", "severity is missing"},
		{"  - {id: b, severity: low, anchors: [abc]}\n", "confidence must be"},
		{"  - {id: B, severity: low, confidence: 5, anchors: [abc]}\n", "id must be"},
		{"  - {id: a, severity: low, confidence: 5, anchors: [abc]}\n", "the name is taken by the rule at r.yaml:3:"},
		{"registered:\n  - {id: r, severity: low, length: 3}\n", "length must be"},
	} {
		set, err := inspect.Parse("r.yaml", []byte(head+c.text))
		if err != nil {
			t.Fatal(err)
		}
		e, err := inspect.Compile(library(), set)
		if e != nil || err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "r.yaml:") {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestExamplesAreRun(t *testing.T) {
	set, err := inspect.Parse("test.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Test(engine(t, set)); err != nil {
		t.Error(err)
	}
	set.Rules[0].Examples, set.Rules[0].Misses = []string{"nothing"}, []string{"zed_AbCd12345678"}
	set.Rules[1].Examples = nil
	err = set.Test(engine(t, set))
	if err == nil || !strings.Contains(err.Error(), "does not find its example 1") || !strings.Contains(err.Error(), "finds something in its miss 1") || !strings.Contains(err.Error(), "test.password\" has no example") || !strings.Contains(err.Error(), "test.yaml:") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "AbCd") {
		t.Error("the error quotes an example")
	}
}

func TestVersionIsThatOfTheRules(t *testing.T) {
	a, b := engine(t), engine(t)
	moved := rules()
	moved.File = "elsewhere.yaml"
	if c := engine(t, moved); c.Version() != a.Version() {
		t.Errorf("got %s for a file that was moved, want %s", c.Version(), a.Version())
	}
	changed := rules()
	changed.Rules[0].Confidence--
	if c := engine(t, changed); a.Version() != b.Version() || a.Version() == c.Version() || a.Version() == "" {
		t.Errorf("got %s, %s and %s of other rules", a.Version(), b.Version(), c.Version())
	}
}

func TestRotateIsItsOwnInverse(t *testing.T) {
	const s = "AKz0 59-ä_mN"
	if got := inspect.Rotate(inspect.Rotate(s)); got != s || inspect.Rotate("abz19") != "nom64" {
		t.Errorf("got %q and %q", got, inspect.Rotate("abz19"))
	}
}
