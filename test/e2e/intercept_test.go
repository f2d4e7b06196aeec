package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// nobodyElse keeps agents that call home from reaching a network.
const nobodyElse = "intercept:\n  others: refuse\n"

// trusted gives the variables that make an agent use the forward proxy, and
// trust it: nothing else is set.
func trusted(t *testing.T, r *rig.Rig) []string {
	t.Helper()
	root, bundle := filepath.Join(r.Dir, "root.pem"), filepath.Join(r.Dir, "bundle.pem")
	for file, format := range map[string]string{root: "pem", bundle: "bundle"} {
		if res := r.Gatehouse("ca", "export", "--format", format, "--out", file); res.Code != 0 {
			t.Fatalf("gatehouse ca export: %s", res.Err)
		}
	}
	return []string{"HTTPS_PROXY=" + r.Proxy, "NODE_EXTRA_CA_CERTS=" + root, "SSL_CERT_FILE=" + bundle, "CODEX_CA_CERTIFICATE=" + bundle}
}

// TestInterceptedAgents: unmodified, without a base URL, under the providers'
// real names.
func TestInterceptedAgents(t *testing.T) {
	for _, a := range []rig.Agent{rig.Claude, rig.Codex, rig.Gemini} {
		t.Run(a.Name, func(t *testing.T) {
			r := rig.Start(t, rig.Options{TLS: true, Config: nobodyElse})
			dir, home := r.AgentDirs(a)
			env := append(trusted(t, r), a.Env...)
			said := r.Run(dir, r.AgentEnv(home, env...), filepath.Join(rig.Agents(t), a.Name), append(slices.Clone(a.Args), "run: printf hello-%d-from-tool 42")...)
			if said.Code != 0 || !strings.Contains(said.Out, "hello-42-from-tool") {
				t.Errorf("%s ended with %d and said:\n%s%s", a.Name, said.Code, said.Out, said.Err)
			}
			intercepted(t, r, a)
			r.Sound()
			sealed(t, r)
		})
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
