package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// elsewhere is somebody else's detector, that remembers what it was told.
type elsewhere struct {
	*httptest.Server
	mu     sync.Mutex
	told   []string // bodies
	answer http.HandlerFunc
}

func detecting(t *testing.T, answer http.HandlerFunc) *elsewhere {
	e := &elsewhere{answer: answer}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.told = append(e.told, string(body))
		answer := e.answer
		e.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

// texts gives the texts that it was told since the last call.
func (e *elsewhere) texts(t *testing.T) (all []string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, body := range e.told {
		var in struct {
			Text  json.RawMessage
			Texts []string
			Input []string
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatalf("it was told %s: %v", body, err)
		}
		all = append(append(append(all, told(in.Text)...), in.Texts...), in.Input...)
	}
	e.told = nil
	slices.Sort(all)
	return all
}

// told reads what Presidio takes: a text, or a list.
func told(raw json.RawMessage) (list []string) {
	var one string
	if raw == nil {
		return nil
	}
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	json.Unmarshal(raw, &list)
	return list
}

var persons = regexp.MustCompile(`(Ann|Zoë) Smith`)

// namesOf answers as Presidio does: spans in code points.
func namesOf(w http.ResponseWriter, r *http.Request) {
	var in struct{ Text json.RawMessage }
	json.NewDecoder(r.Body).Decode(&in)
	var lists []string
	for _, text := range told(in.Text) {
		var found []string
		for _, at := range persons.FindAllStringIndex(text, -1) {
			found = append(found, fmt.Sprintf(`{"entity_type":"PERSON","start":%d,"end":%d,"score":0.85,"analysis_explanation":null}`,
				utf8.RuneCountInString(text[:at[0]]), utf8.RuneCountInString(text[:at[1]])))
		}
		lists = append(lists, "["+strings.Join(found, ",")+"]")
	}
	if in.Text[0] == '"' {
		io.WriteString(w, lists[0])
		return
	}
	io.WriteString(w, "["+strings.Join(lists, ",")+"]")
}

// asking is a gateway that asks detectors, which settings name.
func asking(t *testing.T, policy, settings string) *model {
	t.Helper()
	c, err := config.Parse([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	m := simulated(t, policy)
	m.house.close()
	m.house = open(t, m.dir, m.provider, func(own *config.Config) { own.Detectors = c.Detectors })
	return m
}

func presidioAt(e *elsewhere, more string) string {
	return "detectors:\n  - {name: names, kind: presidio, url: " + e.URL + more + "}\n"
}

const redactNames = "version: 1\nmode: enforce\nrules: [{rule: remote.names-person, do: redact}, {rule: secret.*, do: redact}]\n"

// TestCompressedMessagesAreAskedAbout: a message of a gRPC stream that came compressed is
// told as its text, without credentials; what is found in it can't be replaced there.
func TestCompressedMessagesAreAskedAbout(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, "version: 1\nmode: enforce\nrules: [{rule: remote.names-person, do: redact}, {rule: secret.*, do: flag}]\n", presidioAt(e, ", channels: [file, user]"))
	packed := func(text string) string {
		return envelope(1, string(encoded("gzip", []byte(field(1, text)))))
	}
	ask := func(text string) *http.Response {
		resp, _ := m.call(rpcPath, envelope(0, field(1, "hello there"))+packed(text), "Content-Type", "application/grpc", "Grpc-Encoding", "gzip")
		return resp
	}
	if resp := ask("please write to Ann Smith, the key is " + planted(31) + " now"); resp.Header.Get("Grpc-Status") != "7" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	told := slices.DeleteFunc(e.texts(t), func(text string) bool { return len(text) < 9 }) // lengths of texts, which may be text
	if want := []string{"hello there", "please write to Ann Smith, the key is " + strings.Repeat("*", len(planted(31))) + " now"}; !slices.Equal(told, want) {
		t.Errorf("it was told %q, want %q", told, want)
	}
	v := m.flows()[0]
	if found := tainted(v, "remote.names-person"); len(found) != 1 || !found[0].Fixed || v.Verdict != flow.Block {
		t.Errorf("%s: %+v", v.Verdict, v.Findings)
	}
}

// TestWhoIsAskedMayBlock: the recommended policy does what a guardrail elsewhere says.
func TestWhoIsAskedMayBlock(t *testing.T) {
	e := detecting(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"action":"BLOCKED","blocked_reason":"no weapons"}`)
	})
	m := asking(t, string(policy.Recommended()), "detectors:\n  - {name: house, kind: guardrail, url: "+e.URL+"}\n")
	resp, text := m.call(messagesPath, claude(q("build a bomb")), "Content-Type", "application/json")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "remote.house-blocked") || len(m.seen) > 0 {
		t.Errorf("%s %s; the provider got %q", resp.Status, text, m.seen)
	}
}

// TestNamesAreRedacted: what a remote detector finds, counted in code points of the
// decoded text, is replaced in the bytes that came, and comes back in the answer, in
// every API. Of a conversation that goes on only what is new is sent.
func TestNamesAreRedacted(t *testing.T) {
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			e := detecting(t, namesOf)
			m := asking(t, redactNames, presidioAt(e, ""))
			first := "Grüße 😀\n\t\"an\" Ann Smith, <b> & Zoë Smith"
			again := "say: it is " + standIn + "!"
			a, _ := m.ask(d, true, "s", first, again)
			seen := strings.Join(m.seen, "")
			if persons.MatchString(seen) || len(token.FindAllString(seen, -1)) != 2 || !strings.Contains(seen, `an\" QZ`) {
				t.Errorf("the provider got %.2000s", seen)
			}
			if !persons.MatchString(prose(a)) {
				t.Errorf("the agent got %q", prose(a))
			}
			if got, want := e.texts(t), []string{first, again}; !slices.Equal(got, want) {
				t.Errorf("it was told %q, want %q", got, want)
			}
			m.ask(d, true, "s", first, again, "say: fine")
			if got := e.texts(t); !slices.Equal(got, []string{"say: fine"}) {
				t.Errorf("of the second turn it was told %q", got)
			}
			m.ask(d, true, "another", first, "say: fine")
			if got := e.texts(t); len(got) != 0 {
				t.Errorf("of what is known it was told %q", got)
			}
		})
	}
}

