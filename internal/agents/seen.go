package agents

import (
	"path"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Place is a host, and what an agent was seen to ask of it.
type Place struct {
	Host  string
	Paths []string // patterns of path.Match, without query; none: only connections to it were seen
}

// seen is where the checked version of an agent was seen to call: headless, with
// a prompt and a tool's call, with a key and with a log-in, through the forward
// proxy and by a base URL (`HEAD /` of Claude Code comes only there). An agent
// that is not here was not run.
var seen = map[string][]Place{
	"claude": {
		{"api.anthropic.com", []string{
			"/", "/v1/messages", "/v1/messages/count_tokens",
			"/api/eval/sdk-*", "/api/event_logging/v2/batch", "/api/claude_cli/bootstrap", "/api/claude_code_penguin_mode",
			"/api/claude_code/policy_limits", "/api/claude_code/settings", "/api/claude_code/organizations/metrics_enabled",
			"/mcp-registry/v0/servers",
		}},
	},
	"codex": {
		{"api.openai.com", []string{"/v1/responses"}},
		{"chatgpt.com", []string{
			"/backend-api/codex/models", "/backend-api/codex/analytics-events/events", "/backend-api/plugins/export/curated",
			"/backend-api/ps/mcp", "/backend-api/ps/plugins/installed", "/backend-api/ps/plugins/suggested/codex",
			"/backend-api/wham/accounts/check", "/backend-api/wham/settings/user",
			"/backend-api/codex/responses", // from its sources: with a log-in it did not get so far against a simulated provider
		}},
		{"api.github.com", []string{"/repos/openai/plugins"}},
		{"ab.chatgpt.com", []string{"/otlp/v1/metrics"}},
	},
	"gemini": {
		{"generativelanguage.googleapis.com", []string{"/v1beta/models/*:streamGenerateContent", "/v1beta/models/*:countTokens"}}, // it counts what has pictures in it
		{"play.googleapis.com", nil},
		{"oauth2.googleapis.com", nil},
	},
}

// products are how agents call themselves in User-Agent (RFC 9110 section
// 10.1.5). Their calls beside those of models may bear a library's name instead.
var products = map[string][]string{
	"claude": {"claude-cli", "claude-code"},
	"codex":  {"codex_exec", "codex_cli_rs", "codex-tui", "codex-mcp-client"},
	"gemini": {"GeminiCLI", "GeminiCLI-tui"},
}

// Caller tells which agent makes a call, by its program, else by what it calls
// itself. The version is empty where the call does not tell it. It is false when
// it is no known agent's.
func Caller(program string, header []flow.Header) (a Agent, version string, ok bool) {
	name, version := product(header)
	if a, ok = For(program); ok {
		if name != a.Name {
			version = ""
		}
		return a, version, true
	}
	a, ok = For(name)
	return a, version, ok
}

// product reads the first product of User-Agent: "claude-cli/2.1.197 (external, cli)".
func product(header []flow.Header) (agent, version string) {
	for _, h := range header {
		if !strings.EqualFold(h.Name, "User-Agent") {
			continue
		}
		name, rest, _ := strings.Cut(h.Value, "/")
		for agent, names := range products {
			if slices.Contains(names, name) {
				return agent, number(rest)
			}
		}
	}
	return "", ""
}

// maxVersion bounds what a client may call its version.
const maxVersion = 32

// number is the version at the beginning of a text; "" when that is none.
func number(text string) string {
	end := strings.IndexFunc(text, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '+')
	})
	if end < 0 {
		end = len(text)
	}
	if end == 0 || end > maxVersion || text[0] < '0' || text[0] > '9' {
		return ""
	}
	return text[:end]
}

// Run reports whether the agent's calls were seen at all: of one that was never
// run nothing is new.
func (a Agent) Run() bool { return len(seen[a.Name]) > 0 }

// Calls reports whether the agent was seen to call a host.
func (a Agent) Calls(host string) bool {
	return slices.ContainsFunc(seen[a.Name], func(p Place) bool { return p.Host == host })
}

// Asks reports whether the agent was seen to ask for a path of a host. An empty
// host is a gateway in the place of any of them: a base URL may end in the
// beginning of the paths, so that /responses is /v1/responses.
func (a Agent) Asks(host, asked string) bool {
	for _, p := range seen[a.Name] {
		if host != "" && p.Host != host {
			continue
		}
		for _, pattern := range p.Paths {
			if matches(pattern, asked) || host == "" && matches(strings.TrimPrefix(pattern, "/v1"), asked) {
				return true
			}
		}
	}
	return false
}

func matches(pattern, asked string) bool {
	ok, err := path.Match(pattern, asked)
	return ok && err == nil
}

// Bounds of a path's shape.
const (
	shapeSegments = 8
	shapeSegment  = 32 // bytes
)

// Shape is a path with "*" in the place of what is different in each call: ids,
// numbers, long words, and whatever is not printable. It is bounded.
func Shape(asked string) string {
	segments := strings.Split(asked, "/")
	if len(segments) > shapeSegments+1 {
		segments = append(segments[:shapeSegments:shapeSegments], "**")
	}
	for i, s := range segments {
		thing, verb, custom := strings.Cut(s, ":") // a custom method: /models/M:countTokens
		switch {
		case s == "**":
		case custom && thing != "" && !isID(verb):
			segments[i] = "*:" + verb
		case isID(s):
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}

// isID reports whether a segment names one thing of many. Versions of an API
// (v1, v1beta, 2024-06) do not.
func isID(s string) bool {
	digits, odd := 0, 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.:@~$", c) >= 0:
		default:
			odd++
		}
	}
	return odd > 0 || len(s) > shapeSegment || digits > 4 || digits > 0 && digits == len(s)
}
