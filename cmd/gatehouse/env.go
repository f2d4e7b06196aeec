package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// usualURL is where a gateway listens when nothing else was said.
const usualURL = "http://127.0.0.1:4000"

// runEnv prints what points an agent at the gateway, for a shell to evaluate.
func runEnv(ctx context.Context, args []string, std streams) error {
	fs := newFlags("env", "[flags] [claude|codex|gemini|opencode|aider]", std)
	data := dataFlag(fs)
	gateway := fs.String("gateway", "", "`URL` of the gateway (default: the one that has the data folder)")
	key := fs.String("key", "", "access `KEY` (default $"+keyVar+")")
	shell := fs.String("shell", usualShell(), "`SHELL` to print for: sh, fish or powershell")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 1 {
		return exitError{2, "one agent at a time"}
	}
	sh, ok := shells[*shell]
	if !ok {
		return exitError{2, fmt.Sprintf("there is no --shell %q: sh, fish or powershell", *shell)}
	}
	agent, known := agents.For(fs.Arg(0))
	if fs.NArg() == 1 && !known {
		return exitError{2, fmt.Sprintf("there is no agent %q: %s; without a name the usual variables are printed", fs.Arg(0), agentNames())}
	}
	url, note, err := envTarget(*gateway, *data, accessKey(*key))
	if err != nil {
		return err
	}
	launch := agent.Launch(agents.Gateway{URL: url, Key: accessKey(*key), Env: os.Environ(), Read: os.ReadFile})
	printEnv(std.out, sh, agent, launch, note)
	return nil
}

// envTarget gives the gateway's URL, and a note when it is only assumed.
func envTarget(gateway, data, key string) (url, note string, err error) {
	if gateway != "" {
		url, err = gatewayURL(gateway)
		return url, "", err
	}
	dir, err := dataDir(data)
	if err != nil {
		return "", "", err
	}
	h, held := ledger.Held(dir)
	if !held || h.Listen == "" {
		return usualURL, "no gateway runs on " + dir + "; this is the usual address", nil
	}
	return holderURL(h.Listen), "", keyNeeded(h.Listen, key)
}

// printEnv writes comments with line ends made visible: what follows one would be
// a command.
func printEnv(w io.Writer, sh shell, agent agents.Agent, l agents.Launch, note string) {
	if note != "" {
		fmt.Fprintln(w, "#", plain(note))
	}
	for _, name := range l.Unset {
		fmt.Fprintf(w, sh.unset+"\n", name)
	}
	for _, line := range l.Set {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(w, sh.set+"\n", name, sh.quote(value))
	}
	if len(l.Added) > 0 {
		words := []string{agent.Name}
		for _, arg := range l.Added {
			words = append(words, sh.quote(arg))
		}
		fmt.Fprintf(w, "# %s needs these arguments, too:\n# %s\n", agent.Title, plain(strings.Join(words, " ")))
	}
	for _, n := range l.Notes {
		fmt.Fprintln(w, "# note:", plain(n))
	}
}

// shell is how one kind of shell is told.
type shell struct {
	set, unset string
	quote      func(string) string
}

var shells = map[string]shell{
	"sh":         {"export %s=%s", "unset %s", quote},
	"fish":       {"set -gx %s %s", "set -e %s", quoteFish},
	"powershell": {"$env:%s = %s", "Remove-Item Env:%s", quotePower},
}

func usualShell() string {
	if runtime.GOOS == "windows" {
		return "powershell"
	}
	return "sh"
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func quotePower(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func agentNames() string {
	var names []string
	for _, a := range agents.All() {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}
