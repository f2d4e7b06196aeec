package ca_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// made gives an authority for hosts.
func made(t *testing.T, dir string, c *clock, hosts ...string) *ca.Authority {
	t.Helper()
	if _, err := ca.Rotate(dir, hosts, ca.Overlap, c.Now()); err != nil {
		t.Fatal(err)
	}
	a, err := ca.Open(dir, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func roots(t *testing.T, dir string, now time.Time) *x509.CertPool {
	t.Helper()
	all, err := ca.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for _, r := range ca.Roots(all, now) {
		pool.AddCert(r)
	}
	return pool
}

// verify asks the standard library what a client would say of a leaf.
func verify(t *testing.T, a *ca.Authority, host string, pool *x509.CertPool, now time.Time) error {
	t.Helper()
	leaf, err := a.Leaf(host)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, der := range leaf.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, Intermediates: between, CurrentTime: now})
	return err
}

func TestALeafIsWhatClientsAccept(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	a := made(t, dir, c, "api.example.com", "*.models.example.org")
	pool := roots(t, dir, start)
	for _, host := range []string{"api.example.com", "eu.models.example.org", "a.b.models.example.org"} {
		if err := verify(t, a, host, pool, start); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		leaf, _ := a.Leaf(host)
		if d := leaf.Leaf.NotAfter.Sub(leaf.Leaf.NotBefore); d > 24*time.Hour {
			t.Errorf("%s: a leaf is valid for %v", host, d)
		}
	}
	for _, host := range []string{"example.com", "www.api.example.com", "models.example.org", "xmodels.example.org", "127.0.0.1", "", "*.models.example.org.evil.test"} {
		var not *ca.NotPermittedError
		if _, err := a.Leaf(host); !errors.As(err, &not) {
			t.Errorf("%q: %v, want that it is not permitted", host, err)
		}
	}
}

func TestChainIsBounded(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	made(t, dir, c, "api.example.com")
	all, err := ca.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	root, issuer := all[0].Root, all[0].Cert
	if !root.IsCA || root.MaxPathLen != 1 {
		t.Errorf("root: CA %v, path length %d, want 1", root.IsCA, root.MaxPathLen)
	}
	if !issuer.IsCA || issuer.MaxPathLen != 0 || !issuer.MaxPathLenZero {
		t.Errorf("issuer: CA %v, path length %d, want 0", issuer.IsCA, issuer.MaxPathLen)
	}
	if !issuer.PermittedDNSDomainsCritical || len(issuer.PermittedDNSDomains) != 1 || len(issuer.ExcludedIPRanges) != 2 {
		t.Errorf("issuer: constraints %v %v, critical %v", issuer.PermittedDNSDomains, issuer.ExcludedIPRanges, issuer.PermittedDNSDomainsCritical)
	}
	// What somebody signs who has stolen the issuer's key.
	key := readKey(t, filepath.Join(dir, ca.Folder, all[0].ID+".key"))
	pool := roots(t, dir, start)
	for name, form := range map[string]*x509.Certificate{
		"another host": {DNSNames: []string{"bank.example.net"}},
		"an address":   {IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}},
		"an address 6": {IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}},
	} {
		forged := signed(t, form, issuer, key)
		between := x509.NewCertPool()
		between.AddCert(issuer)
		if _, err := forged.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, CurrentTime: start}); err == nil {
			t.Errorf("%s: a client accepts it", name)
		}
	}
}

func TestNoRootKeyIsKept(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	made(t, dir, c, "api.example.com")
	all, _ := ca.List(dir)
	files, err := os.ReadDir(filepath.Join(dir, ca.Folder))
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, ca.Folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				keys++
			}
		}
		if bytes.Contains(text, []byte("PRIVATE")) && f.Name() != all[0].ID+".key" {
			t.Errorf("%s holds a key", f.Name())
		}
	}
	if keys != 1 {
		t.Errorf("%d keys are kept, want the issuer's alone", keys)
	}
	if err := all[0].Cert.CheckSignatureFrom(all[0].Root); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ca.Folder, "rotating")); err == nil {
		t.Error("the turn is still taken")
	}
}

