package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// latencyRate is the open loop's calls a second.
const latencyRate = 300

// pair is one round: both sides measured one right after the other.
type pair struct{ proxy, gatehouse figures }

// delay is one round of the open loop: quantiles of the time to first byte, and of what
// a sync takes.
type delay struct{ proxy50, proxy99, gatehouse50, gatehouse99, disk50, disk99 time.Duration }

type results struct {
	chosen  []scenario
	pairs   map[string][]pair
	direct  map[string]float64 // calls a second without a gateway
	delays  []delay
	gaps    map[string][]gap // by kind of turn
	memory  []memory
	sent    int64 // bytes that gatehouse got and gave
	onDisk  int64
	streams int
}

// memory is resident bytes at one moment.
type memory struct {
	when             string
	proxy, gatehouse int64
}

func run(ctx context.Context, o options, f *field, chosen []scenario) (*results, error) {
	r := &results{chosen: chosen, pairs: map[string][]pair{}, direct: map[string]float64{}, streams: o.streams}
	r.memory = append(r.memory, memory{"idle, just started", f.idle["proxy"], f.idle["gatehouse"]})
	// First: after the load there is much to be taken into the full text, which works
	// while nothing comes, and so in the turns of the proxy and of the bare disk.
	if err := r.latency(ctx, o, f); err != nil {
		return nil, fmt.Errorf("latency: %w", err)
	}
	if err := r.alone(ctx, o, f); err != nil {
		return nil, fmt.Errorf("turns: %w", err)
	}
	for _, s := range chosen {
		if err := r.throughput(ctx, o, f, s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	time.Sleep(2 * time.Second)
	r.memory = append(r.memory, memory{"after the load", f.proxy.rss(), f.gatehouse.rss()})
	if err := r.openStreams(o, f); err != nil {
		return nil, fmt.Errorf("open streams: %w", err)
	}
	r.onDisk = f.onDiskBytes()
	return r, nil
}

// throughput measures one scenario: a warm-up that does not count, then
// paired rounds; which side goes first alternates.
func (r *results) throughput(ctx context.Context, o options, f *field, s scenario) error {
	for _, side := range []*side{f.proxy, f.gatehouse} {
		if _, err := r.once(target{addr: side.addr, lean: o.lean}, side, s, 0, o.length/3); err != nil {
			return err
		}
	}
	if o.direct {
		got, err := closedLoop(target{addr: f.upstream.addr, lean: o.lean}, s, 1, o.length)
		if err != nil {
			return fmt.Errorf("without a gateway: %w", err)
		}
		r.direct[s.name] = got.rate()
	}
	for round := range o.rounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var p pair
		for _, step := range order(round, f) {
			got, err := r.once(target{addr: step.addr, lean: o.lean}, step, s, uint64(round+1), o.length)
			if err != nil {
				return err
			}
			if step == f.proxy {
				p.proxy = got
			} else {
				p.gatehouse = got
			}
		}
		r.pairs[s.name] = append(r.pairs[s.name], p)
		fmt.Fprintf(os.Stderr, "%s round %d: proxy %.0f/s, gatehouse %.0f/s\n", s.name, round+1, p.proxy.rate(), p.gatehouse.rate())
	}
	return nil
}

func order(round int, f *field) []*side {
	if round%2 == 0 {
		return []*side{f.proxy, f.gatehouse}
	}
	return []*side{f.gatehouse, f.proxy}
}

func (r *results) once(to target, side *side, s scenario, seed uint64, length time.Duration) (figures, error) {
	before := side.cpu()
	got, err := closedLoop(to, s, seed, length)
	if err != nil {
		return got, fmt.Errorf("%s: %w: %s", side.name, err, side.log)
	}
	got.cpu = side.cpu() - before
	if side.name == "gatehouse" {
		r.sent += got.sent + got.got
	}
	return got, nil
}

func (r *results) latency(ctx context.Context, o options, f *field) error {
	for round := range o.rounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var d delay
		for _, step := range order(round, f) {
			all, err := openLoop(target{addr: step.addr, lean: o.lean}, latencyRate, uint64(1000+round), o.length)
			if err != nil {
				return fmt.Errorf("%s: %w: %s", step.name, err, step.log)
			}
			slices.Sort(all)
			if step == f.proxy {
				d.proxy50, d.proxy99 = quantile(all, 50), quantile(all, 99)
			} else {
				d.gatehouse50, d.gatehouse99 = quantile(all, 50), quantile(all, 99)
			}
		}
		took, err := syncs(o.dir, latencyRate, o.length/3)
		if err != nil {
			return err
		}
		slices.Sort(took)
		d.disk50, d.disk99 = quantile(took, 50), quantile(took, 99)
		r.delays = append(r.delays, d)
	}
	return nil
}

// quantile is exact: the smallest value that percent of all don't exceed.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

func (r *results) openStreams(o options, f *field) error {
	m := memory{when: fmt.Sprintf("%d open streams", o.streams)}
	for _, step := range []*side{f.proxy, f.gatehouse} {
		release, err := hold(target{addr: step.addr, lean: o.lean}, o.streams)
		if err != nil {
			release()
			return fmt.Errorf("%s: %w: %s", step.name, err, step.log)
		}
		time.Sleep(2 * time.Second)
		if step == f.proxy {
			m.proxy = step.rss()
		} else {
			m.gatehouse = step.rss()
		}
		release()
	}
	r.memory = append(r.memory, m)
	return nil
}
