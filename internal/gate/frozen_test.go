package gate_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// zed makes a value that the rule of these tests finds.
func zed(pair string) string { return "zed_" + strings.Repeat(pair, 10) }

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// tokenIn gives the first stand-in in a text.
func tokenIn(t *testing.T, text string) string {
	t.Helper()
	i := strings.Index(text, "QZ")
	if i < 0 || len(text) < i+22 {
		t.Fatalf("no stand-in in %s", text)
	}
	return text[i : i+22]
}

const (
	other   = "family: secret\nversion: 2\nrules:\n  - {id: zed-token, title: t, severity: high, confidence: 95, anchors: [zed_], pattern: 'zed_[a-z0-9]{20}'}\n  - {id: yak, title: t, severity: high, confidence: 95, anchors: [yak_], pattern: 'yak_[a-z0-9]{20}'}\n"
	blunt   = "version: 1\nmode: enforce\nrules:\n  - {rule: secret.*, do: flag}\n"
	blocks  = "version: 1\nmode: enforce\nrules:\n  - {rule: secret.yak, do: block}\n  - {rule: secret.*, do: redact}\nrestore: {text: true}\n"
	reports = "version: 1\nmode: report\nrules:\n  - {rule: secret.*, do: redact}\n"
)

// marked is a conversation whose last block has the agent's cache marker, as
// Claude Code sends it.
func marked(texts ...string) string {
	body := messages(texts...)
	return body[:len(body)-len("}]}]}")] + `,"cache_control":{"type":"ephemeral"}}]}]}`
}

// unmarked takes it out.
func unmarked(body string) string {
	return strings.ReplaceAll(body, `,"cache_control":{"type":"ephemeral"}`, "")
}

// TestForwardedTheSame: a block that was forwarded once is forwarded the same in
// every later turn of its conversation, after a change of the rules, of the
// policy, and after what stands in it became known; with a marker that moves, and
// when a message before it is gone.
func TestForwardedTheSame(t *testing.T) {
	secret, yak := zed("k7"), "yak_"+strings.Repeat("q3", 10)
	for name, tc := range map[string]struct {
		first  string
		change func(h *house)
	}{
		"the value is flagged first":        {blunt, func(h *house) { h.rule(enforcing) }},
		"the value is redacted first":       {enforcing, func(h *house) { h.rule(blunt) }},
		"reported first":                    {reports, func(h *house) { h.rule(enforcing) }},
		"reported later":                    {enforcing, func(h *house) { h.rule(reports) }},
		"another rule finds more":           {enforcing, func(h *house) { h.load(other) }},
		"no rule finds it any more":         {enforcing, func(h *house) { h.load(strings.ReplaceAll(zedRules, "zed_", "nix_")) }},
		"the other value becomes known":     {enforcing, func(h *house) { h.load(other); h.send(message(messages("see " + yak))) }},
		"nothing but the turn is different": {enforcing, func(*house) {}},
	} {
		for form, conversation := range map[string]func(...string) string{"plain": messages, "marked": marked} {
			t.Run(name+", "+form, func(t *testing.T) {
				h := open(t, t.TempDir(), tc.first)
				texts := []string{"hello", "hi", "my key is " + secret + " and " + yak}
				first, in := h.send(message(conversation(texts...)))
				tc.change(h)
				second, in2 := h.send(message(conversation(append(texts, "ok", "go on")...)))
				third, _ := h.send(message(conversation(append(texts[2:], "ok", "go on")...))) // the agent drops the beginning
				want := unmarked(first)[strings.Index(first, "my key"):strings.LastIndex(unmarked(first), "]}")]
				for turn, got := range []string{second, third} {
					if !strings.Contains(unmarked(got), want) {
						t.Errorf("turn %d: forwarded %s, want in it %s", turn+2, got, want)
					}
				}
				if changed := second != conversation(append(texts, "ok", "go on")...); changed != (in2.Decision.Verdict == flow.Redact) {
					t.Errorf("changed %v with the verdict %v after %v", changed, in2.Decision.Verdict, in.Decision.Verdict)
				}
				for what, want := range map[ledger.What]string{ledger.Request: conversation(append(texts, "ok", "go on")...), ledger.Forwarded: second} {
					if got := h.read(in2.Flow, what); got != want {
						t.Errorf("%s on record: %s, want %s", what, got, want)
					}
				}
				if in2.ForwardedSHA256 != sum(second) {
					t.Errorf("the hash is not that of what was forwarded")
				}
				h.sound()
			})
		}
	}
}

