package selftest

import (
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
)

func TestAllLinesAreAsTheyMustBe(t *testing.T) {
	lines, err := Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) < 30 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		t.Logf("%+v", l)
		if !l.OK || (l.Refused == "") != strings.HasPrefix(l.Case, "a good one") || (l.Forwarded > 0) != strings.HasPrefix(l.Case, "a good one") {
			t.Errorf("%+v", l)
		}
	}
}

// TestALineFails when a provider is trusted that must not be, refused that must
// be trusted, or refused for another reason.
func TestALineFails(t *testing.T) {
	set, err := badcert.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(name, as, want string) badcert.Case {
		for _, c := range set.Cases {
			if c.Name == name {
				c.Name, c.Want = as, want
				return c
			}
		}
		t.Fatalf("there is no case %q", name)
		return badcert.Case{}
	}
	set.Cases = []badcert.Case{wrong("a good one", "trusted", "expired"), wrong("expired", "refused", ""), wrong("expired", "why", "SHA1"), wrong("expired", "right", "expired")}
	lines, err := run(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"the provider got ", "it was to go through", "the client was not told of", ""} {
		if l := lines[i]; !strings.HasPrefix(l.Fault, want) || l.OK != (want == "") {
			t.Errorf("%+v, want the fault %q", l, want)
		}
	}
}
