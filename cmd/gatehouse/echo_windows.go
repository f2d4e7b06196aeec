package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// hideTyping switches a terminal's echo off; show switches it on again. It is
// nil for what is no terminal.
func hideTyping(f *os.File) (show func(), err error) {
	var was uint32
	h := windows.Handle(f.Fd())
	if err := windows.GetConsoleMode(h, &was); err != nil {
		return nil, nil
	}
	if err := windows.SetConsoleMode(h, was&^windows.ENABLE_ECHO_INPUT); err != nil {
		return nil, err
	}
	return func() { windows.SetConsoleMode(h, was) }, nil
}
