// Package config is the gateway's one settings file: strict, checked once, all
// problems reported together, each with its line. It starts nothing; app cuts
// the settings up and hands each part to whom it concerns.
package config

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Config is the settings file. Each field's tags give its key and what it is
// for; docs/reference/config.md is checked against them by a test.
type Config struct {
	Listen    string              `yaml:"listen" doc:"the agents' address; beyond loopback an access key is required"`
	Console   string              `yaml:"console" doc:"address of health, readiness, metrics and the admin API; off: none"`
	Data      string              `yaml:"data" doc:"data folder; empty: $GATEHOUSE_DATA, else the per-user folder"`
	Hosts     []string            `yaml:"hosts" doc:"names, beside localhost and IP addresses, that a Host header may carry"`
	Upstreams map[string]Upstream `yaml:"upstreams" doc:"providers: anthropic, openai, gemini"`
	Intercept Intercept           `yaml:"intercept"`
	Limits    Limits              `yaml:"limits"`
	Ledger    Ledger              `yaml:"ledger"`
	Identity  Identity            `yaml:"identity"`
	Capture   []Capture           `yaml:"capture" doc:"how much is kept of whose flows; the first that fits counts; none fits: full"`
	Policy    Policy              `yaml:"policy"`
	Rules     Rules               `yaml:"rules"`
	Detectors []Detector          `yaml:"detectors" doc:"other people's detectors (docs/remote.md); they are asked at the same time"`
	Prices    string              `yaml:"prices" doc:"YAML file whose prices are merged over the built-in ones"`
	KeyRef    string              `yaml:"kek" doc:"key-encryption key, 64 hexadecimal digits: env:NAME or file:PATH; empty: the file kek in the data folder"`
}

// Upstream is where a provider is.
type Upstream struct {
	URL    string `yaml:"url" doc:"base address; the provider's public one unless set"`
	Proxy  string `yaml:"proxy" doc:"HTTP(S) proxy; empty: HTTPS_PROXY and NO_PROXY of the environment"`
	CAFile string `yaml:"ca_file" doc:"PEM file of root certificates, beside the system's"`
}

// Limits bound what one call, and all calls together, may take.
type Limits struct {
	Body          Size     `yaml:"body" doc:"most bytes of one request or WebSocket message"`
	Memory        Size     `yaml:"memory" doc:"most bytes of request bodies held at once"`
	HeaderTimeout Duration `yaml:"header_timeout" doc:"for a client to send its headers"`
	ReadTimeout   Duration `yaml:"read_timeout" doc:"a client that sends none of its body for so long is given up"`
	IdleTimeout   Duration `yaml:"idle_timeout" doc:"a provider that sends nothing for so long is given up; streams have no other limit"`
	DrainTimeout  Duration `yaml:"drain_timeout" doc:"for running calls to end when the gateway stops"`
}

// Ledger says how the record is kept.
type Ledger struct {
	Mode           string   `yaml:"mode" doc:"strict: an intent is on disk before anything is forwarded; bounded: within window"`
	Window         Duration `yaml:"window" doc:"what a crash may cost in mode bounded"`
	StrictResponse bool     `yaml:"strict_response" doc:"the end of an answer waits until its outcome is on disk"`
	SegmentSize    Size     `yaml:"segment_size" doc:"a segment is closed at"`
	MaxSize        Size     `yaml:"max_size" doc:"the oldest segments are removed above; 0: never"`
	MaxAge         Duration `yaml:"max_age" doc:"segments older are removed; 0: never"`
	Reserve        Size     `yaml:"reserve" doc:"free disk below which new calls are refused"`
}

// Identity says how callers are named.
type Identity struct {
	Anonymous string `yaml:"anonymous" doc:"name of a loopback caller whose process can't be found; empty: such a call is refused"`
}

// Policy says where the policy is.
type Policy struct {
	File string `yaml:"file" doc:"policy file (docs/policy.md); empty: policy.yaml in the data folder if it is there, else the built-in policy, which only reports"`
}

// Rules says where the operator's own rules are.
type Rules struct {
	Dir string `yaml:"dir" doc:"folder of rules files, *.yaml (docs/rules.md), beside the folder rules in the data folder"`
}

// Detector is another one's detector that is asked about texts. What is left out is
// filled in by Parse.
type Detector struct {
	Name        string      `yaml:"name" doc:"in the names of what it finds, remote.NAME-…: lower case letters, digits, -"`
	Kind        string      `yaml:"kind" doc:"presidio, guardrail (LiteLLM's generic guardrail API) or moderation (as OpenAI's)"`
	URL         string      `yaml:"url" doc:"its address, with or without the path of its kind; https, or http on this machine"`
	Key         string      `yaml:"key" doc:"its key: env:NAME or file:PATH; empty: none"`
	Channels    strict.List `yaml:"channels" doc:"whose texts it gets; empty: user, tool_result, file"`
	Direction   strict.List `yaml:"direction" doc:"request, answer; empty: request"`
	Timeout     Duration    `yaml:"timeout" doc:"for all that it is asked about one request or answer; 0: 800ms"`
	Confidence  int         `yaml:"min_confidence" doc:"percent: its score times 100; what is less sure is no finding"`
	Entities    strict.List `yaml:"entities" doc:"its entities or categories that count, in its own words; empty: all"`
	Language    string      `yaml:"language" doc:"of the texts, for presidio; empty: en"`
	Model       string      `yaml:"model" doc:"for moderation; empty: the service's own choice"`
	MaxText     Size        `yaml:"max_text" doc:"most bytes of text in one call; longer texts are cut; 0: 64KiB"`
	Concurrency int         `yaml:"concurrency" doc:"most calls at once; 0: 8"`
}

