//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestASessionIsShownInRounds: the demo's first session, from its folder.
func TestASessionIsShownInRounds(t *testing.T) {
	p := newPlace(t)
	if code, _, errs := p.do("demo", "--data", p.dir); code != 0 {
		t.Fatal(errs)
	}
	_, list, _ := p.do("sessions", "--data", p.dir)
	session := strings.Fields(strings.Split(list, "\n")[1])[0]
	code, text, errs := p.do("show", "--session", session, "--data", p.dir)
	for _, want := range []string{"3 turns", "── 1  Read the README", "── 3  Thank you.", "0 kept, 1 added", "→ user: Which test", "← assistant: Simulated answer"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("exit code %d; no %q in\n%s%s", code, want, text, errs)
		}
	}
	if code, _, errs := p.do("show", "--session", "none", "--data", p.dir); code != 1 || !strings.Contains(errs, "there is no such session") {
		t.Errorf("an unknown session: %d %s", code, errs)
	}
}
