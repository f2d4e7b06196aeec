package rulebook_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
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
	lib := secret.Library()
	for name := range lib.Checks {
		if !strings.Contains(string(page), "| `"+name+"` |") {
			t.Errorf("the page does not tell the check %s", name)
		}
	}
	for _, form := range rulebook.Forms() {
		if !strings.Contains(string(page), form) {
			t.Errorf("the page does not tell the form %s", form)
		}
	}
	_, table, _ := strings.Cut(string(page), "| detector | finds |")
	table, _, _ = strings.Cut(table, "\n\n")
	for name := range lib.Detectors {
		built := slices.Contains([]string{"documented", "documented-token", "provider-key", "near-key"}, name) // of use with the built-in tables only
		if built == strings.Contains(table, "`"+name+"`") {
			t.Errorf("the page is wrong about the detector %s", name)
		}
	}
}