// TestSpelledOut: escapes of every kind lead the way back to the bytes that came.
func TestSpelledOut(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, redactNames, presidioAt(e, ""))
	for content, want := range map[string]string{
		`"\u0041nn Smit\u0068"`:                             `"T"`,
		`"\ud83d\ude00 Ann\u0020Smith \ud83d\ude00"`:        `"\ud83d\ude00 T \ud83d\ude00"`,
		`"😀\/Ann Smith\/"`:                                  `"😀\/T\/"`,
		`"\\\"Zo\u00eb Smith\\"`:                            `"\\\"T\\"`,
		`"\ud800 Zoë Smith"`:                                `"\ud800 T"`,
		`[{"type":"text","text":"é Ann Smith, Zoë Smith"}]`: `[{"type":"text","text":"é T, T"}]`,
	} {
		m.seen = nil
		m.call(messagesPath, claude(content), "Content-Type", "application/json")
		if got := token.ReplaceAllString(strings.Join(m.seen, ""), "T"); got != claude(want) {
			t.Errorf("%s: the provider got %s", content, got)
		}
	}
}

// TestCredentialsStayHere: a detector gets asterisks for the credentials that ours
// find; what it says beside them still fits.
func TestCredentialsStayHere(t *testing.T) {
	secret := planted(12)
	e := detecting(t, namesOf)
	m := asking(t, redactNames, presidioAt(e, ""))
	m.call(messagesPath, claude(q("token "+secret+" of Zoë Smith")), "Content-Type", "application/json")
	got := e.texts(t)
	if want := "token " + strings.Repeat("*", len(secret)) + " of Zoë Smith"; len(got) != 1 || got[0] != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
	if got := token.ReplaceAllString(strings.Join(m.seen, ""), "T"); got != claude(q("token T of T")) {
		t.Errorf("the provider got %s", got)
	}
}

