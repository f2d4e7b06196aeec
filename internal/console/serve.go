package console

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	socketName = "console.sock"
	tokenName  = "console.token"
	maxSocket  = 100 // bytes of a socket's path: the systems' limits are 104 and 108
)

// Listen opens the data folder's socket, for its owner only. The caller holds
// the folder's lock, so a socket that stands there is a dead server's and is
// replaced. A folder with a long path gets its socket in a private folder
// under the system's temporary one: take the listener's address, don't
// compute it.
func Listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, socketName)
	if len(path) > maxSocket {
		private, err := os.MkdirTemp("", "gatehouse-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for the console's socket: %w", err)
		}
		path = filepath.Join(private, socketName)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing a dead server's socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on the console's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("keeping others off the console's socket: %w", err)
	}
	return ln, nil
}

// Token gives the bearer token of the data folder, and makes it (mode 0600) on
// the first call.
func Token(dir string) (string, error) {
	path := filepath.Join(dir, tokenName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newToken(path)
	}
	if err != nil {
		return "", fmt.Errorf("reading the console's token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < 32 {
		return "", fmt.Errorf("reading the console's token: %s holds less than 32 characters; remove it to get a new one", path)
	}
	return token, nil
}

// newToken writes beside and links into place, so that a crash leaves no half
// token.
func newToken(path string) (string, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the program instead
	token := "ght_" + base64.RawURLEncoding.EncodeToString(secret)
	if err := os.WriteFile(path+".new", []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing the console's token: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("writing the console's token: %w", err)
	}
	return token, nil
}

// Serve answers on ln until ctx ends; then running answers, live ones
// included, are ended. Callers on a unix listener are local: who may open the
// socket needs no token. It closes ln.
func (c *Console) Serve(ctx context.Context, ln net.Listener) error {
	server := &http.Server{
		Handler:           c.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withCaller,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving the console: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(end) != nil {
		server.Close()
	}
	<-done
	return nil
}

// caller is who asks. The zero caller came over TCP and needs the token.
type caller struct {
	local   bool
	visitor bool // by a link
	name    string
}

type callerKey struct{}

func withCaller(ctx context.Context, conn net.Conn) context.Context {
	if u, ok := conn.(*net.UnixConn); ok {
		return context.WithValue(ctx, callerKey{}, caller{local: true, name: peer(u)})
	}
	return ctx
}

func callerOf(r *http.Request) caller {
	who, _ := r.Context().Value(callerKey{}).(caller)
	return who
}
