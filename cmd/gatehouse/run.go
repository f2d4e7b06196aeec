package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/ca/trust"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// keyVar names the variable that stands in for --key.
const keyVar = "GATEHOUSE_KEY"

type runFlags struct {
	data, key, gateway      *string
	config, listen, console *string
	upstreams               repeated
	intercept, detach       *bool
}

// repeated is a flag that may be given many times.
type repeated []string

func (r *repeated) String() string     { return strings.Join(*r, " ") }
func (r *repeated) Set(s string) error { *r = append(*r, s); return nil }

func newRunFlags(std streams) (*flag.FlagSet, *runFlags) {
	fs, f := newFlags("run", "[flags] -- claude|codex|gemini|opencode|aider|COMMAND [arguments]", std), &runFlags{}
	f.data = dataFlag(fs)
	f.config = fs.String("config", "", "settings `FILE` of the gateway")
	f.listen = fs.String("listen", "", "`ADDR` for agents (default 127.0.0.1:4000, or a free port)")
	f.console = fs.String("console", "", "`ADDR` of the console (default 127.0.0.1:4040, or a free port)")
	fs.Var(&f.upstreams, "upstream", "`NAME=URL` of a provider; may be repeated")
	f.gateway = fs.String("gateway", "", "`URL` of a gateway that runs already, here or elsewhere; starts none")
	f.key = fs.String("key", "", "access `KEY` (default $"+keyVar+")")
	f.intercept = fs.Bool("intercept", false, "the agent calls its provider itself, through the gateway's forward proxy: for one that ignores a base URL")
	f.detach = fs.Bool("detach", false, "") // spawn's process in between
	return fs, f
}

// runRun starts an agent through a gateway: the one that has the data folder,
// or one that it starts and that ends with its last child.
func runRun(ctx context.Context, args []string, std streams) error {
	fs, f := newRunFlags(std)
	if err := parse(fs, args); err != nil {
		return err
	}
	if *f.detach {
		return detach(fs.Args())
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return exitError{2, "which agent is to be run?"}
	}
	path, err := lookAgent(fs.Arg(0))
	if err != nil {
		return err
	}
	use, lease, err := f.gatewayFor(ctx, std.err)
	if err != nil {
		return err
	}
	agent, known := agents.For(fs.Arg(0))
	cwd, _ := os.Getwd() // unknown is fine: it only serves notes
	launch, err := f.point(agent, use, agents.Gateway{URL: use.url, Key: use.key, Env: os.Environ(), Args: fs.Args()[1:], Dir: cwd, Read: os.ReadFile})
	if err != nil {
		lease.Close()
		return err
	}
	say(std.err, use, fs.Arg(0), known, launch)
	return become(path, append([]string{fs.Arg(0)}, launch.Args...), launch.Env, lease)
}

// point leads the agent to the gateway, by its base URL or through the forward
// proxy.
func (f *runFlags) point(agent agents.Agent, use target, g agents.Gateway) (agents.Launch, error) {
	if !*f.intercept {
		return agent.Launch(g), nil
	}
	proxy, err := interceptor(use)
	if err != nil {
		return agents.Launch{}, err
	}
	if agent.Name == "" { // known agents are no Java programs, and read what theirs print
		if proxy.Java, err = javaOptions(use); err != nil {
			proxy.Notes = append(proxy.Notes, "Java programs are not led through the gateway: "+err.Error())
		}
	}
	return agent.Intercept(g, proxy), nil
}

// javaOptions make a Java runtime trust a gateway, behind the options that it has.
func javaOptions(use target) (string, error) {
	own := os.Getenv(agents.JavaOptions)
	if rest, _ := trust.Without(use.data, agents.JavaOptions, own); strings.Contains(rest, "-Djavax.net.ssl.trustStore=") {
		return "", errors.New(agents.JavaOptions + " names a trust store already")
	}
	if use.key != "" {
		return "", errors.New("their runtime gives a proxy no access key")
	}
	all, err := ca.List(use.data)
	if err != nil {
		return "", err
	}
	settings, err := trust.Settings(use.data, []string{agents.JavaOptions}, os.Getenv, ca.Roots(all, time.Now()))
	if err != nil {
		return "", err
	}
	return settings[0].Value, nil
}

