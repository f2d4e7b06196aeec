// Package identity says who is calling: the access key that was presented, or
// the user and program of the process at the other end of a loopback
// connection. It also knows which headers and parameters are credentials and
// gives keyed fingerprints of them. It never stores, logs or returns a
// credential, and never invents a name for a caller that it can't tell.
package identity

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// KeyHeader carries an access key; the path prefix /k/KEY does the same. The
// entrance takes both away before anything is forwarded.
const KeyHeader = "X-Gatehouse-Key"

// untold is the user or program that the system does not tell.
const untold = "unknown"

// Options of a Resolver.
type Options struct {
	// Anonymous names a loopback caller whose process can't be found. Empty
	// makes that an error on Linux, and "unknown/unknown" elsewhere, where the
	// look-up is missing or untested.
	Anonymous string
	// Keys are the access keys; nil: none exist.
	Keys *Keys
	// Fingerprint gives the keyed fingerprint of a credential; see Fingerprint.
	// Nil leaves Principal.Credential empty.
	Fingerprint func(secret []byte) string
	// Required demands an access key from every caller. It is to be set when
	// the gateway listens beyond loopback.
	Required bool
}

// Resolver turns connections and keys into principals. It is safe for
// concurrent use.
type Resolver struct {
	o      Options
	tracer *tracer
}

// New makes a resolver.
func New(o Options) *Resolver {
	if o.Anonymous == "" && !certain {
		o.Anonymous = untold + "/" + untold
	}
	return &Resolver{o: o, tracer: newTracer()}
}

// Peer is the other end of one connection. Its process is looked up once, when
// it is first needed.
type Peer struct {
	remote, local netip.AddrPort
	once          sync.Once
	proc          process
	err           error
}

// process is what the system tells about a peer.
type process struct {
	pid           int    // 0: not known
	user, program string // untold where not known
	other         bool   // known to be neither the gateway's own user nor root
}

// Conn notes who is at the other end of c, for http.Server.ConnContext. It
// does no look-up itself.
func (r *Resolver) Conn(c net.Conn) *Peer {
	return &Peer{remote: addrPort(c.RemoteAddr()), local: addrPort(c.LocalAddr())}
}

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// Loopback reports whether the peer calls from this machine's loopback.
func (p *Peer) Loopback() bool { return p.remote.Addr().IsLoopback() }

// Principal names the caller of one request. key is the access key that it
// presented, "" for none. The error is a *flow.Refusal whose text is meant for
// the caller: a wrong key never falls back to another name.
func (r *Resolver) Principal(p *Peer, key string, h http.Header, query url.Values) (flow.Principal, error) {
	var who flow.Principal
	switch {
	case key != "":
		found, err := r.key(key)
		if err != nil {
			return flow.Principal{}, err
		}
		who.Key, who.Name = found, "key:"+found
		if p.Loopback() {
			r.describe(p, &who) // beside the key, and not needed
		}
	case r.o.Required || !p.Loopback():
		return flow.Principal{}, refuse("access_key_missing", keyHelp, nil)
	default:
		if err := r.describe(p, &who); err != nil {
			if r.o.Anonymous == "" {
				return flow.Principal{}, refuse("caller_unknown", "the calling process could not be found, and no anonymous principal is configured", err)
			}
			who.Name = r.o.Anonymous
		}
	}
	if secret := Credential(h, query); secret != "" && r.o.Fingerprint != nil {
		who.Credential = r.o.Fingerprint([]byte(secret))
	}
	return who, nil
}

const keyHelp = "this gateway needs an access key: put it into the base URL (…/k/ghk_…/anthropic) or send it as " + KeyHeader + "; whoever runs the gateway makes one with: gatehouse key add NAME"

// refuse makes a refusal that no retry cures. It is a 400 because agents
// repeat other codes or replace their text by one of their own.
func refuse(kind, text string, cause error) error {
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: kind, Text: text, Err: cause}
}

// MayStill tells whether who came with an access key, or without one, may go on: a key that
// was revoked since gets the same refusal as at the start.
func (r *Resolver) MayStill(key string) error {
	if key == "" {
		return nil
	}
	_, err := r.key(key)
	return err
}

func (r *Resolver) key(secret string) (name string, err error) {
	if r.o.Keys == nil {
		return "", refuse("access_key_unknown", "this access key is not known here", nil)
	}
	k, err := r.o.Keys.Lookup(secret)
	switch {
	case err == nil:
		return k.Name, nil
	case errors.Is(err, ErrRevoked):
		return "", refuse("access_key_revoked", "this access key was revoked", nil)
	case errors.Is(err, ErrUnknownKey):
		return "", refuse("access_key_unknown", "this access key is not known here", nil)
	}
	return "", &flow.Refusal{Status: http.StatusServiceUnavailable, Kind: "access_keys_unreadable", Text: "the access keys can't be read at the moment", Err: err}
}

// describe fills in the calling process.
func (r *Resolver) describe(p *Peer, who *flow.Principal) error {
	p.once.Do(func() { p.proc, p.err = r.tracer.trace(p.remote, p.local) })
	if p.err != nil {
		return p.err
	}
	who.User, who.Program, who.PID = p.proc.user, p.proc.program, p.proc.pid
	if who.Name == "" {
		who.Name = who.User + "/" + who.Program
	}
	return nil
}

// Custody says whose hands the gateway is in, seen from the peer: own-user only
// when the caller is known to be another user than the gateway's and not root,
// or calls from elsewhere.
func (r *Resolver) Custody(p *Peer) flow.Custody {
	if !p.Loopback() {
		return flow.OwnUser
	}
	var who flow.Principal
	if err := r.describe(p, &who); err != nil {
		return flow.SameUser
	}
	if p.proc.other {
		return flow.OwnUser
	}
	return flow.SameUser
}
