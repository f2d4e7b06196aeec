package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData leaves out times and other metadata that reading does not need.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == unix.EINTR {
			continue // interrupted before anything was reported: not a failed sync
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}
