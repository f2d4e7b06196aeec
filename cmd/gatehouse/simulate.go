package main

import (
	"context"
	"errors"
	"flag"
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
	fs := flag.NewFlagSet("simulate", flag.ContinueOnError)
	fs.SetOutput(std.err)
	listen := fs.String("listen", "127.0.0.1:4100", "`address`; port 0 picks a free one")
	var o simulate.Options
	fs.StringVar(&o.Record, "record", "", "keep each request and answer in this `folder`")
	fs.DurationVar(&o.Pace, "pace", 10*time.Millisecond, "pause after each event of a stream")
	fs.IntVar(&o.Chunk, "chunk", 0, "write `bytes` at a time; 0: one event at a time")
	fs.BoolVar(&o.NoWebSocket, "no-websocket", false, "refuse WebSocket upgrades with 426")
	verbose := fs.Bool("v", false, "one line for each request on stderr")
	fs.Usage = func() {
		_, _ = fmt.Fprint(std.err, "Usage: gatehouse simulate [flags]\n\nA model provider for trying out, for all three providers' APIs.\n\nFlags:\n")
		fs.PrintDefaults()
		_, _ = fmt.Fprint(std.err, "\nThe last text of a person in a request is the script; each line may hold:\n\n"+simulate.Help())
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("simulate takes no argument such as %q", fs.Arg(0))
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
	if _, err := fmt.Fprintf(std.out, "simulate listens on http://%s\n", ln.Addr()); err != nil {
		return err
	}
	return serveSimulate(ctx, ln, simulate.New(o))
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
