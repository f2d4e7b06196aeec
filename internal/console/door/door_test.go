package door_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console/door"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T, dir string, c *clock) *door.Door {
	t.Helper()
	d, err := door.Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func enter(t *testing.T, d *door.Door, who string) door.Pass {
	t.Helper()
	token, _ := d.Link(who)
	p, name, err := d.Enter(token)
	if err != nil || name != who {
		t.Fatalf("entering as %s: %q, %v", who, name, err)
	}
	return p
}

func TestLinkOpensOnce(t *testing.T) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	d := open(t, t.TempDir(), c)
	token, ends := d.Link("alice")
	if got := ends.Sub(c.t); got != 10*time.Minute {
		t.Errorf("a link lives %v, want 10 minutes", got)
	}
	if _, _, err := d.Enter(token + "x"); !errors.Is(err, door.ErrLink) {
		t.Errorf("a wrong token: %v, want ErrLink", err)
	}
	if _, who, err := d.Enter(token); err != nil || who != "alice" {
		t.Errorf("the first time: %q, %v", who, err)
	}
	if _, _, err := d.Enter(token); !errors.Is(err, door.ErrLink) {
		t.Errorf("the second time: %v, want ErrLink", err)
	}
	token, _ = d.Link("alice")
	c.t = c.t.Add(10 * time.Minute)
	if _, _, err := d.Enter(token); !errors.Is(err, door.ErrLink) {
		t.Errorf("after ten minutes: %v, want ErrLink", err)
	}
}

// TestCookieAloneProvesNothing: another server on the same host gets the cookie.
func TestCookieAloneProvesNothing(t *testing.T) {
	d := open(t, t.TempDir(), &clock{time.Unix(1_800_000_000, 0)})
	alice, bob := enter(t, d, "alice"), enter(t, d, "bob")
	for name, p := range map[string]door.Pass{
		"nothing": {}, "the cookie": {Cookie: alice.Cookie}, "the page's word": {Page: alice.Page},
		"another's word": {alice.Cookie, bob.Page}, "the wrong way round": {alice.Page, alice.Cookie},
		"both in one": {Cookie: alice.Cookie + alice.Page},
	} {
		if who, ok := d.Who(p); ok {
			t.Errorf("%s lets in %q", name, who)
		}
	}
	if who, ok := d.Who(alice); !ok || who != "alice" {
		t.Errorf("both together: %q, %v", who, ok)
	}
}

func TestVisitsEndAndOutliveARestart(t *testing.T) {
	c, dir := &clock{time.Unix(1_800_000_000, 0)}, t.TempDir()
	d := open(t, dir, c)
	alice, bob := enter(t, d, "alice"), enter(t, d, "bob")
	text, err := os.ReadFile(filepath.Join(dir, door.File))
	if err != nil || strings.Contains(string(text), alice.Cookie) || strings.Contains(string(text), alice.Page) {
		t.Errorf("the file holds a secret: %s, %v", text, err)
	}
	if err := d.Leave(bob); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir, c)
	if _, ok := d.Who(alice); !ok {
		t.Error("a restart ended a visit")
	}
	if _, ok := d.Who(bob); ok {
		t.Error("who left is in again after a restart")
	}
	c.t = c.t.Add(12 * time.Hour)
	if _, ok := d.Who(alice); ok {
		t.Error("a visit outlived its 12 hours")
	}
}

func TestVisitsAreBounded(t *testing.T) {
	d := open(t, t.TempDir(), &clock{time.Unix(1_800_000_000, 0)})
	first := enter(t, d, "first")
	for range 64 {
		enter(t, d, "more")
	}
	if _, ok := d.Who(first); ok {
		t.Error("the oldest of 65 visits still goes on")
	}
	token, _ := d.Link("first")
	for range 16 {
		d.Link("more")
	}
	if _, _, err := d.Enter(token); !errors.Is(err, door.ErrLink) {
		t.Errorf("the oldest of 17 links: %v, want ErrLink", err)
	}
}

func TestVisitThatCannotBeKeptIsNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	d := open(t, dir, &clock{time.Unix(1_800_000_000, 0)})
	token, _ := d.Link("alice")
	if p, _, err := d.Enter(token); err == nil || p.Cookie != "" {
		t.Errorf("a folder that is not there: %+v, %v", p, err)
	}
}
