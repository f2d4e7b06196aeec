package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"net/url"
	slash "path"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// ErrBlocked says that an answer was ended by us: what the client had to be told
// was delivered, and nothing more of the provider's bytes may be.
var ErrBlocked = errors.New("the answer was blocked")

// change is what is done to an answer on its way to the client: values put back
// for pseudonyms, tool calls held until they are judged.
type change struct {
	rewriter *rewrite.Rewriter
	watches  bool          // nothing is changed: calls are only looked at
	messages bool          // each delivery is one WebSocket message
	decoded  bool          // what is delivered is free of the coding in which it came
	plain    []byte        // all that was delivered of such an answer
	most     int           // bytes of it
	edits    []ledger.Edit // by which what was delivered differs from what came
	settled  int64         // bytes of the provider's that were delivered, with their edits
	hash     hash.Hash     // of what was delivered
}

// plan decides whether the answer is to be changed on its way.
func (p *Passage) plan(stream codec.Stream) error {
	hold := p.holds()
	restore, err := p.restores()
	if err != nil || !hold && restore == nil {
		return err
	}
	o := rewrite.Options{API: p.reads(), Framing: rewrite.Framing(stream), Hold: hold, Judge: p.judge, Streams: p.facts.Stream}
	if p.reads().Generates() {
		o.Unread = p.judgeUnread
	}
	if restore != nil {
		o.Pseudonyms, o.Restore = restore, p.policy.Restores
	}
	watches := restore == nil && !p.policy.HoldsToolCalls()
	p.change = &change{rewriter: rewrite.New(o), watches: watches, most: p.gate.o.PlainBytes, messages: stream == codec.Messages, hash: sha256.New()}
	return nil
}

// Rewrites reports whether the answer may be changed on its way, so that it has
// to come without content coding.
func (p *Passage) Rewrites() bool {
	if p.blind != "" {
		return false
	}
	restore, err := p.restores()
	return err != nil || restore != nil || p.holds()
}

// holds reports whether tool calls in the answer are held until they are judged. Those in
// answers that come later are looked at nowhere else: there in every mode.
func (p *Passage) holds() bool {
	return p.policy.HoldsToolCalls() && p.reads().Generates() || p.comesLater()
}

// comesLater reports whether the request fetches what may be answers that a model gave to
// others: the results of a batch, or the file in which they stand.
func (p *Passage) comesLater() bool {
	if p.in.API != flow.Opaque || p.in.Method != http.MethodGet {
		return false
	}
	path, _, _ := strings.Cut(p.in.Path, "?")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	path = strings.ToLower(path)
	last := slash.Base(path)
	return last == "results" || last == "content" || strings.HasSuffix(last, ":download") || strings.Contains(path, "/batches/")
}

// reads gives the API in whose form the answer comes: of a response that is
// fetched by its id that of the response.
func (p *Passage) reads() flow.API {
	if api, id := p.fetches(); id != "" {
		return api
	}
	return p.in.API
}

// fetched gives the id of the response that the request asks for; "" when it
// asks for something else.
func (p *Passage) fetched() string {
	_, id := p.fetches()
	return id
}

func (p *Passage) fetches() (api flow.API, id string) {
	if p.in.API != flow.Opaque || p.in.Provider != flow.OpenAI {
		return "", ""
	}
	path, _, _ := strings.Cut(p.in.Path, "?")
	if plain, err := url.PathUnescape(path); err == nil { // how it is spelled must not move it past its codec
		path = plain
	}
	path, cancels := strings.CutSuffix(path, "/cancel") // which is answered with the response
	if !cancels && p.in.Method != http.MethodGet {
		return "", ""
	}
	dir, id := slash.Split(path)
	switch strings.ToLower(slash.Base(dir)) {
	case "responses":
		return flow.Responses, id
	case "completions":
		return flow.Chat, id
	}
	return "", ""
}

// pseudonyms are what may be restored in the answers of a session.
type pseudonyms struct{ *vault.Session }

func (v pseudonyms) Lookup(token []byte) (rewrite.Value, bool) {
	text, number, ok := v.Session.Lookup(token)
	return rewrite.Value{Text: text, Number: number}, ok
}

// restores gives the pseudonyms that the session has; nil when there is none.
func (p *Passage) restores() (rewrite.Pseudonyms, error) {
	if p.vault == nil && p.known.Len() > 0 {
		v, err := p.gate.o.Vault.Session(p.in.Principal.Name, p.in.Session.ID)
		if err != nil {
			return nil, p.gate.unrecorded(err)
		}
		p.vault = v
	}
	if p.vault == nil || p.vault.Longest() == 0 {
		return nil, nil
	}
	return pseudonyms{p.vault}, nil
}

func (c *change) push(chunk []byte, deliver func([]byte) error) error {
	out, edits := c.rewriter.Push(chunk)
	if err := c.deliver(out, edits, deliver); err != nil {
		return err
	}
	if c.ended() {
		return ErrBlocked
	}
	return nil
}

