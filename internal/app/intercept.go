package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/proxy/intercept"
	"github.com/workingagents/gatehouse/internal/proxy/redirect"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// expiring is how long before a root's end its successor is asked for.
const expiring = 30 * 24 * time.Hour

// openCA opens the certificate authority, and makes it when there is none.
func (g *gateway) openCA() (err error) {
	if !g.c.Intercept.On() || len(g.c.Intercept.Inspect) == 0 {
		return nil
	}
	g.ca, err = ca.Open(g.c.Data, time.Now)
	if errors.Is(err, ca.ErrNone) {
		if _, err = ca.Rotate(g.c.Data, g.c.Intercept.Hosts(), 0, time.Now()); err != nil {
			return err
		}
		g.ca, err = ca.Open(g.c.Data, time.Now)
	}
	if err != nil {
		return fmt.Errorf("%w (or start without the forward proxy: --intercept off)", err)
	}
	g.warnCA()
	return nil
}

// warnCA says what a rotation would mend.
func (g *gateway) warnCA() {
	live := g.ca.Issuers()
	for _, host := range g.c.Intercept.Hosts() {
		if !slices.ContainsFunc(live, func(i ca.Issuer) bool { return i.Permits(host) }) {
			g.o.Log.Warn("calls to this host are refused until \"gatehouse ca rotate\": it was not inspected when the certificate authority was made", "host", host)
		}
	}
	if len(live) > 0 && time.Until(live[len(live)-1].Cert.NotAfter) < expiring {
		g.o.Log.Warn("the certificate authority ends soon: gatehouse ca rotate", "end", live[len(live)-1].Cert.NotAfter)
	}
}

// permits says why there can be no certificate for an inspected host.
func (g *gateway) permits(host string) error {
	if g.ca == nil {
		return ca.ErrNone
	}
	return g.ca.Permits(host)
}

// leaf gives the certificate for an inspected host. Issuers that another process
// has made since are on record before one of them signs.
func (g *gateway) leaf(host string) (*tls.Certificate, error) {
	cert, err := g.ca.Leaf(host)
	if err != nil {
		return nil, err
	}
	g.issuers.Lock()
	defer g.issuers.Unlock()
	if now := g.issuerIDs(); now != g.issuers.known {
		if err := g.store.ledger.Admin("ca", "the issuers of the certificate authority have changed", map[string]string{"issuers": now}); err != nil {
			return nil, fmt.Errorf("recording the certificate authority: %w", err)
		}
		g.issuers.known = now
	}
	return cert, nil
}

// issuerIDs are those of the issuers that sign, oldest first.
func (g *gateway) issuerIDs() string {
	var ids []string
	for _, i := range g.ca.Issuers() {
		ids = append(ids, i.ID)
	}
	return strings.Join(ids, ", ")
}

