package gate_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

const zedRules = `family: secret
version: 1
rules:
  - id: zed-token
    title: a token of the test
    severity: high
    confidence: 95
    anchors: [zed_]
    case_anchors: true
    pattern: 'zed_[a-z0-9]{20}'
`

const enforcing = `version: 1
mode: enforce
rules:
  - {rule: secret.*, do: redact}
restore:
  text: true
`

// house is a gate with one rule, over a ledger of its own. What is in force can
// be changed.
type house struct {
	t testing.TB
	*gate.Gate
	ledger  *ledger.Ledger
	engine  *inspect.Engine
	policy  policy.Policy
	capture flow.Capture
}

func open(t testing.TB, dir, file string) *house {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	h := &house{t: t, ledger: l, capture: flow.CaptureFull}
	h.rule(file)
	h.load(zedRules)
	h.Gate = gate.New(gate.Options{
		Ledger: l, Vault: vault.New(l), Now: time.Now, PlainBytes: 1 << 20, Capture: func(flow.Principal) flow.Capture { return h.capture },
		Policy: func() policy.Policy { return h.policy }, Rules: func() *inspect.Engine { return h.engine },
	})
	return h
}

// rule puts a policy in force.
func (h *house) rule(file string) {
	h.t.Helper()
	p, err := policy.Parse("policy.yaml", []byte(file))
	if err != nil {
		h.t.Fatal(err)
	}
	h.policy = p
}

// load puts rules in force.
func (h *house) load(rules string) {
	h.t.Helper()
	set, err := inspect.Parse("test.yaml", []byte(rules))
	if err != nil {
		h.t.Fatal(err)
	}
	if h.engine, err = inspect.Compile(inspect.Library{}, set); err != nil {
		h.t.Fatal(err)
	}
}

// message is a conversation in the session s.
func message(body string) *gate.Message {
	return &gate.Message{
		Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages", Path: "/v1/messages",
		Principal: flow.Principal{Name: "ann/claude"}, Claim: gate.Claim{Session: "s"}, Body: []byte(body),
	}
}

// send gives what would be forwarded of a message, which is answered.
func (h *house) send(m *gate.Message) (forwarded string, in *flow.Intent) {
	h.t.Helper()
	p, err := h.Admit(m)
	if err != nil {
		h.t.Fatal(err)
	}
	body, _ := p.Body()
	sent := string(body)
	if err := p.Answer(200, nil, "", "", codec.Sniff); err != nil {
		h.t.Fatal(err)
	}
	p.End(flow.Done, "")
	return sent, p.Intent()
}

// refused gives the intent of a message that is blocked.
func (h *house) refused(m *gate.Message) *flow.Intent {
	h.t.Helper()
	p, err := h.Admit(m)
	var r *flow.Refusal
	if !errors.As(err, &r) || r.Status != 400 || p == nil {
		h.t.Fatalf("admitted, with %v", err)
	}
	return p.Intent()
}

// sound checks the whole ledger.
func (h *house) sound() {
	h.t.Helper()
	if rep, err := h.ledger.Verify(nil); err != nil || rep.Code != ledger.Sound {
		h.t.Errorf("verify: %v %+v", err, rep)
	}
}

// say sends a conversation and gives what would be forwarded; the answer is
// what the client gets of an answer.
func (h *house) say(body, answer string) (forwarded, delivered string, in *flow.Intent) {
	h.t.Helper()
	return h.hear(message(body), answer)
}

// hear is say for any message.
func (h *house) hear(m *gate.Message, answer string) (forwarded, delivered string, in *flow.Intent) {
	h.t.Helper()
	p, err := h.Admit(m)
	if err != nil {
		h.t.Fatal(err)
	}
	sent, _ := p.Body()
	if err := p.Answer(200, nil, "", "", codec.Sniff); err != nil {
		h.t.Fatal(err)
	}
	var got bytes.Buffer
	deliver := func(b []byte) error { got.Write(b); return nil }
	if err := p.Push([]byte(answer), deliver); err != nil && !errors.Is(err, gate.ErrBlocked) {
		h.t.Fatal(err)
	}
	if err := p.Flush(deliver); err != nil && !errors.Is(err, gate.ErrBlocked) {
		h.t.Fatal(err)
	}
	p.End(flow.Done, "")
	return string(sent), got.String(), p.Intent()
}

