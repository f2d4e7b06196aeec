package config_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

func TestParseReadsOverTheDefaults(t *testing.T) {
	c, err := config.Parse([]byte(`
listen: 127.0.0.1:5000
upstreams:
  openai:
    url: https://proxy.example/openai
    ca_file: /etc/ca.pem
limits: {body: 1MiB, idle_timeout: 2m}
ledger:
  mode: bounded
  max_age: 30d
  strict_response: true
hosts: [gate.example, other.example]
capture:
  - {principal: ann/claude, level: metadata}
  - principal: "*"
    level: full
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:5000" || c.Console != "127.0.0.1:4040" {
		t.Errorf("listen %q, console %q", c.Listen, c.Console)
	}
	if u := c.Upstreams["openai"]; u.URL != "https://proxy.example/openai" || u.CAFile != "/etc/ca.pem" {
		t.Errorf("openai = %+v", u)
	}
	if u := c.Upstreams["anthropic"]; u.URL != "https://api.anthropic.com" {
		t.Errorf("anthropic = %+v", u)
	}
	if c.Limits.Body != 1<<20 || time.Duration(c.Limits.IdleTimeout) != 2*time.Minute || c.Limits.Memory != 512<<20 {
		t.Errorf("limits = %+v", c.Limits)
	}
	if time.Duration(c.Ledger.MaxAge) != 30*24*time.Hour || !c.Ledger.StrictResponse || c.Ledger.Mode != "bounded" {
		t.Errorf("ledger = %+v", c.Ledger)
	}
	want := []config.Capture{{Principal: "ann/claude", Level: flow.CaptureMetadata}, {Principal: "*", Level: flow.CaptureFull}}
	if !reflect.DeepEqual(c.Capture, want) || len(c.Hosts) != 2 {
		t.Errorf("capture = %+v, hosts = %q", c.Capture, c.Hosts)
	}
}

func TestParseReportsAllProblemsWithTheirLines(t *testing.T) {
	_, err := config.Parse([]byte(`listn: 127.0.0.1:1
limits:
  body: much
  idle_timeuot: 3s
ledger: strict
hosts: one
capture:
  - principal: [a]
`))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"line 1: listn is no setting; did you mean listen?",
		`line 3: limits.body: "much" is no size`,
		"line 4: limits.idle_timeuot is no setting; did you mean idle_timeout?",
		"line 5: ledger: must be a mapping",
		"line 6: hosts: must be a list",
		"line 8: capture[0].principal: must be a single value",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestParseChecksValues(t *testing.T) {
	tests := []struct{ text, want string }{
		{"listen: nowhere", `line 1: listen: "nowhere" is not HOST:PORT`},
		{"upstreams:\n  openai: {url: ftp://x}", "line 2: upstreams.openai.url"},
		{"upstreams:\n  azure: {url: http://x}", `line 2: upstreams.azure: "azure" is no provider`},
		{"ledger: {mode: lax}", `"lax" is no mode`},
		{"limits: {body: 1GiB}", "limits.memory: must be at least"},
		{"limits: {read_timeout: 0}", "limits.read_timeout: must be more than 0"},
		{"capture: [{level: some, principal: x}]", `"some" is no level`},
		{"kek: 00112233", "a key never stands in this file"},
		{"listen: [", "[1:"},
		{"listen: a:1\nlisten: a:2", "listen"},
		{"just a word", "the file: must be a mapping"},
	}
	for _, tt := range tests {
		if _, err := config.Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
	if _, err := config.Parse(nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestKEKComesByReference(t *testing.T) {
	t.Setenv("A_KEY", strings.Repeat("ab", 32))
	c, err := config.Parse([]byte("kek: env:A_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := c.KEK(); err != nil || len(key) != 32 || key[0] != 0xab {
		t.Errorf("key %x, %v", key, err)
	}
	t.Setenv("A_KEY", "supersecret")
	if _, err := c.KEK(); err == nil || strings.Contains(err.Error(), "supersecret") {
		t.Errorf("a bad key: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("limits: {body: 1MiB}\ncapture: [{principal: x}]"))
	f.Add([]byte("a: &a [*a]\n<<: {b: 1}\n? [x]\n: y"))
	f.Fuzz(func(t *testing.T, text []byte) { config.Parse(text) })
}

// The reference page is made from the struct's tags and the defaults.
func TestReferencePage(t *testing.T) {
	const page = "../../docs/reference/config.md"
	want := reference()
	got, _ := os.ReadFile(page)
	if string(got) == want {
		return
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what the code says; UPDATE=1 go test ./internal/config writes it", page)
}

func reference() string {
	var b strings.Builder
	b.WriteString("# Settings\n\nOne YAML file, `gatehouse up --config FILE`. Every setting has a default; flags win over the file. An\n" +
		"unknown key is an error, with its line and what was probably meant; all problems are reported\ntogether. Sizes are written as `64MiB`, durations as `30s`, `1h30m` or `7d`.\n\n" +
		"| setting | default | meaning |\n|---|---|---|\n")
	rows(&b, reflect.ValueOf(config.Default()).Elem(), "")
	b.WriteString("\nAn example:\n\n```yaml\nlisten: 127.0.0.1:4000\nupstreams:\n  openai:\n    url: https://llm.example.com/openai\n    ca_file: /etc/ssl/corporate.pem\n" +
		"limits:\n  body: 32MiB\nledger:\n  max_age: 90d\ncapture:\n  - principal: \"*\"\n    level: full\n```\n")
	return b.String()
}

func rows(b *strings.Builder, v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, value := path+f.Tag.Get("yaml"), v.Field(i)
		switch {
		case value.Kind() == reflect.Struct:
			rows(b, value, name+".")
		case value.Kind() == reflect.Map:
			rows(b, reflect.New(value.Type().Elem()).Elem(), name+".NAME.")
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
			fmt.Fprintf(b, "| `%s` | | %s |\n", name, f.Tag.Get("doc"))
			rows(b, reflect.New(value.Type().Elem()).Elem(), name+"[].")
		default:
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, strings.Trim(fmt.Sprint(value), "[]"), f.Tag.Get("doc"))
		}
	}
}
