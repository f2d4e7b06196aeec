package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/simulate"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
)

// canaries are keys of AWS, and blocked; other secrets are redacted.
const canaries = "version: 1\nmode: enforce\nrules:\n  - {rule: \"secret.aws*\", do: block, why: a canary}\n  - {rule: \"secret.*\", do: redact}\n"

func canary() string {
	random := rand.New(rand.NewPCG(9, 9))
	id := []byte("AK" + "IA")
	for range 16 {
		id = append(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[random.IntN(32)])
	}
	return string(id)
}

// piecemeal writes a text so that only the simulated model puts it together.
func piecemeal(text string) string { return text[:6] + "{{found ()}}" + text[6:] }

const standIn = "{{found QZ[A-Z2-9]{20}}}"

var token = regexp.MustCompile(`QZ[A-Z2-9]{20}`)

// model is a simulated provider behind a gateway, that keeps what it got.
type model struct {
	*house
	provider http.Handler
	mu       sync.Mutex
	seen     []string
}

func simulated(t *testing.T, policy string) *model {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &model{house: &house{t: t, dir: dir}}
	provider := simulate.New(simulate.Options{Seed: 1})
	m.provider = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		m.seen = append(m.seen, string(body))
		m.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		provider.ServeHTTP(w, r)
	})
	m.house = m.again()
	return m
}

// again starts the gateway on its folder, in front of the same provider.
func (m *model) again() *house { return open(m.t, m.dir, m.provider, nil) }

// stood gives the stand-in that the provider saw last.
func (m *model) stood() string {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	all := token.FindAllString(strings.Join(m.seen, "\n"), -1)
	if len(all) == 0 {
		m.t.Fatalf("the provider saw no stand-in: %.2000s", strings.Join(m.seen, "\n"))
	}
	return all[len(all)-1]
}

// dialect is how one API says what these tests say: texts of a person, the
// last of which is a script.
type dialect struct {
	api  flow.API
	path func(stream bool) string
	body func(stream bool, texts ...string) string
}

func always(path string) func(bool) string { return func(bool) string { return path } }

func joined(texts []string, one func(string) string) string {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = one(t)
	}
	return strings.Join(list, ",")
}

const functions = `{"name":"Write","parameters":{"type":"object"}},{"name":"Bash","parameters":{"type":"object"}}`

// tools says the tools in the form of an API.
func tools(form string) string {
	var list []struct {
		Name       string
		Parameters json.RawMessage
	}
	_ = json.Unmarshal([]byte("["+functions+"]"), &list)
	var out []string
	for _, o := range list {
		out = append(out, fmt.Sprintf(form, o.Name, o.Parameters))
	}
	return strings.Join(out, ",")
}

func streaming(stream bool, body string) string {
	return fmt.Sprintf(`{"model":"m","stream":%v,%s`, stream, body[1:])
}

func person(text string) string { return `{"role":"user","content":` + q(text) + `}` }

var dialects = map[string]dialect{
	"messages": {flow.Messages, always(messagesPath), func(stream bool, texts ...string) string {
		return streaming(stream, `{"max_tokens":10,"tools":[`+tools(`{"name":%q,"input_schema":%s}`)+`],"messages":[`+joined(texts, person)+`]}`)
	}},
	"chat": {flow.Chat, always(chatPath), func(stream bool, texts ...string) string {
		return streaming(stream, `{"tools":[`+tools(`{"type":"function","function":{"name":%q,"parameters":%s}}`)+`],"messages":[`+joined(texts, person)+`]}`)
	}},
	"responses": {flow.Responses, always(responsePath), func(stream bool, texts ...string) string {
		return streaming(stream, `{"tools":[`+tools(`{"type":"function","name":%q,"parameters":%s}`)+`,{"type":"custom","name":"apply_patch"}],"input":[`+joined(texts, item)+`]}`)
	}},
	"gemini": {flow.StreamGenerate, func(stream bool) string {
		if stream {
			return geminiModel + ":streamGenerateContent?alt=sse"
		}
		return geminiModel + ":generateContent"
	}, func(_ bool, texts ...string) string {
		return `{"tools":[{"functionDeclarations":[` + functions + `]}],"contents":[` + joined(texts, func(t string) string { return `{"role":"user","parts":[` + part(t) + `]}` }) + `]}`
	}},
}

// heard reads an answer as a client does.
func heard(t *testing.T, api flow.API, resp *http.Response, text string) flow.Answer {
	t.Helper()
	body, err := coding.Decode(resp.Header.Get("Content-Encoding"), []byte(text), coding.Limit{})
	if err != nil {
		t.Fatalf("decoding the answer: %v", err)
	}
	if api == flow.StreamGenerate && !strings.Contains(resp.Header.Get("Content-Type"), "event-stream") {
		api = flow.Generate
	}
	a := codec.NewAnswer(api, codec.Options{Keep: true})
	a.Push(body)
	return a.End()
}