func TestRotateOverlaps(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	a := made(t, dir, c, "api.example.com")
	before := roots(t, dir, start) // of a program that runs
	c.add(time.Hour)
	made(t, dir, c, "api.example.com", "new.example.com")
	both := roots(t, dir, c.Now())
	if err := verify(t, a, "api.example.com", before, c.Now()); err != nil {
		t.Errorf("what ran before the rotation: %v", err)
	}
	if err := verify(t, a, "new.example.com", both, c.Now()); err != nil {
		t.Errorf("a new host: %v", err)
	}
	if err := verify(t, a, "new.example.com", before, c.Now()); err == nil {
		t.Error("the old root stands for a new host")
	}
	c.add(ca.Overlap - time.Minute)
	leaf, err := a.Leaf("api.example.com")
	if err != nil || leaf.Leaf.NotAfter.After(start.Add(time.Hour+ca.Overlap)) {
		t.Errorf("a leaf outlives its issuer: %v", err)
	}
	c.add(2 * time.Minute)
	after := roots(t, dir, c.Now())
	if all, err := ca.List(dir); err != nil || len(ca.Roots(all, c.Now())) != 1 {
		t.Errorf("%d roots are to be trusted after the overlap, want 1: %v", len(ca.Roots(all, c.Now())), err)
	}
	if err := verify(t, a, "api.example.com", after, c.Now()); err != nil {
		t.Errorf("after the overlap: %v", err)
	}
	if keys, _ := filepath.Glob(filepath.Join(dir, ca.Folder, "*.key")); len(keys) != 1 {
		t.Errorf("keys after the overlap: %v, want one", keys)
	}
}

// A key stands there before the list that names it: who opens the authority in
// between must leave it alone.
func TestOpenLeavesAKeyThatIsBeingMade(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	made(t, dir, c, "api.example.com")
	key := filepath.Join(dir, ca.Folder, "new.key")
	if err := os.WriteFile(key, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(dir, c.Now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(key); err != nil {
		t.Errorf("the key of a rotation that is under way: %v", err)
	}
	if _, err := ca.Rotate(dir, []string{"api.example.com"}, 0, start); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key of a rotation that broke off: %v, want none", err)
	}
}

func TestRotateAtOnceDestroysTheOldKey(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	made(t, dir, c, "api.example.com")
	old, _ := ca.List(dir)
	if _, err := ca.Rotate(dir, []string{"api.example.com"}, 0, start); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ca.Folder, old[0].ID+".key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old key: %v, want none", err)
	}
}

func TestKeysThatOthersCanReadAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir, c := t.TempDir(), &clock{now: start}
	made(t, dir, c, "api.example.com")
	all, _ := ca.List(dir)
	key := filepath.Join(dir, ca.Folder, all[0].ID+".key")
	if info, _ := os.Stat(key); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620} {
		os.Chmod(key, mode)
		if _, err := ca.Open(dir, c.Now); err == nil || !strings.Contains(err.Error(), "read by others") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestBadFilesAreToldApart(t *testing.T) {
	if _, err := ca.Open(t.TempDir(), time.Now); !errors.Is(err, ca.ErrNone) {
		t.Errorf("an empty folder: %v, want ErrNone", err)
	}
	for name, tt := range map[string]struct {
		change func(dir, key string) error
		want   string
	}{
		"no key":         {func(_, key string) error { return os.Remove(key) }, "reading the key"},
		"no PEM":         {func(_, key string) error { return os.WriteFile(key, []byte("x"), 0o600) }, "not PEM"},
		"another's":      {func(_, key string) error { return os.WriteFile(key, otherKey(t), 0o600) }, "another one's"},
		"no JSON":        {func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "ca.json"), []byte("{"), 0o600) }, "ca.json"},
		"two roots":      {func(dir, _ string) error { return twice(dir) }, "not one PEM certificate"},
		"another's root": {func(dir, _ string) error { return swapped(t, dir) }, "did not sign"},
	} {
		dir, c := t.TempDir(), &clock{now: start}
		made(t, dir, c, "api.example.com")
		all, _ := ca.List(dir)
		if err := tt.change(filepath.Join(dir, ca.Folder), filepath.Join(dir, ca.Folder, all[0].ID+".key")); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(dir, c.Now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestOneLeafForManyWhoAsk(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	a := made(t, dir, c, "api.example.com")
	var all sync.WaitGroup
	serials := make([]string, 32)
	for i := range serials {
		all.Go(func() {
			leaf, err := a.Leaf("api.example.com")
			if err != nil {
				t.Error(err)
				return
			}
			serials[i] = leaf.Leaf.SerialNumber.String()
		})
	}
	all.Wait()
	for _, s := range serials {
		if s != serials[0] {
			t.Fatal("more than one leaf was made")
		}
	}
	c.add(23 * time.Hour)
	leaf, err := a.Leaf("api.example.com")
	if err != nil || leaf.Leaf.SerialNumber.String() == serials[0] {
		t.Errorf("a leaf at its end is used on: %v", err)
	}
}

func TestLeavesAreBounded(t *testing.T) {
	dir, c := t.TempDir(), &clock{now: start}
	a := made(t, dir, c, "*.example.com")
	for i := range 600 {
		if _, err := a.Leaf(fmt.Sprintf("h%d.example.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.Kept(); n > 256 {
		t.Errorf("%d leaves are kept", n)
	}
}
