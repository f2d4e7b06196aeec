package intercept

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// tunnel is two connections whose bytes go from one to the other, unread.
type tunnel struct {
	client, host net.Conn
	read         *bufio.Reader // what the client sent before there was a tunnel
	idle         atomic.Int64  // nanoseconds
	moved        atomic.Int64  // when bytes went last, as far as is known, in nanoseconds since 1970
	up, down     atomic.Int64
	quiet        atomic.Bool // it was ended because nothing was sent
	once         sync.Once
}

func newTunnel(client net.Conn, read *bufio.Reader, host net.Conn, idle time.Duration) *tunnel {
	t := &tunnel{client: client, host: host, read: read}
	t.idle.Store(int64(idle))
	t.moved.Store(time.Now().UnixNano())
	return t
}

// run returns when both directions have ended.
func (t *tunnel) run() {
	var both sync.WaitGroup
	both.Go(func() {
		if n := t.read.Buffered(); n > 0 {
			early, _ := t.read.Peek(n)
			n, err := t.host.Write(early)
			t.up.Add(int64(n))
			if err != nil {
				t.cut()
				return
			}
		}
		t.pass(t.host, t.client, &t.up)
	})
	both.Go(func() { t.pass(t.client, t.host, &t.down) })
	both.Wait()
}

// pass copies one direction to its end, which it passes on: the other
// direction may have more to say. The kernel moves the bytes where it can, so
// that a tunnel costs no buffer; they are counted when the deadline interrupts
// it, or at the end. The deadline is half of the idle time: what the other
// direction has moved is known by then.
func (t *tunnel) pass(to, from net.Conn, count *atomic.Int64) {
	for {
		from.SetReadDeadline(time.Now().Add(time.Duration(t.idle.Load()) / 2))
		n, err := io.Copy(to, from)
		count.Add(n)
		if n > 0 {
			t.moved.Store(time.Now().UnixNano())
		}
		switch {
		case err == nil:
			if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
				return
			}
			t.cut()
			return
		case !errors.Is(err, os.ErrDeadlineExceeded):
			t.cut()
			return
		case n == 0 && t.silent():
			t.quiet.Store(true)
			t.cut()
			return
		}
	}
}

// silent reports whether neither side has sent anything for the idle time.
func (t *tunnel) silent() bool {
	return time.Since(time.Unix(0, t.moved.Load())) >= time.Duration(t.idle.Load())
}

// hurry shortens the idle time, from now on.
func (t *tunnel) hurry(idle time.Duration) {
	t.idle.Store(int64(idle))
	t.moved.Store(time.Now().UnixNano())
	now := time.Now()
	t.client.SetReadDeadline(now)
	t.host.SetReadDeadline(now)
}

// cut ends both directions.
func (t *tunnel) cut() {
	t.once.Do(func() {
		t.client.Close()
		t.host.Close()
	})
}

// ended says how a tunnel ended, for the record.
func (t *tunnel) ended(stopped bool) (flow.State, string) {
	switch {
	case stopped:
		return flow.Aborted, "the gateway stopped"
	case t.quiet.Load():
		return flow.Aborted, "neither side of the tunnel said anything for too long"
	}
	return flow.Done, ""
}
