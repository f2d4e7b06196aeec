package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

const pinned = "GATEHOUSE_BENCH_PINNED"

// pin confines this process, and so its children, to the first n cores that
// it may use. It starts the program anew: Go counts the cores only at start.
func pin(n int) error {
	if n <= 0 || runtime.NumCPU() <= n || os.Getenv(pinned) != "" {
		return nil
	}
	runtime.LockOSThread()
	var mask [128]byte
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, uintptr(len(mask)), uintptr(unsafe.Pointer(&mask[0]))); errno != 0 {
		return fmt.Errorf("asking for this process's cores: %w", errno)
	}
	kept := 0
	for cpu := range len(mask) * 8 {
		bit := byte(1) << (cpu % 8)
		if mask[cpu/8]&bit == 0 {
			continue
		}
		if kept++; kept > n {
			mask[cpu/8] &^= bit
		}
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, uintptr(len(mask)), uintptr(unsafe.Pointer(&mask[0]))); errno != 0 {
		return fmt.Errorf("confining the benchmark to %d cores: %w", n, errno)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), pinned+"=1"))
}

const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

func inMemory(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return false
	}
	return uint32(fs.Type) == tmpfs || uint32(fs.Type) == ramfs
}
