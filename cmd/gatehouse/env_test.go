package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func env(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	err := runEnv(context.Background(), args, streams{strings.NewReader(""), &out, &errs})
	return out.String(), err
}

func TestEnvPointsEachAgentAtThePrefixedURL(t *testing.T) {
	t.Setenv(dataVar, t.TempDir())
	t.Setenv(keyVar, "")
	for agent, wants := range map[string][]string{
		"claude":   {"export ANTHROPIC_BASE_URL=http://127.0.0.1:4000/anthropic\n", "# claude --settings '{"},
		"codex":    {`# codex -c 'openai_base_url="http://127.0.0.1:4000/openai/v1"'`},
		"gemini":   {"export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:4000/gemini\n"},
		"opencode": {`"baseURL":"http://127.0.0.1:4000/anthropic/v1"`},
		"aider":    {"export OPENAI_API_BASE=http://127.0.0.1:4000/openai/v1\n", "# aider --openai-api-base"},
	} {
		out, err := env(t, "--shell", "sh", agent)
		if err != nil {
			t.Errorf("%s: %v", agent, err)
		}
		for _, want := range append(wants, "# no gateway runs") {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in:\n%s", agent, want, out)
			}
		}
	}
	if _, err := env(t, "vim"); err == nil {
		t.Error("an agent that is none")
	}
	if _, err := env(t, "--shell", "cmd", "claude"); err == nil {
		t.Error("a shell that is none")
	}
}

func TestEnvCarriesTheAccessKey(t *testing.T) {
	t.Setenv(keyVar, "ghk_x")
	out, err := env(t, "--shell", "sh", "--gateway", "https://gw.example", "gemini")
	if err != nil || !strings.Contains(out, "https://gw.example/k/ghk_x/gemini\n") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// A shell takes what is printed, whatever the values are.
func TestEnvIsForAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	t.Setenv(dataVar, filepath.Join(t.TempDir(), "a\nb"))
	t.Setenv("NO_PROXY", "it's $HOME `x` \"y\"\\")
	t.Setenv("no_proxy", "")
	out, err := env(t, "--shell", "sh", "claude")
	if err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command(sh, "-c", out+"\nprintf '%s' \"$NO_PROXY\"").CombinedOutput()
	if want := "it's,$HOME,`x`,\"y\"\\,127.0.0.1,127.0.0.1:4000"; err != nil || string(got) != want {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
}
