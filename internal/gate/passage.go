package gate

import (
	"cmp"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/refusal"
)

// Passage is an admitted message on its way. Its methods are called by one
// goroutine at a time, in the order Answer, Push …, Flush, End; End exactly once.
// KeepAlive may come between any two of them.
type Passage struct {
	gate    *Gate
	in      *flow.Intent
	session *session
	record  *ledger.Record
	facts   flow.Facts
	policy  policy.Policy  // that decided, and goes on deciding
	known   *inspect.Known // values that are looked for in the answer, too
	vault   *vault.Session // nil: nothing of it was asked for
	body    []byte         // to be forwarded
	decoded bool           // body is free of the content coding that the message had

	status   int
	header   []flow.Header
	provider string    // the provider's request id
	leg      *flow.Leg // the connection to the provider
	answer   *codec.Answer
	decoder  *coding.Decoder
	unread   string // why the answer can't be read

	hash     hash.Hash // of what the provider sent
	received int64
	first    time.Duration
	out      delivery
	change   *change // what is done to the answer; nil: nothing
	ruling   *flow.Decision
	findings []flow.Finding            // in the answer
	judged   map[string][]flow.Finding // of calls that were held: by tool and arguments
	scanned  int64
	secrets  map[string][]found       // in parts of the answer that detectors elsewhere are asked about
	heard    map[asked][]flow.Finding // what they said
	restored int                      // values that our own reply put back
	opaque   []byte                   // the beginning of an answer that is not read as a conversation
	blind    Blind                    // what it is admitted as unseen; "": it is read
	sent     int64                    // bytes that the client sent through a tunnel
	unsent   bool                     // nothing went to the provider
	ended    bool
}

// delivery is what the client got, where that is not what the provider sent.
type delivery struct {
	short bool   // the client went before it had everything
	bytes int64  // how much of the answer it had then
	sum   string // SHA-256 of that
	own   []byte // our own text in place of an answer
}

// Body is what may be forwarded: the bytes that came, with the spans replaced
// that the decision says. Decoded reports that it is free of the content coding
// that the message came in.
func (p *Passage) Body() (body []byte, decoded bool) {
	body, p.body = p.body, nil
	return body, p.decoded
}

// Intent is what was recorded of the message. It must not be changed.
func (p *Passage) Intent() *flow.Intent { return p.in }

func (p *Passage) begin(r reading) error {
	c := ledger.Content{Doc: r.doc, Base: r.base.storedIn(p.in), Edits: r.plan.edits, Secrets: r.plan.secrets, Now: p.gate.o.Now}
	if p.in.Capture == flow.CaptureMetadata {
		c = ledger.Content{}
	}
	record, err := p.gate.o.Ledger.Begin(p.in, c)
	if err != nil {
		return p.gate.unrecorded(err)
	}
	p.record = record
	p.gate.tracker.note(p.session, p.in)
	if err := p.gate.learn(p.in, r.plan.secrets); err != nil {
		p.End(flow.Aborted, "the vault could not be read")
		return p.gate.unrecorded(err)
	}
	if p.gate.o.Begun != nil {
		p.gate.o.Begun(p.in)
	}
	p.gate.tracker.keep(p.in, r, record.Stored())
	return nil
}

