package allow_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/allow"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func openStore(t *testing.T) (*allow.Store, string, *clock) {
	t.Helper()
	dir, c := t.TempDir(), &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s, err := allow.Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir, c
}

func add(t *testing.T, s *allow.Store, a policy.Allowance) policy.Allowance {
	t.Helper()
	a, err := s.New(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAllowanceIsKept(t *testing.T) {
	s, dir, c := openStore(t)
	a := add(t, s, policy.Allowance{Finding: "f_1", Reason: "  a test key ", Owner: "ann", Until: c.t.Add(time.Hour)})
	if a.ID == "" || a.Scope != "*" || a.Reason != "a test key" || !a.Made.Equal(c.t) {
		t.Errorf("made %+v", a)
	}
	again, err := allow.Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*allow.Store{s, again} {
		if list := s.List(); len(list) != 1 || list[0] != a {
			t.Errorf("list %+v, want %+v", list, a)
		}
		if got := s.Index()["f_1"]; len(got) != 1 || !got[0].Holds("anybody", c.t) {
			t.Errorf("index %+v", got)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, allow.File)); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestNewAllowsNothing(t *testing.T) {
	s, dir, c := openStore(t)
	if _, err := s.New(policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if len(s.List()) != 0 || len(s.Index()) != 0 {
		t.Error("it is in force before it was added")
	}
	if _, err := os.Stat(filepath.Join(dir, allow.File)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was written: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	s, _, c := openStore(t)
	good := policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)}
	for name, change := range map[string]func(*policy.Allowance){
		"no finding":   func(a *policy.Allowance) { a.Finding = "" },
		"odd finding":  func(a *policy.Allowance) { a.Finding = "f 1" },
		"long finding": func(a *policy.Allowance) { a.Finding = strings.Repeat("f", 300) },
		"odd scope":    func(a *policy.Allowance) { a.Scope = "ann\x1b" },
		"no reason":    func(a *policy.Allowance) { a.Reason = " \t" },
		"long reason":  func(a *policy.Allowance) { a.Reason = strings.Repeat("x", 501) },
		"lines":        func(a *policy.Allowance) { a.Reason = "a\nb" },
		"no end":       func(a *policy.Allowance) { a.Until = time.Time{} },
		"past":         func(a *policy.Allowance) { a.Until = c.t },
		"for ever":     func(a *policy.Allowance) { a.Until = c.t.Add(367 * 24 * time.Hour) },
	} {
		a := good
		change(&a)
		var refusal *flow.Refusal
		if _, err := s.New(a); !errors.As(err, &refusal) || refusal.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.New(good); err != nil {
		t.Error(err)
	}
}

func TestRevoke(t *testing.T) {
	s, dir, c := openStore(t)
	one := add(t, s, policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)})
	two := add(t, s, policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)})
	before := s.Index()
	if err := s.Revoke(one.ID); err != nil {
		t.Fatal(err)
	}
	if got := s.Index()["f_1"]; got[0].Current(c.t) || !got[1].Current(c.t) {
		t.Errorf("after revoking one: %+v", got)
	}
	if !before["f_1"][0].Current(c.t) {
		t.Error("an index that was given out has changed")
	}
	for _, id := range []string{one.ID, "a_none", ""} {
		if err := s.Revoke(id); !errors.Is(err, allow.ErrNoSuchID) {
			t.Errorf("revoking %q: %v", id, err)
		}
	}
	c.t = c.t.Add(2 * time.Hour)
	if err := s.Revoke(two.ID); !errors.Is(err, allow.ErrNoSuchID) {
		t.Errorf("revoking one that has ended: %v", err)
	}
	again, err := allow.Open(dir, c.now)
	if err != nil || len(again.List()) != 2 || again.List()[0].Revoked.IsZero() {
		t.Errorf("%v, %+v", err, again.List())
	}
}

func TestOldOnesLeaveTheFile(t *testing.T) {
	s, _, c := openStore(t)
	add(t, s, policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)})
	c.t = c.t.Add(89 * 24 * time.Hour)
	add(t, s, policy.Allowance{Finding: "f_2", Reason: "x", Until: c.t.Add(time.Hour)})
	if n := len(s.List()); n != 2 {
		t.Errorf("%d after 89 days", n)
	}
	c.t = c.t.Add(48 * time.Hour)
	add(t, s, policy.Allowance{Finding: "f_3", Reason: "x", Until: c.t.Add(time.Hour)})
	if list := s.List(); len(list) != 2 || list[0].Finding != "f_2" {
		t.Errorf("after 91 days: %+v", list)
	}
}

// After a write that failed nothing has changed.
func TestFailedWriteChangesNothing(t *testing.T) {
	s, dir, c := openStore(t)
	a := add(t, s, policy.Allowance{Finding: "f_1", Reason: "x", Until: c.t.Add(time.Hour)})
	next, err := s.New(policy.Allowance{Finding: "f_2", Reason: "x", Until: c.t.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if s.Add(next) == nil || s.Revoke(a.ID) == nil {
		t.Fatal("wrote into a folder that is not there")
	}
	if list := s.List(); len(list) != 1 || !list[0].Current(c.t) || len(s.Index()["f_2"]) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	for _, text := range []string{"{", `{"version":9,"allowances":[]}`, ""} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, allow.File), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := allow.Open(dir, nil); err == nil || !strings.Contains(err.Error(), allow.File) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
