package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// The gateway that "run" starts writes what it says here, in the data folder.
const (
	gatewayLog    = "gateway.log"
	gatewayLogMax = 1 << 20 // bytes; larger ones are begun anew
	startName     = "starting"
	startWait     = 30 * time.Second
	startPoll     = 20 * time.Millisecond
)

// ensure gives the gateway that has the data folder, or starts one. The caller
// holds a lease. Only one "run" at a time starts one; the others find it.
func (f *runFlags) ensure(ctx context.Context, dir string) (h ledger.Holder, started bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	turn, err := os.OpenFile(filepath.Join(dir, startName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return h, false, fmt.Errorf("starting the gateway: %w", err)
	}
	defer turn.Close() // gives the turn to the next
	if err := lockLease(ctx, turn, ownLease); err != nil {
		return h, false, fmt.Errorf("waiting for another start of the gateway: %w", err)
	}
	for {
		if _, held := ledger.Held(dir); held {
			h, err = await(ctx, dir, nil)
		} else {
			h, err = f.launch(ctx, dir)
			started = err == nil
		}
		// A command that reads the folder has it for a moment, too.
		if _, held := ledger.Held(dir); err == nil || ctx.Err() != nil || !errors.Is(err, errReleased) && !held {
			return h, started, err
		}
	}
}

// launch starts a gateway on the folder, which nobody has.
func (f *runFlags) launch(ctx context.Context, dir string) (h ledger.Holder, err error) {
	log, begin, err := openLog(dir)
	if err != nil {
		return h, err
	}
	defer log.Close()
	exe, err := os.Executable()
	if err != nil {
		return h, fmt.Errorf("starting the gateway: %w", err)
	}
	args, err := f.upArgs(dir)
	if err != nil {
		return h, err
	}
	gone, err := spawn(exe, args, log)
	if err == nil {
		h, err = await(ctx, dir, gone)
	}
	if err != nil {
		return h, fmt.Errorf("starting the gateway: %w%s", err, lastWords(log.Name(), begin))
	}
	return h, nil
}

var (
	errGone     = errors.New("it ended at once")
	errReleased = errors.New("the process that had the folder has ended")
)

// await gives the holder of the folder once it takes connections: the process
// whose end gone tells, or, when that is nil, the one that has the folder.
func await(ctx context.Context, dir string, gone <-chan struct{}) (ledger.Holder, error) {
	tick := time.NewTicker(startPoll)
	defer tick.Stop()
	for {
		h, held := ledger.Held(dir)
		switch {
		case held && answers(ctx, h.Listen):
			return h, nil
		case !held && gone == nil:
			return h, errReleased
		}
		select {
		case <-tick.C:
		case <-gone:
			return h, errGone
		case <-ctx.Done():
			return h, fmt.Errorf("waiting for it to take connections: %w", ctx.Err())
		}
	}
}

func answers(ctx context.Context, listen string) bool {
	if listen == "" {
		return false
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(holderURL(listen), "http://"))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// upArgs are the arguments of the gateway. It runs in the data folder, so that
// paths are made absolute.
func (f *runFlags) upArgs(dir string) ([]string, error) {
	args := []string{"up", "--leased", "--data", dir}
	if *f.config != "" {
		abs, err := filepath.Abs(*f.config)
		if err != nil {
			return nil, fmt.Errorf("resolving %s: %w", *f.config, err)
		}
		args = append(args, "--config", abs)
	}
	// A settings file may name the addresses; then only flags outrank it.
	listen, console := *f.listen, *f.console
	if *f.config == "" {
		listen, console = orFree(listen, "127.0.0.1:4000"), orFree(console, "127.0.0.1:4040")
	}
	if listen != "" {
		args = append(args, "--listen", listen)
	}
	if console != "" {
		args = append(args, "--console", console)
	}
	if *f.config == "" { // run tells its agents where the forward proxy is: any port will do
		args = append(args, "--intercept", "127.0.0.1:0")
	}
	for _, u := range f.upstreams {
		args = append(args, "--upstream", u)
	}
	return args, nil
}

// orFree gives addr if it was chosen, else the usual address when nobody has
// it, else a free one: the agent is told where the gateway is.
func orFree(addr, usual string) string {
	if addr != "" {
		return addr
	}
	l, err := net.Listen("tcp", usual)
	if err != nil {
		return "127.0.0.1:0"
	}
	l.Close()
	return usual
}

// openLog opens the gateway's log and gives where its new part will begin.
func openLog(dir string) (*os.File, int64, error) {
	path := filepath.Join(dir, gatewayLog)
	how := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > gatewayLogMax {
		how |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the gateway's log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("opening the gateway's log: %w", err)
	}
	return f, info.Size(), nil
}

// lastWords gives the last lines of the log from an offset on, for an error.
func lastWords(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	raw, err := io.ReadAll(io.NewSectionReader(f, from, 1<<16))
	if err != nil || len(raw) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return ": " + strings.Join(lines[max(0, len(lines)-3):], "\n")
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
