package app_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/flow"
)

// fixture gives a body of a real agent.
func fixture(t testing.TB, name string) string {
	t.Helper()
	file, err := os.Open(filepath.Join("../../test/fixtures/agents", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// told asks for a session as people read it.
func (h *house) told(session string) *conversation.Conversation {
	h.t.Helper()
	return h.talk("/sessions/" + url.PathEscape(session) + "/conversation?why=test")
}

func (h *house) talk(path string) *conversation.Conversation {
	h.t.Helper()
	c := &conversation.Conversation{}
	if err := json.Unmarshal(h.adminGet(path), c); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// outline says a conversation in few words: branches, rounds, turns and what each
// added and got. Prompts of tools, system prompts and definitions are counted only.
func outline(c *conversation.Conversation) string {
	var b strings.Builder
	for _, br := range c.Branches {
		if br.Subagent != "" {
			fmt.Fprintf(&b, "branch %s by %s\n", br.Subagent, br.StartedBy)
		}
		for _, r := range br.Rounds {
			n := "-"
			if r.N != nil {
				n = fmt.Sprint(*r.N)
			}
			fmt.Fprintf(&b, "round %s %.30q\n", n, r.Prompt)
			for _, t := range r.Turns {
				b.WriteString(turnLine(t) + "\n")
			}
		}
	}
	return b.String()
}

func turnLine(t *conversation.Turn) string {
	line := fmt.Sprintf(" %d+%d-%d", t.Change.Kept, t.Change.Added, t.Change.Removed)
	if t.Side {
		line = " side" + line
	}
	for _, p := range append(append([]*conversation.Part{}, t.Added...), t.Answer...) {
		if p.Role == "system" || p.Role == "developer" || p.Kind == flow.ToolDef {
			continue
		}
		name := string(p.Kind)
		if p.Title != "" {
			name += " " + p.Title
		}
		if p.Echo {
			name = "(" + name + ")"
		}
		line += fmt.Sprintf(", %.34s", name)
	}
	if t.Cache.Reason != "" {
		line += " cache " + t.Cache.Reason
	}
	return line
}

// TestSessionsOfRealAgents: what three agents sent, word for word.
func TestSessionsOfRealAgents(t *testing.T) {
	for _, tc := range []struct{ dir, path, want string }{
		{"claude-code-2.1.197", "/anthropic/v1/messages?beta=true", `round 1 "[think] run: ls -R\nrun: cat sr"
 0+3-0, text, text, thinking, tool_call Bash ls -R cache first
 3+3-0, (thinking), (tool_call Bash ls -R), tool_result, thinking, tool_call Bash cat src/main.go REA
 6+3-0, (thinking), (tool_call Bash cat src/main.go RE, tool_result, thinking, tool_call Bash cat no-such-file
 9+3-0, (thinking), (tool_call Bash cat no-such-file), tool_result, thinking, text
`},
		{"codex-0.169.0-sse", "/openai/v1/responses", `round 1 "[think] run: ls -R\nrun: cat sr"
 0+11-0, text, text, thinking, tool_call functions.exec ls -R cache first
 11+3-0, (thinking), (tool_call functions.exec lihab r , tool_result, thinking, tool_call functions.exec cat src/m
 14+3-0, (thinking), (tool_call functions.exec lihab r , tool_result, thinking, tool_call functions.exec cat no-su
 17+3-0, (thinking), (tool_call functions.exec lihab r , tool_result, thinking, text
`},
		{"gemini-cli-0.61.0", "/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", `round 1 "[think] run: ls -R\nrun: cat sr"
 0+2-0, text, text, thinking, tool_call run_shell_command ls -R, text cache first
 2+2-0, (tool_call run_shell_command ls -R, tool_result, thinking, tool_call run_shell_command cat sr, text
 4+2-0, (tool_call run_shell_command cat s, tool_result, thinking, tool_call run_shell_command cat no, text
 6+2-0, (tool_call run_shell_command cat n, tool_result, thinking, text
`},
	} {
		t.Run(tc.dir, func(t *testing.T) {
			n := 0
			up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				n++
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, fixture(t, fmt.Sprintf("%s/%d.response.gz", tc.dir, n)))
			})
			h := open(t, t.TempDir(), up, nil)
			for i := 1; i <= 4; i++ {
				h.call(tc.path, fixture(t, fmt.Sprintf("%s/%d.request.gz", tc.dir, i)))
			}
			c := h.told(h.ended(4)[0].Session)
			if got := outline(c); got != tc.want {
				t.Errorf("got\n%swant\n%s", got, tc.want)
			}
			if c.Turns != 4 || len(c.Models) == 0 || c.Custody != flow.SameUser || c.Next != "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestASessionOverASocket: each message names the one before it and says only what
// is new.
func TestASessionOverASocket(t *testing.T) {
	const dir = "codex-0.169.0-websocket"
	n := 0
	up := socketUpstream(t, func(string) []string {
		n++
		return strings.Split(strings.TrimSpace(fixture(t, fmt.Sprintf("%s/%d.response.gz", dir, n))), "\n")
	})
	h := open(t, t.TempDir(), up, nil)
	const session = "01a2136d-630b-7f72-8ee8-278dca8b3bf7"
	c := dial(t, h, "/openai/v1/responses", http.Header{"Session-Id": {session}})
	for i := 1; i <= 5; i++ {
		events := strings.Count(strings.TrimSpace(fixture(t, fmt.Sprintf("%s/%d.response.gz", dir, i))), "\n") + 1
		say(t, c, fixture(t, fmt.Sprintf("%s/%d.request.gz", dir, i)), events)
	}
	c.Close(websocket.StatusNormalClosure, "")
	h.ended(6)
	want := `round 1 "[think] run: ls -R\nrun: cat sr"
 side 0+0-0
 side 0+0-0
 0+11-0, text, text, thinking, tool_call functions.exec ls -R cache first
 11+1-0, tool_result, thinking, tool_call functions.exec cat src/m
 12+1-0, tool_result, thinking, tool_call functions.exec cat no-su
 13+1-0, tool_result, thinking, text
`
	if got := outline(h.told(session)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// coder is a session of an agent with tools; what comes is answered in order.
type coder struct {
	*house
	answers []string
	n       int
}

func newCoder(t *testing.T, change func(*config.Config)) *coder {
	c := &coder{}
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if c.answers[c.n] == "" {
			w.WriteHeader(529)
			c.answers[c.n] = `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`
		}
		io.WriteString(w, c.answers[c.n])
		c.n++
	})
	c.house = open(t, t.TempDir(), up, change)
	return c
}

func replied(content string, read, write int) string {
	return fmt.Sprintf(`{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[%s],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_read_input_tokens":%d,"cache_creation_input_tokens":%d,"output_tokens":7}}`, content, read, write)
}

func text(s string) string { return fmt.Sprintf(`{"type":"text","text":%q}`, s) }

// send sends messages, and gets an answer.
func (c *coder) send(tools, system string, messages []string, answer string, header ...string) {
	c.t.Helper()
	c.answers = append(c.answers, answer)
	body := fmt.Sprintf(`{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[%s],"system":[%s],"tools":%s}`, strings.Join(messages, ","), text(system), tools)
	c.call("/anthropic/v1/messages", body, append([]string{"X-Claude-Code-Session-Id", "s"}, header...)...)
}

const bash = `[{"name":"Bash","input_schema":{"type":"object"}}]`

func from(role, content string) string {
	return fmt.Sprintf(`{"role":%q,"content":[%s]}`, role, content)
}

// TestWhatASessionIsMadeOf: rounds, a title beside them, a retry, a sub-agent, an
// edit of the history, a compaction; and what the cache says of each.
func TestWhatASessionIsMadeOf(t *testing.T) {
	c := newCoder(t, nil)
	const reminder = "<system-reminder>\nbe kind\n</system-reminder>"
	c.send("[]", "Make a title.", []string{from("user", text("find the bug"))}, replied(text("Bug hunt"), 0, 0))
	m := []string{from("user", text(reminder)+","+text("find the bug"))}
	c.send(bash, "You help.", m, "")
	c.send(bash, "You help.", m, replied(`{"type":"tool_use","id":"toolu_1","name":"Task","input":{"description":"look","prompt":"Look  everywhere."}}`, 0, 9000))
	c.send(bash, "You look.", []string{from("user", text("Look everywhere."))}, replied(text("found"), 0, 3000), "X-Claude-Code-Agent-Id", "a1", "X-Claude-Code-Parent-Agent-Id", "root")
	m = append(m, from("assistant", `{"type":"tool_use","id":"toolu_1","name":"Task","input":{"description":"look","prompt":"Look  everywhere."}}`), from("user", `{"type":"tool_result","tool_use_id":"toolu_1","content":"found it"}`))
	c.send(bash, "You help.", m, replied(text("It is there."), 9000, 500))
	m = append(m, from("assistant", text("It is there.")), from("user", text("mend it")))
	c.send(bash, "You help.", m, replied(text("Mended."), 9500, 500))
	m[2] = from("user", `{"type":"tool_result","tool_use_id":"toolu_1","content":"[cleared]"}`)
	m = append(m, from("assistant", text("Mended.")), from("user", text("thanks")))
	c.send(bash, "You help.", m, replied(text("Sure."), 2000, 8000))
	c.send(bash, "You help.", []string{from("user", text("This session is being continued from a previous conversation. Summary: mended."))}, replied(text("Going on."), 0, 2000))
	h := c.ended(8)
	got := outline(c.told("s"))
	want := `round 1 "find the bug"
 side 0+1-0, text, text cache first
 0+2-0, text, text, unknown
 2+0-0, tool_call Task look cache first
 2+2-0, (tool_call Task look), tool_result, text
round 2 "mend it"
 4+2-0, (text), text, text
round 3 "thanks"
 5+3-1, tool_result, (text), text, text cache history
 0+1-8, text, text cache history
branch a1 by toolu_1
round 1 "Look everywhere."
 0+1-0, text, text cache first
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	full := c.told("s")
	turns := full.Branches[0].Rounds
	retry := turns[0].Turns[2]
	if retry.RetryOf != h[1].ID || retry.Change.First {
		t.Errorf("the retry: %+v", retry)
	}
	short := turns[2].Turns[1]
	if short.Compacts != h[6].ID || !short.Summary {
		t.Errorf("the compaction is of %q, want %q, %v", short.Compacts, h[6].ID, short.Summary)
	}
	edited := turns[2].Turns[0].Cache
	if edited.Expected != 10000 || edited.Text != "The conversation changed from its block 4 on, so 8,000 tokens were read anew." {
		t.Errorf("the cache: %+v", edited)
	}
	if p := full.Branches[1]; p.Parent != "root" {
		t.Errorf("the sub-agent's parent is %q", p.Parent)
	}
}

// TestWhatIsNotThereIsSaid: flows of which nothing is kept, that were refused, that
// broke off, that are no conversation.
func TestWhatIsNotThereIsSaid(t *testing.T) {
	c := newCoder(t, func(cfg *config.Config) {
		cfg.Capture = []config.Capture{{Principal: "*", Level: flow.CaptureMetadata}}
	})
	c.send(bash, "x", []string{from("user", text("hello"))}, replied(text("hi"), 0, 0))
	v := c.ended(1)[0]
	for _, path := range []string{"/sessions/s/conversation?why=test", "/flows/" + string(v.ID) + "/conversation?why=test"} {
		turn := c.talk(path).Branches[0].Rounds[0].Turns[0]
		if turn.Unread != "Only metadata of this flow is kept." || len(turn.Added)+len(turn.Answer) != 0 || turn.Usage.Output != 7 {
			t.Errorf("%s: %+v", path, turn)
		}
	}

	m := simulated(t, "version: 1\nmode: enforce\n")
	m.call("/anthropic/v1/messages", unreadable, "X-Claude-Code-Session-Id", "s")
	m.call("/anthropic/v1/messages/count_tokens", hello, "X-Claude-Code-Session-Id", "s")
	resp, err := http.DefaultTransport.RoundTrip(m.request("/anthropic/v1/messages", dialects["messages"].body(true, "[cut 1] [words 50]"), "X-Claude-Code-Session-Id", "s"))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body) // it breaks off
	resp.Body.Close()
	m.ended(3)
	turns := m.told("s").Branches[0].Rounds[0].Turns
	if len(turns) != 3 || turns[0].State != flow.Refused || !turns[1].Side {
		t.Fatalf("%+v", turns)
	}
	if last := turns[2]; last.State != flow.Aborted {
		t.Errorf("one that broke off: %+v", last)
	}
}

// marked gives what stands under a part's marks.
func marked(p *conversation.Part) (list []string) {
	units := utf16.Encode([]rune(p.Text))
	for _, m := range p.Marks {
		list = append(list, m.Shown+" "+string(utf16.Decode(units[m.Start:m.End])))
	}
	return list
}

// TestValuesAreNotShown: a value that was replaced shows its stand-in, one that went
// out is masked, in every turn and in the whole request; and reveal gives it, for a
// reason that is recorded.
func TestValuesAreNotShown(t *testing.T) {
	secret := planted(21)
	for mode, shown := range map[string]string{"enforce": "pseudonym", "report": "masked"} {
		t.Run(mode, func(t *testing.T) {
			m := simulated(t, "version: 1\nmode: "+mode+"\nrules:\n  - {rule: \"secret.*\", do: redact}\n")
			d := dialects["messages"]
			key := "𝄞 \"my\" key\nis " + secret + " ok"
			m.ask(d, false, "s", key)
			m.ask(d, false, "s", key, "say: "+piecemeal(secret))
			v := m.ended(2)
			raw := string(m.adminGet("/sessions/s/conversation?why=test"))
			if strings.Contains(raw, secret) {
				t.Errorf("the value stands in %.3000s", raw)
			}
			turns := m.told("s").Branches[0].Rounds[0].Turns
			part := turns[0].Added[len(turns[0].Added)-1]
			got := marked(part)
			if len(got) != 1 || !strings.HasPrefix(got[0], shown+" ") || mode == "report" && got[0] != "masked ●●●●" || mode == "enforce" && !token.MatchString(got[0]) {
				t.Errorf("marks %q of %q", got, part.Text)
			}
			if f := turns[0].Findings; len(f) == 0 || f[0].Part == nil || *f[0].Part != part.N {
				t.Errorf("findings %+v, want one in part %d", f, part.N)
			}
			mark := part.Marks[0]
			for _, id := range []flow.ID{v[0].ID, v[1].ID} { // also where it came again
				whole := m.talk("/flows/" + string(id) + "/conversation?why=test").Branches[0].Rounds[0].Turns[0]
				if text, _ := json.Marshal(whole); strings.Contains(string(text), secret) {
					t.Errorf("the value stands in the whole request %s: %.3000s", id, text)
				}
			}
			before := m.entries()
			body := fmt.Sprintf(`{"finding":%q,"start":%d,"end":%d,"place":"","why":"to know"}`, mark.Finding, mark.From, mark.To)
			resp, err := m.admin.Post("http://localhost/api/v1/flows/"+string(v[0].ID)+"/reveal", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var out struct{ Value string }
			if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Value != secret || m.entries() != before+1 {
				t.Errorf("revealed %q (%v), %d entries", out.Value, err, m.entries()-before)
			}
		})
	}
}

// TestALongTextComesInTwo: its beginning with the conversation, all of it by its
// number.
func TestALongTextComesInTwo(t *testing.T) {
	c := newCoder(t, nil)
	long := strings.Repeat("wörd 𝄞 ", 20_000)
	c.send(bash, "x", []string{from("user", text(long))}, replied(text(long), 0, 0))
	id := c.ended(1)[0].ID
	turn := c.told("s").Branches[0].Rounds[0].Turns[0]
	for _, p := range []*conversation.Part{turn.Added[len(turn.Added)-1], turn.Answer[0]} {
		if !p.Cut || len(p.Text) > 32<<10 || p.Bytes != len(long) || !strings.HasPrefix(long, p.Text) {
			t.Errorf("%d of %d bytes, cut %v", len(p.Text), p.Bytes, p.Cut)
		}
		var whole conversation.Part
		if err := json.Unmarshal(c.adminGet(fmt.Sprintf("/flows/%s/parts/%d?why=test", id, p.N)), &whole); err != nil || whole.Text != long || whole.N != p.N {
			t.Errorf("%v: %d bytes of part %d", err, len(whole.Text), whole.N)
		}
	}
}

// TestANewConversationIsNoCompaction: a session may hold several, and nobody made the first
// short.
func TestANewConversationIsNoCompaction(t *testing.T) {
	c := newCoder(t, nil)
	for _, task := range []string{"find the bug", "write a poem"} {
		c.send(bash, "You help.", []string{from("user", text(task))}, replied(text("Done."), 0, 100))
	}
	h := c.ended(2)
	rounds := c.told("s").Branches[0].Rounds
	if turn := rounds[1].Turns[0]; turn.Compacts != h[0].ID || turn.Summary {
		t.Errorf("the second conversation goes on from %q, as a summary: %v", turn.Compacts, turn.Summary)
	}
}

// TestSessionsNamedLikeFolders: no address can end with such a name, so they have another.
func TestSessionsNamedLikeFolders(t *testing.T) {
	h := open(t, t.TempDir(), raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), nil)
	for i, name := range []string{".", "..", "..."} {
		h.call("/anthropic/v1/messages", hello, "X-Claude-Code-Session-Id", name)
		v := h.ended(i + 1)[i]
		if kept := v.Session == name; kept != (name == "...") {
			t.Errorf("session %q is recorded as %q", name, v.Session)
		}
		if told := h.told(v.Session); told.Turns != 1 {
			t.Errorf("session %q has %d turns", name, told.Turns)
		}
	}
}

// TestASessionThatSeveralHaveNamesThem: who asks learns what to ask for.
func TestASessionThatSeveralHaveNamesThem(t *testing.T) {
	h := open(t, t.TempDir(), raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), nil)
	for _, name := range []string{"alice", "bob"} {
		h.call("/k/"+h.addKey(name)+"/anthropic/v1/messages", `{"model":"m","messages":[{"role":"user","content":"hello"}]}`, "X-Claude-Code-Session-Id", "shared", "User-Agent", "claude-cli/2.1.197 (external, cli)")
	}
	h.ended(2)
	status, text := h.refused("/sessions/shared/conversation?why=test")
	if want := "say whose by principal (--principal P), one of key:alice, key:bob"; status != http.StatusBadRequest || !strings.Contains(text, want) {
		t.Errorf("%d, %s: want %q", status, text, want)
	}
}
