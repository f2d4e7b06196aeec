package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// caSays runs ca on a folder.
func caSays(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	err := runCA(t.Context(), append([]string{"--data", dir}, args...), streams{strings.NewReader(""), &o, &e})
	code = report(err, &e)
	return code, o.String(), e.String()
}

func TestCAFromFirstToLast(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := caSays(t, dir, "show"); code != 1 || !strings.Contains(errs, "gatehouse ca rotate") {
		t.Errorf("show without one: %d %s", code, errs)
	}
	code, out, errs := caSays(t, dir, "export")
	block, rest := pem.Decode([]byte(out))
	if code != 0 || block == nil || len(rest) != 0 {
		t.Fatalf("export: %d %q %s", code, out, errs)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !root.IsCA {
		t.Fatalf("export: %v", err)
	}
	file := filepath.Join(dir, "gatehouse.yaml")
	os.WriteFile(file, []byte("intercept: {inspect: [{host: llm.example.com, provider: openai}]}\n"), 0o600)
	if _, _, errs := caSays(t, dir, "show", "--config", file); !strings.Contains(errs, "not signed for: llm.example.com") {
		t.Errorf("show with a new host: %s", errs)
	}
	if code, _, errs := caSays(t, dir, "rotate", "--config", file); code != 0 || !strings.Contains(errs, "llm.example.com") {
		t.Errorf("rotate: %d %s", code, errs)
	}
	code, out, errs = caSays(t, dir, "show", "--json", "--config", file)
	var states []string
	for line := range strings.Lines(out) {
		var v issuerView
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		states = append(states, v.State)
	}
	if code != 0 || strings.Join(states, " ") != "retiring live" || errs != "" {
		t.Errorf("show after a rotation: %d %q %s", code, states, errs)
	}
	if _, out, _ := caSays(t, dir, "export"); strings.Count(out, "BEGIN CERTIFICATE") != 2 {
		t.Errorf("export in the overlap gives %d roots, want 2", strings.Count(out, "BEGIN CERTIFICATE"))
	}
}

func TestCAForOneTool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("NODE_EXTRA_CA_CERTS", "")
	code, out, errs := caSays(t, dir, "install", "--for", "node", "--shell", "sh")
	path, ok := strings.CutPrefix(strings.TrimSpace(out), "export NODE_EXTRA_CA_CERTS=")
	if code != 0 || !ok {
		t.Fatalf("install: %d %q %s", code, out, errs)
	}
	if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "BEGIN CERTIFICATE") != 1 {
		t.Errorf("the file %s: %v", path, err)
	}
	if code, out, _ := caSays(t, dir, "uninstall", "--for", "node", "--shell", "sh"); code != 0 || out != "unset NODE_EXTRA_CA_CERTS\n" {
		t.Errorf("uninstall: %d %q", code, out)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is left")
	}
	for _, bad := range [][]string{{"install", "--for", "nothing"}, {"install", "--for", "node", "--shell", "dos"}, {"rotate", "--overlap", "long"}, {"export", "--format", "der"}, {"polish"}, {}} {
		if code, _, _ := caSays(t, dir, bad...); code != 2 {
			t.Errorf("%q: exit code %d, want 2", bad, code)
		}
	}
}

func TestCAShowsAKeyThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir := t.TempDir()
	caSays(t, dir, "rotate")
	keys, err := filepath.Glob(filepath.Join(dir, "ca", "*.key"))
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	os.Chmod(keys[0], 0o644)
	if code, _, errs := caSays(t, dir, "show"); code != 1 || !strings.Contains(errs, "read by others") {
		t.Errorf("show: %d %s", code, errs)
	}
	if code, _, errs := caSays(t, dir, "rotate", "--overlap", "0"); code != 0 {
		t.Errorf("rotate: %d %s", code, errs)
	}
	if code, _, errs := caSays(t, dir, "show"); code != 0 {
		t.Errorf("show after the rotation: %d %s", code, errs)
	}
}
