//go:build unix

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func shareLease(f *os.File) error { return flock(f, unix.LOCK_SH) }

func ownLease(f *os.File) error { return flock(f, unix.LOCK_EX) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errLeased
		default:
			return err
		}
	}
}
