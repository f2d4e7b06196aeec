package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// enforcing keeps secrets here, and stops what holds the canary, which is a key
// of AWS. Where values come back is left to the built-in policy: in what tools
// write into files, not in commands.
const enforcing = `version: 1
mode: enforce
rules:
  - {rule: "secret.aws*", do: block, why: a canary}
  - {rule: "secret.*", do: redact, why: secrets stay here}
`

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// letters makes n letters of an alphabet that are always the same for a seed.
func letters(seed, alphabet string, n int) string {
	var b strings.Builder
	for i := range n {
		sum := sha256.Sum256([]byte(fmt.Sprint(seed, i)))
		b.WriteByte(alphabet[binary.BigEndian.Uint32(sum[:])%uint32(len(alphabet))])
	}
	return b.String()
}

// github makes a token in GitHub's form: 30 letters and their CRC-32.
func github(seed string) string {
	random := letters(seed, base62, 30)
	check := make([]byte, 6)
	for i, sum := 5, crc32.ChecksumIEEE([]byte(random)); i >= 0; i-- {
		check[i] = base62[sum%62]
		sum /= 62
	}
	return "gh" + "p_" + random + string(check)
}

// canary makes the id of an AWS key.
func canary(seed string) string {
	return "AK" + "IA" + letters(seed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
}

// hidden writes a canary so that only the simulated model puts it together.
func hidden(canary string) string { return canary[:6] + "{{found ()}}" + canary[6:] }

var pseudonym = regexp.MustCompile(`QZ[A-Z2-9]{20}`)

const findPseudonym = "{{found QZ[A-Z2-9]{20}}}"

// hand is an agent with its own tools for files, as lines of a script. DIR is
// the working folder.
type hand struct {
	agent       rig.Agent
	simulate    []string
	read, write string // of key.txt; of copy.txt
}

const patch = `*** Begin Patch\n*** Add File: copy.txt\n+token = ` + findPseudonym + `\n*** End Patch\n`

var hands = map[string]hand{
	"claude": {rig.Claude.With("--allowedTools", "Read,Write"), nil,
		`call: Read {"file_path":"DIR/key.txt"}`, `call: Write {"file_path":"DIR/copy.txt","content":"token = ` + findPseudonym + `\n"}`},
	"codex-websocket": {codex, nil, "run: cat key.txt", `call: apply_patch "` + patch + `"`},
	"codex-sse":       {codex, []string{"--no-websocket"}, "run: cat key.txt", `call: apply_patch "` + patch + `"`},
	"gemini": {rig.Gemini, nil,
		`call: read_file {"file_path":"key.txt"}`, `call: write_file {"file_path":"copy.txt","content":"token = ` + findPseudonym + `\n"}`},
}

// codex has its tools one by one with this model; with its newer ones all of
// them stand in a program.
var codex = rig.Agent{Name: rig.Codex.Name, Provider: rig.Codex.Provider, Prefix: rig.Codex.Prefix, Session: rig.Codex.Session,
	Args: append(slices.Clone(rig.Codex.Args), "-m", "gpt-5.5"), Env: rig.Codex.Env, Point: rig.Codex.Point, Resume: rig.Codex.Resume}

// TestKeyThereAndBack: a key in a file that the agent reads never reaches the
// provider. The model sees a stand-in; where it writes that into a file or says
// it, the key stands; where it puts it into a command, it does not.
func TestKeyThereAndBack(t *testing.T) {
	t.Parallel()
	for name, h := range hands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: h.simulate, Policy: enforcing})
			dir, _ := r.AgentDirs(h.agent)
			key := github(name)
			put(t, filepath.Join(dir, "key.txt"), "token = "+key+"\n")
			script := strings.Join([]string{h.read, h.write, "run: printf %s " + findPseudonym + " > command.txt", "[delta 3] say: it was " + findPseudonym}, "\n")

			said := r.Ask(h.agent, strings.ReplaceAll(script, "DIR", dir))
			if said.Code != 0 || !said.Said("it was "+key) {
				t.Errorf("ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
			}
			holds(t, filepath.Join(dir, "copy.txt"), "token = "+key+"\n")
			stood := stoodIn(t, r, key)
			if len(stood) != 1 {
				t.Fatalf("stand-ins %q, want one", stood)
			}
			holds(t, filepath.Join(dir, "command.txt"), stood[0])
			frozen(t, r.Received())
			redacted(t, r, key)
		})
	}
}

