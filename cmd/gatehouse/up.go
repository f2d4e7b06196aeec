package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof" // served only where GATEHOUSE_PPROF says
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
)

// upFlags are the flags that say how a gateway runs.
type upFlags struct {
	config, data, listen, console, intercept string

	upstreams upstreamFlags
}

// upstreamFlags collects --upstream NAME=URL.
type upstreamFlags map[string]string

func (u upstreamFlags) String() string { return "" }

func (u upstreamFlags) Set(s string) error {
	name, url, ok := strings.Cut(s, "=")
	if !ok || url == "" {
		return fmt.Errorf("write NAME=URL")
	}
	switch name {
	case "anthropic", "openai", "gemini":
		u[name] = url
		return nil
	}
	return fmt.Errorf("%q is no provider: anthropic, openai or gemini", name)
}

func runUp(ctx context.Context, args []string, std streams) error {
	fs := newFlags("up", "[--config FILE] [--data DIR] [--listen ADDR] [--console ADDR] [--intercept ADDR] [--upstream NAME=URL]…", std)
	f := upFlags{upstreams: upstreamFlags{}}
	fs.StringVar(&f.config, "config", "", "configuration `FILE` (docs/reference/config.md)")
	data := dataFlag(fs)
	fs.StringVar(&f.listen, "listen", "", "agents' `ADDR` (default 127.0.0.1:4000)")
	fs.StringVar(&f.console, "console", "", "console's `ADDR`: health, readiness, metrics, admin API; off: none (default 127.0.0.1:4040)")
	fs.StringVar(&f.intercept, "intercept", "", "forward proxy's `ADDR`, for agents without a base URL; off: none (default 127.0.0.1:4001)")
	fs.Var(f.upstreams, "upstream", "a provider's address, `NAME=URL`; NAME is anthropic, openai or gemini")
	leased := fs.Bool("leased", false, "")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return exitError{2, fmt.Sprintf("up takes no arguments, only flags (got %q)", fs.Arg(0))}
	}
	f.data = *data
	c, err := f.load()
	if err != nil {
		return exitError{2, err.Error()}
	}
	lines := &lineBuffer{w: std.err}
	defer lines.flush()
	log := slog.New(slog.NewTextHandler(lines, nil))
	// net/http prints the first bytes of an answer that nobody asked for to the
	// standard logger: content stands in no log.
	stdlog.SetOutput(io.Discard)
	if err := servePprof(log); err != nil {
		return err
	}
	if *leased { // started by run: it ends with its last child
		leasedCtx, done := whileLeased(ctx, c.Data)
		defer done()
		ctx = leasedCtx
	}
	ctx, reload, done := hangups(ctx, std.err)
	defer done()
	return app.Run(ctx, app.Options{Config: c, Version: versionText(), Log: log, Reload: reload, Ready: func(a app.About) {
		fmt.Fprintln(std.out, listening(a))
		if !*leased {
			hint(std.err, a)
		}
	}})
}

// hangups turns each SIGHUP into one on reload; but when it tells that the
// terminal on w is gone, ctx ends, as it would without a handler.
func hangups(ctx context.Context, w io.Writer) (_ context.Context, reload <-chan os.Signal, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	asked, passed := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	go func() {
		for {
			select {
			case s := <-asked:
				if _, err := w.Write(nil); isTerminal(w) && err != nil {
					cancel()
				}
				select {
				case passed <- s:
				default: // one waits already
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, passed, func() { signal.Stop(asked); cancel() }
}

// hint says how to go on.
func hint(w io.Writer, a app.About) {
	base := "http://" + a.Listen
	fmt.Fprintf(w, "\nPoint an agent at it, in another shell:\n"+
		"  %[3]s run --data %[2]s -- claude    starts it with everything set (codex, gemini, opencode, aider: the same way)\n"+
		"  eval \"$(%[3]s env --data %[2]s claude)\"    sets what it needs in your shell\n"+
		"or by its base URL:\n"+
		"  Claude Code   ANTHROPIC_BASE_URL=%[1]s/anthropic claude\n"+
		"  Codex         codex -c 'openai_base_url=\"%[1]s/openai/v1\"'\n"+
		"  Gemini CLI    GOOGLE_GEMINI_BASE_URL=%[1]s/gemini gemini\n"+
		"  others        OPENAI_BASE_URL=%[1]s/openai/v1   ANTHROPIC_BASE_URL=%[1]s/anthropic\n"+
		"  without one   %[3]s run --data %[2]s --intercept -- AGENT\n"+
		"Then look: %[3]s flows --data %[2]s; also sessions, show FLOW, tail, verify\n", base, a.Data, os.Args[0])
	if a.Link != "" {
		fmt.Fprintf(w, "or in a browser, by this link (it opens once, within ten minutes; `%s open --data %s` prints another):\n  %s\n", os.Args[0], a.Data, a.Link)
	}
	fmt.Fprintln(w)
}

func listening(a app.About) string {
	line := "gatehouse listens on http://" + a.Listen
	if a.Console != "" {
		line += ", console http://" + a.Console
	}
	if a.Intercept != "" {
		line += ", forward proxy http://" + a.Intercept
	}
	return fmt.Sprintf("%s, data %s, process %d", line, a.Data, a.PID)
}

// load reads the configuration; flags win over it.
func (f upFlags) load() (*config.Config, error) {
	c := config.Default()
	if f.config != "" {
		var err error
		if c, err = config.Load(f.config); err != nil {
			return nil, err
		}
	}
	if f.data != "" || c.Data == "" {
		dir, err := dataDir(f.data)
		if err != nil {
			return nil, err
		}
		c.Data = dir
	}
	for name, addr := range map[string]string{"--listen": f.listen, "--console": f.console, "--intercept": f.intercept} {
		if _, _, err := net.SplitHostPort(addr); err != nil && addr != "" && addr != "off" {
			return nil, fmt.Errorf("%s: %q is not HOST:PORT", name, addr)
		}
	}
	if f.listen != "" {
		c.Listen = f.listen
	}
	if f.console != "" {
		c.Console = f.console
	}
	if f.intercept != "" {
		c.Intercept.Listen = f.intercept
	}
	for name, url := range f.upstreams {
		u := c.Upstreams[name]
		u.URL = url
		c.Upstreams[name] = u
	}
	return c, nil
}

// servePprof serves profiles on a loopback address, for developers.
func servePprof(log *slog.Logger) error {
	addr := os.Getenv("GATEHOUSE_PPROF")
	if addr == "" {
		return nil
	}
	if !strings.HasPrefix(addr, "127.0.0.1:") {
		return fmt.Errorf("GATEHOUSE_PPROF is %q: profiles are served on 127.0.0.1 only", addr)
	}
	go func() { log.Warn("profiles ended", "err", http.ListenAndServe(addr, nil)) }()
	return nil
}