// TestAMovedMarkerIsRead: a value in what is lifted out of a block is found.
func TestAMovedMarkerIsRead(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	h.send(message(messages("hello there, long enough", "hi", "go on")))
	secret := zed("m2")
	later := strings.Replace(messages("hello there, long enough", "hi", "go on", "ok", "more"), `enough"}`, `enough","cache_control":{"type":"`+secret+`"}}`, 1)
	if sent, in := h.send(message(later)); strings.Contains(sent, secret) {
		t.Errorf("forwarded %s with %+v", sent, in.Decision)
	}
}

// TestABlockedRequestFreezesNothing: of a request that was blocked the provider
// got nothing, so what stands in it is judged anew when it comes again.
func TestABlockedRequestFreezesNothing(t *testing.T) {
	h := open(t, t.TempDir(), blocks)
	h.load(other)
	plain, secret, yak := "a plain word: hiddenword77", zed("b4"), "yak_"+strings.Repeat("z8", 10)
	in := h.refused(message(messages(plain, "hi", secret+" and "+yak)))
	if in.ForwardedSHA256 != "" || in.Decision.Verdict != flow.Block || len(in.Findings) != 2 {
		t.Errorf("blocked: %+v", in)
	}
	h.load(other + "  - {id: word, title: t, severity: high, confidence: 95, anchors: [hiddenword], pattern: 'hiddenword[0-9]{2}'}\n")
	sent, _ := h.send(message(messages("see hiddenword77")))
	if strings.Contains(sent, "hiddenword77") {
		t.Fatalf("forwarded %s", sent)
	}
	h.load(other) // the word is known by itself now, the rule is gone
	sent, in = h.send(message(messages(plain, "hi", secret)))
	if strings.Contains(sent, "hiddenword77") || strings.Contains(sent, secret) || len(in.Findings) != 2 {
		t.Errorf("forwarded %s with %+v", sent, in.Findings)
	}
	h.sound()
}

// TestABlockedTurnOfARedactedConversation: nothing was forwarded, and the record
// says so.
func TestABlockedTurnOfARedactedConversation(t *testing.T) {
	h := open(t, t.TempDir(), blocks)
	h.load(other)
	secret, yak := zed("c5"), "yak_"+strings.Repeat("y6", 10)
	first, _ := h.send(message(messages("it is " + secret)))
	body := messages("it is "+secret, "ok", "and "+yak)
	in := h.refused(message(body))
	if in.ForwardedSHA256 != "" || in.ForwardedBytes != 0 {
		t.Errorf("forwarded %d bytes", in.ForwardedBytes)
	}
	if got := h.read(in.Flow, ledger.Request); got != body {
		t.Errorf("the request on record is %s", got)
	}
	again, _ := h.send(message(messages("it is "+secret, "ok", "never mind")))
	if !strings.HasPrefix(again, first[:len(first)-2]) {
		t.Errorf("forwarded %s after %s", again, first)
	}
	h.sound()
}

