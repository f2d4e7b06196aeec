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
// with what is live, and, since bodies that come and go are most of what is
// allocated, with how much that is. When it is calm again, what was taken for
// them is given back.
const (
	calmMemory  = 192 << 20 // bytes below which the collector has time
	calmPercent = 300
	mostRoom    = 256 << 20 // bytes in addition, at most, for half a second of allocations
	busyRoom    = 16 << 20  // bytes of them from which on the process counts as busy
	calmTicks   = 2         // that are not busy, before memory is given back
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
	for calm := calmTicks; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			before := heap[1].Value.Uint64()
			metrics.Read(heap)
			room := min(int64(heap[1].Value.Uint64()-before)/2, mostRoom)
			if calm++; room >= busyRoom {
				calm = 0
			}
			if calm == calmTicks {
				debug.FreeOSMemory()
				metrics.Read(heap)
			}
			live := int64(heap[0].Value.Uint64())
			debug.SetMemoryLimit(max(calmMemory, 2*live) + room)
		}
	}
}
