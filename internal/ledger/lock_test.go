package ledger_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// lockFor is set in the child process of these tests: it locks that folder,
// says so, and waits to be ended.
const lockFor = "GATEHOUSE_TEST_LOCK"

func init() {
	dir := os.Getenv(lockFor)
	if dir == "" {
		return
	}
	if _, err := ledger.Lock(dir, ledger.Holder{Listen: "127.0.0.1:4000"}); err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("locked\n")
	bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

// lockElsewhere locks dir in another process and gives that process.
func lockElsewhere(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockFor+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	return cmd
}

func TestLockTellsWhoHasIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if h, held := ledger.Held(dir); held {
		t.Fatalf("Held of no folder: %+v", h)
	}
	want := ledger.Holder{
		PID: os.Getpid(), Started: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Listen: "127.0.0.1:4000", Console: "127.0.0.1:4040", Socket: "/tmp/sock",
	}
	release, err := ledger.Lock(dir, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, held := ledger.Held(dir); !held || got != want {
		t.Errorf("Held = %+v, %v; want %+v", got, held, want)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if h, held := ledger.Held(dir); held {
		t.Errorf("Held after release: %+v", h)
	}
	if info, err := os.Stat(filepath.Join(dir, "lock")); err != nil || info.Size() != 0 {
		t.Errorf("the old holder's name is left in the file: %v, %v", info, err)
	}
	if err := release(); err != nil {
		t.Errorf("second release: %v", err)
	}
}

func TestLockFillsInProcess(t *testing.T) {
	dir := t.TempDir()
	release, err := ledger.Lock(dir, ledger.Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if h, _ := ledger.Held(dir); h.PID != os.Getpid() || h.Started.IsZero() {
		t.Errorf("Held = %+v", h)
	}
}

func TestSecondLockNamesTheFirst(t *testing.T) {
	dir := t.TempDir()
	cmd := lockElsewhere(t, dir)
	_, err := ledger.Lock(dir, ledger.Holder{})
	var held *ledger.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("Lock = %v, want a HeldError", err)
	}
	if held.Holder.PID != cmd.Process.Pid || held.Dir != dir {
		t.Errorf("HeldError = %+v, want process %d", held, cmd.Process.Pid)
	}
	if !strings.Contains(err.Error(), "127.0.0.1:4000") {
		t.Errorf("error %q lacks the address", err)
	}
	if h, ok := ledger.Held(dir); !ok || h.PID != cmd.Process.Pid {
		t.Errorf("Held = %+v, %v", h, ok)
	}
}

func TestLockOfDeadProcessIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	cmd := lockElsewhere(t, dir)
	cmd.Process.Kill()
	cmd.Wait()
	if h, held := ledger.Held(dir); held {
		t.Fatalf("Held by a dead process: %+v", h)
	}
	release, err := ledger.Lock(dir, ledger.Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if h, _ := ledger.Held(dir); h.PID != os.Getpid() {
		t.Errorf("Held = %+v, want this process", h)
	}
}

func TestAskingDoesNotGetInTheWay(t *testing.T) {
	dir := t.TempDir()
	stop, asked := make(chan bool), make(chan bool)
	go func() {
		defer close(asked)
		for {
			select {
			case <-stop:
				return
			default:
				ledger.Held(dir)
			}
		}
	}()
	for range 50 {
		release, err := ledger.Lock(dir, ledger.Holder{})
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
	close(stop)
	<-asked
}