// interceptor makes the forward proxy.
func (g *gateway) interceptor(secret func([]byte) string, ups []redirect.Upstream) (*intercept.Server, error) {
	c := g.c.Intercept
	hosts, err := inspected(g.c, ups, intercept.Dialer(c.Private, g.own))
	if err != nil {
		return nil, err
	}
	if err := g.checkProxies(hosts); err != nil {
		return nil, err
	}
	o := intercept.Options{
		Carrier: g.carrier, Gate: g.gate, Identity: g.resolver(secret, c.Listen), Permits: g.permits, Leaf: g.leaf,
		Hosts: hosts, Refuse: c.Others == "refuse", Ports: c.Ports, Private: c.Private, Own: g.own,
		Proxy: outward, Set: tenants(c.Tenants), Log: g.o.Log,
		HeaderTimeout: time.Duration(g.c.Limits.HeaderTimeout), IdleTimeout: time.Duration(g.c.Limits.IdleTimeout),
	}
	for _, b := range c.Bypass {
		o.Bypass = append(o.Bypass, intercept.Bypass{Host: b.Host, Owner: b.Owner, Reason: b.Reason, End: b.Until.End()})
		if !time.Now().Before(b.Until.End()) {
			g.o.Log.Warn("a bypass has ended: the host is inspected again", "host", b.Host, "owner", b.Owner, "until", b.Until)
		}
	}
	return intercept.New(o), nil
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// inspected gives each host its upstream: a provider's usual ones go where the
// provider's calls go, whoever makes them; any other goes to itself, by the
// provider's proxy and CA file, if dial lets it.
func inspected(c *config.Config, ups []redirect.Upstream, dial dialFunc) (hosts []intercept.Host, err error) {
	for _, h := range c.Intercept.Inspect {
		host := intercept.Host{Name: h.Host, Provider: h.Provider}
		if prefix, ok := usualPrefix(h.Host, h.Provider); ok {
			host.Upstream, host.Moved = upstreamOf(ups, h.Provider, prefix), true
		} else {
			o := c.Upstreams[string(h.Provider)]
			host.Upstream, err = upstream.New(upstream.Options{URL: "https://" + strings.TrimPrefix(h.Host, "*."), Proxy: o.Proxy, CAFile: o.CAFile, Dial: dial})
		}
		if err != nil {
			return nil, fmt.Errorf("inspected host %s: %w", h.Host, err)
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

// usualPrefix gives the first path of what a provider's usual host answers.
func usualPrefix(host string, p flow.Provider) (prefix string, ok bool) {
	if u, err := url.Parse(config.Default().Upstreams[string(p)].URL); err == nil && u.Host == host {
		return "/", true
	}
	for _, b := range besides {
		if u, err := url.Parse(b.url); err == nil && u.Host == host && b.provider == p {
			return b.prefix, true
		}
	}
	return "", false
}

// upstreamOf finds the upstream with a prefix, or the provider's own: whose
// address was moved has one for all.
func upstreamOf(ups []redirect.Upstream, p flow.Provider, prefix string) *upstream.Upstream {
	for _, want := range []string{prefix, "/"} {
		for _, u := range ups {
			if u.Provider == p && u.Prefix == want {
				return u.Upstream
			}
		}
	}
	return nil
}

// own reports whether an address is one that the gateway listens on.
func (g *gateway) own(a netip.AddrPort) bool {
	return slices.ContainsFunc([]net.Listener{g.agents, g.console, g.proxies}, func(l net.Listener) bool {
		if l == nil {
			return false
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		if at.Port() != a.Port() {
			return false
		}
		everywhere := at.Addr().IsUnspecified() || at.Addr().IsLoopback() && a.Addr().IsLoopback() || a.Addr().IsUnspecified()
		return at.Addr().Unmap() == a.Addr() || everywhere && isHere(a.Addr())
	})
}

// isHere reports whether an address is one of this machine's.
func isHere(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // what can't be told is not reached
	}
	return slices.ContainsFunc(all, func(n net.Addr) bool {
		p, err := netip.ParsePrefix(n.String())
		return err == nil && p.Addr().Unmap() == a
	})
}

// outward is the proxy of the gateway's own environment.
func outward(u *url.URL) (*url.URL, error) { return http.ProxyFromEnvironment(&http.Request{URL: u}) }

// checkProxies refuses to start where a call would come back here for ever.
func (g *gateway) checkProxies(hosts []intercept.Host) error {
	for _, h := range hosts {
		p, err := outward(&url.URL{Scheme: "https", Host: strings.TrimPrefix(h.Name, "*.")})
		if err != nil || p == nil {
			continue
		}
		name, port := p.Hostname(), p.Port()
		if strings.EqualFold(name, "localhost") {
			name = "127.0.0.1"
		}
		ip, err := netip.ParseAddr(name)
		n, _ := strconv.ParseUint(port, 10, 16)
		if err == nil && g.own(netip.AddrPortFrom(ip.Unmap(), uint16(n))) {
			return errors.New("HTTPS_PROXY in the gateway's own environment is its own forward proxy: every call would come back to it")
		}
	}
	return nil
}

// tenants are the headers by which providers are told for which organisations
// calls may be made.
func tenants(t config.Tenants) map[flow.Provider]http.Header {
	set := map[flow.Provider]http.Header{}
	if len(t.Anthropic) > 0 {
		set[flow.Anthropic] = http.Header{"Anthropic-Allowed-Org-Ids": {strings.Join(t.Anthropic, ",")}}
	}
	if len(t.ChatGPT) > 0 {
		set[flow.OpenAI] = http.Header{"Chatgpt-Allowed-Workspace-Id": {strings.Join(t.ChatGPT, ",")}}
	}
	return set
}
