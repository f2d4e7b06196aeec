//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// asVar makes the test binary another program: "gatehouse" itself, or "agent",
// which says how it was started and ends as its first argument says.
const asVar = "GATEHOUSE_TEST_AS"

func TestMain(m *testing.M) {
	switch os.Getenv(asVar) {
	case "gatehouse":
		main()
	case "agent":
		os.Exit(agent(os.Args[1:]))
	default:
		os.Exit(m.Run())
	}
}

// started is what an agent says: one line of JSON.
type started struct {
	PID  int
	Args []string
	Env  []string
}

// agent says how it was started; then, asked to "wait", it ends when its input
// does, asked for a "signal" with 9 on SIGTERM, else with 7.
func agent(args []string) int {
	terminated := make(chan os.Signal, 1)
	if slices.Contains(args, "signal") {
		signal.Notify(terminated, syscall.SIGTERM)
	}
	json.NewEncoder(os.Stdout).Encode(started{os.Getpid(), args, os.Environ()})
	switch {
	case slices.Contains(args, "wait"):
		io.Copy(io.Discard, os.Stdin)
		return 0
	case slices.Contains(args, "signal"):
		<-terminated
		return 9
	}
	return 7
}

// place is a data folder with a program path to run agents from.
type place struct {
	t         *testing.T
	dir, path string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=agent exec '%s' \"$@\"\n", asVar, exe)
	for _, name := range []string{"claude", "tool"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &place{t, filepath.Join(t.TempDir(), "data"), bin}
}

// gatehouse is one call of the program.
type gatehouse struct {
	*exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs *strings.Builder
	t    *testing.T
}

func (p *place) command(args ...string) *gatehouse {
	p.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	g := &gatehouse{Cmd: exec.Command(exe, args...), errs: &strings.Builder{}, t: p.t}
	g.Env = []string{asVar + "=gatehouse", "PATH=" + p.path + ":/bin:/usr/bin", "HOME=" + p.t.TempDir(), dataVar + "=" + p.dir,
		"GORACE=atexit_sleep_ms=0"} // or each process stays for a second at its end
	g.Stderr = g.errs
	if g.in, err = g.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	out, err := g.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	g.out = bufio.NewReader(out)
	return g
}

func (p *place) start(args ...string) *gatehouse {
	p.t.Helper()
	g := p.command(args...)
	if err := g.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		g.in.Close()
		g.Process.Signal(syscall.SIGTERM)
		g.Wait()
	})
	return g
}

// run starts an agent with free ports.
func (p *place) run(args ...string) *gatehouse {
	p.t.Helper()
	return p.start(append([]string{"run", "--listen", "127.0.0.1:0", "--console", "off"}, args...)...)
}

// said reads what the agent says of itself.
func (g *gatehouse) said() started {
	g.t.Helper()
	line, err := g.out.ReadString('\n')
	var s started
	if err != nil || json.Unmarshal([]byte(line), &s) != nil {
		g.Wait()
		g.t.Fatalf("the agent did not start: %v\n%s%s", err, line, g.errs)
	}
	return s
}

func (s started) variable(name string) string {
	i := slices.IndexFunc(s.Env, func(line string) bool { return strings.HasPrefix(line, name+"=") })
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(s.Env[i], name+"=")
}

// gatewayOf gives the address of the gateway that an agent was pointed at.
func (s started) gatewayOf() string {
	url := strings.TrimPrefix(s.variable("ANTHROPIC_BASE_URL"), "http://")
	host, _, _ := strings.Cut(url, "/")
	return host
}

// ended waits until no process has the data folder any more.
func (p *place) ended() {
	p.t.Helper()
	for {
		release, err := ledger.Lock(p.dir, ledger.Holder{}) // waits a moment itself
		var held *ledger.HeldError
		switch {
		case err == nil:
			if err := release(); err != nil {
				p.t.Error(err)
			}
			return
		case !errors.As(err, &held):
			p.t.Fatal(err)
		}
	}
}

// follow gives a connection to a gateway, which reads to its end when the
// gateway has ended. A server that drains waits for connections that have not
// asked anything yet, so that one thing is asked.
func follow(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, "HEAD / HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return c
}

