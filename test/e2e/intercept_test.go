package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// nobodyElse keeps agents that call home from reaching a network.
const nobodyElse = "intercept:\n  others: refuse\n"

// behind is what a program needs to be seen that nobody points at the gateway: a
// proxy, and whom it trusts.
func behind(t *testing.T, r *rig.Rig) []string {
	t.Helper()
	root, bundle := filepath.Join(r.Dir, "root.pem"), filepath.Join(r.Dir, "bundle.pem")
	for file, args := range map[string][]string{root: {"ca", "export"}, bundle: {"ca", "export", "--format", "bundle"}} {
		made := r.Gatehouse(args...)
		if made.Code != 0 || !strings.Contains(made.Out, "BEGIN CERTIFICATE") {
			t.Fatalf("%v: %d %s%s", args, made.Code, made.Out, made.Err)
		}
		if err := os.WriteFile(file, []byte(made.Out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"HTTPS_PROXY=" + r.Proxy, "https_proxy=" + r.Proxy, "NO_PROXY=127.0.0.1", "NODE_USE_ENV_PROXY=1",
		"NODE_EXTRA_CA_CERTS=" + root, "SSL_CERT_FILE=" + bundle, "CODEX_CA_CERTIFICATE=" + bundle, "REQUESTS_CA_BUNDLE=" + bundle, "CURL_CA_BUNDLE=" + bundle,
	}
}

// TestInterceptedAgents: each agent, with no base URL and only proxy and CA set, does
// a tool round trip, and its model calls are the flows that they are by redirect,
// but for how they came in.
func TestInterceptedAgents(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		agent    rig.Agent
		simulate []string
		api      string
		tls      bool
	}{
		"claude":          {rig.Claude, nil, "POST /v1/messages", false},
		"codex-websocket": {rig.Codex, nil, "MESSAGE /v1/responses", false},
		"codex-sse":       {rig.Codex, []string{"--no-websocket"}, "POST /v1/responses", false},
		"gemini":          {rig.Gemini, nil, "POST /v1beta/models/", false},
		"claude-tls":      {rig.Claude, nil, "POST /v1/messages", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: tt.simulate, TLS: tt.tls, Config: nobodyElse})
			dir, home := r.AgentDirs(tt.agent)
			said := r.Run(dir, r.AgentEnv(home, slices.Concat(tt.agent.Env, behind(t, r))...), filepath.Join(rig.Agents(t), tt.agent.Name),
				append(slices.Clone(tt.agent.Args), "run: printf hello-%d-from-tool 42")...)
			if said.Code != 0 || !strings.Contains(said.Out, "hello-42-from-tool") {
				t.Errorf("ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
			}
			calls := 0
			for _, f := range r.Settled() {
				if !strings.HasPrefix(f.Method+" "+f.Path, tt.api) {
					continue
				}
				if calls++; f.Entrance != "intercept" || f.Provider != tt.agent.Provider || f.State != "done" || f.Usage.Output == 0 && f.Turn != nil || !strings.HasSuffix(f.Principal, "/"+tt.agent.Name) {
					t.Errorf("%+v", f)
				}
			}
			if calls < 2 {
				t.Errorf("%d model calls", calls)
			}
			nothingNew(t, r)
			r.Pairs()
			intercepted(t, r, tt.agent)
			r.Sound()
			sealed(t, r)
		})
	}
}

// nothingNew checks that the table of what agents were seen to call is that of
// the versions that are tested.
func nothingNew(t *testing.T, r *rig.Rig) {
	t.Helper()
	for _, f := range r.Flows() {
		for _, found := range f.Findings {
			if strings.HasPrefix(found.Rule, "coverage.") {
				t.Errorf("%s %s: %s (internal/agents has what was seen)", f.Method, f.Path, found.Rule)
			}
		}
	}
}

