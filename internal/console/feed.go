package console

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

const (
	// feedRoom is how many views a reader may lag behind: two or four seconds of
	// the most that a gateway does. One that lags more begins anew.
	feedRoom = 4096

	// feedLinger is how long views are kept for a reader who lost the connection.
	feedLinger = time.Minute
)

// feed is the newest views, as they come, for any number of readers. Nothing is
// watched while nobody reads, so that flows cost nothing more then.
type feed struct {
	watch func(context.Context) <-chan flow.View

	mu      sync.Mutex
	run     uint64             // counts the times that watching began: positions of another one mean nothing
	first   uint64             // number of ring[0]
	ring    []flow.View        // one without ID stands where views were missed
	news    chan struct{}      // closed when there are more
	readers int                // since when nobody reads the timer runs
	stop    context.CancelFunc // nil: nothing is watched
	linger  *time.Timer
}

// position is a place between two views.
type position struct{ run, next uint64 }

func (p position) String() string {
	return strconv.FormatUint(p.run, 36) + "." + strconv.FormatUint(p.next, 36)
}

func parsePosition(s string) (p position, ok bool) {
	run, next, _ := strings.Cut(s, ".")
	var err1, err2 error
	p.run, err1 = strconv.ParseUint(run, 36, 64)
	p.next, err2 = strconv.ParseUint(next, 36, 64)
	return p, err1 == nil && err2 == nil
}

// join adds a reader, and gives where it begins: now.
func (f *feed) join() position {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers++
	if f.linger != nil {
		f.linger.Stop()
		f.linger = nil
	}
	if f.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		f.stop = stop
		if f.run == 0 {
			f.run = uint64(time.Now().UnixNano()) // apart from those of a server before us
		}
		f.run++
		f.first, f.ring, f.news = 0, nil, make(chan struct{})
		go f.take(f.watch(ctx))
	}
	return position{f.run, f.first + uint64(len(f.ring))}
}

// leave takes a reader off.
func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers--; f.readers > 0 {
		return
	}
	f.linger = time.AfterFunc(feedLinger, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.readers == 0 && f.stop != nil {
			f.stop()
			f.stop, f.ring = nil, nil
		}
	})
}

// take keeps what is watched, until that ends.
func (f *feed) take(views <-chan flow.View) {
	for v := range views {
		f.mu.Lock()
		if len(f.ring) >= 2*feedRoom { // half at once: one copy for many views
			f.first += feedRoom
			f.ring = append([]flow.View(nil), f.ring[feedRoom:]...)
		}
		f.ring = append(f.ring, v)
		close(f.news)
		f.news = make(chan struct{})
		f.mu.Unlock()
	}
}

// has reports whether all views from a position on are still there.
func (f *feed) has(p position) bool {
	_, _, missed, _ := f.since(p)
	return !missed
}

// since gives the views from a position on and the next position. missed says
// that there were others, which are gone. With nothing new there is a channel
// that is closed when there is. The views must not be changed.
func (f *feed) since(p position) (views []flow.View, next position, missed bool, news <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := position{f.run, f.first + uint64(len(f.ring))}
	switch {
	case p.run != f.run || p.next < f.first || p.next > end.next:
		return nil, end, true, nil
	case p.next == end.next:
		return nil, end, false, f.news
	}
	return f.ring[p.next-f.first:], end, false, nil
}
