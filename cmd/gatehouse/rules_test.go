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

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// tell calls the program to its end, with an input.
func (p *place) tell(in string, args ...string) (exit int, out, errs string) {
	p.t.Helper()
	g := p.start(args...)
	io.WriteString(g.in, in)
	g.in.Close()
	text, _ := io.ReadAll(g.out)
	return code(g.Wait()), string(text), g.errs.String()
}

func ownRules(example, pattern string) string {
	return "family: acme\nrules:\n  - id: key\n    severity: high\n    confidence: 90\n    anchors: [acme_]\n    pattern: '" + pattern + "'\n    match: ['" + inspect.Rotate(example) + "']\n"
}

func TestRulesAreCheckedWithoutAGateway(t *testing.T) {
	p := newPlace(t)
	sound := p.save("acme.yaml", ownRules("an acme_12345678", "acme_[0-9]{8}"))
	if exit, out, errs := p.do("rules", "check", sound); exit != 0 || out != sound+" is sound: family acme, 1 rules, 0 registered values\n" {
		t.Errorf("sound: %d, %q, %s", exit, out, errs)
	}
	if exit, out, errs := p.do("rules", "check", filepath.Dir(sound)); exit != 0 || !strings.HasPrefix(out, sound+" is sound") {
		t.Errorf("a folder: %d, %q, %s", exit, out, errs)
	}
	for want, text := range map[string]string{
		":7:14: rule \"acme.key\": the pattern does not compile": ownRules("x", "acme_("),
		":7:14: rule \"acme.key\" does not find its example 1":   ownRules("acme_x", "acme_[0-9]"),
		":4:15: unknown severity \"hgh\"":                        strings.Replace(ownRules("acme_1", "acme_1"), "high", "hgh", 1),
		":3:5: unknown key \"patern\"":                           "family: x\nrules:\n  - patern: a",
		"the name is taken by the rule at built-in/secret.yaml:": "family: secret\nrules: [{id: github-token, severity: low, confidence: 1, anchors: [abc], pattern: abc, match: [nop]}]",
	} {
		bad := p.save("bad.yaml", text)
		if exit, out, errs := p.do("rules", "check", bad); exit != 1 || out != "" || !strings.HasPrefix(errs, bad+":") || !strings.Contains(errs, want) {
			t.Errorf("%s: %d, %q, %s", want, exit, out, errs)
		}
	}
	if exit, _, errs := p.do("rules", "check"); exit != 0 || !strings.Contains(errs, "no rules files") {
		t.Errorf("no files: %d, %s", exit, errs)
	}
	if exit, _, errs := p.do("rules", "check", sound+".none"); exit != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("none: %d, %s", exit, errs)
	}
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("a data folder was made")
	}
}

func TestRulesWrongCalls(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{
		{}, {"drop"}, {"list", "x"}, {"reload", "x"}, {"add-secret"}, {"add-canary"}, {"add-canary", "x", "y"}, {"add-canary", "x", "--form", "odd"},
		{"add-secret", "x", "a-value"}, {"add-secret", "X"}, {"add-secret", "x", "--severity", "awful"},
	} {
		if exit, _, errs := p.tell("", append([]string{"rules"}, args...)...); exit != 2 {
			t.Errorf("rules %q: %d, %s", args, exit, errs)
		}
	}
	for _, in := range []string{"", "\n", "short", "two words-and-more", "two\nlines-and-more", strings.Repeat("Tr0ub4dor", 1000)} {
		if exit, _, errs := p.tell(in, "rules", "add-secret", "x"); exit != 1 || in != "" && in != "\n" && strings.Contains(errs, in) {
			t.Errorf("%.20q: %d, %s", in, exit, errs)
		}
	}
	if exit, _, errs := p.do("rules", "reload"); exit != 1 || !strings.Contains(errs, "no gateway runs") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
}

