package console

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ours refuses what a foreign page made a browser send: a Host that is a name
// we don't have (DNS rebinding: an address can't be rebound, a name can), or
// an Origin that is not this server's own. Reads are refused, too: they give
// out content.
func (c *Console) ours(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !c.knownHost(r.Host) && !callerOf(r).local {
			return refuse(http.StatusForbidden, "host", "this server is not known by that name: call it by its address, or list the name under hosts in the configuration")
		}
		if !sameOrigin(r) {
			return refuse(http.StatusForbidden, "origin", "pages of another origin may not call the console")
		}
		return next(w, r)
	}
}

func (c *Console) knownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(c.o.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// sameOrigin believes Sec-Fetch-Site, which no page can set, and Origin, which
// older browsers send. A client that is no browser sends neither.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// guarded lets in who is local, bears the token, or came by a link.
func (c *Console) guarded(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if callerOf(r).local || c.bears(r) {
			return next(w, r)
		}
		if who, ok := c.visitor(r); ok {
			return next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{visitor: true, name: who + " (browser)"})))
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
		return refuse(http.StatusUnauthorized, "token", "the admin API needs `Authorization: Bearer TOKEN` with the token in the data folder's console.token; a browser gets in by the link that `gatehouse open` prints")
	}
}

func (c *Console) bears(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if c.o.Token == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(c.o.Token)) == 1
}

// who names the reader for the ledger.
func who(r *http.Request) string {
	if c := callerOf(r); c.name != "" {
		return c.name
	}
	return "console token"
}
