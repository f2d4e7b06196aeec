//go:build !linux

package disk

import "os"

// syncData is the full sync; on darwin Go asks for F_FULLFSYNC.
func syncData(f *os.File) error { return f.Sync() }