func TestSecretsAndCanariesWhileTheGatewayRunsAndWhenNot(t *testing.T) {
	p := newPlace(t)
	for _, where := range []string{"offline", "live"} {
		if where == "live" {
			p.up("--listen", "127.0.0.1:0")
		}
		value := "Tr0ub4dor-3-" + where
		exit, out, errs := p.tell(value+"\n", "rules", "add-secret", "db-"+where, "--title", "the database")
		if exit != 0 || out != "registered.db-"+where+"\n" || strings.Contains(errs, value) {
			t.Fatalf("%s: add-secret: %d, %q, %s", where, exit, out, errs)
		}
		if exit, _, errs := p.tell(value+"\r\n", "rules", "add-secret", "again"); exit != 1 || !strings.Contains(errs, "already, as registered.db-"+where) || strings.Contains(errs, value) {
			t.Errorf("%s: again: %d, %s", where, exit, errs)
		}
		exit, out, errs = p.do("rules", "add-canary", "bait-"+where)
		canary := strings.TrimSpace(out)
		if exit != 0 || !strings.HasPrefix(canary, "ghp"+"_") || !strings.Contains(errs, "GITHUB_TOKEN="+canary) || !strings.Contains(errs, "canary.bait-"+where) {
			t.Errorf("%s: add-canary: %d, %q, %s", where, exit, out, errs)
		}
		exit, out, _ = p.do("rules", "list")
		if exit != 0 || !strings.HasPrefix(out, "RULE") || !strings.Contains(out, "registered.db-"+where) || !strings.Contains(out, "canary.bait-"+where) || !strings.Contains(out, "built-in") {
			t.Errorf("%s: list: %d, %.300q", where, exit, out)
		}
		exit, out, _ = p.do("rules", "list", "--json")
		last := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
		var r struct {
			Rule, Family, ID, Title, Severity, File string
			Confidence                              int
		}
		if err := json.Unmarshal([]byte(last), &r); exit != 0 || err != nil || r.Rule != "registered.db-"+where || r.Family != "registered" || r.ID != "db-"+where || r.Title != "the database" || r.Severity != "critical" || r.Confidence != 100 || filepath.Base(r.File) != "registered.yaml" {
			t.Errorf("%s: list --json: %d, %v, %s", where, exit, err, last)
		}
		for _, name := range []string{"registered.yaml", "canaries.yaml"} {
			path := filepath.Join(p.dir, "rules", name)
			text, err := os.ReadFile(path)
			info, _ := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 || strings.Contains(string(text), value) || strings.Contains(string(text), canary) {
				t.Errorf("%s: %s: %v %v", where, name, err, info.Mode())
			}
		}
		if exit, out, errs := p.do("rules", "check"); exit != 0 || strings.Count(out, "is sound") != 2 {
			t.Errorf("%s: check: %d, %q, %s", where, exit, out, errs)
		}
	}
}

func TestRulesReloadAndSIGHUP(t *testing.T) {
	p := newPlace(t)
	p.up("--listen", "127.0.0.1:0")
	dir := filepath.Join(p.dir, "rules")
	file := filepath.Join(dir, "acme.yaml")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(ownRules("acme_1", "acme_1"))
	if exit, _, errs := p.do("rules", "reload"); exit != 0 || !strings.Contains(errs, "rules are in force, version ") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
	put("family: A")
	if exit, _, errs := p.do("rules", "reload"); exit != 1 || !strings.Contains(errs, "still in force") || !strings.Contains(errs, file+":1:9: the family") {
		t.Errorf("reload: %d, %s", exit, errs)
	}
	if exit, out, _ := p.do("rules", "list"); exit != 0 || !strings.Contains(out, "acme.key") {
		t.Errorf("list: %d, %.300s", exit, out)
	}
	put(strings.Replace(ownRules("acme_1", "acme_1"), "id: key", "id: other", 1))
	holder, _ := ledger.Held(p.dir)
	if err := syscall.Kill(holder.PID, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, out, _ := p.do("rules", "list"); strings.Contains(out, "acme.other") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("SIGHUP changed nothing")
		}
	}
}

// policy check knows the rules: those of the binary, of the folder, and of the
// gateway that runs.
func TestPolicyCheckWarnsOfNamesThatNoRuleHas(t *testing.T) {
	p := newPlace(t)
	policy := p.save("p.yaml", "version: 1\nrules:\n  - {rule: [secret.jtw, acme.key, registered.*, canary.bait], do: block}\n")
	warn := func(want ...string) {
		t.Helper()
		exit, out, errs := p.do("policy", "check", policy)
		if exit != 0 || !strings.Contains(out, "is sound") || strings.Count(errs, "warning: p.yaml:3: ") != len(want) {
			t.Errorf("%d, %q, %s", exit, out, errs)
		}
		for _, w := range want {
			if !strings.Contains(errs, w+" fits no rule that there is") {
				t.Errorf("no %s in %s", w, errs)
			}
		}
	}
	warn("secret.jtw", "acme.key", "canary.bait")
	if exit, _, errs := p.do("rules", "add-canary", "bait"); exit != 0 {
		t.Fatalf("%d %s", exit, errs)
	}
	warn("secret.jtw", "acme.key")
	if err := os.WriteFile(filepath.Join(p.dir, "rules", "bad.yaml"), []byte("family: A"), 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, _, errs := p.do("policy", "check", policy); exit != 0 || !strings.Contains(errs, "warning: the rules can't be read") || !strings.Contains(errs, "bad.yaml:1:9") {
		t.Errorf("%d, %s", exit, errs)
	}
	os.Remove(filepath.Join(p.dir, "rules", "bad.yaml"))
	more := filepath.Dir(p.save("acme.yaml", ownRules("acme_1", "acme_1")))
	p.up("--listen", "127.0.0.1:0", "--config", p.save("c.yaml", "rules: {dir: "+more+"}"))
	warn("secret.jtw")
	if exit, out, errs := p.do("policy", "init"); exit != 0 {
		t.Errorf("%d %s", exit, errs)
	} else if _, _, errs := p.do("policy", "check", p.save("r.yaml", out)); errs != "" {
		t.Errorf("the recommended policy: %s", errs)
	}
}
