package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// TestScripts runs the command line as a person does; see testdata/script.
// Beside testscript's own commands a script has
//
//	up [CONFIG]          start a simulated provider and a gateway on ./data; sets $GATEWAY, $CONSOLE, $PID
//	down                 end the gateway by SIGTERM
//	crash                end it by SIGKILL
//	ask PROVIDER TEXT    send TEXT as a user's message; prints the answer's text
//	get URL [HEADER]     print what GET gives
//	flip FILE [BYTES]    change the byte in the middle of a file, or that many from its end
//	watched FILE         call until FILE, where tail writes, has something
//	lines N FILE         wait until the file has at least N lines
//	flow N               set $FLOW to the id of the Nth flow
//	newkey NAME          make an access key; sets $KEY
//	token                set $TOKEN to the console's
func TestScripts(t *testing.T) {
	dir := filepath.Dir(rig.Binary(t))
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", dir+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("GATEHOUSE_DATA", filepath.Join(e.WorkDir, "data"))
			e.Values["env"] = e
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"up": scriptUp, "down": scriptDown, "crash": scriptCrash, "ask": scriptAsk, "get": scriptGet,
			"flip": scriptFlip, "lines": scriptLines, "watched": scriptWatched, "flow": scriptFlow,
			"newkey": scriptNewKey, "token": scriptToken,
		},
	})
}

// inScript lets a rig live in a script.
type inScript struct {
	ts  *testscript.TestScript
	env *testscript.Env
}

func (s inScript) Helper()                      {}
func (s inScript) Fatal(args ...any)            { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s inScript) Fatalf(f string, args ...any) { s.ts.Fatalf(f, args...) }
func (s inScript) Errorf(f string, args ...any) { s.ts.Logf(f, args...); s.env.T().FailNow() }
func (s inScript) Logf(f string, args ...any)   { s.ts.Logf(f, args...) }
func (s inScript) Skipf(f string, args ...any)  { s.env.T().Skip(fmt.Sprintf(f, args...)) }
func (s inScript) Cleanup(f func())             { s.env.Defer(f) }
func (s inScript) Context() context.Context     { return context.Background() }
func (s inScript) TempDir() string              { return s.env.WorkDir }
func (s inScript) Failed() bool                 { return false }

func theRig(ts *testscript.TestScript) *rig.Rig {
	r, ok := ts.Value("rig").(*rig.Rig)
	if !ok {
		ts.Fatalf("no gateway: say up first")
	}
	return r
}

func scriptUp(ts *testscript.TestScript, _ bool, args []string) {
	env := ts.Value("env").(*testscript.Env)
	r, ok := env.Values["rig"].(*rig.Rig)
	if !ok {
		o := rig.Options{}
		if len(args) > 0 {
			o.Config = ts.ReadFile(args[0])
		}
		r = rig.New(inScript{ts, env}, o)
		env.Values["rig"] = r
	}
	r.Up()
	ts.Setenv("GATEWAY", r.Gateway)
	ts.Setenv("CONSOLE", r.Console)
	ts.Setenv("PROVIDER", r.Provider)
	ts.Setenv("PID", fmt.Sprint(r.PID))
}

func scriptDown(ts *testscript.TestScript, _ bool, _ []string) { theRig(ts).Stop() }

func scriptCrash(ts *testscript.TestScript, _ bool, _ []string) { theRig(ts).Kill() }

// scriptAsk speaks as a plain client, not as an SDK.
func scriptAsk(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: ask PROVIDER TEXT [HEADER:VALUE]…")
	}
	path, body := plainCall(args[0], args[1])
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("GATEWAY")+path, strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("X-Api-Key", rig.Secret)
	req.Header.Set("Anthropic-Version", "2023-06-01")
	for _, h := range args[2:] {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, _ = ts.Stdout().Write(text)
	if ok := resp.StatusCode == http.StatusOK; ok == neg {
		ts.Fatalf("status %s: %s", resp.Status, text)
	}
}

// plainCall writes one request. A provider may follow a path prefix such as
// /k/KEY.
func plainCall(provider, text string) (path, body string) {
	prefix := ""
	if i := strings.LastIndex(provider, "/"); i > 0 {
		prefix, provider = "/"+provider[:i], provider[i+1:]
	}
	quoted, _ := json.Marshal(text)
	switch provider {
	case "openai":
		return prefix + "/openai/v1/chat/completions", `{"model":"gpt-5","messages":[{"role":"user","content":` + string(quoted) + `}]}`
	case "gemini":
		return prefix + "/gemini/v1beta/models/gemini-2.5-pro:generateContent", `{"contents":[{"role":"user","parts":[{"text":` + string(quoted) + `}]}]}`
	}
	return prefix + "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":` + string(quoted) + `}]}`
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	for _, h := range args[1:] {
		name, value, _ := strings.Cut(h, ":")
		if strings.EqualFold(name, "host") {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
	if ok := resp.StatusCode == http.StatusOK; ok == neg {
		ts.Fatalf("status %s", resp.Status)
	}
}

func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	// Segments are zero-filled ahead: the middle is that of what was written.
	used := len(strings.TrimRight(string(data), "\x00"))
	at := used / 2
	if len(args) > 1 {
		var back int
		_, err := fmt.Sscan(args[1], &back)
		ts.Check(err)
		at = used - back
	}
	data[at] ^= 0x40
	ts.Check(os.WriteFile(name, data, 0o600))
}

func scriptLines(ts *testscript.TestScript, _ bool, args []string) {
	var want int
	_, err := fmt.Sscan(args[0], &want)
	ts.Check(err)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(ts.MkAbs(args[1]))
		if strings.Count(string(data), "\n") >= want {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("waited 20 s for %d lines in %s, which has:\n%s", want, args[1], data)
		}
	}
}

func scriptWatched(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(20 * time.Second); ; {
		scriptAsk(ts, false, []string{"anthropic", "say: is anybody watching?"})
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("nothing is in %s after 20 s", args[0])
		}
	}
}

func scriptFlow(ts *testscript.TestScript, _ bool, args []string) {
	var n int
	_, err := fmt.Sscan(args[0], &n)
	ts.Check(err)
	ts.Check(ts.Exec("gatehouse", "flows", "--json"))
	scan := bufio.NewScanner(strings.NewReader(ts.ReadFile("stdout")))
	scan.Buffer(nil, 1<<20)
	for i := 1; scan.Scan(); i++ {
		var f rig.Flow
		ts.Check(json.Unmarshal(scan.Bytes(), &f))
		if i == n {
			ts.Setenv("FLOW", f.ID)
			return
		}
	}
	ts.Fatalf("there is no flow %d", n)
}

var keyText = regexp.MustCompile(`ghk_[0-9A-Za-z]+`)

func scriptNewKey(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("gatehouse", "key", "add", args[0]))
	key := keyText.FindString(ts.ReadFile("stdout"))
	if key == "" {
		ts.Fatalf("no key in %s", ts.ReadFile("stdout"))
	}
	ts.Setenv("KEY", key)
}

func scriptToken(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("TOKEN", strings.TrimSpace(ts.ReadFile("data/console.token")))
}