// ask says texts in a session of their own.
func (m *model) ask(d dialect, stream bool, session string, texts ...string) (flow.Answer, string) {
	m.t.Helper()
	resp, text := m.call(d.path(stream), d.body(stream, texts...), "Content-Type", "application/json",
		"X-Claude-Code-Session-Id", session, "Session-Id", session, "Accept-Encoding", "gzip, br, zstd, deflate")
	a := heard(m.t, d.api, resp, text)
	if resp.StatusCode != http.StatusOK || a.Unreadable != "" || !a.Complete {
		m.t.Errorf("answered %s, %+v: %.2000s", resp.Status, a, text)
	}
	return a, text
}

// arguments gives a member of the arguments of the one tool call.
func arguments(t *testing.T, a flow.Answer, tool, member string) string {
	t.Helper()
	for _, p := range a.Parts {
		if p.Kind != flow.ToolCall || p.Name != tool {
			continue
		}
		var args map[string]string
		if err := json.Unmarshal([]byte(p.Text), &args); err != nil {
			t.Errorf("arguments %q: %v", p.Text, err)
		}
		return args[member]
	}
	t.Errorf("no call of %s in %+v", tool, a.Parts)
	return ""
}

func prose(a flow.Answer) (text string) {
	for _, p := range a.Parts {
		if p.Kind == flow.Text {
			text += p.Text
		}
	}
	return text
}

// TestValuesComeBack: in every API, streamed or whole, however the bytes are
// cut and coded, a text and a file get the value, a command does not.
func TestValuesComeBack(t *testing.T) {
	secret := planted(11)
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			m := simulated(t, canaries)
			for i, manner := range []string{"", "whole", "[delta 1]", "[delta 5]", "[chunk 1]", "[crlf]", "[odd]", "[think]", "[empty]", "[nousage]",
				"[encode gzip]", "[encode br] [delta 3]", "[encode zstd] [chunk 7]", "[encode deflate]"} {
				stream := manner != "whole"
				words := strings.TrimPrefix(manner, "whole")
				session := fmt.Sprint(name, i)
				key := "my key is " + secret
				told, raw := m.ask(d, stream, session, key, words+" say: it is "+standIn+", \"really\" "+standIn+".")
				if got, want := prose(told), "it is "+secret+`, "really" `+secret+"."; got != want {
					t.Errorf("%s: said %q, want %q", manner, got, want)
				}
				if token.MatchString(raw) {
					t.Errorf("%s: a stand-in is left in %.4000s", manner, raw)
				}
				write, raw := m.ask(d, stream, session, key, words+` call: Write {"file_path":"a.txt","content":"\"`+standIn+`\"\n"}`)
				want := `"` + secret + "\"\n"
				signed := manner == "[think]" && d.api == flow.StreamGenerate // such a part goes back as it came
				if signed {
					want = `"` + m.stood() + "\"\n"
				}
				if got := arguments(t, write, "Write", "content"); got != want {
					t.Errorf("%s: writes %q, want %q", manner, got, want)
				}
				if token.MatchString(raw) != signed {
					t.Errorf("%s: a stand-in is left in %.4000s", manner, raw)
				}
				run, raw := m.ask(d, stream, session, key, words+` call: Bash {"command":"echo `+standIn+`"}`)
				if got := arguments(t, run, "Bash", "command"); got != "echo "+m.stood() || strings.Contains(raw, secret) {
					t.Errorf("%s: runs %q: %.4000s", manner, got, raw)
				}
			}
		})
	}
}

// TestEveryCopyComesBack: Responses says a text in up to five events, and free
// text of a tool, too; over SSE and over a socket.
func TestEveryCopyComesBack(t *testing.T) {
	secret, d := planted(12), dialects["responses"]
	m := simulated(t, canaries)
	c := dial(t, m.house, responsePath, nil)
	for _, script := range []string{"[delta 2] say: it is " + standIn, `[delta 2] call: apply_patch "it is ` + standIn + `"`} {
		body := d.body(true, "my key is "+secret, script)
		_, text := m.call(responsePath, body)
		var list []string
		for line := range strings.Lines(text) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				list = append(list, data)
			}
		}
		copies(t, "SSE", secret, list)
		copies(t, "socket", secret, m.events(c, `{"type":"response.create",`+body[1:]))
	}
}

