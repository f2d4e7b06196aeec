package trust_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/ca/trust"
)

// issuer gives a data folder with an authority, and its issuer.
func issuer(t *testing.T) (dir string, made ca.Issuer) {
	t.Helper()
	dir = t.TempDir()
	made, err := ca.Rotate(dir, []string{"api.example.com"}, 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return dir, made
}

func certs(t *testing.T, file string) (all []*x509.Certificate) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func has(all []*x509.Certificate, c *x509.Certificate) bool { return slices.ContainsFunc(all, c.Equal) }

// What a variable named before stays trusted, and a second run does not take our
// own file for it.
func TestSettingsKeepWhatIsTrusted(t *testing.T) {
	dir, ours := issuer(t)
	_, theirs := issuer(t)
	own := filepath.Join(t.TempDir(), "corporate.pem")
	if err := os.WriteFile(own, bytes.TrimRight(ca.PEM([]*x509.Certificate{theirs.Root}), "\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"NODE_EXTRA_CA_CERTS": own, "SSL_CERT_FILE": own, "REQUESTS_CA_BUNDLE": own, "CODEX_CA_CERTIFICATE": own, "CURL_CA_BUNDLE": own, "GIT_SSL_CAINFO": own}
	for range 2 {
		all, err := trust.Settings(dir, trust.Agents(), func(name string) string { return env[name] }, []*x509.Certificate{ours.Root})
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(env) {
			t.Errorf("%d settings, want %d", len(all), len(env))
		}
		for _, s := range all {
			if got := certs(t, s.Value); !has(got, ours.Root) || !has(got, theirs.Root) || len(got) != 2 {
				t.Errorf("%s names %d roots, want the company's and ours", s.Name, len(got))
			}
		}
	}
	alone, err := trust.Settings(dir, []string{"NODE_EXTRA_CA_CERTS"}, func(string) string { return "" }, []*x509.Certificate{ours.Root})
	if err != nil {
		t.Fatal(err)
	}
	env["NODE_EXTRA_CA_CERTS"] = alone[0].Value
	again, err := trust.Settings(dir, []string{"NODE_EXTRA_CA_CERTS"}, func(name string) string { return env[name] }, []*x509.Certificate{ours.Root})
	if err != nil || again[0].Value != alone[0].Value || len(certs(t, again[0].Value)) != 1 {
		t.Errorf("our own file was taken for the user's: %v %v", again, err)
	}
	if err := trust.Clean(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(alone[0].Value); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestABundleNeedsCertificates(t *testing.T) {
	dir, ours := issuer(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	os.WriteFile(empty, []byte("nothing\n"), 0o600)
	for _, base := range []string{empty, filepath.Join(dir, "none.pem")} {
		if _, err := trust.BundleFile(dir, "x.pem", base, []*x509.Certificate{ours.Root}); err == nil {
			t.Errorf("%s: a bundle was made", base)
		}
	}
}

func TestATrustStoreIsReadAgain(t *testing.T) {
	_, ours := issuer(t)
	_, theirs := issuer(t)
	text, err := trust.TrustStore(ca.PEM([]*x509.Certificate{theirs.Root}), []*x509.Certificate{ours.Root})
	if err != nil {
		t.Fatal(err)
	}
	got, err := pkcs12.DecodeTrustStore(text, "changeit")
	if err != nil || len(got) != 2 || !has(got, ours.Root) || !has(got, theirs.Root) {
		t.Errorf("%d certificates, %v; want both roots", len(got), err)
	}
}

// store is a system with a folder of anchors, and a command that notes that it
// ran.
func store(t *testing.T, ran *[]string) trust.System {
	t.Helper()
	prefix := t.TempDir()
	if err := os.MkdirAll(filepath.Join(prefix, "/usr/local/share/ca-certificates"), 0o755); err != nil {
		t.Fatal(err)
	}
	return trust.System{
		OS: "linux", Prefix: prefix,
		Look: func(name string) (string, error) {
			if name == "update-ca-certificates" {
				return "/usr/sbin/" + name, nil
			}
			return "", os.ErrNotExist
		},
		Run: func(input, name string, args ...string) error {
			*ran = append(*ran, strings.TrimPrefix(strings.Join(append([]string{name}, args...), " "), prefix)+input)
			return nil
		},
	}
}

func TestUninstallLeavesNothing(t *testing.T) {
	var ran []string
	s := store(t, &ran)
	anchors := filepath.Join(s.Prefix, "/usr/local/share/ca-certificates")
	hook := filepath.Join(s.Prefix, "/etc/ca-certificates/update.d/jks-keystore")
	if err := errors.Join(os.MkdirAll(filepath.Dir(hook), 0o755), os.WriteFile(hook, nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(anchors, "corporate.crt"), []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, first := issuer(t)
	_, second := issuer(t)
	for _, i := range []ca.Issuer{first, second} {
		if _, done, err := s.Install([]ca.Issuer{i}, ""); err != nil || !done {
			t.Fatalf("installed %v, %v", done, err)
		}
		file := filepath.Join(anchors, "gatehouse-"+i.ID+".crt")
		if got := certs(t, file); len(got) != 1 || !got[0].Equal(i.Root) {
			t.Errorf("%s holds %d certificates, want the root", file, len(got))
		}
	}
	links := filepath.Join(s.Prefix, "/etc/ssl/certs")
	if err := os.MkdirAll(links, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{ // as update-ca-certificates makes them
		"gatehouse-" + first.ID + ".pem": filepath.Join(anchors, "gatehouse-"+first.ID+".crt"), "ef7c99da.0": "gatehouse-" + first.ID + ".pem",
		"corporate.pem": filepath.Join(anchors, "corporate.crt"), "01234567.0": "corporate.pem",
	} {
		if err := os.Symlink(target, filepath.Join(links, name)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	if _, done, err := s.Uninstall([]ca.Issuer{second}); err != nil || !done { // the first is another authority's, from before
		t.Fatalf("uninstalled %v, %v", done, err)
	}
	if left, err := os.ReadDir(links); err != nil || len(left) != 2 || left[0].Name() != "01234567.0" || left[1].Name() != "corporate.pem" {
		t.Errorf("links left: %v, %v", left, err)
	}
	left, err := os.ReadDir(anchors)
	if err != nil || len(left) != 1 || left[0].Name() != "corporate.crt" {
		t.Errorf("left: %v, %v; want what is not ours alone", left, err)
	}
	if len(ran) != 4 || ran[0] != "update-ca-certificates" || ran[2] != "update-ca-certificates" {
		t.Errorf("ran %q", ran)
	}
	for _, i := range []ca.Issuer{first, second} { // or Java goes on trusting it
		if got := ran[3]; !strings.HasPrefix(got, "/etc/ca-certificates/update.d/jks-keystore") || !strings.Contains(got, "-/etc/ssl/certs/gatehouse-"+i.ID+".pem\n") {
			t.Errorf("Java is told %q", got)
		}
	}
	if _, _, err := s.Uninstall(nil); err != nil || len(ran) != 4 {
		t.Errorf("with nothing to remove: %v, ran %q", err, ran)
	}
}

func TestOtherSystemsGetCommands(t *testing.T) {
	_, made := issuer(t)
	for os, want := range map[string][2]string{"darwin": {"security add-trusted-cert", "security delete-certificate"}, "windows": {"certutil -addstore", "certutil -delstore"}} {
		in, done, err := trust.System{OS: os}.Install([]ca.Issuer{made}, "/x/roots.pem")
		if err != nil || done || len(in) != 1 || !strings.Contains(in[0], want[0]) {
			t.Errorf("%s: %q %v %v", os, in, done, err)
		}
		out, done, err := trust.System{OS: os}.Uninstall([]ca.Issuer{made})
		if err != nil || done || len(out) != 1 || !strings.Contains(out[0], want[1]) {
			t.Errorf("%s: %q %v %v", os, out, done, err)
		}
	}
	none := trust.System{OS: "linux", Prefix: t.TempDir()}
	if _, _, err := none.Install([]ca.Issuer{made}, ""); err == nil || !strings.Contains(err.Error(), "ca export") {
		t.Errorf("a system without a store: %v", err)
	}
}
