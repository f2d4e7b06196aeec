//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// hideTyping switches a terminal's echo off. What was typed before is thrown
// away: it was shown. show switches the echo on again; it is nil for what is no
// terminal.
func hideTyping(f *os.File) (show func(), err error) {
	fd := int(f.Fd())
	was, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, nil
	}
	hidden := *was
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, setTermios, was) }, nil
}
