//go:build unix

package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

// do calls the program to its end.
func (p *place) do(args ...string) (exit int, out, errs string) {
	p.t.Helper()
	g := p.start(args...)
	text, _ := io.ReadAll(g.out)
	return code(g.Wait()), string(text), g.errs.String()
}

// save writes a file of its own into a folder of its own.
func (p *place) save(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func TestPolicyFilesWithoutAGateway(t *testing.T) {
	p := newPlace(t)
	exit, recommended, errs := p.do("policy", "init")
	if exit != 0 || recommended != string(policy.Recommended()) {
		t.Fatalf("init: %d, %s", exit, errs)
	}
	sound := p.save("sound.yaml", recommended)
	if exit, out, errs := p.do("policy", "check", sound); exit != 0 || !strings.Contains(out, "sound.yaml is sound: mode enforce") {
		t.Errorf("check: %d, %q, %s", exit, out, errs)
	}
	if exit, out, errs := p.do("policy", "test", sound); exit != 0 || !strings.Contains(out, " tests pass") {
		t.Errorf("test: %d, %q, %s", exit, out, errs)
	}
	if exit, out, _ := p.do("policy", "explain", "secret.x", "--file", sound, "--channel", "tool_result"); exit != 0 || !strings.HasPrefix(out, "secret.x: redact\n") || !strings.Contains(out, "sound.yaml:") {
		t.Errorf("explain: %d, %q", exit, out)
	}
	if exit, _, errs := p.do("policy", "explain", "secret.nope", "--file", sound); exit != 0 || !strings.Contains(errs, "secret.nope fits no rule that there is") {
		t.Errorf("explain a rule that there is not: %d, %q", exit, errs)
	}
	for _, rule := range []string{"secret.github-token", "unreadable.media", "provider.search", "remote.names-failed"} {
		if exit, _, errs := p.do("policy", "explain", rule, "--file", sound); exit != 0 || errs != "" {
			t.Errorf("explain %s: %d, %q", rule, exit, errs)
		}
	}
	if exit, out, _ := p.do("policy", "explain", "--tool", "Bash", "--field", "command", "--file", sound, "--json"); exit != 0 || !strings.Contains(out, `"restores":false`) {
		t.Errorf("explain a tool: %d, %q", exit, out)
	}
	bad := p.save("bad.yaml", "version: 1\nmoode: enforce\n")
	for _, verb := range []string{"check", "test"} {
		if exit, _, errs := p.do("policy", verb, bad); exit != 1 || errs != bad+":2:1: moode is no setting; did you mean mode?\n" {
			t.Errorf("%s: %d, %q", verb, exit, errs)
		}
	}
	failing := p.save("failing.yaml", "version: 1\ntests: [{rule: secret.x, expect: block}]\n")
	if exit, out, _ := p.do("policy", "test", failing); exit != 1 || !strings.Contains(out, "failing.yaml:2: got redact, want block: ") || !strings.Contains(out, "0 of 1 tests pass") {
		t.Errorf("failing: %d, %q", exit, out)
	}
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("a data folder was made")
	}
}

func TestPolicyWrongCalls(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{
		{}, {"explain"}, {"explain", "x", "--tool", "y"}, {"explain", "x", "y"}, {"init", "x"}, {"drop"}, {"reload", "x"},
		{"explain", "x", "--channel", "usr"}, {"explain", "x", "--severity", "awful"}, {"explain", "x", "--confidence", "101"},
	} {
		if exit, _, errs := p.do(append([]string{"policy"}, args...)...); exit != 2 {
			t.Errorf("policy %q: %d, %s", args, exit, errs)
		}
	}
	for _, args := range [][]string{
		{}, {"f_1"}, {"f_1", "--reason", "x"}, {"f_1", "--until", "7d"}, {"f_1", "f_2", "--reason", "x", "--until", "7d"},
		{"f_1", "--list"}, {"--list", "--revoke", "a_1"}, {"f_1", "--reason", "x", "--until", "yesterday"}, {"f_1", "--reason", "x", "--until", "2020-01-01"},
	} {
		if exit, _, errs := p.do(append([]string{"allow"}, args...)...); exit != 2 {
			t.Errorf("allow %q: %d, %s", args, exit, errs)
		}
	}
	if exit, _, errs := p.do("policy", "reload"); exit != 1 || !strings.Contains(errs, "no gateway runs") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
	if exit, _, errs := p.do("policy", "check"); exit != 1 || !strings.Contains(errs, "policy.yaml") {
		t.Errorf("check without a file: %d, %s", exit, errs)
	}
}

