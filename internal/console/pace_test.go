package console_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// pipes is a listener without a network, whose time is the bubble's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// served runs a test of a console and of one connection to it.
func served(t *testing.T, test func(t *testing.T, d *desk, dial func(request string) net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ln := &pipes{make(chan net.Conn), make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- d.Serve(ctx, ln) }()
		test(t, d, func(request string) net.Conn {
			c, server := net.Pipe()
			ln.conns <- server
			c.SetDeadline(time.Now().Add(time.Hour))
			io.WriteString(c, request)
			return c
		})
		cancel()
		<-ended
	})
}

const withToken = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n\r\n"

// TestWhoTakesNothingIsLetGo: an answer that nobody reads does not stay in memory.
func TestWhoTakesNothingIsLetGo(t *testing.T) {
	served(t, func(t *testing.T, d *desk, dial func(string) net.Conn) {
		const size = 1 << 20
		d.book.content = []ledger.Chunk{{Data: make([]byte, size)}}
		c := dial("GET /api/v1/flows/f1/content/request?why=test" + withToken)
		time.Sleep(time.Minute)
		if n, err := io.Copy(io.Discard, c); n >= size || err != nil {
			t.Errorf("%d bytes waited for a reader, %v", n, err)
		}
	})
}

// TestWhoSendsNothingIsLetGo: with a token or without.
func TestWhoSendsNothingIsLetGo(t *testing.T) {
	for _, request := range []string{
		"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
		"POST /api/v1/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
	} {
		served(t, func(t *testing.T, d *desk, dial func(string) net.Conn) {
			c := dial(request)
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("%.20q: the connection is not ended: %v", request, err)
			}
		})
	}
}

// TestAConnectionGoesOn: what one answer was given counts for no other.
func TestAConnectionGoesOn(t *testing.T) {
	served(t, func(t *testing.T, d *desk, dial func(string) net.Conn) {
		const request = "POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
		c := dial(request)
		r := bufio.NewReader(c)
		for i := range 3 {
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusNoContent {
				t.Fatalf("answer %d: %v, %v", i, resp, err)
			}
			time.Sleep(time.Minute)
			io.WriteString(c, request)
		}
		c.Close()
	})
}

// TestSlowReadersGetAll: whoever takes a little in time is not let go.
func TestSlowReadersGetAll(t *testing.T) {
	served(t, func(t *testing.T, d *desk, dial func(string) net.Conn) {
		const size = 1 << 20
		d.book.content = []ledger.Chunk{{Data: make([]byte, size)}}
		c := dial("GET /api/v1/flows/f1/content/request?why=test" + withToken)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, piece := 0, make([]byte, size/64)
		for {
			n, err := io.ReadFull(resp.Body, piece)
			if got += n; err != nil {
				break
			}
			time.Sleep(5 * time.Second)
		}
		c.Close()
		if got != size {
			t.Errorf("got %d of %d bytes", got, size)
		}
	})
}

// TestReadersAreBounded: what is made for them is in memory until they have it. Who
// is one too many is told so, and others wait no longer than for the slowest.
func TestReadersAreBounded(t *testing.T) {
	served(t, func(t *testing.T, d *desk, dial func(string) net.Conn) {
		d.book.content = []ledger.Chunk{{Data: make([]byte, 1<<20)}}
		const request = "GET /api/v1/flows/f1/content/request?why=test" + withToken
		var slow []net.Conn
		for range 16 {
			slow = append(slow, dial(request))
		}
		synctest.Wait()
		for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
			c := dial(request)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != want {
				t.Errorf("got %v, %v; want %d", resp, err, want)
			}
			c.Close()
			time.Sleep(time.Minute)
		}
		for _, c := range slow {
			c.Close()
		}
	})
}
