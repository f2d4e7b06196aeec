package main

import (
	"path/filepath"
	"testing"
)

func TestUserData(t *testing.T) {
	for _, c := range []struct {
		system string
		env    map[string]string
		want   string
	}{
		{"linux", map[string]string{"HOME": "/h"}, "/h/.local/share/gatehouse"},
		{"linux", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/x/gatehouse"},
		{"linux", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "x"}, "/h/.local/share/gatehouse"},
		{"darwin", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/h/Library/Application Support/Gatehouse"},
		{"windows", map[string]string{"LocalAppData": "/l"}, "/l/Gatehouse"},
		{"linux", nil, ""},
		{"windows", map[string]string{"HOME": "/h"}, ""},
	} {
		got, err := userData(c.system, func(name string) string { return c.env[name] })
		if filepath.ToSlash(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s, %v: got %q, %v, want %q", c.system, c.env, got, err, c.want)
		}
	}
}

func TestDataFlagOutranksTheEnvironment(t *testing.T) {
	t.Setenv(dataVar, "/from/env")
	for flag, want := range map[string]string{"": "/from/env", "/from/flag": "/from/flag"} {
		want, err := filepath.Abs(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := dataDir(flag); err != nil || got != want {
			t.Errorf("--data %q: %q, %v", flag, got, err)
		}
	}
}
