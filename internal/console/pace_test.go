package console_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/ledger"
)

const soon = 300 * time.Millisecond

// hurried is a console over TCP that has no patience.
func hurried(t *testing.T) (d *desk, dial func(request string) net.Conn) {
	t.Helper()
	d = newDesk(t)
	console.SetPatience(d.Console, soon)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); <-served })
	return d, func(request string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		return c
	}
}

const withToken = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n"

// TestWhoTakesNothingIsLetGo: an answer that nobody reads does not stay in memory.
func TestWhoTakesNothingIsLetGo(t *testing.T) {
	d, dial := hurried(t)
	const size = 64 << 20
	d.book.content = []ledger.Chunk{{Data: make([]byte, size)}}
	c := dial("GET /api/v1/flows/f1/content/request?why=test" + withToken + "\r\n")
	time.Sleep(4 * soon)
	if n, _ := io.Copy(io.Discard, c); n >= size {
		t.Errorf("%d bytes waited for a reader", n)
	}
}

// TestWhoSendsNothingIsLetGo: with a token or without.
func TestWhoSendsNothingIsLetGo(t *testing.T) {
	_, dial := hurried(t)
	for _, request := range []string{
		"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
		"POST /api/v1/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
	} {
		c := dial(request)
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%.20q: the connection is not ended: %v", request, err)
		}
	}
}

// TestAConnectionGoesOn: what one answer was given counts for no other.
func TestAConnectionGoesOn(t *testing.T) {
	_, dial := hurried(t)
	request := "POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	c := dial(request)
	r := bufio.NewReader(c)
	for i := range 3 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatalf("answer %d: %v, %v", i, resp, err)
		}
		time.Sleep(2 * soon)
		io.WriteString(c, request)
	}
}

// TestSlowReadersGetAll: whoever takes a little in time is not let go.
func TestSlowReadersGetAll(t *testing.T) {
	d, dial := hurried(t)
	const size = 8 << 20
	d.book.content = []ledger.Chunk{{Data: make([]byte, size)}}
	c := dial("GET /api/v1/flows/f1/content/request?why=test" + withToken + "\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, piece := 0, make([]byte, size/8)
	for {
		n, err := io.ReadFull(resp.Body, piece)
		if got += n; err != nil {
			break
		}
		time.Sleep(soon / 3)
	}
	if got != size {
		t.Errorf("got %d of %d bytes", got, size)
	}
}