// events says a message on a socket and gives the events of its answer.
func (m *model) events(c *websocket.Conn, message string) (list []string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		m.t.Fatal(err)
	}
	for len(list) == 0 || !strings.Contains(list[len(list)-1], `"type":"response.completed"`) {
		_, event, err := c.Read(ctx)
		if err != nil {
			m.t.Fatalf("after %s: %v", list, err)
		}
		list = append(list, string(event))
	}
	return list
}

// copies checks the deltas and the whole texts of a Responses stream.
func copies(t *testing.T, how, secret string, events []string) {
	t.Helper()
	deltas, whole := "", 0
	for _, data := range events {
		var e struct{ Delta string }
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%s: %v in %s", how, err, data)
		}
		deltas += e.Delta
		if e.Delta == "" {
			whole += strings.Count(data, "it is "+secret)
		}
	}
	if all := strings.Join(events, "\n"); deltas != "it is "+secret || whole < 3 || token.MatchString(all) {
		t.Errorf("%s: deltas %q and %d copies in %.6000s", how, deltas, whole, all)
	}
}

// TestAnswersThatComeBackLater: an answer that is fetched by its id holds the
// value for the one who sent it, and the stand-in for everybody else.
func TestAnswersThatComeBackLater(t *testing.T) {
	secret, d := planted(13), dialects["responses"]
	m := simulated(t, canaries)
	a, _ := m.ask(d, false, "s", "my key is "+secret, "say: it is "+standIn)
	fetch := func(header ...string) string {
		req := m.request(responsePath+"/"+a.ID, "", header...)
		req.Method = http.MethodGet
		_, text := m.do(req)
		return text
	}
	if text := fetch("Session-Id", "s"); !strings.Contains(text, "it is "+secret) || token.MatchString(text) {
		t.Errorf("fetched %s", text)
	}
	b := &harbour{house: m.house}
	if text := fetch("Session-Id", "s", "X-Gatehouse-Key", b.key("other")); strings.Contains(text, secret) || !token.MatchString(text) {
		t.Errorf("somebody else fetched %s", text)
	}
}

// TestOnlyWhatWasReplacedComesBack: a stand-in that is planted in another
// session, or comes to another principal, stays what it is.
func TestOnlyWhatWasReplacedComesBack(t *testing.T) {
	secret, d := planted(14), dialects["messages"]
	m := simulated(t, canaries)
	m.ask(d, true, "first", "my key is "+secret, "say: ok")
	stood := m.stood()
	b := &harbour{house: m.house}
	for name, header := range map[string][]string{
		"another session":   {"X-Claude-Code-Session-Id", "second"},
		"another principal": {"X-Claude-Code-Session-Id", "first", "X-Gatehouse-Key", b.key("other")},
	} {
		_, text := m.call(messagesPath, d.body(true, `call: Write {"content":"`+stood+`"}`, "[delta 1000] say: it is "+stood), header...)
		if strings.Contains(text, secret) || !strings.Contains(text, stood) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestTheStandInStays: the same value gets the same stand-in in every turn and
// session of its principal, after a restart, too, and another one of another
// principal.
func TestTheStandInStays(t *testing.T) {
	secret := planted(15)
	b := dock(t, redacting)
	seen := map[string]bool{}
	for range 2 {
		b.call(messagesPath, claude(q("my key is "+secret)), "X-Claude-Code-Session-Id", "a")
		b.call(chatPath, chat(person("again "+secret)), "Session-Id", "b")
		for _, s := range token.FindAllString(b.unload(), -1) {
			seen[s] = true
		}
		b.close()
		b.house = open(t, b.dir, b.provider, nil)
	}
	if len(seen) != 1 {
		t.Errorf("stand-ins %v, want one", seen)
	}
	if _, arrived := b.ship("other", []parcel{{path: messagesPath, body: claude(q("my key is " + secret))}}); !token.MatchString(arrived) || seen[token.FindString(arrived)] {
		t.Errorf("the other principal's provider saw %s", arrived)
	}
}

// TestABlockedCallEndsTheAnswer: a tool call that must not run does not reach
// the agent. The answer ends well, in the provider's form, and says why.
func TestABlockedCallEndsTheAnswer(t *testing.T) {
	bird := canary()
	for name, d := range dialects {
		for _, manner := range []string{"whole", "", "[delta 1]", "[chunk 1]", "[encode gzip]", "[parallel] call: Bash {\"command\":\"ls\"}\n"} {
			t.Run(name+" "+manner, func(t *testing.T) {
				m := simulated(t, canaries)
				stream, words := manner != "whole", strings.TrimPrefix(manner, "whole")
				a, raw := m.ask(d, stream, "s", words+` call: Bash {"command":"echo `+piecemeal(bird)+`"}`)
				if !strings.Contains(prose(a), "gatehouse allow f_") {
					t.Errorf("no reason in %+v", a.Parts)
				}
				for _, p := range a.Parts {
					if p.Kind == flow.ToolCall && !strings.Contains(p.Text, `"ls"`) || strings.Contains(p.Text, bird) {
						t.Errorf("the agent got %+v", p)
					}
				}
				if strings.Contains(raw, bird) {
					t.Errorf("the agent got %.4000s", raw)
				}
				v := m.ended(1)[0]
				if v.Verdict != flow.Block || v.Why == "" || len(v.Findings) == 0 || v.ResponseSHA256 == v.DeliveredSHA256 || m.raw(v.ID, "delivered") != raw {
					t.Errorf("recorded %s", judged([]flow.View{v}))
				}
			})
		}
	}
}

// untilClosed gives what is said on a socket until it is closed.
func untilClosed(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all strings.Builder
	for {
		_, event, err := c.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				t.Error("the socket stays open")
			}
			return all.String()
		}
		all.Write(event)
	}
}

