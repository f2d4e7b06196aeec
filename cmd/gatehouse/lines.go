package main

import (
	"io"
	"sync"
	"time"
)

// lineEvery is how long a log line may wait, and lineBytes how much of them.
const (
	lineEvery = 100 * time.Millisecond
	lineBytes = 32 << 10
)

// lineBuffer gathers log lines, so that not every flow costs a system call. A
// kill may cost the lines of the last moment; what happened to a flow stands
// in the ledger.
type lineBuffer struct {
	w io.Writer

	mu    sync.Mutex
	buf   []byte
	timer *time.Timer // set while lines wait
}

func (l *lineBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if len(l.buf) >= lineBytes {
		return len(p), l.drain()
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(lineEvery, func() { l.flush() })
	}
	return len(p), nil
}

func (l *lineBuffer) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drain()
}

// drain writes what waits. l.mu is held.
func (l *lineBuffer) drain() error {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}
