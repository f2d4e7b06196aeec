package identity

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/workingagents/gatehouse/internal/agents"
)

// BUG(identity): the look-up on Windows is tested with made-up tables only, as
// long as no machine of that kind runs our tests.

// certain says that a caller which this system does not tell is refused. Here it
// is unknown instead: better no name than no service.
const certain = false

type tracer struct{}

func newTracer() *tracer { return &tracer{} }

// trace finds the row with our ends swapped in the system's table. Arguments of
// other processes can't be read, so that a script is called after its
// interpreter.
func (t *tracer) trace(remote, local netip.AddrPort) (process, error) {
	table, err := tcpTable(remote.Addr().Is6())
	if err != nil {
		return process{}, fmt.Errorf("listing sockets: %w", err)
	}
	pid, err := tcpFind(table, remote, local)
	if err != nil {
		return process{}, fmt.Errorf("looking up the calling socket: %w", err)
	}
	p := process{pid: int(pid), user: untold, program: untold}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return p, nil // another user's: the process id stands
	}
	defer windows.CloseHandle(h)
	if exe, err := imageName(h); err == nil {
		p.program = agents.Program(exe, nil)
	}
	windowsUser(&p, h)
	return p, nil
}

var extendedTable = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")

// tcpConnections is TCP_TABLE_OWNER_PID_CONNECTIONS.
const tcpConnections = 4

func tcpTable(six bool) ([]byte, error) {
	family := uintptr(windows.AF_INET)
	if six {
		family = windows.AF_INET6
	}
	size := uint32(1 << 16)
	for range 8 { // it may grow between two calls
		buf := make([]byte, size)
		code, _, _ := extendedTable.Call(uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0, family, tcpConnections, 0)
		switch err := windows.Errno(code); err {
		case windows.ERROR_SUCCESS:
			return buf, nil
		case windows.ERROR_INSUFFICIENT_BUFFER:
			size += 1 << 12
		default:
			return nil, err
		}
	}
	return nil, windows.ERROR_INSUFFICIENT_BUFFER
}

func imageName(h windows.Handle) (string, error) {
	buf := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(buf))
	if err := windows.QueryFullProcessImageName(h, 0, &buf[0], &n); err != nil {
		return "", err
	}
	return windows.UTF16ToString(buf[:n]), nil
}

// windowsUser names the process's user, and tells whether that is another than
// ours.
func windowsUser(p *process, h windows.Handle) {
	var token windows.Token
	if err := windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token); err != nil {
		return
	}
	defer token.Close()
	u, err := token.GetTokenUser()
	if err != nil {
		return
	}
	if name, _, _, err := u.User.Sid.LookupAccount(""); err == nil {
		p.user = agents.Clean(name)
	}
	own, err := windows.GetCurrentProcessToken().GetTokenUser()
	p.other = err == nil && !windows.EqualSid(own.User.Sid, u.User.Sid) && !u.User.Sid.IsWellKnown(windows.WinLocalSystemSid)
}
