package identity_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
)

// dialVar makes the test binary a client: it connects to the address and holds
// the connection until its standard input ends.
const dialVar = "IDENTITY_TEST_DIAL"

func TestMain(m *testing.M) {
	if addr := os.Getenv(dialVar); addr != "" {
		os.Exit(client(addr))
	}
	os.Exit(m.Run())
}

// dials are further ways to connect, which one system has.
var dials = map[string]func(addr string) error{}

func client(addr string) int {
	network, addr, _ := strings.Cut(addr, " ")
	if dial := dials[network]; dial != nil {
		if err := dial(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	} else {
		c, err := net.Dial(network, addr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer c.Close()
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// start runs a client and gives our end of its connection.
func start(t *testing.T, network, host, exe string, change ...func(*exec.Cmd)) (net.Conn, *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skipf("no %s here: %v", host, err)
	}
	defer l.Close()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), dialVar+"="+network+" "+l.Addr().String(), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	for _, f := range change {
		f(cmd)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		stdin.Close()
		cmd.Wait()
	})
	return c, cmd
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// named is a copy of the test binary under another path.
func named(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func me(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

func TestCallingProcess(t *testing.T) {
	for _, c := range []struct{ name, network, host, exe, program string }{
		{"IPv4", "tcp4", "127.0.0.1", self(t), "identity.test"},
		{"IPv6", "tcp6", "::1", self(t), "identity.test"},
		{"agent", "tcp", "127.0.0.1", named(t, "node_modules/@anthropic-ai/claude-code/bin/claude.exe"), "claude"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := identity.New(identity.Options{})
			ours, cmd := start(t, c.network, c.host, c.exe)
			peer := r.Conn(ours)
			for range 2 { // the second time it is known
				who, err := r.Principal(peer, "", http.Header{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := flow.Principal{Name: me(t) + "/" + c.program, User: me(t), Program: c.program, PID: cmd.Process.Pid}
				if who != want {
					t.Errorf("got %+v, want %+v", who, want)
				}
			}
			if got := r.Custody(peer); got != flow.SameUser {
				t.Errorf("custody %s", got)
			}
		})
	}
}

func TestProcessesAreToldApart(t *testing.T) {
	r := identity.New(identity.Options{})
	a, one := start(t, "tcp", "127.0.0.1", self(t))
	b, two := start(t, "tcp", "127.0.0.1", self(t))
	for range 2 {
		for c, cmd := range map[net.Conn]*exec.Cmd{a: one, b: two} {
			who, err := r.Principal(r.Conn(c), "", http.Header{}, nil)
			if err != nil || who.PID != cmd.Process.Pid {
				t.Errorf("got %+v, %v, want process %d", who, err, cmd.Process.Pid)
			}
		}
	}
}

// A caller that has gone can't be told any more.
func TestCallerThatHasGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs.Close()
	if _, err := bufio.NewReader(ours).ReadByte(); err != io.EOF {
		t.Fatal(err)
	}
	strict := identity.New(identity.Options{})
	if who, err := strict.Principal(strict.Conn(ours), "", http.Header{}, nil); err == nil {
		t.Errorf("passed as %+v", who)
	}
	lenient := identity.New(identity.Options{Anonymous: "anyone"})
	if who, err := lenient.Principal(lenient.Conn(ours), "", http.Header{}, nil); err != nil || who.Name != "anyone" {
		t.Errorf("got %+v, %v", who, err)
	}
}

// BenchmarkTrace opens the connection that is looked up last of many, as a client
// with many streams does.
func BenchmarkTrace(b *testing.B) {
	for _, open := range []int{0, 1000} {
		b.Run(strconv.Itoa(open), func(b *testing.B) { benchmarkTrace(b, open) })
	}
}

func benchmarkTrace(b *testing.B, open int) {
	for range open {
		f, err := os.Open(os.DevNull)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer theirs.Close()
	ours, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Close()
	r := identity.New(identity.Options{})
	for b.Loop() {
		if _, err := r.Principal(r.Conn(ours), "", http.Header{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
