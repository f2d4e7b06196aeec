package ledger

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/flow"
)

// watchRoom is how many views wait for a watcher.
const watchRoom = 256

type watchers struct {
	count atomic.Int32

	mu  sync.Mutex
	all map[*watcher]struct{}
}

type watcher struct {
	views chan flow.View
	gap   bool // views were left out since the last one sent
}

// Watch gives every flow when it begins and when it ends, until ctx is done.
// A reader that is too slow misses some, and gets a View without ID in their
// place; flows never wait for it.
func (l *Ledger) Watch(ctx context.Context) <-chan flow.View {
	w := &watcher{views: make(chan flow.View, watchRoom)}
	l.watch.add(w)
	context.AfterFunc(ctx, func() { l.watch.remove(w) })
	return w.views
}

func (ws *watchers) add(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = map[*watcher]struct{}{}
	}
	ws.all[w] = struct{}{}
	ws.count.Store(int32(len(ws.all)))
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
	ws.count.Store(int32(len(ws.all)))
	close(w.views)
}

func (ws *watchers) tell(in *flow.Intent, out *flow.Outcome) {
	if ws.count.Load() == 0 {
		return
	}
	v := flow.NewView(in, out)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.send(v)
	}
}

// send keeps one place for the gap's marker.
func (w *watcher) send(v flow.View) {
	if w.gap && len(w.views) < cap(w.views)-1 {
		w.views <- flow.View{}
		w.gap = false
	}
	if w.gap || len(w.views) == cap(w.views) {
		w.gap = true
		return
	}
	w.views <- v
}
