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
// allocated, with how much that is. What was taken for them is given back as
// soon as they get few.
const (
	calmMemory  = 192 << 20 // bytes below which the collector has time
	calmPercent = 300
	calmMade    = 64 << 20  // bytes allocated in a second up to which it is calm
	mostRoom    = 256 << 20 // bytes in addition, at most, for half a second of what is more
	memoryEvery = time.Second
)

// tendMemory tunes the collector until ctx ends.
func tendMemory(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(calmPercent))
	limit := debug.SetMemoryLimit(calmMemory)
	defer debug.SetMemoryLimit(limit)
	heap, busy := readHeap(), false
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			now, was := readHeap(), busy
			room := min(max(now.made-heap.made-calmMade, 0)/2, mostRoom)
			heap, busy = now, room > 0
			if was && !busy && heap.held > calmMemory {
				debug.FreeOSMemory()
				heap = readHeap()
			}
			debug.SetMemoryLimit(max(calmMemory, 2*heap.live) + room)
		}
	}
}

// heap is what the runtime tells of its memory, in bytes.
type heap struct {
	live int64 // after the last collection
	made int64 // allocated since the start
	held int64 // that the system has given and not got back
}

func readHeap() heap {
	list := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(list)
	n := func(i int) int64 { return int64(list[i].Value.Uint64()) }
	return heap{live: n(0), made: n(1), held: n(2) - n(3)}
}
