// Package meta is how the two entries of a flow are written: a row of numbered
// fields for what nearly every flow has, and JSON for the rest, so that a field
// that is new in package flow is kept before anybody thinks of it here. It does
// no I/O, and loses nothing that it does not know how to write shorter.
package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// ErrMalformed says that bytes are not what Append made.
var ErrMalformed = errors.New("malformed meta")

// spare are records whose fields are taken out while they are written: what
// is left at the end goes into JSON.
type spare struct {
	intent  flow.Intent
	outcome flow.Outcome
}

var spares = sync.Pool{New: func() any { return new(spare) }}

// AppendIntent writes an intent.
func AppendIntent(dst []byte, in *flow.Intent) ([]byte, error) {
	s := spares.Get().(*spare)
	defer spares.Put(s)
	s.intent = *in
	defer func() { s.intent = flow.Intent{} }()
	c := coder{dst: dst}
	c.intent(&s.intent)
	return c.rest(&s.intent)
}

// AppendOutcome writes an outcome.
func AppendOutcome(dst []byte, out *flow.Outcome) ([]byte, error) {
	s := spares.Get().(*spare)
	defer spares.Put(s)
	s.outcome = *out
	defer func() { s.outcome = flow.Outcome{} }()
	c := coder{dst: dst}
	c.outcome(&s.outcome)
	return c.rest(&s.outcome)
}

// rest writes what the numbered fields left.
func (c *coder) rest(v any) ([]byte, error) {
	if reflect.ValueOf(v).Elem().IsZero() {
		return c.dst, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding meta: %w", err)
	}
	c.put(restField, text)
	return c.dst, nil
}

// Intent reads what AppendIntent wrote. The result does not alias b.
func Intent(b []byte) (*flow.Intent, error) {
	in := &flow.Intent{}
	c, err := read(b, in)
	if err != nil || c == nil {
		return in, err
	}
	c.intent(in)
	return in, c.err
}

// Outcome reads what AppendOutcome wrote. The result does not alias b.
func Outcome(b []byte) (*flow.Outcome, error) {
	out := &flow.Outcome{}
	c, err := read(b, out)
	if err != nil || c == nil {
		return out, err
	}
	c.outcome(out)
	return out, c.err
}

// read finds the fields and reads the rest into v. Format 1 of the ledger had
// JSON only: then there is no coder.
func read(b []byte, v any) (*coder, error) {
	if len(b) > 0 && b[0] == '{' {
		return nil, unmarshal(b, v)
	}
	c := &coder{reading: true}
	if err := c.split(b); err != nil {
		return nil, err
	}
	if text := c.slots[restField].text; text != nil {
		if err := unmarshal(text, v); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func unmarshal(text []byte, v any) error {
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("decoding meta: %w", err)
	}
	return nil
}

// The numbers below are on disk: a number is never given to another field, and
// what a list of words says is never changed but at its end. 61 would look
// like JSON and stays free.
const restField = 63

var (
	entrances = []string{"redirect", "intercept", "tunnel", "import", "guardrail"}
	providers = []string{"anthropic", "openai", "gemini"}
	apis      = []string{
		"opaque", "anthropic.messages", "anthropic.count_tokens", "openai.chat", "openai.responses", "openai.responses.ws",
		"gemini.generate", "gemini.stream", "gemini.count", "models",
	}
	methods   = []string{"POST", "GET", "MESSAGE", "CONNECT"}
	custodies = []string{"same-user", "own-user"}
	captures  = []string{"full", "metadata"}
	states    = []string{"open", "done", "aborted", "refused", "unknown"}
	stops     = []string{"end_turn", "tool_use", "max_tokens", "stop", "tool_calls", "completed", "STOP"}
	versions  = []string{"TLS 1.3", "TLS 1.2"}
	ciphers   = []string{
		"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	}
	alpns = []string{"h2", "http/1.1"}
)

func (c *coder) intent(in *flow.Intent) {
	text(c, 1, &in.Flow)
	c.time(2, &in.Started)
	word(c, 3, entrances, &in.Entrance)
	word(c, 4, providers, &in.Provider)
	word(c, 5, apis, &in.API)
	text(c, 6, &in.Model)
	word(c, 7, methods, &in.Method)
	text(c, 8, &in.Path)
	text(c, 9, &in.Session.ID)
	c.flag(10, &in.Session.Claimed)
	text(c, 11, &in.Session.Subagent)
	text(c, 12, &in.Session.Parent)
	text(c, 13, &in.Session.Predecessor)
	text(c, 14, &in.Session.Previous)
	number(c, 15, &in.Turn)
	text(c, 16, &in.RetryOf)
	text(c, 17, &in.Principal.Name)
	text(c, 18, &in.Principal.User)
	text(c, 19, &in.Principal.Program)
	number(c, 20, &in.Principal.PID)
	text(c, 21, &in.Principal.Key)
	text(c, 22, &in.Principal.Credential)
	word(c, 23, custodies, &in.Custody)
	word(c, 24, captures, &in.Capture)
	text(c, 25, &in.Policy)
	number(c, 26, &in.Decision.Verdict)
	text(c, 27, &in.Decision.Why)
	c.list(28, &in.Decision.Rules)
	text(c, 29, &in.Decision.Would)
	c.header(30, &in.Header)
	number(c, 31, &in.RequestBytes)
	c.hashes(32, &in.RequestSHA256, 33, &in.ForwardedSHA256)
	text(c, 34, &in.Unreadable)
	number(c, 35, &in.ForwardedBytes)
	number(c, 36, &in.ScannedBytes)
	number(c, 37, &in.UnreadableBytes)
	c.leg(38, &in.TLS) // and 39 to 41
	text(c, 42, &in.Host)
	text(c, 43, &in.Agent)
}

func (c *coder) outcome(out *flow.Outcome) {
	text(c, 1, &out.Flow)
	word(c, 2, states, &out.State)
	number(c, 3, &out.Status)
	text(c, 4, &out.Why)
	c.header(5, &out.Header)
	text(c, 6, &out.Model)
	number(c, 7, &out.ResponseBytes)
	c.hashes(8, &out.ResponseSHA256, 9, &out.DeliveredSHA256)
	number(c, 10, &out.Usage.Input)
	number(c, 11, &out.Usage.Output)
	number(c, 12, &out.Usage.CacheRead)
	number(c, 13, &out.Usage.CacheWrite)
	number(c, 14, &out.Usage.Reasoning)
	c.flag(15, &out.Usage.Estimated)
	number(c, 16, &out.Usage.CacheWrite1h)
	text(c, 17, &out.Usage.Tier)
	c.float(18, &out.Cost)
	word(c, 19, stops, &out.Stop)
	text(c, 20, &out.Error)
	text(c, 21, &out.ResponseID)
	text(c, 22, &out.ProviderRequestID)
	number(c, 23, &out.FirstByte)
	number(c, 24, &out.Duration)
	text(c, 25, &out.Unreadable)
	number(c, 26, &out.ScannedBytes)
	number(c, 27, &out.Restored)
	number(c, 28, &out.Withheld)
	c.leg(29, &out.TLS)
	number(c, 33, &out.SentBytes)
	c.list(34, &out.Tools)
	c.flag(35, &out.Unsent)
}
