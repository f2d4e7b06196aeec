package identity_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

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

func client(addr string) int {
	network, addr, _ := strings.Cut(addr, " ")
	if network == "mapped" {
		if err := dialMapped(addr); err != nil {
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

// dialMapped connects an IPv6 socket to an IPv4 address, as some runtimes do.
func dialMapped(addr string) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
}

// start runs a client and gives our end of its connection.
func start(t *testing.T, network, host, exe string, credential *syscall.Credential) (net.Conn, *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skipf("no %s here: %v", host, err)
	}
	defer l.Close()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), dialVar+"="+network+" "+l.Addr().String())
	cmd.Stderr = os.Stderr
	if credential != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
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
		{"IPv4 from an IPv6 socket", "mapped", "127.0.0.1", self(t), "identity.test"},
		{"agent", "tcp", "127.0.0.1", named(t, "node_modules/@anthropic-ai/claude-code/bin/claude.exe"), "claude"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := identity.New(identity.Options{})
			ours, cmd := start(t, c.network, c.host, c.exe, nil)
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
	a, one := start(t, "tcp", "127.0.0.1", self(t), nil)
	b, two := start(t, "tcp", "127.0.0.1", self(t), nil)
	for range 2 {
		for c, cmd := range map[net.Conn]*exec.Cmd{a: one, b: two} {
			who, err := r.Principal(r.Conn(c), "", http.Header{}, nil)
			if err != nil || who.PID != cmd.Process.Pid {
				t.Errorf("got %+v, %v, want process %d", who, err, cmd.Process.Pid)
			}
		}
	}
}

func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("starting a process as another user needs root")
	}
	const uid = 54321 // nobody's
	exe := named(t, "client")
	for dir := filepath.Dir(exe); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := identity.New(identity.Options{})
	c, _ := start(t, "tcp", "127.0.0.1", exe, &syscall.Credential{Uid: uid, Gid: uid})
	peer := r.Conn(c)
	who, err := r.Principal(peer, "", http.Header{}, nil)
	if err != nil || who.Name != "uid"+strconv.Itoa(uid)+"/client" {
		t.Errorf("got %+v, %v", who, err)
	}
	if got := r.Custody(peer); got != flow.OwnUser {
		t.Errorf("custody %s: it can't touch the gateway", got)
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

// The table is what is left in a sandbox without netlink.
func TestTableSaysTheSame(t *testing.T) {
	for _, c := range []struct{ network, host string }{{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}, {"mapped", "127.0.0.1"}} {
		ours, _ := start(t, c.network, c.host, self(t), nil)
		src, dst := ours.RemoteAddr().(*net.TCPAddr).AddrPort(), ours.LocalAddr().(*net.TCPAddr).AddrPort()
		uid, inode, err := identity.Diag(src, dst)
		if err != nil {
			t.Skipf("no sock_diag here: %v", err)
		}
		uid2, inode2, ok := identity.Table(src, dst)
		if !ok || uid2 != uid || inode2 != inode {
			t.Errorf("%s: the table says %d, %d, %v; sock_diag %d, %d", c.network, uid2, inode2, ok, uid, inode)
		}
		// The other way round it is our own socket.
		if _, other, err := identity.Diag(dst, src); err != nil || other == inode {
			t.Errorf("%s: our end is %d, %v", c.network, other, err)
		}
	}
	if _, _, err := identity.Diag(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")); err == nil {
		t.Error("found a socket that is not there")
	}
}

func BenchmarkTrace(b *testing.B) {
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
