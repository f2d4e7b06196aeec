package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A leaf is valid for a day: an hour that has passed, for clocks that are
// behind, and the rest. It is used until renewal is left of it.
const (
	leafBefore = time.Hour
	leafAfter  = 23 * time.Hour
	renewal    = time.Hour
)

// maxLeaves bounds the leaves that are kept.
const maxLeaves = 256

// NotPermittedError says that no issuer may sign for a host.
type NotPermittedError struct{ Host string }

func (e *NotPermittedError) Error() string {
	return "the certificate authority may not sign for " + e.Host + ", which was not inspected when it was made: run \"gatehouse ca rotate\", then make clients trust the new root"
}

// Authority signs leaves with the issuers of a data folder. It follows what
// other processes do there, and is safe for concurrent use.
type Authority struct {
	dir string
	now func() time.Time

	mu      sync.Mutex
	read    os.FileInfo // of ca.json, when it was read
	issuers []signing   // live ones, oldest first
	leaves  map[string]*leaf
}

// signing is an issuer with its key.
type signing struct {
	Issuer
	key crypto.Signer
}

// leaf is one that was made, or is being made until done is closed.
type leaf struct {
	done  chan struct{}
	cert  *tls.Certificate
	until time.Time
	err   error
}

// Open reads the authority of a data folder. Without one it gives ErrNone; a
// key that others can read is an error.
func Open(data string, now func() time.Time) (*Authority, error) {
	a := &Authority{dir: filepath.Join(data, Folder), now: now, leaves: map[string]*leaf{}}
	if err := a.refresh(); err != nil {
		return nil, err
	}
	return a, nil
}

// Issuers are those that are live, oldest first.
func (a *Authority) Issuers() (all []Issuer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.issuers {
		if a.issuers[i].Live(a.now()) {
			all = append(all, a.issuers[i].Issuer)
		}
	}
	return all
}

// refresh reads the issuers again when ca.json was replaced. The leaves of an
// issuer that was taken away go with it.
func (a *Authority) refresh() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	info, err := os.Stat(filepath.Join(a.dir, stateName))
	ended := slices.ContainsFunc(a.issuers, func(s signing) bool { return !s.Live(a.now()) }) // its key is to be destroyed
	if err == nil && a.read != nil && !ended && os.SameFile(info, a.read) && info.ModTime().Equal(a.read.ModTime()) {
		return nil
	}
	s, err := readState(a.dir)
	if err != nil {
		return err
	}
	issuers, err := s.open(a.dir, a.now())
	if err != nil {
		return err
	}
	a.read, a.issuers = info, issuers
	clear(a.leaves)
	return s.destroy(a.dir, a.now(), false) // one that is not listed may be of a rotation that is under way
}

// open gives the live issuers with their keys.
func (s state) open(dir string, now time.Time) (live []signing, err error) {
	for _, one := range s.Issuers {
		issuer, err := one.parse()
		if err != nil {
			return nil, fmt.Errorf("reading the certificate authority's issuer %q: %w", one.ID, err)
		}
		if !issuer.Live(now) {
			continue
		}
		key, err := readKey(filepath.Join(dir, one.ID+keyEnding), issuer.Cert)
		if err != nil {
			return nil, err
		}
		live = append(live, signing{issuer, key})
	}
	return live, nil
}

// Permits gives the error that Leaf would give for a host, without making a leaf.
func (a *Authority) Permits(host string) error {
	if err := a.refresh(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.issuer(host)
	return err
}

// Leaf gives a certificate for a host, in lower case, with the issuer's behind
// it. One is made when there is none: once, however many ask.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	if err := a.refresh(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	l, ok := a.leaves[host]
	if !ok || l.over(a.now()) {
		issuer, err := a.issuer(host)
		if err != nil {
			a.mu.Unlock()
			return nil, err
		}
		l = &leaf{done: make(chan struct{})}
		a.room()
		a.leaves[host] = l
		a.mu.Unlock()
		l.cert, l.until, l.err = issuer.mint(host, a.now())
		close(l.done)
		return l.cert, l.err
	}
	a.mu.Unlock()
	<-l.done
	return l.cert, l.err
}

// over reports whether a leaf is not to be used any more. One that is being made
// is.
func (l *leaf) over(now time.Time) bool {
	select {
	case <-l.done:
		return l.err != nil || !now.Before(l.until)
	default:
		return false
	}
}

// room takes a leaf away when there are as many as may be.
func (a *Authority) room() {
	for host := range a.leaves {
		if len(a.leaves) < maxLeaves {
			return
		}
		delete(a.leaves, host)
	}
}

// issuer finds the oldest that may sign for a host: the one whose root the most
// clients have read.
func (a *Authority) issuer(host string) (*signing, error) {
	for i := range a.issuers {
		if s := &a.issuers[i]; s.Live(a.now()) && s.Permits(host) {
			return s, nil
		}
	}
	return nil, &NotPermittedError{host}
}

// mint makes a leaf with a key of its own. It ends with its issuer at the
// latest.
func (s *signing) mint(host string, now time.Time) (*tls.Certificate, time.Time, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("making a key for %s: %w", host, err)
	}
	end := now.Add(leafAfter)
	if s.Cert.NotAfter.Before(end) {
		end = s.Cert.NotAfter
	}
	if !s.Retires.IsZero() && s.Retires.Before(end) {
		end = s.Retires
	}
	form := &x509.Certificate{
		Subject: pkix.Name{CommonName: commonName(host)}, DNSNames: []string{host},
		NotBefore: now.Add(-leafBefore), NotAfter: end,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, s.Cert, &key.PublicKey, s.key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signing for %s: %w", host, err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signing for %s: %w", host, err)
	}
	until := end.Add(-min(renewal, end.Sub(now)/2))
	return &tls.Certificate{Certificate: [][]byte{der, s.Cert.Raw}, PrivateKey: key, Leaf: parsed}, until, nil
}

// commonName is a host's, which X.520 bounds to 64 characters; clients read
// DNSNames.
func commonName(host string) string { return host[:min(len(host), 64)] }
