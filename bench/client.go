package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// request is one call. Its body stays valid until the source's next.
type request struct {
	answer  string // which of the upstream's
	session string
	body    net.Buffers
	size    int // of the body
}

// headers are what an agent sends, beside what depends on the call.
var headers = [][2]string{
	{"Content-Type", "application/json"},
	{"Accept", "application/json"},
	{"User-Agent", "claude-cli/2.1.197 (external, cli)"},
	{"X-Api-Key", "sk-ant-bench"},
	{"Anthropic-Version", "2023-06-01"},
	{"Anthropic-Beta", "claude-code-20250219,interleaved-thinking-2025-05-14"},
}

const (
	requestPath   = "/anthropic/v1/messages?beta=true"
	sessionHeader = "X-Claude-Code-Session-Id"
)

// client is one kept connection.
type client interface {
	begin(*request) error  // sends, and reads the answer's head
	end() (n int, e error) // reads the answer's body
	firstByte() time.Time  // when the answer began
	close()
}

func dial(t target) (client, error) {
	if !t.lean {
		return newPlain(t), nil
	}
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		return nil, fmt.Errorf("dialling: %w", err)
	}
	return &leanClient{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// call sends a request and reads its answer to the end. Any status but 200 is
// an error: a refused call is cheap and must not count as a fast one.
func call(c client, r *request) (n int, err error) {
	if err := c.begin(r); err != nil {
		return 0, err
	}
	if n, err = c.end(); err != nil {
		return n, fmt.Errorf("reading the answer: %w", err)
	}
	return n, nil
}

// plainClient is what a program in Go would be.
type plainClient struct {
	http  http.Client
	url   string
	resp  *http.Response
	first time.Time
}

func newPlain(t target) *plainClient {
	tr := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}
	c := &plainClient{url: "http://" + t.addr + requestPath}
	if t.through != nil {
		tr.Proxy, tr.TLSClientConfig = http.ProxyURL(t.through.proxy), &tls.Config{RootCAs: t.through.roots}
		c.url = "https://" + t.addr + strings.TrimPrefix(requestPath, "/anthropic")
	}
	c.http.Transport = tr
	return c
}

func (c *plainClient) begin(r *request) error {
	readers := make([]io.Reader, len(r.body))
	for i, part := range r.body {
		readers[i] = bytes.NewReader(part)
	}
	req, err := http.NewRequest(http.MethodPost, c.url, io.MultiReader(readers...))
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	req.ContentLength = int64(r.size)
	for _, h := range headers {
		req.Header.Set(h[0], h[1])
	}
	req.Header.Set(answerHeader, r.answer)
	if r.session != "" {
		req.Header.Set(sessionHeader, r.session)
	}
	if c.resp, err = c.http.Do(req); err != nil {
		return fmt.Errorf("calling: %w", err)
	}
	c.first = time.Now()
	if c.resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(c.resp.Body, 600))
		return fmt.Errorf("the answer is %s %q", c.resp.Status, text)
	}
	return nil
}

func (c *plainClient) end() (int, error) {
	defer c.resp.Body.Close()
	n, err := io.Copy(io.Discard, c.resp.Body)
	return int(n), err
}

func (c *plainClient) firstByte() time.Time { return c.first }

func (c *plainClient) close() {
	if c.resp != nil {
		c.resp.Body.Close()
	}
	c.http.CloseIdleConnections()
}

// leanClient reads answers without keeping them and costs as little as
// possible of the cores that it shares.
type leanClient struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte // the request's head
	first  time.Time
	length int // of the answer's body; -1: chunked
}

func (c *leanClient) close()               { c.conn.Close() }
func (c *leanClient) firstByte() time.Time { return c.first }

func (c *leanClient) begin(r *request) error {
	out := append(c.out[:0], "POST "+requestPath+" HTTP/1.1\r\nHost: 127.0.0.1\r\n"...)
	for _, h := range headers {
		out = append(append(append(append(out, h[0]...), ": "...), h[1]...), "\r\n"...)
	}
	if r.session != "" {
		out = fmt.Appendf(out, "%s: %s\r\n", sessionHeader, r.session)
	}
	c.out = fmt.Appendf(out, "%s: %s\r\nContent-Length: %d\r\n\r\n", answerHeader, r.answer, r.size)
	all := append(net.Buffers{c.out}, r.body...)
	if _, err := all.WriteTo(c.conn); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if _, err := c.in.Peek(1); err != nil {
		return fmt.Errorf("waiting for the answer: %w", err)
	}
	c.first = time.Now()
	var err error
	c.length, err = c.head()
	return err
}

func (c *leanClient) head() (length int, err error) {
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, fmt.Errorf("reading the status: %w", err)
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		rest, _ := c.in.Peek(min(c.in.Buffered(), 600))
		return 0, fmt.Errorf("the answer is %q %q", bytes.TrimSpace(status), rest)
	}
	for {
		header, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, fmt.Errorf("reading headers: %w", err)
		}
		header = bytes.TrimRight(header, "\r\n")
		if len(header) == 0 {
			return length, nil
		}
		name, value, _ := bytes.Cut(header, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		}
		if err != nil {
			return 0, fmt.Errorf("reading the length: %w", err)
		}
	}
}

func (c *leanClient) end() (int, error) {
	if c.length >= 0 {
		n, err := c.in.Discard(c.length)
		if err != nil {
			return n, fmt.Errorf("reading the body: %w", err)
		}
		return n, nil
	}
	total := 0
	for {
		n, err := c.chunk()
		if err != nil {
			return total, fmt.Errorf("reading a chunk: %w", err)
		}
		if n == 0 {
			return total, nil
		}
		total += n
	}
}

// chunk skips one chunk; the last has no bytes.
func (c *leanClient) chunk() (int, error) {
	text, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 16, 32)
	if err != nil || n < 0 {
		return 0, errors.New("no chunk size")
	}
	_, err = c.in.Discard(int(n) + 2)
	return int(n), err
}
