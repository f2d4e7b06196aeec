//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
)

// TestCoverage: the report of a folder that no gateway runs on, for people and as
// JSON. What can't be seen is said each time.
func TestCoverage(t *testing.T) {
	p := newPlace(t)
	data := filepath.Join(t.TempDir(), "data")
	file, err := os.ReadFile("../../internal/archive/testdata/mitmproxy-11.0.2.flows")
	if err != nil {
		t.Fatal(err)
	}
	if exit, out, errs := p.do("import", "--data", data, p.save("old.flows", string(file))); exit != 0 {
		t.Fatalf("%d, %s%s", exit, out, errs)
	}
	exit, out, errs := p.do("coverage", "--json", "--data", data)
	var r coverage.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || exit != 0 || errs != "" {
		t.Fatalf("%d, %q, %s (%v)", exit, out, errs, err)
	}
	if calls := r.Total.Model[flow.Import] + r.Total.Other[flow.Import]; calls != 4 || len(r.Sessions) == 0 {
		t.Errorf("%d calls: %s", calls, out)
	}
	exit, out, errs = p.do("coverage", "--data", data)
	for _, want := range []string{"SESSION", clip(r.Sessions[0].Session, 38), "model calls   ", " imported", "can't be seen connections that never came"} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("%d: %q is not in\n%s%s", exit, want, out, errs)
		}
	}
	if exit, out, _ = p.do("coverage", "--data", data, "--session", r.Sessions[0].Session); exit != 0 || strings.Count(out, "\n") < 5 {
		t.Errorf("%d: %s", exit, out)
	}
	for want, args := range map[int][]string{1: {"--session", "nobody"}, 2: {"word"}} {
		if exit, out, errs := p.do(append([]string{"coverage", "--data", data}, args...)...); exit != want || errs == "" {
			t.Errorf("%v: %d, %s%s", args, exit, out, errs)
		}
	}
	if exit, out, errs := p.do("coverage", "--data", data, "--since", "0m"); exit != 0 || !strings.Contains(out, "no flows") {
		t.Errorf("%d: %s%s", exit, out, errs)
	}
}
