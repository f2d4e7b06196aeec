package identity_test

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
)

// conn is a connection between two addresses that nobody has open.
type conn struct {
	net.Conn
	remote, local net.Addr
}

func (c conn) RemoteAddr() net.Addr { return c.remote }
func (c conn) LocalAddr() net.Addr  { return c.local }

func from(addr string) conn {
	remote, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		panic(err)
	}
	return conn{remote: remote, local: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}}
}

func fingerprint(secret []byte) string { return identity.Fingerprint([]byte("k"))(secret) }

func keys(t *testing.T) *identity.Keys {
	t.Helper()
	k, err := identity.OpenKeys(t.TempDir(), []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhoMayCall(t *testing.T) {
	k := keys(t)
	good, err := k.Add("laptop")
	if err != nil {
		t.Fatal(err)
	}
	old, err := k.Add("old")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Revoke("old"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    identity.Options
		from string
		key  string
		want string // the principal's name, or the refusal's kind after "!"
	}{
		"key":                            {identity.Options{Keys: k, Required: true}, "203.0.113.9:1", good, "key:laptop"},
		"key on loopback":                {identity.Options{Keys: k}, "127.0.0.1:1", good, "key:laptop"},
		"no key beyond loopback":         {identity.Options{Keys: k, Required: true}, "203.0.113.9:1", "", "!access_key_missing"},
		"no key beyond, not required":    {identity.Options{Keys: k, Anonymous: "anyone"}, "203.0.113.9:1", "", "!access_key_missing"},
		"no key, required, loopback":     {identity.Options{Keys: k, Required: true, Anonymous: "anyone"}, "127.0.0.1:1", "", "!access_key_missing"},
		"revoked":                        {identity.Options{Keys: k, Anonymous: "anyone"}, "127.0.0.1:1", old, "!access_key_revoked"},
		"wrong key is never anonymous":   {identity.Options{Keys: k, Anonymous: "anyone"}, "127.0.0.1:1", "ghk_wrong", "!access_key_unknown"},
		"no keys exist":                  {identity.Options{Anonymous: "anyone"}, "127.0.0.1:1", good, "!access_key_unknown"},
		"unknown caller, anonymous":      {identity.Options{Anonymous: "anyone"}, "127.0.0.1:1", "", "anyone"},
		"unknown caller, IPv6 loopback":  {identity.Options{Anonymous: "anyone"}, "[::1]:1", "", "anyone"},
		"mapped loopback is loopback":    {identity.Options{Anonymous: "anyone"}, "[::ffff:127.0.0.1]:1", "", "anyone"},
		"unknown caller, none anonymous": {identity.Options{}, "127.0.0.1:1", "", "!caller_unknown"},
	} {
		if runtime.GOOS != "linux" && c.want == "!caller_unknown" {
			c.want = "unknown/unknown"
		}
		r := identity.New(c.o)
		got, err := r.Principal(r.Conn(from(c.from)), c.key, http.Header{}, nil)
		name = strings.ReplaceAll(name, ",", "")
		var refusal *flow.Refusal
		switch {
		case err == nil:
			if got.Name != c.want {
				t.Errorf("%s: principal %q, want %q", name, got.Name, c.want)
			}
		case errors.As(err, &refusal):
			if "!"+refusal.Kind != c.want || got.Name != "" {
				t.Errorf("%s: %v (%s), principal %q, want %s", name, err, refusal.Kind, got.Name, c.want)
			}
			if c.key != "" && strings.Contains(err.Error(), c.key) {
				t.Errorf("%s: the error holds the key", name)
			}
		default:
			t.Errorf("%s: %v is no refusal", name, err)
		}
	}
}

func TestConnWithoutAddressIsNotLoopback(t *testing.T) {
	r := identity.New(identity.Options{Anonymous: "anyone"})
	p := r.Conn(conn{remote: &net.UnixAddr{Name: "x"}, local: &net.UnixAddr{}})
	if who, err := r.Principal(p, "", http.Header{}, nil); err == nil {
		t.Errorf("passed as %q", who.Name)
	}
}

func TestCredentialIsAFingerprint(t *testing.T) {
	r := identity.New(identity.Options{Anonymous: "anyone", Fingerprint: fingerprint})
	want := fingerprint([]byte("sk-secret"))
	if !strings.HasPrefix(want, "fp_") || len(want) != len("fp_")+16 {
		t.Fatalf("fingerprint is %q", want)
	}
	for name, c := range map[string]struct {
		h http.Header
		q url.Values
	}{
		"x-api-key":      {h: http.Header{"X-Api-Key": {"sk-secret"}}},
		"bearer":         {h: http.Header{"Authorization": {"Bearer sk-secret"}}},
		"bearer, lower":  {h: http.Header{"Authorization": {"bearer sk-secret"}}},
		"x-goog-api-key": {h: http.Header{"X-Goog-Api-Key": {"sk-secret"}}},
		"api-key":        {h: http.Header{"Api-Key": {"sk-secret"}}},
		"query":          {q: url.Values{"key": {"sk-secret"}}},
		"socket":         {h: http.Header{"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.sk-secret"}}},
	} {
		if c.h == nil {
			c.h = http.Header{}
		}
		who, err := r.Principal(r.Conn(from("127.0.0.1:1")), "", c.h, c.q)
		if err != nil || who.Credential != want {
			t.Errorf("%s: %q, %v", name, who.Credential, err)
		}
	}
	who, err := r.Principal(r.Conn(from("127.0.0.1:1")), "", http.Header{}, nil)
	if err != nil || who.Credential != "" {
		t.Errorf("without a credential: %q, %v", who.Credential, err)
	}
}

func TestFingerprintIsKeyed(t *testing.T) {
	if identity.Fingerprint([]byte("a"))([]byte("x")) == identity.Fingerprint([]byte("b"))([]byte("x")) {
		t.Error("the same under two keys")
	}
}
