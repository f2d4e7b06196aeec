package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// parrot is a host of somebody else's that sends back what it gets.
func parrot(t *testing.T) (target string, allow func(*config.Config)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	return l.Addr().String(), func(c *config.Config) {
		c.Intercept.Ports = append(c.Intercept.Ports, l.Addr().(*net.TCPAddr).Port)
		c.Intercept.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
}

// tunnels opens a number of them, some at a time: the ledger writes the entries of
// those together.
func (h *house) tunnels(target string, many int) []net.Conn {
	h.t.Helper()
	conns := make([]net.Conn, many)
	var at atomic.Int32
	var all errgroup.Group
	for range 64 {
		all.Go(func() error {
			for i := at.Add(1) - 1; i < int32(many); i = at.Add(1) - 1 {
				status, text, c, err := h.connecting(target)
				if err != nil || status != http.StatusOK {
					return fmt.Errorf("tunnel %d: %d %s %w", i, status, text, err)
				}
				c.SetDeadline(time.Now().Add(2 * time.Minute))
				conns[i] = c
			}
			return nil
		})
	}
	err := all.Wait()
	h.t.Cleanup(func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return conns
}

// inMemory is what lives on the heap and in stacks.
func inMemory() int64 {
	runtime.GC()
	runtime.GC() // what finalizers have let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// tunnelMemory bounds what a tunnel holds, in bytes: of the gateway, and in this
// process of its client and its host, too.
const tunnelMemory = 64 << 10

// TestThousandTunnels are open at once, and each is used while the others are.
// In this process each needs 8 files, of which 6 are the gateway's: two
// connections, and a pipe for each direction where the kernel moves the bytes.
func TestThousandTunnels(t *testing.T) {
	many := 1000
	if testing.Short() {
		many = 100
	}
	if need := uint64(8*many + 200); openFiles() < need {
		t.Skipf("%d tunnels were NOT tested: %d files may be open here (ulimit -Hn), and this needs %d", many, openFiles(), need)
	}
	target, allow := parrot(t)
	h := intercepting(t, answering(plainAnswer), allow)
	before := inMemory()
	conns := h.tunnels(target, many)
	said := make([]byte, 1)
	for i, c := range conns {
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatalf("tunnel %d: %v", i, err)
		}
	}
	for i, c := range conns {
		if _, err := io.ReadFull(c, said); err != nil || said[0] != byte(i) {
			t.Fatalf("tunnel %d said %v, %v", i, said, err)
		}
	}
	each := (inMemory() - before) / int64(many)
	t.Logf("%d tunnels: %d bytes each", many, each)
	if each > tunnelMemory {
		t.Errorf("a tunnel holds %d bytes, more than %d", each, tunnelMemory)
	}
	for _, c := range conns {
		c.Close()
	}
	for _, v := range h.ended(many) {
		if v.State != flow.Done || v.SentBytes != 1 || v.ResponseBytes != 1 {
			t.Fatalf("on record: %+v", v)
		}
	}
}
