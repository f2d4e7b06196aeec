package identity

import (
	"encoding/binary"
	"io/fs"
	"net/netip"
)

// Windows gives tables of rows with their owners' process ids
// (MIB_TCPTABLE_OWNER_PID and MIB_TCP6TABLE_OWNER_PID): a count, then rows of
// 32-bit words, ports in network order in the first two bytes of theirs.
const (
	tcpRow  = 24 // state, local address, port, remote address, port, process id
	tcp6Row = 56 // local address, scope, port, remote address, scope, port, state, process id
)

// tcpFind finds the one row between src, its own address, and dst.
func tcpFind(table []byte, src, dst netip.AddrPort) (pid uint32, err error) {
	size := tcpRow
	if src.Addr().Is6() {
		size = tcp6Row
	}
	if len(table) < 4 {
		return 0, fs.ErrNotExist
	}
	rows := table[4:]
	found := 0
	for n := binary.LittleEndian.Uint32(table); n > 0 && len(rows) >= size; n-- {
		row := rows[:size]
		rows = rows[size:]
		if local, remote := tcpEnds(row); local == src && remote == dst {
			pid = binary.LittleEndian.Uint32(row[size-4:])
			found++
		}
	}
	if found != 1 || pid == 0 {
		return 0, fs.ErrNotExist
	}
	return pid, nil
}

func tcpEnds(row []byte) (local, remote netip.AddrPort) {
	end := func(addr netip.Addr, port []byte) netip.AddrPort {
		return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port))
	}
	if len(row) == tcpRow {
		return end(netip.AddrFrom4([4]byte(row[4:])), row[8:]), end(netip.AddrFrom4([4]byte(row[12:])), row[16:])
	}
	return end(netip.AddrFrom16([16]byte(row)), row[20:]), end(netip.AddrFrom16([16]byte(row[24:])), row[44:])
}
