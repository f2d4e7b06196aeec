package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/windows"
)

// become runs the agent and ends as it ends. The console sends its signals to
// both; ours is only to wait.
func become(path string, argv, env []string, lease *os.File) error {
	defer runtime.KeepAlive(lease)
	signal.Ignore(os.Interrupt)
	agent := exec.Command(path, argv[1:]...)
	agent.Env, agent.Stdin, agent.Stdout, agent.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	err := agent.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ended):
		return exitError{ended.ExitCode(), ""}
	}
	return exitError{126, fmt.Sprintf("starting %s: %v", path, err)}
}

// spawn starts this program with args, apart from our console, and gives a
// channel that is closed when it has ended.
func spawn(exe string, args []string, log *os.File) (gone <-chan struct{}, err error) {
	gateway := exec.Command(exe, args...)
	gateway.Stdout, gateway.Stderr = log, log
	gateway.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
	if err := gateway.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		gateway.Wait() // its log says why it ended
		close(done)
	}()
	return done, nil
}

func detach([]string) error { return errors.New("--detach is not needed here") }
