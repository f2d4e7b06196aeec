package intercept_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/proxy/intercept"
)

func TestParseTarget(t *testing.T) {
	for authority, want := range map[string]string{
		"api.example.com:443":        "api.example.com:443",
		"API.Example.COM.:443":       "api.example.com:443",
		"xn--bcher-kva.example:8443": "xn--bcher-kva.example:8443",
		"a_b.example.com:443":        "a_b.example.com:443",
		"192.0.2.1:443":              "192.0.2.1:443",
		"[2001:DB8::1]:443":          "[2001:db8::1]:443",
		"[::ffff:192.0.2.1]:443":     "192.0.2.1:443",
		"localhost:443":              "localhost:443",
	} {
		got, err := intercept.ParseTarget(authority, 0)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", authority, got, err, want)
		}
	}
	for _, bad := range []string{
		"", ":443", "host", "host:", "host:0", "host:00443", "host:65536", "host:+443", "host:44 3", "host:443:443", "a b:443", "a/b:443",
		"user@host:443", "host\x00:443", "h\u00f6st.example:443", "a..b:443", ".host:443", "host..:443", "127.1:443", "0x7f.1:443", "2130706433:443", "0177.0.0.1:443",
		"[fe80::1%eth0]:443", "[::1:443", "::1:443x", strings.Repeat("a", 64) + ".example:443", strings.Repeat("a.", 127) + "aa:443", "host?x:443", "host#x:443", "host%2e:443",
	} {
		if got, err := intercept.ParseTarget(bad, 0); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
	if got, err := intercept.ParseTarget("api.example.com", 443); err != nil || got.Port != 443 {
		t.Errorf("with a usual port: %v, %v", got, err)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"api.example.com:443", "[::1]:443", "[::ffff:127.0.0.1]:1", "127.1:443", "A.b.:65535", "a:b:c", "[a]:1", "x"} {
		f.Add(seed, 0)
		f.Add(seed, 80)
	}
	f.Fuzz(func(t *testing.T, authority string, usual int) {
		got, err := intercept.ParseTarget(authority, max(usual, 0)&0xffff)
		if err != nil {
			return
		}
		if again, err := intercept.ParseTarget(got.String(), 0); err != nil || again != got {
			t.Errorf("%q: %v, and that: %v %v", authority, got, again, err)
		}
		if got.Port < 1 || got.Port > 65535 || got.Host != strings.ToLower(got.Host) || strings.ContainsAny(got.Host, " \r\n\t/@?#%[]\\") {
			t.Errorf("%q: %v", authority, got)
		}
		if ip, err := netip.ParseAddr(got.Host); err == nil && (ip.Is4In6() || ip.Zone() != "") {
			t.Errorf("%q: %v is another address's name", authority, ip)
		}
	})
}

func TestGuard(t *testing.T) {
	private := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.0/8")}
	own := func(a netip.AddrPort) bool { return a.Addr().IsLoopback() && a.Port() == 4001 }
	for addr, want := range map[string]string{
		"8.8.8.8": "", "2606:4700::1111": "", "10.1.2.3": "", "10.2.2.3": "private_address", "127.0.0.1": "", "::1": "private_address",
		"0.0.0.0": "private_address", "0.1.2.3": "private_address", "169.254.169.254": "private_address", "100.64.0.1": "private_address", "100.100.100.200": "private_address",
		"168.63.129.16": "private_address", "192.168.1.1": "private_address", "172.16.0.1": "private_address", "172.32.0.1": "", "192.0.0.192": "private_address",
		"198.18.0.1": "private_address", "224.0.0.1": "private_address", "255.255.255.255": "private_address", "240.0.0.1": "private_address",
		"::": "private_address", "fe80::1": "private_address", "fd00:ec2::254": "private_address", "fec0::1": "private_address", "ff02::1": "private_address",
		"::ffff:169.254.169.254": "private_address", "::ffff:8.8.8.8": "", "64:ff9b::a9fe:a9fe": "private_address", "64:ff9b::808:808": "",
		"2002:a9fe:a9fe::1": "private_address", "2002:808:808::1": "", "::a9fe:a9fe": "private_address", "2001:0:a9fe::1": "private_address",
	} {
		got := ""
		if r := intercept.Check(private, own, netip.AddrPortFrom(netip.MustParseAddr(addr), 443)); r != nil {
			got = r.Kind
		}
		if got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if r := intercept.Check(private, own, netip.MustParseAddrPort("127.0.0.1:4001")); r == nil || r.Kind != "own_address" {
		t.Errorf("the gateway's own address, in a range that may be reached: %v", r)
	}
}