// TestAnotherSessionStartsAnew: what was forwarded in one session says nothing
// of another one, even where their bodies are alike and no header tells them
// apart.
func TestAnotherSessionStartsAnew(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	secret := zed("d6")
	say := func(session, answer string) (sent, got string, in *flow.Intent) {
		m := message(strings.Replace(messages("my key is "+secret, "ok", "go on "+session), `{"model"`, `{"metadata":{"user_id":"{\"session_id\":\"`+session+`\"}"},"model"`, 1))
		m.Claim = gate.Claim{}
		return h.hear(m, answer)
	}
	sent, _, _ := say("aaaa", "")
	answer := streamed("it is " + tokenIn(t, sent))
	again, got, in := say("bbbb", answer)
	if tokenIn(t, again) != tokenIn(t, sent) || !strings.Contains(got, secret) {
		t.Errorf("forwarded %s, delivered %s", again, got)
	}
	if in.Session.ID != "bbbb" || len(in.Findings) != 1 {
		t.Errorf("the other session records %+v", in)
	}
}

// TestAnotherProviderStartsAnew: what one provider got in the clear another one
// need not get.
func TestAnotherProviderStartsAnew(t *testing.T) {
	h := open(t, t.TempDir(), "version: 1\nmode: enforce\nrules:\n  - {rule: secret.*, provider: gemini, do: redact}\n  - {rule: secret.*, do: flag}\n")
	secret := zed("e7")
	m := message(messages("my key is " + secret))
	m.API, m.Provider = flow.Opaque, flow.OpenAI
	if sent, _ := h.send(m); !strings.Contains(sent, secret) {
		t.Fatalf("forwarded %s", sent)
	}
	m.Provider = flow.Gemini
	if sent, _ := h.send(m); strings.Contains(sent, secret) {
		t.Errorf("forwarded %s", sent)
	}
}

// TestHalvesInTwoTurns: the half that is with the provider stays as it is, and
// the other one does not follow it.
func TestHalvesInTwoTurns(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	secret := zed("f8")
	a, b := "my key is "+secret[:12], secret[12:]
	first, _ := h.send(message(messages(a)))
	second, in := h.send(message(messages(a, b, "go on")))
	if !strings.HasPrefix(second, first[:len(first)-2]) || strings.Contains(second, b) || in.Decision.Verdict != flow.Redact {
		t.Errorf("forwarded %s with %+v", second, in.Decision)
	}
}

// TestHalvesOfAContinuedResponse: the first message of a chain counts, too.
func TestHalvesOfAContinuedResponse(t *testing.T) {
	h := open(t, t.TempDir(), blocks)
	h.load(other)
	secret := zed("g9")
	ask := func(previous, text string) *gate.Message {
		m := message(`{"model":"m",` + previous + `"input":[{"role":"user","content":[{"type":"input_text","text":"` + text + `"}]}]}`)
		m.Provider, m.API, m.Route = flow.OpenAI, flow.Responses, "/v1/responses"
		return m
	}
	h.send(ask("", "my key is "+secret[:12]))
	h.refused(ask(`"previous_response_id":"resp_1",`, "yak_"+strings.Repeat("k", 20))) // not with the provider, so not between
	order := ask("", "")
	order.API, order.Method, order.Body = flow.Opaque, flow.MethodMessage, []byte(`{"type":"response.cancel","why":"no reason"}`)
	h.send(order)
	if sent, _ := h.send(ask(`"previous_response_id":"resp_1",`, secret[12:])); strings.Contains(sent, secret[12:]) {
		t.Errorf("forwarded %s", sent)
	}
}

// TestReportChangesNothing: in report mode not a byte is changed, and the entry
// says what enforcing would have done.
func TestReportChangesNothing(t *testing.T) {
	h := open(t, t.TempDir(), reports)
	body := messages("my key is " + zed("h1"))
	answer := streamed("it is " + zed("h1") + " and QZ")
	sent, got, in := h.say(body, answer)
	if sent != body || got != answer || in.Decision.Verdict != flow.Pass || in.Decision.Would != "redact" {
		t.Errorf("forwarded %s, delivered %s with %+v", sent, got, in.Decision)
	}
	if in.ForwardedSHA256 != in.RequestSHA256 {
		t.Error("the hashes differ")
	}
}

