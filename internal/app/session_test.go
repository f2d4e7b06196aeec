package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// talk is a conversation as Claude Code sends it: messages before system and
// tools, and a cache marker that moves to the newest message.
type talk struct{ messages []string }

func (c *talk) add(text string) { c.messages = append(c.messages, text) }

func (c *talk) body() string {
	var b strings.Builder
	b.WriteString(`{"model":"claude-sonnet-4-5","messages":[`)
	for i, m := range c.messages {
		role, marker := "user", ""
		if i%2 == 1 {
			role = "assistant"
		}
		if i > 0 {
			b.WriteString(",")
		}
		if i == len(c.messages)-1 {
			marker = `,"cache_control":{"type":"ephemeral"}`
		}
		text, _ := json.Marshal(m)
		fmt.Fprintf(&b, `{"role":%q,"content":[{"type":"text","text":%s%s}]}`, role, text, marker)
	}
	b.WriteString(`],"system":[{"type":"text","text":"` + strings.Repeat("be good ", 2000) + `"}],"tools":[{"name":"Bash","description":"` +
		strings.Repeat("runs a command ", 3000) + `","input_schema":{"type":"object"}}],"max_tokens":10,"stream":false}`)
	return b.String()
}

func TestGrowingSessionIsKeptExactlyAndSmall(t *testing.T) {
	up := answering(plainAnswer)
	dir := t.TempDir()
	h := open(t, dir, up, nil)
	var c talk
	var bodies []string
	var wire int
	for turn := range 60 {
		c.add(fmt.Sprintf("question %d %s", turn, strings.Repeat(fmt.Sprint("fact", turn*7919, " "), 200)))
		body := c.body()
		h.call("/anthropic/v1/messages", body, "X-Claude-Code-Session-Id", "grow")
		bodies, wire = append(bodies, body), wire+len(body)
		c.add("answer")
		<-up.seen
	}
	views := h.ended(60)
	for i, v := range views {
		if v.RequestSHA256 != sum(bodies[i]) || v.Turn == nil || *v.Turn != i+1 || v.Predecessor != "" || v.RetryOf != nil {
			t.Fatalf("turn %d: %+v", i+1, v)
		}
	}
	for _, i := range []int{0, 1, 30, 59} {
		if h.raw(views[i].ID, "request") != bodies[i] {
			t.Errorf("turn %d was not kept byte for byte", i+1)
		}
	}
	h.close()
	if kept := folderSize(t, dir); kept > int64(wire)/20 {
		t.Errorf("%d bytes kept of %d on the wire", kept, wire)
	}
}

func TestTurnsGoOnAfterARestart(t *testing.T) {
	up, dir := answering(plainAnswer), t.TempDir()
	h := open(t, dir, up, nil)
	h.call("/v1/messages", hello, "X-Claude-Code-Session-Id", "s")
	h.ended(1)
	h.close()
	h = open(t, dir, up, nil)
	h.call("/v1/messages", strings.Replace(hello, "hello", "again", 1), "X-Claude-Code-Session-Id", "s")
	views := h.ended(2)
	if *views[1].Turn != 2 {
		t.Errorf("turn after the restart = %d, want 2", *views[1].Turn)
	}
}

// TestViewNamesAgentAndTools: which agent calls, and which tools its model calls; a
// name that no provider lets a tool have is content, and stays where that is kept.
func TestViewNamesAgentAndTools(t *testing.T) {
	h := open(t, t.TempDir(), answering(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		call := `{"type":"tool_use","id":"t","name":%q,"input":{}}`
		fmt.Fprintf(w, `{"type":"message","id":"m","model":"claude-sonnet-4-5","stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":5},"content":[`+
			call+`,`+call+`,`+call+`,`+call+`]}`, "Bash", "Read", "Bash", "my secret plan")
	}), nil)
	h.call("/v1/messages", hello, "User-Agent", "claude-cli/2.1.197 (external, cli)")
	h.call("/v1/messages", hello, "User-Agent", "curl/8")
	v := h.ended(2)
	if got := fmt.Sprint(v[0].Tools); got != "[Bash Read]" {
		t.Errorf("tools = %s, want Bash and Read, once each", got)
	}
	if v[0].Agent != "claude" || v[1].Agent != "" {
		t.Errorf("agents = %q, %q; want claude and none", v[0].Agent, v[1].Agent)
	}
}

