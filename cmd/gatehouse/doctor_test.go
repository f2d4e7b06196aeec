//go:build unix

package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// agentNamed puts a script in the place of an agent.
func agentNamed(t *testing.T, name, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// under calls the program with more variables.
func (p *place) under(env []string, args ...string) (exit int, out, errs string) {
	p.t.Helper()
	g := p.command(args...)
	g.Env = append(g.Env, env...)
	if err := g.Start(); err != nil {
		p.t.Fatal(err)
	}
	text, _ := io.ReadAll(g.out)
	return code(g.Wait()), string(text), g.errs.String()
}

// TestDoctor: what leads calls where, whom the runtime trusts, what leads past the
// proxy, and that a call which did not come is said.
func TestDoctor(t *testing.T) {
	p := newPlace(t)
	dir := agentNamed(t, "claude", `case "$1" in --version) echo "2.0.1 (Claude Code)";; *) echo "no network here"; exit 3;; esac`)
	p.path = dir
	env := []string{
		"ANTHROPIC_BASE_URL=http://user:word@elsewhere.example/k/ghk_abc/anthropic", "HTTPS_PROXY=http://user:word@127.0.0.1:9",
		"NO_PROXY=localhost, .anthropic.com", "NODE_EXTRA_CA_CERTS=" + filepath.Join(dir, "none.pem"),
	}
	exit, out, errs := p.under(env, "doctor", "claude", "--json", "--data", filepath.Join(dir, "data"))
	var c checkup
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatalf("%v: %d, %q, %s", err, exit, out, errs)
	}
	if exit != 1 || c.Version != "2.0.1" || c.Known || c.Checked == "" {
		t.Errorf("%d, %+v", exit, c)
	}
	if len(c.Settings) != 1 || c.Settings[0].Value != "http://elsewhere.example" || !c.Settings[0].Holds || c.Settings[0].Where != "environment" {
		t.Errorf("settings %+v", c.Settings)
	}
	if c.Proxy.Address != "http://127.0.0.1:9" || len(c.Proxy.Past) != 1 || c.Proxy.Past[0] != "api.anthropic.com" {
		t.Errorf("proxy %+v", c.Proxy)
	}
	if len(c.Trust) != 1 || c.Trust[0].Root || c.Trust[0].Why != "it can't be read" {
		t.Errorf("trust %+v", c.Trust)
	}
	if len(c.Calls) != 2 {
		t.Fatalf("calls %+v", c.Calls)
	}
	for i, want := range []struct{ by, why string }{{"redirect", "no network here"}, {"intercept", "the roots that are trusted already"}} {
		if call := c.Calls[i]; string(call.Entrance) != want.by || call.Arrived || !strings.Contains(call.Why, want.why) {
			t.Errorf("%+v", call)
		}
	}
	if strings.Contains(out, "word") || strings.Contains(out, "ghk_") {
		t.Errorf("a credential is shown: %s", out)
	}
	exit, out, errs = p.under(env, "doctor", "--no-call")
	if exit != 0 || !strings.Contains(out, "Claude Code 2.0.1") || !strings.Contains(out, "NO_PROXY leads calls to api.anthropic.com past it") || !strings.Contains(out, "not installed") {
		t.Errorf("%d, %q, %s", exit, out, errs)
	}
	if exit, _, errs := p.do("doctor", "hal"); exit != 2 || !strings.Contains(errs, "there is no agent") {
		t.Errorf("%d, %s", exit, errs)
	}
}

// TestDoctorSeesCalls: a call that comes by a base URL is not taken for one that
// comes through the proxy.
func TestDoctorSeesCalls(t *testing.T) {
	p := newPlace(t)
	dir := agentNamed(t, "claude", `[ "$1" = --version ] && exit 1
for a; do last=$a; done
exec curl -s --noproxy '*' -H 'content-type: application/json' "${ANTHROPIC_BASE_URL:-$GATEWAY}/v1/messages" -d "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"$last\"}]}"`)
	p.path = dir
	exit, out, errs := p.do("doctor", "claude")
	if exit != 1 || !strings.Contains(out, "of an unknown version") || !strings.Contains(out, "arrived by redirect") || !strings.Contains(out, "did NOT arrive by intercept") {
		t.Errorf("%d, %q, %s", exit, out, errs)
	}
}

// TestDoctorTellsOfRefusals: what the gateway turned away of late, counted, with what to
// do; and a key that others can read, where no agent is installed, too.
func TestDoctorTellsOfRefusals(t *testing.T) {
	p := newPlace(t)
	dir := agentNamed(t, "claude", `curl="curl -s -o /dev/null --noproxy none.example"
$curl https://api.anthropic.com:22/
$curl https://api.anthropic.com:23/
$curl https://127.0.0.1/
env -u CURL_CA_BUNDLE -u SSL_CERT_FILE $curl https://api.anthropic.com/
$curl --proxytunnel http://api.anthropic.com:443/
exit 0`)
	p.path = dir
	if exit, _, errs := p.do("run", "--listen", "127.0.0.1:0", "--console", "off", "--intercept", "--", "claude"); exit != 0 {
		t.Fatalf("%d, %s", exit, errs)
	}
	if err := os.Remove(filepath.Join(dir, "claude")); err != nil {
		t.Fatal(err)
	}
	keys, _ := filepath.Glob(filepath.Join(p.dir, "ca", "*.key"))
	for _, key := range keys {
		if err := os.Chmod(key, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exit, out, errs := p.do("doctor", "--data", p.dir, "--no-call")
	for _, want := range []string{
		"refused   2 in seven days", "intercept.ports", "intercept.private", "pinned or untrusting client", "gatehouse ca install", "without TLS; nothing was forwarded. Call it by https",
		"trust     its certificate authority", "can be read",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing of %q", want)
		}
	}
	if exit != 0 || t.Failed() {
		t.Errorf("%d, %s%s", exit, out, errs)
	}
	_, out, _ = p.do("doctor", "claude", "--data", p.dir, "--no-call", "--json")
	var c checkup
	if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Refused) != 4 || c.CA == "" {
		t.Fatalf("%v: %s", err, out)
	}
	if r := c.Refused[len(c.Refused)-1]; r.Flows != 2 || r.Host != "api.anthropic.com:23" || r.Last.IsZero() || !strings.Contains(r.Why, "intercept.ports") {
		t.Errorf("%+v", r)
	}
}
