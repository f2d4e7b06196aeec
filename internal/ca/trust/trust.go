// Package trust makes clients trust the roots of package ca: a tool alone, by
// files that a variable names, or the whole system, by its own store. It never
// touches a key, and what it puts somewhere it can take away again.
package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/ca"
)

// bundles are the files in which systems keep the roots that they trust, as
// PEM: Debian, Fedora, SUSE, Alpine, the BSDs.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
	"/usr/local/etc/ssl/cert.pem",
	"/usr/local/share/certs/ca-root-nss.crt",
}

// ErrNoSystemRoots says that the system keeps its roots where no file can be
// made of them.
var ErrNoSystemRoots = errors.New("the system's own roots could not be found as a file")

// SystemRoots gives the roots that the system trusts, as PEM.
func SystemRoots() ([]byte, error) {
	if runtime.GOOS == "darwin" {
		text, err := exec.Command("/usr/bin/security", "find-certificate", "-a", "-p", "/System/Library/Keychains/SystemRootCertificates.keychain").Output()
		if err != nil || len(text) == 0 {
			return nil, errors.Join(ErrNoSystemRoots, err)
		}
		return text, nil
	}
	for _, file := range bundles {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			return text, nil
		}
	}
	return nil, ErrNoSystemRoots
}

// Bundle joins a text of certificates and roots. A text without a certificate
// is an error: a client would trust nobody else.
func Bundle(base []byte, roots []*x509.Certificate) ([]byte, error) {
	if block, _ := pem.Decode(base); block == nil {
		return nil, errors.New("holds no certificate")
	}
	text := bytes.TrimRight(base, "\n")
	return append(append(bytes.Clone(text), '\n'), ca.PEM(roots)...), nil
}

// Folder is where the files for tools are, in the authority's folder.
const Folder = "trust"

// RootsFile writes the roots alone, for programs that add them to their own,
// and gives the file.
func RootsFile(data string, roots []*x509.Certificate) (string, error) {
	return write(data, "roots.pem", ca.PEM(roots))
}

// BundleFile writes the roots beside those of a file, or, when that is "", of
// the system, for programs that trust nothing else. It gives the file that it
// wrote under a name.
func BundleFile(data, name, base string, roots []*x509.Certificate) (string, error) {
	text, err := read(base)
	if err != nil {
		return "", err
	}
	if text, err = Bundle(text, roots); err != nil {
		return "", fmt.Errorf("reading the roots of %s: %w", base, err)
	}
	return write(data, name, text)
}

func read(base string) ([]byte, error) {
	if base == "" {
		return SystemRoots()
	}
	text, err := os.ReadFile(base)
	if err != nil {
		return nil, fmt.Errorf("reading the roots that are trusted already: %w", err)
	}
	return text, nil
}

func write(data, name string, text []byte) (string, error) {
	path := filepath.Join(data, ca.Folder, Folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("writing the roots to trust: %w", err)
	}
	if err := atomicfile.Write(path, text); err != nil {
		return "", fmt.Errorf("writing the roots to trust: %w", err)
	}
	return path, nil
}

// Clean removes the files for all tools.
func Clean(data string) error {
	if err := os.RemoveAll(filepath.Join(data, ca.Folder, Folder)); err != nil {
		return fmt.Errorf("removing the roots to trust: %w", err)
	}
	return nil
}