func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestRunBecomesTheAgent(t *testing.T) {
	p := newPlace(t)
	g := p.run("--", "claude", "exit", "two words")
	s := g.said()
	if got := code(g.Wait()); got != 7 {
		t.Errorf("it ended with %d", got)
	}
	if s.PID != g.Process.Pid {
		t.Errorf("the agent is process %d, the launcher %d: signals and the terminal are not its own", s.PID, g.Process.Pid)
	}
	if !strings.HasSuffix(s.variable("ANTHROPIC_BASE_URL"), "/anthropic") || s.Args[0] != "--settings" || !slices.Equal(s.Args[2:], []string{"exit", "two words"}) {
		t.Errorf("the agent got %q, ANTHROPIC_BASE_URL %q", s.Args, s.variable("ANTHROPIC_BASE_URL"))
	}
	said := strings.TrimSpace(g.errs.String())
	if strings.Contains(said, "\n") || !strings.Contains(said, p.dir) || !strings.Contains(said, "same-user") {
		t.Errorf("it says:\n%s", said)
	}
	p.ended()
}

func TestRunPassesSignals(t *testing.T) {
	p := newPlace(t)
	g := p.run("--", "tool", "signal")
	g.said()
	if err := g.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := code(g.Wait()); got != 9 {
		t.Errorf("it ended with %d", got)
	}
	p.ended()
}

func TestRunsShareAGateway(t *testing.T) {
	p := newPlace(t)
	runs := make([]*gatehouse, 3)
	for i := range runs {
		runs[i] = p.run("--", "tool", "wait")
	}
	addr := runs[0].said().gatewayOf()
	for _, g := range runs[1:] {
		if got := g.said().gatewayOf(); got != addr {
			t.Errorf("one agent uses %s, another %s", addr, got)
		}
	}
	for _, g := range runs[:2] {
		g.in.Close()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}
	c := follow(t, addr) // it is still there for the third
	runs[2].in.Close()
	if err := runs[2].Wait(); err != nil {
		t.Error(err)
	}
	io.Copy(io.Discard, c)
	p.ended()
	log, err := os.ReadFile(filepath.Join(p.dir, gatewayLog))
	if err != nil || strings.Contains(string(log), "in use") {
		t.Errorf("more than one gateway was started: %v: %s", err, log)
	}
}

func TestGatewayEndsWithAKilledLauncher(t *testing.T) {
	p := newPlace(t)
	g := p.run("--", "tool", "wait")
	c := follow(t, g.said().gatewayOf())
	if err := g.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	g.Wait()
	io.Copy(io.Discard, c)
	p.ended()
}

func TestRunAfterRun(t *testing.T) {
	p := newPlace(t)
	for range 3 { // each may meet the one before while that ends
		g := p.run("--", "tool", "exit")
		g.said()
		if got := code(g.Wait()); got != 7 {
			t.Fatalf("it ended with %d: %s", got, g.errs)
		}
	}
	p.ended()
}

// up starts a gateway that no agent ends, and gives its first line.
func (p *place) up(args ...string) string {
	p.t.Helper()
	g := p.start(append([]string{"up", "--console", "off", "--intercept", "off"}, args...)...)
	line, err := g.out.ReadString('\n')
	if err != nil {
		g.Wait()
		p.t.Fatalf("up: %v: %s", err, g.errs)
	}
	return line
}

func TestRunUsesTheRunningGateway(t *testing.T) {
	p := newPlace(t)
	p.up("--listen", "127.0.0.1:0")
	before, _ := ledger.Held(p.dir)
	g := p.run("--upstream", "anthropic=http://127.0.0.1:1", "--", "tool", "exit")
	if got := g.said().gatewayOf(); got != before.Listen {
		t.Errorf("it uses %s, and %s runs", got, before.Listen)
	}
	g.Wait()
	if said := g.errs.String(); !strings.Contains(said, "--listen, --upstream ignored") {
		t.Errorf("it does not say which flags had no effect: %s", said)
	}
	if after, held := ledger.Held(p.dir); !held || after.PID != before.PID {
		t.Errorf("the gateway went from %d to %d with the agent", before.PID, after.PID)
	}
}

