package upstream_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/upstream"
)

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func elliptical(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate; without an issuer it signs itself.
func issue(t *testing.T, by *pair, key crypto.Signer, form x509.Certificate) *pair {
	t.Helper()
	if form.NotAfter.IsZero() {
		form.NotBefore, form.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	form.BasicConstraintsValid = true
	if form.Subject.CommonName == "" {
		form.Subject = pkix.Name{CommonName: "a provider"}
	}
	if by == nil {
		by = &pair{&form, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &form, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{cert, key}
}

// sha1Signed is a server's certificate, signed as crypto/x509 no longer does.
// The two algorithms' names differ in one byte.
func sha1Signed(t *testing.T, by *pair) *pair {
	t.Helper()
	made := issue(t, by, elliptical(t), server())
	sha256, sha1ID := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	name := func(id asn1.ObjectIdentifier) []byte {
		der, err := asn1.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	body := bytes.Replace(made.cert.RawTBSCertificate, name(sha256), name(sha1ID), 1)
	sum := sha1.Sum(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, by.key.(*rsa.PrivateKey), crypto.SHA1, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, pkix.AlgorithmIdentifier{Algorithm: sha1ID, Parameters: asn1.NullRawValue}, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil || cert.SignatureAlgorithm != x509.SHA1WithRSA {
		t.Fatalf("%v, signed with %v", err, cert.SignatureAlgorithm)
	}
	return &pair{cert, made.key}
}

func authority(name string, length int) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, MaxPathLen: length, MaxPathLenZero: length == 0, KeyUsage: x509.KeyUsageCertSign}
}

func server() x509.Certificate {
	return x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// provider serves TLS under a chain, and counts what it is asked.
func provider(t *testing.T, asked *atomic.Int32, change func(*tls.Config), chain ...*pair) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); io.WriteString(w, "ok") }))
	cert := tls.Certificate{PrivateKey: chain[0].key}
	for _, p := range chain {
		cert.Certificate = append(cert.Certificate, p.cert.Raw)
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// TestProvidersThatAreNotTrusted: nothing of the request reaches one, and the
// error says what is wrong with it.
func TestProvidersThatAreNotTrusted(t *testing.T) {
	root := issue(t, nil, elliptical(t), authority("a root", 1))
	file := filepath.Join(t.TempDir(), "ca.pem")
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	old := issue(t, nil, long, authority("an old root", 1))
	var text []byte
	for _, p := range []*pair{root, old} {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*x509.Certificate)) x509.Certificate {
		form := server()
		change(&form)
		return form
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	between := issue(t, root, elliptical(t), authority("between", 0))
	deeper := issue(t, between, elliptical(t), authority("too deep", 0))
	stranger := issue(t, nil, elliptical(t), authority("a stranger", 1))
	leaf := issue(t, root, elliptical(t), server())
	past, future := time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour)
	cases := []struct {
		name   string
		chain  []*pair
		change func(*tls.Config)
		want   string // "": trusted
	}{
		{"a good one", []*pair{leaf}, nil, ""},
		{"a good one with an intermediate", []*pair{issue(t, between, elliptical(t), server()), between}, nil, ""},
		{"expired", []*pair{issue(t, root, elliptical(t), with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = past, past.Add(time.Hour) }))}, nil, "expired"},
		{"not yet valid", []*pair{issue(t, root, elliptical(t), with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = future, future.Add(time.Hour) }))}, nil, "not yet valid"},
		{"self-signed", []*pair{issue(t, nil, elliptical(t), server())}, nil, "self-signed"},
		{"another host's", []*pair{issue(t, root, elliptical(t), with(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"api.example.com"} }))}, nil, "another host's"},
		{"an unknown issuer's", []*pair{issue(t, stranger, elliptical(t), server())}, nil, "issuer is not known"},
		{"without its intermediate", []*pair{issue(t, between, elliptical(t), server())}, nil, "intermediate"},
		{"a short RSA key", []*pair{issue(t, root, short, server())}, nil, "1024 bits"},
		{"a short RSA key of an issuer", func() []*pair {
			weak := issue(t, root, short, authority("weak", 0))
			return []*pair{issue(t, weak, elliptical(t), server()), weak}
		}(), nil, "1024 bits"},
		{"for clients", []*pair{issue(t, root, elliptical(t), with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))}, nil, "not for servers"},
		{"a chain that is too long", []*pair{issue(t, deeper, elliptical(t), server()), deeper, between}, nil, "path length"},
		{"issued by a leaf", []*pair{issue(t, leaf, elliptical(t), server()), leaf}, nil, "issue"},
		{"signed with SHA-1", []*pair{sha1Signed(t, old)}, nil, "SHA1"},
		{"TLS 1.1", []*pair{leaf}, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "TLS"},
		{"wants a client certificate", []*pair{leaf}, func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}, "refused our TLS"},
	}
	for _, tt := range cases {
		var asked atomic.Int32
		u, err := upstream.New(upstream.Options{URL: provider(t, &asked, tt.change, tt.chain...), CAFile: file})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := u.Send(t.Context(), http.MethodPost, "/", nil, []byte("secret"))
		if err == nil {
			resp.Body.Close()
		}
		trusted := tt.want == ""
		if (err == nil) != trusted || (asked.Load() > 0) != trusted {
			t.Errorf("%s: %v; it was asked %d times", tt.name, err, asked.Load())
		}
		if got := upstream.Distrust(err); !strings.Contains(got, tt.want) || (got == "") != trusted {
			t.Errorf("%s: %v: the reason is %q, want %q", tt.name, err, got, tt.want)
		}
		if trusted {
			if leg := u.Leg(resp.TLS); leg.Version != "TLS 1.3" || leg.Chain == "" || leg.Cipher == "" {
				t.Errorf("%s: %+v", tt.name, leg)
			}
		}
		u.Close()
	}
}