// TestRestoredOnlyWhereItWasReplaced: in another session, and for another
// principal, a stand-in stays what it is.
func TestRestoredOnlyWhereItWasReplaced(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	secret := zed("j2")
	sent, _, _ := h.say(messages("my key is "+secret), "")
	answer := streamed("it is " + tokenIn(t, sent) + ".")
	for name, tc := range map[string]struct {
		principal, session string
		want               bool
	}{"the same": {"ann/claude", "s", true}, "another session": {"ann/claude", "t", false}, "another principal": {"bob/claude", "s", false}} {
		m := message(messages("say it"))
		m.Principal.Name, m.Claim.Session = tc.principal, tc.session
		if _, got, _ := h.hear(m, answer); strings.Contains(got, secret) != tc.want {
			t.Errorf("%s: delivered %s", name, got)
		}
	}
}

// TestTooManyValues: a page that lists candidates does not get through, and what
// it listed stands in the vault only.
func TestTooManyValues(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	h.load("family: secret\nversion: 1\nrules:\n  - {id: pin, title: t, severity: high, confidence: 95, anchors: [pin=], pattern: 'pin=([a-z0-9]{6})'}\n")
	var page []string
	for i := range 1100 {
		page = append(page, fmt.Sprintf("pin=%06d", i))
	}
	var texts []string
	for i := 0; i < len(page); i += 100 { // a scan tells a thousand of each text
		texts = append(texts, strings.Join(page[i:i+100], " "))
	}
	in := h.refused(message(messages(texts...)))
	if len(in.Decision.Rules) != 1 || in.Decision.Rules[0] != "limit:redactions" || in.ForwardedSHA256 != "" {
		t.Errorf("decided %+v", in.Decision)
	}
	if sent, _ := h.send(message(messages("the number is 000007"))); !strings.Contains(sent, "000007") {
		t.Errorf("a candidate became known: %s", sent)
	}
	h.sound()
}

// TestWhatGoesOnFromABlockedAnswer: neither in its session nor in another one
// does a request go on with an answer that was blocked, and it can't be fetched.
func TestWhatGoesOnFromABlockedAnswer(t *testing.T) {
	h := open(t, t.TempDir(), blocks)
	h.load(other)
	yak := "yak_" + strings.Repeat("x9", 10)
	ask := func(body string) *gate.Message {
		m := message(body)
		m.Provider, m.API, m.Route, m.Path = flow.OpenAI, flow.Responses, "/v1/responses", "/v1/responses"
		return m
	}
	answer := `{"id":"resp_blocked1","object":"response","status":"completed","output":[{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{\"a\":\"` + yak + `\"}"}]}`
	if _, got, _ := h.hear(ask(`{"model":"m","input":"hello"}`), answer); strings.Contains(got, yak) {
		t.Fatalf("delivered %s", got)
	}
	for _, session := range []string{"s", "t"} {
		next := ask(`{"model":"m","previous_response_id":"resp_blocked1","input":"go on"}`)
		next.Claim.Session = session
		if in := h.refused(next); in.Decision.Rules[0] != "limit:continues-blocked" {
			t.Errorf("decided %+v", in.Decision)
		}
		fetch := ask("")
		fetch.API, fetch.Method, fetch.Claim.Session = flow.Opaque, "GET", session
		fetch.Route = "/v1/responses/resp%5Fblocked1"
		fetch.Path = fetch.Route
		h.refused(fetch)
	}
	clean := ask(`{"model":"m","input":"hello again"}`)
	h.send(clean)
}

