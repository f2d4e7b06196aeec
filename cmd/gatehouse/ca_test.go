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

// TestCAUninstallLeavesTheRest: a variable gets back what the user had in it, and the
// other tools go on.
func TestCAUninstallLeavesTheRest(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(t.TempDir(), "corporate.pem")
	_, root, _ := caSays(t, dir, "export")
	os.WriteFile(own, []byte(root), 0o600)
	// installed gives what a variable is set to, after each of two installs.
	installed := func(tool, name, before string) (path string) {
		t.Setenv(name, before)
		for range 2 {
			code, out, errs := caSays(t, dir, "install", "--for", tool, "--shell", "powershell")
			for line := range strings.Lines(out) {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "$env:"+name+" = '"); ok {
					path = strings.TrimSuffix(rest, "'")
				}
			}
			if code != 0 || path == "" {
				t.Fatalf("install for %s: %d %q %s", tool, code, out, errs)
			}
			t.Setenv(name, path)
		}
		return path
	}
	installed("node", "NODE_EXTRA_CA_CERTS", own)
	java := installed("java", "JAVA_TOOL_OPTIONS", "-Xmx100m")
	if !strings.HasPrefix(java, "-Xmx100m -Djavax") || strings.Count(java, "trustStore=") != 1 {
		t.Errorf("for Java: %q", java)
	}
	curl, git := installed("curl", "CURL_CA_BUNDLE", ""), installed("git", "GIT_SSL_CAINFO", own)
	t.Setenv("REQUESTS_CA_BUNDLE", own)
	shared := installed("python", "SSL_CERT_FILE", "")
	for _, tt := range []struct{ tool, want, note string }{
		{"node", "export NODE_EXTRA_CA_CERTS=" + quote(own) + "\n", ""},
		{"java", "export JAVA_TOOL_OPTIONS=-Xmx100m\n", ""},
		{"curl", "unset CURL_CA_BUNDLE\n", ""},
		{"codex", "unset CODEX_CA_CERTIFICATE\nunset SSL_CERT_FILE\n", "also read by python, openssl"},
		{"python", "unset SSL_CERT_FILE\n", "REQUESTS_CA_BUNDLE has nothing of Gatehouse's here"},
	} {
		code, out, errs := caSays(t, dir, "uninstall", "--for", tt.tool, "--shell", "sh")
		if code != 0 || out != tt.want || !strings.Contains(errs, tt.note) || tt.note == "" && errs != "" {
			t.Errorf("uninstall for %s: %d %q %q", tt.tool, code, out, errs)
		}
	}
	for _, file := range []string{curl, git, shared} {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("another tool's file: %v", err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "ca", "trust", "*"))
	for _, file := range left {
		if name := filepath.Base(file); name == "roots.p12" || strings.HasPrefix(name, "NODE_") {
			t.Errorf("left: %s", file)
		}
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
