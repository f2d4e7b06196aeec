package agents

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// launchCodex sets its options on the command line: Codex ignores
// OPENAI_BASE_URL, and itself refuses these options from a working folder
// (openai_base_url, chatgpt_base_url, model_provider, model_providers, profile).
// The provider is named because the user's own settings may choose another.
func launchCodex(g Gateway) Launch {
	l := g.start()
	for _, line := range g.codexElsewhere() {
		l.note(line)
	}
	base := []string{"-c", "openai_base_url=" + toJSON(g.Prefix("/openai/v1"))}
	if g.codexChat() {
		base = []string{
			"-c", "openai_base_url=" + toJSON(g.Prefix("/openai/backend-api/codex")),
			"-c", "chatgpt_base_url=" + toJSON(g.Prefix("/openai/backend-api")),
		}
	}
	l.add(append(base, "-c", `model_provider="openai"`)...)
	return l
}

// codexProvider finds a provider that the user's settings choose.
var codexProvider = regexp.MustCompile(`(?m)^\s*model_provider\s*=\s*["']([^"']+)["']`)

// codexElsewhere says what of the user's own leads past the gateway.
func (g Gateway) codexElsewhere() (notes []string) {
	for i, arg := range g.Args {
		value := strings.TrimPrefix(arg, "-c")
		if (arg == "-c" || arg == "--config") && i+1 < len(g.Args) {
			value = g.Args[i+1]
		}
		name, _, _ := strings.Cut(strings.TrimSpace(value), "=")
		if slices.Contains([]string{"openai_base_url", "model_provider"}, strings.TrimSpace(name)) || arg == "--oss" {
			notes = append(notes, arg+" may lead Codex past the gateway: it outranks what Gatehouse sets")
		}
	}
	if m := codexProvider.FindSubmatch(g.codexFile("config.toml")); m != nil && string(m[1]) != "openai" {
		notes = append(notes, "Codex's own settings choose "+string(m[1])+"; here it uses openai, through the gateway")
	}
	return notes
}

// chatLogin finds a ChatGPT login in auth.json: tokens, and no API key.
var chatLogin = regexp.MustCompile(`"auth_mode"\s*:\s*"chatgpt"|"OPENAI_API_KEY"\s*:\s*null`)

func (g Gateway) codexChat() bool {
	return g.env("CODEX_API_KEY") == "" && chatLogin.Match(g.codexFile("auth.json"))
}

// codexFile reads one of Codex's files in its home, nil when it can't.
func (g Gateway) codexFile(name string) []byte {
	if g.Read == nil {
		return nil
	}
	home := firstOf(g.env("CODEX_HOME"), filepath.Join(g.env("HOME", "USERPROFILE"), ".codex"))
	raw, err := g.Read(filepath.Join(home, name))
	if err != nil {
		return nil
	}
	return raw
}
