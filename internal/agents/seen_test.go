package agents_test

import (
	"path"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/flow"
)

func TestCaller(t *testing.T) {
	for _, tt := range []struct {
		program, userAgent string
		name, version      string // "": no agent
	}{
		{"claude", "claude-cli/2.1.197 (external, sdk-cli)", "claude", "2.1.197"},
		{"claude", "claude-code/2.1.197", "claude", "2.1.197"},
		{"claude", "Bun/1.4.0", "claude", ""},
		{"claude", "", "claude", ""},
		{"claude", "codex_exec/0.169.0", "claude", ""}, // the program is the system's word
		{"unknown", "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)", "codex", "0.169.0"},
		{"unknown", "codex-mcp-client/0.169.0", "codex", "0.169.0"},
		{"", "GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)", "gemini", "0.61.0"},
		{"curl", "curl/8.1", "", ""},
		{"", "claude-cli", "claude", ""},
		{"", "claude-cli/\x1b[2J", "claude", ""},
		{"", "claude-cli/" + strings.Repeat("1", 99), "claude", ""},
	} {
		a, version, ok := agents.Caller(tt.program, []flow.Header{{Name: "Accept", Value: "*/*"}, {Name: "User-Agent", Value: tt.userAgent}})
		if ok != (tt.name != "") || a.Name != tt.name || ok && version != tt.version {
			t.Errorf("%s, %q: %s %q %v", tt.program, tt.userAgent, a.Name, version, ok)
		}
	}
}

func TestShape(t *testing.T) {
	for from, want := range map[string]string{
		"/":            "/",
		"/v1/messages": "/v1/messages",
		"/v1/messages/batches/msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d":  "/v1/messages/batches/*",
		"/api/organizations/3fa85f64-5717-4562-b3fc-2c963f66afa6": "/api/organizations/*",
		"/v1beta/models/gemini-2.5-pro:countTokens":               "/v1beta/models/*:countTokens",
		"/v1/files/17":                  "/v1/files/*",
		"/a/b/c/d/e/f/g/h/i/j":          "/a/b/c/d/e/f/g/**",
		"/x/%1b%5b2J/\x1b[2J":           "/x/*/*",
		"/x/" + strings.Repeat("y", 99): "/x/*",
		"":                              "",
	} {
		if got := agents.Shape(from); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

// TestSeenIsSound: a pattern is one that path.Match takes, a host is among those
// that the agent is known by or stands with what was seen of it.
func TestSeenIsSound(t *testing.T) {
	run := 0
	for _, a := range agents.All() {
		if !a.Run() {
			continue
		}
		run++
		called := 0
		for _, host := range a.Hosts {
			if a.Calls(host) {
				called++
			}
		}
		if called == 0 || a.Checked == "" {
			t.Errorf("%s was seen at none of %v, version %q", a.Name, a.Hosts, a.Checked)
		}
	}
	if run != 3 {
		t.Errorf("%d agents were run", run)
	}
	gemini, _ := agents.For("gemini")
	for asked, want := range map[string]bool{
		"/v1beta/models/gemini-2.5-pro:streamGenerateContent": true, "/v1beta/models/gemini-2.5-pro:countTokens": true, "/v1beta/models/a/b:streamGenerateContent": false, "/v1beta/models": false,
	} {
		if got := gemini.Asks("generativelanguage.googleapis.com", asked); got != want {
			t.Errorf("%s: %v", asked, got)
		}
	}
	if gemini.Asks("play.googleapis.com", "/log") {
		t.Error("of a host that was only connected to a path is known")
	}
}

// FuzzShape: a shape is bounded, printable, without spaces, and its own shape.
func FuzzShape(f *testing.F) {
	f.Add("/v1/messages/batches/msgbatch_01Hkc/results")
	f.Add("/v1beta/models/gemini-2.5-pro:countTokens")
	f.Add("//a:b:c/**/*/ /\x00")
	f.Fuzz(func(t *testing.T, asked string) {
		got := agents.Shape(asked)
		if len(got) > 400 || strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			t.Errorf("%q: %q", asked, got)
		}
		if again := agents.Shape(got); again != got {
			t.Errorf("%q, then %q", got, again)
		}
		if _, err := path.Match(got, asked); err != nil {
			t.Errorf("%q is no pattern", got)
		}
	})
}
