//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// become replaces this process by the agent, so that the terminal, signals and
// the exit code are the agent's own. The lease goes with it: it ends when the
// agent and whatever it left running have ended. It returns only on error.
func become(path string, argv, env []string, lease *os.File) error {
	if lease != nil {
		if _, err := unix.FcntlInt(lease.Fd(), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("handing on the lease: %w", err)
		}
		defer runtime.KeepAlive(lease)
	}
	if err := syscall.Exec(path, argv, env); err != nil {
		return exitError{126, fmt.Sprintf("starting %s: %v", path, err)}
	}
	return nil
}

// spawn starts this program with args in a session of its own, its output to
// log, and gives a channel that is closed when it has ended. It goes through a
// process in between, so that the agent doesn't find a child that it never
// started.
func spawn(exe string, args []string, log *os.File) (gone <-chan struct{}, err error) {
	alive, held, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer held.Close()
	between := exec.Command(exe, append([]string{"run", "--detach", "--"}, args...)...)
	between.Stdout, between.Stderr, between.ExtraFiles = log, log, []*os.File{held}
	if err := between.Run(); err != nil {
		alive.Close()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		alive.Read(make([]byte, 1)) // nobody writes: it ends with the last who has the other end
		alive.Close()
		close(done)
	}()
	return done, nil
}

// detach is the process in between.
func detach(args []string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	held := os.NewFile(3, "alive")
	if held == nil {
		return errors.New("--detach is for gatehouse run itself")
	}
	gateway := exec.Command(exe, args...)
	gateway.Stdout, gateway.Stderr, gateway.ExtraFiles = os.Stdout, os.Stderr, []*os.File{held}
	gateway.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return gateway.Start()
}
