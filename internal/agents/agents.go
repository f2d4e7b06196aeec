// Package agents holds what is known of each agent: its names, how its base
// URL is set so that nothing in a working folder outranks it, the headers that
// name its sessions, the hosts it calls. Agents change every week, and this
// table is the only place that follows them. It starts nothing and reads no
// file or environment: it is given values and gives values.
package agents

import (
	"net/http"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Agent is what is known of one agent. The zero value is any other command.
type Agent struct {
	Name      string          // "claude"; also the command that starts it
	Title     string          // "Claude Code"
	Aliases   []string        // other names of its program
	Packages  []string        // folders under node_modules or site-packages that its program lies in
	Providers []flow.Provider // that it can speak to
	BaseURL   []string        // variables and settings that hold its base URL
	Headless  []string        // arguments before a prompt that make it answer once and end
	Hosts     []string        // that it calls when nothing is set
	Session   string          // header that names its session; "" when it has none
	Subagent  string          // header that names a sub-agent within the session
	Parent    string          // header that names the agent which started the sub-agent
	Checked   string          // version that this was checked with; "" when taken from its documents

	launch func(Gateway) Launch
}

// table is ordered as help lists it.
var table = []Agent{
	{
		Name: "claude", Title: "Claude Code", Aliases: []string{"claude-code"}, Packages: []string{"@anthropic-ai/claude-code"},
		Providers: []flow.Provider{flow.Anthropic},
		BaseURL:   []string{"ANTHROPIC_BASE_URL", "--settings env.ANTHROPIC_BASE_URL"},
		Headless:  []string{"-p"},
		Hosts:     []string{"api.anthropic.com"},
		Session:   "X-Claude-Code-Session-Id", Subagent: "X-Claude-Code-Agent-Id", Parent: "X-Claude-Code-Parent-Agent-Id",
		Checked: "2.1.197", launch: launchClaude,
	},
	{
		Name: "codex", Title: "Codex CLI", Packages: []string{"@openai/codex"},
		Providers: []flow.Provider{flow.OpenAI},
		BaseURL:   []string{"-c openai_base_url"},
		Headless:  []string{"exec", "--skip-git-repo-check"},
		Hosts:     []string{"api.openai.com", "chatgpt.com"},
		Session:   "Session-Id", Subagent: "Thread-Id", Parent: "X-Codex-Parent-Thread-Id",
		Checked: "0.169.0", launch: launchCodex,
	},
	{
		Name: "gemini", Title: "Gemini CLI", Aliases: []string{"gemini-cli"}, Packages: []string{"@google/gemini-cli"},
		Providers: []flow.Provider{flow.Gemini},
		BaseURL:   []string{"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "CODE_ASSIST_ENDPOINT"},
		Headless:  []string{"-p"},
		Hosts:     []string{"generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com"},
		Checked:   "0.61.0", launch: launchGemini,
	},
	{
		Name: "opencode", Title: "opencode", Packages: []string{"opencode-ai"},
		Providers: []flow.Provider{flow.Anthropic, flow.OpenAI, flow.Gemini},
		BaseURL:   []string{"OPENCODE_CONFIG_CONTENT provider.*.options.baseURL"},
		Headless:  []string{"run"},
		Hosts:     []string{"api.anthropic.com", "api.openai.com", "generativelanguage.googleapis.com"},
		Checked:   "1.18.33", launch: launchOpencode,
	},
	{
		Name: "aider", Title: "Aider", Packages: []string{"aider"},
		Providers: []flow.Provider{flow.Anthropic, flow.OpenAI, flow.Gemini},
		BaseURL:   []string{"--openai-api-base", "--set-env ANTHROPIC_API_BASE", "--set-env GEMINI_API_BASE"},
		Headless:  []string{"--yes-always", "--message"},
		Hosts:     []string{"api.anthropic.com", "api.openai.com", "generativelanguage.googleapis.com"},
		Checked:   "0.86.2", launch: launchAider,
	},
}

// All lists the known agents.
func All() []Agent { return slices.Clone(table) }

// For finds an agent by its name, its program's name or that program's path.
func For(name string) (Agent, bool) {
	name = base(name)
	for _, a := range table {
		if a.Name == name || slices.Contains(a.Aliases, name) {
			return a, true
		}
	}
	return Agent{}, false
}

// Claims reads the session, sub-agent and parent agent that a request's
// headers claim; empty where they claim none.
func Claims(h http.Header) (session, subagent, parent string) {
	for _, a := range table {
		if a.Session == "" || h.Get(a.Session) == "" {
			continue
		}
		session = h.Get(a.Session)
		if sub := h.Get(a.Subagent); sub != session {
			subagent = sub
		}
		if a.Parent != "" {
			parent = h.Get(a.Parent)
		}
		return session, subagent, parent
	}
	return "", "", ""
}

// base gives a path's last element without what systems add to it.
func base(path string) string {
	path = strings.TrimSuffix(path, " (deleted)")
	path = path[strings.LastIndexAny(path, `/\`)+1:]
	for _, ext := range []string{".exe", ".cmd", ".ps1"} {
		if len(path) > len(ext) && strings.EqualFold(path[len(path)-len(ext):], ext) {
			return path[:len(path)-len(ext)]
		}
	}
	return path
}
