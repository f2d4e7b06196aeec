//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

// TestFilters: lists show what a filter chooses, wherever its words stand.
func TestFilters(t *testing.T) {
	p := newPlace(t)
	data := filepath.Join(t.TempDir(), "data")
	file, err := os.ReadFile("../../internal/archive/testdata/mitmproxy-11.0.2.flows")
	if err != nil {
		t.Fatal(err)
	}
	if exit, out, errs := p.do("import", "--data", data, p.save("old.flows", string(file))); exit != 0 {
		t.Fatalf("%d, %s%s", exit, out, errs)
	}
	list := func(args ...string) (views []flow.View) {
		t.Helper()
		exit, out, errs := p.do(append([]string{"flows", "--json", "--data", data}, args...)...)
		if exit != 0 {
			t.Fatalf("%v: %d, %s", args, exit, errs)
		}
		for line := range strings.Lines(out) {
			var v flow.View
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			views = append(views, v)
		}
		return views
	}
	all := list()
	session := all[0].Session
	of := 0
	for _, v := range all {
		if v.Session == session {
			of++
		}
	}
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"entrance:import"}, len(all)},
		{[]string{"entrance:redirect"}, 0},
		{[]string{"entrance:import", "--limit", "1"}, 1},
		{[]string{"--limit=1", "entrance:import", "is:done", "OR", "-is:done"}, 1},
		{[]string{"-entrance:redirect"}, len(all)},
		{[]string{"--", "-entrance:import"}, 0},
		{[]string{"session:" + session}, of},
		{[]string{"-session:" + session}, len(all) - of},
		{[]string{"since:2020-01-01 (size>0 OR size:0)"}, len(all)},
	} {
		if got := list(tt.args...); len(got) != tt.want {
			t.Errorf("%q: %d flows, want %d of %d", tt.args, len(got), tt.want, len(all))
		}
	}
	exit, out, errs := p.do("sessions", "--data", data, "--json", "session:"+session)
	if exit != 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, session) {
		t.Errorf("sessions: %d, %s%s", exit, out, errs)
	}
	if exit, _, errs = p.do("flows", "--data", data, "entrance:redirect"); exit != 0 || errs != "no flows that match\n" {
		t.Errorf("%d, %s", exit, errs)
	}
}

// TestWrongFilters: what is wrong is shown where it stands.
func TestWrongFilters(t *testing.T) {
	p := newPlace(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"flows", "tool:Bash", "modle:x"}, "gatehouse: there is no field modle: did you mean model?\n  tool:Bash modle:x\n            ^\n"},
		{[]string{"sessions", "(is:done"}, "gatehouse: this parenthesis is not closed\n  (is:done\n  ^\n"},
		{[]string{"tail", "--json", "verdict:blok"}, "gatehouse: verdict can't be blok: did you mean block? It can be block, ask, redact or pass\n  verdict:blok\n          ^\n"},
		{[]string{"flows", strings.Repeat("is:done ", 20) + "cost>x"}, "gatehouse: cost needs a number: cost>0.5\n  …s:done is:done is:done is:done is:done is:done is:done cost>x\n" + strings.Repeat(" ", 63) + "^\n"},
		{[]string{"flows", "a\x1b[31m"}, "gatehouse: there is a control character\n  a�[31m\n   ^\n"},
	} {
		if exit, out, errs := p.do(tt.args...); exit != 2 || out != "" || errs != tt.want {
			t.Errorf("%q: %d, %s\n%s\nwant\n%s", tt.args, exit, out, errs, tt.want)
		}
	}
	for _, flag := range []string{"--limt", "-limt", "--limt=5"} {
		if exit, _, errs := p.do("flows", flag); exit != 2 || !strings.Contains(errs, "not defined") {
			t.Errorf("%s: %d, %s", flag, exit, errs)
		}
	}
}
