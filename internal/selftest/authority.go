package selftest

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
)

// authorityCase looks at what inspected calls are signed with. told is what was
// seen, for the table.
type authorityCase struct {
	name  string
	check func(ctx context.Context, b *bench) (told string, err error)
}

func authority() []authorityCase {
	return []authorityCase{
		{"a leaf is valid for a day at most", leafEnds},
		{"the issuer signs for inspected hosts alone", constrained},
		{"a stolen issuer's leaf for another domain", stolen(x509.Certificate{DNSNames: []string{"www.example.com"}}, "www.example.com")},
		{"a stolen issuer's leaf for an address", stolen(x509.Certificate{DNSNames: []string{host}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}}, "192.0.2.1")},
		{"a stolen issuer's leaf for an address of version 6", stolen(x509.Certificate{DNSNames: []string{host}, IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}}, "2001:db8::1")},
		{"keys are their owner's alone", ownKeys},
	}
}

// shown gives the chain that a client is shown.
func (b *bench) shown(ctx context.Context) ([]*x509.Certificate, error) {
	_, conn, err := b.connect(ctx, host+":443")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: b.roots})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("a client that trusts the root: %w", err)
	}
	return client.ConnectionState().PeerCertificates, nil
}

// day is the longest that a leaf may be valid.
const day = 24 * time.Hour

func leafEnds(ctx context.Context, b *bench) (string, error) {
	chain, err := b.shown(ctx)
	if err != nil {
		return "", err
	}
	valid := chain[0].NotAfter.Sub(chain[0].NotBefore)
	told := fmt.Sprintf("valid for %v, %s", valid, chain[0].DNSNames)
	if valid > day || !slices.Equal(chain[0].DNSNames, []string{host}) || len(chain[0].IPAddresses) > 0 {
		return told, errors.New("longer than a day, or for more than its host")
	}
	return told, nil
}

// everywhere are the ranges of all addresses.
var everywhere = []string{"0.0.0.0/0", "::/0"}

func constrained(ctx context.Context, b *bench) (string, error) {
	chain, err := b.shown(ctx)
	if err != nil {
		return "", err
	}
	if len(chain) != 2 {
		return "", fmt.Errorf("a chain of %d certificates, without the root", len(chain))
	}
	issuer := chain[1]
	var excluded []string
	for _, r := range issuer.ExcludedIPRanges {
		excluded = append(excluded, r.String())
	}
	told := fmt.Sprintf("%d hosts permitted, addresses excluded: %s, critical: %v", len(issuer.PermittedDNSDomains), excluded, issuer.PermittedDNSDomainsCritical)
	switch {
	case !issuer.PermittedDNSDomainsCritical || !slices.Equal(excluded, everywhere):
		return told, errors.New("not critical, or not of all addresses")
	case !slices.Equal(issuer.PermittedDNSDomains, config.Default().Intercept.Hosts()):
		return told, fmt.Errorf("permitted are %s", issuer.PermittedDNSDomains)
	case issuer.MaxPathLen != 0 || !issuer.MaxPathLenZero || b.issuer.Root.MaxPathLen != 1:
		return told, errors.New("its path length is not 0, or the root's is not 1")
	}
	return told, nil
}

// stolen signs a leaf as somebody could who has the issuer's key, and asks
// crypto/x509 as a client does.
func stolen(form x509.Certificate, name string) func(context.Context, *bench) (string, error) {
	return func(_ context.Context, b *bench) (string, error) {
		key, err := b.issuerKey()
		if err != nil {
			return "", err
		}
		form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		leaf, err := badcert.Issue(&badcert.Pair{Cert: b.issuer.Cert, Key: key}, form, time.Now())
		if err != nil {
			return "", err
		}
		between := x509.NewCertPool()
		between.AddCert(b.issuer.Cert)
		_, err = leaf.Cert.Verify(x509.VerifyOptions{DNSName: name, Roots: b.roots, Intermediates: between})
		var invalid x509.CertificateInvalidError
		if !errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName {
			return fmt.Sprint(err), errors.New("the name constraints are not why it is refused")
		}
		return invalid.Error(), nil
	}
}

// issuerKey reads the key of the gateway's own issuer.
func (b *bench) issuerKey() (crypto.Signer, error) {
	file, err := b.keyFile()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("a key that is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("a key that can't sign")
	}
	return signer, nil
}

// keyFile is the one key of the gateway's certificate authority.
func (b *bench) keyFile() (string, error) {
	files, err := filepath.Glob(filepath.Join(b.dir, "data", ca.Folder, "*.key"))
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("%d keys are kept, and one is to be", len(files))
	}
	return files[0], nil
}

// ownKeys looks at the modes of keys; Windows has none.
func ownKeys(_ context.Context, b *bench) (string, error) {
	file, err := b.keyFile()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	told := fmt.Sprintf("one key, the issuer's, mode %04o", info.Mode().Perm())
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		return told, errors.New("others can read it")
	}
	return told, nil
}
