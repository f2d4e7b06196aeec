package selftest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/badcert"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

// host is the inspected one that clients call: its name leads to the provider.
const host = "api.anthropic.com"

// bench is a gateway before the provider, seen from outside.
type bench struct {
	dir      string
	provider *provider
	proxy    string         // HOST:PORT
	roots    *x509.CertPool // of its certificate authority
	issuer   ca.Issuer
	admin    *http.Client
	seen     int // flows of earlier cases
	end      context.CancelFunc
	done     chan error
}

// start runs a gateway that trusts the roots as a provider's, beside the
// system's.
func start(ctx context.Context, dir string, p *provider, roots []*x509.Certificate) (*bench, error) {
	file := filepath.Join(dir, "provider.pem")
	if err := os.WriteFile(file, ca.PEM(roots), 0o600); err != nil {
		return nil, fmt.Errorf("writing the provider's roots: %w", err)
	}
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = filepath.Join(dir, "data"), "127.0.0.1:0", "off", "127.0.0.1:0"
	c.Intercept.Others = "refuse" // so that no name is resolved, and no tunnel leads out
	for name := range c.Upstreams {
		c.Upstreams[name] = config.Upstream{URL: "https://" + p.Addr().String(), CAFile: file}
	}
	if err := os.Mkdir(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making a data folder: %w", err)
	}
	ctx, end := context.WithCancel(ctx)
	b := &bench{dir: dir, provider: p, end: end, done: make(chan error, 1)}
	ready := make(chan app.About, 1)
	o := app.Options{Config: c, Version: "selftest", Log: slog.New(slog.DiscardHandler), Ready: func(a app.About) { ready <- a }}
	go func() { b.done <- app.Run(ctx, o) }()
	select {
	case a := <-ready:
		b.proxy = a.Intercept
	case err := <-b.done:
		end()
		return nil, fmt.Errorf("starting a gateway: %w", err)
	}
	if err := b.open(c.Data); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// open finds the gateway's roots and its socket.
func (b *bench) open(data string) error {
	all, err := ca.List(data)
	if err != nil {
		return err
	}
	b.issuer, b.roots = all[0], x509.NewCertPool()
	b.roots.AddCert(all[0].Root)
	holder, held := ledger.Held(data)
	if !held {
		return fmt.Errorf("nobody holds %s", data)
	}
	b.admin = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", holder.Socket)
	}}}
	return nil
}

func (b *bench) stop() error {
	if b.admin != nil {
		b.admin.CloseIdleConnections()
	}
	b.end()
	return <-b.done
}

// call makes one call as an agent does whose proxy and root are ours. A status
// is 0 when there was no answer.
func (b *bench) call(ctx context.Context) (status int, text string, err error) {
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: b.proxy}), TLSClientConfig: &tls.Config{RootCAs: b.roots}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+callPath, strings.NewReader(callBody))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// upstream makes a call to a case's provider.
func (b *bench) upstream(ctx context.Context, c badcert.Case) (line Line, err error) {
	b.provider.become(c)
	status, text, err := b.call(ctx)
	if err != nil {
		return line, fmt.Errorf("the call had no answer: %w", err)
	}
	v, err := b.flow(ctx)
	if err != nil {
		return line, err
	}
	if line.Forwarded, err = b.provider.got(ctx); err != nil {
		return line, err
	}
	if status != http.StatusOK {
		line.Refused = reason(text)
	}
	return line, judge(c, line, v, text)
}

// untrusted begins what a client is told of a provider that is not trusted.
const untrusted = "the provider could not be trusted, so nothing was forwarded: "

// reason is what a refusal in Anthropic's form says.
func reason(text string) string {
	var said struct{ Error struct{ Message string } }
	if json.Unmarshal([]byte(text), &said) != nil || said.Error.Message == "" {
		return text
	}
	return strings.TrimPrefix(strings.TrimPrefix(said.Error.Message, "Gatehouse: "), untrusted)
}

// judge says what is not as it must be.
func judge(c badcert.Case, line Line, v flow.View, text string) error {
	found := len(v.Findings) == 1 && v.Findings[0].Rule == policy.Untrusted && v.Findings[0].Severity == flow.High
	switch {
	case c.Want == "" && (text != answerBody || line.Forwarded == 0 || v.State != flow.Done):
		return fmt.Errorf("it was to go through: the client was told %q, the flow is %s", line.Refused, v.State)
	case c.Want == "":
		return nil
	case line.Forwarded > 0:
		return fmt.Errorf("the provider got %d bytes", line.Forwarded)
	case !strings.Contains(text, untrusted) || !strings.Contains(line.Refused, c.Want):
		return fmt.Errorf("the client was not told of %q", c.Want)
	case v.State != flow.Refused || v.ForwardedBytes != 0 || !strings.Contains(v.Why, c.Want):
		return fmt.Errorf("on record as %s, %d bytes forwarded: %s", v.State, v.ForwardedBytes, v.Why)
	case !found:
		return fmt.Errorf("the record has no finding %s", policy.Untrusted)
	}
	return nil
}

// flow waits until one more flow has ended, and gives it.
func (b *bench) flow(ctx context.Context) (v flow.View, err error) {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		all, err := b.flows(ctx)
		if err != nil {
			return v, err
		}
		if len(all) > b.seen && all[b.seen].State != flow.Open {
			b.seen++
			return all[b.seen-1], nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return v, fmt.Errorf("the record has no entry of it: %w", ctx.Err())
		}
	}
}

// flows lists those that are on record, oldest first.
func (b *bench) flows(ctx context.Context) (all []flow.View, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/flows", nil)
	if err != nil {
		return nil, err
	}
	resp, err := b.admin.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(bufio.NewReader(resp.Body)); ; {
		var v flow.View
		switch err := lines.Decode(&v); err {
		case nil:
			all = append(all, v)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("reading the record: %w", err)
		}
	}
}