// Capture is one rule of how much is kept.
type Capture struct {
	Principal string       `yaml:"principal" doc:"a principal's name, or *"`
	Level     flow.Capture `yaml:"level" doc:"full or metadata"`
}

// Default is the configuration without a file.
func Default() *Config {
	return &Config{
		Listen:  "127.0.0.1:4000",
		Console: "127.0.0.1:4040",
		Upstreams: map[string]Upstream{
			"anthropic": {URL: "https://api.anthropic.com"},
			"openai":    {URL: "https://api.openai.com"},
			"gemini":    {URL: "https://generativelanguage.googleapis.com"},
		},
		Intercept: defaultIntercept(),
		Limits: Limits{
			Body: 64 << 20, Memory: 512 << 20,
			HeaderTimeout: Duration(30 * time.Second), ReadTimeout: Duration(30 * time.Second),
			IdleTimeout: Duration(10 * time.Minute), DrainTimeout: Duration(5 * time.Minute),
		},
		Ledger: Ledger{Mode: "strict", Window: Duration(50 * time.Millisecond), SegmentSize: 64 << 20, Reserve: 32 << 20},
	}
}

// Load reads a file over the defaults. Relative paths in it are taken from the
// file's own folder. Its error lists every problem, one a line, with the line
// that it stands on.
func Load(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading settings in %s:\n%w", file, err)
	}
	c.rebase(filepath.Dir(file))
	return c, nil
}

// Parse reads the text of a settings file over the defaults.
func Parse(text []byte) (*Config, error) {
	c := Default()
	d := strict.Read(text, c)
	for i := range c.Detectors {
		c.Detectors[i].fill()
	}
	if !d.Broken {
		c.check(d)
	}
	if err := errorOf(d.Problems()); err != nil {
		return nil, err
	}
	return c, nil
}

// errorOf tells all problems, one a line; nil when there is none.
func errorOf(problems []strict.Problem) error {
	var errs []error
	for _, p := range problems {
		text := p.Text
		if p.Line > 0 {
			text = fmt.Sprintf("line %d: %s", p.Line, text)
		}
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}

// rebase takes relative paths from a folder.
func (c *Config) rebase(dir string) {
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	for name, u := range c.Upstreams {
		u.CAFile = from(u.CAFile)
		c.Upstreams[name] = u
	}
	c.Data, c.Prices, c.Policy.File, c.Rules.Dir = from(c.Data), from(c.Prices), from(c.Policy.File), from(c.Rules.Dir)
	for i := range c.Detectors {
		c.Detectors[i].Key = refFrom(from, c.Detectors[i].Key)
	}
	c.KeyRef = refFrom(from, c.KeyRef)
}

func refFrom(from func(string) string, ref string) string {
	if path, ok := strings.CutPrefix(ref, "file:"); ok {
		return "file:" + from(path)
	}
	return ref
}

// fill puts the defaults in.
func (d *Detector) fill() {
	if len(d.Channels) == 0 {
		d.Channels = strict.List{string(flow.User), string(flow.ToolResults), string(flow.File)}
	}
	if len(d.Direction) == 0 {
		d.Direction = strict.List{"request"}
	}
	d.Timeout = cmp.Or(d.Timeout, Duration(800*time.Millisecond))
	d.Language = cmp.Or(d.Language, "en")
	d.MaxText = cmp.Or(d.MaxText, 64<<10)
	d.Concurrency = cmp.Or(d.Concurrency, 8)
}

// Secret gives the key that a detector is called with; "" when it has none. No error
// holds any of it.
func (d *Detector) Secret() (string, error) {
	text, err := resolve(d.Key)
	if err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	if d.Key != "" && text == "" || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fmt.Errorf("%s does not hold a key of one line", d.Key)
	}
	return text, nil
}

// KEK gives the key-encryption key, 32 bytes, that the file refers to; nil when
// it refers to none. No error holds any of it.
func (c *Config) KEK() ([]byte, error) {
	if c.KeyRef == "" {
		return nil, nil
	}
	text, err := resolve(c.KeyRef)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hexadecimal digits", c.KeyRef)
	}
	return key, nil
}

// resolve gives what env:NAME or file:PATH refers to; "" for no reference.
func resolve(ref string) (string, error) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		text := os.Getenv(name)
		if text == "" {
			return "", fmt.Errorf("the variable %s is not set", name)
		}
		return text, nil
	}
	path, ok := strings.CutPrefix(ref, "file:")
	if !ok {
		return "", nil
	}
	text, err := os.ReadFile(path)
	return string(text), err
}
