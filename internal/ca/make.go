package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
)

// life is how long a root and its issuer are valid.
const life = 365 * 24 * time.Hour

// skew is how far behind a client's clock may be.
const skew = 24 * time.Hour

// Rotate makes a new root and issuer for hosts in a data folder. The older
// issuers go on for the overlap: they sign for what they permit, so that what a
// running program trusts goes on working, and the new one signs for the rest.
// Then they retire: the new one signs for all, their roots leave the roots to
// trust, and their keys are destroyed. With no overlap that is at once.
//
// After an error the authority is as it was, unless only destroying old keys failed:
// then the new one is in force.
func Rotate(data string, hosts []string, overlap time.Duration, now time.Time) (Issuer, error) {
	if len(hosts) == 0 {
		return Issuer{}, errors.New("making a certificate authority: no host is inspected, so that there is nothing to sign for")
	}
	dir := filepath.Join(data, Folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Issuer{}, fmt.Errorf("making a certificate authority: %w", err)
	}
	done, err := turn(dir)
	if err != nil {
		return Issuer{}, err
	}
	defer done()
	s, err := readState(dir)
	if err != nil && !errors.Is(err, ErrNone) {
		return Issuer{}, err
	}
	made, key, err := generate(hosts, now)
	if err != nil {
		return Issuer{}, fmt.Errorf("making a certificate authority: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, made.ID+keyEnding), key); err != nil {
		return Issuer{}, fmt.Errorf("writing the key of the certificate authority: %w", err)
	}
	end := now.Add(overlap).UTC()
	s.Issuers = slices.DeleteFunc(s.Issuers, func(i stored) bool { return i.ended(now) })
	for i := range s.Issuers {
		if r := s.Issuers[i].Retires; r.IsZero() || r.After(end) {
			s.Issuers[i].Retires = end
		}
	}
	s.Issuers = append(s.Issuers, made.stored())
	if err := s.write(dir); err != nil {
		return Issuer{}, err
	}
	return made, s.destroy(dir, now, true)
}

// turn makes two processes that rotate wait for nobody: the second one fails.
func turn(dir string) (done func(), err error) {
	path := filepath.Join(dir, turnName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the certificate authority is being made by another process; if there is none, remove %s", path)
	}
	if err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	f.Close()
	return func() { os.Remove(path) }, nil
}

func (s stored) ended(now time.Time) bool {
	i, err := s.parse()
	return err == nil && !i.Live(now)
}

// destroy removes the keys that nothing is signed with any more, also those
// that a process left behind which ended before it had written ca.json.
func (s state) destroy(dir string, now time.Time, unlisted bool) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"+keyEnding))
	for _, file := range files {
		id := strings.TrimSuffix(filepath.Base(file), keyEnding)
		i := slices.IndexFunc(s.Issuers, func(i stored) bool { return i.ID == id })
		if i < 0 && !unlisted || i >= 0 && !s.Issuers[i].ended(now) {
			continue
		}
		if e := os.Remove(file); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("destroying the keys of issuers that have ended: %w", err)
	}
	return nil
}

// generate makes a root and its issuer, and the issuer's key as PEM. The root's
// key is nowhere when it returns.
func generate(hosts []string, now time.Time) (Issuer, []byte, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Issuer{}, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Issuer{}, nil, err
	}
	name := now.UTC().Format("2006-01-02 ") + keyName(rootKey)
	root, err := sign(rootForm(name, now), nil, &rootKey.PublicKey, rootKey)
	if err != nil {
		return Issuer{}, nil, fmt.Errorf("signing the root: %w", err)
	}
	cert, err := sign(issuerForm(name, hosts, now), root, &key.PublicKey, rootKey)
	if err != nil {
		return Issuer{}, nil, fmt.Errorf("signing the issuer: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Issuer{}, nil, err
	}
	sum := sha256.Sum256(root.Raw)
	made := Issuer{ID: hex.EncodeToString(sum[:8]), Made: now.UTC(), Hosts: hosts, Root: root, Cert: cert}
	return made, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func (i Issuer) stored() stored {
	return stored{ID: i.ID, Made: i.Made, Retires: i.Retires, Hosts: i.Hosts, Root: string(encode(i.Root.Raw)), Cert: string(encode(i.Cert.Raw))}
}

// keyName tells roots of one day apart.
func keyName(key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err) // a P-256 key always encodes
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:4])
}

// sign makes a certificate; without a parent it signs itself.
func sign(form, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	if parent == nil {
		parent = form
	}
	der, err := x509.CreateCertificate(rand.Reader, form, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// rootForm has a path length of 1: the issuer, and below it leaves.
func rootForm(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Gatehouse"}, CommonName: "Gatehouse root " + name},
		NotBefore: now.Add(-skew), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// issuerForm holds the constraints, and not the root: some clients ignore those
// of a root, since it is given and not found (RFC 5280 section 6.1). DNS names
// alone would leave every IP address free.
func issuerForm(name string, hosts []string, now time.Time) *x509.Certificate {
	var domains []string
	for _, h := range hosts {
		domains = append(domains, strings.TrimPrefix(h, "*."))
	}
	return &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Gatehouse"}, CommonName: "Gatehouse issuer " + name},
		NotBefore: now.Add(-skew), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         domains,
		ExcludedIPRanges:            []*net.IPNet{everything(net.IPv4len), everything(net.IPv6len)},
	}
}

// everything is the range of all addresses of a length.
func everything(size int) *net.IPNet {
	return &net.IPNet{IP: make(net.IP, size), Mask: make(net.IPMask, size)}
}
