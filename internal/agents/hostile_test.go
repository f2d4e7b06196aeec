package agents_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
)

// agentsVar names a folder with the agents' programs, instead of where the
// end-to-end tests install them.
const agentsVar = "GATEHOUSE_AGENTS"

const hostileVar = "GATEHOUSE_HOSTILE"

// secret stands for the person's credential in every header that may carry it.
const secret = "sk-ant-test-THE-PERSONS-KEY-0123456789"

// seen is one request that a server got.
type seen struct {
	line          string // method and target
	nonce, secret bool   // it carried the prompt; the person's credential
}

func (s seen) String() string {
	return fmt.Sprintf("%s (prompt %v, key %v)", s.line, s.nonce, s.secret)
}

// witness is a server that notes what reaches it, and refuses it so that no
// agent asks twice.
type witness struct {
	*httptest.Server
	nonce string

	mu  sync.Mutex
	got []seen
}

func newWitness(t *testing.T, nonce string) *witness {
	w := &witness{nonce: nonce}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var head bytes.Buffer
	r.Header.Write(&head)
	w.mu.Lock()
	w.got = append(w.got, seen{
		r.Method + " " + r.RequestURI,
		bytes.Contains(body, []byte(w.nonce)),
		strings.Contains(head.String()+r.RequestURI, secret),
	})
	w.mu.Unlock()
	switch {
	case r.Method == http.MethodHead:
	case r.Header.Get("Upgrade") != "":
		http.Error(rw, "no", http.StatusUpgradeRequired)
	default:
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		io.WriteString(rw, `{"type":"error","error":{"type":"invalid_request_error","message":"the witness answers nobody","code":400,"status":"INVALID_ARGUMENT"}}`)
	}
}

func (w *witness) requests() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]seen(nil), w.got...)
}

func (w *witness) any(ok func(seen) bool) bool {
	for _, s := range w.requests() {
		if ok(s) {
			return true
		}
	}
	return false
}

// attack is a working folder that tries to move an agent.
type attack struct {
	agent, name string
	files       map[string]string // path in the folder → content; {evil}, {socket} are replaced
	dir         string            // folder below it in which the agent runs
	args        []string          // instead of the usual ones before the prompt
	env         []string          // beside the credentials
	home        map[string]string // the person's own files
	stops       bool              // the agent then makes no call at all
	short       bool              // run every time, not only with GATEHOUSE_HOSTILE=all
}

// program finds an agent as the end-to-end tests install it.
func program(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv(agentsVar)
	if dir == "" {
		dir = filepath.Join("..", "..", "test", "e2e", "node_modules", ".bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not installed (make agents)", name)
	}
	return path
}

// TestHostileFolder starts the real agents in working folders whose own settings
// point elsewhere. One server is the gateway; the other must see neither the
// prompt nor the person's key. "It works" means that the gateway got the prompt:
// a probe may come to us while the call goes elsewhere.
func TestHostileFolder(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.agent+"/"+a.name, func(t *testing.T) {
			if !a.short && os.Getenv(hostileVar) != "all" {
				t.Skip("run with " + hostileVar + "=all")
			}
			a.run(t)
		})
	}
}

func (a attack) run(t *testing.T) {
	path := program(t, a.agent)
	nonce := rand.Text()
	good, evil := newWitness(t, nonce), newWitness(t, nonce)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(l, evil)
	defer l.Close()

	dir, home := t.TempDir(), t.TempDir()
	fill := strings.NewReplacer("{evil}", evil.URL, "{socket}", socket, "{dir}", dir)
	for name, content := range a.files {
		write(t, filepath.Join(dir, name), fill.Replace(content))
	}
	prepare(t, a.agent, home, dir)
	for name, content := range a.home {
		write(t, filepath.Join(home, name), fill.Replace(content))
	}
	agent, ok := agents.For(a.agent)
	if !ok {
		t.Fatalf("unknown agent %s", a.agent)
	}
	env := append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=dumb",
		"ANTHROPIC_API_KEY=" + secret, "OPENAI_API_KEY=" + secret, "CODEX_API_KEY=" + secret, "GEMINI_API_KEY=" + secret}, a.env...)
	if a.args == nil {
		a.args = headless[a.agent]
	}
	args := append(slices.Clone(a.args), "say "+nonce)
	launch := agent.Launch(agents.Gateway{URL: good.URL, Env: env, Args: args, Dir: filepath.Join(dir, a.dir), Read: os.ReadFile})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, launch.Args...)
	cmd.Dir, cmd.Env = filepath.Join(dir, a.dir), launch.Env
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("%s did not end", a.agent)
	}
	modelCall := func(s seen) bool { return strings.HasPrefix(s.line, "POST /") && s.nonce }
	if !a.stops && !good.any(modelCall) {
		t.Errorf("the gateway saw no model call")
	}
	if evil.any(func(s seen) bool { return s.nonce || s.secret }) {
		t.Errorf("the prompt or the key went elsewhere")
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("gateway: %v\nelsewhere: %v\nended: %v\n%s", good.requests(), evil.requests(), err, out)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// headless are the arguments before the prompt.
var headless = map[string][]string{
	"claude":   {"-p"},
	"codex":    {"exec", "--skip-git-repo-check"},
	"gemini":   {"--yolo", "-m", "gemini-2.5-flash", "-p"},
	"aider":    {"--no-git", "--yes-always", "--no-stream", "--no-show-release-notes", "--no-check-update", "--model", "anthropic/claude-sonnet-4-20250514", "--message"},
	"opencode": {"run", "-m", "anthropic/claude-sonnet-4-5"},
}

// prepare makes a home in which the person has trusted the folder: the worst
// case.
func prepare(t *testing.T, agent, home, dir string) {
	switch agent {
	case "claude":
		write(t, filepath.Join(home, ".claude.json"), `{"hasCompletedOnboarding":true,"projects":{"`+dir+`":{"hasTrustDialogAccepted":true}}}`)
	case "codex":
		write(t, filepath.Join(home, ".codex", "config.toml"), "[projects.\""+dir+"\"]\ntrust_level = \"trusted\"\n")
	case "gemini":
		write(t, filepath.Join(home, ".gemini", "settings.json"), `{"security":{"auth":{"selectedType":"gemini-api-key"}}}`)
		write(t, filepath.Join(home, ".gemini", "trustedFolders.json"), `{"`+dir+`":"TRUST_FOLDER"}`)
	}
}
