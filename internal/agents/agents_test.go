package agents_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/agents"
)

func TestProgram(t *testing.T) {
	for _, c := range []struct {
		want, exe string
		argv      []string
	}{
		{"claude", "/usr/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe", []string{"claude", "-p", "x"}},
		{"claude", "/home/u/.local/share/claude/versions/2.1.197", []string{"claude"}},
		{"claude", "/usr/bin/node", []string{"claude"}}, // process.title
		{"claude", "/usr/bin/node", []string{"node", "/usr/bin/claude", "-p", "secret"}},
		{"codex", "/x/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex", []string{"codex"}},
		{"codex", "/opt/homebrew/bin/codex", nil},
		{"gemini", "/usr/bin/node", []string{"/usr/bin/node", "--no-warnings=DEP0040", "/x/node_modules/.bin/gemini", "-p", "secret"}},
		{"gemini", "/usr/bin/node", []string{"node", "--max-old-space-size=8192", "/x/node_modules/@google/gemini-cli/bundle/gemini.js"}},
		{"opencode", "/x/node_modules/opencode-ai/bin/opencode.exe", []string{"/x/opencode"}},
		{"aider", "/usr/bin/python3.11", []string{"/venv/bin/python", "/venv/bin/aider", "--message", "secret"}},
		{"aider", "/usr/bin/python3.12", []string{"python3", "-m", "aider"}},
		{"claude", `C:\Program Files\nodejs\node.exe`, []string{"node", `C:\x\node_modules\@anthropic-ai\claude-code\cli.js`}},
		{"curl", "/usr/bin/curl", []string{"curl", "-d", "secret"}},
		{"curl", "/usr/bin/curl (deleted)", nil},
		{"my-agent", "/usr/bin/node", []string{"node", "/srv/my-agent/dist/index.js"}},
		{"bot", "/usr/bin/python3", []string{"python3", "-u", "bot.py", "secret"}},
		{"worker", "/usr/bin/python3", []string{"python3", "-m", "worker.main"}},
		{"python3", "/usr/bin/python3", []string{"python3", "-c", "print('secret')"}},
		{"node", "/usr/bin/node", []string{"node", "-e", "secret"}},
		{"node", "/usr/bin/node", nil},
		{"bash", "/usr/bin/bash", []string{"-bash"}},
		{"app", "/usr/bin/node", []string{"node", "/app/index.js"}},
		{"a_b", "/tmp/a b", []string{"a b"}},
		{"unknown", "", nil},
	} {
		if got := agents.Program(c.exe, c.argv); got != c.want {
			t.Errorf("Program(%q, %q) = %q, want %q", c.exe, c.argv, got, c.want)
		}
	}
}

