package console_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
)

// private fails when others may use the file. Windows has no such bits: there
// the data folder's access list says who may.
func private(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		t.Errorf("%s has mode %o: others may use it", filepath.Base(path), mode)
	}
}

func TestTokenIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	first, err := console.Token(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := console.Token(dir)
	if err != nil || second != first || len(first) < 40 {
		t.Errorf("got %q then %q, %v; want the same long token", first, second, err)
	}
	private(t, filepath.Join(dir, "console.token"))
	if other, err := console.Token(t.TempDir()); err != nil || other == first {
		t.Errorf("another folder has the token %q, %v", other, err)
	}
}

func TestTokenThatIsTooShortIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "console.token"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := console.Token(dir); err == nil || got != "" {
		t.Errorf("got %q, %v; want an error", got, err)
	}
}

func TestListenReplacesADeadSocket(t *testing.T) {
	dir := t.TempDir()
	first, err := console.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := first.Addr().String()
	private(t, path)
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as a crash leaves it
	first.Close()
	second, err := console.Listen(dir)
	if err != nil {
		t.Fatalf("listening where a dead server's socket is: %v", err)
	}
	defer second.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestListenWithALongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ln, err := console.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(ln.Addr().String()))
	defer ln.Close()
	private(t, ln.Addr().String())
	conn, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