// holds checks the text of a file.
func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(path), got, err, want)
	}
}

// stoodIn gives the stand-ins that the provider saw, and fails if it saw the
// secret, in whatever request, header or address.
func stoodIn(t *testing.T, r *rig.Rig, secret string) (list []string) {
	t.Helper()
	eachFile(t, r.Record, func(path string, data []byte) {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("the provider saw the secret: %s", filepath.Base(path))
		}
		if !strings.HasSuffix(path, ".request") {
			return
		}
		for _, p := range pseudonym.FindAllString(string(data), -1) {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	})
	return list
}

func eachFile(t *testing.T, dir string, look func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// redacted checks the record: each flow that held the key says so, by one
// finding; the exact bytes can be read; and nowhere in the data folder stands
// the key itself.
func redacted(t *testing.T, r *rig.Rig, key string) {
	t.Helper()
	ids := map[string]bool{}
	changed := 0
	for _, p := range r.Edited() {
		for _, f := range p.Findings {
			if strings.HasPrefix(f.Rule, "secret.github") {
				ids[f.ID] = true
			}
		}
		if p.ForwardedSHA256 == p.RequestSHA256 {
			continue
		}
		changed++
		if p.Verdict != "redact" || p.Why == "" || p.ForwardedBytes != int64(len(p.Seen.Body)) {
			t.Errorf("a changed flow: %+v", p.Flow)
		}
		if raw := r.Gatehouse("show", "--raw", "request", p.ID); !strings.Contains(raw.Out, key) {
			t.Errorf("flow %s: the request as it came is not in the record", p.ID)
		}
	}
	if changed == 0 || len(ids) != 1 {
		t.Errorf("%d flows were changed, findings %v; want one finding", changed, ids)
	}
	eachFile(t, r.Data, func(path string, data []byte) {
		if bytes.Contains(data, []byte(key)) {
			t.Errorf("%s holds the key", path)
		}
	})
	r.Sound()
}

// frozen checks that what was once forwarded is forwarded the same in the next
// turn, but for the cache marker, which moves.
func frozen(t *testing.T, seen []rig.Exchange) {
	t.Helper()
	var before []json.RawMessage
	for _, x := range seen {
		now := conversation(x.Body)
		if len(now) == 0 || len(before) > 0 && !same(before[0], now[0]) {
			continue // a probe, or another conversation
		}
		for i := range min(len(before), len(now)) {
			if !same(before[i], now[i]) {
				t.Errorf("request %d: item %d was\n%s\nand is\n%s", x.In.Number, i, before[i], now[i])
			}
		}
		before = now
	}
}

// conversation gives the items of a request that carries all of them.
func conversation(body []byte) []json.RawMessage {
	var q struct {
		Messages, Contents, Input []json.RawMessage
		Previous                  string `json:"previous_response_id"`
	}
	if json.Unmarshal(body, &q) != nil || q.Previous != "" {
		return nil
	}
	return slices.Concat(q.Messages, q.Contents, q.Input)
}

var marker = regexp.MustCompile(`,?"cache_control":\{[^}]*\}`)

func same(a, b json.RawMessage) bool {
	return bytes.Equal(marker.ReplaceAll(a, nil), marker.ReplaceAll(b, nil))
}

// TestCodexProgram: with Codex's newer models a file is written by a program
// that runs commands, too. Who lists that tool gets values back in it.
func TestCodexProgram(t *testing.T) {
	t.Parallel()
	write := `call: exec "text(await tools.apply_patch('` + strings.ReplaceAll(patch, `\n`, `\\n`) + `'));"`
	for name, tc := range map[string]struct {
		policy string
		back   bool
	}{
		"not listed": {enforcing, false},
		"listed":     {enforcing + "restore:\n  text: true\n  tools:\n    - {tool: exec, free_text: true}\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Policy: tc.policy})
			dir, _ := r.AgentDirs(rig.Codex)
			key := github(name)
			put(t, filepath.Join(dir, "key.txt"), "token = "+key+"\n")
			if said := r.Ask(rig.Codex, "run: cat key.txt\n"+write+"\nsay: written"); !said.Said("written") {
				t.Errorf("ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
			}
			stood := stoodIn(t, r, key)
			if len(stood) != 1 {
				t.Fatalf("stand-ins %q, want one", stood)
			}
			want := stood[0]
			if tc.back {
				want = key
			}
			holds(t, filepath.Join(dir, "copy.txt"), "token = "+want+"\n")
		})
	}
}

// TestPlantedPseudonym: a stand-in comes back only where its value was replaced
// before, in the same session.
func TestPlantedPseudonym(t *testing.T) {
	t.Parallel()
	h := hands["claude"]
	r := rig.Start(t, rig.Options{Policy: enforcing})
	dir, _ := r.AgentDirs(h.agent)
	key := github("planted")
	put(t, filepath.Join(dir, "key.txt"), "token = "+key+"\n")
	r.Ask(h.agent, strings.ReplaceAll(h.read, "DIR", dir)+"\nsay: read")
	stood := stoodIn(t, r, key)
	if len(stood) != 1 {
		t.Fatalf("stand-ins %q, want one", stood)
	}
	said := r.Ask(h.agent, `call: Write {"file_path":"`+dir+`/planted.txt","content":"`+stood[0]+`"}`+"\nsay: it is "+stood[0])
	holds(t, filepath.Join(dir, "planted.txt"), stood[0])
	if said.Said(key) {
		t.Errorf("another session says the key: %s%s", said.Out, said.Err)
	}
}

// TestBlockedRequest: what must not leave does not, and the agent shows why, at
// once.
func TestBlockedRequest(t *testing.T) {
	t.Parallel()
	for name, h := range hands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: h.simulate, Policy: enforcing})
			bird := canary(name)
			said := r.Ask(h.agent, "say: hello "+bird)
			if !shows(said) {
				t.Errorf("ended with %d and shows no reason:\n%s%s", said.Code, said.Out, said.Err)
			}
			stoodIn(t, r, bird)
			blocked := 0
			for _, f := range r.Settled() {
				if f.State != "refused" {
					continue // a probe, an upgrade, a warm-up
				}
				blocked++
				if f.Verdict != "block" || f.Why == "" || f.ForwardedSHA256 != "" || f.ForwardedBytes != 0 || len(f.Findings) == 0 {
					t.Errorf("flow %+v", f)
				}
			}
			if blocked != 1 {
				t.Errorf("%d calls, want 1: a retry can't cure it", blocked)
			}
			r.Edited()
			r.Sound()
		})
	}
}

