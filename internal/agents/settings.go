package agents

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Setting is a place where something stands that says where an agent's calls go.
type Setting struct {
	Name    string `json:"name"`    // variable or option
	Where   string `json:"where"`   // "environment", or a file
	Value   string `json:"value"`   // of an address its scheme and host only: a key may stand behind them
	Holds   bool   `json:"holds"`   // nothing outranks it
	Ignored bool   `json:"ignored"` // the agent does not read it
}

// Settings lists, for an agent that is started without Gatehouse's help, what says
// where its calls go: name by name, what outranks first.
func (a Agent) Settings(g Gateway) []Setting {
	switch a.Name {
	case "claude":
		return g.claudeSays()
	case "codex":
		return g.codexSays()
	case "gemini":
		return g.geminiSays()
	case "opencode":
		return g.opencodeSays()
	case "aider":
		return g.aiderSays()
	}
	return nil
}

// source is a place with values, by their names.
type source struct {
	where  string
	values map[string]string
}

// ranked lists what sources say about some names, the highest source first.
func ranked(names []string, sources ...source) (list []Setting) {
	for _, name := range names {
		held := false
		for _, s := range sources {
			if value, ok := s.values[name]; ok {
				list = append(list, Setting{Name: name, Where: s.where, Value: Shown(value), Holds: !held})
				held = true
			}
		}
	}
	return list
}

// Shown is a value without what may be a credential.
func Shown(value string) string {
	if u, err := url.Parse(value); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	if len(value) > 40 {
		return "…"
	}
	return value
}

// TrustVars are the variables by which the agent's runtime is told whom to trust:
// Node adds to its own list, the others take a file instead of the system's.
func (a Agent) TrustVars() []string {
	switch a.Name {
	case "codex":
		return []string{"CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"}
	case "aider":
		return []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
	}
	return []string{"NODE_EXTRA_CA_CERTS"}
}

// Past reports whether a list of hosts that are called without a proxy has a host,
// by its name or as one below a domain.
func Past(list, host string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }), func(entry string) bool {
		entry, _, _ = strings.Cut(strings.ToLower(entry), ":")
		domain := strings.TrimLeft(entry, "*.")
		return entry == "*" || domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
	})
}

// environment is the source that all agents have.
func (g Gateway) environment() source {
	s := source{"environment", map[string]string{}}
	for _, line := range g.Env {
		if name, value, ok := strings.Cut(line, "="); ok {
			s.values[name] = value
		}
	}
	return s
}

// file reads a settings file; nil: there is none.
func (g Gateway) file(elem ...string) []byte {
	if g.Read == nil || elem[0] == "" {
		return nil
	}
	raw, err := g.Read(filepath.Join(elem...))
	if err != nil {
		return nil
	}
	return raw
}

func (g Gateway) home() string { return g.env("HOME", "USERPROFILE") }

// claudeSays: administrators' settings, then those of the folder, then the user's,
// then the environment (code.claude.com, "Settings precedence"; tried for the
// folder's and the environment).
func (g Gateway) claudeSays() []Setting {
	dir := firstOf(g.env("CLAUDE_CONFIG_DIR"), filepath.Join(g.home(), ".claude"))
	paths := [][]string{
		{"/etc/claude-code", "managed-settings.json"}, {"/Library/Application Support/ClaudeCode", "managed-settings.json"},
		{g.Dir, ".claude", "settings.local.json"}, {g.Dir, ".claude", "settings.json"}, {dir, "settings.json"},
	}
	var sources []source
	for _, path := range paths {
		var s struct{ Env map[string]any }
		if raw := g.file(path...); raw != nil && json.Unmarshal(plainJSON(raw), &s) == nil {
			values := map[string]string{}
			for name, v := range s.Env {
				if text, ok := v.(string); ok {
					values[name] = text
				}
			}
			sources = append(sources, source{filepath.Join(path...), values})
		}
	}
	return ranked(slices.Concat([]string{"ANTHROPIC_BASE_URL"}, claudeRoutes, claudeProviders), append(sources, g.environment())...)
}