func TestAllowWhileTheGatewayRunsAndWhenNot(t *testing.T) {
	p := newPlace(t)
	for _, where := range []string{"offline", "live"} {
		if where == "live" {
			p.up("--listen", "127.0.0.1:0")
		}
		finding := "f_" + where
		exit, out, errs := p.do("allow", finding, "--reason", "a test key", "--until", "7d", "--scope", "ann/claude")
		id := strings.TrimSpace(out)
		if !strings.Contains(errs, "no flow on record has the finding "+finding) {
			t.Errorf("%s: an unknown finding is allowed without a word: %s", where, errs)
		}
		if exit != 0 || !strings.HasPrefix(id, "a_") || !strings.Contains(errs, "gatehouse allow --revoke "+id) {
			t.Fatalf("%s: allow: %d, %q, %s", where, exit, out, errs)
		}
		if exit, out, _ := p.do("policy", "explain", "secret.x", "--finding", finding, "--principal", "ann/claude"); exit != 0 || !strings.Contains(out, "the allowance "+id+" switches it off") {
			t.Errorf("%s: explain: %d, %q", where, exit, out)
		}
		if exit, out, _ := p.do("policy", "explain", "secret.x", "--finding", finding, "--principal", "bob/claude", "--json"); exit != 0 || !strings.Contains(out, `"action":"redact"`) {
			t.Errorf("%s: explain another: %d, %q", where, exit, out)
		}
		if exit, out, _ := p.do("allow", "--list"); exit != 0 || !strings.Contains(out, id) || !strings.Contains(out, "holds") || !strings.Contains(out, "a test key") {
			t.Errorf("%s: list: %d, %q", where, exit, out)
		}
		if exit, _, errs := p.do("allow", "--revoke", id); exit != 0 {
			t.Errorf("%s: revoke: %d, %s", where, exit, errs)
		}
		if exit, _, errs := p.do("allow", "--revoke", id); exit != 1 || !strings.Contains(errs, "no allowance") {
			t.Errorf("%s: revoked again: %d, %s", where, exit, errs)
		}
		var a policy.Allowance
		exit, out, _ = p.do("allow", "--list", "--json")
		last := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
		if err := json.Unmarshal([]byte(last), &a); exit != 0 || err != nil || a.ID != id || a.Owner == "" || a.Revoked.IsZero() {
			t.Errorf("%s: list --json: %d, %v, %s", where, exit, err, out)
		}
		if exit, out, _ := p.do("allow", "--list"); exit != 0 || !strings.Contains(out, "revoked") {
			t.Errorf("%s: list: %d, %q", where, exit, out)
		}
	}
}

func TestPolicyReloadAndSIGHUP(t *testing.T) {
	p := newPlace(t)
	p.up("--listen", "127.0.0.1:0")
	file := filepath.Join(p.dir, "policy.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("version: 1\nmode: enforce")
	if exit, _, errs := p.do("policy", "reload"); exit != 0 || !strings.Contains(errs, "mode enforce") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
	write("version: 1\nmode: enfroce")
	if exit, _, errs := p.do("policy", "reload"); exit != 1 || !strings.Contains(errs, "still in force") || !strings.Contains(errs, file+":2:7: mode") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
	write("version: 1\nmode: observe")
	holder, _ := ledger.Held(p.dir)
	if err := syscall.Kill(holder.PID, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, out, _ := p.do("policy", "explain", "secret.x")
		if strings.Contains(out, "mode     observe") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("SIGHUP changed nothing: %s", out)
		}
	}
}

func TestParseUntil(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "90m": 90 * time.Minute, "0.5d": 12 * time.Hour, "2026-03-02": 12 * time.Hour, "2026-03-01T12:30": 30 * time.Minute} {
		if got, err := parseUntil(text, now); err != nil || got.Sub(now) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0d", "-1d", "-5m", "2026-02-28", "soon", "7", "1e300d", "NaNd"} {
		if got, err := parseUntil(text, now); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
