package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// lockName is the file in the data folder that names the process that has it.
const lockName = "lock"

// The lock is asked for this often before another holder is believed: Held has
// it for a moment, too, and a holder needs a moment to write its name.
const (
	lockTries = 25
	lockPause = 4 * time.Millisecond
)

// errLocked is what tryLock gives when somebody else has the lock.
var errLocked = errors.New("locked")

// Holder is the process that has a data folder, and where it can be reached.
type Holder struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Listen  string    `json:"listen,omitempty"`  // host:port of the agents' port
	Console string    `json:"console,omitempty"` // host:port of the console; empty: none
	Socket  string    `json:"socket,omitempty"`  // path of the admin socket

	Intercept string `json:"intercept,omitempty"` // host:port of the forward proxy; empty: none
}

// HeldError says that another process has the data folder.
type HeldError struct {
	Dir    string
	Holder Holder // zero when the process has not said who it is
}

func (e *HeldError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("data folder %s is in use by another process", e.Dir)
	}
	s := fmt.Sprintf("data folder %s is in use by process %d", e.Dir, e.Holder.PID)
	if e.Holder.Listen != "" {
		s += ", which listens on " + e.Holder.Listen
	}
	return s
}

// Lock takes the data folder dir, which it makes when there is none, for this
// process and writes info there for others to read. A zero PID or Started is
// filled in. The lock is the operating system's, so it ends with the process
// however that ends: a dead holder's file is taken over. When another process
// has the folder, the error is a *HeldError.
//
// release gives the folder back; a second call does nothing.
func Lock(dir string, info Holder) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock: %w", err)
	}
	if err := lockPatiently(f); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, &HeldError{Dir: dir, Holder: readHolder(f)}
		}
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	if err := writeHolder(f, info); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing lock: %w", err)
	}
	return func() error { return unlock(f) }, nil
}

// Announce writes who the holder is anew. Only the holder may call it: addresses
// are known after listening, and nobody listens before he has the folder.
func Announce(dir string, info Holder) error {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening lock: %w", err)
	}
	if err := errors.Join(writeHolder(f, info), f.Close()); err != nil {
		return fmt.Errorf("writing lock: %w", err)
	}
	return nil
}

// Held tells which process has the data folder, if any has it. The holder is
// zero when that process has not yet written who it is.
func Held(dir string) (Holder, bool) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return Holder{}, false
	}
	defer f.Close() // gives the lock back, when tryLock got it
	if tryLock(f) == nil {
		return Holder{}, false
	}
	return readHolder(f), true
}

func lockPatiently(f *os.File) error {
	err := tryLock(f)
	for i := 1; i < lockTries && errors.Is(err, errLocked); i++ {
		time.Sleep(lockPause)
		err = tryLock(f)
	}
	return err
}

func writeHolder(f *os.File, h Holder) error {
	if h.PID == 0 {
		h.PID = os.Getpid()
	}
	if h.Started.IsZero() {
		h.Started = time.Now()
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}

// readHolder waits a little for a holder that has the lock and has not yet
// written its name.
func readHolder(f *os.File) Holder {
	for range lockTries {
		var h Holder
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
		if err == nil && json.Unmarshal(text, &h) == nil && h.PID != 0 {
			return h
		}
		time.Sleep(lockPause)
	}
	return Holder{}
}

// unlock empties the file, so that nobody takes an old name for a new holder's,
// and closes it, which gives the lock back. The file stays: removing it would
// let two processes lock two files of the same name.
func unlock(f *os.File) error {
	truncated := f.Truncate(0)
	closed := f.Close()
	if errors.Is(closed, os.ErrClosed) {
		return nil
	}
	if err := errors.Join(truncated, closed); err != nil {
		return fmt.Errorf("releasing lock: %w", err)
	}
	return nil
}
