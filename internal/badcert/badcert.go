// Package badcert makes the certificates and the TLS of providers that must not
// be trusted, and those of a few that must, for who wants to see that a client
// tells them apart: tests, and the self-test of the forward proxy. All of them
// are for 127.0.0.1. It never serves or verifies anything.
package badcert

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
	"errors"
	"fmt"
	"net"
	"time"
)

// Pair is a certificate with its key.
type Pair struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// Case is a provider: the chain that it shows, the leaf first, and how it speaks.
type Case struct {
	Name   string
	Chain  []*Pair
	Change func(*tls.Config) // nil: TLS as usual
	Want   string            // stands in the reason for which it is refused; "": it is trusted
}

// TLS is the case's side of a connection.
func (c Case) TLS() *tls.Config {
	shown := tls.Certificate{PrivateKey: c.Chain[0].Key}
	for _, p := range c.Chain {
		shown.Certificate = append(shown.Certificate, p.Cert.Raw)
	}
	config := &tls.Config{Certificates: []tls.Certificate{shown}}
	if c.Change != nil {
		c.Change(config)
	}
	return config
}

// Set is a number of cases, and the roots that a client must trust to tell the
// good ones from the bad.
type Set struct {
	Roots []*x509.Certificate
	Cases []Case
}

// weakSuites are key exchanges and ciphers of TLS 1.2 that nobody should take
// any more and that crypto/tls can still serve. It can't serve NULL, EXPORT and
// anonymous ones.
var weakSuites = []struct {
	name string
	id   uint16
}{
	{"cipher RC4", tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA},
	{"cipher 3DES", tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA},
	{"no forward secrecy (RSA key exchange)", tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
}

// New makes a set that is valid at a time.
func New(now time.Time) (Set, error) {
	m := &maker{now: now}
	long, short := m.rsa(2048), m.rsa(1024)
	root, old := m.issue(nil, m.key(), Authority("a root", 1)), m.issue(nil, long, Authority("an old root", 1))
	if m.err != nil {
		return Set{}, m.err
	}
	set := Set{Roots: []*x509.Certificate{root.Cert, old.Cert}}
	set.Cases = append(m.trusted(root), m.untimely(root)...)
	set.Cases = append(set.Cases, m.misissued(root)...)
	set.Cases = append(set.Cases, m.weak(root, old, short)...)
	set.Cases = append(set.Cases, m.outdated(m.issue(root, m.key(), Server()), m.issue(root, long, Server()))...)
	return set, m.err
}

func (m *maker) trusted(root *Pair) []Case {
	between := m.issue(root, m.key(), Authority("between", 0))
	return []Case{
		{Name: "a good one", Chain: []*Pair{m.issue(root, m.key(), Server())}},
		{Name: "a good one with an intermediate", Chain: []*Pair{m.issue(between, m.key(), Server()), between}},
	}
}

func (m *maker) untimely(root *Pair) []Case {
	from := func(d time.Duration) x509.Certificate {
		form := Server()
		form.NotBefore, form.NotAfter = m.now.Add(d), m.now.Add(d+time.Hour)
		return form
	}
	return []Case{
		{Name: "expired", Chain: []*Pair{m.issue(root, m.key(), from(-48*time.Hour))}, Want: "expired"},
		{Name: "not yet valid", Chain: []*Pair{m.issue(root, m.key(), from(48*time.Hour))}, Want: "not yet valid"},
	}
}

func (m *maker) misissued(root *Pair) []Case {
	with := func(change func(*x509.Certificate)) x509.Certificate {
		form := Server()
		change(&form)
		return form
	}
	bound := Authority("bound", 0)
	bound.ExcludedIPRanges, bound.PermittedDNSDomainsCritical = []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}, true
	between, leaf, bounded := m.issue(root, m.key(), Authority("between", 0)), m.issue(root, m.key(), Server()), m.issue(root, m.key(), bound)
	deeper := m.issue(between, m.key(), Authority("too deep", 0))
	return []Case{
		{Name: "self-signed", Chain: []*Pair{m.issue(nil, m.key(), Server())}, Want: "self-signed"},
		{Name: "another host's", Chain: []*Pair{m.issue(root, m.key(), with(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"api.example.com"} }))}, Want: "another host's"},
		{Name: "an unknown issuer's", Chain: []*Pair{m.issue(m.issue(nil, m.key(), Authority("a stranger", 1)), m.key(), Server())}, Want: "issuer is not known"},
		{Name: "without its intermediate", Chain: []*Pair{m.issue(between, m.key(), Server())}, Want: "intermediate"},
		{Name: "for clients", Chain: []*Pair{m.issue(root, m.key(), with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))}, Want: "not for servers"},
		{Name: "whose key may not sign for TLS", Chain: []*Pair{m.issue(root, m.key(), with(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))}, Want: "not for servers"},
		{Name: "with an unknown critical extension", Chain: []*Pair{m.issue(root, m.key(), with(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, Critical: true, Value: asn1.NullBytes}}
		}))}, Want: "critical extension"},
		{Name: "a chain that is too long", Chain: []*Pair{m.issue(deeper, m.key(), Server()), deeper, between}, Want: "path length"},
		{Name: "issued by a leaf", Chain: []*Pair{m.issue(leaf, m.key(), Server()), leaf}, Want: "issue"},
		{Name: "issued beyond the issuer's constraints", Chain: []*Pair{m.issue(bounded, m.key(), Server()), bounded}, Want: "name constraints"},
	}
}

