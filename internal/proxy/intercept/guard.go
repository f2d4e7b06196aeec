package intercept

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// guard says which addresses clients may reach.
type guard struct {
	private []netip.Prefix
	own     func(netip.AddrPort) bool
}

// special are ranges that netip has no word for: they are not public, or they
// hold services of a machine's own (IANA special-purpose registries; the
// metadata services of clouds).
var special = func() (all []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}()

// check refuses an address that is the gateway's, or is not public and not
// listed.
func (g guard) check(a netip.AddrPort) *flow.Refusal {
	ip := a.Addr().Unmap().WithZone("")
	if g.own != nil && g.own(netip.AddrPortFrom(ip, a.Port())) {
		return refuse(http.StatusForbidden, "own_address", "this address is the gateway's own, which its proxy does not reach; call it without a proxy (NO_PROXY)")
	}
	if public(ip) {
		return nil
	}
	for _, p := range g.private {
		if p.Contains(ip) {
			return nil
		}
	}
	return refuse(http.StatusForbidden, "private_address", "this host is at an address that is not public: loopback, private, link-local or a cloud's metadata (setting: intercept.private)")
}

// public reports whether an address is of the public Internet. One that carries
// an address of version 4 is what that is: NAT64 (RFC 6052), 6to4 (RFC 3056).
func public(ip netip.Addr) bool {
	b := ip.As16()
	switch {
	case ip.Is6() && netip.MustParsePrefix("64:ff9b::/96").Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[12:])))
	case ip.Is6() && netip.MustParsePrefix("2002::/16").Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

const dialTimeout = 30 * time.Second

// dial resolves a host, once, and connects to the first of its addresses that
// may be reached and answers. An error is a *flow.Refusal.
func (g guard) dial(ctx context.Context, t Target) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	addrs, err := resolve(ctx, t.Host)
	if err != nil {
		return nil, &flow.Refusal{Status: http.StatusBadGateway, Kind: "unresolved", Text: "the host's name could not be resolved", Err: err}
	}
	var last error
	for _, ip := range addrs {
		a := netip.AddrPortFrom(ip, uint16(t.Port))
		if refusal := g.check(a); refusal != nil {
			last = refusal
			continue
		}
		c, err := new(net.Dialer).DialContext(ctx, "tcp", a.String())
		if err == nil {
			return c, nil
		}
		last = &flow.Refusal{Status: http.StatusBadGateway, Kind: "unreachable", Text: "the host could not be reached", Err: err}
	}
	return nil, last
}

// Dialer connects to addresses that clients may reach: not the gateway's own,
// and private ones where they are listed. The upstream of a host that goes to
// itself needs it, since a client says by the host's name and port where that is.
func Dialer(private []netip.Prefix, own func(netip.AddrPort) bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return guard{private, own}.reach
}

// reach is dial for a transport, which has host and port as one text.
func (g guard) reach(ctx context.Context, _, addr string) (net.Conn, error) {
	t, err := ParseTarget(addr, 0)
	if err != nil {
		return nil, err
	}
	return g.dial(ctx, t)
}

func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("%s has no address", strconv.Quote(host))
	}
	return addrs, err
}
