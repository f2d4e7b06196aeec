package injection_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
)

// FuzzDetectors scans any text: no detector may fail, and what is found must
// lie in the text. Each example of each rule is a seed, and each of them cut
// short.
func FuzzDetectors(f *testing.F) {
	e, set := engine(f, injection.Library())
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
