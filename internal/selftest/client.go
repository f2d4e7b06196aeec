package selftest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// clientCase is a client that asks for what it must not get.
type clientCase struct {
	name   string
	target string      // of its CONNECT
	hello  *tls.Config // how it goes on; nil: it is refused before
	status int         // on record
	want   string      // stands in why, on record
}

func clients() []clientCase {
	const target = host + ":443"
	return []clientCase{
		{"SNI of another inspected host", target, &tls.Config{ServerName: "api.openai.com"}, http.StatusMisdirectedRequest, "another host (SNI)"},
		{"SNI of a host that is not inspected", target, &tls.Config{ServerName: "www.example.com"}, http.StatusMisdirectedRequest, "another host (SNI)"},
		{"no SNI", target, &tls.Config{}, http.StatusMisdirectedRequest, "another host (SNI)"},
		{"a client that speaks TLS 1.1", target, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, http.StatusBadRequest, "do not fit"},
		{"an address in the CONNECT", "127.0.0.1:443", nil, http.StatusForbidden, "not among those"},
		{"an address of version 6 in the CONNECT", "[::1]:443", nil, http.StatusForbidden, "not among those"},
		{"a host that is not inspected", "www.example.com:443", nil, http.StatusForbidden, "not among those"},
		{"a name below an inspected host", "x." + target, nil, http.StatusForbidden, "not among those"},
		{"a port that is not listed", host + ":22", nil, http.StatusForbidden, "port"},
	}
}

// client runs a case: no certificate is shown, and the record says why.
func (b *bench) client(ctx context.Context, c clientCase) (line Line, err error) {
	status, conn, err := b.connect(ctx, c.target)
	if err != nil {
		return line, err
	}
	defer conn.Close()
	shown := 0
	if c.hello != nil && status == http.StatusOK {
		shown, err = handshake(ctx, conn, c.hello)
	} else if c.hello == nil && status == http.StatusOK {
		err = errors.New("the CONNECT was granted")
	}
	if err != nil {
		return line, err
	}
	v, err := b.flow(ctx)
	if err != nil {
		return line, err
	}
	line.Refused = v.Why
	switch {
	case shown > 0:
		return line, errors.New("a certificate was made and shown")
	case v.State != flow.Refused || v.Status != c.status || !strings.Contains(v.Why, c.want):
		return line, fmt.Errorf("on record as %s %d: %s", v.State, v.Status, v.Why)
	}
	return line, nil
}

// connect asks the proxy for a connection.
func (b *bench) connect(ctx context.Context, target string) (status int, conn net.Conn, err error) {
	conn, err = new(net.Dialer).DialContext(ctx, "tcp", b.proxy)
	if err != nil {
		return 0, nil, fmt.Errorf("connecting to the proxy: %w", err)
	}
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	resp, err := http.ReadResponse(bufio.NewReader(bytewise{conn}), &http.Request{Method: http.MethodConnect})
	if err != nil {
		conn.Close()
		return 0, nil, fmt.Errorf("asking the proxy for %s: %w", target, err)
	}
	return resp.StatusCode, conn, nil
}

// bytewise reads one byte at a time: what follows the proxy's answer is TLS, and
// may not end in a buffer.
type bytewise struct{ r io.Reader }

func (b bytewise) Read(p []byte) (int, error) { return b.r.Read(p[:min(len(p), 1)]) }

// handshake tries one that must fail, and counts the certificates that were
// shown until it did.
func handshake(ctx context.Context, conn net.Conn, config *tls.Config) (shown int, err error) {
	config = config.Clone()
	config.InsecureSkipVerify = true // so that what is shown is seen, whatever it is
	config.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		shown = len(raw)
		return nil
	}
	if tls.Client(conn, config).HandshakeContext(ctx) == nil {
		err = errors.New("TLS came about")
	}
	conn.Close()
	return shown, err
}
