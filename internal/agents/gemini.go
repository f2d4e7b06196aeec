package agents

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// geminiBare are variables that would move a call, or the folder that the
// user's settings and login are read from.
var geminiBare = []string{
	"CODE_ASSIST_API_VERSION", "GEMINI_CLI_HOME", "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
	"GEMINI_CLI_TRUSTED_FOLDERS_PATH", "GEMINI_CLI_TRUST_WORKSPACE", "GOOGLE_GENAI_USE_GCA", "GOOGLE_GENAI_USE_VERTEXAI",
}

// launchGemini sets variables: Gemini CLI reads .gemini/.env or .env of the
// working folder, too, but only for what is not set, so that what could move a
// call is set even to nothing.
func launchGemini(g Gateway) Launch {
	l := g.start()
	for _, name := range []string{"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "CODE_ASSIST_ENDPOINT"} {
		l.set(name, g.Prefix("/gemini"))
	}
	l.set("GOOGLE_CLOUD_UNIVERSE_DOMAIN", firstOf(g.env("GOOGLE_CLOUD_UNIVERSE_DOMAIN"), "googleapis.com"))
	l.geminiNetwork(g)
	l.keep(g, geminiBare...)
	own := g.geminiOwn()
	l.geminiLogin(g, own)
	l.geminiTelemetry(g, own)
	l.geminiFolder(g)
	return l
}

// geminiSettings is what matters here of the user's settings.
type geminiSettings struct {
	Telemetry struct {
		Enabled  bool
		Endpoint string `json:"otlpEndpoint"`
	}
	Security struct {
		Auth struct {
			SelectedType string `json:"selectedType"`
		}
	}
}

func (g Gateway) geminiOwn() (s geminiSettings) {
	home := firstOf(g.env("GEMINI_CLI_HOME"), g.env("HOME", "USERPROFILE"))
	if g.Read != nil && home != "" {
		if raw, err := g.Read(filepath.Join(home, ".gemini", "settings.json")); err == nil {
			json.Unmarshal(plainJSON(raw), &s) // Gemini CLI itself says what is wrong with it
		}
	}
	return s
}

// geminiLogin tells of a log-in that nobody chose: with a base URL set, version 0.61.0 takes
// "gateway" for the chosen one, and refuses that ("Invalid auth method selected.") where it
// runs without a terminal. No variable outranks it, and of settings files it believes only
// the user's own and those of root.
func (l *Launch) geminiLogin(g Gateway, own geminiSettings) {
	if own.Security.Auth.SelectedType != "" || g.Read == nil {
		return
	}
	for _, name := range []string{"GOOGLE_GENAI_USE_GCA", "GOOGLE_GENAI_USE_VERTEXAI", "CLOUD_SHELL", "GEMINI_CLI_USE_COMPUTE_ADC"} {
		if g.env(name) == "true" {
			return
		}
	}
	for _, path := range geminiMachine(g) {
		if _, err := g.Read(path); err == nil {
			return // it may have chosen one
		}
	}
	l.note(`Gemini CLI has no log-in chosen, and with a base URL it refuses to run without a terminal then: start it once in a terminal, or put {"security":{"auth":{"selectedType":"gemini-api-key"}}} into ~/.gemini/settings.json, or use gatehouse run --intercept`)
}

// geminiMachine is where Gemini CLI reads a machine's settings and defaults.
func geminiMachine(g Gateway) []string {
	settings := firstOf(g.env("GEMINI_CLI_SYSTEM_SETTINGS_PATH"), map[string]string{
		"darwin":  "/Library/Application Support/GeminiCli/settings.json",
		"windows": `C:\ProgramData\gemini-cli\settings.json`,
	}[runtime.GOOS], "/etc/gemini-cli/settings.json")
	return []string{settings, firstOf(g.env("GEMINI_CLI_SYSTEM_DEFAULTS_PATH"), filepath.Join(filepath.Dir(settings), "system-defaults.json"))}
}

// geminiNetwork keeps the user's proxies and whom TLS trusts. Libraries differ in
// which case of a proxy's name they read first, so that both are set.
func (l *Launch) geminiNetwork(g Gateway) {
	for _, upper := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		lower := strings.ToLower(upper)
		value := g.env(upper, lower)
		l.set(upper, value)
		l.set(lower, value)
	}
	l.keep(g, "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_OPTIONS")
}

// geminiTelemetry keeps a folder from having prompts sent to a collector: it is
// off unless the user has it on, and then it goes where the user says.
func (l *Launch) geminiTelemetry(g Gateway, own geminiSettings) {
	on := g.env("GEMINI_TELEMETRY_ENABLED")
	if on != "true" && on != "1" && !own.Telemetry.Enabled {
		l.set("GEMINI_TELEMETRY_ENABLED", "false")
		l.set("OTEL_SDK_DISABLED", "true") // version 0.61.0 starts it for extensions in spite of the former
		return
	}
	l.set("GEMINI_TELEMETRY_OTLP_ENDPOINT", firstOf(g.env("GEMINI_TELEMETRY_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"), own.Telemetry.Endpoint, "http://localhost:4317"))
}

// geminiUntrusted is a list of trusted folders that can't exist.
var geminiUntrusted = filepath.Join(os.DevNull, "none")

// geminiFolder looks for the one setting of a folder that nothing outranks: a
// model server of its own that is asked, with the prompt, which model to use.
// Such a folder is not trusted: then its settings are not read.
func (l *Launch) geminiFolder(g Gateway) {
	path := filepath.Join(g.Dir, ".gemini", "settings.json")
	if g.Read == nil || g.Dir == "" {
		return
	}
	raw, err := g.Read(path)
	if err != nil {
		return
	}
	var s struct {
		Experimental map[string]json.RawMessage
	}
	if err := json.Unmarshal(plainJSON(raw), &s); err == nil && s.Experimental["gemmaModelRouter"] == nil {
		return
	}
	l.cut("--skip-trust", false)
	l.set("GEMINI_CLI_TRUST_WORKSPACE", "")
	l.set("GEMINI_CLI_TRUSTED_FOLDERS_PATH", geminiUntrusted)
	l.note(path + " names a model server that would get the prompts (experimental.gemmaModelRouter), or can't be read; Gemini CLI is started without trust in this folder")
}
