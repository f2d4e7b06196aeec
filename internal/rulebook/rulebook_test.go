package rulebook_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

var key = []byte("a key of thirty-two bytes, or so")

func save(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesOfBothFolders(t *testing.T) {
	own, more := filepath.Join(t.TempDir(), "[own]"), t.TempDir()
	b := rulebook.Book{Own: own, More: more}
	if files, err := b.Files(); err != nil || len(files) != 0 {
		t.Errorf("without a folder: %q, %v", files, err)
	}
	want := []string{save(t, filepath.Join(own, "a.yaml"), ""), save(t, filepath.Join(own, "b.yaml"), ""), save(t, filepath.Join(more, "a.yaml"), "")}
	save(t, filepath.Join(own, ".c.yaml"), "")
	save(t, filepath.Join(own, "README.md"), "")
	save(t, filepath.Join(own, "d.yaml", "e.yaml"), "")
	if files, err := b.Files(); err != nil || strings.Join(files, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, %v, want %q", files, err, want)
	}
	if files, err := (rulebook.Book{Own: own, More: own + "/"}).Files(); err != nil || len(files) != 2 {
		t.Errorf("one folder twice: %q, %v", files, err)
	}
	if _, err := (rulebook.Book{Own: own, More: more + "x"}).Files(); err == nil {
		t.Error("a folder that is not there")
	}
	save(t, filepath.Join(more, "f.yml"), "")
	if _, err := b.Files(); err == nil || !strings.Contains(err.Error(), "f.yml would not be read") {
		t.Errorf("got %v", err)
	}
}

func TestReadTellsAllProblems(t *testing.T) {
	dir := t.TempDir()
	files := []string{save(t, filepath.Join(dir, "a.yaml"), "family: A"), save(t, filepath.Join(dir, "b.yaml"), "famly: b"), save(t, filepath.Join(dir, "c.yaml"), "#"+strings.Repeat("x", 2<<20)), filepath.Join(dir, "none.yaml"), dir}
	_, err := rulebook.Read(files)
	for _, want := range []string{"a.yaml:1:9: ", "b.yaml:1:1: ", "c.yaml has more than", "none.yaml", dir + " is no file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
}

// Drafts pile up in a file that holds every value, and in no value's words.
func TestValuesPileUp(t *testing.T) {
	b := rulebook.Book{Own: t.TempDir()}
	values := map[string]string{"one": "Tr0ub4dor-1", "two": `"Tr0ub4d\or-2'`, "three": "Tr0ub4dör:{3}#"}
	for name, value := range values {
		d, err := b.Secret(key, rulebook.Entry{Name: name, Title: `the "` + name + `": ä # \`}, []byte(value))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(d.Text), "Tr0ub") {
			t.Errorf("the file has a value:\n%s", d.Text)
		}
		save(t, d.File, string(d.Text))
	}
	sets, err := b.Sets()
	if err != nil {
		t.Fatal(err)
	}
	e, err := rulebook.Compile(key, sets)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range values {
		r := e.Scan([]byte("see "+value+" there"), inspect.Options{})
		if len(r.Matches) != 1 || r.Matches[0].Rule.Name() != "registered."+name || r.Matches[0].Rule.Title != `the "`+name+`": ä # \` || string(r.Matches[0].Value) != value {
			t.Errorf("%s: %+v", name, r.Matches)
		}
	}
	if _, err := rulebook.Compile([]byte("another key"), sets); err == nil || !strings.Contains(err.Error(), "registered.yaml:4:6: these hashes") {
		t.Errorf("with another key: %v", err)
	}
	if _, err := b.Secret([]byte("another key"), rulebook.Entry{Name: "four"}, []byte("Tr0ub4dor-4")); err == nil || !strings.Contains(err.Error(), "another data folder") {
		t.Errorf("a value more with another key: %v", err)
	}
	if _, err := rulebook.Check(sets); err != nil {
		t.Errorf("check, which has no key: %v", err)
	}
}

// A draft stands for its file, which need not be there.
func TestDraftsStandForFiles(t *testing.T) {
	b := rulebook.Book{Own: t.TempDir()}
	d, err := b.Canary(key, rulebook.Entry{Name: "bait", Severity: flow.Low}, []byte("Tr0ub4dor-1"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sets, err := b.Sets(d)
		if err != nil || len(sets) != 1 || len(sets[0].Registered) != 1 || sets[0].Registered[0].Rule.Severity != flow.Critical {
			t.Errorf("%+v, %v", sets, err)
		}
		save(t, d.File, "family: [")
	}
}

func TestAFileOfOthersIsLeftAlone(t *testing.T) {
	b := rulebook.Book{Own: t.TempDir()}
	file := filepath.Join(b.Own, "registered.yaml")
	for _, text := range []string{"family: acme", "family: registered\ncanaries: [{id: a, value: bait-1}]", "family: ["} {
		save(t, file, text)
		var refusal *flow.Refusal
		if _, err := b.Secret(key, rulebook.Entry{Name: "a"}, []byte("Tr0ub4dor-1")); !errors.As(err, &refusal) || !strings.Contains(refusal.Text, "registered.yaml") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBaits(t *testing.T) {
	shapes := map[string]string{"github": `^ghp` + `_[0-9A-Za-z]{36}$`, "aws": `^AK` + `IA[A-Z2-7]{16}$`, "database": `^[0-9A-Za-z]{24}$`}
	seen := map[string]bool{}
	e, err := rulebook.Compile(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range rulebook.Forms() {
		for range 50 {
			b, err := rulebook.NewBait(form)
			if err != nil || !regexp.MustCompile(shapes[form]).MatchString(b.Value) || !strings.Contains(b.Plant, b.Value) || b.Where == "" || seen[b.Value] {
				t.Fatalf("%s: %+v, %v", form, b, err)
			}
			seen[b.Value] = true
			if r := e.Scan([]byte(b.Plant), inspect.Options{}); len(r.Matches) == 0 {
				t.Errorf("who looks for secrets would not take %s for one", b.Plant)
			}
		}
	}
	if _, err := rulebook.NewBait("odd"); err == nil {
		t.Error("a form that there is not")
	}
}