func TestSessionsWithoutAnID(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), nil)
	say := func(contents ...string) string {
		return `{"contents":[` + strings.Join(contents, ",") + `]}`
	}
	content := func(role, text string) string { return fmt.Sprintf(`{"role":%q,"parts":[{"text":%q}]}`, role, text) }
	const path = "/gemini/v1beta/models/gemini-2.5-pro:generateContent"
	h.call(path, say(content("user", "one")))
	h.call(path, say(content("user", "one"), content("model", "hi"), content("user", "go on")))
	h.call(path, say(content("user", "another")))
	v := h.ended(3)
	if v[0].Session == "" || v[0].Session != v[1].Session || v[0].Session == v[2].Session {
		t.Errorf("sessions = %q %q %q; want the first two alike", v[0].Session, v[1].Session, v[2].Session)
	}
	if *v[1].Turn != 2 || *v[2].Turn != 1 {
		t.Errorf("turns = %d, %d; want 2, 1", *v[1].Turn, *v[2].Turn)
	}
}

func TestCompactionNamesItsPredecessor(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), nil)
	c := talk{messages: []string{"the task", "work", "more"}}
	h.call("/v1/messages", c.body(), "X-Claude-Code-Session-Id", "s")
	c.messages = append(c.messages, "done", "please sum up")
	h.call("/v1/messages", c.body(), "X-Claude-Code-Session-Id", "s")
	c.messages = []string{"This session continues an earlier one. Summary: …"}
	h.call("/v1/messages", c.body(), "X-Claude-Code-Session-Id", "s")
	small := `{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"title?"}]}`
	h.call("/v1/messages", small, "X-Claude-Code-Session-Id", "s")
	v := h.ended(4)
	if v[1].Predecessor != "" || v[2].Predecessor != v[1].ID || v[3].Predecessor != "" {
		t.Errorf("predecessors = %q %q %q; want only the third to have one, %q", v[1].Predecessor, v[2].Predecessor, v[3].Predecessor, v[1].ID)
	}
}

func TestASessionIDBelongsToItsPrincipal(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), nil)
	var keys []string
	for _, name := range []string{"ann", "bob"} {
		resp, err := h.admin.Post("http://localhost/api/v1/keys", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name)))
		if err != nil {
			t.Fatal(err)
		}
		var made struct{ Key string }
		json.NewDecoder(resp.Body).Decode(&made)
		resp.Body.Close()
		keys = append(keys, made.Key)
	}
	for _, key := range keys {
		h.call("/anthropic/v1/messages", hello, "X-Gatehouse-Key", key, "X-Claude-Code-Session-Id", "same")
	}
	v := h.ended(2)
	if v[0].Principal == v[1].Principal || *v[0].Turn != 1 || *v[1].Turn != 1 {
		t.Errorf("%s turn %d, %s turn %d; want a first turn for each", v[0].Principal, *v[0].Turn, v[1].Principal, *v[1].Turn)
	}
	sessions := strings.Count(string(h.adminGet("/sessions")), "\n")
	if sessions != 2 {
		t.Errorf("%d sessions, want 2", sessions)
	}
}

func TestMetadataCaptureKeepsNoContent(t *testing.T) {
	h := open(t, t.TempDir(), answering(plainAnswer), func(c *config.Config) {
		c.Capture = []config.Capture{{Principal: "*", Level: flow.CaptureMetadata}}
	})
	_, got := h.call("/v1/messages", hello)
	v := h.ended(1)[0]
	if v.RequestSHA256 != sum(hello) || v.DeliveredSHA256 != sum(got) || v.Usage.Output != 3 {
		t.Errorf("recorded %+v", v)
	}
	resp, err := h.admin.Get("http://localhost/api/v1/flows/" + string(v.ID) + "/content/request?why=test")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode == http.StatusOK && len(text) > 0 {
		t.Errorf("content was kept: %s", text)
	}
}
