package rig

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// optionalVar allows a run without the agents where they can't be downloaded.
const optionalVar = "GATEHOUSE_AGENTS_OPTIONAL"

// install makes sure, once, that the pinned agents are there.
var install = sync.OnceValues(func() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "test", "e2e")
	bin := filepath.Join(dir, "node_modules", ".bin")
	if _, err := os.Stat(filepath.Join(bin, "claude")); err == nil {
		return bin, nil
	}
	npm := exec.Command("npm", "ci", "--prefer-offline")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing the agents: %w\n%s", err, out)
	}
	return bin, nil
})

// offline is what npm says when it reaches no registry.
var offline = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network`)

// Agents gives the folder with the real agents' programs. Without a network
// the test is skipped when $GATEHOUSE_AGENTS_OPTIONAL allows that, else it
// fails.
func Agents(t TB) string {
	t.Helper()
	bin, err := install()
	switch {
	case err == nil:
		return bin
	case os.Getenv(optionalVar) != "" && offline.MatchString(err.Error()):
		t.Skipf("the real agents were NOT tested: npm reaches no registry, and $%s allows that", optionalVar)
	default:
		t.Fatalf("%v\n(without a network, set %s=1 to leave the real agents out)", err, optionalVar)
	}
	return ""
}

// Agent is one real agent as the tests run it.
type Agent struct {
	Name     string   // its command
	Args     []string // headless, before the prompt
	Env      []string // credentials and silence
	Session  string   // header that names its session, "" when it has none
	Provider string
	Prefix   string                                // of the gateway
	Point    func(url string) (env, args []string) // how it is pointed at a base URL by hand
	Settings map[string]string                     // files in its HOME
	Again    []string                              // before Args: go on with the last session
	Resume   []string                              // or after Args
}

// Secret is the credential that the agents are given.
const Secret = "sk-test-SECRET-0123456789abcdef"

// Claude is Claude Code.
var Claude = Agent{
	Name: "claude", Provider: "anthropic", Prefix: "/anthropic", Session: "X-Claude-Code-Session-Id",
	Args: []string{"--allowedTools", "Bash", "--model", "claude-sonnet-4-5", "-p"},
	Env:  []string{"ANTHROPIC_API_KEY=" + Secret, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1"},
	Point: func(url string) (env, args []string) {
		return []string{"ANTHROPIC_BASE_URL=" + url}, nil
	},
	Again: []string{"--continue"},
}

// Codex is Codex CLI. It takes WebSocket if the provider does.
var Codex = Agent{
	Name: "codex", Provider: "openai", Prefix: "/openai/v1", Session: "Session-Id",
	Args: []string{"exec", "--skip-git-repo-check", "-s", "danger-full-access"},
	Env:  []string{"OPENAI_API_KEY=" + Secret, "CODEX_API_KEY=" + Secret},
	Point: func(url string) (env, args []string) {
		return nil, []string{"-c", `openai_base_url="` + url + `"`}
	},
	Resume: []string{"resume", "--last"},
}

// Gemini is Gemini CLI.
var Gemini = Agent{
	Name: "gemini", Provider: "gemini", Prefix: "/gemini",
	Args: []string{"--yolo", "-m", "gemini-2.5-pro", "-p"},
	Env:  []string{"GEMINI_API_KEY=" + Secret, "GEMINI_CLI_TRUST_WORKSPACE=true"},
	Point: func(url string) (env, args []string) {
		return []string{"GOOGLE_GEMINI_BASE_URL=" + url}, nil
	},
	Settings: map[string]string{".gemini/settings.json": `{"security":{"auth":{"selectedType":"gemini-api-key"}},` +
		`"telemetry":{"enabled":false},"privacy":{"usageStatisticsEnabled":false},"general":{"disableAutoUpdate":true}}`},
	Again: []string{"--resume", "latest"},
}

// Impatient is the agent with as few retries as its settings allow. Codex has
// no such setting and takes half a minute.
func (a Agent) Impatient() Agent {
	a.Env = append(slices.Clone(a.Env), "CLAUDE_CODE_MAX_RETRIES=1")
	a.Settings = maps.Clone(a.Settings)
	for name, text := range a.Settings {
		a.Settings[name] = strings.Replace(text, `"general":{`, `"general":{"maxAttempts":1,`, 1)
	}
	return a
}

// Continued is the agent as it goes on with its last session.
func (a Agent) Continued() Agent {
	a.Args = slices.Concat(a.Again, a.Args, a.Resume)
	return a
}

// With is the agent with more arguments, before those that it has.
func (a Agent) With(args ...string) Agent {
	a.Args = slices.Concat(args, a.Args)
	return a
}

// Ask runs the agent with a prompt, pointed at the gateway by hand.
func (r *Rig) Ask(a Agent, prompt string) Result {
	r.t.Helper()
	env, args := a.Point(r.Gateway + a.Prefix)
	args = append(args, a.Args...)
	dir, home := r.AgentDirs(a)
	env = append(env, a.Env...)
	return r.Run(dir, r.AgentEnv(home, env...), filepath.Join(Agents(r.t), a.Name), append(args, prompt)...)
}

// AgentDirs makes a working folder and a HOME for the agent.
func (r *Rig) AgentDirs(a Agent) (dir, home string) {
	r.t.Helper()
	dir, home = filepath.Join(r.Dir, "work"), filepath.Join(r.Dir, "home-"+a.Name)
	for _, d := range []string{dir, home} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			r.t.Fatal(err)
		}
	}
	for name, text := range a.Settings {
		r.File(filepath.Join("home-"+a.Name, name), text)
	}
	return dir, home
}

// AgentEnv is a small environment in which the agents are found by name.
func (r *Rig) AgentEnv(home string, more ...string) []string {
	path := Agents(r.t) + string(os.PathListSeparator) + os.Getenv("PATH")
	return append([]string{"PATH=" + path, "HOME=" + home, "LANG=C.UTF-8", "TERM=dumb", "SHELL=/bin/sh"}, more...)
}

// Said reports whether an agent printed a text, on either stream.
func (x Result) Said(text string) bool {
	return strings.Contains(x.Out, text) || strings.Contains(x.Err, text)
}
