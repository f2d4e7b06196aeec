package identity_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/identity"
)

func TestKeyLifecycle(t *testing.T) {
	dir := t.TempDir()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	k, err := identity.OpenKeys(dir, []byte("secret"), func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	secret, err := k.Add("ci")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ghk_[0-9A-Za-z]{38}$`).MatchString(secret) {
		t.Errorf("the key looks like %q", secret)
	}
	if _, err := k.Add("ci"); !errors.Is(err, identity.ErrNameTaken) {
		t.Errorf("a second key of that name: %v", err)
	}
	if found, err := k.Lookup(secret); err != nil || found.Name != "ci" {
		t.Errorf("looked up: %+v, %v", found, err)
	}
	if err := k.Revoke("ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Lookup(secret); !errors.Is(err, identity.ErrRevoked) {
		t.Errorf("a revoked key: %v", err)
	}
	if err := k.Revoke("ci"); !errors.Is(err, identity.ErrNoSuchName) {
		t.Errorf("revoked again: %v", err)
	}
	again, err := k.Add("ci")
	if err != nil || again == secret {
		t.Fatalf("a name that was revoked: %v", err)
	}
	list, err := k.List()
	if err != nil || len(list) != 2 || list[0].Revoked.IsZero() || !list[1].Revoked.IsZero() || !list[0].Created.Equal(clock.Truncate(time.Second)) {
		t.Errorf("list: %+v, %v", list, err)
	}
}

func TestKeyFileHoldsNoKey(t *testing.T) {
	dir := t.TempDir()
	k, err := identity.OpenKeys(dir, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := k.Add("ci")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, identity.KeysFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), secret[len("ghk_"):]) {
		t.Errorf("the file holds the key: %s", raw)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the file's mode is %v", info.Mode())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file: %v, %v", left, err)
	}
	// Under another tenant key the same secret is no key.
	other, err := identity.OpenKeys(dir, []byte("another"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lookup(secret); !errors.Is(err, identity.ErrUnknownKey) {
		t.Errorf("under another tenant key: %v", err)
	}
}

func TestKeyThatIsNone(t *testing.T) {
	k := keys(t)
	secret, err := k.Add("ci")
	if err != nil {
		t.Fatal(err)
	}
	swapped := []byte(secret)
	swapped[10], swapped[11] = swapped[11]+1, swapped[10]+1
	for _, s := range []string{"", "ghk_", "x", secret[:len(secret)-1], secret + "x", strings.ToLower(secret), "GHK_" + secret[4:], string(swapped), " " + secret} {
		if found, err := k.Lookup(s); !errors.Is(err, identity.ErrUnknownKey) {
			t.Errorf("%d bytes: %+v, %v", len(s), found, err)
		}
	}
}

func TestKeyNames(t *testing.T) {
	k := keys(t)
	for _, name := range []string{"", ".", "-x", "_x", "@", "a b", "a/b", "a\nb", "ä", strings.Repeat("x", 65)} {
		if _, err := k.Add(name); !errors.Is(err, identity.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "9", "alice@example.com", "build_agent-2", strings.Repeat("x", 64)} {
		if _, err := k.Add(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Another process changes the file while the gateway runs.
func TestKeysAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	gateway, err := identity.OpenKeys(dir, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := identity.OpenKeys(dir, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := admin.Add("ci")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Lookup(secret); err != nil {
		t.Errorf("a key that was added: %v", err)
	}
	if err := admin.Revoke("ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Lookup(secret); !errors.Is(err, identity.ErrRevoked) {
		t.Errorf("a key that was revoked: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, identity.KeysFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Lookup(secret); !errors.Is(err, identity.ErrUnknownKey) {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestKeysThatCantBeReadAdmitNobody(t *testing.T) {
	dir := t.TempDir()
	k, err := identity.OpenKeys(dir, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := k.Add("ci")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, identity.KeysFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"cut": string(good[:len(good)/2]), "empty": "", "newer": `{"version":2,"keys":[]}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Lookup(secret); err == nil || errors.Is(err, identity.ErrUnknownKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := k.Add("other"); err == nil {
			t.Errorf("%s: a key was added to it", name)
		}
		if _, err := identity.OpenKeys(dir, []byte("secret"), nil); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Lookup(secret); err != nil {
		t.Errorf("repaired: %v", err)
	}
}

func TestKeysAtOnce(t *testing.T) {
	k := keys(t)
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			secret, err := k.Add(name)
			if err != nil {
				t.Error(err)
			}
			for range 100 {
				if found, err := k.Lookup(secret); err != nil || found.Name != name {
					t.Errorf("%s: %+v, %v", name, found, err)
				}
			}
		})
	}
	all.Wait()
	if list, err := k.List(); err != nil || len(list) != 4 {
		t.Errorf("list: %+v, %v", list, err)
	}
}

func BenchmarkLookup(b *testing.B) {
	k, err := identity.OpenKeys(b.TempDir(), []byte("secret"), nil)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := k.Add("ci")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.Lookup(secret); err != nil {
			b.Fatal(err)
		}
	}
}
