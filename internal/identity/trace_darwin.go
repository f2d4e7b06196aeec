package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/workingagents/gatehouse/internal/agents"
)

// BUG(identity): the look-up on macOS was written from Apple's sources and is
// tested with made-up lists only, as long as no machine of that kind runs our
// tests.

// certain says that a caller which this system does not tell is refused. Here it
// is unknown instead: better no name than no service.
const certain = false

type tracer struct{}

func newTracer() *tracer { return &tracer{} }

// trace asks the kernel for all TCP sockets and finds the one with our ends
// swapped. The process must be of the user whose the socket is, or it is not
// believed.
func (t *tracer) trace(remote, local netip.AddrPort) (process, error) {
	list, err := unix.SysctlRaw("net.inet.tcp.pcblist_n")
	if err != nil {
		return process{}, fmt.Errorf("listing sockets: %w", err)
	}
	uid, pid, err := pcbFind(list, remote, local)
	if err != nil {
		return process{}, fmt.Errorf("looking up the calling socket: %w", err)
	}
	p := process{user: darwinUser(uid), program: untold, other: uid != 0 && int(uid) != os.Getuid()}
	if err := darwinProcess(&p, uid, pid); err != nil {
		return p, nil // the user stands
	}
	return p, nil
}

func darwinUser(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return agents.Clean(u.Username)
	}
	return "uid" + id
}

func darwinProcess(p *process, uid uint32, pid int) error {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return err
	}
	if info.Eproc.Ucred.Uid != uid {
		return errors.New("the process is another user's")
	}
	raw, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return err
	}
	exe, argv := procArgs(raw)
	p.pid, p.program = pid, agents.Program(exe, argv)
	return nil
}