// tomlLine is a string at the top of a TOML file. The agents' options that matter
// stand there, and are strings.
var tomlLine = regexp.MustCompile(`(?m)^\s*([A-Za-z_]+)\s*=\s*["']([^"'\n]*)["']`)

// codexSays: only the user's own file; a folder's may not set these options, and
// OPENAI_BASE_URL is not read (both tried).
func (g Gateway) codexSays() []Setting {
	home := firstOf(g.env("CODEX_HOME"), filepath.Join(g.home(), ".codex"))
	raw := g.file(home, "config.toml")
	if at := bytes.Index(raw, []byte("\n[")); at >= 0 {
		raw = raw[:at]
	}
	own := source{filepath.Join(home, "config.toml"), map[string]string{}}
	for _, m := range tomlLine.FindAllSubmatch(raw, -1) {
		own.values[string(m[1])] = string(m[2])
	}
	list := ranked([]string{"openai_base_url", "chatgpt_base_url", "model_provider"}, own)
	for _, s := range ranked([]string{"OPENAI_BASE_URL"}, g.environment()) {
		s.Holds, s.Ignored = false, true
		list = append(list, s)
	}
	return list
}

// geminiSays: the environment, then the nearest file of variables, which fills only
// what is missing.
func (g Gateway) geminiSays() []Setting {
	sources := []source{g.environment()}
	home := firstOf(g.env("GEMINI_CLI_HOME"), g.home())
	for _, dir := range append(above(g.Dir), home) {
		for _, path := range [][]string{{dir, ".gemini", ".env"}, {dir, ".env"}} {
			if raw := g.file(path...); raw != nil && len(sources) == 1 {
				sources = append(sources, source{filepath.Join(path...), dotenv(raw)})
			}
		}
	}
	return ranked([]string{"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "CODE_ASSIST_ENDPOINT", "GOOGLE_GENAI_USE_VERTEXAI"}, sources...)
}

// dotenv reads a file of variables.
func dotenv(raw []byte) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok && !strings.HasPrefix(name, "#") {
			values[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return values
}

// opencodeSays: settings in the environment, then the folder's, then the user's.
func (g Gateway) opencodeSays() []Setting {
	config := firstOf(g.env("XDG_CONFIG_HOME"), filepath.Join(g.home(), ".config"))
	texts := []struct {
		where string
		raw   []byte
	}{{"OPENCODE_CONFIG_CONTENT in the environment", []byte(g.env("OPENCODE_CONFIG_CONTENT"))}}
	for _, path := range [][]string{{g.Dir, "opencode.jsonc"}, {g.Dir, "opencode.json"}, {config, "opencode", "opencode.json"}} {
		texts = append(texts, struct {
			where string
			raw   []byte
		}{filepath.Join(path...), g.file(path...)})
	}
	var sources []source
	names := map[string]bool{}
	for _, t := range texts {
		var s struct {
			Provider map[string]struct{ Options struct{ BaseURL string } }
		}
		if len(t.raw) == 0 || json.Unmarshal(plainJSON(t.raw), &s) != nil {
			continue
		}
		values := map[string]string{}
		for name, p := range s.Provider {
			if p.Options.BaseURL != "" {
				values["provider."+name+".options.baseURL"] = p.Options.BaseURL
				names["provider."+name+".options.baseURL"] = true
			}
		}
		sources = append(sources, source{t.where, values})
	}
	return ranked(sorted(names), sources...)
}

// aiderSays: a file of variables of the folder outranks the environment.
func (g Gateway) aiderSays() []Setting {
	sources := []source{}
	if raw := g.file(g.Dir, ".env"); raw != nil {
		sources = append(sources, source{filepath.Join(g.Dir, ".env"), dotenv(raw)})
	}
	return ranked([]string{"OPENAI_API_BASE", "ANTHROPIC_API_BASE", "GEMINI_API_BASE"}, append(sources, g.environment())...)
}

func sorted(names map[string]bool) (list []string) {
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
