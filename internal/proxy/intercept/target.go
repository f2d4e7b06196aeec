package intercept

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Target is what a client wants to be connected to.
type Target struct {
	Host string // in lower case, without a dot at its end; an address without brackets
	Port int
}

func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

// recorded is how a target is written down. The port is left out that is the
// usual one.
func (t Target) recorded() string {
	if t.Port == 443 {
		return t.Host
	}
	return t.String()
}

var errTarget = errors.New("not HOST:PORT")

// errNumeric is of a host that is an address to some resolvers and a name to
// others. What it was is known, so a refusal is recorded.
var errNumeric = refuse(http.StatusBadRequest, "numeric_host", "this host is an address in a notation that programs read in different ways (127.1, 0x7f000001): write it with four numbers")

// ParseTarget reads the authority of a CONNECT (RFC 9110 section 9.3.6), or of
// an address whose scheme has a usual port; 0: it must name one. A host is a
// name of ASCII letters, digits, hyphens and underscores, or an address: what
// resolvers read in other ways (127.1, 0x7f000001) is refused (errNumeric, with
// the target as it was written), so that what was checked is what is reached.
func ParseTarget(authority string, usual int) (Target, error) {
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		if usual == 0 || strings.Count(authority, ":") == 1 {
			return Target{}, errTarget
		}
		host, port = strings.Trim(authority, "[]"), strconv.Itoa(usual)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return Target{}, errTarget
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return Target{}, errTarget
		}
		return Target{addr.Unmap().String(), int(n)}, nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case !isName(host):
		return Target{}, errTarget
	case isNumeric(host):
		return Target{host, int(n)}, errNumeric
	}
	return Target{host, int(n)}, nil
}

// isName reports whether a host has the form of a name.
func isName(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// isNumeric reports whether the last label of a name is a number, or looks like
// one: then it is an address to some resolvers (WHATWG URL, "ends in a number").
func isNumeric(name string) bool {
	first := name[strings.LastIndexByte(name, '.')+1]
	return '0' <= first && first <= '9'
}
