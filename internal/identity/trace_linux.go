package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/workingagents/gatehouse/internal/agents"
)

// certain says that a caller which this system does not tell is refused. Here
// the look-up is tested with real processes.
const certain = true

// recentMax bounds the processes that are tried before all others.
const recentMax = 64

// tracer finds processes. Agents open many connections, so the processes found
// last are tried first; what they are found to be is read anew each time.
type tracer struct {
	mu     sync.Mutex
	recent []int          // process ids, latest first
	users  map[int]string // names of user ids
}

func newTracer() *tracer { return &tracer{users: map[int]string{}} }

// trace finds the process that holds the socket with our ends swapped: its
// local address is our remote one.
func (t *tracer) trace(remote, local netip.AddrPort) (process, error) {
	uid, inode, err := findSocket(remote, local)
	if err != nil {
		return process{}, fmt.Errorf("looking up the calling socket: %w", err)
	}
	p := process{user: t.userName(int(uid)), program: untold, other: uid != 0 && int(uid) != os.Getuid()}
	// Another user's descriptors can't be read without privileges: the user
	// stands, the program stays unknown.
	if pid := t.holder(int(uid), inode); pid != 0 {
		p.pid, p.program = pid, program(pid)
	}
	return p, nil
}

func (t *tracer) userName(uid int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name, ok := t.users[uid]; ok {
		return name
	}
	name := "uid" + strconv.Itoa(uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil && u.Username != "" {
		name = agents.Clean(u.Username)
	}
	if len(t.users) > 1000 {
		clear(t.users)
	}
	t.users[uid] = name
	return name
}

// holder finds the process of a user that has the socket open, 0 if none can
// be seen. When several share it, the one found last time or the oldest is
// meant.
func (t *tracer) holder(uid int, inode uint32) int {
	link := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
	t.mu.Lock()
	recent := slices.Clone(t.recent)
	t.mu.Unlock()
	for _, pid := range recent {
		if owner(pid) == uid && holds(pid, link) {
			t.touch(pid)
			return pid
		}
	}
	for _, pid := range processes() {
		if owner(pid) == uid && holds(pid, link) {
			t.touch(pid)
			return pid
		}
	}
	return 0
}

func (t *tracer) touch(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.recent, pid); i >= 0 {
		t.recent = slices.Delete(t.recent, i, i+1)
	}
	t.recent = slices.Insert(t.recent, 0, pid)
	if len(t.recent) > recentMax {
		t.recent = t.recent[:recentMax]
	}
}

// processes lists all process ids, lowest first.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// owner gives the user id of a process, -1 when it is gone.
func owner(pid int) int {
	var st syscall.Stat_t
	if err := syscall.Stat(procPath(pid, ""), &st); err != nil {
		return -1
	}
	return int(st.Uid)
}

// holds reports whether a process has the file that link names open. Descriptors
// are tried from the highest: a connection that is new is among the last, and
// programs with thousands of them make each look-up dear otherwise.
func holds(pid int, link string) bool {
	dir, err := os.Open(procPath(pid, "fd"))
	if err != nil {
		return false
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what was read of a process that ends meanwhile will do
	for _, name := range slices.Backward(names) {
		if got, err := os.Readlink(filepath.Join(dir.Name(), name)); err == nil && got == link {
			return true
		}
	}
	return false
}

func procPath(pid int, file string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), file)
}

// argvMax is how much of an argument list is read: its head names the program,
// what follows may be a prompt.
const argvMax = 4096

func program(pid int) string {
	exe, err := os.Readlink(procPath(pid, "exe"))
	if err != nil {
		return untold
	}
	f, err := os.Open(procPath(pid, "cmdline"))
	if err != nil {
		return agents.Program(exe, nil)
	}
	defer f.Close()
	buf := make([]byte, argvMax)
	n, _ := f.Read(buf)
	return agents.Program(exe, strings.Split(strings.TrimRight(string(buf[:n]), "\x00"), "\x00"))
}

// findSocket asks the kernel for one socket, and reads the table of all when
// it won't answer (a sandbox without netlink).
func findSocket(src, dst netip.AddrPort) (uid, inode uint32, err error) {
	uid, inode, err = diag(src, dst)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return uid, inode, err
	}
	if uid, inode, ok := table(src, dst); ok {
		return uid, inode, nil
	}
	return 0, 0, err
}
