package injection_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
)

func engine(t testing.TB, lib inspect.Library) (*inspect.Engine, *inspect.Set) {
	t.Helper()
	set, err := injection.Set()
	if err != nil {
		t.Fatal(err)
	}
	e, err := inspect.Compile(lib, set)
	if err != nil {
		t.Fatal(err)
	}
	return e, set
}

func TestRulesFindTheirExamples(t *testing.T) {
	e, set := engine(t, injection.LibraryWith(nil))
	if err := set.Test(e); err != nil {
		t.Error(err)
	}
}