// TestACallThatIsFetchedLater: a response that was made in the background is
// judged when it is fetched, whole or streamed; what it cost is not counted twice.
func TestACallThatIsFetchedLater(t *testing.T) {
	yak := "yak_" + strings.Repeat("w1", 10)
	item := func(value string) string {
		return `{"type":"function_call","id":"fc","call_id":"c","name":"f","status":"completed","arguments":"{\"a\":\"` + value + `\"}"}`
	}
	whole := func(value string) string {
		return `{"id":"resp_later11","object":"response","status":"completed","model":"m","output":[` + item(value) + `],"usage":{"input_tokens":9,"output_tokens":9}}`
	}
	stream := func(value string) string {
		return `data: {"type":"response.created","response":{"id":"resp_later11"}}` + "\n\n" +
			`data: {"type":"response.output_item.added","output_index":0,"item":` + item("") + "}\n\n" +
			`data: {"type":"response.output_item.done","output_index":0,"item":` + item(value) + "}\n\n" +
			`data: {"type":"response.completed","response":` + whole(value) + "}\n\n"
	}
	for name, answer := range map[string]func(string) string{"whole": whole, "stream": stream} {
		h := open(t, t.TempDir(), blocks)
		h.load(other)
		m := message("")
		m.Provider, m.API, m.Method, m.Route, m.Path = flow.OpenAI, flow.Opaque, "GET", "/v1/responses/resp_later11", "/v1/responses/resp_later11?stream=true"
		if _, got, _ := h.hear(m, answer("harmless")); got != answer("harmless") {
			t.Errorf("%s: delivered %s", name, got)
		}
		if _, got, _ := h.hear(m, answer(yak)); strings.Contains(got, yak) {
			t.Errorf("%s: delivered %s", name, got)
		}
		h.refused(m)
		m.Method, m.Path = "POST", "/v1/responses/resp_later11/cancel"
		if _, got, _ := h.hear(m, answer(yak)); strings.Contains(got, yak) {
			t.Errorf("%s: cancelling it delivered %s", name, got)
		}
		h.sound()
	}
	h := open(t, t.TempDir(), blocks)
	h.load(other)
	m := message("")
	m.Provider, m.API, m.Method, m.Route, m.Path = flow.OpenAI, flow.Opaque, "GET", "/v1/chat/completions/c1", "/v1/chat/Completi%6Fns/c1"
	stored := `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"` + yak + `\"}"}}]}}]}`
	if _, got, _ := h.hear(m, stored); strings.Contains(got, yak) {
		t.Errorf("a stored completion: delivered %s", got)
	}
}

// TestNoRulesNoPassage: a gate without rules, or with a policy that decides
// nothing, lets nothing through.
func TestNoRulesNoPassage(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	body := messages("hello")
	h.engine = nil
	if p, err := h.Admit(message(body)); err == nil {
		t.Errorf("admitted %+v", p.Intent())
	}
	h.load(zedRules)
	h.policy = policy.Policy{}
	h.refused(message(body))
}

// TestMetadataOnly: where bodies are not kept, values are replaced and restored
// all the same, and what was forwarded stays the same.
func TestMetadataOnly(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	h.capture = flow.CaptureMetadata
	secret := zed("l3")
	first, in := h.send(message(messages("my key is " + secret)))
	if strings.Contains(first, secret) || in.Decision.Verdict != flow.Redact {
		t.Fatalf("forwarded %s", first)
	}
	h.rule(blunt + "restore: {text: true}\n")
	m := message(messages("my key is "+secret, "ok", "go on"))
	second, got, _ := h.hear(m, streamed("it is "+tokenIn(t, first)))
	if !strings.HasPrefix(second, first[:len(first)-2]) || !strings.Contains(got, secret) {
		t.Errorf("forwarded %s, delivered %s", second, got)
	}
}

// TestHeadersAreRead: only a fingerprint as the gateway makes them stands for a
// credential; what looks a little like one is read, and so is each header that
// is forwarded.
func TestHeadersAreRead(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	for _, header := range []flow.Header{{Name: "X-Note", Value: "fp_" + zed("n4")}, {Name: "Sec-Websocket-Protocol", Value: zed("n4")}, {Name: "X-A", Value: "a " + zed("n4")}} {
		m := message(messages("hello"))
		m.Header = []flow.Header{header}
		h.refused(m)
	}
	m := message(messages("hello"))
	m.Header = []flow.Header{{Name: "X-Api-Key", Value: "fp_0123456789abcdef"}}
	h.send(m)
}

