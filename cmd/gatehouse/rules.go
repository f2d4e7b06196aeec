package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/action"
	"github.com/workingagents/gatehouse/internal/inspect/taint"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

const (
	rulesUsage = "[flags] list | check [FILE…] | add-secret NAME | add-canary NAME | reload"
	rulesPath  = "/rules" // of the admin API
)

type rulesFlags struct {
	data, title, severity, form *string
	json                        *bool
}

func newRulesFlags(fs *flag.FlagSet) *rulesFlags {
	return &rulesFlags{
		data:     dataFlag(fs),
		json:     fs.Bool("json", false, "list as JSON, one object a line"),
		title:    fs.String("title", "", "add-secret, add-canary: what it is, `TEXT`, for people"),
		severity: fs.String("severity", "", "add-secret: low, medium, high or critical (`SEVERITY`; default critical)"),
		form:     fs.String("form", "", "add-canary: what it looks like: "+strings.Join(rulebook.Forms(), ", ")+" (`FORM`; default "+rulebook.Forms()[0]+")"),
	}
}

// runRules works on rules files, which needs no gateway, and on the rules in
// force.
func runRules(ctx context.Context, args []string, std streams) error {
	fs := newFlags("rules", rulesUsage, std)
	f := newRulesFlags(fs)
	words, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	verb := ""
	if len(words) > 0 {
		verb, words = words[0], words[1:]
	}
	switch {
	case verb == "list" && len(words) == 0:
		return f.list(ctx, std)
	case verb == "check":
		return f.check(words, std)
	case verb == "reload" && len(words) == 0:
		return f.reload(ctx, std)
	case verb == "add-secret" && len(words) == 1:
		return f.addSecret(ctx, words[0], std)
	case verb == "add-canary" && len(words) == 1:
		return f.addCanary(ctx, words[0], std)
	case verb == "add-secret" && len(words) > 1:
		return exitError{2, "a value is never an argument, which other programs can see: rules add-secret NAME reads it from the terminal or the standard input"}
	}
	fs.Usage()
	return exitError{2, ""}
}

func (f *rulesFlags) backend(ctx context.Context) (*backend, error) {
	dir, err := dataDir(*f.data)
	if err != nil {
		return nil, err
	}
	return openBackend(ctx, dir)
}

// listed is a line of the list.
type listed struct {
	Rule, File string
	Severity   flow.Severity
	Confidence int
}

