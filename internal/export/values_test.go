package export_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
)

const token = "tok\"7fKd93/ü<0Zx" // with what each way of writing JSON escapes

// at makes the finding of a value's first place in a text.
func at(rule, text, value string) flow.Finding {
	i := strings.Index(text, value)
	return flow.Finding{ID: "f_1", Rule: rule, Start: int64(i), End: int64(i + len(value)), Channel: flow.User}
}

func asks(text string) string {
	q, _ := json.Marshal(text)
	return `{"model":"m","messages":[{"role":"user","content":` + string(q) + `}]}`
}

// deltas is an answer that comes in pieces.
func deltas(pieces ...string) string {
	var b strings.Builder
	b.WriteString("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"x\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
	for _, p := range pieces {
		q, _ := json.Marshal(p)
		fmt.Fprintf(&b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%s}}\n\n", q)
	}
	return b.String() + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
}

// learned are the values of a session in which the token was found once.
func learned() *export.Values {
	first := asks("my key is " + token)
	f := call(first, answer)
	quoted, _ := json.Marshal(token)
	f.Intent.Findings = []flow.Finding{at("secret.x", first, strings.Trim(string(quoted), `"`)), at("action.exfiltrate", first, "model")}
	v := &export.Values{}
	v.Learn(f)
	return v
}

// TestMaskFindsTheValueAgain: in later turns, however it is written there.
func TestMaskFindsTheValueAgain(t *testing.T) {
	plain, _ := json.Marshal(token)
	unescaped := strings.NewReplacer(`\u003c`, "<").Replace(string(plain))
	ascii := strings.NewReplacer("ü", `\u00fc`).Replace(unescaped)
	args, _ := json.Marshal(`{"key":` + unescaped + `}`)
	for name, text := range map[string]string{
		"as Go writes it":          `{"messages":[` + string(plain) + `]}`,
		"as JavaScript writes it":  `{"messages":[` + unescaped + `]}`,
		"as Python writes it":      `{"messages":[` + ascii + `]}`,
		"in arguments":             `{"messages":[{"arguments":` + string(args) + `}]}`,
		"as text":                  "key=" + token + "\n",
		"twice, one in the other":  `{"a":` + unescaped + `,"b":` + unescaped + `}`,
		"in a part of a form body": "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + token + "\r\n--x--",
	} {
		f := call(text, deltas("got ", token))
		learned().Mask(f)
		b := f.Body(export.Request)
		got := ""
		if b.Left == "" {
			got = string(b.Chunks[0].Data)
		}
		if strings.Contains(got, "7fKd93") || !strings.Contains(got, "[secret.x]") || b.Masks == 0 {
			t.Errorf("%s: %q, left out: %q", name, got, b.Left)
		}
		if json.Valid([]byte(text)) && !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON any more: %s", name, got)
		}
		if r := f.Body(export.Response); r.Left != "" || !strings.Contains(string(r.Chunks[0].Data), "[secret.x]") {
			t.Errorf("%s: the answer: %+v", name, r)
		}
		if f.Intent.RequestSHA256+f.Intent.ForwardedSHA256+f.Outcome.ResponseSHA256+f.Outcome.DeliveredSHA256 != "" {
			t.Errorf("%s: hashes are left, against which guesses can be tried", name)
		}
	}
}

