package identity_test

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
)

func init() { dials["mapped"] = dialMapped }

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

func TestMappedAddress(t *testing.T) {
	r := identity.New(identity.Options{})
	ours, cmd := start(t, "mapped", "127.0.0.1", self(t))
	who, err := r.Principal(r.Conn(ours), "", http.Header{}, nil)
	if err != nil || who.PID != cmd.Process.Pid {
		t.Errorf("got %+v, %v, want process %d", who, err, cmd.Process.Pid)
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
	c, _ := start(t, "tcp", "127.0.0.1", exe, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	})
	peer := r.Conn(c)
	who, err := r.Principal(peer, "", http.Header{}, nil)
	if err != nil || who.Name != "uid"+strconv.Itoa(uid)+"/client" {
		t.Errorf("got %+v, %v", who, err)
	}
	if got := r.Custody(peer); got != flow.OwnUser {
		t.Errorf("custody %s: it can't touch the gateway", got)
	}
}

// The table is what is left in a sandbox without netlink.
func TestTableSaysTheSame(t *testing.T) {
	for _, c := range []struct{ network, host string }{{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}, {"mapped", "127.0.0.1"}} {
		ours, _ := start(t, c.network, c.host, self(t))
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
