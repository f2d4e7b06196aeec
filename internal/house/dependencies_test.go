package house_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dependenciesPage = "docs/dependencies.md"

// direct gives the modules whose packages the main module imports, tests
// included.
func direct(t *testing.T) []string {
	t.Helper()
	required := requirements(t)
	var used []string
	for _, f := range files(t) {
		for _, imported := range f.imports() {
			if m := moduleOf(imported, required); m != "" && !slices.Contains(used, m) {
				used = append(used, m)
			}
		}
	}
	slices.Sort(used)
	return used
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) v\S+`)

func requirements(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
		modules = append(modules, m[1])
	}
	return modules
}

// moduleOf gives the longest required module that holds the package.
func moduleOf(imported string, required []string) string {
	var longest string
	for _, m := range required {
		if under(imported, m+"/...") && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}

// line of the page's table: | `module` | licence | why | instead |
var argued = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]+\\|[^|]+\\|[^|]+\\|")

func TestEveryDependencyIsArgued(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, dependenciesPage))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range argued.FindAllStringSubmatch(string(page), -1) {
		lines = append(lines, m[1])
	}
	used := direct(t)
	for _, m := range used {
		if !slices.Contains(lines, m) {
			t.Errorf("%s says nothing about %s: why, its licence, what instead", dependenciesPage, m)
		}
	}
	for _, m := range lines {
		if !slices.Contains(used, m) {
			t.Errorf("%s argues for %s, which nothing imports", dependenciesPage, m)
		}
	}
}

// licences are the ones that we may link: permissive, each known by a
// sentence of its text.
var licences = []struct{ name, sentence string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD", "Redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"},
}

// copyleft is found by name, in case a file holds two licences.
var copyleft = []string{"GNU GENERAL PUBLIC LICENSE", "GNU AFFERO", "GNU LESSER", "Server Side Public License", "Business Source License", "Commons Clause"}

func TestLicencesArePermissive(t *testing.T) {
	for _, m := range linked(t) {
		name, err := licence(m.Dir)
		if err != nil {
			t.Errorf("%s: %v", m.Path, err)
			continue
		}
		if name == "" {
			t.Errorf("%s has a licence that is not on the list", m.Path)
		}
	}
}

type linkedModule struct{ Path, Dir string }

// linked lists the modules of which the binary holds code.
func linked(t *testing.T) []linkedModule {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/gatehouse")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing what the binary is linked from: %v", err)
	}
	var modules []linkedModule
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *linkedModule }
		if err := dec.Decode(&p); err == io.EOF {
			return modules
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && p.Module.Path != module && !slices.Contains(modules, *p.Module) {
			modules = append(modules, *p.Module)
		}
	}
}

// licence reads a module's licence files. "" is none of the list.
func licence(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "LICEN[SC]E*"))
	if err != nil {
		return "", err
	}
	var found string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		if slices.ContainsFunc(copyleft, func(s string) bool { return strings.Contains(flat, s) }) {
			return "", nil
		}
		for _, l := range licences {
			if found == "" && strings.Contains(flat, l.sentence) {
				found = l.name
			}
		}
	}
	return found, nil
}
