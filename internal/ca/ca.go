// Package ca is the authority under which the gateway answers in place of the
// hosts that it inspects: roots without a key, one issuer below each, and leaves
// of a day. It never keeps a root's key, never signs for a host that its issuer
// does not permit, and never makes anybody trust it: package trust helps with
// that.
package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
)

// Folder is the authority's own in the data folder: ca.json has the
// certificates, ID.key an issuer's key.
const Folder = "ca"

const (
	stateName = "ca.json"
	turnName  = "rotating"
	keyEnding = ".key"
)

// Overlap is how long, by default, an issuer goes on signing after a newer one
// was made: programs that run read their roots when they start.
const Overlap = 7 * 24 * time.Hour

// ErrNone says that no authority was made yet.
var ErrNone = errors.New("there is no certificate authority here yet")

// Issuer is one generation: a root, whose key was destroyed when it had signed
// the issuer's certificate, and that certificate.
type Issuer struct {
	ID      string    // 16 hexadecimal digits of the hash of the root
	Made    time.Time //
	Retires time.Time // it signs nothing from then on, and leaves the roots to trust; zero: not told yet
	Hosts   []string  // that it may sign for: names, or *.DOMAIN
	Root    *x509.Certificate
	Cert    *x509.Certificate
}

// Permits reports whether the issuer may sign for a host.
func (i *Issuer) Permits(host string) bool { return Listed(i.Hosts, host) }

// Listed reports whether a host is one of a list of names and *.DOMAIN.
func Listed(hosts []string, host string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		domain, below := strings.CutPrefix(h, "*")
		return h == host || below && strings.HasSuffix(host, domain) && len(host) > len(domain)
	})
}

// Live reports whether the issuer signs, and its root is to be trusted, at a
// time.
func (i *Issuer) Live(now time.Time) bool {
	return now.Before(i.Cert.NotAfter) && (i.Retires.IsZero() || now.Before(i.Retires))
}

// stored is an issuer in ca.json.
type stored struct {
	ID      string    `json:"id"`
	Made    time.Time `json:"made"`
	Retires time.Time `json:"retires,omitzero"`
	Hosts   []string  `json:"hosts"`
	Root    string    `json:"root"`   // PEM
	Cert    string    `json:"issuer"` // PEM
}

type state struct {
	Issuers []stored `json:"issuers"` // oldest first
}

// List reads the issuers of a data folder, oldest first, those that have ended
// among them. Without an authority it gives ErrNone.
func List(data string) ([]Issuer, error) {
	s, err := readState(filepath.Join(data, Folder))
	if err != nil {
		return nil, err
	}
	var all []Issuer
	for _, one := range s.Issuers {
		issuer, err := one.parse()
		if err != nil {
			return nil, fmt.Errorf("reading the certificate authority's issuer %q: %w", one.ID, err)
		}
		all = append(all, issuer)
	}
	return all, nil
}

// Roots are those of the issuers that are live at a time, newest first.
func Roots(all []Issuer, now time.Time) (roots []*x509.Certificate) {
	for _, i := range slices.Backward(all) {
		if i.Live(now) {
			roots = append(roots, i.Root)
		}
	}
	return roots
}

// PEM writes certificates as text.
func PEM(certs []*x509.Certificate) []byte {
	var text []byte
	for _, c := range certs {
		text = append(text, encode(c.Raw)...)
	}
	return text
}

func encode(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func readState(dir string) (s state, err error) {
	text, err := os.ReadFile(filepath.Join(dir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return s, ErrNone
	}
	if err != nil {
		return s, fmt.Errorf("reading the certificate authority: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading the certificate authority: %s: %w", stateName, err)
	}
	if len(s.Issuers) == 0 {
		return s, ErrNone
	}
	return s, nil
}

func (s state) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the certificate authority: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, stateName), append(text, '\n')); err != nil {
		return fmt.Errorf("writing the certificate authority: %w", err)
	}
	return nil
}

func (s stored) parse() (Issuer, error) {
	root, err := one(s.Root)
	if err != nil {
		return Issuer{}, fmt.Errorf("root: %w", err)
	}
	cert, err := one(s.Cert)
	if err != nil {
		return Issuer{}, fmt.Errorf("issuer: %w", err)
	}
	if err := cert.CheckSignatureFrom(root); err != nil {
		return Issuer{}, fmt.Errorf("the root did not sign it: %w", err)
	}
	return Issuer{ID: s.ID, Made: s.Made, Retires: s.Retires, Hosts: s.Hosts, Root: root, Cert: cert}, nil
}

// one reads a text of exactly one certificate.
func one(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("not one PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// readKey reads an issuer's key, which nobody but its owner may read, and which
// must be the certificate's.
func readKey(path string, cert *x509.Certificate) (crypto.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key of the certificate authority: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("the key of the certificate authority can be read by others than its owner (%s, mode %04o): whoever has it can pass for the hosts that clients here trust; make a new one with \"gatehouse ca rotate --overlap 0\"", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key of the certificate authority: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("the key of the certificate authority is not PEM: %s", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fmt.Errorf("the key of the certificate authority is not PKCS #8: %s", path)
	}
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(signer.Public()) {
		return nil, fmt.Errorf("the key of the certificate authority is another one's: %s", path)
	}
	return signer, nil
}
