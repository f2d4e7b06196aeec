package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// A lease keeps a gateway that "run" started alive. It is a shared lock on the
// file "lease" in the data folder: every child of "run" holds one, the operating
// system ends it however the child ends (kill -9, too), and the gateway ends once
// it gets the same lock exclusively. It keeps that until its process is gone, so
// a "run" that comes meanwhile waits and then starts a gateway of its own.
const leaseName = "lease"

const (
	leasePoll = 200 * time.Millisecond
	leaseWait = time.Minute // for a gateway that is ending
)

var errLeased = errors.New("somebody else has the lease")

// takeLease takes a shared lease on the data folder dir. It waits while a
// gateway there is ending, and says so on w when that takes long.
func takeLease(ctx context.Context, dir string, w io.Writer) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, leaseName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lease: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	said := time.AfterFunc(2*time.Second, func() { fmt.Fprintln(w, "gatehouse: waiting for the gateway of", dir, "to end") })
	defer said.Stop()
	if err := lockLease(ctx, f, shareLease); err != nil {
		f.Close()
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("the gateway of %s has been ending for %v and has calls left: %w", dir, leaseWait, err)
		}
		return nil, fmt.Errorf("taking a lease on %s: %w", dir, err)
	}
	return f, nil
}

// lastLease returns when nobody holds a lease on dir any more; the file that it
// gives must stay open until the process ends.
func lastLease(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, leaseName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lease: %w", err)
	}
	if err := lockLease(ctx, f, ownLease); err != nil {
		f.Close()
		return nil, fmt.Errorf("waiting for the last lease on %s: %w", dir, err)
	}
	return f, nil
}

// lockLease asks again and again instead of waiting in the kernel: that can't
// be interrupted, and some systems let nobody share behind one who waits.
func lockLease(ctx context.Context, f *os.File, lock func(*os.File) error) error {
	tick := time.NewTicker(leasePoll)
	defer tick.Stop()
	for {
		err := lock(f)
		if err == nil || !errors.Is(err, errLeased) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// whileLeased gives a context that ends with ctx, or when the last lease on dir
// is given back. done is to be called when the gateway has ended: until then the
// exclusive lease is kept, and it is not given back before the process is gone.
func whileLeased(ctx context.Context, dir string) (leased context.Context, done func()) {
	leased, cancel := context.WithCancel(ctx)
	ended := make(chan *os.File, 1)
	go func() {
		// A lease that can't be watched ends it, too: better no gateway than one
		// for ever.
		last, _ := lastLease(leased, dir)
		ended <- last
		cancel()
	}()
	return leased, func() {
		cancel()
		runtime.KeepAlive(<-ended)
	}
}
