package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// backend is the admin API of a data folder: the running gateway's, over its
// socket, or, when none runs, one that this process serves for itself.
type backend struct {
	client *http.Client
	live   bool   // a gateway runs
	data   string // where to look again when it ends; empty: nowhere
	stop   func() error
}

// A gateway that is ending still holds its folder, but not its socket: a
// command waits for the one or the other.
const (
	backendWait = 20 * time.Second
	backendPoll = 20 * time.Millisecond
)

// openBackend finds the server of a data folder, or becomes it.
func openBackend(ctx context.Context, data string) (*backend, error) {
	deadline := time.Now().Add(backendWait)
	for {
		b, err := tryBackend(ctx, data)
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return b, err
		}
		var held *ledger.HeldError
		if !errors.Is(err, errEnding) && !errors.As(err, &held) {
			return nil, err
		}
		select {
		case <-time.After(backendPoll):
		case <-ctx.Done():
		}
	}
}

var errEnding = errors.New("its holder does not answer")

func tryBackend(ctx context.Context, data string) (*backend, error) {
	holder, held := ledger.Held(data)
	if !held {
		return openOffline(ctx, data)
	}
	b := &backend{client: socketClient(holder.Socket), live: holder.Listen != "", stop: func() error { return nil }}
	resp, err := b.do(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return nil, fmt.Errorf("data folder %s is held by process %d: %w", data, holder.PID, errors.Join(errEnding, err))
	}
	resp.Body.Close()
	b.data = data
	return b, nil
}

// openRecord opens the folder of a --data flag for a command that only reads: a
// folder without a ledger is a mistyped one, and is not made.
func openRecord(ctx context.Context, flag string) (*backend, error) {
	data, err := dataDir(flag)
	if err != nil {
		return nil, err
	}
	_, held := ledger.Held(data)
	if _, err := os.Stat(filepath.Join(data, "segments")); !held && errors.Is(err, fs.ErrNotExist) {
		return nil, exitError{2, fmt.Sprintf("there is no ledger in %s (--data DIR or $%s names another folder)", data, dataVar)}
	}
	return openBackend(ctx, data)
}

func openOffline(ctx context.Context, data string) (*backend, error) {
	c := config.Default()
	c.Data = data
	ctx, cancel := context.WithCancel(ctx)
	sockets, done := make(chan string, 1), make(chan error, 1)
	// What recovery cut or missed is said by whoever opens the folder first:
	// a gateway that starts later finds it mended.
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o := app.Options{Config: c, Version: versionText(), Log: log}
	go func() { done <- app.Offline(ctx, o, func(socket string) { sockets <- socket }) }()
	select {
	case socket := <-sockets:
		return &backend{client: socketClient(socket), stop: func() error { cancel(); return <-done }}, nil
	case err := <-done:
		cancel()
		return nil, err
	}
}

func socketClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// Close ends what openBackend started.
func (b *backend) Close() error {
	b.client.CloseIdleConnections()
	return b.stop()
}

// do asks the admin API. An answer that is not 2xx is an error with the
// server's text.
func (b *backend) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost/api/v1"+path, r)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := b.client.Do(req)
	if err != nil && b.data != "" && ctx.Err() == nil && method == http.MethodGet {
		return b.again(ctx, path)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the gateway: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, apiError(resp)
}

// again asks whoever has the folder now: the gateway ended before it answered.
func (b *backend) again(ctx context.Context, path string) (*http.Response, error) {
	next, err := openBackend(ctx, b.data)
	if err != nil {
		return nil, err
	}
	b.client.CloseIdleConnections()
	*b = *next
	b.data = ""
	return b.do(ctx, http.MethodGet, path, nil)
}

func apiError(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if said := problemText(text); err == nil && said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("the gateway answered %s", resp.Status)
}

// problemText gives the text of a refusal; "": it is none.
func problemText(text []byte) string {
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if !bytes.HasPrefix(text, []byte(`{"error":{`)) || json.Unmarshal(text, &said) != nil {
		return ""
	}
	return said.Error.Message
}

// get reads one JSON value.
func (b *backend) get(ctx context.Context, path string, into any) error {
	resp, err := b.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	return nil
}

// lines calls each with every line of a JSON Lines answer. A line that says why the
// answer is not whole is the error.
func (b *backend) lines(ctx context.Context, method, path string, each func([]byte) error) error {
	resp, err := b.do(ctx, method, path, nil)
	if err != nil {
		return err
	}
	return eachLine(resp, each)
}

// upload sends a file and calls each with every line of the answer.
func (b *backend) upload(ctx context.Context, path string, file io.Reader, each func([]byte) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/v1"+path, file)
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := b.client.Do(req)
	if err != nil {
		return fmt.Errorf("asking the gateway: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return apiError(resp)
	}
	return eachLine(resp, each)
}

func eachLine(resp *http.Response, each func([]byte) error) error {
	defer resp.Body.Close()
	r := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if said := problemText(line); said != "" {
				return fmt.Errorf("the answer broke off: %s", said)
			}
			if err := each(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the gateway's answer: %w", err)
		}
	}
}