func (f *rulesFlags) list(ctx context.Context, std streams) error {
	b, err := f.backend(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if *f.json {
		return b.lines(ctx, http.MethodGet, rulesPath, func(line []byte) error {
			_, err := fmt.Fprintf(std.out, "%s\n", line)
			return err
		})
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	rows := 0
	err = b.rules(ctx, func(r listed) error {
		if rows++; rows == 1 {
			fmt.Fprintln(table, "RULE\tSEVERITY\tCONFIDENCE\tFILE")
		}
		if r.File == "" {
			r.File = "built-in"
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", plain(r.Rule), r.Severity, r.Confidence, plain(r.File))
		return err
	})
	return errors.Join(err, table.Flush())
}

// rules calls each with every rule in force.
func (b *backend) rules(ctx context.Context, each func(listed) error) error {
	return b.lines(ctx, http.MethodGet, rulesPath, func(line []byte) error {
		var r listed
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("reading the list of rules: %w", err)
		}
		return each(r)
	})
}

// check reads files and folders as a gateway would, runs their examples, and
// prints what is wrong, a line for each problem: FILE:LINE:COLUMN: PROBLEM.
func (f *rulesFlags) check(names []string, std streams) error {
	files, err := f.files(names)
	if err != nil {
		return err
	}
	sets, err := rulebook.Read(files)
	if err == nil {
		_, err = rulebook.Check(sets)
	}
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitError{1, ""}
	}
	for _, s := range sets {
		fmt.Fprintf(std.out, "%s is sound: family %s, %d rules, %d registered values\n", plain(s.File), s.Family, len(s.Rules), len(s.Registered))
	}
	if len(sets) == 0 {
		fmt.Fprintln(std.err, "gatehouse: there are no rules files but the built-in ones")
	}
	return nil
}

// files gives what to check: the names, folders as the files in them; without
// names what the data folder has.
func (f *rulesFlags) files(names []string) ([]string, error) {
	if len(names) == 0 {
		dir, err := dataDir(*f.data)
		if err != nil {
			return nil, err
		}
		return rulebook.Book{Own: filepath.Join(dir, rulebook.Folder)}.Files()
	}
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		more, err := rulebook.Book{Own: name}.Files()
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, nil
}

func (f *rulesFlags) reload(ctx context.Context, std streams) error {
	b, err := f.backend(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if !b.live {
		return fmt.Errorf("no gateway runs on this data folder; it reads the rules when it starts")
	}
	var now struct {
		Version string
		Number  int
	}
	if err := b.post(ctx, rulesPath+"/reload", nil, &now); err != nil {
		return fmt.Errorf("the old rules are still in force:\n%w", err)
	}
	fmt.Fprintf(std.err, "gatehouse: %d rules are in force, version %s\n", now.Number, now.Version)
	return nil
}

// post sends a value and reads one.
func (b *backend) post(ctx context.Context, path string, body, into any) error {
	resp, err := b.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	return nil
}

func (f *rulesFlags) addSecret(ctx context.Context, name string, std streams) error {
	var severity flow.Severity
	if *f.severity != "" && severity.UnmarshalText([]byte(*f.severity)) != nil {
		return exitError{2, "--severity is low, medium, high or critical"}
	}
	if !inspect.IsID(name) {
		return exitError{2, "the name must be at most 64 lower case letters, digits and -"}
	}
	value, err := readSecret(ctx, std.in, std.err, "the value of registered."+name+" (it is not shown): ")
	if err != nil {
		return err
	}
	b, err := f.backend(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	asked := map[string]string{"name": name, "title": *f.title, "value": value}
	if *f.severity != "" {
		asked["severity"] = *f.severity
	}
	var made struct{ Rule string }
	if err := b.post(ctx, rulesPath+"/secrets", asked, &made); err != nil {
		return err
	}
	fmt.Fprintln(std.out, made.Rule)
	fmt.Fprintf(std.err, "gatehouse: this value is found from now on, as %s; only its keyed hash was kept\n", made.Rule)
	return nil
}

// addCanary prints the value alone on the standard output: it is shown this
// once.
func (f *rulesFlags) addCanary(ctx context.Context, name string, std streams) error {
	if *f.form != "" && !slices.Contains(rulebook.Forms(), *f.form) {
		return exitError{2, "--form is one of " + strings.Join(rulebook.Forms(), ", ")}
	}
	b, err := f.backend(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	var made struct{ Rule, Value, Plant, Where string }
	if err := b.post(ctx, rulesPath+"/canaries", map[string]string{"name": name, "title": *f.title, "form": *f.form}, &made); err != nil {
		return err
	}
	fmt.Fprintln(std.out, made.Value)
	fmt.Fprintf(std.err, "gatehouse: this opens nothing, and whoever sends it is found, as %s. It is shown this once; only its keyed hash was kept. Plant it %s:\n\n%s\n", made.Rule, made.Where, made.Plant)
	return nil
}

// ruleNames are the names that a policy can mean: of the gateway's rules when
// one runs on the folder, else of the rules in the binary and in the folder.
// Registered values and canaries may be none yet.
func ruleNames(ctx context.Context, dir string) ([]string, error) {
	names := slices.Concat([]string{inspect.RegisteredFamily + ".*", inspect.CanaryFamily + ".*"}, action.Rules(), taint.Rules(), coverage.Rules())
	if _, held := ledger.Held(dir); held {
		b, err := openBackend(ctx, dir)
		if err != nil {
			return nil, err
		}
		defer b.Close()
		err = b.rules(ctx, func(r listed) error { names = append(names, r.Rule); return nil })
		return names, err
	}
	sets, err := rulebook.Book{Own: filepath.Join(dir, rulebook.Folder)}.Sets()
	if err != nil {
		return nil, err
	}
	e, err := rulebook.Names(sets)
	return append(names, e...), err
}

// maxSecret bounds what is read for a value: more is none.
const maxSecret = 4 << 10

// errNoValue says what add-secret wants.
var errNoValue = errors.New("there is no value: type it, or give it on the standard input, one line")

// readSecret reads one line: from a terminal, which doesn't show it, after a
// prompt, else all of the input.
func readSecret(ctx context.Context, in io.Reader, w io.Writer, prompt string) (string, error) {
	var show func()
	if f, ok := in.(*os.File); ok {
		var err error
		if show, err = hideTyping(f); err != nil {
			return "", fmt.Errorf("switching the terminal's echo off: %w; give the value on the standard input", err)
		}
	}
	if show != nil {
		defer fmt.Fprintln(w)
		defer show()
		fmt.Fprint(w, prompt)
	}
	type line struct {
		text string
		err  error
	}
	done := make(chan line, 1) // a read of a terminal does not end with ctx
	go func() {
		text, err := oneLine(in, show != nil)
		done <- line{text, err}
	}()
	select {
	case l := <-done:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// oneLine reads to the line's end, or to the end of all.
func oneLine(in io.Reader, first bool) (string, error) {
	var text []byte
	for one := make([]byte, 256); len(text) <= maxSecret; {
		n, err := in.Read(one)
		text = append(text, one[:n]...)
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("reading the value: %w", err)
		}
		if err == io.EOF || first && strings.Contains(string(text), "\n") {
			break
		}
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case value == "":
		return "", errNoValue
	case strings.Contains(value, "\n"):
		return "", errors.New("the value must be one line")
	}
	return value, nil
}