// TestOnlyItsChannels: a detector gets the texts of the channels that it is for.
func TestOnlyItsChannels(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, redactNames, presidioAt(e, ", channels: [tool_result, system]"))
	m.call(messagesPath, claudeWith(`"system":"be kind to Ann Smith",`+toolDefs, `{"role":"user","content":"I am Ann Smith"},`+
		`{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"run","input":{"who":"Ann Smith"}}]},`+
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"Zoë Smith was here"}]}`), "Content-Type", "application/json")
	if got, want := e.texts(t), []string{"Zoë Smith was here", "be kind to Ann Smith"}; !slices.Equal(got, want) {
		t.Errorf("it was told %q, want %q", got, want)
	}
	if seen := strings.Join(m.seen, ""); strings.Count(seen, "Ann Smith") != 2 || strings.Contains(seen, "Zoë") {
		t.Errorf("the provider got %s", seen)
	}
}

// TestNamesOfMembersExcuseNothing: arguments may call a text as an API calls its ids.
func TestNamesOfMembersExcuseNothing(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, redactNames, presidioAt(e, ", channels: [tool_call]"))
	m.call(messagesPath, claudeWith(toolDefs, said+`,{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"run","input":{"role":"Ann Smith","id":"a_1","n":{"type":"Zoë Smith"}}}]},`+
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"done"}]}`), "Content-Type", "application/json")
	if got := e.texts(t); !slices.Contains(got, "Ann Smith") || !slices.Contains(got, "Zoë Smith") || slices.Contains(got, "a_1") {
		t.Errorf("it was told %q", got)
	}
	if seen := strings.Join(m.seen, ""); strings.Contains(seen, "Smith") {
		t.Errorf("the provider got %s", seen)
	}
}

// TestSignedPartsStayHere: what a provider signed can't be changed, and is nobody's
// business but its own.
func TestSignedPartsStayHere(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, redactNames, presidioAt(e, ", channels: [assistant, user]"))
	body := claudeWith("", said+`,{"role":"assistant","content":[{"type":"thinking","thinking":"is it Ann Smith?","signature":"Ann Smith"},{"type":"text","text":"It is Zoë Smith"}]},`+said)
	m.call(messagesPath, body, "Content-Type", "application/json")
	if got, want := e.texts(t), []string{"It is Zoë Smith", "hello"}; !slices.Equal(got, want) {
		t.Errorf("it was told %q, want %q", got, want)
	}
	if seen := strings.Join(m.seen, ""); strings.Count(seen, "Ann Smith") != 2 || strings.Contains(seen, "Zoë Smith") {
		t.Errorf("the provider got %s", seen)
	}
}

