package pii_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/pii"
)

func engine(t testing.TB) (*inspect.Engine, *inspect.Set) {
	t.Helper()
	set, err := pii.Set()
	if err != nil {
		t.Fatal(err)
	}
	e, err := inspect.Compile(pii.Library(), set)
	if err != nil {
		t.Fatal(err)
	}
	return e, set
}

func TestRulesFindTheirExamples(t *testing.T) {
	e, set := engine(t)
	if err := set.Test(e); err != nil {
		t.Error(err)
	}
	for _, r := range set.Rules {
		if len(r.Misses) == 0 || r.Source == "" {
			t.Errorf("%s has no miss, or no source", r.ID)
		}
		for _, c := range r.Checks {
			if words, ok := strings.CutPrefix(c, "near:"); ok && strings.ContainsAny(words, "-_ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				t.Errorf("%s: a word that is never found: small letters, and a space for what divides words", r.ID)
			}
		}
	}
}
