package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// describe says on which machine this ran.
func describe(o options) {
	ends := "lean client and upstream"
	if !o.lean {
		ends = "net/http client and upstream"
	}
	fmt.Printf("%s, %s/%s, %d cores for everything (%s), %s, %d rounds of %s\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), ends, o.rounds, o.length)
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ := strings.Cut(string(text), " ")
		fmt.Printf("load average before: %s (anything but about 0 spoils the figures)\n", load)
	}
	fmt.Println()
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(text), "model name")
	name, _, _ := strings.Cut(strings.TrimLeft(rest, "\t :"), "\n")
	return cmp.Or(name, "processor unknown")
}

// spread is the smallest, the middle and the largest value of the rounds.
type spread struct{ min, median, max float64 }

func newSpread[T any](all []T, value func(T) float64) spread {
	var v []float64
	for _, one := range all {
		v = append(v, value(one))
	}
	slices.Sort(v)
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (v[len(v)/2-1] + v[len(v)/2]) / 2
	}
	return spread{v[0], middle, v[len(v)-1]}
}

func (s spread) text(format string) string {
	return fmt.Sprintf(format+" / **"+format+"** / "+format, s.min, s.median, s.max)
}

// print writes the tables. Each triple is min / median / max over the rounds.
func (r *results) print(w io.Writer) error {
	var b strings.Builder
	r.rates(&b)
	r.latencies(&b)
	r.turns(&b)
	r.memories(&b)
	fmt.Fprintf(&b, "\nThe ledger's folder has %.0f MB after %.0f MB on the wire.\n", mb(r.onDisk), mb(r.sent))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *results) rates(b *strings.Builder) {
	b.WriteString("| scenario | | throughput, × the proxy's | proxy, calls/s | gatehouse, calls/s | CPU ms per call, proxy | CPU ms per call, gatehouse |\n|---|---|---|---|---|---|---|\n")
	for _, s := range r.chosen {
		pairs := r.pairs[s.name]
		what := s.what
		if rate, ok := r.direct[s.name]; ok {
			what += fmt.Sprintf(" (without a gateway: %.0f calls/s)", rate)
		}
		ratio := newSpread(pairs, func(p pair) float64 { return p.gatehouse.rate() / p.proxy.rate() })
		proxy := newSpread(pairs, func(p pair) float64 { return p.proxy.rate() })
		gatehouse := newSpread(pairs, func(p pair) float64 { return p.gatehouse.rate() })
		proxyCPU := newSpread(pairs, func(p pair) float64 { return p.proxy.cpuPerCall() })
		gatehouseCPU := newSpread(pairs, func(p pair) float64 { return p.gatehouse.cpuPerCall() })
		fmt.Fprintf(b, "| %s | %s | %s | %.0f | %.0f | %.3f | %.3f |\n", s.name, what, ratio.text("%.2f"),
			proxy.median, gatehouse.median, proxyCPU.median, gatehouseCPU.median)
	}
}

// cpuPerCall is in milliseconds.
func (f figures) cpuPerCall() float64 { return ms(f.cpu) / float64(max(f.calls, 1)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r *results) latencies(b *strings.Builder) {
	fmt.Fprintf(b, "\n| time to first byte at %d calls/s, open loop, ms | proxy | gatehouse | added | a sync of this disk, nothing else |\n|---|---|---|---|---|\n", latencyRate)
	row := func(name string, proxy, gatehouse, disk func(delay) time.Duration) {
		p := newSpread(r.delays, func(d delay) float64 { return ms(proxy(d)) })
		g := newSpread(r.delays, func(d delay) float64 { return ms(gatehouse(d)) })
		added := newSpread(r.delays, func(d delay) float64 { return ms(gatehouse(d) - proxy(d)) })
		sync := newSpread(r.delays, func(d delay) float64 { return ms(disk(d)) })
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, p.text("%.2f"), g.text("%.2f"), added.text("%.2f"), sync.text("%.2f"))
	}
	row("p50", func(d delay) time.Duration { return d.proxy50 }, func(d delay) time.Duration { return d.gatehouse50 }, func(d delay) time.Duration { return d.disk50 })
	row("p99", func(d delay) time.Duration { return d.proxy99 }, func(d delay) time.Duration { return d.gatehouse99 }, func(d delay) time.Duration { return d.disk99 })
}

func (r *results) memories(b *strings.Builder) {
	b.WriteString("\n| resident memory, MB | proxy | gatehouse |\n|---|---|---|\n")
	for _, m := range r.memory {
		fmt.Fprintf(b, "| %s | %.0f | %.0f |\n", m.when, mb(m.proxy), mb(m.gatehouse))
	}
}

func mb(n int64) float64 { return float64(n) / (1 << 20) }
