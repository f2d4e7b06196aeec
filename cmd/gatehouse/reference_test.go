package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A flag as -h prints it. A flag of our own processes has no text, and is not
// part of the contract.
var helpFlag = regexp.MustCompile(`(?m)^  -(\S+).*\n?(?:    \t(\S.*))?`)

// A flag in the first column of the page's tables.
var pageFlag = regexp.MustCompile("`--?([a-z][a-z-]*)")

// TestReferenceIsWhatCommandsSay compares docs/reference/cli.md with -h.
func TestReferenceIsWhatCommandsSay(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		section := sectionOf(string(page), c.name)
		if section == "" {
			t.Errorf("the page has no section on %s", c.name)
			continue
		}
		said, written := flagsOf(t, c), flagsIn(section)
		for _, name := range said {
			if !slices.Contains(written, name) {
				t.Errorf("%s has the flag %s, the page does not", c.name, name)
			}
		}
		for _, name := range written {
			if !slices.Contains(said, name) {
				t.Errorf("the page has the flag %s of %s, the command does not", name, c.name)
			}
		}
	}
}

func sectionOf(page, command string) string {
	_, rest, found := strings.Cut(page, "### `"+command+"`\n")
	if !found {
		return ""
	}
	section, _, _ := strings.Cut(rest, "\n#")
	return section
}

func flagsOf(t *testing.T, c command) []string {
	t.Helper()
	var out bytes.Buffer
	if err := c.run(context.Background(), []string{"-h"}, streams{strings.NewReader(""), &out, &out}); report(err, &out) != 0 {
		t.Fatalf("%s -h: %v", c.name, err)
	}
	var names []string
	for _, m := range helpFlag.FindAllStringSubmatch(out.String(), -1) {
		if len(m[2]) > 0 || strings.Contains(m[0], "\t") {
			names = append(names, m[1])
		}
	}
	return names
}

func flagsIn(section string) []string {
	var names []string
	for line := range strings.Lines(section) {
		row, isRow := strings.CutPrefix(line, "| `-")
		if !isRow {
			continue
		}
		first, _, _ := strings.Cut("`-"+row, " | ")
		for _, m := range pageFlag.FindAllStringSubmatch(first, -1) {
			names = append(names, m[1])
		}
	}
	return names
}
