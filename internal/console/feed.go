package console

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

const (
	// feedRoom is how many views a reader may lag behind: one to two seconds of the most
	// that a gateway does. One that lags more begins anew.
	feedRoom = 4096

	// feedLinger is how long views are kept for a reader who lost the connection.
	feedLinger = time.Minute
)

// feed is the newest views, as they come, for any number of readers. Nothing is
// watched while nobody reads, so that flows cost nothing more then.
type feed struct {
	watch func(told func(*flow.Intent, *flow.Outcome)) (stop func())

	mu      sync.Mutex
	run     uint64        // counts the times that watching began: positions of another one mean nothing
	next    uint64        // number of the view that comes next
	ring    []flow.View   // of the last ones number n stands at n modulo feedRoom: no more is kept of a flow
	more    chan struct{} // closed when there are more; nil: nobody waits for any
	readers int           // since when nobody reads the timer runs
	stop    func()        // nil: nothing is watched
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
		if f.run == 0 {
			f.run = uint64(time.Now().UnixNano()) // apart from those of a server before us
		}
		f.run++
		f.next, f.ring = 0, make([]flow.View, feedRoom)
		f.stop = f.watch(f.take)
	}
	return position{f.run, f.next}
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

// take keeps what is watched. Flows wait while it does: it wakes readers only when they
// have seen all that was there, a few times a second.
func (f *feed) take(in *flow.Intent, out *flow.Outcome) {
	v := flow.NewView(in, out)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ring == nil {
		return // it was under way when watching ended
	}
	f.ring[f.next%feedRoom] = v
	f.next++
	if f.more != nil {
		close(f.more)
		f.more = nil
	}
}

// has reports whether all views from a position on are still there.
func (f *feed) has(p position) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holds(p)
}

func (f *feed) holds(p position) bool {
	return p.run == f.run && p.next <= f.next && f.next-p.next <= feedRoom
}

// since appends the views from a position on to some, and gives the next position.
// missed says that there were others, which are gone. With nothing new there is a
// channel that is closed when there is.
func (f *feed) since(p position, some []flow.View) (views []flow.View, next position, missed bool, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next = position{f.run, f.next}
	if !f.holds(p) {
		return some, next, true, nil
	}
	if p == next {
		if f.more == nil {
			f.more = make(chan struct{})
		}
		return some, next, false, f.more
	}
	for n := p.next; n < f.next; n++ {
		some = append(some, f.ring[n%feedRoom])
	}
	return some, next, false, nil
}
