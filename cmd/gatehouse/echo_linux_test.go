package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal gives both ends of a new one.
func terminal(t *testing.T) (far, near *os.File) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { far.Close() })
	n, err := unix.IoctlGetInt(int(far.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(far.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		near, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { near.Close() })
	return far, near
}

// What is typed on a terminal is read to the line's end and not shown.
func TestAValueIsTypedUnseen(t *testing.T) {
	far, near := terminal(t)
	prompted, prompts := io.Pipe()
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := readSecret(t.Context(), near, prompts, "value: ")
		done <- result{text, err}
	}()
	if _, err := io.ReadFull(prompted, make([]byte, len("value: "))); err != nil { // the echo is off by then
		t.Fatal(err)
	}
	go io.Copy(io.Discard, prompted)
	io.WriteString(far, "Tr0ub4dor-3\n")
	if r := <-done; r.err != nil || r.text != "Tr0ub4dor-3" {
		t.Errorf("got %q, %v", r.text, r.err)
	}
	if now, err := unix.IoctlGetTermios(int(near.Fd()), getTermios); err != nil || now.Lflag&unix.ECHO == 0 {
		t.Fatalf("the echo stays off (%v)", err)
	}
	io.WriteString(far, "seen\n")
	var shown string
	for chunk := make([]byte, 100); !strings.Contains(shown, "seen"); { // it comes in as many pieces as it likes
		n, err := far.Read(chunk)
		if err != nil {
			t.Fatalf("the terminal shows %q, %v", shown, err)
		}
		shown += string(chunk[:n])
	}
	if strings.Contains(shown, "Tr0ub") {
		t.Errorf("the terminal shows %q", shown)
	}
}