// deliver hands on what the rewriter let go, and notes it once it was taken.
func (c *change) deliver(out []byte, edits []rewrite.Edit, deliver func([]byte) error) error {
	if c.decoded && len(c.plain)+len(out) > c.most {
		return errLong
	}
	at := 0
	if c.messages {
		for _, end := range c.rewriter.Ends() {
			if err := deliver(out[at:end]); err != nil {
				return err
			}
			at = end
		}
	} else if len(out) > 0 {
		if err := deliver(out); err != nil {
			return err
		}
	}
	c.hash.Write(out)
	if c.decoded {
		c.plain = append(c.plain, out...)
		return nil
	}
	c.settled = c.rewriter.Settled()
	for _, e := range edits {
		c.edits = append(c.edits, ledger.Edit{At: e.At, Cut: e.Cut, Put: e.Put, Secret: e.Token != ""})
	}
	return nil
}

var errLong = &flow.Refusal{Status: http.StatusBadGateway, Kind: "too_large", Text: "the provider compressed an answer that is too long to be changed on its way"}

// Flush delivers what was held back at the end of the provider's bytes.
func (p *Passage) Flush(deliver func([]byte) error) error {
	if p.change == nil || p.change.ended() {
		return nil
	}
	text, err := p.finishDecoding()
	if err != nil {
		return err
	}
	if len(text) > 0 {
		if err := p.change.push(text, deliver); err != nil {
			return err
		}
	}
	if p.answer != nil {
		p.answer.End() // a whole body is read only now, and has the id by which it may be asked for
	}
	out, edits := p.change.rewriter.End()
	if err := p.change.deliver(out, edits, deliver); err != nil {
		return err
	}
	if p.change.ended() {
		return ErrBlocked
	}
	return nil
}

// KeepAlive delivers an empty event in the provider's own form when something
// is held back: agents give up streams that are silent.
func (p *Passage) KeepAlive(deliver func([]byte) error) error {
	if p.change == nil || p.ended || !p.change.rewriter.Holding() {
		return nil
	}
	out, edits := p.change.rewriter.KeepAlive()
	if len(out) == 0 {
		return nil
	}
	return p.change.deliver(out, edits, deliver)
}

// final gives the edits of the whole answer, of which so many bytes came.
func (c *change) final(received int64) []ledger.Edit {
	if c.decoded {
		return []ledger.Edit{{Cut: received, Put: c.plain, Secret: len(c.rewriter.Restored()) > 0}}
	}
	if c.settled < received {
		c.edits = append(c.edits, ledger.Edit{At: c.settled, Cut: received - c.settled})
	}
	return c.edits
}

// ended reports whether the answer was ended by us.
func (c *change) ended() bool { return c != nil && c.rewriter.Blocked() != nil }

func (c *change) tell(out *flow.Outcome) {
	out.DeliveredSHA256 = hex.EncodeToString(c.hash.Sum(nil))
	out.Restored = len(c.rewriter.Restored())
	if !c.decoded {
		out.Withheld = out.ResponseBytes - c.settled
	}
	if r := c.rewriter.Blocked(); r != nil {
		out.Why = r.Text
	}
}

// mayHave reports whether a value is one that was replaced in this session: it
// is put back where policy lets it, and no finding there.
func (p *Passage) mayHave(value []byte) bool {
	if p.vault == nil || value == nil {
		return false
	}
	_, ok := p.vault.Token(value)
	return ok
}

func (p *Passage) subject() policy.Subject {
	return policy.Subject{Principal: p.in.Principal, Provider: p.in.Provider, API: p.in.API, Model: p.in.Model, Now: p.gate.o.Now()}
}

// judge decides about a finished tool call before anything of it is delivered.
func (p *Passage) judge(part flow.Part) *flow.Refusal {
	findings := append(p.scan(part), p.elsewhere([]flow.Part{part})...)
	d := p.policy.Answer(p.subject(), findings)
	passes := d.Verdict == flow.Pass || d.Verdict == flow.Redact
	if p.answer == nil {
		p.told(findings, d)
	}
	if passes {
		return nil
	}
	if p.answer != nil {
		p.findings, p.ruling = append(p.findings, findings...), &d
		p.gate.tracker.block(p.in.Principal.Name, p.in.Session.ID, cmp.Or(p.fetched(), p.answer.ID()))
	}
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "blocked", Text: "the tool call " + part.Name + " was " + blocked(d.Why)}
}

// blocked says that something was, and why: most reasons begin so themselves.
func blocked(why string) string {
	if strings.HasPrefix(why, "blocked") {
		return why
	}
	return "blocked: " + why
}

// mostTold bounds the findings in answers that come later, of which one file may hold many.
const mostTold = 256

// told notes what was found in a call that nobody reads again at the answer's end, and the
// strictest decision about one.
func (p *Passage) told(findings []flow.Finding, d flow.Decision) {
	if d.Would == "" && len(d.Rules) == 0 {
		return
	}
	p.findings = append(p.findings, findings[:min(len(findings), max(0, mostTold-len(p.findings)))]...)
	if p.ruling == nil || d.Verdict < p.ruling.Verdict || p.ruling.Would == "" && d.Would != "" {
		p.ruling = &d
	}
}

