package identity

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The sizes and offsets are those of struct inet_diag_req_v2 and struct
// inet_diag_msg in linux/inet_diag.h; see sock_diag(7).
const (
	diagReqLen  = 56
	diagMsgLen  = 72
	diagUID     = 64 // offset of idiag_uid
	diagInode   = 68 // offset of idiag_inode
	diagTimeout = 2 * time.Second
)

// diag looks one TCP socket up by its two addresses. A socket that is not
// there, or is there without a file (closing), is fs.ErrNotExist.
func diag(src, dst netip.AddrPort) (uid, inode uint32, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, 0, fmt.Errorf("opening sock_diag: %w", err)
	}
	defer unix.Close(fd)
	limit := unix.NsecToTimeval(diagTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return 0, 0, fmt.Errorf("limiting sock_diag: %w", err)
	}
	if err := unix.Sendto(fd, diagRequest(src, dst), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, 0, fmt.Errorf("asking sock_diag: %w", err)
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("reading sock_diag: %w", err)
	}
	return diagAnswer(buf[:n])
}

func diagRequest(src, dst netip.AddrPort) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+diagReqLen)
	native.PutUint32(b[0:], uint32(len(b)))
	native.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[unix.NLMSG_HDRLEN:]
	r[0], r[1] = unix.AF_INET, unix.IPPROTO_TCP
	if src.Addr().Is6() {
		r[0] = unix.AF_INET6
	}
	native.PutUint32(r[4:], ^uint32(0)) // every state
	binary.BigEndian.PutUint16(r[8:], src.Port())
	binary.BigEndian.PutUint16(r[10:], dst.Port())
	copy(r[12:28], src.Addr().AsSlice())
	copy(r[28:44], dst.Addr().AsSlice())
	native.PutUint32(r[48:], ^uint32(0)) // INET_DIAG_NOCOOKIE, twice
	native.PutUint32(r[52:], ^uint32(0))
	return b
}

func diagAnswer(b []byte) (uid, inode uint32, err error) {
	if len(b) < unix.NLMSG_HDRLEN+4 {
		return 0, 0, errors.New("sock_diag gave a short answer")
	}
	kind, body := native.Uint16(b[4:]), b[unix.NLMSG_HDRLEN:]
	if kind == unix.NLMSG_ERROR {
		code := unix.Errno(-int32(native.Uint32(body)))
		if code == unix.ENOENT {
			return 0, 0, fs.ErrNotExist
		}
		return 0, 0, fmt.Errorf("sock_diag refuses: %w", code)
	}
	if kind != unix.SOCK_DIAG_BY_FAMILY || len(body) < diagMsgLen {
		return 0, 0, errors.New("sock_diag gave an unexpected answer")
	}
	uid, inode = native.Uint32(body[diagUID:]), native.Uint32(body[diagInode:])
	if inode == 0 {
		return 0, 0, fs.ErrNotExist
	}
	return uid, inode, nil
}

// table finds the socket in /proc/net/tcp and tcp6.
func table(src, dst netip.AddrPort) (uid, inode uint32, ok bool) {
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if uid, inode, ok := tableLine(lines.Text(), src, dst); ok {
				return uid, inode, true
			}
		}
	}
	return 0, 0, false
}

// tableLine matches one line: "sl local remote st tx:rx tr:when retrnsmt uid timeout inode …".
func tableLine(line string, src, dst netip.AddrPort) (uid, inode uint32, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || tableAddr(f[1]) != src || tableAddr(f[2]) != dst {
		return 0, 0, false
	}
	u, err1 := strconv.ParseUint(f[7], 10, 32)
	i, err2 := strconv.ParseUint(f[9], 10, 32)
	return uint32(u), uint32(i), err1 == nil && err2 == nil && i != 0
}

// tableAddr reads "0100007F:1F90": each 32-bit word in the machine's order.
func tableAddr(s string) netip.AddrPort {
	host, port, _ := strings.Cut(s, ":")
	raw, err1 := hex.DecodeString(host)
	p, err2 := strconv.ParseUint(port, 16, 16)
	if err1 != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}
	}
	if native.Uint16([]byte{1, 0}) == 1 {
		for w := range slices.Chunk(raw, 4) {
			slices.Reverse(w)
		}
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(p))
}
