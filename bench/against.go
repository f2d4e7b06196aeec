package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// against compares two binaries of gatehouse, each with a ledger of its own:
// paired rounds as beside the proxy, and what each call costs them. It is for
// judging one change on a machine that others use, too: look at the CPU.
func against(ctx context.Context, o options, f *field, chosen []scenario) error {
	r := &results{pairs: map[string][]pair{}, direct: map[string]float64{}}
	for _, s := range chosen {
		if err := r.throughput(ctx, o, f, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := r.latency(ctx, o, f); err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	var b strings.Builder
	b.WriteString("| scenario | throughput, × the other's | CPU ms per call, other | CPU ms per call, gatehouse | CPU, × the other's |\n|---|---|---|---|---|\n")
	for _, s := range chosen {
		pairs := r.pairs[s.name]
		ratio := newSpread(pairs, func(p pair) float64 { return p.gatehouse.rate() / p.proxy.rate() })
		other := newSpread(pairs, func(p pair) float64 { return p.proxy.cpuPerCall() })
		ours := newSpread(pairs, func(p pair) float64 { return p.gatehouse.cpuPerCall() })
		cpu := newSpread(pairs, func(p pair) float64 { return p.gatehouse.cpuPerCall() / p.proxy.cpuPerCall() })
		fmt.Fprintf(&b, "| %s | %s | %.3f | %.3f | %s |\n", s.name, ratio.text("%.2f"), other.median, ours.median, cpu.text("%.2f"))
	}
	r.latencies(&b)
	_, err := os.Stdout.WriteString(b.String())
	return err
}
