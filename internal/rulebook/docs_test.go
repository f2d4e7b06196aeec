package rulebook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
	"github.com/workingagents/gatehouse/internal/inspect/pii"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

// The rules file of the manual is sound, and does what the manual says.
func TestTheManualIsRight(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	sets, err := rulebook.Read([]string{save(t, filepath.Join(t.TempDir(), "acme.yaml"), text)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := rulebook.Check(sets)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"the Red Fox jumps": "acme.project-names", "see bait-7f3e-violet-9921": "canary.vault-bait", sets[0].Rules[0].Examples[0]: "acme.deploy-key"} {
		r := e.Scan([]byte(text), inspect.Options{})
		if len(r.Matches) != 1 || r.Matches[0].Rule.Name() != want {
			t.Errorf("%s: got %+v, want %s", text, r.Matches, want)
		}
	}
	if got := inspect.Rotate("abz19"); !strings.Contains(string(page), "`abz19` is written `"+got+"`") {
		t.Errorf("the page does not say %s", got)
	}
	for _, form := range rulebook.Forms() {
		if !strings.Contains(string(page), form) {
			t.Errorf("the page does not tell the form %s", form)
		}
	}
}

// Each check and detector that the manual names is there. Some are of use with
// the built-in rules only, and not told.
func TestTheManualNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	lib := rulebook.Library()
	for head, known := range map[string]func(name string) bool{
		"| check | holds for a value |": func(name string) bool { return lib.Checks[name] != nil || strings.ContainsAny(name, "<>") },
		"| check of numbers | holds for a value |": func(name string) bool {
			name, _, _ = strings.Cut(name, ":")
			name, _, _ = strings.Cut(name, "=")
			return lib.Checks[name] != nil
		},
		"| detector | finds |": func(name string) bool { return lib.Detectors[name] != nil },
	} {
		_, table, _ := strings.Cut(string(page), head)
		table, _, _ = strings.Cut(table, "\n\n")
		n := 0
		for line := range strings.Lines(table) {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
				if n++; !known(name[1]) {
					t.Errorf("the page tells of %s, which there is not", name[1])
				}
			}
		}
		if n < 5 {
			t.Errorf("%s: %d names", head, n)
		}
	}
}

// Each check of numbers is told: operators have numbers of their own countries.
func TestTheManualTellsAllChecksOfNumbers(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range pii.Library().Checks {
		if !regexp.MustCompile("`" + name + "[`:=]").Match(page) {
			t.Errorf("the page does not tell of %s", name)
		}
	}
}

// One family's check or detector must not stand in for another's.
func TestFamiliesShareNoNames(t *testing.T) {
	all := rulebook.Library()
	checks, detectors := 0, 0
	for _, lib := range []inspect.Library{secret.Library(), pii.Library(), injection.Library()} {
		checks, detectors = checks+len(lib.Checks), detectors+len(lib.Detectors)
	}
	if len(all.Checks) != checks {
		t.Errorf("%d checks together, %d apart", len(all.Checks), checks)
	}
	if len(all.Detectors) != detectors {
		t.Errorf("%d detectors together, %d apart", len(all.Detectors), detectors)
	}
}
