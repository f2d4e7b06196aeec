package remote

import (
	"errors"
	"sync"
	"time"
)

// A detector that failed so many requests one after the other is left alone for a
// while; then one request tries it again.
const (
	breakAfter = 5
	breakFor   = 10 * time.Second
)

var errOpen = errors.New("it failed too often, and is left alone for some seconds")

// breaker counts failures. The zero breaker is closed.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time // of the pause
	trying   bool      // one request tries whether the pause is over
}

// enter reports whether the detector may be asked. Whoever enters has to leave.
func (b *breaker) enter(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if b.trying || now.Before(b.until) {
		return false
	}
	b.trying = true
	return true
}

func (b *breaker) leave(answered bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if answered {
		b.failures = 0
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.until = now.Add(breakFor)
	}
}

func (b *breaker) isOpen(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures >= breakAfter && now.Before(b.until)
}
