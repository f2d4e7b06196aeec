package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// residentLimit and filesLimit bound what a tunnel costs the gateway: bytes of memory
// that the system has given it, and open files.
const (
	residentLimit = 192 << 10
	filesLimit    = 6
)

// TestThousandTunnels are open at once through the real binary, whose memory and
// files are what the system says.
func TestThousandTunnels(t *testing.T) {
	const many = 1000
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skipf("what 1,000 tunnels cost was NOT measured: this system has no /proc: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go parrots(l)
	r := rig.Start(t, rig.Options{Config: fmt.Sprintf("intercept:\n  ports: [%d]\n  private: [127.0.0.0/8]\n", l.Addr().(*net.TCPAddr).Port)})
	proxy := strings.TrimPrefix(r.Proxy, "http://")
	first := open(t, proxy, l.Addr().String(), 10)
	spoken(t, first) // what the first ones cost is not theirs
	memory, files := resident(t, r.PID), opened(t, r.PID)
	conns := open(t, proxy, l.Addr().String(), many)
	spoken(t, conns)
	memory, files = (resident(t, r.PID)-memory)/many, (opened(t, r.PID)-files)/many
	t.Logf("a tunnel costs %d bytes and %d files", memory, files)
	if memory > residentLimit || files > filesLimit {
		t.Errorf("a tunnel costs %d bytes and %d files; at most %d and %d are wanted", memory, files, residentLimit, filesLimit)
	}
	for _, c := range append(first, conns...) {
		c.Close()
	}
	r.Settled()
	r.Sound()
}

// parrots send back what they get.
func parrots(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { defer c.Close(); io.Copy(c, c) }()
	}
}

// open opens a number of tunnels.
func open(t *testing.T, proxy, target string, many int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, many)
	var at atomic.Int32
	var all errgroup.Group
	for range 64 {
		all.Go(func() (err error) {
			for i := at.Add(1) - 1; i < int32(many) && err == nil; i = at.Add(1) - 1 {
				conns[i], err = connect(proxy, target)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	return conns
}

func connect(proxy, target string) (net.Conn, error) {
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\n\r\n", target)
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("CONNECT %s: %s", target, resp.Status)
	}
	return c, err
}

// spoken has each of them used.
func spoken(t *testing.T, conns []net.Conn) {
	t.Helper()
	for i, c := range conns {
		said := make([]byte, 1)
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, said); err != nil || said[0] != byte(i) {
			t.Fatalf("tunnel %d said %v: %v", i, said, err)
		}
	}
}

// resident is the memory of a process, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// opened is how many files a process has open.
func opened(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
