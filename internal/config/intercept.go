package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Intercept says what the forward proxy does with whose calls.
type Intercept struct {
	Listen  string         `yaml:"listen" doc:"address of the forward proxy (docs/intercept.md); beyond loopback an access key is required; off: none"`
	Inspect []Inspected    `yaml:"inspect" doc:"hosts whose calls are inspected, instead of the providers' own; a new one needs \"gatehouse ca rotate\""`
	Bypass  []Bypass       `yaml:"bypass" doc:"inspected hosts that are tunnelled for a while, because a client pins their certificate"`
	Others  string         `yaml:"others" doc:"any other host: tunnel (recorded by host, bytes and time) or refuse"`
	Ports   []int          `yaml:"ports" doc:"ports that a client may CONNECT to"`
	Private []netip.Prefix `yaml:"private" doc:"ranges of loopback, private or link-local addresses that a client may reach"`
	Tenants Tenants        `yaml:"tenants"`
}

// Inspected is a host whose calls are inspected.
type Inspected struct {
	Host     string        `yaml:"host" doc:"a name, or *.DOMAIN for all below a domain"`
	Provider flow.Provider `yaml:"provider" doc:"whose API it speaks: anthropic, openai or gemini"`
}

// Bypass is an inspected host that is tunnelled until a day.
type Bypass struct {
	Host   string `yaml:"host" doc:"a host of intercept.inspect"`
	Owner  string `yaml:"owner" doc:"who answers for it"`
	Reason string `yaml:"reason" doc:"why"`
	Until  Date   `yaml:"until" doc:"last day, as 2026-12-31"`
}

// Tenants are the organisations that calls may be made for: what providers
// read from headers that a network sets.
type Tenants struct {
	Anthropic []string `yaml:"anthropic" doc:"organisation ids, sent to Anthropic as anthropic-allowed-org-ids"`
	ChatGPT   []string `yaml:"chatgpt" doc:"workspace ids, sent to OpenAI as ChatGPT-Allowed-Workspace-Id"`
}

// Date is a day, in UTC.
type Date struct{ time.Time }

// UnmarshalText reads a day.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%q is no day: write 2026-12-31", text)
	}
	return nil
}

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// End is when the day is over.
func (d Date) End() time.Time { return d.AddDate(0, 0, 1) }

func defaultIntercept() Intercept {
	return Intercept{
		Listen: "127.0.0.1:4001", Others: "tunnel", Ports: []int{443},
		Inspect: []Inspected{
			{"api.anthropic.com", flow.Anthropic},
			{"api.openai.com", flow.OpenAI}, {"chatgpt.com", flow.OpenAI},
			{"generativelanguage.googleapis.com", flow.Gemini}, {"cloudcode-pa.googleapis.com", flow.Gemini},
		},
	}
}

// On reports whether there is a forward proxy.
func (i Intercept) On() bool { return i.Listen != "" && i.Listen != "off" }

// Hosts are those that are inspected.
func (i Intercept) Hosts() (hosts []string) {
	for _, h := range i.Inspect {
		hosts = append(hosts, h.Host)
	}
	return hosts
}

func (i Intercept) check(d *strict.Reading) {
	d.Require(!i.On() || isAddr(i.Listen), "intercept.listen", "%q is not HOST:PORT or off", i.Listen)
	d.Require(i.Others == "tunnel" || i.Others == "refuse", "intercept.others", "%q is neither tunnel nor refuse", i.Others)
	seen := map[string]bool{}
	for n, h := range i.Inspect {
		at := fmt.Sprintf("intercept.inspect[%d]", n)
		d.Require(isDomain(strings.TrimPrefix(h.Host, "*.")), at+".host", "%q is not a host's name in lower case, or *.DOMAIN", h.Host)
		d.Require(slices.Contains(providers, string(h.Provider)), at+".provider", "%q is no provider: %s", h.Provider, strings.Join(providers, ", "))
		d.Require(!seen[h.Host], at+".host", "%s stands here twice", h.Host)
		seen[h.Host] = true
	}
	for n, b := range i.Bypass {
		at := fmt.Sprintf("intercept.bypass[%d]", n)
		d.Require(seen[b.Host], at+".host", "%q is not in intercept.inspect, so nothing of it is to be bypassed", b.Host)
		d.Require(b.Owner != "" && b.Reason != "", at, "needs an owner and a reason")
		d.Require(!b.Until.IsZero(), at, "needs a last day (until)")
	}
	for n, port := range i.Ports {
		d.Require(port > 0 && port < 1<<16, fmt.Sprintf("intercept.ports[%d]", n), "%d is no port", port)
	}
	for name, ids := range map[string][]string{"anthropic": i.Tenants.Anthropic, "chatgpt": i.Tenants.ChatGPT} {
		for n, id := range ids {
			d.Require(isID(id), fmt.Sprintf("intercept.tenants.%s[%d]", name, n), "must be one id, of letters, digits, - and _")
		}
	}
}

// isDomain reports whether a name is one that a certificate may carry: at
// least two labels, no address.
func isDomain(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func isID(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}
