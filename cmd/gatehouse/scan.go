package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/rulebook"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

const scanUsage = "[flags] FILE|FOLDER|-…"

// maxScanned is the largest file that is read, in bytes.
const maxScanned = 64 << 20

// scanner runs the detectors over files, for tuning rules: no gateway, no
// policy, no record. What it prints holds no value.
type scanner struct {
	json    bool
	least   int      // percent
	family  []string // that count; none: all
	engine  *inspect.Engine
	out     io.Writer
	found   bool
	skipped []error
}

// hit is one finding as it is printed.
type hit struct {
	File       string        `json:"file"`
	Line       int           `json:"line"`   // 1-based
	Column     int           `json:"column"` // in bytes, 1-based
	Start      int           `json:"start"`  // span in the file, in bytes
	End        int           `json:"end"`
	Rule       string        `json:"rule"`
	Severity   flow.Severity `json:"severity"`
	Confidence int           `json:"confidence"` // percent
	Via        []string      `json:"via,omitempty"`
	Note       string        `json:"note,omitempty"`
}

func runScan(_ context.Context, args []string, std streams) error {
	flags := newFlags("scan", scanUsage, std)
	s := &scanner{out: std.out}
	rules := flags.String("rules", "", "rules files beside the built-in ones: a `FILE` or folder")
	flags.BoolVar(&s.json, "json", false, "print JSON, one object a line")
	flags.IntVar(&s.least, "min-confidence", 1, "only what is at least so sure, in `PERCENT`")
	family := flags.String("family", "", "only these `FAMILIES`, separated by commas: secret, pii, injection …")
	paths, err := parseWords(flags, args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		flags.Usage()
		return exitError{2, ""}
	}
	if *family != "" {
		s.family = strings.Split(*family, ",")
	}
	if s.engine, err = scanRules(*rules); err != nil {
		return err
	}
	for _, f := range s.family {
		if !slices.ContainsFunc(s.engine.Rules(), func(r *inspect.Rule) bool { return r.Family() == f }) {
			return exitError{2, fmt.Sprintf("there is no family %q of rules", f)}
		}
	}
	for _, path := range paths {
		if err := s.path(path, std.in); err != nil {
			return err
		}
	}
	if err := errors.Join(s.skipped...); err != nil {
		return exitError{2, err.Error()}
	}
	if s.found {
		return exitError{1, ""}
	}
	return nil
}

func scanRules(path string) (*inspect.Engine, error) {
	if path == "" {
		return rulebook.Compile(nil, nil)
	}
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, err = (rulebook.Book{Own: path}).Files(); err != nil {
			return nil, err
		}
	}
	sets, err := rulebook.Read(files)
	if err != nil {
		return nil, err
	}
	return rulebook.Compile(nil, sets)
}

func (s *scanner) path(path string, in io.Reader) error {
	if path == "-" {
		return s.read("-", in)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if !info.IsDir() {
		return s.open(path) // a link or a pipe, too: it was named
	}
	root := filepath.Clean(path) + string(filepath.Separator) // what a link leads to, not the link
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		if d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return s.open(name)
	})
}

func (s *scanner) open(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close()
	return s.read(name, f)
}

// read scans one file. What is too large is told at the end: it was not looked
// at.
func (s *scanner) read(name string, in io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(in, maxScanned+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(text) > maxScanned {
		s.skipped = append(s.skipped, fmt.Errorf("%s has more than %d bytes and was not scanned", name, maxScanned))
		return nil
	}
	for _, part := range codec.Stretches("", "", text) {
		r := s.engine.Scan(text[part.Start:part.End], inspect.Options{JSON: part.JSON})
		if err := s.stretch(name, text, part.Start, &r); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) stretch(name string, text []byte, at int, r *inspect.Result) error {
	var errs []error
	tell := func(rule *inspect.Rule, span inspect.Span, via []string, note string) {
		start, end := at+span.Start, at+span.End
		line, column := position(text, start)
		errs = append(errs, s.print(hit{
			File: name, Line: line, Column: column, Start: start, End: end,
			Rule: rule.Name(), Severity: rule.Severity, Confidence: rule.Confidence, Via: via, Note: note,
		}, rule.Family()))
	}
	for _, m := range r.Matches {
		tell(m.Rule, inspect.Span{Start: m.Start, End: m.End}, m.Via, "")
	}
	for _, m := range r.Inner {
		tell(m.Rule, inspect.Span{Start: m.Left.Start, End: m.Right.End}, nil, "cut in pieces")
	}
	if r.Cut != "" {
		s.skipped = append(s.skipped, fmt.Errorf("%s was not searched to its end: %s", name, r.Cut))
	}
	return errors.Join(errs...)
}

func (s *scanner) print(h hit, family string) error {
	if h.Confidence < s.least || len(s.family) > 0 && !slices.Contains(s.family, family) {
		return nil
	}
	s.found = true
	if s.json {
		return json.NewEncoder(s.out).Encode(h)
	}
	how := ""
	if len(h.Via) > 0 {
		how = ", through " + strings.Join(h.Via, " ")
	}
	if h.Note != "" {
		how += ", " + h.Note
	}
	_, err := fmt.Fprintf(s.out, "%s:%d:%d: %s, %s, %d %%, %d bytes%s\n", plain(h.File), h.Line, h.Column, h.Rule, h.Severity, h.Confidence, h.End-h.Start, how)
	return err
}

// position gives the line and column of a place.
func position(text []byte, at int) (line, column int) {
	before := text[:at]
	return 1 + bytes.Count(before, []byte("\n")), at - bytes.LastIndexByte(before, '\n')
}
