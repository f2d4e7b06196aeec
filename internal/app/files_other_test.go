//go:build !unix

package app_test

// openFiles is how many files this process may have open: Windows has no such
// limit.
func openFiles() uint64 { return 1 << 32 }
