package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/workingagents/gatehouse/internal/simulate"
)

// runSimulate serves a provider for trying out: every API that the gateway
// reads, under one address. It ends with ctx.
func runSimulate(ctx context.Context, args []string, std streams) error {
	fs := newFlags("simulate", "[--listen ADDR] [--record DIR] [--pace D] [--chunk N] [--no-websocket] [--tls FILE] [-v]", std)
	listen := fs.String("listen", "127.0.0.1:4100", "`ADDR`; port 0 picks a free one")
	var o simulate.Options
	fs.StringVar(&o.Record, "record", "", "keep each request and answer in this `DIR`, credentials as hashes")
	fs.DurationVar(&o.Pace, "pace", 10*time.Millisecond, "pause `D` after each event of a stream")
	fs.IntVar(&o.Chunk, "chunk", 0, "write `N` bytes at a time; 0: one event at a time")
	fs.BoolVar(&o.NoWebSocket, "no-websocket", false, "refuse WebSocket upgrades with 426")
	authority := fs.String("tls", "", "serve TLS and HTTP/2, and write the certificate to trust to this `FILE`")
	verbose := fs.Bool("v", false, "one line for each request on stderr")
	flags := fs.Usage
	fs.Usage = func() {
		flags()
		fmt.Fprintf(std.err, "\nThe last text of a person in a request is the script; its lines may hold:\n\n%s", simulate.Help())
	}
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return exitError{2, fmt.Sprintf("simulate takes no arguments, only flags (got %q)", fs.Arg(0))}
	}
	if *verbose {
		o.Log = slog.New(slog.NewTextHandler(std.err, nil))
	}
	if o.Record != "" {
		if err := os.MkdirAll(o.Record, 0o700); err != nil {
			return fmt.Errorf("making the record folder: %w", err)
		}
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	scheme := "http"
	if *authority != "" {
		scheme = "https"
		if ln, err = encrypted(ln, *authority); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(std.out, "simulate listens on %s://%s\n", scheme, ln.Addr()); err != nil {
		return err
	}
	return serveSimulate(ctx, ln, simulate.New(o))
}

// encrypted puts TLS with a new certificate before a listener, and writes into
// file what its clients must trust.
func encrypted(ln net.Listener, file string) (net.Listener, error) {
	certificate, text, err := simulate.Certificate(time.Now())
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, fmt.Errorf("writing the certificate: %w", err)
	}
	return tls.NewListener(ln, &tls.Config{
		Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12,
	}), nil
}

// serveSimulate serves until ctx ends. Open streams end with it: what talks
// to a simulated provider must stand that.
func serveSimulate(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