// TestWhatCantBeMaskedIsLeftOut, and says so: nothing of it passes.
func TestWhatCantBeMaskedIsLeftOut(t *testing.T) {
	odd := strings.NewReplacer("k", `\u006b`, "d", `\u0064`).Replace(strings.ToLower(token))
	lower := &export.Values{}
	lower.Add("secret.x", []byte(strings.ToLower(token)))
	short := &export.Values{}
	short.Add("pii.pin", []byte("123"))
	unknown := &export.Values{}
	lost := call("", "")
	lost.Intent.Findings = []flow.Finding{{Rule: "secret.x", Start: 5, End: 40}}
	lost.Bodies[0] = export.Body{What: export.Request, Left: "retention removed it"}
	unknown.Learn(lost)
	named, inName := &export.Values{}, call("", "")
	inName.Outcome.Findings = []flow.Finding{{Rule: "secret.x", Place: "answer", Note: flow.InToolName}}
	named.Learn(inName)
	broken := &export.Values{}
	broken.Add("acme.words", []byte(`"b":{"c"`))
	for name, tt := range map[string]struct {
		values   *export.Values
		f        *export.Flow
		what     export.What
		encoding string
	}{
		"cut into the events of a stream":    {learned(), call(said, deltas("it is ", token[:6], token[6:])), export.Response, ""},
		"with escapes that nobody writes":    {lower, call(`{"a":"`+strings.ReplaceAll(odd, `"7`, `\u00227`)+`"}`, ""), export.Request, ""},
		"in what is no text":                 {learned(), call("\xff\xfe"+token, ""), export.Request, ""},
		"in what can't be decoded":           {learned(), call("\xff\xfe"+token, ""), export.Request, "gzip"},
		"too short":                          {short, call(`{"pin":"123"}`, ""), export.Request, ""},
		"not known":                          {unknown, call(said, ""), export.Request, ""},
		"in the name of a tool":              {named, call(said, answer), export.Response, ""},
		"a value that is structure of JSON":  {broken, call(`{"a":1,"b":{"c":2}}`, ""), export.Request, ""},
		"cut, in a stream that nobody reads": {learned(), opaque(`{"x":"` + token[4:9] + `"}` + "\n" + `{"x":"` + token[9:] + `"}`), export.Response, ""},
	} {
		if tt.encoding != "" {
			tt.f.Intent.Header = append(tt.f.Intent.Header, flow.Header{Name: "Content-Encoding", Value: tt.encoding})
		}
		if name == "cut, in a stream that nobody reads" {
			tt.values = &export.Values{}
			tt.values.Add("secret.x", []byte(token[4:]))
		}
		tt.values.Mask(tt.f)
		if b := tt.f.Body(tt.what); b.Left == "" || len(b.Chunks) > 0 {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func opaque(response string) *export.Flow {
	f := call(said, response)
	f.Intent.API = flow.Opaque
	return f
}

// TestMaskInAnswers: what was found in an answer is masked in it, and where it
// comes again; a number stays a JSON value; a compressed body is decoded.
func TestMaskInAnswers(t *testing.T) {
	v := &export.Values{}
	f := call(said, deltas("the card ", "4111111111111111"))
	f.Outcome.Findings = []flow.Finding{{Rule: "pii.card", Place: "answer", Channel: flow.Assistant, Start: 9, End: 25}}
	v.Learn(f)
	v.Mask(f)
	if b := f.Body(export.Response); b.Left != "" || strings.Contains(string(b.Chunks[0].Data), "4111") {
		t.Errorf("%+v", b)
	}
	later := call(compressed(`{"card":4111111111111111,"said":"4111111111111111"}`), "")
	later.Intent.Header = append(later.Intent.Header, flow.Header{Name: "Content-Encoding", Value: "gzip"})
	v.Mask(later)
	b := later.Body(export.Request)
	if b.Left != "" || string(b.Chunks[0].Data) != `{"card":"[pii.card]","said":"[pii.card]"}` || !b.Plain || b.Masks != 2 {
		t.Errorf("%+v", b)
	}
	if text := har(t, later); strings.Contains(text, "Content-Encoding") || !strings.Contains(text, "2 masked") {
		t.Errorf("the coding is taken off, and the header says it is not: %s", text)
	}
}

// TestMaskUnderTwoCodings: each may have a line of its own (RFC 9110 section 5.3).
func TestMaskUnderTwoCodings(t *testing.T) {
	v := &export.Values{}
	v.Add("secret.x", []byte("hush-hush-9-value"))
	f := call(compressed(compressed(`{"said":"hush-hush-9-value"}`)), "")
	f.Intent.Header = append(f.Intent.Header, flow.Header{Name: "Content-Encoding", Value: "gzip"}, flow.Header{Name: "content-encoding", Value: "gzip"})
	v.Mask(f)
	if b := f.Body(export.Request); b.Left != "" || string(b.Chunks[0].Data) != `{"said":"[secret.x]"}` {
		t.Errorf("%+v", b)
	}
}

// TestTheIdTellsThePart: only what was found is masked, where its id tells which of
// an answer's parts it stands in.
func TestTheIdTellsThePart(t *testing.T) {
	v := &export.Values{Names: func(rule string, value []byte) string { return rule + " " + string(value) }}
	two := `{"type":"message","role":"assistant","content":[{"type":"text","text":"an ordinary text"},{"type":"text","text":"hush-hush-9-value"}]}`
	f := call(said, two)
	f.Outcome.Findings = []flow.Finding{{ID: "secret.x hush-hush-9", Rule: "secret.x", Place: "answer", Channel: flow.Assistant, Start: 0, End: 11}}
	v.Learn(f)
	v.Mask(f)
	if b := f.Body(export.Response); b.Left != "" || !strings.Contains(string(b.Chunks[0].Data), "an ordinary text") || strings.Contains(string(b.Chunks[0].Data), "hush") {
		t.Errorf("%+v", b)
	}
}

// TestMaskBesideBodies: a value in a query or a header goes, too, and all of what
// holds it.
func TestMaskBesideBodies(t *testing.T) {
	f := call(said, answer)
	f.Intent.Path = "/v1/messages?card=4111111111111111"
	f.Intent.Header = append(f.Intent.Header, flow.Header{Name: "X-Note", Value: "call 4111111111111111"}, flow.Header{Name: "X-Copy", Value: token})
	f.Intent.Findings = []flow.Finding{{Rule: "pii.card", Place: "query", Start: 20, End: 36}, {Rule: "pii.card", Place: "header X-Note", Start: 13, End: 29}}
	intent := f.Intent
	learned().Mask(f)
	text, err := json.Marshal(f.Intent)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); strings.Contains(s, "4111") || strings.Contains(s, "7fKd93") || f.Intent.Path != "/v1/messages?[pii.card]" {
		t.Errorf("%s", s)
	}
	if !strings.Contains(intent.Path, "4111") {
		t.Error("what the ledger gave was changed")
	}
	if b := f.Body(export.Request); b.Left != "" || string(b.Chunks[0].Data) != said {
		t.Errorf("%+v", b)
	}
}

// TestHides: rules that tell of values, and those that tell of anything else.
func TestHides(t *testing.T) {
	for rule, want := range map[string]bool{
		"secret.github-token": true, "pii.email": true, "registered.x": true, "canary.x": true, "acme.names": true, "remote.presidio-person": true,
		"remote.presidio-failed": false, "injection.override": false, "action.destructive": false, "unreadable.media": false, "coverage.host": false, "provider.fetch": false,
	} {
		if got := export.Hides(rule); got != want {
			t.Errorf("%s: %v", rule, got)
		}
	}
}

// TestMaskInPath: what stands in the path itself goes with all of the path.
func TestMaskInPath(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/files/4111111111111111":       "/[pii.card]",
		"/v1/files/4111111111111111?a=b":   "/[pii.card]",
		"/v1/files?id=4111111111111111":    "/v1/files?[pii.card]",
		"/v1/files/x?a=4111111111111111&b": "/v1/files/x?[pii.card]",
	} {
		f := call(said, answer)
		f.Intent.Path = path
		found := at("pii.card", path, "4111111111111111")
		found.Place = "query"
		f.Intent.Findings = []flow.Finding{found}
		(&export.Values{}).Mask(f)
		if f.Intent.Path != want {
			t.Errorf("%s: %s, want %s", path, f.Intent.Path, want)
		}
	}
}

// TestMaskInMetadata: what an agent or a model called something is text of theirs, too.
func TestMaskInMetadata(t *testing.T) {
	const key = "tok_7fKd93Zx"
	f := call(said, answer)
	f.Intent.Model, f.Intent.Session = "m-"+key, flow.Session{ID: key, Subagent: "sub " + key, Parent: key}
	f.Intent.Acts = []flow.Act{{Kind: "unknown", Name: "tools[].type=" + key}}
	f.Outcome.Model, f.Outcome.Error, f.Outcome.Stop, f.Outcome.ResponseID = key, key, key, key
	f.Outcome.Tools = []string{"Bash", key}
	f.Outcome.Findings = []flow.Finding{{Rule: "action.send", Facts: []string{"host=" + key}, Note: key, From: &flow.Origin{Tool: key}}}
	f.Outcome.Decision = &flow.Decision{Why: "a call of " + key}
	in, out := *f.Intent, *f.Outcome
	v := &export.Values{}
	v.Add("secret.x", []byte(key))
	v.Mask(f)
	text, err := json.Marshal([]any{f.Intent, f.Outcome, flow.NewView(f.Intent, f.Outcome)})
	if err != nil || strings.Contains(string(text), "7fKd93") || !strings.Contains(string(text), `["Bash","[secret.x]"]`) {
		t.Errorf("%v %s", err, text)
	}
	if out.Tools[1] != key || out.Findings[0].Facts[0] != "host="+key || out.Findings[0].From.Tool != key || out.Decision.Why != "a call of "+key || in.Acts[0].Name != "tools[].type="+key {
		t.Error("what the ledger gave was changed")
	}
}