func (h *house) read(id flow.ID, what ledger.What) (text string) {
	h.t.Helper()
	chunks, err := h.ledger.Read(id, what, ledger.Access{Who: "a test", Why: "a test"})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range chunks {
		text += string(c.Data)
	}
	return text
}

// What a provider sealed comes back to it as it is, however long; the same bytes
// anywhere else can't be read, and are blocked.
func TestSealedPartsPass(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	noise := make([]byte, 3000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	sealed := base64.StdEncoding.EncodeToString(noise)
	thought := `{"model":"claude-x","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"` + sealed + `"},{"type":"text","text":"yes"}]},{"role":"user","content":"go on"}]}`
	if sent, _, in := h.say(thought, streamed("ok")); sent != thought || in.Decision.Verdict != flow.Pass {
		t.Errorf("a signed thought: %+v", in.Decision)
	}
	_, err := h.Admit(&gate.Message{
		Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages", Path: "/v1/messages",
		Principal: flow.Principal{Name: "ann/claude"}, Body: []byte(messages("what is " + sealed)),
	})
	if err == nil || !strings.Contains(err.Error(), "unreadable") {
		t.Errorf("the same in a text: %v", err)
	}
}

func messages(texts ...string) string {
	var list []string
	for i, text := range texts {
		role := []string{"user", "assistant"}[i%2]
		list = append(list, `{"role":"`+role+`","content":[{"type":"text","text":"`+text+`"}]}`)
	}
	return `{"model":"claude-x","messages":[` + strings.Join(list, ",") + `]}`
}

func streamed(text string) string {
	return "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-x\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" + text + "\"}}\n\n" +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
}

// The value never reaches the provider, its pseudonym does, the same one in
// every turn, and what the model says of it comes back as the value.
func TestRedactedThereAndBack(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	secret := "zed_" + strings.Repeat("k7", 10)
	first := messages("my key is " + secret + ", keep it")
	sent, _, in := h.say(first, streamed("ok"))
	if strings.Contains(sent, secret) || in.Decision.Verdict != flow.Redact || len(in.Findings) != 1 {
		t.Fatalf("sent %s with %+v", sent, in)
	}
	token := sent[strings.Index(sent, "QZ"):][:22]
	if want := strings.Replace(first, secret, token, 1); sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
	second := messages("my key is "+secret+", keep it", "ok", "say it: "+secret)
	sent2, got, in2 := h.say(second, streamed("it is "+token+"."))
	if want := strings.ReplaceAll(second, secret, token); sent2 != want {
		t.Errorf("sent %s, want %s", sent2, want)
	}
	if want := streamed("it is " + secret + "."); got != want {
		t.Errorf("delivered %s, want %s", got, want)
	}
	if len(in2.Findings) != 1 {
		t.Errorf("the second turn records %d findings, want the new one", len(in2.Findings))
	}
	for what, want := range map[ledger.What]string{ledger.Request: second, ledger.Forwarded: sent2, ledger.Response: streamed("it is " + token + "."), ledger.Delivered: got} {
		if have := h.read(in2.Flow, what); have != want {
			t.Errorf("%s on record: %s, want %s", what, have, want)
		}
	}
	h.sound()
}

// What is kept of a conversation is its last body: a finding must not hold on to
// the body that it was found in.
func TestAFindingHoldsNoBody(t *testing.T) {
	h := open(t, t.TempDir(), enforcing)
	secret := "zed_" + strings.Repeat("m4", 10)
	body := []byte(messages("my key is " + secret + " " + strings.Repeat("x", 1<<20)))
	first := weak.Make(&body[0])
	turn := func(body []byte) {
		p, err := h.Admit(&gate.Message{
			Provider: flow.Anthropic, API: flow.Messages, Method: "POST", Route: "/v1/messages", Path: "/v1/messages",
			Principal: flow.Principal{Name: "ann/claude"}, Claim: gate.Claim{Session: "s"}, Body: body,
		})
		if err != nil {
			t.Fatal(err)
		}
		p.Body()
		p.End(flow.Done, "")
	}
	text := string(body[:len(body)-2])
	turn(body)
	body = nil
	turn([]byte(text + `,{"role":"assistant","content":"ok"}]}`))
	turn([]byte(text + `,{"role":"assistant","content":"ok"},{"role":"user","content":"and"}]}`))
	runtime.GC()
	if first.Value() != nil {
		t.Error("the first turn's body is still held")
	}
	runtime.KeepAlive(h)
}

// TestASecretIsNoName: of tools and models they are metadata, which lists show to whoever may look.
func TestASecretIsNoName(t *testing.T) {
	h := open(t, t.TempDir(), "version: 1\nmode: observe\n")
	secret := zed("q7")
	call := `{"type":"tool_use","id":"t","name":"` + "%s" + `","input":{}}`
	asked := strings.Replace(messages("hello"), "claude-x", secret, 1)
	_, _, in := h.hear(message(asked), `{"type":"message","role":"assistant","model":"x/`+secret+`","content":[`+fmt.Sprintf(call, "mcp.run:"+secret)+`,`+fmt.Sprintf(call, "Bash")+`]}`)
	_, out, err := h.ledger.Flow(in.Flow)
	if err != nil || fmt.Sprint(out.Tools) != "[Bash]" {
		t.Errorf("%v %v", out.Tools, err)
	}
	if !slices.ContainsFunc(out.Findings, func(f flow.Finding) bool { return f.Channel == flow.ToolCalls && f.Note == flow.InToolName }) {
		t.Errorf("no finding in the tool's name: %+v", out.Findings)
	}
	if !strings.HasPrefix(in.Model, "fp_") || !strings.HasPrefix(out.Model, "x/fp_") || strings.Contains(in.Model+out.Model, secret) {
		t.Errorf("models %q, %q", in.Model, out.Model)
	}
}

// TestSecretsBesideTheBody: of a secret in an address or a header the record has a
// fingerprint, as of credentials: whoever lists flows sees both.
func TestSecretsBesideTheBody(t *testing.T) {
	h := open(t, t.TempDir(), "version: 1\nmode: observe\n")
	secret, other := zed("r8"), zed("s9")
	m := message(messages("hello"))
	m.Path = "/v1/" + secret + "/x?a=" + other + "&b=" + secret
	m.Header = []flow.Header{{Name: "X-A", Value: "one " + other + ", two " + secret}, {Name: "X-A", Value: "no more than these words, which are long enough"}}
	_, in := h.send(m)
	kept, _, err := h.ledger.Flow(in.Flow)
	if err != nil || len(kept.Findings) != 5 {
		t.Fatalf("%d findings, %v", len(kept.Findings), err)
	}
	text := kept.Path + kept.Header[0].Value
	if kept.Header[1] != m.Header[1] {
		t.Errorf("a line without one was changed: %+v", kept.Header[1])
	}
	if strings.Contains(text, "zed_") || strings.Count(text, "fp_") != 5 || !strings.HasPrefix(kept.Path, "/v1/fp_") || !strings.Contains(kept.Path, "/x?a=fp_") || !strings.HasPrefix(kept.Header[0].Value, "one fp_") {
		t.Errorf("%s %+v", kept.Path, kept.Header)
	}
	if !strings.Contains(m.Header[0].Value, other) {
		t.Error("what is forwarded was changed")
	}
}

// manyFindings is one message with n texts, a value in each.
func manyFindings(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`{"type":"text","text":"t zed_%020d"}`, i)
	}
	return `{"messages":[{"role":"user","content":[` + strings.Join(parts, ",") + `]}]}`
}

// A message is read once for all that is found in it: with a walk over it for each
// finding this test takes half a minute.
func TestTenThousandFindingsInOneMessage(t *testing.T) {
	const n = 10_000
	h := open(t, t.TempDir(), strings.Replace(enforcing, "enforce", "report", 1))
	_, in := h.send(message(manyFindings(n)))
	if len(in.Findings) != n {
		t.Errorf("%d findings, want %d", len(in.Findings), n)
	}
	for _, f := range in.Findings {
		if f.Channel != flow.User {
			t.Fatalf("found in %s: %+v", f.Channel, f)
		}
	}
}

// BenchmarkManyFindings is a request that is all findings. Its time grows with their
// number.
func BenchmarkManyFindings(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := open(b, b.TempDir(), strings.Replace(enforcing, "enforce", "report", 1))
			m := message(manyFindings(n))
			for b.Loop() {
				p, err := h.Admit(m)
				if err != nil {
					b.Fatal(err)
				}
				p.End(flow.Done, "")
			}
		})
	}
}
