package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
)

// macOS lists its TCP sockets as records that each begin with their length and
// kind (bsd/netinet/in_pcblist.c, get_pcblist_n, in Apple's XNU). A socket is an
// inpcb followed by a socket record; others in between are skipped by their
// length, so that it does not matter how long they are.
const (
	pcbHeader  = 24 // struct xinpgen, before the first record and after the last
	pcbInet    = 0x10
	pcbSocket  = 0x01
	pcbInetMin = 80 // bytes of struct xinpcb_n that are read
	pcbSockMin = 72 // bytes of struct xsocket_n that are read
)

var native = binary.NativeEndian

// pcbFind finds the one socket between src, its own address, and dst. Two that
// claim the same are fs.ErrNotExist, like none.
func pcbFind(list []byte, src, dst netip.AddrPort) (uid uint32, pid int, err error) {
	var inet []byte
	found := 0
	for at := pcbHeader; at+8 <= len(list); {
		size, kind := int(native.Uint32(list[at:])), native.Uint32(list[at+4:])
		if size < 8 || size > len(list)-at {
			return 0, 0, errors.New("the list of sockets is cut short")
		}
		if size == pcbHeader && at+size+8 > len(list) {
			break // the closing header, whose kind is a count
		}
		record := list[at : at+size]
		switch {
		case kind == pcbInet && size >= pcbInetMin:
			inet = record
		case kind == pcbSocket && size >= pcbSockMin && inet != nil:
			if pcbIs(inet, src, dst) {
				uid, pid = native.Uint32(record[64:]), int(int32(native.Uint32(record[68:])))
				found++
			}
			inet = nil
		}
		at += (size + 7) &^ 7
	}
	if found != 1 {
		return 0, 0, fs.ErrNotExist
	}
	return uid, pid, nil
}

// pcbIs compares the addresses of an inpcb record: ports at 16 and 18, flags at
// 44, addresses of 16 bytes at 48 and 64, in whose last 4 an IPv4 one stands.
func pcbIs(inet []byte, src, dst netip.AddrPort) bool {
	addr := func(at int) netip.Addr {
		if inet[44]&1 != 0 {
			return netip.AddrFrom4([4]byte(inet[at+12:]))
		}
		return netip.AddrFrom16([16]byte(inet[at:])).Unmap()
	}
	port := func(at int) uint16 { return binary.BigEndian.Uint16(inet[at:]) }
	return netip.AddrPortFrom(addr(64), port(18)) == src && netip.AddrPortFrom(addr(48), port(16)) == dst
}

// procArgs reads what macOS tells of a process's start (kern.procargs2): the
// number of arguments, the executable's path, zeros, the arguments.
func procArgs(raw []byte) (exe string, argv []string) {
	if len(raw) < 4 {
		return "", nil
	}
	n := int(int32(native.Uint32(raw)))
	path, rest, _ := bytes.Cut(raw[4:], []byte{0})
	rest = bytes.TrimLeft(rest, "\x00")
	for ; n > 0 && len(rest) > 0; n-- {
		var arg []byte
		arg, rest, _ = bytes.Cut(rest, []byte{0})
		argv = append(argv, string(arg))
	}
	return string(path), argv
}
