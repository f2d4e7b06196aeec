package pii_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/pii"
)

// FuzzDetectors scans any text: no detector and no check may fail, and what is
// found must lie in the text.
func FuzzDetectors(f *testing.F) {
	e, set := engine(f)
	for _, r := range set.Rules {
		for _, text := range append(r.Examples, r.Misses...) {
			f.Add([]byte(text))
			f.Add([]byte(text[:len(text)*2/3]))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, o := range []inspect.Options{{}, {JSON: true}} {
			r := e.Scan(text, o)
			if strings.Contains(r.Cut, "detector:") {
				t.Fatal(r.Cut)
			}
			for _, m := range r.Matches {
				if m.Start < 0 || m.End > len(text) || m.Start >= m.End || len(m.Secret) == 0 {
					t.Errorf("%s found [%d:%d) in %d bytes", m.Rule.ID, m.Start, m.End, len(text))
				}
			}
		}
	})
}

// FuzzChecks gives any value to every check: operators' rules may use them for
// what they like.
func FuzzChecks(f *testing.F) {
	checks := pii.Library().Checks
	for _, v := range []string{"", "1", "X", "ñ", "12345678901234567890", "A1", "&&&&000101&&&", "00000000000", "ABCDEFGHIJKLMNOPQRST", "99999999999999999999999999999999999999999999"} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for name, check := range checks {
			for _, arg := range []string{"", "ymd", "ymd8", "id||x"} {
				if check(value, 0, len(value), arg) && len(value) == 0 && name != "not-near" && name != "upper" && name != "not-test-card" {
					t.Errorf("%s holds for nothing", name)
				}
			}
		}
	})
}