func TestRunBeyondLoopbackNeedsAKey(t *testing.T) {
	p := newPlace(t)
	add := p.start("key", "add", "laptop")
	line, _ := add.out.ReadString('\n')
	key := strings.TrimSpace(line)
	if err := add.Wait(); err != nil || !strings.HasPrefix(key, "ghk_") {
		t.Fatalf("key add: %v, %q: %s", err, key, add.errs)
	}
	p.up("--listen", "0.0.0.0:0")
	g := p.start("run", "--", "tool", "exit")
	if got := code(g.Wait()); got != 2 || !strings.Contains(g.errs.String(), "gatehouse key add") {
		t.Errorf("without a key: %d, %s", got, g.errs)
	}
	g = p.start("run", "--key", key, "--", "tool", "exit")
	if got := g.said().variable("OPENAI_BASE_URL"); !strings.Contains(got, "/k/"+key+"/openai/v1") || !strings.HasPrefix(got, "http://127.0.0.1:") {
		t.Errorf("with a key the agent got %s", got)
	}
	g.Wait()
	if strings.Contains(g.errs.String(), key) {
		t.Errorf("the key is printed: %s", g.errs)
	}
}

func TestRunSaysWhyItCant(t *testing.T) {
	p := newPlace(t)
	if err := os.WriteFile(filepath.Join(p.path, "plain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(p.path, "gatehouse.yaml")
	if err := os.WriteFile(broken, []byte("nosuch: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		code int
		says string
		args []string
	}{
		"no agent":      {2, "which agent", nil},
		"not there":     {127, "nosuch was not found", []string{"--", "nosuch"}},
		"not a program": {126, "can't be executed", []string{"--", filepath.Join(p.path, "plain")}},
		"bad gateway":   {2, "--gateway", []string{"--gateway", "localhost", "--", "tool"}},
		"bad config":    {1, "nosuch", []string{"--config", broken, "--", "tool"}},
		"no such flag":  {2, "-nosuch", []string{"--nosuch", "--", "tool"}},
	} {
		g := p.start(append([]string{"run"}, c.args...)...)
		if got := code(g.Wait()); got != c.code || !strings.Contains(g.errs.String(), c.says) {
			t.Errorf("%s: %d, %s", name, got, g.errs)
		}
	}
}

func TestRunWithAGatewayElsewhere(t *testing.T) {
	p := newPlace(t)
	g := p.start("run", "--gateway", "https://gatehouse.example/", "--key", "ghk_x", "--", "tool", "exit")
	if got := g.said().variable("ANTHROPIC_BASE_URL"); got != "https://gatehouse.example/k/ghk_x/anthropic" {
		t.Errorf("the agent got %s", got)
	}
	g.Wait()
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("a data folder was made")
	}
}

func TestKeysWhileTheGatewayRunsAndWhenNot(t *testing.T) {
	p := newPlace(t)
	do := func(args ...string) (int, string, string) {
		g := p.start(append([]string{"key"}, args...)...)
		out, _ := io.ReadAll(g.out)
		return code(g.Wait()), string(out), g.errs.String()
	}
	var once sync.Once
	for _, where := range []string{"offline", "live"} {
		if where == "live" {
			once.Do(func() { p.up("--listen", "127.0.0.1:0") })
		}
		name := where + "-key"
		if c, out, errs := do("add", name); c != 0 || !strings.HasPrefix(out, "ghk_") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: add: %d, %q, %s", where, c, out, errs)
		}
		if c, _, errs := do("add", name); c != 1 || !strings.Contains(errs, "revoke it first") {
			t.Errorf("%s: added again: %d, %s", where, c, errs)
		}
		if c, out, errs := do("list"); c != 0 || !strings.Contains(out, name) || strings.Contains(out, "ghk_") {
			t.Errorf("%s: list: %d, %q, %s", where, c, out, errs)
		}
		if c, _, errs := do("revoke", name); c != 0 {
			t.Errorf("%s: revoke: %d, %s", where, c, errs)
		}
		if c, _, errs := do("revoke", name); c != 1 || !strings.Contains(errs, "no valid key") {
			t.Errorf("%s: revoked again: %d, %s", where, c, errs)
		}
		if c, out, _ := do("list", "--json"); c != 0 || !strings.Contains(out, `"name":"`+name+`"`) || !strings.Contains(out, `"revoked":"2`) {
			t.Errorf("%s: list --json: %d, %q", where, c, out)
		}
	}
	// As the refusal to listen beyond loopback says it: the flags come last.
	for _, args := range [][]string{{"add", "last", "--data", p.dir}, {"--data", p.dir, "add", "first"}, {"add", "--data", p.dir, "between"}, {"revoke", "last", "--data", p.dir}} {
		if c, _, errs := do(args...); c != 0 {
			t.Errorf("key %q: %d, %s", args, c, errs)
		}
	}
	for _, args := range [][]string{{}, {"add"}, {"add", "a", "b"}, {"list", "x"}, {"drop", "x"}} {
		if c, _, _ := do(args...); c != 2 {
			t.Errorf("key %q: %d", args, c)
		}
	}
}

func TestWrongCallsExitWith2(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{
		{"flows", "--limit", "-1"}, {"sessions", "--limit", "-1"}, {"flows", "--since", "x"},
		{"show", "f", "--raw", "answer"}, {"show", "f", "--session", "s"}, {"show", "--session", "s", "--raw", "request"}, {"up", "--listen", "4000"}, {"up", "--console", "localhost"},
	} {
		if g := p.start(args...); code(g.Wait()) != 2 || strings.Contains(g.errs.String(), "access key") {
			t.Errorf("%q: %s", args, g.errs.String())
		}
	}
}

func TestReadingSaysWhatRecoveryFound(t *testing.T) {
	p := newPlace(t)
	if g := p.start("key", "add", "laptop"); g.Wait() != nil {
		t.Fatal(g.errs.String())
	}
	segment := filepath.Join(p.dir, "segments", "00000001.seg")
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(segment, data[:len(data)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	g := p.start("flows")
	if err := g.Wait(); err != nil || !strings.Contains(g.errs.String(), "torn tail") {
		t.Errorf("flows: %v, %q", err, g.errs.String())
	}
	g = p.start("flows")
	if err := g.Wait(); err != nil || strings.Contains(g.errs.String(), "level=") {
		t.Errorf("flows again: %v, %q", err, g.errs.String())
	}
}

// TestRunInterceptLeadsJava: a program that no agent is may be one of Java's; a trust
// store of the user's stays his, and he is told.
func TestRunInterceptLeadsJava(t *testing.T) {
	p := newPlace(t)
	run := func(options, name string) (java, errs string) {
		g := p.command("run", "--listen", "127.0.0.1:0", "--console", "off", "--intercept", "--", name)
		g.Env = append(g.Env, "JAVA_TOOL_OPTIONS="+options)
		if err := g.Start(); err != nil {
			t.Fatal(err)
		}
		java = g.said().variable("JAVA_TOOL_OPTIONS")
		g.Wait()
		return java, g.errs.String()
	}
	java, errs := run("-Xmx9m", "tool")
	if !strings.HasPrefix(java, "-Xmx9m -Djavax.net.ssl.trustStore=") || !strings.Contains(java, " -Dhttps.proxyPort=") || strings.Contains(errs, "Java programs") {
		t.Errorf("%q, %s", java, errs)
	}
	if again, _ := run(java, "tool"); strings.Count(again, "trustStore=") != 1 {
		t.Errorf("a run in a run: %q", again)
	}
	const own = "-Djavax.net.ssl.trustStore=/own"
	if java, errs := run(own, "tool"); java != own || !strings.Contains(errs, "Java programs are not led through the gateway: JAVA_TOOL_OPTIONS names a trust store already") {
		t.Errorf("%q, %s", java, errs)
	}
	if java, errs := run("-Xmx9m", "claude"); java != "-Xmx9m" || strings.Contains(errs, "Java programs") {
		t.Errorf("%q, %s", java, errs)
	}
}
