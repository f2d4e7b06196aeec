//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExport: a file is whole and its owner's alone; none is replaced unless that
// is said; content needs a reason; what was written can be imported.
func TestExport(t *testing.T) {
	p := newPlace(t)
	file, err := os.ReadFile("../../internal/archive/testdata/mitmproxy-11.0.2.flows")
	if err != nil {
		t.Fatal(err)
	}
	data, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "flows.har")
	if exit, _, errs := p.do("import", "--data", data, p.save("old.flows", string(file))); exit != 0 {
		t.Fatal(errs)
	}
	exit, lines, errs := p.do("export", "--data", data)
	if exit != 0 || strings.Count(lines, `{"view":`) != 4 || strings.Contains(lines, "from an old recording") {
		t.Errorf("%d: %s%s", exit, lines, errs)
	}
	if exit, lines, errs = p.do("export", "api:anthropic.messages", "--data", data, "--content", "--why", "a test"); exit != 0 || strings.Count(lines, "\n") != 1 || !strings.Contains(lines, "from an old recording") {
		t.Errorf("%d: %s%s", exit, lines, errs)
	}
	var first struct{ View struct{ ID string } }
	if err := json.Unmarshal([]byte(lines), &first); err != nil {
		t.Fatal(err)
	}
	har := []string{"export", "--data", data, "--format", "har", "--content", "--why", "a test", "--out", out}
	if exit, said, errs := p.do(har...); exit != 0 || said != "" {
		t.Errorf("%d: %s%s", exit, said, errs)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if exit, _, errs := p.do(har...); exit != 2 || !strings.Contains(errs, "--force") {
		t.Errorf("over a file that is there: %d %s", exit, errs)
	}
	if exit, _, errs := p.do(append(har, "--force")...); exit != 0 {
		t.Errorf("with --force: %d %s", exit, errs)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if exit, said, errs := p.do("import", "--data", filepath.Join(t.TempDir(), "other"), out); exit != 0 || !strings.Contains(said, "4 exchanges") {
		t.Errorf("%d: %s%s", exit, said, errs)
	}
	exit, script, errs := p.do("export", first.View.ID, "--format", "curl", "--data", data)
	if exit != 0 || !strings.Contains(script, "curl ") || !strings.Contains(script, "from an old recording") {
		t.Errorf("%d: %s%s", exit, script, errs)
	}
	var session struct{ Session, Principal string }
	if _, list, errs := p.do("sessions", "api:anthropic.messages", "--data", data, "--json"); json.Unmarshal([]byte(list), &session) != nil {
		t.Fatal(list, errs)
	}
	exit, page, errs := p.do("export", "--format", "html", "--session", session.Session, "--principal", session.Principal, "--data", data, "--why", "a test")
	without := strings.Contains(errs, "tag noui")
	if !without && (exit != 0 || !strings.Contains(page, "from an old recording") || !strings.HasPrefix(page, "<!doctype html>") || !strings.Contains(page, `"redact":"values"`)) {
		t.Errorf("%d: %.300s%s", exit, page, errs)
	}
	if exit, page, errs := p.do("export", "--format", "html", "--session", "none", "--data", data, "--why", "a test"); exit == 0 || page != "" || !without && !strings.Contains(errs, "no such session") {
		t.Errorf("%d: %s%s", exit, page, errs)
	}
	for want, args := range map[string][]string{
		"--why":            {"--content"},
		"--session S":      {"--format", "html"},
		"takes no filter":  {"--format", "html", "--session", "s", "model:x"},
		"needs --why":      {"--format", "html", "--session", "s"},
		"a filter says":    {"--session", "s"},
		"jsonl, har":       {"--format", "xml"},
		"none or values":   {"--redact", "all"},
		"one flow":         {"--format", "curl"},
		"belongs to":       {"--direct"},
		"no field modle":   {"modle:x"},
		"no such flow":     {"--format", "curl", "nothing"},
		"no such file":     {"--out", filepath.Join(data, "none", "x")},
		"there is no ledg": {"--data", filepath.Join(data, "none")},
	} {
		if exit, said, errs := p.do(append([]string{"export", "--data", data}, args...)...); exit == 0 || said != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %s%s", args, exit, said, errs)
		}
	}
}

// TestExportThatBreaksOff: the server's reason is told, and no half file is left.
func TestExportThatBreaksOff(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "{\"view\":1}\n\n{\"error\":{\"kind\":\"ledger_full\",\"message\":\"the ledger is full\"}}\n")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})}
	go server.Serve(ln)
	defer server.Close()
	b := &backend{client: socketClient(ln.Addr().String())}
	e := exporting{out: filepath.Join(t.TempDir(), "flows.jsonl")}
	err = e.save(func(w io.Writer) error {
		return fetchExport(t.Context(), b, "/export", w, streams{err: io.Discard})
	})
	if err == nil || !strings.Contains(err.Error(), "the ledger is full") || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(e.out)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
