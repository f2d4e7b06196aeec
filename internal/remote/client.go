package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// replyBytes is the most that is read of a reply.
const replyBytes = 1 << 20

// paths are where the protocols are served.
var paths = map[Kind]string{
	Presidio:   "/analyze",
	Guardrail:  "/beta/litellm_basic_guardrail_api",
	Moderation: "/v1/moderations",
}

// Address gives the address that a detector is called at: the protocol's path is
// put behind a base address that does not end in it. Texts are private, so beyond
// loopback it has to be https. Its errors quote nothing: a password may stand there.
func Address(kind Kind, base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the address is not https://HOST or, on this machine, http://HOST:PORT")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the address must have no user, query or fragment; a key is set by key")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", errors.New("the address must be https: only on this machine, by a loopback address or localhost, may texts go in the clear")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if path := paths[kind]; !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	return u.String(), nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// client posts JSON and gets JSON. It follows no redirect, undoes no compression
// and reads no more than it has to: its peer may be broken or hostile. Its errors
// hold nothing that the peer said but the status.
type client struct {
	address string
	header  http.Header
	http    *http.Client
}

func newClient(address string, o Options) *client {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"gatehouse"}}
	switch {
	case o.Key == "":
	case o.Kind == Guardrail:
		h.Set("X-Api-Key", o.Key) // as LiteLLM sends its api_key
	default:
		h.Set("Authorization", "Bearer "+o.Key)
	}
	return &client{address: address, header: h, http: &http.Client{
		Transport: &http.Transport{
			Proxy:              http.ProxyFromEnvironment, // which leaves loopback out
			DialContext:        (&net.Dialer{Timeout: o.Timeout}).DialContext,
			DisableCompression: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
			MaxConnsPerHost: o.Concurrency, MaxIdleConnsPerHost: o.Concurrency, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c *client) post(ctx context.Context, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, errors.New("the texts can't be written as JSON")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("it can't be called at its address")
	}
	r.Header = c.header.Clone()
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, errors.New("it can't be reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || resp.Header.Get("Content-Encoding") != "" {
		return nil, errors.New("its answer is no plain JSON")
	}
	reply, err := io.ReadAll(io.LimitReader(resp.Body, replyBytes+1))
	switch {
	case len(reply) > replyBytes:
		return nil, fmt.Errorf("its answer has more than %d bytes", replyBytes)
	case err != nil:
		return nil, errors.New("its answer broke off")
	}
	return reply, nil
}