// TestBadDetectors: one that hangs, lies or says too much is a finding, which policy
// decides about; the call goes on or is refused, and nothing of a lie is used.
func TestBadDetectors(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	distrust(t, "100ms", map[string]misdeed{
		"hangs":               {func(_ http.ResponseWriter, r *http.Request) { wait(hang, r) }, "no answer within 100ms"},
		"hangs in its answer": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "["); flush(w); wait(hang, r) }, "no answer within 100ms"},
	})
	distrust(t, "30s", map[string]misdeed{
		"megabytes":         {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "["+strings.Repeat(" ", 2<<20)+"]") }, "more than 1048576 bytes"},
		"outside":           {saying(`[{"entity_type":"PERSON","start":0,"end":900,"score":0.9}]`), "offsets"},
		"outside by bytes":  {saying(`[{"entity_type":"PERSON","start":5,"end":15,"score":0.9}]`), "offsets"}, // Zoë Smith counted in bytes
		"turned round":      {saying(`[{"entity_type":"PERSON","start":4,"end":2,"score":0.9}]`), "offsets"},
		"empty":             {saying(`[{"entity_type":"PERSON","start":2,"end":2,"score":0.9}]`), "offsets"},
		"negative":          {saying(`[{"entity_type":"PERSON","start":-1,"end":2,"score":0.9}]`), "offsets"},
		"a fraction":        {saying(`[{"entity_type":"PERSON","start":0.5,"end":2,"score":0.9}]`), "offsets"},
		"a word":            {saying(`[{"entity_type":"PERSON","start":"0","end":2,"score":0.9}]`), "offsets"},
		"none":              {saying(`[{"entity_type":"PERSON","score":0.9}]`), "offsets"},
		"one good, one bad": {saying(`[{"entity_type":"PERSON","start":0,"end":2,"score":0.9},{"entity_type":"PERSON","start":1,"end":99,"score":0.9}]`), "offsets"},
		"a score over all":  {saying(`[{"entity_type":"PERSON","start":0,"end":2,"score":9}]`), "score"},
		"no list":           {saying(`{"error":"I saw Zoë Smith"}`), "not what its kind"},
		"null":              {saying(`null`), "not what its kind"},
		"no JSON":           {saying(`<html>`), "not what its kind"},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "[]")
		}, "no plain JSON"},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "[]")
		}, "no plain JSON"},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); io.WriteString(w, "Zoë Smith") }, "status 500"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other/analyze", http.StatusTemporaryRedirect)
		}, "status 307"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, "[")
		}, "broke off"},
		"dead":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "can't be reached"},
		"too many": {saying("[" + strings.TrimSuffix(strings.Repeat(`{"entity_type":"X","start":0,"end":1,"score":1},`, 2000), ",") + "]"), "more findings"},
	})
}

// misdeed is what a detector does, and what is said of it.
type misdeed struct {
	with http.HandlerFunc
	note string
}

func distrust(t *testing.T, timeout string, bad map[string]misdeed) {
	t.Helper()
	e := detecting(t, nil)
	m := asking(t, redactNames, presidioAt(e, ", timeout: "+timeout))
	flagging := redactNames + "unreadable: {remote: flag}\n"
	number := 0
	say := func(t *testing.T, answer http.HandlerFunc, body string) (string, flow.View) {
		t.Helper()
		e.become(answer)
		m.seen, number = nil, number+1
		resp, _ := m.call(messagesPath, body, "Content-Type", "application/json", "X-Claude-Code-Session-Id", fmt.Sprint("s", number))
		return resp.Status[:3], m.ended(number)[number-1]
	}
	for _, policy := range []string{redactNames, flagging} {
		write(t, filepath.Join(m.dir, "policy.yaml"), policy)
		if code, text := m.adminPost("/policy/reload", "", nil); code != 200 {
			t.Fatal(text)
		}
		for name, answer := range bad {
			body := claude(q("Hi, Zoë Smith"))
			status, v := say(t, answer.with, body)
			switch passed := slices.Equal(m.seen, []string{body}); {
			case policy == redactNames && (status != "400" || len(m.seen) > 0 || !strings.Contains(v.Why, "remote.names-failed")):
				t.Errorf("%s, blocked: %s %s, the provider got %q", name, status, v.Why, m.seen)
			case policy == flagging && (status != "200" || !passed):
				t.Errorf("%s, flagged: %s %s, the provider got %q", name, status, v.Why, m.seen)
			}
			if len(v.Findings) != 1 || v.Findings[0].Rule != "remote.names-failed" || !strings.Contains(v.Findings[0].Note, answer.note) || strings.Contains(v.Findings[0].Note, "Zoë") {
				t.Errorf("%s: findings %+v, want a note of %q", name, v.Findings, answer.note)
			}
			if n := e.calls(); n != 1 {
				t.Errorf("%s: %d calls, want one", name, n)
			}
			say(t, namesOf, claude(q(fmt.Sprint("well again, ", number)))) // so that the circuit stays closed
		}
	}
}

// become changes what it answers, and forgets what it was told.
func (e *elsewhere) become(answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer, e.told = answer, nil
}

func (e *elsewhere) calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.told)
}