// interceptor is the forward proxy of a gateway on this machine, with the files
// that make a child trust it.
func interceptor(use target) (p agents.Proxy, err error) {
	switch {
	case use.data == "":
		return p, exitError{2, "--intercept needs the gateway of a data folder, whose root the agent is to trust; --gateway names another"}
	case use.holder.Intercept == "":
		return p, exitError{2, fmt.Sprintf("the gateway that has %s was started without a forward proxy (--intercept off)", use.data)}
	}
	all, err := ca.List(use.data)
	if err != nil {
		return p, err
	}
	u, err := url.Parse(holderURL(use.holder.Intercept))
	if err != nil {
		return p, fmt.Errorf("reading the forward proxy's address: %w", err)
	}
	if use.key != "" {
		u.User = url.UserPassword("gatehouse", use.key)
	}
	p.URL = u.String()
	for _, i := range all {
		p.Hosts = append(p.Hosts, i.Hosts...)
	}
	settings, err := trust.Settings(use.data, trust.Agents(), os.Getenv, ca.Roots(all, time.Now()))
	for _, s := range settings {
		p.CA = append(p.CA, s.Name+"="+s.Value)
	}
	return p, err
}

// lookAgent finds the program, with the exit codes that shells use.
func lookAgent(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil, errors.Is(err, exec.ErrDot):
		return path, nil
	case errors.Is(err, fs.ErrPermission):
		return "", exitError{126, fmt.Sprintf("%s can't be executed", name)}
	}
	return "", exitError{127, fmt.Sprintf("%s was not found", name)}
}

// target is the gateway that an agent is pointed at.
type target struct {
	url, key string
	data     string // "" when it is somewhere else
	holder   ledger.Holder
	ignored  []string // flags that a gateway which already ran did not see
}

// gatewayFor finds or starts the gateway. The lease is nil for one that is named
// by its URL.
func (f *runFlags) gatewayFor(ctx context.Context, w io.Writer) (target, *os.File, error) {
	key := accessKey(*f.key)
	if *f.gateway != "" {
		u, err := gatewayURL(*f.gateway)
		return target{url: u, key: key}, nil, err
	}
	dir, err := dataDir(*f.data)
	if err != nil {
		return target{}, nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return target{}, nil, fmt.Errorf("making data folder: %w", err)
	}
	lease, err := takeLease(ctx, dir, w)
	if err != nil {
		return target{}, nil, err
	}
	holder, started, err := f.ensure(ctx, dir)
	if err == nil {
		err = keyNeeded(holder.Listen, key)
	}
	if err != nil {
		lease.Close()
		return target{}, nil, err
	}
	t := target{url: holderURL(holder.Listen), key: key, data: dir, holder: holder}
	if !started {
		t.ignored = f.onlyForStart()
	}
	return t, lease, nil
}

// onlyForStart names the given flags that a running gateway does not see.
func (f *runFlags) onlyForStart() []string {
	var names []string
	for name, value := range map[string]string{"--config": *f.config, "--console": *f.console, "--listen": *f.listen, "--upstream": f.upstreams.String()} {
		if value != "" {
			names = append(names, name)
		}
	}
	return sorted(names)
}

// accessKey is the flag's, else the environment's.
func accessKey(flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(keyVar)
}

func keyNeeded(listen, key string) error {
	ap, err := netip.ParseAddrPort(listen)
	if err != nil || ap.Addr().IsLoopback() || key != "" {
		return nil
	}
	return exitError{2, fmt.Sprintf("the gateway listens on %s, beyond loopback, and needs an access key: make one with \"gatehouse key add NAME\" and give it as --key or $%s", listen, keyVar)}
}

// holderURL is how a process on this machine reaches what listens on addr.
func holderURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func gatewayURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return "", exitError{2, fmt.Sprintf("--gateway %s is not an address like http://127.0.0.1:4000", s)}
	}
	return strings.TrimRight(s, "/"), nil
}

// say tells in one line what is kept and where; what could not be arranged
// follows, one line each.
func say(w io.Writer, t target, name string, known bool, l agents.Launch) {
	name = filepath.Base(name)
	if t.data == "" {
		fmt.Fprintf(w, "gatehouse: every request and answer of %s is kept by the gateway at %s\n", name, t.url)
	} else {
		fmt.Fprintf(w, "gatehouse: every request and answer of %s is kept, encrypted, in %s (gateway %s, process %d, custody same-user%s); to look: gatehouse flows --data %s\n",
			name, t.data, t.url, t.holder.PID, ignoredText(t.ignored), quote(t.data))
	}
	if !known {
		fmt.Fprintf(w, "gatehouse: note: %s is not an agent that Gatehouse knows: the usual variables are set, and its own settings may outrank them\n", name)
	}
	for _, note := range l.Notes {
		fmt.Fprintln(w, "gatehouse: note:", plain(note))
	}
}

func ignoredText(flags []string) string {
	if len(flags) == 0 {
		return ""
	}
	return ", already running: " + strings.Join(flags, ", ") + " ignored"
}
