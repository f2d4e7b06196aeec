//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImport: a recording is on record without a gateway; what can't be read is
// said, with the exit code.
func TestImport(t *testing.T) {
	p := newPlace(t)
	file, err := os.ReadFile("../../internal/archive/testdata/mitmproxy-11.0.2.flows")
	if err != nil {
		t.Fatal(err)
	}
	whole, half := p.save("old.flows", string(file)), p.save("half.flows", string(file[:len(file)-100]))
	data := filepath.Join(t.TempDir(), "data")
	exit, out, errs := p.do("import", "--data", data, whole)
	if exit != 0 || !strings.Contains(out, "5 exchanges, 4 flows recorded") || !strings.Contains(out, "127.0.0.1:4177 1") && !strings.Contains(out, "127.0.0.1 ") {
		t.Errorf("%d, %q, %s", exit, out, errs)
	}
	exit, out, errs = p.do("flows", "--json", "--data", data)
	if n := strings.Count(out, `"entrance":"import"`); exit != 0 || n != 4 {
		t.Errorf("%d: %d flows: %s%s", exit, n, out, errs)
	}
	exit, out, errs = p.do("import", "--json", "--data", data, half)
	var report importReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || exit != 1 || report.Error == "" || !strings.Contains(errs, "not read to its end") {
		t.Errorf("%d, %q, %s (%v)", exit, out, errs, err)
	}
	if exit, out, errs := p.do("verify", "--data", data); exit != 0 {
		t.Errorf("verify: %d, %s%s", exit, out, errs)
	}
	for _, args := range [][]string{{"import", "--data", data}, {"import", "--data", data, filepath.Join(data, "none.har")}} {
		if exit, _, errs := p.do(args...); exit == 0 || errs == "" {
			t.Errorf("%v: %d, %q", args, exit, errs)
		}
	}
}

// TestImportOfBrokenExchanges: they are named, all others are on record, of the files
// after them too, and the exit code tells.
func TestImportOfBrokenExchanges(t *testing.T) {
	p := newPlace(t)
	entry := func(at, encoding string) string {
		return `{"startedDateTime":"` + at + `","request":{"method":"POST","url":"https://api.anthropic.com/v1/messages","postData":{"text":"{}"}},"response":{"status":200,"content":{"text":"!","encoding":"` + encoding + `"}}}`
	}
	file := func(name string, entries ...string) string {
		return p.save(name, `{"log":{"entries":[`+strings.Join(entries, ",")+`]}}`)
	}
	broken := strings.Split(strings.Repeat(entry("2025-03-01T10:00:00Z", "base64")+"\n", 25), "\n")[:25]
	odd := file("odd.har", append(broken, entry("0001-01-01T00:00:00Z", ""))...)
	good := file("good.har", entry("2025-03-01T10:00:00Z", ""))
	exit, out, errs := p.do("import", "--data", filepath.Join(t.TempDir(), "data"), odd, good)
	for _, want := range []string{"26 exchanges, 1 flows", "1 have no time", "not read: entry 1 ", "not read: entry 20 ", "not read: 5 more", "good.har: 1 exchanges, 1 flows"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing of %q: %s", want, out)
		}
	}
	if exit != 1 || !strings.Contains(errs, "could not be read: 25 exchanges") {
		t.Errorf("%d, %s", exit, errs)
	}
}
