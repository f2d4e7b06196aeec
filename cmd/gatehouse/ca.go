package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/ca/trust"
	"github.com/workingagents/gatehouse/internal/config"
)

const caUsage = "[flags] show | export | install | uninstall | rotate"

// caFlags are the flags of ca.
type caFlags struct {
	config, data, format, out, tool, shell *string
	overlap                                *string
	json                                   *bool
}

func newCAFlags(fs *flag.FlagSet) *caFlags {
	f := &caFlags{data: dataFlag(fs)}
	f.config = fs.String("config", "", "settings `FILE` of the gateway: intercept.inspect says what is signed for")
	f.format = fs.String("format", "pem", "export: `FORMAT`: pem, the roots alone; bundle, beside the system's; p12, the same for Java")
	f.out = fs.String("out", "", "export: write this `FILE` instead of stdout")
	f.tool = fs.String("for", "", "install, uninstall: one `TOOL` alone: "+strings.Join(trust.Tools(), ", "))
	f.shell = fs.String("shell", usualShell(), "install, uninstall --for: `SHELL` to print for: sh, fish or powershell")
	f.overlap = fs.String("overlap", "7d", "rotate: how `LONG` the old issuer goes on; 0: its key is destroyed at once")
	f.json = fs.Bool("json", false, "show as JSON, one object a line")
	return f
}

// runCA shows and hands out the roots of the certificate authority of a data
// folder, and makes a new one. It needs no gateway; one that runs follows.
func runCA(_ context.Context, args []string, std streams) error {
	fs := newFlags("ca", caUsage, std)
	f := newCAFlags(fs)
	words, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	verbs := map[string]func(caFlags, *config.Config, streams) error{
		"show": caFlags.show, "export": caFlags.export, "install": caFlags.install, "uninstall": caFlags.uninstall, "rotate": caFlags.rotate,
	}
	if len(words) != 1 || verbs[words[0]] == nil {
		fs.Usage()
		return exitError{2, ""}
	}
	c, err := upFlags{config: *f.config, data: *f.data}.load()
	if err != nil {
		return exitError{2, err.Error()}
	}
	return verbs[words[0]](*f, c, std)
}

// issuers lists those of the folder; without an authority, what to do.
func issuers(c *config.Config) ([]ca.Issuer, error) {
	all, err := ca.List(c.Data)
	if errors.Is(err, ca.ErrNone) {
		return nil, fmt.Errorf("%w (%s): \"gatehouse up\" makes one when it starts, and so does \"gatehouse ca rotate\"", err, c.Data)
	}
	return all, err
}

// ensureCA makes an authority when there is none.
func ensureCA(c *config.Config) ([]ca.Issuer, error) {
	all, err := ca.List(c.Data)
	if !errors.Is(err, ca.ErrNone) {
		return all, err
	}
	made, err := ca.Rotate(c.Data, c.Intercept.Hosts(), 0, time.Now())
	return []ca.Issuer{made}, err
}

// issuerView is an issuer as show tells it; its JSON is a contract.
type issuerView struct {
	ID     string    `json:"id"`
	State  string    `json:"state"` // live, retiring, ended
	Made   time.Time `json:"made"`
	Ends   time.Time `json:"ends"`
	SHA256 string    `json:"sha256"` // of the root
	Hosts  []string  `json:"hosts"`
	Root   string    `json:"root"`   // subject
	Issuer string    `json:"issuer"` // subject
}

func viewOf(i ca.Issuer, now time.Time) issuerView {
	sum := sha256.Sum256(i.Root.Raw)
	v := issuerView{ID: i.ID, State: "live", Made: i.Made, Ends: i.Cert.NotAfter, SHA256: hex.EncodeToString(sum[:]), Hosts: i.Hosts, Root: i.Root.Subject.String(), Issuer: i.Cert.Subject.String()}
	if !i.Retires.IsZero() && i.Retires.Before(v.Ends) {
		v.State, v.Ends = "retiring", i.Retires
	}
	if !i.Live(now) {
		v.State = "ended"
	}
	return v
}

func (f caFlags) show(c *config.Config, std streams) error {
	all, err := issuers(c)
	if err != nil {
		return err
	}
	for _, i := range all {
		v := viewOf(i, time.Now())
		if *f.json {
			line, err := json.Marshal(v)
			if err != nil {
				return err
			}
			fmt.Fprintf(std.out, "%s\n", line)
			continue
		}
		fmt.Fprintf(std.out, "%s  %s, made %s, ends %s\n  root    %s\n  sha256  %s\n  issuer  %s, which may sign for:\n    %s\n",
			v.ID, v.State, day(v.Made), day(v.Ends), v.Root, v.SHA256, v.Issuer, strings.Join(v.Hosts, "\n    "))
	}
	if missing := unsigned(all, c); len(missing) > 0 {
		fmt.Fprintf(std.err, "gatehouse: note: inspected, but not signed for: %s; run \"gatehouse ca rotate\"\n", strings.Join(missing, ", "))
	}
	_, err = ca.Open(c.Data, time.Now) // tells of a key that others can read
	return err
}