// Answer notes the head of the provider's answer. The header is as it is to be
// recorded. stream tells the codec how the body comes. An error is a
// *flow.Refusal: what must be judged can't be read, and nothing of it may be
// delivered.
func (p *Passage) Answer(status int, header []flow.Header, encoding, requestID string, stream codec.Stream) error {
	p.status, p.header, p.provider = status, header, requestID
	if stream != codec.Messages { // on a socket nothing has come yet
		p.touch()
	}
	if status >= http.StatusBadRequest {
		p.gate.tracker.failed(p.session, p.in.Flow) // before the client knows and tries again
	}
	if p.blind != "" {
		return nil
	}
	if err := p.plan(stream); err != nil {
		return err
	}
	api := p.reads()
	reads := api != flow.Opaque && api != flow.Models && api != flow.ResponsesSocket
	encoded := encoding != "" && encoding != "identity"
	if encoded && p.change != nil && p.change.watches {
		p.change = nil // identity was asked for: what is compressed all the same is passed on unseen
	}
	if encoded && (reads || p.change != nil) {
		d, err := coding.New(encoding, coding.Limit{Bytes: p.gate.o.DecodeMax})
		if err != nil && p.change != nil {
			return &flow.Refusal{Status: http.StatusBadGateway, Kind: "unreadable", Text: "the provider's answer is in an encoding that can't be read", Err: err}
		}
		if err != nil {
			p.unread = err.Error()
			return nil
		}
		if p.decoder = d; p.change != nil {
			p.change.decoded = true
		}
	}
	if reads {
		p.answer = codec.NewAnswer(api, codec.Options{Stream: stream, Keep: true, Facts: p.facts, RequestBytes: p.in.RequestBytes})
	}
	return nil
}

func (p *Passage) touch() {
	if p.first == 0 {
		p.first = max(p.gate.o.Now().Sub(p.in.Started), 1)
	}
}

// Push records one chunk of the answer, reads it, and then hands to deliver what
// may go to the client: the chunk, as a rule. A chunk that can't be recorded is
// not delivered. ErrBlocked says that the answer was ended by us.
func (p *Passage) Push(chunk []byte, deliver func([]byte) error) error {
	p.touch()
	if p.in.Capture == flow.CaptureFull {
		if err := p.record.Push(chunk); err != nil {
			p.cut()
			return err
		}
	}
	delivered := false
	defer func() { // also when something panics: the chunk is on record
		if !delivered {
			p.cut()
		}
		p.hash.Write(chunk)
		p.received += int64(len(chunk))
	}()
	text, err := p.watch(chunk)
	if p.Over() && p.fetched() == "" {
		p.gate.tracker.answering(p.session, p.in, p.answer.ID())
	}
	switch {
	case p.change == nil:
		err = deliver(chunk)
	case err == nil:
		err = p.change.push(text, deliver)
	}
	delivered = err == nil || errors.Is(err, ErrBlocked)
	return err
}

// cut marks that the client got only what came before.
func (p *Passage) cut() {
	if !p.out.short {
		p.out = delivery{short: true, bytes: p.received, sum: p.sum()}
	}
}

func (p *Passage) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// watch reads a chunk, and gives it free of its content coding.
func (p *Passage) watch(chunk []byte) (text []byte, err error) {
	text = chunk
	if p.decoder != nil {
		text, err = p.decoder.Push(chunk)
	}
	p.hear(text)
	if err != nil {
		p.stopReading(err)
		return nil, errUndecoded
	}
	if p.unread != "" {
		return nil, errUndecoded
	}
	return text, nil
}

// errUndecoded says that an answer that was to be changed can't be read on.
var errUndecoded = &flow.Refusal{Status: http.StatusBadGateway, Kind: "unreadable", Text: "the provider's answer could not be decoded to its end"}

func (p *Passage) hear(text []byte) {
	if p.answer != nil && p.unread == "" {
		p.answer.Push(text)
	}
	if p.blind == "" && p.in.API == flow.Opaque && p.in.Method != flow.MethodMessage {
		p.opaque = append(p.opaque, text[:min(len(text), madeBytes-len(p.opaque))]...)
	}
}

func (p *Passage) stopReading(err error) {
	p.unread = err.Error()
	p.decoder.Close()
	p.decoder = nil
}

// finishDecoding reads what the decoder still holds at the end of the bytes.
func (p *Passage) finishDecoding() (text []byte, err error) {
	if p.decoder == nil {
		return nil, nil
	}
	text, err = p.decoder.End()
	p.hear(text)
	if err != nil {
		p.stopReading(err)
		return text, errUndecoded
	}
	p.decoder.Close()
	p.decoder = nil
	return text, nil
}

// Over reports whether the provider's own end of the answer, or its error, was
// seen: no more events belong to it.
func (p *Passage) Over() bool { return p.answer != nil && p.answer.Ended() }

