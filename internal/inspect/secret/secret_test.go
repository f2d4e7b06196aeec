package secret_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

func engine(t testing.TB) (*inspect.Engine, *inspect.Set) {
	t.Helper()
	set, err := secret.Set()
	if err != nil {
		t.Fatal(err)
	}
	e, err := inspect.Compile(secret.Library(), set)
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
}
