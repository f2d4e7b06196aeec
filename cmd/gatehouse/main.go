// Command gatehouse is the gateway between AI agents and their models, and the
// commands that read its record. Each subcommand has a file of its own; this
// one only finds it. It never decides anything about a flow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// streams are the three files of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitError ends the program with a code of its own. An empty text prints
// nothing: the command has already said what happened.
type exitError struct {
	code int
	text string
}

func (e exitError) Error() string { return e.text }

type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, std streams) error
}

func commands() []command {
	return []command{
		{"up", "start the gateway", runUp},
		{"run", "start an agent through the gateway", runRun},
		{"env", "print what points an agent at the gateway", runEnv},
		{"flows", "list flows, newest last", runFlows},
		{"show", "show a flow as a conversation, or its exact bytes", runShow},
		{"search", "find words and phrases in what agents and models said", runSearch},
		{"sessions", "list sessions", runSessions},
		{"export", "write flows as JSON lines or HAR, or one as a curl command", runExport},
		{"coverage", "how calls came: by redirect, intercepted, tunnelled, refused, unread", runCoverage},
		{"tail", "follow flows as they happen", runTail},
		{"open", "print a link that lets a browser into the console, once", runOpen},
		{"verify", "check the ledger against itself", runVerify},
		{"key", "add, list, revoke access keys", runKey},
		{"ca", "show, hand out, rotate what inspected calls are signed with", runCA},
		{"intercept", "try the forward proxy against providers that must not be trusted", runIntercept},
		{"policy", "check, test, explain, reload the policy file", runPolicy},
		{"rules", "list, check, reload rules; register secrets and canaries", runRules},
		{"doctor", "see whether each agent's calls can be seen, and try", runDoctor},
		{"import", "record what other tools recorded (HAR, mitmproxy)", runImport},
		{"scan", "run the detectors on files, for tuning rules", runScan},
		{"allow", "switch a false alarm off for a while", runAllow},
		{"simulate", "a provider for trying out", runSimulate},
		{"demo", "play short sessions, no key or agent needed", runDemo},
		{"version", "print the version", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	os.Exit(report(err, os.Stderr))
}

func dispatch(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		usage(std.err)
		return exitError{2, ""}
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(std.out)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], std)
		}
	}
	usage(std.err)
	return exitError{2, fmt.Sprintf("there is no command %q", args[0])}
}

// report prints an error as one line and gives the exit code: 0 none, 1 a
// failure, 2 a wrong call, or what the command chose.
func report(err error, w io.Writer) int {
	var exit exitError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(w, "gatehouse:", exit.text)
		}
		return exit.code
	}
	fmt.Fprintln(w, "gatehouse:", err)
	return 1
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: gatehouse COMMAND [flags]   (gatehouse COMMAND -h tells its flags)")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
}

// newFlags makes a command's flag set. A flag without a usage text is ours
// alone and not shown.
func newFlags(name, args string, std streams) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(std.err)
	fs.Usage = func() {
		shown := flag.NewFlagSet(name, flag.ContinueOnError)
		shown.SetOutput(fs.Output())
		fs.VisitAll(func(f *flag.Flag) {
			if f.Usage != "" {
				shown.Var(f.Value, f.Name, f.Usage)
			}
		})
		fmt.Fprintf(fs.Output(), "usage: gatehouse %s %s\n", name, args)
		shown.PrintDefaults()
	}
	return fs
}

// parseWords reads flags that may stand before, between and after words, and
// gives the words.
func parseWords(fs *flag.FlagSet, args []string) (words []string, err error) {
	if err := parse(fs, args); err != nil {
		return nil, err
	}
	for fs.NArg() > 0 {
		words = append(words, fs.Arg(0))
		if err := parse(fs, fs.Args()[1:]); err != nil {
			return nil, err
		}
	}
	return words, nil
}

// parse reads flags. A wrong call exits with 2; -h with 0.
func parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return exitError{2, ""}
}

// parseWithArg reads flags before and after one argument, which it gives.
func parseWithArg(fs *flag.FlagSet, args []string) (string, error) {
	if err := parse(fs, args); err != nil {
		return "", err
	}
	arg := fs.Arg(0)
	if arg == "" {
		return "", exitError{2, fs.Name() + " needs an argument; gatehouse " + fs.Name() + " -h tells which"}
	}
	if err := parse(fs, fs.Args()[1:]); err != nil {
		return "", err
	}
	if fs.NArg() > 0 {
		return "", exitError{2, fs.Name() + " takes one argument"}
	}
	return arg, nil
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
