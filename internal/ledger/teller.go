package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/strand"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// teller goes through the flows of one session in their order and says of each what
// it brings. It keeps the last requests of the conversations that are going on.
type teller struct {
	l       *Ledger
	session *Telling
	shelf   *shelf
	read    *strand.Reader
	whole   bool // all of a request is told
	begun   bool // the session has flows before

	tips   []*told                 // the latest first
	byFlow map[flow.ID]*told       // what a later one may name
	firsts map[int]firstFlow       // by run of the shelf
	brings map[flow.ID]*bringing   // flows that brought blocks first
	parts  map[flow.ID][]index.Pos // of answers; nil: they were not asked for
	values []VaultEntry            // of the session
}

// told is a request that later ones are compared with.
type told struct {
	in    *flow.Intent
	body  *strand.Body
	head  *strand.Body // the last that was sent whole: its own, or that of the one that it names
	total int          // blocks of its conversation, with those that it only names
}

// basis is what a request is told against.
type basis struct {
	*told      // nil: a conversation begins
	gap   bool // it names one that is out of reach
	names bool // it names that one, and says only what comes behind it
}

type firstFlow struct {
	id   flow.ID
	turn int
}

// mostTips is how many conversations of a session go on at one time.
const mostTips = 16

func (l *Ledger) teller(key uint64, session *Telling) (*teller, error) {
	runs, err := l.directory(key)
	if err != nil {
		return nil, err
	}
	sh := newShelf(l, runs)
	t := &teller{l: l, session: session, shelf: sh, read: strand.NewReader(sh), byFlow: map[flow.ID]*told{}, firsts: map[int]firstFlow{}, brings: map[flow.ID]*bringing{}}
	t.values, err = t.vault()
	return t, err
}

// Hidden gives a value of the vault as it stands in a body.
func (s *shelf) Hidden(ref object.Ref) (strand.Hidden, error) {
	o, err := s.Object(ref)
	if err != nil {
		return strand.Hidden{}, err
	}
	if o.Secret == nil {
		return strand.Hidden{}, fmt.Errorf("object %d is no value: %w", ref, errMalformed)
	}
	k, err := s.l.take(o.Secret)
	if err != nil {
		return strand.Hidden{}, err
	}
	return strand.Hidden{Form: k.bytes(), Rule: k.Rule, Pseudonym: k.Pseudonym, Part: k.Part}, nil
}

// talks reports whether the requests of an operation are conversations.
func talks(api flow.API) bool {
	switch api {
	case flow.Messages, flow.CountTokens, flow.Chat, flow.Responses, flow.ResponsesSocket, flow.Generate, flow.StreamGenerate, flow.GeminiCount:
		return true
	}
	return false
}

// errSkip says that a flow is gone, or can't be read at all.
var errSkip = errors.New("the flow can't be told")

// pass takes a flow from before the window.
func (t *teller) pass(row *index.Flow) {
	e, err := t.l.entryAt(row.IntentAt)
	if err != nil {
		return
	}
	in, err := e.intent()
	if err != nil {
		return
	}
	body, _, err := t.body(in, e)
	if err != nil {
		return
	}
	if on, err := t.before(in, body); err == nil {
		t.keep(in, body, on, body.Get(talkFields...).Count())
	}
}

// told tells one flow.
func (t *teller) told(row *index.Flow) (*Told, error) {
	e, err := t.l.entryAt(row.IntentAt)
	if errors.Is(err, ErrRemoved) {
		return nil, errSkip // since the index was asked
	}
	out := &Told{Change: Change{At: -1}, Values: t.values}
	if err != nil {
		return t.damaged(row, out, err), nil
	}
	if out.Intent, err = e.intent(); err != nil {
		return t.damaged(row, out, err), nil
	}
	if out.Outcome, err = t.outcome(row); err != nil {
		out.Unanswered = err
	}
	if out.Unread = t.request(out, e); errors.Is(out.Unread, ErrNotKept) {
		out.Unanswered = ErrNotKept
	} else if out.Unanswered == nil && (out.Outcome == nil || out.Outcome.ResponseBytes > 0) {
		out.Answer, out.Unanswered = t.answer(row)
	}
	return out, nil
}

// answer gives what the provider sent. The pieces of answers that have ended were
// asked for together.
func (t *teller) answer(row *index.Flow) ([]Chunk, error) {
	if parts, ok := t.parts[row.ID]; row.OutcomeAt.Segment != 0 && (ok || t.parts != nil) {
		return t.l.answerAt(row, parts, Response)
	}
	return t.l.readAnswer(row, Response)
}

