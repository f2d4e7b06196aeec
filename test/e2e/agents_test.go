package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// round lets an agent do one tool round trip through the gateway, and checks
// what every agent's round trip has in common: the agent said the tool's
// result, each request is one flow, byte for byte, and the ledger is sound.
func round(t *testing.T, a rig.Agent, o rig.Options) (pairs []rig.Pair) {
	t.Helper()
	r := rig.Start(t, o)
	said := r.Ask(a, "run: printf hello-%d-from-tool 42")
	if said.Code != 0 || !strings.Contains(said.Out, "hello-42-from-tool") {
		t.Errorf("%s ended with %d and said:\n%s%s", a.Name, said.Code, said.Out, said.Err)
	}
	pairs = r.Pairs()
	for _, p := range pairs {
		common(t, a, p)
	}
	turns(t, pairs, 2)
	r.Sound()
	sealed(t, r)
	return pairs
}

// sealed greps the data folder: nothing of what was said, and no credential,
// stands there outside the encryption.
func sealed(t *testing.T, r *rig.Rig) {
	t.Helper()
	err := filepath.WalkDir(r.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, word := range []string{rig.Secret, "hello-", "printf", "AGENTS.md", "system-reminder"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s holds %q", path, word)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// common checks one flow and the request that the provider saw.
func common(t *testing.T, a rig.Agent, p rig.Pair) {
	t.Helper()
	f := p.Flow
	if f.State != "done" || f.Verdict != "pass" || f.Entrance != "redirect" || f.Provider != a.Provider || f.Custody != "same-user" || f.Why == "" || f.RetryOf != nil {
		t.Errorf("flow %+v", f)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if want := me.Username + "/" + a.Name; f.Principal != want {
		t.Errorf("principal %q, want %q", f.Principal, want)
	}
	if f.DurationMS == nil || *f.DurationMS < 0 || f.Started.IsZero() {
		t.Errorf("flow %s: started %v, duration %v", f.ID, f.Started, f.DurationMS)
	}
	if strings.HasPrefix(p.Seen.In.Path, a.Prefix) {
		t.Errorf("the provider saw the gateway's prefix: %s", p.Seen.In.Path)
	}
	credential(t, p.Seen.In)
}

// credential checks that the agent's key passed whole, in the header that it
// chose.
func credential(t *testing.T, in rig.Received) {
	t.Helper()
	want := fingerprint(rig.Secret)
	if in.Method == "HEAD" {
		return // Claude Code's probe brings none
	}
	for _, name := range []string{"X-Api-Key", "X-Goog-Api-Key"} {
		if in.Get(name) == want {
			return
		}
	}
	if in.Get("Authorization") != fingerprint("Bearer "+rig.Secret) {
		t.Errorf("request %d came without the agent's key: %v", in.Number, in.Header)
	}
}

// fingerprint is how simulate records a credential.
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// turns checks numbers, usage and cost of the calls that made the model
// answer: they are numbered from 1 in one session, and count what the provider
// said that it counted.
func turns(t *testing.T, pairs []rig.Pair, want int) {
	t.Helper()
	n, session := 0, ""
	for _, p := range pairs {
		counted, ok := billed(p)
		if !ok {
			if p.Turn != nil {
				t.Errorf("%s %s is no turn, and has number %d", p.Method, p.Path, *p.Turn)
			}
			continue
		}
		n++
		if p.Turn == nil || *p.Turn != n {
			t.Errorf("turn %v, want %d: %s %s", show(p.Turn), n, p.Method, p.Path)
		}
		if session == "" {
			session = p.Session
		}
		if p.Session == "" || p.Session != session {
			t.Errorf("turn %d is in session %q, the first one was in %q", n, p.Session, session)
		}
		if p.Usage != counted {
			t.Errorf("turn %d: usage %+v, the provider said %+v", n, p.Usage, counted)
		}
		if p.FirstByteMS == nil || p.ProviderRequestID != requestID(p) {
			t.Errorf("turn %d: first byte %v, request id %q, want %q", n, p.FirstByteMS, p.ProviderRequestID, requestID(p))
		}
	}
	if n != want {
		t.Errorf("%d turns, want %d", n, want)
	}
}

func show(n *int) any {
	if n == nil {
		return nil
	}
	return *n
}

func priced(t *testing.T, pairs []rig.Pair) {
	t.Helper()
	for _, p := range pairs {
		if p.Turn != nil && (p.CostUSD == nil || *p.CostUSD <= 0) {
			t.Errorf("turn %d of %s costs %v", *p.Turn, p.Model, p.CostUSD)
		}
	}
}

// claimed checks that the session is the one that the agent named.
func claimed(t *testing.T, a rig.Agent, pairs []rig.Pair) {
	t.Helper()
	for _, p := range pairs {
		if id := p.Seen.In.Get(a.Session); id != "" && p.Session != id {
			t.Errorf("session %q, the agent named %q", p.Session, id)
		}
	}
}

func TestClaudeCode(t *testing.T) {
	pairs := round(t, rig.Claude, rig.Options{})
	claimed(t, rig.Claude, pairs)
	priced(t, pairs)
	for _, p := range pairs {
		if p.Method == "POST" && (p.Seen.In.Get("Anthropic-Beta") == "" || !strings.HasSuffix(p.Seen.In.Path, "?beta=true")) {
			t.Errorf("the provider saw %s with %v", p.Seen.In.Path, p.Seen.In.Header)
		}
	}
}

func TestClaudeCodeThinking(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	said := r.Ask(rig.Claude, "[think] [parallel] run: echo one-$((1+0))\nrun: echo two-$((1+1))")
	if !said.Said("one-1") || !said.Said("two-2") {
		t.Errorf("said %s%s", said.Out, said.Err)
	}
	turns(t, r.Pairs(), 2)
}

// TestSubagent: a sub-agent's calls hang under their session, and say whose
// they are.
func TestSubagent(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	a := rig.Claude
	a.Args = append([]string{"--allowedTools", "Agent"}, a.Args...)
	said := r.Ask(a, `call: Agent {"description":"sub","prompt":"run: echo from-the-sub-$((40+2))","subagent_type":"general-purpose"}`)
	if !said.Said("from-the-sub-42") {
		t.Errorf("said %s%s", said.Out, said.Err)
	}
	pairs := r.Pairs()
	turns(t, pairs, 4)
	subs := 0
	for _, p := range pairs {
		id := p.Seen.In.Get("X-Claude-Code-Agent-Id")
		if p.Subagent != id {
			t.Errorf("sub-agent %q, the agent named %q", p.Subagent, id)
		}
		if id != "" {
			subs++
		}
	}
	if subs != 2 {
		t.Errorf("%d calls of the sub-agent, want 2", subs)
	}
}

func TestCodexWebSocket(t *testing.T) {
	pairs := round(t, rig.Codex, rig.Options{})
	claimed(t, rig.Codex, pairs)
	messages := 0
	for _, p := range pairs {
		if p.Method == "MESSAGE" {
			messages++
		}
		if p.Method == "POST" {
			t.Errorf("Codex fell back to HTTP: %+v", p.Flow)
		}
	}
	if messages != 3 {
		t.Errorf("%d messages, want a warm-up and two turns", messages)
	}
}

func TestCodexSSE(t *testing.T) {
	a := rig.Codex
	a.Args = append(a.Args, "-m", "gpt-5-codex")
	pairs := round(t, a, rig.Options{Simulate: []string{"--no-websocket"}})
	claimed(t, a, pairs)
	priced(t, pairs)
}

func TestGeminiCLI(t *testing.T) {
	priced(t, round(t, rig.Gemini, rig.Options{}))
}

// TestAgentsStreams runs the agents against answers whose bytes come in
// unusual ways: they must notice no gateway.
func TestAgentsStreams(t *testing.T) {
	for name, a := range map[string]rig.Agent{"claude": rig.Claude, "codex": rig.Codex, "gemini": rig.Gemini} {
		t.Run(name, func(t *testing.T) {
			r := rig.Start(t, rig.Options{Simulate: []string{"--chunk", "11"}})
			said := r.Ask(a, "[pace 1ms] say: cut into small pieces")
			if said.Code != 0 || !strings.Contains(said.Out, "cut into small pieces") {
				t.Errorf("said %s%s", said.Out, said.Err)
			}
			r.Pairs()
		})
	}
}

// TestRetry: an agent's own retry after a 529 shares its turn, and says whose
// retry it is.
func TestRetry(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	said := r.Ask(rig.Claude, "[fail 529 times 1 retry-after 0] say: at the second try")
	if !said.Said("at the second try") {
		t.Errorf("said %s%s", said.Out, said.Err)
	}
	var posts []rig.Pair
	for _, p := range r.Pairs() {
		if p.Method == "POST" {
			posts = append(posts, p)
		}
	}
	if len(posts) != 2 {
		t.Fatalf("%d requests, want 2", len(posts))
	}
	first, second := posts[0].Flow, posts[1].Flow
	if first.Status != 529 || second.Status != 200 || second.RetryOf == nil || *second.RetryOf != first.ID || show(second.Turn) != show(first.Turn) {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
}
