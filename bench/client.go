package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// client is one kept connection. It writes requests that were made before and
// reads answers without keeping them, so that the client costs as little as
// possible of the cores that it shares.
type client struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dialling: %w", err)
	}
	return &client{addr, conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) close() { c.conn.Close() }

// answered is what a call got.
type answered struct {
	first time.Time // when the first byte came
	bytes int       // of the body, without transfer coding
}

// call sends a request and reads its answer to the end. Any status but 200 is
// an error: a refused call is cheap and must not count as a fast one.
func (c *client) call(request net.Buffers) (answered, error) {
	first, length, err := c.begin(request)
	if err != nil {
		return answered{}, err
	}
	n, err := c.body(length)
	return answered{first, n}, err
}

// begin sends a request and reads the head of its answer. A length of -1 is a
// chunked body.
func (c *client) begin(request net.Buffers) (first time.Time, length int, err error) {
	if _, err := request.WriteTo(c.conn); err != nil {
		return first, 0, fmt.Errorf("sending: %w", err)
	}
	if _, err := c.in.Peek(1); err != nil {
		return first, 0, fmt.Errorf("waiting for the answer: %w", err)
	}
	first = time.Now()
	length, err = c.head()
	return first, length, err
}

func (c *client) head() (length int, err error) {
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

func (c *client) body(length int) (int, error) {
	if length >= 0 {
		n, err := c.in.Discard(length)
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
func (c *client) chunk() (int, error) {
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