// Fail ends the passage with our own reply in place of an answer: the provider
// could not be reached, or was silent. Nothing of an answer was delivered.
func (p *Passage) Fail(r *flow.Refusal) {
	p.status = r.Status
	p.out = delivery{own: Reply(p.in.Provider, p.in.Method, r)}
	p.End(flow.Aborted, r.Text)
}

// Unsent notes that there was no connection to the provider: nothing was forwarded.
func (p *Passage) Unsent() { p.unsent = true }

// Refuse ends the passage before anything was forwarded: where it was to go could
// not be reached, or may not be (403). That the gateway has decided then, and no
// policy.
func (p *Passage) Refuse(r *flow.Refusal) {
	if r.Status == http.StatusForbidden {
		p.ruling = refusedBy(r)
	}
	p.refuse(r)
}

// refusedBy is the decision of a refusal that is the gateway's own.
func refusedBy(r *flow.Refusal) *flow.Decision {
	return &flow.Decision{Verdict: flow.Block, Why: r.Text, Rules: []string{"limit:" + r.Kind}}
}

// Untrusted ends the passage before anything was forwarded: the TLS of where it
// was to go is not to be trusted. That is a finding, in every mode, about which
// no policy decides: there is no connection.
func (p *Passage) Untrusted(r *flow.Refusal, why string) {
	p.findings = append(p.findings, flow.Finding{
		ID: p.gate.findingID(policy.Untrusted, []byte(string(p.in.Provider)+"\x00"+why)), Rule: policy.Untrusted,
		Severity: flow.High, Confidence: 100, Channel: flow.ProviderActor, Place: "connection", Action: flow.BlockIt, Note: why,
	})
	p.ruling = &flow.Decision{Verdict: flow.Block, Why: r.Text, Rules: []string{policy.Untrusted}}
	p.refuse(r)
}

// refuse ends a blocked passage and gives the refusal back.
func (p *Passage) refuse(r *flow.Refusal) error {
	p.status = r.Status
	p.out = delivery{own: Reply(p.in.Provider, p.in.Method, r)}
	p.End(flow.Refused, r.Text)
	return r
}

// End records how the flow ended. Only the first call counts.
func (p *Passage) End(state flow.State, why string) {
	if p.ended {
		return
	}
	p.ended = true
	out := p.outcome(state, why)
	var edits []ledger.Edit
	switch {
	case p.out.own != nil:
		edits = []ledger.Edit{{Cut: p.received, Put: p.out.own}}
	case p.change != nil:
		edits = p.change.final(p.received)
	case p.out.short:
		edits = []ledger.Edit{{At: p.out.bytes, Cut: p.received - p.out.bytes}}
	}
	if err := p.record.End(out, edits); err != nil {
		p.gate.o.Log.Error("outcome not recorded", "flow", p.in.Flow, "err", err)
	}
	p.gate.tracker.ended(p.session, p.in, out)
	p.note()
	if p.gate.o.Ended != nil {
		p.gate.o.Ended(p.in, out)
	}
}

func (p *Passage) outcome(state flow.State, why string) *flow.Outcome {
	out := &flow.Outcome{
		Flow: p.in.Flow, State: state, Status: p.status, Why: why, Header: p.header,
		ResponseBytes: p.received, ProviderRequestID: p.provider,
		FirstByte: p.first, Duration: p.gate.o.Now().Sub(p.in.Started),
		TLS: p.leg, SentBytes: p.sent, Unsent: p.unsent,
	}
	if p.status != 0 && p.out.own == nil && p.blind != Tunnel {
		out.ResponseSHA256 = p.sum()
		out.DeliveredSHA256 = out.ResponseSHA256
	}
	switch {
	case p.out.own != nil:
		out.DeliveredSHA256 = sumHex(p.out.own)
	case p.change != nil:
		p.change.tell(out)
	case p.out.short:
		out.DeliveredSHA256 = p.out.sum
	}
	p.finishReading(out)
	if p.change.ended() {
		p.gate.tracker.block(p.in.Principal.Name, p.in.Session.ID, cmp.Or(p.fetched(), out.ResponseID))
	}
	out.Decision, out.Findings, out.ScannedBytes = p.ruling, p.findings, p.scanned
	out.Restored += p.restored
	return out
}