func FuzzProgram(f *testing.F) {
	f.Add("/usr/bin/node", "node", "/usr/bin/claude")
	f.Add(`\`, " ", "-m")
	f.Fuzz(func(t *testing.T, exe, arg0, arg1 string) {
		got := agents.Program(exe, []string{arg0, arg1})
		if got == "" || len(got) > 64 || got != agents.Clean(got) {
			t.Errorf("Program(%q, %q, %q) = %q", exe, arg0, arg1, got)
		}
	})
}

func TestFor(t *testing.T) {
	for _, name := range []string{"claude", "/usr/local/bin/claude", "claude.exe", `C:\bin\claude.cmd`, "claude-code"} {
		if a, ok := agents.For(name); !ok || a.Name != "claude" {
			t.Errorf("For(%q) = %q, %v", name, a.Name, ok)
		}
	}
	if a, ok := agents.For("vim"); ok {
		t.Errorf("For(vim) = %q", a.Name)
	}
}

func TestClaims(t *testing.T) {
	for name, c := range map[string]struct {
		h    http.Header
		want [3]string
	}{
		"none":          {http.Header{}, [3]string{}},
		"claude":        {http.Header{"X-Claude-Code-Session-Id": {"s"}, "X-Claude-Code-Agent-Id": {"a"}, "X-Claude-Code-Parent-Agent-Id": {"p"}}, [3]string{"s", "a", "p"}},
		"codex":         {http.Header{"Session-Id": {"s"}, "Thread-Id": {"s"}}, [3]string{"s", "", ""}},
		"codex, thread": {http.Header{"Session-Id": {"s"}, "Thread-Id": {"t"}, "X-Codex-Parent-Thread-Id": {"s"}}, [3]string{"s", "t", "s"}},
	} {
		session, subagent, parent := agents.Claims(c.h)
		if got := [3]string{session, subagent, parent}; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// disk is a set of files.
type disk map[string]string

func (d disk) read(path string) ([]byte, error) {
	if text, ok := d[strings.ReplaceAll(path, `\`, "/")]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func launch(t *testing.T, name string, g agents.Gateway) agents.Launch {
	t.Helper()
	a, ok := agents.For(name)
	if !ok && name != "" {
		t.Fatalf("no agent %q", name)
	}
	if g.URL == "" {
		g.URL = "http://127.0.0.1:4000"
	}
	return a.Launch(g)
}

// claudeSettings gives the value of --settings.
func claudeSettings(t *testing.T, l agents.Launch) (s struct {
	Env   map[string]string
	Model string
}) {
	t.Helper()
	i := slices.Index(l.Args, "--settings")
	if i < 0 || slices.Index(l.Args[i+1:], "--settings") >= 0 {
		t.Fatalf("--settings must stand there once: %q", l.Args)
	}
	if err := json.Unmarshal([]byte(l.Args[i+1]), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func value(env []string, name string) (string, int) {
	last, n := "", 0
	for _, line := range env {
		if v, ok := strings.CutPrefix(line, name+"="); ok {
			last, n = v, n+1
		}
	}
	return last, n
}

func TestClaudeIsPointedAtTheGatewayTwice(t *testing.T) {
	l := launch(t, "claude", agents.Gateway{
		Key:  "ghk_x",
		Env:  []string{"ANTHROPIC_BASE_URL=https://elsewhere", "CLAUDE_CODE_USE_BEDROCK=1", "HTTPS_PROXY=http://proxy:3128", "NO_PROXY=corp", "HOME=/h", "PATH=/bin"},
		Args: []string{"-p", "hello"}, Read: disk{}.read,
	})
	want := "http://127.0.0.1:4000/k/ghk_x/anthropic"
	if got, n := value(l.Env, "ANTHROPIC_BASE_URL"); got != want || n != 1 {
		t.Errorf("environment: %q, %d times", got, n)
	}
	s := claudeSettings(t, l)
	for name, want := range map[string]string{
		"ANTHROPIC_BASE_URL": want, "CLAUDE_CODE_USE_BEDROCK": "", "ANTHROPIC_UNIX_SOCKET": "", "HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "",
		"NO_PROXY": "corp,127.0.0.1,127.0.0.1:4000", "NODE_TLS_REJECT_UNAUTHORIZED": "",
	} {
		if got, ok := s.Env[name]; got != want || !ok {
			t.Errorf("--settings: %s is %q, want %q", name, got, want)
		}
	}
	if _, n := value(l.Env, "CLAUDE_CODE_USE_BEDROCK"); n != 0 || !slices.Contains(l.Unset, "CLAUDE_CODE_USE_BEDROCK") {
		t.Error("another provider is still chosen")
	}
	if got := l.Args[len(l.Args)-2:]; !slices.Equal(got, []string{"-p", "hello"}) {
		t.Errorf("the user's arguments became %q", got)
	}
	notes := strings.Join(l.Notes, "\n")
	for _, want := range []string{"CLAUDE_CODE_USE_BEDROCK", "access key"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note on %s: %q", want, notes)
		}
	}
}

func TestClaudeKeepsTheUsersOwnSettings(t *testing.T) {
	files := disk{
		"/h/.claude/settings.json": `{"env":{"HTTPS_PROXY":"http://own:1","OTEL_EXPORTER_OTLP_ENDPOINT":"http://own:2"}}`,
		"/w/mine.json":             `{"model":"opus","env":{"A":"b","ANTHROPIC_BASE_URL":"http://theirs"}}`,
	}
	for _, args := range [][]string{
		{"--settings", "mine.json", "-p", "x"},
		{"--settings=/w/mine.json"},
		{"--settings", files["/w/mine.json"]},
	} {
		l := launch(t, "claude", agents.Gateway{Env: []string{"HOME=/h"}, Args: args, Dir: "/w", Read: files.read})
		s := claudeSettings(t, l)
		if s.Model != "opus" || s.Env["A"] != "b" || s.Env["ANTHROPIC_BASE_URL"] != "http://127.0.0.1:4000/anthropic" {
			t.Errorf("%q: --settings became %+v", args, s)
		}
		if s.Env["HTTPS_PROXY"] != "http://own:1" || s.Env["OTEL_EXPORTER_OTLP_ENDPOINT"] != "http://own:2" {
			t.Errorf("%q: the user's network is gone: %v", args, s.Env)
		}
	}
}

func TestNoPasswordAmongArguments(t *testing.T) {
	env := []string{"HTTPS_PROXY=http://me:hunter2@proxy:3128", "ANTHROPIC_API_KEY=sk-secret", "OPENAI_API_KEY=sk-secret"}
	for _, a := range agents.All() {
		l := a.Launch(agents.Gateway{URL: "http://127.0.0.1:4000", Env: env, Read: disk{}.read})
		if all := strings.Join(l.Args, " "); strings.Contains(all, "hunter2") || strings.Contains(all, "sk-secret") {
			t.Errorf("%s: a credential stands in %q", a.Name, all)
		}
	}
}

func TestFolderThatNothingOutranks(t *testing.T) {
	for name, c := range map[string]struct {
		agent, path, content string
		caught               bool
	}{
		"socket":          {"claude", "/w/.claude/settings.json", `{"env":{"ANTHROPIC_UNIX_SOCKET":"/x"}}`, true},
		"socket, escaped": {"claude", "/w/.claude/settings.local.json", `{"env":{"\u0041NTHROPIC_UNIX_SOCKET":"/x"}}`, true},
		"socket, above":   {"claude", "/.claude/settings.json", `{"env":{"ANTHROPIC_UNIX_SOCKET":"/x"}}`, true},
		"unreadable":      {"claude", "/w/.claude/settings.json", `{"env":`, true},
		"other variable":  {"claude", "/w/.claude/settings.json", `{"env":{"A":"b"}}`, false},
		"router":          {"gemini", "/w/.gemini/settings.json", `{/* */"experimental":{"gemmaModelRouter":{"enabled":true}}}`, true},
		"no router":       {"gemini", "/w/.gemini/settings.json", "{\"experimental\":{\"x\":1} // gemmaModelRouter\n}", false},
		"api base":        {"aider", "/w/.aider.model.settings.yml", "- name: x\n  extra_params:\n    api_base: http://x\n", true},
	} {
		l := launch(t, c.agent, agents.Gateway{Env: []string{"HOME=/h"}, Dir: "/w", Read: disk{c.path: c.content}.read})
		if got := strings.Contains(strings.Join(l.Notes, "\n"), strings.TrimPrefix(c.path, "/")); got != c.caught {
			t.Errorf("%s: notes %q", name, l.Notes)
		}
		untrusted := slices.Contains(l.Args, "--setting-sources")
		if v, _ := value(l.Env, "GEMINI_CLI_TRUSTED_FOLDERS_PATH"); v != "" {
			untrusted = true
		}
		if untrusted != c.caught && c.agent != "aider" {
			t.Errorf("%s: the folder's settings are read: %v", name, !untrusted)
		}
	}
}

func TestNoArgumentGivesThatFolderItsWayBack(t *testing.T) {
	for agent, c := range map[string]struct {
		files disk
		args  []string
		want  []string // how the arguments end
		not   string
	}{
		"claude": {disk{"/w/.claude/settings.json": `{"env":{"ANTHROPIC_UNIX_SOCKET":"/x"}}`}, []string{"--setting-sources", "project", "--setting-sources=local", "-p", "x"}, []string{"-p", "x"}, "project"},
		"gemini": {disk{"/w/.gemini/settings.json": `{"experimental":{"gemmaModelRouter":{}}}`}, []string{"--skip-trust", "-p", "x", "--", "--skip-trust"}, []string{"-p", "x", "--", "--skip-trust"}, ""},
	} {
		l := launch(t, agent, agents.Gateway{Dir: "/w", Args: c.args, Read: c.files.read})
		if got := l.Args[max(0, len(l.Args)-len(c.want)):]; !slices.Equal(got, c.want) || slices.Contains(l.Args, c.not) {
			t.Errorf("%s: %q", agent, l.Args)
		}
	}
}

func TestCodexAndItsOwnSettings(t *testing.T) {
	files := disk{"/h/.codex/config.toml": "model = \"m\"\nmodel_provider = \"azure\"\n"}
	l := launch(t, "codex", agents.Gateway{Env: []string{"HOME=/h"}, Args: []string{"exec", "-c", "model_provider=x", "hi"}, Read: files.read})
	want := []string{"-c", `openai_base_url="http://127.0.0.1:4000/openai/v1"`, "-c", `model_provider="openai"`, "exec", "-c", "model_provider=x", "hi"}
	if !slices.Equal(l.Args, want) {
		t.Errorf("got %q", l.Args)
	}
	notes := strings.Join(l.Notes, "\n")
	for _, want := range []string{"azure", "outranks"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note on %s: %q", want, notes)
		}
	}
}

func TestCodexWithAChatGPTLogin(t *testing.T) {
	files := disk{"/c/auth.json": `{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{}}`}
	l := launch(t, "codex", agents.Gateway{Env: []string{"CODEX_HOME=/c"}, Read: files.read})
	want := []string{
		"-c", `openai_base_url="http://127.0.0.1:4000/openai/backend-api/codex"`, "-c", `chatgpt_base_url="http://127.0.0.1:4000/openai/backend-api"`,
		"-c", `model_provider="openai"`,
	}
	if !slices.Equal(l.Args, want) {
		t.Errorf("got %q", l.Args)
	}
	l = launch(t, "codex", agents.Gateway{Env: []string{"CODEX_HOME=/c", "CODEX_API_KEY=k"}, Read: files.read})
	if l.Args[1] != `openai_base_url="http://127.0.0.1:4000/openai/v1"` {
		t.Errorf("with an API key: %q", l.Args)
	}
}

func TestGeminiFillsWhatAFolderCouldFill(t *testing.T) {
	l := launch(t, "gemini", agents.Gateway{Env: []string{"HOME=/h", "HTTPS_PROXY=http://p:1"}, Read: disk{}.read})
	for name, want := range map[string]string{
		"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:4000/gemini", "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:4000/gemini", "CODE_ASSIST_ENDPOINT": "http://127.0.0.1:4000/gemini",
		"https_proxy": "http://p:1", "http_proxy": "", "GEMINI_CLI_HOME": "", "NODE_OPTIONS": "", "GEMINI_TELEMETRY_ENABLED": "false",
	} {
		if got, n := value(l.Env, name); got != want || n != 1 {
			t.Errorf("%s is %q, %d times", name, got, n)
		}
	}
	on := disk{"/h/.gemini/settings.json": `{"telemetry":{"enabled":true,"otlpEndpoint":"http://own:1"}}`}
	l = launch(t, "gemini", agents.Gateway{Env: []string{"HOME=/h"}, Read: on.read})
	if got, _ := value(l.Env, "GEMINI_TELEMETRY_OTLP_ENDPOINT"); got != "http://own:1" {
		t.Errorf("telemetry goes to %q", got)
	}
	if _, n := value(l.Env, "OTEL_SDK_DISABLED"); n != 0 {
		t.Error("the user's own telemetry is off")
	}
}

// TestGeminiSaysWhenNoLogInWasChosen: version 0.61.0 does not run without a terminal then.
func TestGeminiSaysWhenNoLogInWasChosen(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		disk disk
		told bool
	}{
		"nothing chosen":          {nil, disk{}, true},
		"settings without one":    {nil, disk{"/h/.gemini/settings.json": `{"telemetry":{}}`}, true},
		"chosen by the user":      {nil, disk{"/h/.gemini/settings.json": `{"security":{"auth":{"selectedType":"oauth-personal"}}}`}, false},
		"chosen by a variable":    {[]string{"GOOGLE_GENAI_USE_GCA=true"}, disk{}, false},
		"the machine's own rules": {[]string{"GEMINI_CLI_SYSTEM_SETTINGS_PATH=/m/s.json"}, disk{"/m/system-defaults.json": "{}"}, false},
	} {
		l := launch(t, "gemini", agents.Gateway{Env: append(c.env, "HOME=/h"), Read: c.disk.read})
		if got := strings.Contains(strings.Join(l.Notes, "\n"), "no log-in chosen"); got != c.told {
			t.Errorf("%s: notes %q", name, l.Notes)
		}
	}
}

func TestOpencodeKeepsTheUsersSettings(t *testing.T) {
	l := launch(t, "opencode", agents.Gateway{Env: []string{`OPENCODE_CONFIG_CONTENT={"theme":"x","provider":{"y":{}}}`}})
	text, _ := value(l.Env, "OPENCODE_CONFIG_CONTENT")
	var s struct {
		Theme     string
		Enabled   []string                                              `json:"enabled_providers"`
		Providers map[string]struct{ Options struct{ BaseURL string } } `json:"provider"`
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if s.Theme != "x" || s.Providers["anthropic"].Options.BaseURL != "http://127.0.0.1:4000/anthropic/v1" || !slices.Equal(s.Enabled, []string{"anthropic", "openai", "google"}) {
		t.Errorf("got %s", text)
	}
}

func TestAnyCommandGetsTheUsualVariables(t *testing.T) {
	l := launch(t, "", agents.Gateway{Key: "ghk_x", Env: []string{"A=b", "NO_PROXY=*"}, Args: []string{"x"}})
	for name, want := range map[string]string{
		"A": "b", "NO_PROXY": "*", "ANTHROPIC_BASE_URL": "http://127.0.0.1:4000/k/ghk_x/anthropic", "OPENAI_BASE_URL": "http://127.0.0.1:4000/k/ghk_x/openai/v1",
		"OPENAI_API_BASE": "http://127.0.0.1:4000/k/ghk_x/openai/v1", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:4000/k/ghk_x/gemini",
	} {
		if got, n := value(l.Env, name); got != want || n != 1 {
			t.Errorf("%s is %q, %d times", name, got, n)
		}
	}
	if !slices.Equal(l.Args, []string{"x"}) {
		t.Errorf("arguments became %q", l.Args)
	}
}

// Whatever stands in the files, every agent is pointed at the gateway.
func FuzzFolder(f *testing.F) {
	f.Add(`{"env":{"ANTHROPIC_UNIX_SOCKET":"/x"}}`, "--settings")
	f.Add(`{/* "x`, `--settings={"env":[]}`)
	f.Add(`"\`, "--skip-trust")
	f.Add(`null`, "--settings")
	f.Add(`{"experimental":null,"telemetry":{"enabled":true}} // x`, "-c")
	f.Fuzz(func(t *testing.T, content, arg string) {
		read := func(string) ([]byte, error) { return []byte(content), nil }
		for _, a := range agents.All() {
			l := a.Launch(agents.Gateway{URL: "http://127.0.0.1:4000", Env: []string{"HOME=/h", "OPENCODE_CONFIG_CONTENT=" + content}, Args: []string{arg, content}, Dir: "/w", Read: read})
			if !strings.Contains(strings.Join(append(l.Env, l.Args...), "\n"), "http://127.0.0.1:4000/") {
				t.Errorf("%s is not pointed at the gateway: %q, %q", a.Name, l.Env, l.Args)
			}
		}
	})
}

func TestLaunchLeavesItsInputAlone(t *testing.T) {
	env, args := []string{"NO_PROXY=a", "HTTP_PROXY=b", "ANTHROPIC_BASE_URL=c"}, []string{"--settings", "{}", "x"}
	for _, a := range agents.All() {
		a.Launch(agents.Gateway{URL: "http://127.0.0.1:1", Env: env, Args: args, Read: func(string) ([]byte, error) { return nil, errors.New("no") }})
	}
	if !slices.Equal(env, []string{"NO_PROXY=a", "HTTP_PROXY=b", "ANTHROPIC_BASE_URL=c"}) || !slices.Equal(args, []string{"--settings", "{}", "x"}) {
		t.Errorf("became %q, %q", env, args)
	}
}

// The guide lists what was tried; nothing is tried that it does not list.
func TestGuideKnowsEachAgentAndAttack(t *testing.T) {
	raw, err := os.ReadFile("../../docs/agents.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, a := range agents.All() {
		if !strings.Contains(page, "| "+a.Title+" (`"+a.Name+"`) | "+a.Checked+" |") {
			t.Errorf("the guide has no line on %s %s", a.Title, a.Checked)
		}
	}
	for _, a := range attacks {
		if !strings.Contains(page, "`"+a.agent+"/"+a.name+"`") {
			t.Errorf("the guide does not list %s/%s", a.agent, a.name)
		}
	}
}

// TestSettings: what says where an agent's calls go, and which of it counts.
func TestSettings(t *testing.T) {
	files := map[string]string{
		"/home/ann/.claude/settings.json":          `{"env":{"ANTHROPIC_BASE_URL":"https://user.example/x"}} // mine`,
		"/work/.claude/settings.json":              `{"env":{"ANTHROPIC_BASE_URL":"https://folder.example"}}`,
		"/home/ann/.codex/config.toml":             "openai_base_url = \"https://toml.example/v1\"\nmodel_provider = 'corp'\n[model_providers.x]\nopenai_base_url = \"https://other.example\"\n",
		"/work/.gemini/.env":                       "# GOOGLE_GEMINI_BASE_URL=https://comment.example\nexport GOOGLE_GEMINI_BASE_URL=\"https://dotenv.example\"\n",
		"/work/opencode.json":                      `{"provider":{"openai":{"options":{"baseURL":"https://oc.example/v1"}}}}`,
		"/home/ann/.config/opencode/opencode.json": `{"provider":{"openai":{"options":{"baseURL":"https://own.example/v1"}}}}`,
		"/work/.env":                               "OPENAI_API_BASE=https://aider.example\n",
	}
	g := agents.Gateway{
		Env: []string{"HOME=/home/ann", "ANTHROPIC_BASE_URL=http://127.0.0.1:4000/k/ghk_abc/anthropic", "OPENAI_BASE_URL=https://env.example", "OPENAI_API_BASE=https://env.example"},
		Dir: "/work",
		Read: func(path string) ([]byte, error) {
			text, ok := files[filepath.ToSlash(path)]
			if !ok {
				return nil, os.ErrNotExist
			}
			return []byte(text), nil
		},
	}
	for name, want := range map[string][]string{
		"claude":   {"ANTHROPIC_BASE_URL https://folder.example holds", "ANTHROPIC_BASE_URL https://user.example", "ANTHROPIC_BASE_URL http://127.0.0.1:4000"},
		"codex":    {"openai_base_url https://toml.example holds", "model_provider corp holds", "OPENAI_BASE_URL https://env.example ignored"},
		"gemini":   {"GOOGLE_GEMINI_BASE_URL https://dotenv.example holds"},
		"opencode": {"provider.openai.options.baseURL https://oc.example holds", "provider.openai.options.baseURL https://own.example"},
		"aider":    {"OPENAI_API_BASE https://aider.example holds", "OPENAI_API_BASE https://env.example"},
	} {
		a, _ := agents.For(name)
		var got []string
		for _, s := range a.Settings(g) {
			line := s.Name + " " + s.Value
			if s.Holds {
				line += " holds"
			}
			if s.Ignored {
				line += " ignored"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for list, past := range map[string]bool{"": false, "*": true, "anthropic.com": true, "localhost, .anthropic.com:443": true, "api.anthropic.com": true, "thropic.com": false, "*.com": true, "x.api.anthropic.com": false} {
		if agents.Past(list, "api.anthropic.com") != past {
			t.Errorf("NO_PROXY=%s: %v", list, !past)
		}
	}
}
