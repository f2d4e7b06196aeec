package selftest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
)

// provider serves TLS on loopback, as one case at a time says, and counts what
// it gets inside.
type provider struct {
	net.Listener
	http  *http.Server
	tls   atomic.Pointer[tls.Config]
	ended chan int64 // bytes that each connection got
}

func newProvider() (*provider, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a provider: %w", err)
	}
	p := &provider{Listener: l, ended: make(chan int64, 64)}
	p.http = &http.Server{
		Handler: http.HandlerFunc(answer), ReadHeaderTimeout: limit,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	p.http.SetKeepAlivesEnabled(false) // or a case would get the connection of the one before
	go p.http.Serve(p)
	return p, nil
}

func (p *provider) close() { p.http.Close() }

// become makes it a case's provider, and forgets the connections of earlier ones.
func (p *provider) become(c badcert.Case) {
	p.tls.Store(c.TLS())
	for len(p.ended) > 0 {
		<-p.ended
	}
}

// got waits until a connection has ended, and gives what it got.
func (p *provider) got(ctx context.Context) (int64, error) {
	select {
	case n := <-p.ended:
		return n, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("no connection to the provider came to its end: %w", ctx.Err())
	}
}

// Accept takes a connection, whose handshake is the first read's.
func (p *provider) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{Conn: tls.Server(c, p.tls.Load()), ended: p.ended}, nil
}

// counted counts the bytes that come out of TLS.
type counted struct {
	net.Conn
	n     atomic.Int64
	once  sync.Once
	ended chan<- int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// Close may be called again and again.
func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		select {
		case c.ended <- c.n.Load():
		default: // nobody waits for so many
		}
	})
	return err
}

// callPath, callBody and answerBody are a call and its answer.
const (
	callPath   = "/v1/messages"
	callBody   = `{"model":"claude-selftest","max_tokens":9,"messages":[{"role":"user","content":"is anybody there?"}]}`
	answerBody = `{"id":"m1","type":"message","role":"assistant","model":"claude-selftest","content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":4,"output_tokens":1}}`
)

func answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	io.WriteString(w, answerBody)
}