// TestNumbersInABatch: a line of a batch stays JSON.
func TestNumbersInABatch(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	h.load("family: secret\nversion: 1\nrules:\n  - {id: pin, title: t, severity: high, confidence: 95, anchors: [pin], pattern: '\"pin\": ?([0-9]{12})'}\n")
	m := message("{\"pin\":123456789012,\"x\":1}\n{\"pin\":210987654321}\n")
	m.Provider, m.API, m.Route = flow.OpenAI, flow.Opaque, "/v1/files"
	sent, _ := h.send(m)
	if want := "{\"pin\":\"" + tokenIn(t, sent) + "\",\"x\":1}\n"; !strings.HasPrefix(sent, want) || strings.Contains(sent, "210987654321") {
		t.Errorf("forwarded %s, want %s", sent, want)
	}
}

// TestListsAndManyParts: a body that is no object, or has too many parts to be
// cut along them, is read and edited all the same.
func TestListsAndManyParts(t *testing.T) {
	secret := zed("p5")
	filler := strings.Repeat(`"some text \"quoted\" that is long",`, 3000)
	for name, body := range map[string]string{
		"list":  `[` + filler + `"it is ` + secret + `",` + filler + `1]`,
		"parts": `{"model":"m","messages":[` + strings.Repeat(`{"role":"user","content":[{"type":"text","text":"x"}]},`, 20000) + `{"role":"user","content":[{"type":"text","text":"it is ` + secret + `"}]}]}`,
	} {
		h := open(t, t.TempDir(), enforcing)
		m := message(body)
		m.API = flow.Opaque
		sent, _ := h.send(m)
		if want := strings.Replace(body, secret, tokenIn(t, sent), 1); sent != want {
			t.Errorf("%s: %d bytes became %d", name, len(want), len(sent))
		}
	}
}

// TestTurnsLetGo: what a turn took of memory is free after the next ones, but for
// what is remembered of its conversation.
func TestTurnsLetGo(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	texts := []string{"my key is " + zed("q6"), strings.Repeat("long text. ", 40_000)}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	turn := func(i int) {
		texts = append(texts, fmt.Sprint("turn ", i), "ok "+zed("q6"))
		h.send(message(messages(texts...)))
	}
	for i := range 5 {
		turn(i)
	}
	before := heap()
	for i := range 40 {
		turn(i)
	}
	grown := int64(heap()) - int64(before)
	runtime.KeepAlive(h)
	if grown > 6<<20 {
		t.Errorf("40 turns of half a megabyte took %d bytes", grown)
	}
}

// TestAfterARestart: stand-ins are the same, what was replaced is restored though
// nobody sends it again, and is looked for by itself: also a short value.
func TestAfterARestart(t *testing.T) {
	dir := t.TempDir()
	rules := "family: secret\nversion: 1\nrules:\n  - {id: pin, title: t, severity: high, confidence: 95, anchors: [pin=], pattern: 'pin=([a-z0-9]{6,24})'}\n"
	short, long, coded := "a7b8c9", strings.Repeat("r5", 10), base64.StdEncoding.EncodeToString([]byte("pin="+strings.Repeat("t6", 11)))
	turn := func(text, answer string) (sent, got string) {
		h := open(t, dir, enforcing)
		h.load(rules)
		m := message(`{"model":"m","previous_response_id":"r","input":[{"role":"user","content":[{"type":"input_text","text":"` + text + `"}]}]}`)
		m.Provider, m.API, m.Route = flow.OpenAI, flow.Responses, "/v1/responses"
		sent, got, _ = h.hear(m, answer)
		h.sound()
		h.ledger.Close()
		return sent, got
	}
	first, _ := turn("pin="+short+" pin="+long+" and "+coded, "")
	tokens := regexp.MustCompile("QZ[A-Z2-9]{20}").FindAllString(first, -1)
	if len(tokens) != 3 || strings.Contains(first, short) || strings.Contains(first, coded) {
		t.Fatalf("forwarded %s", first)
	}
	answer := `{"id":"r","output":[{"type":"message","content":[{"type":"output_text","text":"%s"}]}]}`
	again, got := turn("pin="+short+" or "+long+" or "+short+" or "+coded, fmt.Sprintf(answer, strings.Join(tokens, " ")))
	if want := fmt.Sprintf(answer, short+" "+long+" "+coded); got != want {
		t.Errorf("delivered %s, want %s", got, want)
	}
	if want := "pin=" + tokens[0] + " or " + tokens[1] + " or " + tokens[0] + " or " + tokens[2]; !strings.Contains(again, want) {
		t.Errorf("forwarded %s, want in it %s", again, want)
	}
}

