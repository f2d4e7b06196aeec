package identity_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/workingagents/gatehouse/internal/identity"
)

// socket is a line of a made-up table.
type socket struct {
	local, remote string
	uid, pid      uint32
}

// record is one of macOS's, of a kind and length, padded to 8 bytes.
func record(kind, size int, fill func(b []byte)) []byte {
	b := make([]byte, (size+7)&^7)
	binary.NativeEndian.PutUint32(b, uint32(size))
	binary.NativeEndian.PutUint32(b[4:], uint32(kind))
	if fill != nil {
		fill(b)
	}
	return b
}

// pcblist is the list of sockets as macOS gives it; extra is how much longer
// than today's its records are.
func pcblist(extra int, sockets ...socket) []byte {
	header := record(len(sockets), 24, nil)
	list := slices.Clone(header)
	for _, s := range sockets {
		local, remote := netip.MustParseAddrPort(s.local), netip.MustParseAddrPort(s.remote)
		list = append(list, record(0x10, 104+extra, func(b []byte) {
			binary.BigEndian.PutUint16(b[16:], remote.Port())
			binary.BigEndian.PutUint16(b[18:], local.Port())
			if b[44] = 2; local.Addr().Is4() {
				b[44] = 1
				copy(b[60:], remote.Addr().AsSlice())
				copy(b[76:], local.Addr().AsSlice())
				return
			}
			copy(b[48:], remote.Addr().AsSlice())
			copy(b[64:], local.Addr().AsSlice())
		})...)
		list = append(list, record(0x01, 100+extra, func(b []byte) {
			binary.NativeEndian.PutUint32(b[64:], s.uid)
			binary.NativeEndian.PutUint32(b[68:], s.pid)
		})...)
		list = append(list, record(0x02, 32, nil)...)
		list = append(list, record(0x20, 204, nil)...)
	}
	return append(list, header...)
}

var sockets = []socket{
	{"127.0.0.1:4000", "127.0.0.1:50000", 501, 1}, // ours
	{"127.0.0.1:50000", "127.0.0.1:4000", 501, 2}, // theirs
	{"127.0.0.1:50001", "127.0.0.1:4000", 502, 3},
	{"10.0.0.1:50000", "127.0.0.1:4000", 0, 4},
	{"[::1]:50000", "[::1]:4000", 503, 5},
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestPCBFind(t *testing.T) {
	for _, extra := range []int{0, 4, 24} {
		list := pcblist(extra, sockets...)
		for i, s := range sockets {
			uid, pid, err := identity.PCBFind(list, addr(s.local), addr(s.remote))
			if err != nil || uid != s.uid || pid != int(s.pid) {
				t.Errorf("extra %d, socket %d: %d, %d, %v", extra, i, uid, pid, err)
			}
		}
		if _, _, err := identity.PCBFind(list, addr("127.0.0.1:50002"), addr("127.0.0.1:4000")); err == nil {
			t.Error("found a socket that is not there")
		}
	}
	twice := pcblist(0, sockets[1], sockets[1])
	if _, pid, err := identity.PCBFind(twice, addr(sockets[1].local), addr(sockets[1].remote)); err == nil {
		t.Errorf("two claim it, %d is believed", pid)
	}
}

func windowsTable(sockets ...socket) (four, six []byte) {
	four, six = make([]byte, 4), make([]byte, 4)
	for _, s := range sockets {
		local, remote := addr(s.local), addr(s.remote)
		if local.Addr().Is4() {
			row := make([]byte, 24)
			copy(row[4:], local.Addr().AsSlice())
			binary.BigEndian.PutUint16(row[8:], local.Port())
			copy(row[12:], remote.Addr().AsSlice())
			binary.BigEndian.PutUint16(row[16:], remote.Port())
			binary.LittleEndian.PutUint32(row[20:], s.pid)
			four = append(four, row...)
			binary.LittleEndian.PutUint32(four, binary.LittleEndian.Uint32(four)+1)
			continue
		}
		row := make([]byte, 56)
		copy(row, local.Addr().AsSlice())
		binary.BigEndian.PutUint16(row[20:], local.Port())
		copy(row[24:], remote.Addr().AsSlice())
		binary.BigEndian.PutUint16(row[44:], remote.Port())
		binary.LittleEndian.PutUint32(row[52:], s.pid)
		six = append(six, row...)
		binary.LittleEndian.PutUint32(six, binary.LittleEndian.Uint32(six)+1)
	}
	return four, six
}

func TestTCPFind(t *testing.T) {
	four, six := windowsTable(sockets...)
	for i, s := range sockets {
		table := four
		if addr(s.local).Addr().Is6() {
			table = six
		}
		if pid, err := identity.TCPFind(table, addr(s.local), addr(s.remote)); err != nil || pid != s.pid {
			t.Errorf("socket %d: %d, %v", i, pid, err)
		}
	}
	if _, err := identity.TCPFind(four, addr("127.0.0.1:50002"), addr("127.0.0.1:4000")); err == nil {
		t.Error("found a socket that is not there")
	}
	// The buffer is longer than the table: what follows is not a row.
	after := append(slices.Clone(four), four[4:28]...)
	if pid, err := identity.TCPFind(after, addr(sockets[0].local), addr(sockets[0].remote)); err != nil || pid != sockets[0].pid {
		t.Errorf("with bytes after the table: %d, %v", pid, err)
	}
}

func TestProcArgs(t *testing.T) {
	raw := binary.NativeEndian.AppendUint32(nil, 2)
	raw = append(raw, "/usr/local/bin/node\x00\x00\x00\x00node\x00/usr/local/bin/claude\x00HOME=/secret\x00"...)
	exe, argv := identity.ProcArgs(raw)
	if exe != "/usr/local/bin/node" || !slices.Equal(argv, []string{"node", "/usr/local/bin/claude"}) {
		t.Errorf("got %q, %q", exe, argv)
	}
}

// Whatever the system gives, nothing breaks, and nobody is named by chance.
func FuzzTables(f *testing.F) {
	four, six := windowsTable(sockets...)
	f.Add(pcblist(0, sockets...))
	f.Add(pcblist(8, sockets...)[:200])
	f.Add(four)
	f.Add(six)
	f.Fuzz(func(t *testing.T, raw []byte) {
		local, remote := addr("127.9.8.7:50123"), addr("127.6.5.4:4321")
		six1, six2 := addr("[fd00::9:8:7]:50123"), addr("[fd00::6:5:4]:4321")
		if _, pid, err := identity.PCBFind(raw, local, remote); err == nil && len(raw) < 100 {
			t.Errorf("named process %d", pid)
		}
		identity.PCBFind(raw, six1, six2)
		identity.TCPFind(raw, local, remote)
		identity.TCPFind(raw, six1, six2)
		identity.ProcArgs(raw)
	})
}
