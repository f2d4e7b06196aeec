package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The collector works seldom while the process is small, and as Go does by
// default (at twice what is live) once it is not: collecting at every few
// megabytes costs a tenth of the throughput. A memory limit alone would make
// it work without end when more than the limit is in use, so the limit moves
// with what is live.
const (
	calmMemory  = 208 << 20 // bytes below which the collector has time
	calmPercent = 300
	memoryEvery = time.Second
)

// tendMemory tunes the collector until ctx ends.
func tendMemory(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(calmPercent))
	limit := debug.SetMemoryLimit(calmMemory)
	defer debug.SetMemoryLimit(limit)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			metrics.Read(live)
			debug.SetMemoryLimit(max(calmMemory, 2*int64(live[0].Value.Uint64())))
		}
	}
}
