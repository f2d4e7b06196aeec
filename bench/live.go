package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"
)

const (
	// liveRate is calls a second while somebody watches: what the console's page has
	// to keep up with.
	liveRate = 1000

	// liveForget is longer than a gateway goes on watching for a reader who left.
	liveForget = 65 * time.Second
)

// watched is one pair of windows: a gateway that is watched, and the same binary
// which is not, one right after the other.
type watched struct{ with, without window }

// window is what calls at a fixed rate cost and took.
type window struct{ cpu, p50, p99 float64 } // ms a call, ms

// live measures what somebody who watches costs a gateway that does liveRate flows a
// second. Two processes run the same binary, each with a ledger of its own; in the
// second half they change roles, so that what is only a difference between two
// processes cancels out.
func live(ctx context.Context, o options, f *field) error {
	o.rounds = max(4, o.rounds+o.rounds%2) // pairs go two by two
	var halves [2][]watched
	for half := range halves {
		reader, other := f.gatehouse, f.proxy
		if half == 1 {
			reader, other = other, reader
		}
		v, err := watch(ctx, reader, o.viewers)
		if err != nil {
			return err
		}
		if halves[half], err = liveHalf(ctx, o, reader, other); err != nil {
			return err
		}
		fmt.Print(v.end())
		if half == 0 {
			if err := rest(ctx, liveForget); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\n| %d readers, %d flows/s, 2 × %d pairs of %s | without | with | more |\n|---|---|---|---|\n", o.viewers, liveRate, o.rounds, o.length)
	liveRow("CPU ms a call", "%.4f", halves, func(w window) float64 { return w.cpu })
	liveRow("time to first byte, p50, ms", "%.3f", halves, func(w window) float64 { return w.p50 })
	liveRow("p99, ms", "%.2f", halves, func(w window) float64 { return w.p99 })
	return nil
}

func liveHalf(ctx context.Context, o options, reader, other *side) ([]watched, error) {
	var pairs []watched
	for round := range o.rounds + 1 { // the first one warms up
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var p watched
		steps := []*side{reader, other}
		if round%2 == 1 {
			slices.Reverse(steps)
		}
		for _, s := range steps {
			w, err := liveWindow(o, s, uint64(round))
			if err != nil {
				return nil, err
			}
			if s == reader {
				p.with = w
			} else {
				p.without = w
			}
		}
		if round > 0 {
			pairs = append(pairs, p)
			fmt.Fprintf(os.Stderr, "live %d: CPU %.4f, alone %.4f ms a call; p50 %.2f, alone %.2f ms\n", round, p.with.cpu, p.without.cpu, p.with.p50, p.without.p50)
		}
	}
	return pairs, nil
}

func liveWindow(o options, s *side, seed uint64) (window, error) {
	before := s.cpu()
	all, err := openLoop(target{addr: s.addr, lean: o.lean}, liveRate, seed, o.length)
	if err != nil {
		return window{}, fmt.Errorf("%s: %w: %s", s.name, err, s.log)
	}
	cpu := s.cpu() - before
	slices.Sort(all)
	return window{ms(cpu) / float64(len(all)), ms(quantile(all, 50)), ms(quantile(all, 99))}, nil
}

// liveRow prints by how much a figure is more with a reader: the geometric mean of the
// ratios, both halves weighing the same, with its 95 % interval. Two pairs in a row, of
// which each side went first once, count as one: what goes second often costs more.
func liveRow(name, format string, halves [2][]watched, value func(window) float64) {
	var mean, variance, with, without float64
	for _, pairs := range halves {
		var ratios []float64
		for i := 0; i+1 < len(pairs); i += 2 {
			a, b := pairs[i], pairs[i+1]
			ratios = append(ratios, (math.Log(value(a.with)/value(a.without))+math.Log(value(b.with)/value(b.without)))/2)
		}
		n := float64(len(ratios))
		var sum, squares float64
		for _, r := range ratios {
			sum += r
			squares += r * r
		}
		mean += sum / n / 2
		variance += (squares - sum*sum/n) / (n - 1) / n / 4
		for _, p := range pairs {
			with += value(p.with) / float64(2*len(pairs))
			without += value(p.without) / float64(2*len(pairs))
		}
	}
	percent := func(x float64) float64 { return 100 * (math.Exp(x) - 1) }
	off := 1.96 * math.Sqrt(variance)
	fmt.Printf("| %s | "+format+" | "+format+" | %+.1f %% (%+.1f to %+.1f) |\n", name, without, with, percent(mean), percent(mean-off), percent(mean+off))
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
