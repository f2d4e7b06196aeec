package pii

import (
	"bytes"
	"net/netip"
)

// ipv4 takes a token of four numbers when it is the address of a machine on the
// Internet, and not a version.
func ipv4(text []byte, at, end int, report func(start, end int)) {
	a, err := netip.ParseAddr(string(text[at:end]))
	if err != nil || !a.Is4() || !isPublic(a) {
		return
	}
	four := a.As4()
	low := 0
	for _, b := range four {
		if b < 20 {
			low++
		}
	}
	if four[3] == 0 || low == 4 || low == 3 && !near(text, at, end, ipWords) {
		return
	}
	if near(text, at, end, "version|versions|release|build|chrome|safari|section|oid") && !near(text, at, end, ipWords) {
		return
	}
	report(at, end)
}

const ipWords = "ip|ipv4|address|addr|host|server|client|proxy|gateway|dns"

// notPublic are networks of special use (the registries of RFC 6890) and addresses
// that everybody knows.
var notPublic = func() (all []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"1.1.1.1/32", "1.0.0.1/32", "1.2.3.4/32", "4.2.2.2/32", "8.8.8.8/32", "8.8.4.4/32", "9.9.9.9/32", "208.67.222.222/32", "208.67.220.220/32",
		"::/8", "100::/64", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8",
		"2001:4860:4860::/48", "2606:4700:4700::/48", "2620:fe::/48",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

func isPublic(a netip.Addr) bool {
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// ipv6 takes a row of hex digits and colons when it is an address on the Internet.
func ipv6(text []byte, at, end int, report func(start, end int)) {
	for end > at && text[end-1] == ':' && (end < at+2 || text[end-2] != ':') {
		end-- // a colon behind it
	}
	row := text[at:end]
	if len(row) < 9 || at > 0 && isWord(text[at-1]) || end < len(text) && (isWord(text[end]) || text[end] == ':') {
		return
	}
	a, err := netip.ParseAddr(string(row))
	if err != nil || !isPublic(a) {
		return
	}
	short := bytes.Contains(row, []byte("::"))
	if b := a.As16(); short && (b[0]&0xe0 != 0x20 || bytes.Count(row, []byte(":")) < 4) {
		return
	}
	for group := range bytes.SplitSeq(row, []byte(":")) {
		if len(group) > 2 {
			report(at, end) // eight pairs are a fingerprint, or a MAC address of eight
			return
		}
	}
}

// mac takes six pairs when they are the address of one device.
func mac(text []byte, at, end int, report func(start, end int)) {
	for end > at && text[end-1] == ':' {
		end--
	}
	if end-at == 17 && (at == 0 || !isWord(text[at-1])) && (end == len(text) || !isWord(text[end]) && text[end] != ':') && isMAC(text[at:end]) {
		report(at, end)
	}
}

func isMAC(value []byte) bool {
	if len(value) != 17 {
		return false
	}
	n := make([]byte, 0, 12)
	for i, c := range value {
		switch c = upperOf(c); {
		case i%3 == 2:
			if c != ':' && c != '-' {
				return false
			}
		case isDigit(c) || c >= 'A' && c <= 'F':
			n = append(n, c)
		default:
			return false
		}
	}
	// A second digit that is odd: a group of devices.
	if bytes.IndexByte([]byte("13579BDF"), n[1]) >= 0 || same(n[6:]) || bytes.HasPrefix(n, []byte("00005E0053")) {
		return false
	}
	switch string(n) {
	case "001122334455", "AABBCCDDEEFF", "0123456789AB", "123456789ABC", "DEADBEEFCAFE", "020000000000":
		return false
	}
	return true
}
