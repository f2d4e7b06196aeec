//go:build !linux

package index

// bootID names this run of the machine. It is unknown here, so that an index
// that was not closed is made anew.
func bootID() string { return "" }
