package agents

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// launchOpencode gives opencode its highest settings that are not a file, which
// outrank a folder's opencode.json. Only providers that the gateway knows are
// left: a folder could bring one of its own, and choose it.
func launchOpencode(g Gateway) Launch {
	l := g.start()
	var settings map[string]any
	if own := g.env("OPENCODE_CONFIG_CONTENT"); own != "" && json.Unmarshal(plainJSON([]byte(own)), &settings) != nil {
		l.note("OPENCODE_CONFIG_CONTENT is no JSON object, and is left out")
	}
	if settings == nil { // also after "null"
		settings = map[string]any{}
	}
	provider := func(npm, path string) map[string]any {
		return map[string]any{"npm": npm, "options": map[string]any{"baseURL": g.Prefix(path)}}
	}
	settings["enabled_providers"] = []string{"anthropic", "openai", "google"}
	settings["provider"] = map[string]any{
		"anthropic": provider("@ai-sdk/anthropic", "/anthropic/v1"),
		"openai":    provider("@ai-sdk/openai", "/openai/v1"),
		"google":    provider("@ai-sdk/google", "/gemini/v1beta"),
	}
	l.set("OPENCODE_CONFIG_CONTENT", toJSON(settings))
	return l
}

// launchAider hands the variables over as arguments, too: Aider reads .env of
// the working folder over its environment, and takes --set-env after that and
// instead of a folder's .aider.conf.yml.
func launchAider(g Gateway) Launch {
	l := launchAny(g)
	l.set("GEMINI_API_BASE", g.Prefix("/gemini/v1beta")) // LiteLLM puts /models/… after it
	args := []string{"--openai-api-base", g.Prefix("/openai/v1")}
	for _, line := range l.Set {
		args = append(args, "--set-env", line)
	}
	l.add(args...)
	for _, dir := range above(g.Dir) {
		path := filepath.Join(dir, ".aider.model.settings.yml")
		if g.Read == nil {
			break
		}
		if raw, err := g.Read(path); err == nil && strings.Contains(string(raw), "extra_params") {
			l.note(path + " sets extra_params, which may hold an api_base that nothing outranks: look at it first")
		}
	}
	return l
}

// launchAny sets every variable that programs commonly read.
func launchAny(g Gateway) Launch {
	l := g.start()
	for _, name := range []string{"ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"} {
		l.set(name, g.Prefix("/anthropic"))
	}
	for _, name := range []string{"OPENAI_BASE_URL", "OPENAI_API_BASE"} {
		l.set(name, g.Prefix("/openai/v1"))
	}
	for _, name := range []string{"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GEMINI_API_BASE", "CODE_ASSIST_ENDPOINT"} {
		l.set(name, g.Prefix("/gemini"))
	}
	return l
}
