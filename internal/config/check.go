package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

var providers = []string{string(flow.Anthropic), string(flow.OpenAI), string(flow.Gemini)}

// check finds values that can't be meant. It quotes no address: a password may
// stand in it.
func (c *Config) check(d *strict.Reading) {
	d.Require(isAddr(c.Listen), "listen", "%q is not HOST:PORT", c.Listen)
	d.Require(c.Console == "" || c.Console == "off" || isAddr(c.Console), "console", "%q is not HOST:PORT or off", c.Console)
	d.Require(c.Console != c.Listen || strings.HasSuffix(c.Listen, ":0"), "console", "must be another address than listen: the agents' port serves no browser")
	for i, host := range c.Hosts {
		d.Require(host != "" && !strings.ContainsAny(host, ":/ "), fmt.Sprintf("hosts[%d]", i), "%q is not a host's name without a port", host)
	}
	for name, u := range c.Upstreams {
		u.check(d, name)
	}
	c.Intercept.check(d)
	d.Require(!c.Intercept.On() || strings.HasSuffix(c.Intercept.Listen, ":0") || c.Intercept.Listen != c.Listen && c.Intercept.Listen != c.Console,
		"intercept.listen", "must be another address than listen and console")
	c.Limits.check(d)
	c.Ledger.check(d)
	// "user/program" and "key:NAME" are other principals' names.
	d.Require(!strings.ContainsAny(c.Identity.Anonymous, "/:* \t\n"), "identity.anonymous", "must be a name without spaces and without / : *")
	c.checkCapture(d)
	c.checkDetectors(d)
	d.Require(c.KeyRef == "" || reference(c.KeyRef, "env:") || reference(c.KeyRef, "file:"), "kek", "must be env:NAME or file:PATH; a key never stands in this file")
}

func (u Upstream) check(d *strict.Reading, name string) {
	at := "upstreams." + name
	d.Require(slices.Contains(providers, name), at, "%q is no provider: %s%s", name, strings.Join(providers, ", "), strict.Nearest(name, providers))
	d.Require(isURL(u.URL, "http", "https"), at+".url", "must be https://HOST or http://HOST, without user, query and fragment")
	d.Require(u.Proxy == "" || isURL(u.Proxy, "http", "https", "socks5", "socks5h"), at+".proxy",
		"must be http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT; one with a password is set by HTTPS_PROXY in the environment")
}

func (l Limits) check(d *strict.Reading) {
	d.Require(l.Body >= 1<<10, "limits.body", "must be at least 1KiB")
	d.Require(l.Memory >= l.Body, "limits.memory", "must be at least limits.body, or the largest body never fits")
	for key, t := range map[string]Duration{
		"limits.header_timeout": l.HeaderTimeout, "limits.read_timeout": l.ReadTimeout,
		"limits.idle_timeout": l.IdleTimeout, "limits.drain_timeout": l.DrainTimeout,
	} {
		d.Require(t > 0, key, "must be more than 0")
	}
}

func (l Ledger) check(d *strict.Reading) {
	d.Require(l.Mode == "strict" || l.Mode == "bounded", "ledger.mode", "%q is no mode: strict or bounded", l.Mode)
	d.Require(between(l.Window, time.Millisecond, time.Minute), "ledger.window", "must be between 1ms and 1m")
	d.Require(l.SegmentSize >= 1<<20 && l.SegmentSize <= 4<<30, "ledger.segment_size", "must be between 1MiB and 4GiB")
	d.Require(l.MaxSize == 0 || l.MaxSize >= 2*l.SegmentSize, "ledger.max_size", "must be at least two segments, since whole segments are removed; or 0 for never")
	d.Require(l.MaxAge == 0 || time.Duration(l.MaxAge) >= time.Hour, "ledger.max_age", "must be at least 1h, or 0 for never")
	d.Require(l.Reserve >= 1<<20, "ledger.reserve", "must be at least 1MiB: running calls are still recorded when the disk fills")
}