// shows reports whether an agent showed our reason, and how a false alarm is
// switched off.
func shows(said rig.Result) bool {
	return said.Said("Gatehouse") && said.Said("gatehouse allow f_")
}

// TestBlockedToolCall: a proposed command that must not run does not, its
// reason is shown, and the session goes on.
func TestBlockedToolCall(t *testing.T) {
	t.Parallel()
	for name, h := range hands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Start(t, rig.Options{Simulate: h.simulate, Policy: enforcing})
			dir, _ := r.AgentDirs(h.agent)
			bird := canary(name)
			said := r.Ask(h.agent, "[delta 1000] run: echo "+hidden(bird)+" > ran.txt\nsay: it ran")
			if !shows(said) || strings.Contains(said.Out, "it ran") {
				t.Errorf("ended with %d and shows no reason:\n%s%s", said.Code, said.Out, said.Err)
			}
			if _, err := os.Stat(filepath.Join(dir, "ran.txt")); err == nil {
				t.Error("the command ran")
			}
			withheld(t, r, bird)
			if said := r.Ask(h.agent.Continued(), "say: still here"); said.Code != 0 || !strings.Contains(said.Out, "still here") {
				t.Errorf("it does not go on: ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
			}
			if !strings.Contains(string(last(r).Body), "ran.txt") {
				t.Error("what went on is another session")
			}
			r.Edited()
			r.Sound()
		})
	}
}

