package ca_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
)

func readKey(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed is a leaf that the product would not make.
func signed(t *testing.T, form, issuer *x509.Certificate, key any) *x509.Certificate {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form.NotBefore, form.NotAfter = start.Add(-time.Hour), start.Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, form, issuer, &own.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func otherKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// changed rewrites the first issuer of ca.json.
func changed(dir string, change func(issuer map[string]any)) error {
	path := filepath.Join(dir, "ca.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s struct {
		Issuers []map[string]any `json:"issuers"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	change(s.Issuers[0])
	if text, err = json.Marshal(s); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func twice(dir string) error {
	return changed(dir, func(i map[string]any) { i["root"] = i["root"].(string) + i["root"].(string) })
}

func swapped(t *testing.T, dir string) error {
	other := t.TempDir()
	if _, err := ca.Rotate(other, []string{"api.example.com"}, 0, start); err != nil {
		return err
	}
	all, err := ca.List(other)
	if err != nil {
		return err
	}
	return changed(dir, func(i map[string]any) { i["root"] = string(ca.PEM([]*x509.Certificate{all[0].Root})) })
}
