package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// soak runs the scenarios on gatehouse alone, one after the other and again,
// for as long as was asked, prints what it holds, and has the ledger verified
// at the end.
func soak(ctx context.Context, o options, f *field, chosen []scenario) error {
	fmt.Printf("%8s  %-18s %10s %12s %8s %12s\n", "after", "load", "calls/s", "resident MB", "files", "ledger MB")
	began := time.Now()
	for round := uint64(1); time.Since(began) < o.soak; round++ {
		for _, s := range chosen {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			got, err := closedLoop(target{addr: f.gatehouse.addr, lean: o.lean}, s, round, max(o.length, 10*time.Second))
			if err != nil {
				return fmt.Errorf("%s: %w: %s", s.name, err, f.gatehouse.log)
			}
			fmt.Printf("%8s  %-18s %10.0f %12.0f %8d %12.0f\n", time.Since(began).Round(time.Second), s.name, got.rate(),
				mb(f.gatehouse.rss()), f.gatehouse.files(), mb(f.onDiskBytes()))
		}
	}
	verify := exec.CommandContext(ctx, o.gatehouse, "verify", "--data", f.gatehouse.data)
	verify.Stdout, verify.Stderr = os.Stdout, os.Stderr
	if err := verify.Run(); err != nil {
		return fmt.Errorf("verifying the ledger: %w", err)
	}
	return nil
}

// files counts the process's open files; 0 where the system does not tell.
func (s *side) files() int {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "fd"))
	if err != nil {
		return 0
	}
	return len(open)
}