// TestRunIntercepts sets the same for a child.
func TestRunIntercepts(t *testing.T) {
	r := rig.Start(t, rig.Options{TLS: true, Config: nobodyElse})
	a := rig.Claude
	dir, home := r.AgentDirs(a)
	args := append([]string{"run", "--data", r.Data, "--intercept", "--", a.Name}, a.Args...)
	env := append(slices.Clone(a.Env), "ANTHROPIC_BASE_URL=http://127.0.0.1:1", "NO_PROXY=*")
	said := r.Run(dir, r.AgentEnv(home, env...), rig.Binary(t), append(args, "run: printf hello-%d-from-tool 42")...)
	if said.Code != 0 || !strings.Contains(said.Out, "hello-42-from-tool") {
		t.Errorf("it ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
	}
	intercepted(t, r, a)
}

// intercepted checks that the agent's turns, two, came through the proxy, and
// each as the provider saw it.
func intercepted(t *testing.T, r *rig.Rig, a rig.Agent) {
	t.Helper()
	turns := 0
	for _, f := range r.Flows() {
		if f.Entrance == "redirect" {
			t.Errorf("%s came by redirect", f.Path)
		}
		if f.Turn == nil {
			continue
		}
		turns++
		if f.Entrance != "intercept" || f.Provider != a.Provider || f.State != "done" || !strings.HasSuffix(f.Principal, "/"+a.Name) || f.Usage.Output == 0 || f.ScannedBytes == 0 {
			t.Errorf("turn %+v", f)
		}
	}
	if turns != 2 {
		t.Errorf("%d turns, want 2", turns)
	}
}

// clientBody is a call of Messages, and clientSaid what comes of it.
const (
	clientBody = `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"say: by whichever client"}]}`
	clientSaid = "by whichever client"
)

// TestInterceptedClients: the ways in which other programs speak TLS through a
// proxy. Those that the machine has no interpreter or library for are named.
func TestInterceptedClients(t *testing.T) {
	t.Parallel()
	r := rig.Start(t, rig.Options{})
	env := r.AgentEnv(r.Home, behind(t, r)...)
	const address = "https://api.anthropic.com/v1/messages"
	python := "import sys\n%s\nprint(%s)"
	for name, tt := range map[string]struct {
		needs []string // a command that succeeds where the client can run
		run   func(dir string) []string
	}{
		"curl": {[]string{"curl", "--version"}, func(string) []string {
			return []string{"curl", "-sS", "--fail", "-H", "content-type: application/json", "-d", clientBody, address}
		}},
		"curl, HTTP/1.1": {[]string{"curl", "--version"}, func(string) []string {
			return []string{"curl", "-sS", "--fail", "--http1.1", "-H", "content-type: application/json", "-d", clientBody, address}
		}},
		"node fetch": {[]string{"node", "-e", "if (!process.allowedNodeEnvironmentFlags.has('--use-env-proxy')) process.exit(1)"}, func(string) []string {
			return []string{"node", "-e", fmt.Sprintf("fetch(%q,{method:'POST',headers:{'content-type':'application/json'},body:%s}).then(r=>r.text()).then(console.log)", address, quoted(clientBody))}
		}},
		"node undici": {[]string{"node", "-e", "require.resolve('undici', {paths: [" + quoted(modules(t)) + "]})"}, func(string) []string {
			return []string{"node", "-e", fmt.Sprintf("const u=require(require.resolve('undici',{paths:[%s]}));u.request(%q,{method:'POST',headers:{'content-type':'application/json'},body:%s,dispatcher:new u.EnvHttpProxyAgent()}).then(r=>r.body.text()).then(console.log)",
				quoted(modules(t)), address, quoted(clientBody))}
		}},
		"python urllib": {[]string{"python3", "--version"}, func(string) []string {
			return []string{"python3", "-c", fmt.Sprintf(python, "import urllib.request as u", fmt.Sprintf("u.urlopen(u.Request(%q,data=%q.encode(),headers={'content-type':'application/json'})).read().decode()", address, clientBody))}
		}},
		"python requests": {[]string{"python3", "-c", "import requests"}, func(string) []string {
			return []string{"python3", "-c", fmt.Sprintf(python, "import requests", fmt.Sprintf("requests.post(%q,data=%q,headers={'content-type':'application/json'}).text", address, clientBody))}
		}},
		"python httpx": {[]string{"python3", "-c", "import httpx"}, func(string) []string {
			return []string{"python3", "-c", fmt.Sprintf(python, "import httpx", fmt.Sprintf("httpx.post(%q,content=%q,headers={'content-type':'application/json'}).text", address, clientBody))}
		}},
		"go": {[]string{"go", "version"}, func(dir string) []string {
			put(t, filepath.Join(dir, "client.go"), fmt.Sprintf("package main\nimport (\"io\";\"net/http\";\"os\";\"strings\")\nfunc main() {\n\tr, err := http.Post(%q, \"application/json\", strings.NewReader(%q))\n\tif err != nil { panic(err) }\n\tio.Copy(os.Stdout, r.Body)\n}\n", address, clientBody))
			return []string{"go", "run", filepath.Join(dir, "client.go")}
		}},
		"java": {[]string{"java", "-version"}, func(dir string) []string {
			put(t, filepath.Join(dir, "Client.java"), fmt.Sprintf(`import java.net.*; import java.net.http.*;
public class Client { public static void main(String[] a) throws Exception {
	var c = HttpClient.newBuilder().proxy(ProxySelector.of(new InetSocketAddress(a[0], Integer.parseInt(a[1])))).build();
	var r = c.send(HttpRequest.newBuilder(URI.create(%q)).header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(%q)).build(), HttpResponse.BodyHandlers.ofString());
	System.out.println(r.body()); } }`, address, clientBody))
			host, port, _ := strings.Cut(strings.TrimPrefix(r.Proxy, "http://"), ":")
			store := filepath.Join(dir, "trust.p12")
			if made := r.Gatehouse("ca", "export", "--format", "p12", "--out", store); made.Code != 0 {
				t.Fatalf("%s%s", made.Out, made.Err)
			}
			return []string{"java", "-Djavax.net.ssl.trustStore=" + store, "-Djavax.net.ssl.trustStorePassword=changeit", filepath.Join(dir, "Client.java"), host, port}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := exec.Command(tt.needs[0], tt.needs[1:]...).CombinedOutput(); err != nil {
				t.Skipf("%s was NOT tested: this machine has none (%v: %.200s)", name, err, out)
			}
			dir := t.TempDir()
			args := tt.run(dir)
			said := r.Run(dir, append(slices.Clone(env), "GOCACHE="+goCache()), args[0], args[1:]...)
			if said.Code != 0 || !strings.Contains(said.Out, clientSaid) {
				t.Errorf("ended with %d and said %s%s", said.Code, said.Out, said.Err)
			}
		})
	}
	for _, f := range r.Settled() {
		if f.Entrance != "intercept" || f.State != "done" || f.Path != "/v1/messages" {
			t.Errorf("%+v", f)
		}
	}
	r.Pairs()
	r.Sound()
}

// modules is where npm put the agents, and what they need.
func modules(t *testing.T) string { return filepath.Dir(rig.Agents(t)) }

// goCache spares the client in Go the compilation of the standard library.
func goCache() string {
	out, _ := exec.Command("go", "env", "GOCACHE").Output() // "" is fine: then it is compiled
	return strings.TrimSpace(string(out))
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

// TestDoctor: the doctor tries the real agents, and each call arrives both ways.
func TestDoctor(t *testing.T) {
	t.Parallel()
	r := rig.New(t, rig.Options{})
	_, home := r.AgentDirs(rig.Gemini) // which needs to know how to log in
	said := r.Run(r.Dir, r.AgentEnv(home, "GEMINI_CLI_TRUST_WORKSPACE=true"), rig.Binary(t), "doctor", "claude", "codex", "gemini", "--json", "--data", r.Data)
	if n := strings.Count(said.Out, `"arrived":true`); said.Code != 0 || n != 6 || strings.Count(said.Out, `"known":true`) != 3 {
		t.Errorf("ended with %d, %d calls arrived:\n%s%s", said.Code, n, said.Out, said.Err)
	}
}
