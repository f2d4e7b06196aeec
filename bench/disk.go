package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
)

// syncs writes as a ledger does that holds nothing but calls of 2 KB, one after the
// other, and does nothing else: how long each takes until it is durable. What
// gatehouse adds to a first byte is hardly less.
func syncs(dir string, rate int, length time.Duration) ([]time.Duration, error) {
	const size = 1 << 10 // of an intent with its block, compressed
	n := int(length.Seconds() * float64(rate))
	name := filepath.Join(dir, "sync")
	f, err := disk.OS{}.Create(name)
	if err != nil {
		return nil, fmt.Errorf("trying the disk: %w", err)
	}
	defer os.Remove(name)
	defer f.Close()
	if err := write(f, make([]byte, n*size), 0); err != nil {
		return nil, err
	}
	took := make([]time.Duration, n)
	entry := []byte(newProse(5).take(size))
	began := time.Now()
	for i := range took {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		start := time.Now()
		if err := write(f, entry, int64(i)*size); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	return took, nil
}

func write(f disk.File, data []byte, at int64) error {
	if _, err := f.WriteAt(data, at); err != nil {
		return fmt.Errorf("trying the disk: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("trying the disk: %w", err)
	}
	return nil
}
