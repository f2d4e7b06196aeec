package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// proxyFor gives the proxy that leads out of here to a host, nil when there is
// none.
func (s *Server) proxyFor(t Target) (*url.URL, error) {
	if s.o.Proxy == nil {
		return nil, nil
	}
	proxy, err := s.o.Proxy(&url.URL{Scheme: "https", Host: t.String()})
	if err != nil || proxy == nil {
		return nil, err
	}
	if proxy.Scheme != "http" && proxy.Scheme != "https" {
		return nil, refuse(http.StatusBadGateway, "proxy_scheme", "the proxy of the gateway's own environment (HTTPS_PROXY) is not http:// or https://, which tunnels need")
	}
	return proxy, nil
}

// through connects to a host by another proxy, which resolves its name. What is
// not public is not for that proxy either.
func (s *Server) through(ctx context.Context, proxy *url.URL, t Target) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if ip, err := netip.ParseAddr(t.Host); err == nil {
		if refusal := s.guard.check(netip.AddrPortFrom(ip, uint16(t.Port))); refusal != nil {
			return nil, refusal
		}
	}
	c, err := dialProxy(ctx, proxy)
	if err != nil {
		return nil, &flow.Refusal{Status: http.StatusBadGateway, Kind: "proxy_unreachable", Text: "the proxy of the gateway's own environment could not be reached", Err: err}
	}
	if err := ask(c, proxy, t); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func dialProxy(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[proxy.Scheme]
	}
	addr := net.JoinHostPort(proxy.Hostname(), port)
	if proxy.Scheme == "https" {
		return (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", addr)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

// ask has a proxy connect to a host.
func ask(c net.Conn, proxy *url.URL, t Target) error {
	c.SetDeadline(time.Now().Add(dialTimeout))
	defer c.SetDeadline(time.Time{})
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: t.String()}, Host: t.String(), Header: http.Header{"User-Agent": nil}}
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	failed := func(err error) error {
		return &flow.Refusal{Status: http.StatusBadGateway, Kind: "proxy_refused", Text: "the proxy of the gateway's own environment did not connect to the host", Err: err}
	}
	if err := req.Write(c); err != nil {
		return failed(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytewise{c}), req)
	if err != nil {
		return failed(err)
	}
	if resp.StatusCode != http.StatusOK {
		return failed(errors.New(resp.Status))
	}
	return nil
}

// bytewise reads one byte at a time: what follows the answer of a proxy is the
// host's, and may not end in a buffer.
type bytewise struct{ r io.Reader }

func (b bytewise) Read(p []byte) (int, error) { return b.r.Read(p[:min(len(p), 1)]) }