// TestABlockedCallEndsTheSocket: the provider waits for the output of a call
// that the agent never saw, so the socket ends, and nothing may go on from the
// blocked answer.
func TestABlockedCallEndsTheSocket(t *testing.T) {
	m := simulated(t, canaries)
	bird := canary()
	message := func(body string) string { return `{"type":"response.create",` + body[1:] }
	c := dial(t, m.house, responsePath, nil)
	d := dialects["responses"]
	if err := c.Write(t.Context(), websocket.MessageText, []byte(message(d.body(true, `call: Bash {"command":"echo `+piecemeal(bird)+`"}`)))); err != nil {
		t.Fatal(err)
	}
	text := untilClosed(t, c)
	id := regexp.MustCompile(`"id":"(resp_[^"]+)"`).FindStringSubmatch(text)
	if strings.Contains(text, bird) || !strings.Contains(text, "gatehouse allow f_") || !strings.Contains(text, `"response.completed"`) || id == nil {
		t.Fatalf("the agent got %s", text)
	}
	next := dial(t, m.house, responsePath, nil)
	got := say(t, next, create(id[1], `{"type":"function_call_output","call_id":"c","output":"ok"}`), 1)
	if !strings.Contains(got[0], `"type":"error"`) || !strings.Contains(got[0], "400") {
		t.Errorf("going on from a blocked answer gave %s", got[0])
	}
	resp, text := m.call(responsePath, `{"model":"m","previous_response_id":`+q(id[1])+`,"input":"go on"}`)
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("going on from a blocked answer gave %s %s", resp.Status, text)
	}
}

// TestForwardedTheSame: what was once forwarded in a conversation is forwarded
// the same in each later turn, whatever was learned since, so that the
// provider's cache and its signatures hold. A value that was found by its
// context is known by itself from then on.
func TestForwardedTheSame(t *testing.T) {
	b := dock(t, redacting)
	password := planted(21)[4:28]
	var c talk
	var before []string
	for turn, text := range []string{
		"not yet known: " + password, "ok", "my key is " + planted(20), "ok", "DB_PASSWORD=" + password, "ok",
		"now it is known: " + password + " and " + planted(20), "ok", "the end",
	} {
		c.add(text)
		if turn%2 == 1 {
			continue
		}
		b.call(messagesPath, c.body(), "X-Claude-Code-Session-Id", "grow")
		now := messagesOf(t, b.unload())
		for i, m := range before {
			if now[i] != m {
				t.Errorf("turn %d: message %d was %s and is %s", turn, i, m, now[i])
			}
		}
		before = now
	}
	if len(before) != 9 {
		t.Fatalf("%d messages", len(before))
	}
	if all := strings.Join(before[1:], "\n"); strings.Contains(all, password) || strings.Contains(all, planted(20)) {
		t.Errorf("the provider got %s", all)
	}
	if stood := token.FindAllString(before[4]+before[6], -1); len(stood) != 3 || stood[0] != stood[1] || stood[2] != token.FindString(before[2]) {
		t.Errorf("stand-ins %q and %q", stood, token.FindString(before[2]))
	}
}

// messagesOf gives the messages of the one request that arrived, without the
// marker, which moves.
func messagesOf(t *testing.T, arrived string) (list []string) {
	t.Helper()
	var q struct{ Messages []json.RawMessage }
	if err := json.Unmarshal([]byte(arrived[strings.Index(arrived, "\n{")+1:]), &q); err != nil {
		t.Fatalf("%v in %.2000s", err, arrived)
	}
	for _, m := range q.Messages {
		list = append(list, strings.Replace(string(m), `,"cache_control":{"type":"ephemeral"}`, "", 1))
	}
	return list
}
