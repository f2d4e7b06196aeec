//go:build unix

package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScan: what stands in a file, a folder and the standard input is told with
// its place and without its value; the exit code says whether something was found.
func TestScan(t *testing.T) {
	p := newPlace(t)
	token := "gh" + "p_" + "8Jq2Xw5Zr7Tn4Vb9Kc3L" + "f6Hd1Pm0Sg2Yt5Ua"
	text := p.save("notes.txt", "first line\nkey: "+token+"\n")
	talk := p.save("talk.jsonl", `{"role":"user","content":"`+base64.StdEncoding.EncodeToString([]byte("token="+token))+`"}`+"\n"+`{"role":"user","content":"bye"}`+"\n")
	own := p.save("acme.rules", ownRules("an acme_12345678", "acme_[0-9]{8}"))
	rules, odd := t.TempDir(), t.TempDir()
	for _, name := range []string{filepath.Join(rules, "acme.yaml"), filepath.Join(odd, "acme.yml")} {
		if err := os.WriteFile(name, []byte(ownRules("an acme_12345678", "acme_[0-9]{8}")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clean := p.save("clean.txt", "nothing to see, acme_12345678\n")
	linked := text + ".link"
	if err := os.Symlink(text, linked); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(text) + "-link"
	if err := os.Symlink(filepath.Dir(text), folder); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   string
		args []string
		exit int
		want string // in what is printed; "" is nothing
	}{
		{"", []string{text}, 1, text + ":2:6: secret.github-token, critical, 98 %, 40 bytes\n"},
		{"", []string{filepath.Dir(talk)}, 1, "talk.jsonl:1:27: secret.github-token, critical, 98 %, "},
		{"", []string{talk}, 1, "through base64"},
		{"", []string{linked}, 1, linked + ":2:6: secret.github-token"},
		{"", []string{folder}, 1, filepath.Join(folder, "notes.txt") + ":2:6: secret.github-token"},
		{"", []string{"--family", "secrets", text}, 2, ""},
		{"x " + token, []string{"-"}, 1, "-:1:3: secret.github-token"},
		{"", []string{clean}, 0, ""},
		{"", []string{"--rules", own, clean}, 1, ":1:17: acme.key, high, 90 %, 13 bytes\n"},
		{"", []string{"--rules", rules, clean}, 1, ":1:17: acme.key, high, 90 %, 13 bytes\n"},
		{"", []string{"--rules", odd, clean}, 1, ""},
		{"", []string{"--family", "pii", text}, 0, ""},
		{"", []string{"--min-confidence", "99", text}, 0, ""},
		{"", []string{"nowhere.txt"}, 1, ""},
		{"", nil, 2, ""},
	} {
		exit, out, errs := p.tell(tt.in, append([]string{"scan"}, tt.args...)...)
		if exit != tt.exit || !strings.Contains(out, tt.want) || tt.want == "" && out != "" {
			t.Errorf("%v: %d, %q, %s; want %d, %q", tt.args, exit, out, errs, tt.exit, tt.want)
		}
		if strings.Contains(out+errs, token) {
			t.Errorf("%v prints the value", tt.args)
		}
	}
	_, out, _ := p.do("scan", "--json", text)
	var h hit
	if err := json.Unmarshal([]byte(out), &h); err != nil || h.Rule != "secret.github-token" || h.Line != 2 || h.End-h.Start != 40 {
		t.Errorf("as JSON: %q, %v", out, err)
	}
}
