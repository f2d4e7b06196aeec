package ca_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/ca/trust"
)

// forgery is a chain that somebody made who has an issuer's key.
type forgery struct {
	name    string
	address string // that a client asks for
	chain   []*badcert.Pair
	want    string // stands in what the client says: "ok", or why it refuses
}

// forge makes leaves, and an issuer, that one with our constraints may not sign
// for. Java's client can't ask for addresses of version 6 through a proxy.
func forge(t *testing.T, by *badcert.Pair, want string) (all []forgery) {
	t.Helper()
	issue := func(by *badcert.Pair, form x509.Certificate) *badcert.Pair {
		made, err := badcert.Issue(by, form, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	leaf := func(names []string, ips ...net.IP) x509.Certificate {
		form := badcert.Server()
		form.DNSNames, form.IPAddresses = names, ips
		return form
	}
	local := net.IPv4(127, 0, 0, 1)
	for _, f := range []struct {
		name, host string
		form       x509.Certificate
	}{
		{"another domain", "www.example.net", leaf([]string{"www.example.net"})},
		{"another domain beside a permitted one", "www.example.net", leaf([]string{"api.example.com", "www.example.net"})},
		{"a domain above a permitted one", "example.com", leaf([]string{"example.com"})},
		{"an address", "127.0.0.1", leaf(nil, local)},
		{"an address beside a permitted domain", "127.0.0.1", leaf([]string{"api.example.com"}, local)},
	} {
		all = append(all, forgery{f.name, f.host, []*badcert.Pair{issue(by, f.form), by}, want})
	}
	below := issue(by, badcert.Authority("below", 0))
	return append(all, forgery{"an issuer below", "api.example.com", []*badcert.Pair{issue(below, leaf([]string{"api.example.com"})), below, by}, want})
}

// TestClientsKeepToTheConstraints: Go's and Java's refuse what a stolen issuer's
// key signs beyond what it may, and take the same from one without constraints:
// they refuse because of these.
func TestClientsKeepToTheConstraints(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: time.Now()}
	a := made(t, dir, c, "api.example.com")
	list, err := ca.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	stolen := &badcert.Pair{Cert: list[0].Cert, Key: readKey(t, filepath.Join(dir, ca.Folder, list[0].ID+".key")).(crypto.Signer)}
	free, err := badcert.Issue(nil, badcert.Authority("without constraints", 1), c.Now())
	if err != nil {
		t.Fatal(err)
	}
	good, err := a.Leaf("api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	all := []forgery{{"a good leaf", "api.example.com", []*badcert.Pair{{Cert: good.Leaf, Key: good.PrivateKey.(crypto.Signer)}, stolen}, "ok"}}
	all = append(all, forge(t, stolen, "refused")...)
	all = append(all, forge(t, free, "ok")...)
	proxy := forger(t, all)
	roots := []*x509.Certificate{list[0].Root, free.Cert}
	t.Run("Go", func(t *testing.T) { compare(t, all, askGo(t, proxy, roots, addresses(all))) })
	t.Run("Java", func(t *testing.T) { compare(t, all, askJava(t, proxy, roots, addresses(all))) })
}

// addresses name each forgery's host, at a port that tells it from the others.
func addresses(all []forgery) (list []string) {
	for i, f := range all {
		list = append(list, fmt.Sprintf("https://%s:%d/", f.address, 1000+i))
	}
	return list
}

func compare(t *testing.T, all []forgery, said []string) {
	t.Helper()
	if len(said) != len(all) {
		t.Fatalf("%d lines for %d addresses: %q", len(said), len(all), said)
	}
	for i, f := range all {
		if !strings.HasPrefix(said[i], f.want) {
			t.Errorf("%s (issued by %s): the client says %q, want %s", f.name, f.chain[0].Cert.Issuer.CommonName, said[i], f.want)
		}
	}
}

// forger is a proxy that answers in place of each host, under its chain.
func forger(t *testing.T, all []forgery) (addr string) {
	t.Helper()
	at := map[string]*tls.Config{}
	for i, address := range addresses(all) {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		at[u.Host] = badcert.Case{Chain: all[i].chain}.TLS()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		config := at[r.Host]
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil || config == nil {
			t.Errorf("asked for %s: %v", r.Host, err)
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		inner := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			io.WriteString(w, "ok")
		})}
		inner.Serve(&oneConn{tls.Server(c, config), make(chan struct{})})
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// oneConn is a listener of one connection, whose second Accept ends when that
// is closed.
type oneConn struct {
	net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.Conn; c != nil {
		l.Conn = nil
		return &closing{Conn: c, l: l}, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
func (l *oneConn) Close() error   { return nil }

type closing struct {
	net.Conn
	l    *oneConn
	done bool
}

func (c *closing) Close() error {
	if !c.done {
		c.done = true
		close(c.l.closed)
	}
	return c.Conn.Close()
}

func askGo(t *testing.T, proxy string, roots []*x509.Certificate, addresses []string) (said []string) {
	t.Helper()
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r)
	}
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}), TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer tr.CloseIdleConnections()
	for _, address := range addresses {
		resp, err := (&http.Client{Transport: tr}).Get(address)
		if err != nil {
			said = append(said, "refused: "+err.Error())
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Error(err)
		}
		said = append(said, string(text))
	}
	return said
}

func askJava(t *testing.T, proxy string, roots []*x509.Certificate, addresses []string) []string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err == nil {
		err = exec.Command(java, "--describe-module", "jdk.compiler").Run() // a JRE can't run a source file
	}
	if err != nil {
		t.Skipf("Java's client was NOT tested: this machine has no java that runs source files (a JDK, 17 or newer): %v", err)
	}
	store, err := trust.TrustStore(nil, roots)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trust.p12")
	if err := os.WriteFile(file, store, 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(proxy)
	args := append([]string{"-Djavax.net.ssl.trustStore=" + file, "-Djavax.net.ssl.trustStorePassword=changeit", filepath.Join("testdata", "Client.java"), host, port}, addresses...)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), java, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	t.Log(out.String())
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}