func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func wait(hang chan struct{}, r *http.Request) {
	select {
	case <-hang:
	case <-r.Context().Done():
	}
}

func flush(w http.ResponseWriter) { http.NewResponseController(w).Flush() }

// TestFailureIsOfItsRequest: once a text that could not be judged was let go, the
// next turn is judged by what is new in it.
func TestFailureIsOfItsRequest(t *testing.T) {
	e := detecting(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	m := asking(t, redactNames+"unreadable: {remote: flag}\n", presidioAt(e, ""))
	d := dialects["messages"]
	m.ask(d, false, "s", "I am Ann Smith")
	e.become(namesOf)
	write(t, filepath.Join(m.dir, "policy.yaml"), redactNames)
	m.adminPost("/policy/reload", "", nil)
	m.ask(d, false, "s", "I am Ann Smith", "say: fine")
	flows := m.ended(2)
	if got := flows[1].Findings; len(got) != 0 || flows[1].Verdict != flow.Pass {
		t.Errorf("the second turn: %s", judged(flows[1:]))
	}
}

func TestDetectorKeyIsNoSecretOfOurs(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("p4ss-of-the-detector\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	e := detecting(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
		w.WriteHeader(500)
	})
	m := asking(t, redactNames, presidioAt(e, ", key: \"file:"+key+"\""))
	_, text := m.call(messagesPath, claude(q("Hi, Zoë Smith")), "Content-Type", "application/json")
	if want := "Bearer p4ss-of-the-detector"; <-got != want || strings.Contains(text, "p4ss") {
		t.Errorf("told %s", text)
	}
	m.close()
	grep(t, m.dir, "p4ss-of-the-detector")
}

// TestAnswersAreJudgedElsewhere: what a model says is judged at its end; what it
// proposes to do before the agent gets it, and each of them once.
func TestAnswersAreJudgedElsewhere(t *testing.T) {
	const rules = "version: 1\nmode: enforce\nrules: [{rule: remote.names-person, direction: answer, channel: tool_call, do: block}]\n"
	secret := planted(13)
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			e := detecting(t, namesOf)
			m := asking(t, rules, presidioAt(e, ", direction: answer, channels: [assistant, tool_call]"))
			call := func(session, said string) (flow.Answer, string) { return m.ask(d, true, session, said) }
			if a, _ := call("a", `say: "it" was Zoë Smith`); !strings.Contains(prose(a), "Zoë Smith") {
				t.Errorf("prose: %+v", a)
			}
			if got := e.texts(t); !slices.Equal(got, []string{`"it" was Zoë Smith`}) {
				t.Errorf("it was told %q", got)
			}
			if a, _ := call("b", `call: Write {"content":"by \u0041nn Smith","path":"x `+secret+`"}`); len(a.Parts) > 0 && a.Parts[0].Kind == flow.ToolCall {
				t.Errorf("the call went through: %+v", a)
			}
			if got, want := e.texts(t), []string{"by Ann Smith", "x " + strings.Repeat("*", len(secret))}; !slices.Equal(got, want) {
				t.Errorf("it was told %q, want %q", got, want)
			}
			if a, _ := call("c", `call: Write {"content":"by nobody"}`); arguments(t, a, "Write", "content") != "by nobody" {
				t.Errorf("a harmless call: %+v", a)
			}
			if got := e.texts(t); !slices.Equal(got, []string{"by nobody"}) {
				t.Errorf("it was told %q", got)
			}
			e.become(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
			if a, _ := call("d", `call: Write {"content":"by somebody"}`); len(a.Parts) > 0 && a.Parts[0].Kind == flow.ToolCall || e.calls() != 1 {
				t.Errorf("unjudged, it went through: %+v, %d calls", a, e.calls())
			}
			flows := m.ended(4)
			for i, want := range []string{"remote.names-person", "remote.names-person", "", "remote.names-failed"} {
				got := ""
				for _, f := range flows[i].Findings {
					if strings.HasPrefix(f.Rule, "remote.") {
						got += f.Rule
						if f.Place != "answer" {
							t.Errorf("place %q", f.Place)
						}
					}
				}
				if blocked := flows[i].Verdict == flow.Block; got != want || blocked != (i%2 == 1) {
					t.Errorf("flow %d: %s, want %s", i, judged(flows[i:i+1]), want)
				}
			}
		})
	}
}