// ask has the pieces of the answers of some flows found at once.
func (t *teller) ask(rows []index.Flow) (err error) {
	ids := make([]flow.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	t.parts, err = t.l.index.PartsOf(ids)
	return err
}

// damaged tells what the index knows of a flow.
func (t *teller) damaged(row *index.Flow, out *Told, err error) *Told {
	out.Intent, out.Outcome = t.l.known(row, err)
	out.Unread, out.Unanswered = err, err
	return out
}

func (t *teller) outcome(row *index.Flow) (*flow.Outcome, error) {
	if row.OutcomeAt.Segment == 0 {
		return nil, nil
	}
	e, err := t.l.entryAt(row.OutcomeAt)
	if err != nil {
		return nil, err
	}
	return e.outcome()
}

// request tells what a request brings.
func (t *teller) request(out *Told, e *entry) error {
	body, req, err := t.body(out.Intent, e)
	if req != nil {
		if err := t.edits(out, req); err != nil {
			return err
		}
	}
	switch {
	case req != nil && !talks(out.Intent.API):
		if t.whole {
			return t.text(out, req)
		}
		return nil
	case err == nil:
	case t.whole && errors.Is(err, strand.ErrOdd):
		return t.text(out, req)
	case errors.Is(err, strand.ErrOdd) && out.Intent.RequestBytes == 0:
		return nil
	default:
		return err
	}
	on, err := t.before(out.Intent, body)
	if err != nil {
		return err
	}
	if err := t.compare(out, body, on); err != nil {
		return err
	}
	out.Loose = body.Whole() // nothing says where the vault's values stand in it
	if t.whole {
		return t.rest(out, body)
	}
	t.keep(out.Intent, body, on, out.Change.Added)
	t.begun = true
	return nil
}

// edits gives the edits of a request, unless they replace the coded body as a whole.
func (t *teller) edits(out *Told, req *request) error {
	if coded(out.Intent) || len(req.edits) == 0 {
		return nil
	}
	edits, err := t.l.openEdits(req.edits)
	out.Edits = edits
	return err
}

// vault gives the values of the session. That it is read was recorded.
func (t *teller) vault() ([]VaultEntry, error) {
	owner, ok := t.l.ring.VaultID(t.session.Principal)
	if !ok {
		return nil, nil
	}
	key, _ := t.l.ring.Known(t.session.Principal, t.session.Session)
	rows, err := t.l.index.Secrets(owner, key, maxSessionly)
	if err != nil || key == 0 {
		return nil, err
	}
	return t.l.reveal(rows)
}

// coded reports whether a request came with a content coding.
func coded(in *flow.Intent) bool {
	e := encodingOf(in)
	return e != "" && e != "identity"
}

// encodingOf is the content coding of a request. On a socket the headers are the
// upgrade's.
func encodingOf(in *flow.Intent) string {
	if in.Method == flow.MethodMessage {
		return ""
	}
	return contentCoding(in.Header)
}

func contentCoding(lines []flow.Header) string { return flow.HeaderValue(lines, "Content-Encoding") }

// body lays out a request: along its chains or, where these don't tell, from the
// whole of it.
func (t *teller) body(in *flow.Intent, e *entry) (*strand.Body, *request, error) {
	req, err := decodeRequest(e.body)
	if err != nil {
		return nil, nil, fmt.Errorf("reading request: %w", err)
	}
	if req == nil {
		return nil, nil, ErrNotKept
	}
	if !talks(in.API) {
		return nil, req, strand.ErrOdd
	}
	items, err := object.DecodeSkeleton(req.skeleton)
	if err != nil {
		return nil, req, fmt.Errorf("reading request: %w", err)
	}
	if !coded(in) {
		body, err := t.read.Layout(items)
		if err == nil && !(in.API == flow.Chat && body.Get("messages").Beside()) {
			return body, req, nil
		}
		if err != nil && !errors.Is(err, strand.ErrOdd) {
			return nil, req, err
		}
	}
	if in.RequestBytes == 0 {
		return nil, req, strand.ErrOdd
	}
	text, err := t.plain(in, req)
	if err != nil {
		return nil, req, err
	}
	doc := split.Split(text, nil)
	if !doc.JSON || len(doc.Fields) == 0 {
		return nil, req, strand.ErrOdd
	}
	return strand.Whole(doc, in.API == flow.Chat), req, nil
}

// ErrLong says that a body is too long to be read whole for a conversation.
var ErrLong = errors.New("the body is too long to be shown as a conversation")

// plain makes a body and takes its content coding off.
func (t *teller) plain(in *flow.Intent, req *request) ([]byte, error) {
	if in.RequestBytes > tellBytes {
		return nil, ErrLong
	}
	body, err := t.l.render(in, req, t.shelf)
	if err != nil || !coded(in) {
		return body, err
	}
	text, err := coding.Decode(encodingOf(in), body, coding.Limit{Bytes: tellBytes})
	if err != nil {
		return nil, fmt.Errorf("decoding the request: %w", err)
	}
	return text, nil
}

// text tells a body that has no parts.
func (t *teller) text(out *Told, req *request) error {
	text, err := t.plain(out.Intent, req)
	if err != nil {
		return err
	}
	out.Text, out.Loose = text, true
	return nil
}

// rest gives the members that are neither system, tools nor conversation.
func (t *teller) rest(out *Told, body *strand.Body) error {
	b := bytes.NewBufferString("{")
	for i := range body.Fields {
		f := &body.Fields[i]
		if slices.Contains(talkFields, f.Name) || slices.Contains(systemFields, f.Name) || slices.Contains(toolFields, f.Name) {
			continue
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return err
		}
		value := f.Raw()
		if value == nil {
			if value, err = t.read.Value(f); err != nil {
				return err
			}
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(append(append(name, ':'), value...))
	}
	b.WriteByte('}')
	out.Rest = b.Bytes()
	return nil
}

var (
	talkFields   = []string{"messages", "input", "contents"}
	systemFields = []string{"system", "instructions", "systemInstruction", "system_instruction"}
	toolFields   = []string{"tools", "functions", "mcp_servers"}
)

// before finds the request that one goes on from. One that names a request which said
// nothing, as agents send it to open a socket, says all itself.
func (t *teller) before(in *flow.Intent, body *strand.Body) (on basis, err error) {
	if id := in.Session.Previous; id != "" {
		on.told = t.byFlow[id]
		if on.told == nil || on.total > 0 {
			on.names, on.gap = true, on.told == nil && !t.whole
			return on, nil
		}
	}
	if was := t.byFlow[in.RetryOf]; was != nil {
		return basis{told: was}, nil
	}
	on.told, err = t.alike(in, body)
	return on, err
}

// alike finds the conversation that begins as a request does.
func (t *teller) alike(in *flow.Intent, body *strand.Body) (was *told, err error) {
	best := 0
	now := body.Get(talkFields...)
	for _, tip := range t.tips {
		if tip.in.API != in.API || tip.in.Session.Subagent != in.Session.Subagent {
			continue
		}
		old := tip.head.Get(talkFields...)
		n, err := t.read.Shared(old, now)
		if err != nil {
			return nil, err
		}
		if n > best && (2*n >= old.Count() || t.sameHead(tip.head, body)) {
			was, best = tip, n
		}
	}
	if was == nil {
		return t.likely(in, now)
	}
	return was, nil
}

// likely finds the conversation that one goes on from though it begins otherwise:
// half of it is there again, or it says that it makes it short.
func (t *teller) likely(in *flow.Intent, now *strand.Field) (*told, error) {
	if was := t.byFlow[in.Session.Predecessor]; was != nil {
		return was, nil
	}
	for _, tip := range t.tips {
		old := tip.head.Get(talkFields...)
		if tip.in.API != in.API || tip.in.Session.Subagent != in.Session.Subagent || old.Count() < 2 || now.Count() < 2 {
			continue
		}
		c, err := t.read.Compare(old, now)
		if err != nil {
			return nil, err
		}
		if 2*c.Kept >= old.Count() {
			return tip, nil
		}
	}
	return nil, nil
}

// sameHead reports whether two requests have the same system prompt and tools:
// conversations that begin alike may be those of different agents.
func (t *teller) sameHead(a, b *strand.Body) bool {
	for _, name := range slices.Concat(systemFields, toolFields) {
		c, err := t.read.Compare(a.Get(name), b.Get(name))
		if err != nil || len(c.New)+c.Removed > 1 { // an agent's version or the date may stand in one
			return false
		}
	}
	return true
}

// keep remembers a request as the last one of its conversation.
func (t *teller) keep(in *flow.Intent, body *strand.Body, on basis, added int) {
	body.Forget()
	now := &told{in: in, body: body, head: body, total: body.Get(talkFields...).Count()}
	if was := on.told; was != nil {
		if on.names {
			now.head, now.total = was.head, was.total+added
		}
		if was.in.Session.Subagent == in.Session.Subagent {
			t.tips = slices.DeleteFunc(t.tips, func(o *told) bool { return o == was })
		}
	}
	t.byFlow[in.Flow] = now
	t.tips = slices.Insert(t.tips, 0, now)
	if len(t.tips) > mostTips {
		t.tips = t.tips[:mostTips]
	}
}
