package agents

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// claudeProviders switch Claude Code to another cloud, whose calls would not
// come to the gateway.
var claudeProviders = []string{
	"CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY",
	"CLAUDE_CODE_USE_ANTHROPIC_AWS", "CLAUDE_CODE_USE_MANTLE", "CLAUDE_CODE_USE_GATEWAY",
}

// claudeRoutes lead a call, or the credential with a call beside it, to an
// address of their own.
var claudeRoutes = []string{
	"ANTHROPIC_UNIX_SOCKET",
	"ANTHROPIC_BEDROCK_BASE_URL", "ANTHROPIC_VERTEX_BASE_URL", "ANTHROPIC_FOUNDRY_BASE_URL",
	"ANTHROPIC_AWS_BASE_URL", "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
	"CLAUDE_CODE_API_BASE_URL", "CLAUDE_CODE_ARTIFACTS_API_BASE_URL", "VOICE_STREAM_BASE_URL",
	"CLAUDE_BRIDGE_BASE_URL", "CLAUDE_CODE_GB_BASE_URL", "CLAUDE_CODE_CUSTOM_OAUTH_URL",
}

// claudeNetwork is the user's own network: proxies, whom TLS trusts, where
// telemetry goes. A repository may not change it, and we don't.
var claudeNetwork = []string{
	"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy",
	"NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "CLAUDE_CODE_CERT_STORE",
	"CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY",
	"CLAUDE_CODE_ENABLE_TELEMETRY", "OTEL_LOG_USER_PROMPTS", "OTEL_LOG_TOOL_CONTENT", "OTEL_LOG_ASSISTANT_RESPONSES",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
}

// launchClaude sets the variables twice: in the environment, for programs that
// Claude Code starts, and as --settings, which outranks the settings of the
// working folder as those outrank the environment.
func launchClaude(g Gateway) Launch {
	l := g.start()
	own := g.claudeSettings()
	env := map[string]string{"ANTHROPIC_BASE_URL": g.Prefix("/anthropic")}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env[name] = g.direct(firstOf(own["NO_PROXY"], own["no_proxy"], g.env("NO_PROXY", "no_proxy")))
	}
	for _, name := range claudeNetwork {
		// A value with a password in it may not stand among the arguments,
		// which everybody on the machine can read.
		if value := firstOf(own[name], g.env(name)); !strings.Contains(value, "@") {
			env[name] = value
		}
	}
	for _, name := range append(claudeRoutes, claudeProviders...) {
		env[name] = ""
		if own[name] != "" || g.env(name) != "" {
			l.note(name + " is set aside: it would lead Claude Code past the gateway")
		}
	}
	l.set("ANTHROPIC_BASE_URL", env["ANTHROPIC_BASE_URL"])
	l.unset(append(claudeRoutes, claudeProviders...)...)
	l.claudeArgs(g, env)
	if path := g.claudeSocket(); path != "" {
		l.cut("--setting-sources", true)
		l.add("--setting-sources", "user")
		l.note(path + " sets ANTHROPIC_UNIX_SOCKET, or can't be read; nothing outranks that, so that Claude Code is started without the folder's settings")
	}
	return l
}

// claudeSocket finds settings of the folder, or of those above, that set the one
// variable which --settings does not outrank: Claude Code then leaves out what
// any settings say about it.
func (g Gateway) claudeSocket() string {
	if g.Read == nil {
		return ""
	}
	for _, dir := range above(g.Dir) {
		for _, name := range []string{"settings.json", "settings.local.json"} {
			path := filepath.Join(dir, ".claude", name)
			raw, err := g.Read(path)
			var s struct{ Env map[string]any }
			if err == nil && (json.Unmarshal(plainJSON(raw), &s) != nil || s.Env["ANTHROPIC_UNIX_SOCKET"] != nil) {
				return path
			}
		}
	}
	return ""
}

// claudeSettings gives the variables that the user's own settings set.
func (g Gateway) claudeSettings() map[string]string {
	dir := g.env("CLAUDE_CONFIG_DIR")
	if home := g.env("HOME", "USERPROFILE"); dir == "" && home != "" {
		dir = filepath.Join(home, ".claude")
	}
	var s struct{ Env map[string]string }
	if dir == "" || g.Read == nil {
		return nil
	}
	if raw, err := g.Read(filepath.Join(dir, "settings.json")); err == nil {
		json.Unmarshal(raw, &s) // Claude Code itself says what is wrong with it
	}
	return s.Env
}

// claudeArgs adds --settings, joined with the one that the user gave: Claude
// Code reads the last one only.
func (l *Launch) claudeArgs(g Gateway, env map[string]string) {
	settings := map[string]any{}
	rest := make([]string, 0, len(l.Args))
	for i := 0; i < len(l.Args); i++ {
		switch arg := l.Args[i]; {
		case arg == "--":
			rest = append(rest, l.Args[i:]...)
			i = len(l.Args)
		case arg == "--settings" && i+1 < len(l.Args):
			i++
			l.join(settings, g, l.Args[i])
		case strings.HasPrefix(arg, "--settings="):
			l.join(settings, g, strings.TrimPrefix(arg, "--settings="))
		default:
			rest = append(rest, arg)
		}
	}
	merged, _ := settings["env"].(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range env {
		merged[name] = value
	}
	settings["env"] = merged
	l.Args = rest
	l.add("--settings", toJSON(settings))
}

// join reads the user's --settings, which is JSON or a file's path, into
// settings.
func (l *Launch) join(settings map[string]any, g Gateway, value string) {
	raw := []byte(value)
	if !strings.HasPrefix(strings.TrimSpace(value), "{") {
		if g.Read == nil {
			l.note("--settings " + value + " is not read: give it as JSON")
			return
		}
		if !filepath.IsAbs(value) {
			value = filepath.Join(g.Dir, value)
		}
		var err error
		if raw, err = g.Read(value); err != nil {
			l.note("--settings can't be read: " + err.Error())
			return
		}
	}
	if err := json.Unmarshal(raw, &settings); err != nil {
		l.note("--settings is not JSON, and is left out")
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
