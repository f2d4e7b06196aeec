package intercept

import (
	"net/http"
	"strings"

	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// serveInner takes a request that was found inside of TLS.
func (s *Server) serveInner(w http.ResponseWriter, r *http.Request) {
	in, ok := r.Context().Value(innerKey{}).(*inside)
	if !ok {
		s.o.Carrier.TurnAway(w, r, "", refuse(http.StatusBadRequest, "no_connection", "the connection of this request is not known"))
		return
	}
	in.asked.Store(true)
	s.serve(w, r, in)
}

// serve has a request to an inspected host carried. All that is refused here is
// recorded: who calls what is known.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, in *inside) {
	q := carry.Request{Entrance: flow.Intercept, Host: in.target.recorded(), Upstream: in.host.upstream(in.target), TLS: in.leg}
	q.Route = route.Route{Provider: in.host.Provider, API: flow.Opaque, Path: "/"}
	key := in.who.key
	if key == "" {
		key = r.Header.Get(identity.KeyHeader)
	}
	var err error
	if q.Principal, err = s.o.Identity.Principal(in.who.peer, key, r.Header, r.URL.Query()); err != nil {
		s.o.Carrier.TurnAway(w, r, in.host.Provider, err)
		return
	}
	q.Custody = s.o.Identity.Custody(in.who.peer)
	q.MayStill = func() error { return s.o.Identity.MayStill(key) }
	if err := s.check(r, in); err != nil {
		s.o.Carrier.Refuse(w, r, q, carry.AsRefusal(err))
		return
	}
	match, ok := route.At(in.host.Provider, r.Method, r.URL.EscapedPath(), r.Header, r.URL.Query())
	if !ok {
		s.o.Carrier.Refuse(w, r, q, refuse(http.StatusBadRequest, "bad_path", "servers may read the path of this request in more than one way"))
		return
	}
	q.Route = match
	for name, values := range s.o.Set[in.host.Provider] {
		r.Header[name] = values
	}
	s.o.Carrier.Carry(w, r, q)
}

// check refuses what is meant for another host than the connection, or could
// not go on as it came.
func (s *Server) check(r *http.Request, in *inside) error {
	switch {
	case r.Method == http.MethodConnect:
		return refuse(http.StatusMethodNotAllowed, "nested_connect", "a CONNECT inside of an inspected connection leads nowhere")
	case !isToken(r.Method):
		return refuse(http.StatusBadRequest, "bad_method", "the method of this request is none")
	}
	for _, host := range hosts(r) {
		if t, err := ParseTarget(host, in.target.Port); err != nil || t != in.target {
			return refuse(http.StatusMisdirectedRequest, "misdirected", "this request is for another host than its connection (CONNECT); nothing was forwarded")
		}
	}
	return carry.Literal(r.URL.EscapedPath(), r)
}

// hosts are all that a request names as its host. HTTP/2 has three places for
// it, of which net/http believes :authority; a server may believe another.
func hosts(r *http.Request) []string {
	if r.ProtoMajor < 2 {
		return []string{r.Host}
	}
	all := append([]string{r.Host}, r.Header["Host"]...)
	if r.URL.Host != "" {
		all = append(all, r.URL.Host)
	}
	return all
}

// isToken reports whether a text is one of HTTP's words (RFC 9110 section 5.6.2).
// net/http sees to it over HTTP/1.1 only.
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") == ""
}