// last is the last request with a body that the provider received.
func last(r *rig.Rig) (x rig.Exchange) {
	for _, e := range r.Received() {
		if len(e.Body) > 0 {
			x = e
		}
	}
	return x
}

// withheld checks the record of the one answer that was blocked: the agent got
// something else than the provider sent, which is kept all the same.
func withheld(t *testing.T, r *rig.Rig, canary string) {
	t.Helper()
	n := 0
	for _, p := range r.Edited() {
		if p.Verdict != "block" {
			continue
		}
		n++
		got, sent := r.Gatehouse("show", "--raw", "delivered", p.ID).Out, r.Gatehouse("show", "--raw", "response", p.ID).Out
		if strings.Contains(got, canary) || !strings.Contains(sent, canary) || p.DeliveredSHA256 == p.ResponseSHA256 {
			t.Errorf("the agent got\n%s\nthe provider sent\n%s", got, sent)
		}
	}
	if n != 1 {
		t.Errorf("%d blocked answers, want 1", n)
	}
}

// TestCodexReconnects: when one of two calls is withheld, Codex must not go on
// with an answer that the provider holds for whole: it connects anew and sends
// the whole conversation.
func TestCodexReconnects(t *testing.T) {
	t.Parallel()
	r := rig.Start(t, rig.Options{Policy: enforcing})
	dir, _ := r.AgentDirs(codex)
	said := r.Ask(codex, "[parallel] run: echo ran > first.txt\nrun: echo "+hidden(canary("two"))+" > second.txt\nsay: it ran")
	if !shows(said) {
		t.Errorf("ended with %d and shows no reason:\n%s%s", said.Code, said.Out, said.Err)
	}
	holds(t, filepath.Join(dir, "first.txt"), "ran\n")
	if _, err := os.Stat(filepath.Join(dir, "second.txt")); err == nil {
		t.Error("the withheld command ran")
	}
	upgrades, after := 0, []byte{}
	for _, x := range r.Received() {
		switch x.In.Method {
		case "GET":
			if strings.HasSuffix(x.In.Path, "/responses") {
				upgrades++
			}
		case "MESSAGE":
			after = x.Body
		case "POST":
			t.Errorf("Codex fell back to HTTP: %s", x.In.Path)
		}
	}
	if upgrades < 2 || bytes.Contains(after, []byte("previous_response_id")) {
		t.Errorf("%d connections; the last message has %d bytes: %.300s", upgrades, len(after), after)
	}
}

// TestSubagentsInParallel: two sub-agents at the same time, each with a key of
// its own: none gets the other's.
func TestSubagentsInParallel(t *testing.T) {
	t.Parallel()
	r := rig.Start(t, rig.Options{Policy: enforcing})
	a := hands["claude"].agent.With("--allowedTools", "Agent")
	dir, _ := r.AgentDirs(a)
	script := "[parallel]\n"
	keys := map[string]string{"one": github("one"), "two": github("two")}
	for name, key := range keys {
		put(t, filepath.Join(dir, name+".txt"), "token = "+key+"\n")
		own, err := json.Marshal(fmt.Sprintf("[pace 2ms]\ncall: Read {\"file_path\":%q}\ncall: Write {\"file_path\":%q,\"content\":\"token = %s\"}\nsay: sub-%s has %s",
			filepath.Join(dir, name+".txt"), filepath.Join(dir, name+"-copy.txt"), findPseudonym, name, findPseudonym))
		if err != nil {
			t.Fatal(err)
		}
		// The place is for the sub-agent's model, not for this one's.
		prompt := strings.ReplaceAll(string(own), "{{", `\u007b\u007b`)
		script += fmt.Sprintf(`call: Agent {"description":"sub","subagent_type":"general-purpose","prompt":%s}`, prompt) + "\n"
	}
	said := r.Ask(a, script)
	for name, key := range keys {
		holds(t, filepath.Join(dir, name+"-copy.txt"), "token = "+key)
		if !said.Said("sub-" + name + " has " + key) {
			t.Errorf("ended with %d and said:\n%s%s", said.Code, said.Out, said.Err)
		}
		stoodIn(t, r, key)
	}
	r.Edited()
	r.Sound()
}