// TestUnjudgedCallsMayPass: when policy lets it be, a call that nobody judged goes
// on, and to wait for the detector once is enough.
func TestUnjudgedCallsMayPass(t *testing.T) {
	e := detecting(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	m := asking(t, "version: 1\nmode: enforce\nunreadable: {remote: flag}\n", presidioAt(e, ", direction: answer, channels: tool_call"))
	a, _ := m.ask(dialects["messages"], true, "s", `call: Write {"content":"by somebody"}`)
	if arguments(t, a, "Write", "content") != "by somebody" || e.calls() != 1 {
		t.Errorf("%+v with %d calls", a, e.calls())
	}
	if v := m.ended(1)[0]; !strings.Contains(judged([]flow.View{v}), "remote.names-failed") {
		t.Errorf("%s", judged([]flow.View{v}))
	}
}

// TestUploadsAreAskedAbout: files, as text, as lines of JSON and in parts of a form.
func TestUploadsAreAskedAbout(t *testing.T) {
	form := func(name, text string) string {
		return "--b0undary\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n" +
			"--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\n\r\n" + text + "\r\n--b0undary--\r\n"
	}
	for name, tc := range map[string]struct{ body, want string }{
		"text":  {form("a.txt", "notes \\u0041 of Zoë Smith, 😀 Ann Smith\n"), form("a.txt", "notes \\u0041 of T, 😀 T\n")},
		"lines": {form("a.jsonl", `{"custom_id":"1","body":{"x":"\u00e9 Ann\u0020Smith"}}`+"\n"+`{"custom_id":"2","body":{"x":"Zoë Smith"}}`), form("a.jsonl", `{"custom_id":"1","body":{"x":"\u00e9 T"}}`+"\n"+`{"custom_id":"2","body":{"x":"T"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			e := detecting(t, namesOf)
			m := asking(t, redactNames, presidioAt(e, ""))
			m.call("/openai/v1/files", tc.body, "Content-Type", "multipart/form-data; boundary=b0undary")
			if got := token.ReplaceAllString(strings.Join(m.seen, ""), "T"); got != tc.want {
				t.Errorf("the provider got %q, want %q", got, tc.want)
			}
			if v := m.ended(1)[0]; len(v.Findings) != 2 || v.Findings[0].Channel != flow.File {
				t.Errorf("findings %+v", v.Findings)
			}
		})
	}
}

// TestDetectorMetrics: how calls ended, how long they took, and who is left alone.
func TestDetectorMetrics(t *testing.T) {
	e := detecting(t, namesOf)
	m := asking(t, redactNames+"unreadable: {remote: flag}\n", presidioAt(e, ""))
	for range 2 {
		m.call(messagesPath, claude(q("Zoë Smith")), "Content-Type", "application/json", "X-Claude-Code-Session-Id", fmt.Sprint(e.calls()))
	}
	e.become(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	for i := range 6 {
		m.call(messagesPath, claude(q(fmt.Sprint("text ", i))), "Content-Type", "application/json")
	}
	resp, err := m.admin.Get("http://localhost/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for _, want := range []string{
		`gatehouse_remote_calls_total{detector="names",outcome="answered"} 1`, `gatehouse_remote_calls_total{detector="names",outcome="cached"} 1`,
		`gatehouse_remote_calls_total{detector="names",outcome="failed"} 5`, `gatehouse_remote_calls_total{detector="names",outcome="open"} 1`,
		`gatehouse_remote_seconds_count{detector="names"} 6`, `gatehouse_remote_circuit_open{detector="names"} 1`,
	} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if strings.Contains(string(text), "Smith") {
		t.Error("content in a metric")
	}
}
