package agents_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/agents"
)

var forward = agents.Proxy{
	URL: "http://127.0.0.1:4001", Hosts: []string{"api.anthropic.com", "chatgpt.com", "*.models.example.org"},
	CA: []string{"NODE_EXTRA_CA_CERTS=/d/roots.pem", "SSL_CERT_FILE=/d/bundle.pem"},
}

// direct is who is always called without the proxy: the child's own machine.
const direct = "localhost,127.0.0.1,::1,127.0.0.1:4000"

func variable(env []string, name string) (v string, ok bool) {
	for _, line := range env {
		if after, found := strings.CutPrefix(line, name+"="); found {
			v, ok = after, true
		}
	}
	return v, ok
}

// TestInterceptSetsProxyAndRoots, and no base URL.
func TestInterceptSetsProxyAndRoots(t *testing.T) {
	for _, name := range []string{"claude", "codex", "gemini", "opencode", "aider", "anything"} {
		a, _ := agents.For(name)
		l := a.Intercept(agents.Gateway{
			URL: "http://127.0.0.1:4000", Args: []string{"-p", "hi"},
			Env: []string{"PATH=/bin", "ANTHROPIC_BASE_URL=http://elsewhere", "OPENAI_BASE_URL=http://elsewhere", "https_proxy=http://corp:3128", "NO_PROXY=*"},
		}, forward)
		for name, want := range map[string]string{
			"HTTPS_PROXY": forward.URL, "https_proxy": forward.URL, "HTTP_PROXY": forward.URL, "NODE_EXTRA_CA_CERTS": "/d/roots.pem", "SSL_CERT_FILE": "/d/bundle.pem",
			"NODE_USE_ENV_PROXY": "1", "PATH": "/bin", "NO_PROXY": direct, "no_proxy": direct,
		} {
			if got, _ := variable(l.Env, name); got != want {
				t.Errorf("%s: %s=%q, want %q", a.Name, name, got, want)
			}
		}
		for _, name := range []string{"ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"} {
			if got, ok := variable(l.Env, name); ok {
				t.Errorf("%s: %s is still %q", a.Name, name, got)
			}
		}
		if !slices.Contains(l.Args, "hi") || len(l.Notes) != 2 {
			t.Errorf("%s: arguments %q, notes %q", a.Name, l.Args, l.Notes)
		}
	}
}

// TestInterceptKeepsWhoIsCalledDirectly, unless that leads past an inspection.
func TestInterceptKeepsWhoIsCalledDirectly(t *testing.T) {
	for list, want := range map[string]string{
		"":                                 "",
		"intranet.example,10.0.0.1":        "intranet.example,10.0.0.1",
		"*":                                "",
		"anthropic.com, intranet.example":  "intranet.example",
		".anthropic.com":                   "",
		"*.anthropic.com":                  "",
		"API.ANTHROPIC.COM:443":            "",
		"com":                              "",
		"eu.models.example.org,other.test": "other.test",
		"nothropic.com":                    "nothropic.com",
		"fe80::1":                          "fe80::1",
	} {
		a, _ := agents.For("codex")
		l := a.Intercept(agents.Gateway{URL: "http://127.0.0.1:4000", Env: []string{"no_proxy=" + list}}, forward)
		got, _ := variable(l.Env, "NO_PROXY")
		if got = strings.TrimSuffix(strings.TrimSuffix(got, direct), ","); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

// TestInterceptLeadsJava: it reads other variables, and keeps its options and who is
// called without a proxy.
func TestInterceptLeadsJava(t *testing.T) {
	a, _ := agents.For("anything")
	g := agents.Gateway{URL: "http://127.0.0.1:4000", Env: []string{"JAVA_TOOL_OPTIONS=-Xmx9m", "NO_PROXY=localhost,.intra.test,intra.test:80,anthropic.com,10.0.0.1,a|b"}}
	p := forward
	if l := a.Intercept(g, p); strings.Contains(strings.Join(l.Set, " "), "JAVA_TOOL_OPTIONS") {
		t.Error("Java is told without a trust store")
	}
	p.Java, p.Notes = "-Xmx9m -Dtrust", []string{"by the way"}
	l := a.Intercept(g, p)
	const want = "-Xmx9m -Dtrust -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=4001 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=4001 " +
		"-Dhttp.nonProxyHosts=localhost|127.*|[::1]|intra.test|*.intra.test|10.0.0.1|*.10.0.0.1"
	if got, _ := variable(l.Env, "JAVA_TOOL_OPTIONS"); got != want {
		t.Errorf("%s", got)
	}
	if !slices.Contains(l.Notes, "by the way") {
		t.Errorf("notes %q", l.Notes)
	}
}

// TestDirectHasNoBrackets: httpx does not start with some in NO_PROXY.
func TestDirectHasNoBrackets(t *testing.T) {
	a, _ := agents.For("aider")
	g := agents.Gateway{URL: "http://[::1]:4000"}
	for _, l := range []agents.Launch{a.Launch(g), a.Intercept(g, forward)} {
		if got, _ := variable(l.Env, "NO_PROXY"); strings.Contains(got, "[") || !slices.Contains(strings.Split(got, ","), "::1") {
			t.Errorf("NO_PROXY=%s", got)
		}
	}
}

// TestInterceptOutranksAFolder: a repository's settings may not lead Claude Code
// past the proxy; and an access key stands in no argument.
func TestInterceptOutranksAFolder(t *testing.T) {
	a, _ := agents.For("claude")
	env := func(p agents.Proxy) map[string]string {
		l := a.Intercept(agents.Gateway{URL: "http://127.0.0.1:4000", Env: []string{"CLAUDE_CODE_USE_BEDROCK=1"}}, p)
		i := slices.Index(l.Args, "--settings")
		if i < 0 {
			t.Fatalf("arguments %q", l.Args)
		}
		var s struct{ Env map[string]string }
		if err := json.Unmarshal([]byte(l.Args[i+1]), &s); err != nil {
			t.Fatal(err)
		}
		return s.Env
	}
	got := env(forward)
	for name, want := range map[string]string{"HTTPS_PROXY": forward.URL, "NODE_EXTRA_CA_CERTS": "/d/roots.pem", "ANTHROPIC_BASE_URL": "https://api.anthropic.com", "CLAUDE_CODE_USE_BEDROCK": "", "NO_PROXY": direct} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	keyed := forward
	keyed.URL = "http://gatehouse:ghk_secret@127.0.0.1:4001"
	if v, ok := env(keyed)["HTTPS_PROXY"]; ok {
		t.Errorf("the access key stands among the arguments: %q", v)
	}
}