func (c *Config) checkCapture(d *strict.Reading) {
	seen := map[string]bool{}
	for i, rule := range c.Capture {
		at := fmt.Sprintf("capture[%d]", i)
		d.Require(rule.Principal != "", at, "needs a principal (a name, or *)")
		d.Require(rule.Level == flow.CaptureFull || rule.Level == flow.CaptureMetadata, at, "%q is no level: full or metadata", rule.Level)
		d.Require(!seen[rule.Principal] && !seen["*"], at, "never counts: a rule before it fits %s", rule.Principal)
		seen[rule.Principal] = true
	}
}

var (
	kinds      = []string{"presidio", "guardrail", "moderation"}
	directions = []string{"request", "answer"}
	channels   = []string{
		string(flow.System), string(flow.User), string(flow.Assistant), string(flow.ToolDefs),
		string(flow.ToolCalls), string(flow.ToolResults), string(flow.File), string(flow.Envelope),
	}
	detectorName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

// maxDetectors bounds how many are asked about each text.
const maxDetectors = 16

func (c *Config) checkDetectors(d *strict.Reading) {
	d.Require(len(c.Detectors) <= maxDetectors, "detectors", "may be %d at most", maxDetectors)
	seen := map[string]bool{"limit": true} // names what is beyond the bounds of all
	for i, x := range c.Detectors {
		at := fmt.Sprintf("detectors[%d]", i)
		d.Require(detectorName.MatchString(x.Name), at+".name", "must have 1 to 32 lower case letters, digits and -, a letter first")
		d.Require(!seen[x.Name], at+".name", "is another one's, or is limit")
		seen[x.Name] = true
		x.check(d, at)
	}
}

func (x *Detector) check(d *strict.Reading, at string) {
	d.Require(slices.Contains(kinds, x.Kind), at+".kind", "%q is no kind: %s%s", x.Kind, strings.Join(kinds, ", "), strict.Nearest(x.Kind, kinds))
	d.Require(isURL(x.URL, "http", "https"), at+".url", "must be https://HOST or, on this machine, http://HOST:PORT, without user, query and fragment")
	d.Require(x.Key == "" || reference(x.Key, "env:") || reference(x.Key, "file:"), at+".key", "must be env:NAME or file:PATH; a key never stands in this file")
	for _, w := range []struct {
		key, noun  string
		got, known []string
	}{{"channels", "channel", x.Channels, channels}, {"direction", "direction", x.Direction, directions}} {
		for _, word := range w.got {
			d.Require(slices.Contains(w.known, word), at+"."+w.key, "%q is no %s: %s%s", word, w.noun, strings.Join(w.known, ", "), strict.Nearest(word, w.known))
		}
	}
	says := slices.Contains(x.Channels, string(flow.Assistant)) || slices.Contains(x.Channels, string(flow.ToolCalls))
	d.Require(says || !slices.Contains(x.Direction, "answer"), at+".direction", "of an answer there are the channels assistant and tool_call: name one under channels")
	d.Require(between(x.Timeout, 10*time.Millisecond, 30*time.Second), at+".timeout", "must be between 10ms and 30s: calls wait for it")
	d.Require(x.Confidence >= 0 && x.Confidence <= 100, at+".min_confidence", "must be between 0 and 100: percent")
	d.Require(x.MaxText >= 1<<10 && x.MaxText <= 1<<20, at+".max_text", "must be between 1KiB and 1MiB")
	d.Require(x.Concurrency >= 1 && x.Concurrency <= 64, at+".concurrency", "must be between 1 and 64")
}

func between(d Duration, low, high time.Duration) bool {
	return time.Duration(d) >= low && time.Duration(d) <= high
}

func reference(s, scheme string) bool { return len(s) > len(scheme) && strings.HasPrefix(s, scheme) }

func isAddr(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsAny(host, "/ ") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}