func (m *maker) weak(root, old *Pair, short crypto.Signer) []Case {
	feeble := m.issue(root, short, Authority("feeble", 0))
	return []Case{
		{Name: "a short RSA key", Chain: []*Pair{m.issue(root, short, Server())}, Want: "1024 bits"},
		{Name: "a short RSA key of an issuer", Chain: []*Pair{m.issue(feeble, m.key(), Server()), feeble}, Want: "1024 bits"},
		{Name: "signed with SHA-1", Chain: []*Pair{m.sha1Signed(old)}, Want: "SHA1"},
	}
}

// outdated are those whose certificate is good, and whose TLS is not ours.
func (m *maker) outdated(leaf, rsaLeaf *Pair) []Case {
	cases := []Case{
		{Name: "TLS 1.0", Chain: []*Pair{leaf}, Want: "TLS", Change: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }},
		{Name: "TLS 1.1", Chain: []*Pair{leaf}, Want: "TLS", Change: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		{Name: "wants a client certificate", Chain: []*Pair{leaf}, Want: "refused our TLS", Change: func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}},
	}
	for _, s := range weakSuites {
		cases = append(cases, Case{Name: s.name, Chain: []*Pair{rsaLeaf}, Want: "refused our TLS", Change: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{s.id}
		}})
	}
	return cases
}

// Authority is the form of an issuer with a path length.
func Authority(name string, length int) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, MaxPathLen: length, MaxPathLenZero: length == 0, KeyUsage: x509.KeyUsageCertSign}
}

// Server is the form of a server at 127.0.0.1.
func Server() x509.Certificate {
	return x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// Issue makes a certificate with a new key; without an issuer it signs itself.
// It is valid for an hour on both sides of a time, unless the form says.
func Issue(by *Pair, form x509.Certificate, now time.Time) (*Pair, error) {
	m := &maker{now: now}
	return m.issue(by, m.key(), form), m.err
}

// maker makes pairs until something fails; what it gives afterwards is of no
// use.
type maker struct {
	now time.Time
	err error
}

func (m *maker) failed(err error) bool {
	if m.err == nil {
		m.err = err
	}
	return m.err != nil
}

func (m *maker) key() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.failed(err)
	return key
}

func (m *maker) rsa(bits int) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		m.failed(fmt.Errorf("making a key of %d bits: %w", bits, err))
	}
	return key
}

func (m *maker) issue(by *Pair, key crypto.Signer, form x509.Certificate) *Pair {
	if m.err != nil {
		return &Pair{}
	}
	if form.NotAfter.IsZero() {
		form.NotBefore, form.NotAfter = m.now.Add(-time.Hour), m.now.Add(time.Hour)
	}
	form.BasicConstraintsValid = true
	if form.Subject.CommonName == "" {
		form.Subject = pkix.Name{CommonName: "a provider"}
	}
	if by == nil {
		by = &Pair{&form, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &form, by.Cert, key.Public(), by.Key)
	if m.failed(err) {
		return &Pair{}
	}
	cert, err := x509.ParseCertificate(der)
	m.failed(err)
	return &Pair{cert, key}
}

// sha1Signed is a server's certificate, signed as crypto/x509 no longer does, by
// an issuer with an RSA key. The two algorithms' names differ in one byte.
func (m *maker) sha1Signed(by *Pair) *Pair {
	made := m.issue(by, m.key(), Server())
	if m.err != nil {
		return made
	}
	cert, err := resigned(made.Cert, by.Key.(*rsa.PrivateKey))
	if err == nil && cert.SignatureAlgorithm != x509.SHA1WithRSA {
		err = errors.New("a certificate that was to be signed with SHA-1 is not")
	}
	m.failed(err)
	return &Pair{cert, made.Key}
}

func resigned(cert *x509.Certificate, key *rsa.PrivateKey) (*x509.Certificate, error) {
	sha256ID, sha1ID := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	from, err := asn1.Marshal(sha256ID)
	if err != nil {
		return nil, err
	}
	to, err := asn1.Marshal(sha1ID)
	if err != nil {
		return nil, err
	}
	body := bytes.Replace(cert.RawTBSCertificate, from, to, 1)
	sum := sha1.Sum(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, sum[:])
	if err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, pkix.AlgorithmIdentifier{Algorithm: sha1ID, Parameters: asn1.NullRawValue}, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
