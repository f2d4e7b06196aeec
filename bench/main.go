// Command bench measures what Gatehouse costs beside the barest reverse proxy
// that Go's standard library makes, in one run: client, upstream and both
// gateways are processes on the same two cores, the measurements are paired
// and interleaved, and what it prints are ratios. It never judges.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	gatehouse string        // the binary
	dir       string        // for the ledger; on a real disk
	rounds    int           // of each scenario
	length    time.Duration // of one measurement
	only      string        // scenario names, comma-separated; "" means all
	direct    bool          // also without any gateway
	streams   int           // held open to measure memory
	profile   string        // folder for CPU profiles; instead of measuring
	soak      time.Duration // instead of measuring
	against   string        // another binary of gatehouse, in the proxy's place
	live      bool          // what readers of the live stream cost
	viewers   int           // how many read it
	browser   bool          // Chromium shows the live page instead
	cores     int
	intercept bool     // measure the forward proxy instead
	mitmdump  []string // programs beside it
	lean      bool     // client and upstream of our own, instead of net/http's
}

func main() {
	var o options
	role := flag.String("role", "", "internal: be the `upstream` or the proxy")
	listen := flag.String("listen", "", "internal: the role's address")
	target := flag.String("target", "", "internal: where the proxy forwards to")
	flag.StringVar(&o.gatehouse, "gatehouse", "bin/gatehouse", "the `binary` to measure")
	flag.StringVar(&o.dir, "dir", "bench/out", "`folder` for the ledger, on a real disk")
	flag.IntVar(&o.rounds, "rounds", 5, "paired rounds of each scenario")
	flag.DurationVar(&o.length, "time", 3*time.Second, "length of one measurement")
	flag.StringVar(&o.only, "only", "", "comma-separated `names` of scenarios; see the table's first column")
	flag.BoolVar(&o.direct, "direct", false, "also measure without any gateway: what the harness itself can do")
	flag.IntVar(&o.streams, "streams", 1000, "streams held open to measure memory")
	flag.StringVar(&o.profile, "profile", "", "instead of measuring, write profiles of gatehouse (CPU, allocations) into this `folder`")
	flag.DurationVar(&o.soak, "soak", 0, "instead of measuring, load gatehouse for so `long`, then verify its ledger")
	ca := flag.String("ca", "", "internal: the run's certificate authority")
	mitmdump := flag.String("mitmdump", "", "comma-separated `programs`, with -intercept: mitmdumps to measure beside it")
	flag.BoolVar(&o.intercept, "intercept", false, "measure the forward proxy, beside the barest relay that inspects TLS, instead of the redirect entrance")
	flag.StringVar(&o.against, "against", "", "compare with another `binary` of gatehouse instead of with the proxy")
	flag.BoolVar(&o.live, "live", false, "measure what somebody costs who watches live, at 1,000 flows a second")
	flag.IntVar(&o.viewers, "viewers", 1, "with -live: so `many` read")
	flag.BoolVar(&o.browser, "browser", false, "with -live: Chromium shows the page instead, and how far that lags behind is measured")
	flag.IntVar(&o.cores, "cores", 2, "processor cores for everything together; 0: all")
	flag.BoolVar(&o.lean, "lean", false, "client and upstream that cost next to nothing instead of those of net/http, which programs have: shows more of what a gateway costs")
	flag.Parse()
	if *mitmdump != "" {
		o.mitmdump = strings.Split(*mitmdump, ",")
	}
	if err := start(*role, *listen, *target, *ca, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(role, listen, target, ca string, o options) error {
	switch role {
	case "upstream":
		if ca != "" {
			return serveTLS(listen, ca)
		}
		return serveUpstream(listen, o.lean)
	case "relay":
		return serveRelay(listen, target, ca)
	case "proxy":
		return serveProxy(listen, target)
	}
	if err := pin(o.cores); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return measure(ctx, o)
}

func measure(ctx context.Context, o options) error {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if err := onDisk(o.dir); err != nil {
		return err
	}
	// What gatehouse's configuration names is relative to that file's folder.
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return fmt.Errorf("finding the folder %s: %w", o.dir, err)
	}
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return fmt.Errorf("making the ledger's folder: %w", err)
	}
	defer os.RemoveAll(data)
	if o.intercept {
		describe(o)
		return intercepted(ctx, o, data)
	}
	if o.live && !o.browser && o.profile == "" {
		o.against = o.gatehouse
	}
	field, err := setUp(o, filepath.Join(data, "ledger"))
	if err != nil {
		return err
	}
	defer field.tearDown()
	if o.profile != "" {
		return profile(ctx, o, field, chosen)
	}
	if o.soak > 0 {
		return soak(ctx, o, field, chosen)
	}
	describe(o)
	if o.live && o.browser {
		return browser(ctx, o, field.gatehouse)
	}
	if o.live {
		return live(ctx, o, field)
	}
	if o.against != "" {
		return against(ctx, o, field, chosen)
	}
	results, err := run(ctx, o, field, chosen)
	if err != nil {
		return err
	}
	return results.print(os.Stdout)
}

// choose finds scenarios by name, in the order of the table.
func choose(names string) ([]scenario, error) {
	if names == "" {
		return scenarios, nil
	}
	var chosen []scenario
	for _, name := range strings.Split(names, ",") {
		found := false
		for _, s := range scenarios {
			if s.name == name {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no scenario %q", name)
		}
	}
	return chosen, nil
}

// onDisk refuses a folder in memory, where a sync costs nothing.
func onDisk(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if inMemory(dir) {
		return errors.New(dir + " is not on a disk: give -dir a folder that is")
	}
	return nil
}
