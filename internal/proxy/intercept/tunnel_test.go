package intercept_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/proxy/intercept"
)

// tunnelTo gives a tunnel through a proxy to a host of the test's.
func tunnelTo(t *testing.T, idle time.Duration, host func(net.Conn)) (*proxy, net.Conn, *bufio.Reader) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		host(c)
	}()
	p := newProxy(t, func(o *intercept.Options) {
		o.Ports = []int{l.Addr().(*net.TCPAddr).Port}
		o.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.IdleTimeout = idle
	})
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\n\r\nearly", l.Addr()) // some clients do not wait
	read := bufio.NewReader(c)
	if resp, err := http.ReadResponse(read, &http.Request{Method: http.MethodConnect}); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	return p, c, read
}

func TestATunnelThatNobodyUsesIsEnded(t *testing.T) {
	p, _, read := tunnelTo(t, 50*time.Millisecond, func(c net.Conn) { io.Copy(io.Discard, c) })
	if _, err := read.ReadByte(); err != io.EOF {
		t.Errorf("reading: %v, want its end", err)
	}
	if out := <-p.ended; out.State != flow.Aborted || out.SentBytes != 5 || out.Why != "neither side of the tunnel said anything for too long" {
		t.Errorf("on record: %+v", out)
	}
}

// TestATunnelInWhichOneSideTalks is in use: the other side may listen for as
// long as it likes.
func TestATunnelInWhichOneSideTalks(t *testing.T) {
	const idle = 600 * time.Millisecond
	p, c, read := tunnelTo(t, idle, func(c net.Conn) {
		tick := time.NewTicker(idle / 8)
		defer tick.Stop()
		for range 32 { // four times the idle time
			<-tick.C
			if _, err := c.Write([]byte("tick")); err != nil {
				return
			}
		}
	})
	got, err := io.ReadAll(read)
	if err != nil || len(got) != 32*4 {
		t.Errorf("%d bytes, %v; want 128", len(got), err)
	}
	c.Close()
	if out := <-p.ended; out.State != flow.Done || out.ResponseBytes != 128 {
		t.Errorf("on record: %+v", out)
	}
}

// TestAHalfClosedTunnel: who has said all may still be answered.
func TestAHalfClosedTunnel(t *testing.T) {
	p, c, read := tunnelTo(t, time.Minute, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		fmt.Fprintf(c, "%d bytes", len(all))
	})
	io.WriteString(c, " and late")
	c.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(read); err != nil || string(got) != "14 bytes" {
		t.Errorf("%q %v", got, err)
	}
	if out := <-p.ended; out.State != flow.Done || out.SentBytes != 14 || out.ResponseBytes != 8 {
		t.Errorf("on record: %+v", out)
	}
}