// finishReading takes from the codec what the answer said.
func (p *Passage) finishReading(out *flow.Outcome) {
	if p.decoder != nil && out.State != flow.Done {
		p.decoder.Close() // it was cut: that its coding has no end says nothing
		p.decoder = nil
	}
	p.finishDecoding()
	out.Unreadable = p.unread
	if p.answer == nil {
		return
	}
	said := p.answer.End()
	if out.State == flow.Done && p.unread == "" && p.ruling == nil {
		p.findings = append(p.findings, p.unreadable(said)...)
	}
	p.inspect(said.Parts)
	if p.fetched() != "" {
		return // what it used and cost stands in the flow that made it
	}
	out.Model, out.Stop, out.Error, out.ResponseID, out.Usage = p.named(said.Model), said.Stop, said.Error, said.ID, said.Usage
	out.Tools = p.called(said.Parts)
	if out.Unreadable == "" {
		out.Unreadable = said.Unreadable
	}
	if out.State == flow.Aborted && said.Complete && p.out.own == nil {
		// Codex hangs up on the last event, before the body's formal end.
		out.State, out.Why = flow.Done, ""
	}
	if p.in.API.Generates() && !p.facts.Warmup {
		p.price(out)
		if out.State == flow.Done && out.Status == http.StatusOK && out.ResponseBytes > 0 && out.Error == "" && !said.Complete && out.Why == "" {
			out.Why = "the answer ended without the provider's own end"
		}
	}
}

// maxTools bounds the names of tools that are kept of an answer.
const maxTools = 32

// toolName is what providers let a tool be called, and a little more. A model may
// say anything: what is not of this form is content, and names are metadata.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,128}$`)

// called gives the tools that an answer calls, each once.
func (p *Passage) called(parts []flow.Part) []string {
	var names []string
	for i := range parts {
		part := &parts[i]
		if part.Kind != flow.ToolCall || slices.Contains(names, part.Name) || !toolName.MatchString(part.Name) || p.tells(part.Name) {
			continue
		}
		if names = append(names, part.Name); len(names) == maxTools {
			break
		}
	}
	return names
}

// tells reports whether rules find a secret in a name: then it is content as well.
func (p *Passage) tells(name string) bool { return p.named(name) != name }

// named gives a name as the record has it: names are metadata, which lists and metrics
// show, so a fingerprint stands in it for a secret.
func (p *Passage) named(name string) string {
	if _, err := p.gate.rules(); err != nil {
		return ""
	}
	return covered(name, 0, slices.DeleteFunc(p.inName(name, flow.Envelope), func(f found) bool { return !f.secret }))
}

// inName gives what rules find in a name.
func (p *Passage) inName(name string, c flow.Channel) []found {
	engine, err := p.gate.rules()
	if err != nil || name == "" {
		return nil
	}
	text := []byte(name)
	r := p.gate.cache.Scan(engine, text, inspect.Options{Known: p.known})
	all := collector{g: p.gate, body: text, where: always(c, true)}
	all.take(&r, len(text))
	return all.found
}

func (p *Passage) price(out *flow.Outcome) {
	model := out.Model
	if model == "" {
		model = p.in.Model
	}
	if p.gate.o.Prices == nil || model == "" || out.Usage.Zero() {
		return
	}
	out.Cost = p.gate.o.Prices.Cost(p.in.Provider, model, out.Usage, p.in.Started)
}

// Reply is the text that a client gets for a refusal: a body in its provider's
// shape, or an event of the WebSocket transport.
func Reply(p flow.Provider, method string, r *flow.Refusal) []byte {
	if method == flow.MethodMessage {
		return refusal.Message(r)
	}
	return refusal.Body(p, r)
}
