package console

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerID asks the kernel for the user at the other end (SO_PEERCRED).
func peerID(conn *net.UnixConn) (uid uint32, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	ctlErr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if ctlErr != nil || err != nil {
		return 0, false
	}
	return cred.Uid, true
}
