package config_test

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
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
		{"listen: [", "line 1: not YAML"},
		{"listen: 127.0.0.1:1\nlisten: 127.0.0.1:2", "line 2: listen stands here twice"},
		{"listen: a:1\n---\nlisten: a:2", "line 3: a second document"},
		{"listen: 127.0.0.1:99999", "is not HOST:PORT"},
		{"listen: 127.0.0.1:4040", "console: must be another address"},
		{"hosts: [gate.example, \"gate.example:80\"]", "hosts[1]"},
		{"upstreams:\n  opnai: {url: http://x}", "did you mean openai?"},
		{"ledger: {window: 0}", "ledger.window: must be between"},
		{"ledger: {reserve: 0}", "ledger.reserve: must be at least"},
		{"ledger: {max_size: 100MiB}", "ledger.max_size: must be at least two segments"},
		{"ledger: {max_age: 5m}", "ledger.max_age: must be at least 1h"},
		{"identity: {anonymous: root/claude}", "identity.anonymous"},
		{"capture:\n  - {principal: \"*\", level: full}\n  - {principal: ann/claude, level: metadata}", "line 3: capture[1]: never counts"},
		{"detectors: [{name: Names, kind: presidio, url: http://127.0.0.1:1}]", "detectors[0].name: must have 1 to 32"},
		{"detectors: [{name: limit, kind: presidio, url: http://127.0.0.1:1}]", "detectors[0].name: is another one's, or is limit"},
		{"detectors:\n  - {name: a, kind: presidio, url: http://127.0.0.1:1}\n  - {name: a, kind: presido, url: http://127.0.0.1:1}", "line 3: detectors[1].name: is another"},
		{"detectors: [{name: a, kind: presido, url: http://127.0.0.1:1}]", "did you mean presidio?"},
		{"detectors: [{name: a, kind: presidio, url: http://me:p@127.0.0.1:1}]", "detectors[0].url: must be https"},
		{"detectors: [{name: a, kind: presidio}]", "detectors[0].url: must be https"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, key: abc}]", "detectors[0].key: must be env:NAME"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, channels: users}]", "did you mean user?"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, direction: answers}]", "did you mean answer?"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, direction: answer}]", "name one under channels"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, timeout: 1m}]", "detectors[0].timeout: must be between"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, min_confidence: 101}]", "detectors[0].min_confidence: must be between"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, max_text: 3}]", "detectors[0].max_text: must be between"},
		{"detectors: [{name: a, kind: presidio, url: http://127.0.0.1:1, concurrency: 65}]", "detectors[0].concurrency: must be between"},
		{"just a word", "the file: must be a mapping"},
		{"intercept: {listen: 4001}", "intercept.listen"},
		{"intercept: {listen: \"127.0.0.1:4000\"}", "intercept.listen: must be another address"},
		{"intercept: {others: maybe}", `"maybe" is neither tunnel nor refuse`},
		{"intercept: {inspect: [{host: API.example.com, provider: openai}]}", "intercept.inspect[0].host"},
		{"intercept: {inspect: [{host: 192.0.2.1, provider: openai}]}", "intercept.inspect[0].host"},
		{"intercept: {inspect: [{host: \"*.com\", provider: openai}]}", "intercept.inspect[0].host"},
		{"intercept: {inspect: [{host: a.example.com, provider: azure}]}", "intercept.inspect[0].provider"},
		{"intercept: {inspect: [{host: a.example.com, provider: openai}, {host: a.example.com, provider: gemini}]}", "stands here twice"},
		{"intercept: {bypass: [{host: a.example.com, owner: x, reason: y, until: 2026-12-31}]}", "is not in intercept.inspect"},
		{"intercept: {bypass: [{host: chatgpt.com, until: 2026-12-31}]}", "needs an owner and a reason"},
		{"intercept: {bypass: [{host: chatgpt.com, owner: x, reason: y}]}", "needs a last day"},
		{"intercept: {bypass: [{host: chatgpt.com, owner: x, reason: y, until: soon}]}", `"soon" is no day`},
		{"intercept: {ports: [70000]}", "70000 is no port"},
		{"intercept: {private: [10.0.0.1]}", "intercept.private[0]"},
		{"intercept: {tenants: {anthropic: [\"a,b\"]}}", "must be one id"},
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

// Bad keys and bad values are told in one go, in the order of the lines.
func TestParseOrdersProblems(t *testing.T) {
	_, err := config.Parse([]byte("kek: x\nlimit: 1\nledger:\n  mode: lax\n  maxage: 1h\nlisten: nowhere\n"))
	want := `line 1: kek: must be env:NAME or file:PATH; a key never stands in this file
line 2: limit is no setting; did you mean limits?
line 4: ledger.mode: "lax" is no mode: strict or bounded
line 5: ledger.maxage is no setting; did you mean max_age?
line 6: listen: "nowhere" is not HOST:PORT`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestProblemsQuoteNoSecret(t *testing.T) {
	_, err := config.Parse([]byte(`
kek: hunter2
upstreams:
  openai: {url: "ftp://me:hunter2@x", proxy: "https://me:hunter2@x:1"}
  gemini: {url: "https://x?key=hunter2"}
`))
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four problems, got %v", err)
	}
	_, err2 := config.Parse([]byte("kek: [hunter2\nlisten: }hunter2"))
	if strings.Contains(fmt.Sprint(err, err2), "hunter2") {
		t.Errorf("quoted: %v, %v", err, err2)
	}
}

func TestLoadTakesPathsFromTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gatehouse.yaml")
	text := "data: state\nprices: p.yaml\npolicy: {file: rules/own.yaml}\nkek: file:secret/kek\nupstreams: {openai: {ca_file: " + filepath.ToSlash(filepath.Join(dir, "abs.pem")) + "}, gemini: {ca_file: own.pem}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Data, c.Prices, c.Policy.File, c.KeyRef, c.Upstreams["openai"].CAFile, c.Upstreams["gemini"].CAFile, c.Upstreams["anthropic"].CAFile}
	in := func(name string) string { return filepath.Join(dir, name) }
	want := []string{in("state"), in("p.yaml"), in("rules/own.yaml"), "file:" + in("secret/kek"), in("abs.pem"), in("own.pem"), ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := config.Load(in("none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]string{
		"limits: {body: 65536}": "64KiB", "limits: {body: 1.5MiB}": "1536KiB", "limits: {body: 10 KB}": "10000", "limits: {body: 64mib}": "64MiB", "limits: {body: 2000B}": "2000",
		"limits: {body: -1}": "", "limits: {body: 1e99TiB}": "", "limits: {body: 5 XB}": "", "limits: {body: \"\"}": "", "limits: {body: NaN}": "", "limits: {body: Inf}": "",
	} {
		c, err := config.Parse([]byte(text))
		if want == "" && err == nil || want != "" && (err != nil || c.Limits.Body.String() != want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"90m": "1h30m", "7d": "7d", "48h": "2d", "1500ms": "1.5s", "-5s": "", "5": "", "5 days": "", "NaNd": ""} {
		c, err := config.Parse([]byte("limits: {idle_timeout: " + text + "}"))
		if want == "" && err == nil || want != "" && (err != nil || c.Limits.IdleTimeout.String() != want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// What a detector's lines leave out is filled in; keys come by reference, from the
// file's folder, and stand in no error.
func TestDetectors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gatehouse.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gatehouse.yaml", "detectors:\n  - {name: a, kind: presidio, url: \"http://127.0.0.1:1\"}\n"+
		"  - {name: b, kind: guardrail, url: \"https://x\", key: file:own.key, channels: assistant, direction: [request, answer], timeout: 2s, min_confidence: 40}\n")
	write("own.key", "k-1\n")
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	a, b := c.Detectors[0], c.Detectors[1]
	if fmt.Sprint(a) != "{a presidio http://127.0.0.1:1  [user tool_result file] [request] 800ms 0 [] en  64KiB 8}" {
		t.Errorf("the first: %v", a)
	}
	if fmt.Sprint(b.Channels, b.Direction, b.Timeout, b.Confidence) != "[assistant] [request answer] 2s 40" {
		t.Errorf("the second: %v", b)
	}
	if key, err := b.Secret(); err != nil || key != "k-1" {
		t.Errorf("key %q, %v", key, err)
	}
	if key, err := a.Secret(); err != nil || key != "" {
		t.Errorf("no key: %q, %v", key, err)
	}
	for _, bad := range []string{"", "supersecret\nx"} {
		write("own.key", bad)
		if key, err := b.Secret(); err == nil || key != "" || strings.Contains(err.Error(), "supersecret") {
			t.Errorf("a bad key: %q, %v", key, err)
		}
	}
}

// The example on the page is a valid file.
func TestReferenceExample(t *testing.T) {
	_, text, _ := strings.Cut(reference(), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	if c, err := config.Parse([]byte(text)); err != nil || c.Limits.Body != 32<<20 {
		t.Errorf("the example: %v", err)
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
		"unknown key is an error, with its line and what was probably meant; all problems are reported\ntogether. Sizes are written as `64MiB`, durations as `30s`, `1h30m` or `7d`. Relative\npaths are taken from the file's folder.\n\n" +
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
		_, text := value.Addr().Interface().(encoding.TextUnmarshaler)
		switch {
		case value.Kind() == reflect.Struct && !text:
			rows(b, value, name+".")
		case value.Kind() == reflect.Map:
			rows(b, reflect.New(value.Type().Elem()).Elem(), name+".NAME.")
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct && value.Type().Elem() != reflect.TypeFor[netip.Prefix]():
			fmt.Fprintf(b, "| `%s` | | %s |\n", name, f.Tag.Get("doc"))
			rows(b, reflect.New(value.Type().Elem()).Elem(), name+"[].")
		default:
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, strings.Trim(fmt.Sprint(value), "[]"), f.Tag.Get("doc"))
		}
	}
}
