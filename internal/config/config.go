// Package config is the gateway's one settings file: strict, checked once, all
// problems reported together, each with its line. It starts nothing; app cuts
// the settings up and hands each part to whom it concerns.
package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Config is the settings file. Each field's tags give its key and what it is
// for; docs/reference/config.md is checked against them by a test.
type Config struct {
	Listen    string              `yaml:"listen" doc:"the agents' address; beyond loopback an access key is required"`
	Console   string              `yaml:"console" doc:"address of health, readiness, metrics and the admin API; off: none"`
	Data      string              `yaml:"data" doc:"data folder; empty: $GATEHOUSE_DATA, else the per-user folder"`
	Hosts     []string            `yaml:"hosts" doc:"names, beside localhost and IP addresses, that a Host header may carry"`
	Upstreams map[string]Upstream `yaml:"upstreams" doc:"providers: anthropic, openai, gemini"`
	Limits    Limits              `yaml:"limits"`
	Ledger    Ledger              `yaml:"ledger"`
	Identity  Identity            `yaml:"identity"`
	Capture   []Capture           `yaml:"capture" doc:"how much is kept of whose flows; the first that fits counts; none fits: full"`
	Prices    string              `yaml:"prices" doc:"YAML file whose prices are merged over the built-in ones"`
	KeyRef    string              `yaml:"kek" doc:"key-encryption key, 64 hexadecimal digits: env:NAME or file:PATH; empty: the file kek in the data folder"`
}

// Upstream is where a provider is.
type Upstream struct {
	URL    string `yaml:"url" doc:"base address"`
	Proxy  string `yaml:"proxy" doc:"HTTP(S) proxy; empty: HTTPS_PROXY and NO_PROXY of the environment"`
	CAFile string `yaml:"ca_file" doc:"PEM file of further root certificates"`
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
		Limits: Limits{
			Body: 64 << 20, Memory: 512 << 20,
			HeaderTimeout: Duration(30 * time.Second), ReadTimeout: Duration(30 * time.Second),
			IdleTimeout: Duration(10 * time.Minute), DrainTimeout: Duration(5 * time.Minute),
		},
		Ledger: Ledger{Mode: "strict", Window: Duration(50 * time.Millisecond), SegmentSize: 64 << 20, Reserve: 32 << 20},
	}
}

// Load reads a file over the defaults. Its error lists every problem, one a
// line, as FILE:LINE: what.
func Load(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading settings in %s:\n%w", file, err)
	}
	return c, nil
}

// Parse reads the text of a settings file over the defaults.
func Parse(text []byte) (*Config, error) {
	c := Default()
	d := decode(text, c)
	if len(d.problems) == 0 {
		c.check(d)
	}
	if len(d.problems) > 0 {
		return nil, errors.New(strings.Join(d.problems, "\n"))
	}
	return c, nil
}

// check finds values that can't be meant.
func (c *Config) check(d *decoder) {
	d.require(isAddr(c.Listen), "listen", "%q is not HOST:PORT", c.Listen)
	d.require(c.Console == "" || c.Console == "off" || isAddr(c.Console), "console", "%q is not HOST:PORT or off", c.Console)
	for name, u := range c.Upstreams {
		at := "upstreams." + name
		d.require(slices.Contains([]string{"anthropic", "openai", "gemini"}, name), at, "%q is no provider: anthropic, openai or gemini", name)
		d.require(isURL(u.URL), at+".url", "%q is not an http or https address", u.URL)
		d.require(u.Proxy == "" || isURL(u.Proxy), at+".proxy", "%q is not an http or https address", u.Proxy)
	}
	l := c.Limits
	for key, n := range map[string]int64{
		"limits.body": int64(l.Body), "limits.memory": int64(l.Memory), "limits.header_timeout": int64(l.HeaderTimeout),
		"limits.read_timeout": int64(l.ReadTimeout), "limits.idle_timeout": int64(l.IdleTimeout), "limits.drain_timeout": int64(l.DrainTimeout),
	} {
		d.require(n > 0, key, "must be more than 0")
	}
	d.require(l.Memory >= l.Body, "limits.memory", "must be at least limits.body, or the largest body never fits")
	d.require(c.Ledger.Mode == "strict" || c.Ledger.Mode == "bounded", "ledger.mode", "%q is no mode: strict or bounded", c.Ledger.Mode)
	d.require(c.Ledger.SegmentSize >= 1<<20, "ledger.segment_size", "must be at least 1MiB")
	for i, rule := range c.Capture {
		at := fmt.Sprintf("capture[%d]", i)
		d.require(rule.Principal != "", at, "needs a principal (a name, or *)")
		d.require(rule.Level == flow.CaptureFull || rule.Level == flow.CaptureMetadata, at, "%q is no level: full or metadata", rule.Level)
	}
	d.require(c.KeyRef == "" || strings.HasPrefix(c.KeyRef, "env:") || strings.HasPrefix(c.KeyRef, "file:"), "kek", "must be env:NAME or file:PATH; a key never stands in this file")
}

func isAddr(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
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
