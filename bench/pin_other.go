//go:build !linux

package main

// pin: only Linux confines a process to cores; elsewhere all are used.
func pin(int) error { return nil }

func inMemory(string) bool { return false }