// succeeded reports whether the provider says that the answer is what was asked for: its
// errors may be pages, which agents show.
func (p *Passage) succeeded() bool { return p.status/100 == 2 }

// judgeUnread decides about an answer of which nothing could be read, before anything of it
// is delivered.
func (p *Passage) judgeUnread() *flow.Refusal {
	findings := p.unreadable(p.answer.End())
	d := p.policy.Answer(p.subject(), findings)
	if d.Verdict == flow.Pass || d.Verdict == flow.Redact {
		return nil
	}
	p.findings, p.ruling = append(p.findings, findings...), &d
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "blocked", Text: "the provider's answer was " + blocked(d.Why)}
}

// unreadable gives the finding about an answer of which nothing could be read.
func (p *Passage) unreadable(said flow.Answer) []flow.Finding {
	if !said.Malformed || !p.reads().Generates() || !p.succeeded() {
		return nil
	}
	return []flow.Finding{{
		ID: p.gate.findingID(unreadableMalformed, []byte(string(p.in.Provider)+"\x00"+said.Unreadable)), Rule: unreadableMalformed,
		Severity: flow.High, Confidence: 100, Channel: flow.Assistant, Note: said.Unreadable,
	}}
}

// inspect scans what an answer said.
func (p *Passage) inspect(parts []flow.Part) {
	if p.ruling != nil {
		return // ended at the call that was judged
	}
	for _, part := range parts {
		p.findings = append(p.findings, p.scan(part)...)
	}
	p.findings = append(p.findings, p.elsewhere(parts)...)
	if len(p.findings) == 0 {
		return
	}
	d := p.policy.Answer(p.subject(), p.findings)
	if d.Verdict < flow.Redact { // prose flows: the client has it
		d.Would, d.Verdict = d.Verdict.String(), flow.Pass
		d.Why = "delivered before it was read to its end; it would have been " + d.Why
	}
	if d.Would != "" || len(d.Rules) > 0 {
		p.ruling = &d
	}
}

// scan gives what stands in a part of the answer. What was judged while it was
// held is not looked at again at the end.
func (p *Passage) scan(part flow.Part) []flow.Finding {
	if part.Kind != flow.ToolCall {
		return p.look(part)
	}
	key := part.Name + "\x00" + part.Text
	if had, ok := p.judged[key]; ok {
		delete(p.judged, key)
		return had
	}
	found := append(p.look(part), p.lookAtName(part.Name)...)
	if p.change != nil && p.answer != nil && !p.ended {
		if p.judged == nil {
			p.judged = map[string][]flow.Finding{}
		}
		p.judged[key] = found
	}
	return found
}

func (p *Passage) look(part flow.Part) []flow.Finding {
	o := inspect.Options{JSON: part.Kind == flow.ToolCall, Known: p.known}
	channel := flow.Assistant
	if part.Kind == flow.ToolCall {
		channel = flow.ToolCalls
	}
	engine, err := p.gate.rules()
	if err != nil {
		return []flow.Finding{{Rule: unreadableCut, Severity: flow.High, Confidence: 100, Channel: channel, Note: errNoRules.Text}}
	}
	text := []byte(part.Text)
	r := engine.Scan(text, o)
	p.scanned += int64(r.Scanned)
	acts := p.actions(part)
	if len(r.Matches) == 0 && len(r.Inner) == 0 && len(r.Unread) == 0 && r.Cut == "" {
		return acts
	}
	c := collector{g: p.gate, body: text, json: o.JSON, where: always(channel, part.Signed)}
	c.take(&r, len(part.Text))
	p.hide(&part, slices.Clone(c.found))
	c.found = slices.DeleteFunc(c.found, func(f found) bool { return p.mayHave(f.value) })
	list := make([]flow.Finding, len(c.found))
	for i := range c.found {
		if c.found[i].secret {
			p.record.Hide()
		}
		list[i] = c.found[i].finding
		list[i].Place = "answer"
		list[i].Start, list[i].End = int64(c.found[i].start), int64(c.found[i].end)
	}
	return append(list, acts...)
}

// lookAtName gives what stands in the name of a tool that the answer calls. It has no
// place in a text.
func (p *Passage) lookAtName(name string) []flow.Finding {
	found := p.inName(name, flow.ToolCalls)
	list := make([]flow.Finding, len(found))
	for i := range found {
		if found[i].secret {
			p.record.Hide()
		}
		list[i] = found[i].finding
		list[i].Place, list[i].Note = "answer", flow.InToolName
	}
	return list
}

// actions judges what a proposed call would do.
func (p *Passage) actions(part flow.Part) []flow.Finding {
	if part.Kind != flow.ToolCall {
		return nil
	}
	findings, call := p.gate.actions(part.Name, part.Text)
	return append(findings, p.carried(part, &call)...)
}

// Changes reports whether the answer may differ from what the provider sent,
// and whether what is delivered is free of its content coding.
func (p *Passage) Changes() (changes, decoded bool) {
	return p.change != nil, p.change != nil && p.change.decoded
}
