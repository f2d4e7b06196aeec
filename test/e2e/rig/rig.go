// Package rig starts the real gatehouse binary for tests: a simulated
// provider, a gateway in front of it, both on free loopback ports and with
// folders of their own. It knows the command line and nothing of the code
// behind it, and it never reaches a network.
package rig

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Rig is a gateway and its provider.
type Rig struct {
	Dir      string // holds all folders; removed after the test
	Home     string // HOME of the gatehouse commands
	Data     string // data folder
	Record   string // what the provider received and sent
	Provider string // URL
	Gateway  string // URL
	Console  string // URL
	Proxy    string // URL of the forward proxy
	PID      int    // of the gateway

	t  TB
	o  Options
	up *process
}

// TB is as much of testing.TB as a rig needs; a script has no more.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
	Context() context.Context
	TempDir() string
	Failed() bool
}

// Options of a rig.
type Options struct {
	Config   string   // YAML for up --config; "": none
	Policy   string   // YAML of the policy file; "": none
	Simulate []string // more flags of simulate
	Upstream string   // URL instead of the simulated provider
	TLS      bool     // the provider speaks TLS and HTTP/2 under a certificate of its own
	Listen   string   // of the gateway; "": a free port
}

// binary builds gatehouse once for a test process, unless $GATEHOUSE names
// one.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("GATEHOUSE"); path != "" {
		return filepath.Abs(path)
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "gatehouse")
	build := exec.Command("go", "build", "-o", path, "./cmd/gatehouse")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building gatehouse: %w\n%s", err, out)
	}
	return path, nil
})

// Root is the project's folder.
func Root() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "gatehouse")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("finding the project's folder: no cmd/gatehouse above here")
}

// Binary is the path of gatehouse.
func Binary(t TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// New makes the folders and starts the provider, but no gateway.
func New(t TB, o Options) *Rig {
	t.Helper()
	dir := t.TempDir()
	r := &Rig{t: t, o: o, Dir: dir, Home: filepath.Join(dir, "home"), Data: filepath.Join(dir, "data"), Record: filepath.Join(dir, "record")}
	for _, d := range []string{r.Home, r.Record} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if o.Policy != "" {
		r.File("policy.yaml", o.Policy)
		r.o.Config += "policy:\n  file: policy.yaml\n"
	}
	if r.Provider = o.Upstream; r.Provider == "" {
		args := append([]string{"simulate", "--listen", "127.0.0.1:0", "--record", r.Record, "--pace", "0"}, o.Simulate...)
		if o.TLS {
			args = append(args, "--tls", filepath.Join(dir, "ca.pem"))
			r.o.Config += "upstreams:\n  anthropic: {ca_file: ca.pem}\n  openai: {ca_file: ca.pem}\n  gemini: {ca_file: ca.pem}\n"
		}
		p := r.start("simulate", args...)
		r.Provider = p.ready(regexp.MustCompile(`(https?://\S+)`))[1]
	}
	return r
}

// Start makes a rig with a running gateway, which must end well when the test
// ends.
func Start(t TB, o Options) *Rig {
	t.Helper()
	r := New(t, o)
	r.Up()
	return r
}

var listening = regexp.MustCompile(`listens on (http://[^\s,]+), console (http://[^\s,]+), forward proxy (http://[^\s,]+),.* process (\d+)`)

// Up starts the gateway. A gateway that was killed starts on its old port, so
// that clients find it again.
func (r *Rig) Up() {
	r.t.Helper()
	listen := r.o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	if r.Gateway != "" {
		listen = strings.TrimPrefix(r.Gateway, "http://")
	}
	r.up = r.start("up", r.UpArgs(listen)...)
	found := r.up.ready(listening)
	r.Gateway, r.Console, r.Proxy = found[1], found[2], found[3]
	r.PID = r.up.cmd.Process.Pid
}

// UpArgs are the arguments with which up runs.
func (r *Rig) UpArgs(listen string) []string {
	r.t.Helper()
	args := []string{"up", "--data", r.Data, "--listen", listen, "--console", "127.0.0.1:0", "--intercept", "127.0.0.1:0"}
	for _, name := range []string{"anthropic", "openai", "gemini"} {
		args = append(args, "--upstream", name+"="+r.Provider)
	}
	if r.o.Config != "" {
		args = append(args, "--config", r.File("gatehouse.yaml", r.o.Config))
	}
	return args
}

// File writes a file in the rig's folder and gives its path.
func (r *Rig) File(name, text string) string {
	r.t.Helper()
	path := filepath.Join(r.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// Stop ends the gateway by SIGTERM and wants exit code 0.
func (r *Rig) Stop() {
	r.t.Helper()
	r.up.stop()
}

// Kill ends the gateway by SIGKILL.
func (r *Rig) Kill() {
	r.t.Helper()
	r.up.kill()
}

// Env is a small environment: no variable of the person who runs the tests
// reaches an agent or the gateway.
func (r *Rig) Env(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.Home, "LANG=C.UTF-8", "TERM=dumb"}, more...)
}

// Result is how a command ended.
type Result struct {
	Out, Err string
	Code     int
}

// Gatehouse runs a gatehouse command on the rig's data folder.
func (r *Rig) Gatehouse(args ...string) Result {
	r.t.Helper()
	args = append([]string{args[0], "--data", r.Data}, args[1:]...)
	return r.Run(r.Dir, r.Env(), Binary(r.t), args...)
}

// Run runs a program to its end, with closed standard input, for at most six
// minutes.
func (r *Rig) Run(dir string, env []string, name string, args ...string) Result {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 6*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.WaitDelay = 5 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatalf("running %s: %v\n%s", name, err, errs.String())
	}
	return Result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// process is a gatehouse command that runs beside the test.
type process struct {
	t     TB
	name  string
	cmd   *exec.Cmd
	lines chan string
	log   *buffer
	ended chan struct{}
	once  sync.Once
	err   error
}

// start runs a command until the test ends.
func (r *Rig) start(name string, args ...string) *process {
	r.t.Helper()
	p := &process{t: r.t, name: name, cmd: exec.Command(Binary(r.t), args...), lines: make(chan string, 16), log: &buffer{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = r.Dir, r.Env(), p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go p.read(out)
	r.t.Cleanup(p.stop)
	return p
}

// read hands lines over until the command ends; what nobody wants goes to the
// log.
func (p *process) read(out io.Reader) {
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		select {
		case p.lines <- scan.Text():
		default:
			_, _ = fmt.Fprintln(p.log, scan.Text())
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// ready waits for the line that says where the command listens.
func (p *process) ready(line *regexp.Regexp) []string {
	p.t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		select {
		case text := <-p.lines:
			if found := line.FindStringSubmatch(text); found != nil {
				return found
			}
		case <-p.ended:
			p.t.Fatalf("%s ended before it listened: %v\n%s", p.name, p.err, p.log)
		case <-timeout.C:
			p.t.Fatalf("%s does not listen after 30 s\n%s", p.name, p.log)
		}
	}
}

// stop asks the command to end, and fails the test when it does not end well.
func (p *process) stop() {
	p.t.Helper()
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(30 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.ended
			p.err = errors.New("no end 30 s after SIGTERM")
		}
		if p.err != nil {
			p.t.Errorf("%s: %v\n%s", p.name, p.err, p.log)
		}
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", p.name, p.log)
		}
	})
}

func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
}

// buffer is a log that two goroutines may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
