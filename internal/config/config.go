// Package config is the gateway's one settings file: strict, checked once, all
// problems reported together, each with its line. It starts nothing; app cuts
// the settings up and hands each part to whom it concerns.
package config

import (
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
	if path, ok := strings.CutPrefix(c.KeyRef, "file:"); ok {
		c.KeyRef = "file:" + from(path)
	}
}

// KEK gives the key-encryption key, 32 bytes, that the file refers to; nil when
// it refers to none. No error holds any of it.
func (c *Config) KEK() ([]byte, error) {
	var text string
	name, isEnv := strings.CutPrefix(c.KeyRef, "env:")
	path, isFile := strings.CutPrefix(c.KeyRef, "file:")
	switch {
	case c.KeyRef == "":
		return nil, nil
	case isEnv:
		if text = os.Getenv(name); text == "" {
			return nil, fmt.Errorf("the variable %s is not set", name)
		}
	case isFile:
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text = string(raw)
	}
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hexadecimal digits", c.KeyRef)
	}
	return key, nil
}
