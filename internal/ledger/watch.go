package ledger

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/flow"
)

// watchers are told of every flow when it begins and when it ends.
type watchers struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*watcher] // replaced, never changed
}

type watcher struct {
	told func(*flow.Intent, *flow.Outcome)
}

// Watch calls told for every flow when it begins, without an outcome, and when it ends,
// until stop is called: those that are under way then may still come. It is called where
// flows pass, so it must return at once; and it must not change what it is given.
func (l *Ledger) Watch(told func(*flow.Intent, *flow.Outcome)) (stop func()) {
	w := &watcher{told}
	l.watch.change(func(all []*watcher) []*watcher { return append(all, w) })
	return func() {
		l.watch.change(func(all []*watcher) []*watcher {
			return slices.DeleteFunc(all, func(other *watcher) bool { return other == w })
		})
	}
}

func (ws *watchers) change(how func([]*watcher) []*watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	all := how(slices.Clone(ws.list()))
	ws.all.Store(&all)
}

func (ws *watchers) list() []*watcher {
	if all := ws.all.Load(); all != nil {
		return *all
	}
	return nil
}

func (ws *watchers) tell(in *flow.Intent, out *flow.Outcome) {
	for _, w := range ws.list() {
		w.told(in, out)
	}
}
