package inspect_test

import (
	"os"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// The rules file of the manual is one, and does what the manual says.
func TestTheManualIsRight(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _ := strings.Cut(string(text), "```yaml\n")
	file, _, _ = strings.Cut(file, "```")
	set, err := inspect.Parse("docs/rules.md", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, set)
	if err := set.Test(e); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{"the Red Fox jumps": "acme.project-names", "see bait-7f3e-violet-9921": "canary.vault-bait", set.Rules[0].Examples[0]: "acme.deploy-key"} {
		if m := one(t, e, text, inspect.Options{}); m.Rule.Name() != want {
			t.Errorf("got %s, want %s", m.Rule.Name(), want)
		}
	}
	if got := inspect.Rotate("abz19"); got != "nom64" {
		t.Errorf("got %s", got)
	}
}
