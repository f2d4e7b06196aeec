package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The collector works seldom while the process is small, and at one and a half
// times what is live once it is not: collecting at every few megabytes costs a
// tenth of the throughput. A memory limit alone would make it work without end
// when more than the limit is in use, so the limit moves with what is live.
// Under load most of what is allocated is bodies that come and go, so there is
// room for those of a while; it goes when they do.
const (
	calmMemory  = 176 << 20 // bytes below which the collector has time
	calmPercent = 300
	calmMade    = 32 << 20  // bytes allocated in a second that need no more room
	mostRoom    = 160 << 20 // bytes in addition, at most: .8 seconds of what is allocated beyond
	memoryEvery = time.Second
)

// tendMemory tunes the collector until ctx ends.
func tendMemory(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(calmPercent))
	limit := debug.SetMemoryLimit(calmMemory)
	defer debug.SetMemoryLimit(limit)
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(heap)
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			before := heap[1].Value.Uint64()
			metrics.Read(heap)
			live, made := int64(heap[0].Value.Uint64()), int64(heap[1].Value.Uint64()-before)
			room := min(max(made-calmMade, 0)/5*4, mostRoom)
			debug.SetMemoryLimit(max(calmMemory, live/2*3) + room)
		}
	}
}