// TestALongAnswerThatCameCompressed: an answer that can't be kept beside what
// came is cut, and the record says where.
func TestALongAnswerThatCameCompressed(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	p, err := h.Admit(message(messages("my key is " + zed("u7"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Answer(200, nil, "gzip", "", codec.Sniff); err != nil {
		t.Fatal(err)
	}
	var packed, got bytes.Buffer
	w := gzip.NewWriter(&packed)
	random := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 60_000) // what is packed too well is not decoded
	for range 25 {
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		io.WriteString(w, streamed(base64.StdEncoding.EncodeToString(noise)))
	}
	w.Close()
	deliver := func(b []byte) error { got.Write(b); return nil }
	var failed error
	for rest := packed.Bytes(); len(rest) > 0 && failed == nil; {
		n := min(len(rest), 8<<10)
		failed = p.Push(rest[:n], deliver)
		rest = rest[n:]
	}
	p.End(flow.Aborted, "cut")
	if failed == nil || got.Len() < 1<<19 || got.Len() > 1<<20 {
		t.Errorf("delivered %d bytes, then %v", got.Len(), failed)
	}
	if h.read(p.Intent().Flow, ledger.Delivered) != got.String() {
		t.Error("what was delivered is not what is on record")
	}
	h.sound()
}

// TestACompressedConversation: bodies that come compressed can't be compared, and
// what was forwarded stays the same all the same.
func TestACompressedConversation(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	pack := func(body string) *gate.Message {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, body)
		w.Close()
		m := message("")
		m.Body, m.Encoding = b.Bytes(), "gzip"
		return m
	}
	secret := zed("v8")
	first, in := h.send(pack(marked("my key is " + secret)))
	h.rule(blunt)
	body := marked("my key is "+secret, "ok", "and "+zed("w9"))
	second, in2 := h.send(pack(body))
	if want := strings.Replace(body, secret, tokenIn(t, first), 1); second != want || len(in.Findings) != 1 || len(in2.Findings) != 1 {
		t.Errorf("forwarded %s, want %s with %d findings", second, want, len(in2.Findings))
	}
	if h.read(in2.Flow, ledger.Forwarded) != second || in2.ForwardedSHA256 != sum(second) {
		t.Error("what was forwarded is not what is on record")
	}
	h.sound()
}

// TestThousandsOfFindings: they are all replaced, recorded, and cost a later turn
// little.
func TestThousandsOfFindings(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	var texts []string
	random := rand.New(rand.NewPCG(2, 2))
	for range 5 {
		var b strings.Builder
		for range 500 {
			b.WriteString("zed_")
			for range 20 {
				b.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[random.IntN(36)])
			}
			b.WriteByte(' ')
		}
		texts = append(texts, b.String())
	}
	sent, in := h.send(message(messages(texts...)))
	if strings.Contains(sent, "zed_") || len(in.Findings) != 2500 {
		t.Errorf("%d findings; forwarded %.300s", len(in.Findings), sent)
	}
	again, in := h.send(message(messages(append(texts, "go on")...)))
	if !strings.HasPrefix(again, sent[:len(sent)-2]) || len(in.Findings) != 0 {
		t.Errorf("%d new findings in the second turn", len(in.Findings))
	}
	h.sound()
}

// TestNumbersInArguments: arguments are JSON in a string, and stay it there and
// back.
func TestNumbersInArguments(t *testing.T) {
	h := open(t, t.TempDir(), enforcing+"  tools:\n    - {tool: f, fields: pin}\n")
	h.load("family: secret\nversion: 1\nrules:\n  - {id: pin, title: t, severity: high, confidence: 95, anchors: [pin], pattern: 'pin\\W{1,6}([0-9]{12})'}\n")
	call := func(arguments string) string {
		return `{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":` + arguments + `}}]}`
	}
	m := message(`{"model":"m","messages":[{"role":"user","content":"go"},` + call(`"{\"pin\": 123456789012, \"x\":1}"`) + `]}`)
	m.Provider, m.API, m.Route = flow.OpenAI, flow.Chat, "/v1/chat/completions"
	answer := func(arguments string) string {
		return `{"id":"a","choices":[{"index":0,"message":` + call(arguments) + `}]}`
	}
	sent, _ := h.send(m)
	token := tokenIn(t, sent)
	if want := `"{\"pin\": \"` + token + `\", \"x\":1}"`; !strings.Contains(sent, want) {
		t.Errorf("forwarded %s, want in it %s", sent, want)
	}
	if _, got, _ := h.hear(m, answer(`"{\"pin\":\"`+token+`\"}"`)); got != answer(`"{\"pin\":123456789012}"`) {
		t.Errorf("delivered %s", got)
	}
}

// TestSubAgentsAtOnce: several conversations of one session at a time, in which
// values become known, are each forwarded the same, with the same stand-ins.
func TestSubAgentsAtOnce(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	shared := zed("x1")
	tokens := make(chan string, 100)
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			own := fmt.Sprintf("zed_%d%s", n, strings.Repeat("y", 19))
			texts, before := []string{fmt.Sprint("I am ", n)}, ""
			for turn := range 8 {
				texts = append(texts, fmt.Sprint("ok ", turn), "the key "+shared+" and "+own)
				p, err := h.Admit(message(marked(texts...)))
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := p.Body()
				p.End(flow.Done, "")
				sent := unmarked(string(body))
				if strings.Contains(sent, "zed_") || !strings.HasPrefix(sent, before) {
					t.Errorf("forwarded %s after %s", sent, before)
				}
				before = sent[:len(sent)-2]
			}
			tokens <- tokenIn(t, before)
		})
	}
	all.Wait()
	close(tokens)
	first := <-tokens
	for other := range tokens {
		if other != first {
			t.Errorf("stand-ins %s and %s for one value", first, other)
		}
	}
	h.sound()
}

// TestWhatAnOperatorHasReplaced: also what is no secret by its family is kept in
// the vault, restored after a restart, and replaced when it comes back.
func TestWhatAnOperatorHasReplaced(t *testing.T) {
	dir := t.TempDir()
	file := "version: 1\nmode: enforce\nrules:\n  - {rule: acme.*, do: redact}\nrestore: {text: true}\n"
	rules := "family: acme\nversion: 1\nrules:\n  - {id: project, title: t, severity: high, confidence: 95, anchors: [project], pattern: 'project ([a-z]{9})'}\n"
	turn := func(text, answer string) (sent, got string) {
		h := open(t, dir, file)
		h.load(rules)
		sent, got, _ = h.say(text, answer)
		h.sound()
		h.ledger.Close()
		return sent, got
	}
	first, _ := turn(messages("the project moonshine"), "")
	again, got := turn(messages("tell me of moonshine"), streamed("it is "+tokenIn(t, first)))
	if !strings.Contains(got, "it is moonshine") || strings.Contains(again, "moonshine") {
		t.Errorf("forwarded %s, delivered %s", again, got)
	}
}
