package intercept

import (
	"errors"
	"net"
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

// ParseTarget reads the authority of a CONNECT (RFC 9110 section 9.3.6), or of
// an address whose scheme has a usual port; 0: it must name one. A host is a
// name of ASCII letters, digits, hyphens and underscores, or an address: what
// resolvers read in other ways (127.1, 0x7f000001) is refused, so that what was
// checked is what is reached.
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
	if !isName(host) {
		return Target{}, errTarget
	}
	return Target{host, int(n)}, nil
}

// isName reports whether a host is a name. One whose last label is a number, or
// looks like one, is an address to some resolvers (WHATWG URL, "ends in a
// number").
func isName(host string) bool {
	if len(host) > 253 {
		return false
	}
	var last string
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
		last = label
	}
	return last[0] < '0' || last[0] > '9'
}