// unsigned lists the inspected hosts that no live issuer permits.
func unsigned(all []ca.Issuer, c *config.Config) (hosts []string) {
	for _, host := range c.Intercept.Hosts() {
		if !slices.ContainsFunc(all, func(i ca.Issuer) bool {
			return i.Live(time.Now()) && i.Permits(host)
		}) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func (f caFlags) export(c *config.Config, std streams) error {
	all, err := ensureCA(c)
	if err != nil {
		return err
	}
	text, err := f.formatted(all)
	if err != nil {
		return err
	}
	if *f.out == "" {
		_, err = std.out.Write(text)
		return err
	}
	if err := atomicfile.Write(*f.out, text); err != nil {
		return fmt.Errorf("writing %s: %w", *f.out, err)
	}
	return os.Chmod(*f.out, 0o644) // nothing of it is secret
}

func (f caFlags) formatted(all []ca.Issuer) ([]byte, error) {
	roots := ca.Roots(all, time.Now())
	if *f.format == "pem" {
		return ca.PEM(roots), nil
	}
	system, err := trust.SystemRoots()
	switch {
	case *f.format != "bundle" && *f.format != "p12":
		return nil, exitError{2, fmt.Sprintf("there is no --format %q: pem, bundle or p12", *f.format)}
	case err != nil:
		return nil, err
	case *f.format == "p12":
		return trust.TrustStore(system, roots)
	}
	return trust.Bundle(system, roots)
}

func (f caFlags) install(c *config.Config, std streams) error {
	all, err := ensureCA(c)
	if err != nil {
		return err
	}
	live := slices.DeleteFunc(slices.Clone(all), func(i ca.Issuer) bool { return !i.Live(time.Now()) })
	if *f.tool != "" {
		return f.installTool(c, live, std)
	}
	file, err := trust.RootsFile(c.Data, ca.Roots(live, time.Now()))
	if err != nil {
		return err
	}
	steps, done, err := trust.System{OS: runtime.GOOS}.Install(live, file)
	return tell(std, steps, done, "this system trusts it now", err)
}

// installTool writes what one tool needs and prints the variables that name it.
func (f caFlags) installTool(c *config.Config, live []ca.Issuer, std streams) error {
	sh, names, err := f.forTool()
	if err != nil {
		return err
	}
	settings, err := trust.Settings(c.Data, names, os.Getenv, ca.Roots(live, time.Now()))
	if err != nil {
		return err
	}
	for _, s := range settings {
		fmt.Fprintf(std.out, sh.set+"\n", s.Name, sh.quote(s.Value))
	}
	if *f.tool == "java" {
		fmt.Fprintf(std.err, "gatehouse: note: or, into the runtime's own store: keytool -importcert -cacerts -noprompt -storepass changeit -alias gatehouse -file %s\n", quote(filepath.Join(c.Data, ca.Folder, trust.Folder, "roots.pem")))
		_, err = trust.RootsFile(c.Data, ca.Roots(live, time.Now()))
	}
	return err
}

func (f caFlags) forTool() (sh shell, names []string, err error) {
	sh, ok := shells[*f.shell]
	if !ok {
		return sh, nil, exitError{2, fmt.Sprintf("there is no --shell %q: sh, fish or powershell", *f.shell)}
	}
	if names = trust.Variables(*f.tool); names == nil {
		return sh, nil, exitError{2, fmt.Sprintf("there is no --for %q: %s", *f.tool, strings.Join(trust.Tools(), ", "))}
	}
	return sh, names, nil
}

// uninstall works without an authority, too: what an earlier one left goes.
func (f caFlags) uninstall(c *config.Config, std streams) error {
	if *f.tool != "" {
		return f.uninstallTool(c, std)
	}
	all, err := ca.List(c.Data)
	if err != nil && !errors.Is(err, ca.ErrNone) {
		return err
	}
	if err := trust.Clean(c.Data); err != nil {
		return err
	}
	steps, done, err := trust.System{OS: runtime.GOOS}.Uninstall(all)
	return tell(std, steps, done, "nothing of it is left in this system's store", err)
}

// uninstallTool prints what takes our part out of a tool's variables, and nothing
// else of them, and removes the files that no other tool reads.
func (f caFlags) uninstallTool(c *config.Config, std streams) error {
	sh, names, err := f.forTool()
	if err != nil {
		return err
	}
	for _, name := range names {
		value := os.Getenv(name)
		rest, ours := trust.Without(c.Data, name, value)
		switch {
		case value != "" && !ours:
			fmt.Fprintf(std.err, "gatehouse: note: %s has nothing of Gatehouse's here, and stays as it is\n", name)
			continue
		case rest == "":
			fmt.Fprintf(std.out, sh.unset+"\n", name)
		default:
			fmt.Fprintf(std.out, sh.set+"\n", name, sh.quote(rest))
		}
		if others := trust.Sharers(*f.tool, name); len(others) > 0 {
			fmt.Fprintf(std.err, "gatehouse: note: %s is also read by %s: where that is to trust the gateway still, leave it out\n", name, strings.Join(others, ", "))
		}
	}
	return trust.Remove(c.Data, *f.tool)
}

// tell prints what was done, or the commands that a person must run.
func tell(std streams, steps []string, done bool, text string, err error) error {
	var w io.Writer = std.err
	if err == nil && !done {
		fmt.Fprintln(std.err, "gatehouse: run this, as an administrator:")
		w = std.out
	}
	for _, s := range steps {
		fmt.Fprintln(w, s)
	}
	if err == nil && done {
		fmt.Fprintln(std.err, "gatehouse:", text)
	}
	return err
}

func (f caFlags) rotate(c *config.Config, std streams) error {
	var overlap config.Duration
	if err := overlap.UnmarshalText([]byte(*f.overlap)); err != nil {
		return exitError{2, "--overlap: " + err.Error()}
	}
	made, err := ca.Rotate(c.Data, c.Intercept.Hosts(), time.Duration(overlap), time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "gatehouse: a new root, %s, may be trusted for: %s\n", made.ID, strings.Join(made.Hosts, ", "))
	fmt.Fprintf(std.err, "gatehouse: older ones end in %s; make clients trust the new one until then: gatehouse ca install\n", overlap)
	return nil
}
