package gate

import (
	"bytes"
	"container/list"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"hash/maphash"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Bounds of what is remembered. A miss costs time, never correctness.
const (
	laneTips     = 8        // tips of one principal that are compared with a new body
	maxSessions  = 16384    // sessions whose counters are kept in memory
	sessionFlows = 8        // flows of a session that a retry is looked for in
	sessionIDs   = 64       // response ids of a session that a request can continue
	maxEnds      = 1024     // sessions whose last message may go on in the next one
	maxSilences  = 256      // after so many the same words go on with the last session
	tipBytes     = 1 << 10  // of memory that a tip needs beside its body and its pieces, about
	pieceBytes   = 128      // of memory that a piece needs, about
	compareBytes = 64 << 10 // how far two bodies are compared to choose a tip
)

// tracker finds for each request the conversation that it belongs to: the tip
// to compare its bytes with, its session, and its turn.
type tracker struct {
	o      Options
	recall func(sessionKey) (turns int, last time.Time) // fromLedger
	salt   sync.Pool                                    // of hash.Hash, keyed for the ids of sessions that have none of their own

	mu       sync.Mutex
	lanes    map[laneKey]*list.List // *tip, newest first
	tips     *list.List             // all of them, newest first
	bytes    int64                  // that all tips hold
	sessions map[sessionKey]*list.Element
	recent   *list.List // *session, newest first

	ends *list.List // *session, those whose end is kept, the latest first

	trails  *list.List // *trail, those that were asked for last first
	trailed int        // bytes that they take

	homes  homes
	owners owners
	cut    owners // of responses that were blocked on their way back
}

// laneKey groups the tips that a request can be compared with before its body
// has been read: those of its principal with the same claim in the headers.
type laneKey struct{ principal, claim string }

// A session id is an id only within its principal.
type sessionKey struct{ principal, id string }

type session struct {
	key   sessionKey
	turns int
	last  time.Time
	calls []call        // newest last
	ids   []idRecord    // oldest first
	end   [2]ending     // of the last message that the next one may continue: of a chain of responses; of all else, uploads and messages of other sockets
	ends  *list.Element // in tracker.ends; nil: there is no end
	heads []headRecord  // oldest first
	trail *trail        // nil: nothing that matters was done yet

	homes []providerHome // how its model calls come
	told  []string       // ids of findings about its calls, oldest first
}

// call is what a retry is recognised by.
type call struct {
	flow   flow.ID
	turn   int
	sum    string
	failed bool
}

// idRecord is a response that a request may continue (previous_response_id).
type idRecord struct {
	response string
	flow     flow.ID
}

// headRecord is the root of a conversation, to tell a compaction: whose it is,
// a sub-agent's with a set of tools, and its first block.
type headRecord struct {
	subagent string
	tools    uint64
	head     string
	flow     flow.ID
}

var seed = maphash.MakeSeed()

// tip is the last request of a conversation: what the next one is cut against.
type tip struct {
	key       laneKey
	session   string
	provider  flow.Provider
	api       flow.API
	doc       *split.Doc
	digest    *digest
	forwarded *digest // of what doc became by edits; nil: nothing was forwarded
	edits     []ledger.Edit
	seen      *seen
	stored    *ledger.Stored
	bytes     int64 // that it holds, about
	lane, all *list.Element
}

func (t *tip) splitDoc() *split.Doc {
	if t == nil {
		return nil
	}
	return t.doc
}

// digestFor hashes a body that may begin as the tip's does; common is how far.
func (t *tip) digestFor(body []byte) (d *digest, common int) {
	if t == nil {
		return newDigest(body, nil, 0), 0
	}
	n := min(len(body), len(t.doc.Body))
	common = commonPrefix(t.doc.Body[:n], body[:n])
	return newDigest(body, t.digest, common), common
}

// forwardedFor hashes what a request became by its edits. As far as tip and
// request, and their edits, begin alike, so does what was forwarded.
func (t *tip) forwardedFor(forwarded []byte, r *reading) *digest {
	if t == nil || t.forwarded == nil {
		return newDigest(forwarded, nil, 0)
	}
	same, shift := r.common, 0
	for i := 0; ; i++ {
		mine, yours := editAt(r.plan.edits, i), editAt(t.edits, i)
		if first := int(min(mine.At, yours.At)); first >= same {
			break
		} else if mine.At != yours.At || mine.Cut != yours.Cut || !bytes.Equal(mine.Put, yours.Put) || first+int(mine.Cut) > same {
			same = first
			break
		}
		shift += len(mine.Put) - int(mine.Cut)
	}
	return newDigest(forwarded, t.forwarded, same+shift)
}

// editAt gives an edit of a list; behind its end one that lies behind any body.
func editAt(list []ledger.Edit, i int) ledger.Edit {
	if i < len(list) {
		return list[i]
	}
	return ledger.Edit{At: math.MaxInt}
}

// of reports whether the tip is of the intent's session.
func (t *tip) of(in *flow.Intent) bool {
	return t != nil && t.session == in.Session.ID && t.key.principal == in.Principal.Name
}

// storedIn gives what the ledger keeps of the tip, if it can serve as base for
// a flow of the intent's session: blocks are shared within one session only.
func (t *tip) storedIn(in *flow.Intent) *ledger.Stored {
	if !t.of(in) {
		return nil
	}
	return t.stored
}

// seenIn gives what inspection made of the tip, if it holds for a flow of the
// intent: what was forwarded is the business of one session with one provider,
// and pseudonyms are known in one session only.
func (t *tip) seenIn(in *flow.Intent) *seen {
	if !t.of(in) || t.provider != in.Provider {
		return nil
	}
	return t.seen
}

func newTracker(o Options) *tracker {
	t := &tracker{
		o: o, lanes: map[laneKey]*list.List{}, tips: list.New(),
		sessions: map[sessionKey]*list.Element{}, recent: list.New(), ends: list.New(), trails: list.New(),
	}
	t.recall = t.fromLedger
	var salt []byte
	if o.Ledger != nil {
		salt = o.Ledger.Subkey("session id")
	}
	t.salt.New = func() any { return hmac.New(sha256.New, salt) }
	return t
}

// base chooses among the lane's tips the one that shares most with body at
// both ends.
func (t *tracker) base(in *flow.Intent, key laneKey, body []byte) *tip {
	tips := t.candidates(in, key)
	if len(tips) == 1 {
		return tips[0]
	}
	var best *tip
	most, all := 0, 2*min(len(body), compareBytes)
	for _, candidate := range tips {
		if n := shared(candidate.doc.Body, body); n > most {
			best, most = candidate, n
		}
		if most == all {
			break
		}
	}
	return best
}

// candidates are the lane's tips of the same operation, newest first. They are
// compared without the lock: bodies are long, and not in the processor's cache.
func (t *tracker) candidates(in *flow.Intent, key laneKey) []*tip {
	t.mu.Lock()
	defer t.mu.Unlock()
	lane := t.lanes[key]
	if lane == nil {
		return nil
	}
	tips := make([]*tip, 0, laneTips)
	for e := lane.Front(); e != nil; e = e.Next() {
		if candidate := e.Value.(*tip); candidate.api == in.API {
			tips = append(tips, candidate)
		}
	}
	return tips
}

// shared counts the bytes that two bodies have in common at both ends, up to
// compareBytes at each.
func shared(a, b []byte) int {
	n := min(len(a), len(b), compareBytes)
	return commonPrefix(a[:n], b[:n]) + commonSuffix(a[len(a)-n:], b[len(b)-n:])
}

func commonPrefix(a, b []byte) int {
	n := 0
	for len(a)-n >= 4096 && bytes.Equal(a[n:n+4096], b[n:n+4096]) {
		n += 4096
	}
	for len(a)-n >= 256 && bytes.Equal(a[n:n+256], b[n:n+256]) {
		n += 256
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b []byte) int {
	n := 0
	for len(a)-n >= 4096 && bytes.Equal(a[len(a)-n-4096:len(a)-n], b[len(b)-n-4096:len(b)-n]) {
		n += 4096
	}
	for len(a)-n >= 256 && bytes.Equal(a[len(a)-n-256:len(a)-n], b[len(b)-n-256:len(b)-n]) {
		n += 256
	}
	for n < len(a) && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}

// place fills in the intent's session and turn.
func (t *tracker) place(in *flow.Intent, c Claim, r reading) *session {
	head := conversationHead(r.text)
	id := c.Session
	if id == "" {
		id = r.facts.Session
	}
	in.Session = flow.Session{ID: cleanID(id), Claimed: id != "", Subagent: cleanID(c.Subagent), Parent: cleanID(c.Parent)}
	if in.Session.Subagent == "" {
		in.Session.Subagent = cleanID(r.facts.Subagent)
	}
	s := t.adopted(in, r)
	if s == nil {
		s = t.session(in, head)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	in.Session.Previous = s.answered(cleanID(r.facts.Previous))
	if in.API.Generates() && !r.facts.Warmup && r.text != nil && r.text.JSON {
		s.turn(in, r)
		s.root(in, r, head)
	}
	s.last = in.Started
	return s
}

// adopted gives the session in which something was made that a request without
// a session of its own goes on with, or asks for; nil: there is none.
func (t *tracker) adopted(in *flow.Intent, r reading) *session {
	if in.Session.Claimed {
		return nil
	}
	id := t.owners.session(in.Principal.Name, in.Path, r.facts.Previous)
	if id == "" {
		return nil
	}
	in.Session.ID = id
	s, _ := t.lookup(sessionKey{in.Principal.Name, id})
	return s
}

// session finds the session that the intent claims, or makes one for the head
// of its conversation. What the process has forgotten it asks of the ledger.
func (t *tracker) session(in *flow.Intent, head string) *session {
	claimed := in.Session.Claimed
	if !claimed {
		in.Session.ID = t.headID(in, head, "")
	}
	s, last := t.lookup(sessionKey{in.Principal.Name, in.Session.ID})
	if claimed {
		return s
	}
	for range maxSilences {
		if last.IsZero() || in.Started.Sub(last) <= t.o.SessionGap {
			break
		}
		in.Session.ID = t.headID(in, head, strconv.FormatInt(last.UnixMilli(), 10)) // as the ledger tells it after a restart
		s, last = t.lookup(sessionKey{in.Principal.Name, in.Session.ID})
	}
	return s
}

// headID names a session after its conversation's first block, and, when the
// same words begin a new run after a long silence, after the silence.
func (t *tracker) headID(in *flow.Intent, head, after string) string {
	mac := t.salt.Get().(hash.Hash)
	defer t.salt.Put(mac)
	mac.Reset()
	for _, s := range []string{in.Principal.Name, string(in.Provider), head, after} {
		mac.Write(strconv.AppendInt(nil, int64(len(s)), 10))
		mac.Write([]byte(s))
	}
	return "h" + hex.EncodeToString(mac.Sum(nil)[:12])
}

// lookup gives a session and when it was last at work. What the ledger knows of
// one that is new here is asked without the lock: the ledger may be waiting for
// its disk, and the other sessions need not wait with it.
func (t *tracker) lookup(key sessionKey) (*session, time.Time) {
	if s, last := t.find(key, nil); s != nil {
		return s, last
	}
	fresh := &session{key: key}
	fresh.turns, fresh.last = t.recall(key)
	return t.find(key, fresh)
}

// find gives the session with a key. When there is none it enters fresh, unless
// that is nil.
func (t *tracker) find(key sessionKey, fresh *session) (*session, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.sessions[key]; e != nil {
		t.recent.MoveToFront(e)
		s := e.Value.(*session)
		return s, s.last
	}
	if fresh == nil {
		return nil, time.Time{}
	}
	t.sessions[key] = t.recent.PushFront(fresh)
	for t.recent.Len() > maxSessions {
		old := t.recent.Remove(t.recent.Back()).(*session)
		delete(t.sessions, old.key)
		t.leave(old.trail)
	}
	return fresh, fresh.last
}

// fromLedger asks the ledger how far a session had come before this process knew
// it. A ledger that can't be asked costs the count, not the flow.
func (t *tracker) fromLedger(key sessionKey) (turns int, last time.Time) {
	if t.o.Ledger == nil {
		return 0, time.Time{}
	}
	turns, last, err := t.o.Ledger.Recall(key.principal, key.id)
	if err != nil {
		t.o.Log.Warn("session not recalled", "err", err)
	}
	return turns, last
}

// turn numbers the model call. A client's retry, the same bytes after a call
// that failed, shares the turn of the call that it repeats.
func (s *session) turn(in *flow.Intent, r reading) {
	sum := r.digest.sum
	for i := len(s.calls) - 1; i >= 0; i-- {
		if c := s.calls[i]; c.sum == sum && c.failed {
			in.Turn, in.RetryOf = c.turn, c.flow
			break
		}
	}
	if in.RetryOf == "" {
		s.turns++
		in.Turn = s.turns
	}
	s.calls = append(s.calls, call{flow: in.Flow, turn: in.Turn, sum: sum})
	if len(s.calls) > sessionFlows {
		s.calls = s.calls[1:]
	}
}

// root marks a compaction: the same sub-agent with the same tools begins a
// conversation that shares nothing with its last one.
func (s *session) root(in *flow.Intent, r reading, head string) {
	if head == "" || r.facts.Previous != "" {
		return
	}
	tools, _ := r.text.Get("tools")
	now := headRecord{in.Session.Subagent, maphash.Bytes(seed, tools), head, in.Flow}
	i := slices.IndexFunc(s.heads, func(h headRecord) bool { return h.subagent == now.subagent && h.tools == now.tools })
	if i < 0 {
		s.heads = append(s.heads, now)
		if len(s.heads) > sessionFlows {
			s.heads = s.heads[1:]
		}
		return
	}
	if before := s.heads[i]; before.head != head && len(tools) > 2 && !continues(r) {
		in.Session.Predecessor = before.flow
	}
	s.heads[i] = now
}

// chain says which messages may go on in which: what is said between the messages
// of a chain of responses is not between them for the provider.
func chain(api flow.API) int {
	if api == flow.Responses {
		return 0
	}
	return 1
}

func (t *tracker) end(s *session, api flow.API) ending {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.end[chain(api)]
}

// setEnd keeps the end of a session's last message. Of the sessions that have
// one for longest it is let go.
func (t *tracker) setEnd(s *session, api flow.API, e ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.end[chain(api)] = e
	if s.ends != nil {
		t.ends.MoveToFront(s.ends)
		return
	}
	s.ends = t.ends.PushFront(s)
	if t.ends.Len() > maxEnds {
		old := t.ends.Remove(t.ends.Back()).(*session)
		old.end, old.ends = [2]ending{}, nil
	}
}

// barred reports whether a request goes on with a response that was blocked, or
// asks for it again.
func (t *tracker) barred(m *Message, previous string) bool {
	path := ""
	if m.Method == http.MethodGet {
		path = m.Route
	}
	return t.cut.session(m.Principal.Name, path, previous) != ""
}

// answered gives the flow whose answer has an id; empty when none is known.
func (s *session) answered(response string) flow.ID {
	for i := len(s.ids) - 1; i >= 0 && response != ""; i-- {
		if s.ids[i].response == response {
			return s.ids[i].flow
		}
	}
	return ""
}

// continues reports whether the conversation shares a block with its base.
func continues(r reading) bool {
	if r.base == nil || r.text != r.doc {
		return false
	}
	for _, i := range r.doc.Conversation() {
		if r.doc.Pieces[i].Same >= 0 {
			return true
		}
	}
	return false
}

// conversationHead is a fingerprint of the first block of the conversation
// without what was lifted out of it; empty when there is none. It tells a
// caller's conversations apart and need not withstand the caller: xxHash reads
// a long first block ten times as fast as SHA-256.
func conversationHead(doc *split.Doc) string {
	if doc == nil || !doc.JSON {
		return ""
	}
	blocks := doc.Conversation()
	if len(blocks) == 0 {
		return ""
	}
	p := doc.Pieces[blocks[0]]
	h := xxhash.New()
	at := p.Start
	for _, hole := range p.Holes {
		h.Write(doc.Body[at:hole.Start])
		at = hole.End
	}
	h.Write(doc.Body[at:p.End])
	return string(h.Sum(nil))
}

// keep remembers a recorded request as the tip of its conversation, in the
// place of the one that it continues.
func (t *tracker) keep(in *flow.Intent, r reading, stored *ledger.Stored) {
	if r.doc == nil || !r.doc.JSON || stored == nil && in.Capture != flow.CaptureMetadata || int64(len(r.doc.Body)) > t.o.TipBytes/4 {
		return
	}
	now := &tip{key: r.lane, session: in.Session.ID, provider: in.Provider, api: in.API, doc: r.doc, digest: r.digest, forwarded: r.forwarded, edits: r.plan.edits, seen: r.seen, stored: stored}
	now.bytes = int64(tipBytes + len(r.doc.Body) + pieceBytes*len(r.doc.Pieces) + len(r.lane.claim) + r.seen.size())
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.base.of(in) && r.base.all != nil && continues(r) {
		t.drop(r.base)
	}
	lane := t.lane(now.key)
	now.lane, now.all = lane.PushFront(now), t.tips.PushFront(now)
	t.bytes += now.bytes
	if lane.Len() > laneTips {
		t.drop(lane.Back().Value.(*tip))
	}
	for t.bytes > t.o.TipBytes {
		t.drop(t.tips.Back().Value.(*tip))
	}
}

func (t *tracker) lane(key laneKey) *list.List {
	lane := t.lanes[key]
	if lane == nil {
		lane = list.New()
		t.lanes[key] = lane
	}
	return lane
}

func (t *tracker) drop(old *tip) {
	lane := t.lanes[old.key]
	lane.Remove(old.lane)
	if lane.Len() == 0 {
		delete(t.lanes, old.key)
	}
	t.tips.Remove(old.all)
	old.lane, old.all = nil, nil
	t.bytes -= old.bytes
}

// failed notes that the same bytes, should they come again, are a retry.
func (t *tracker) failed(s *session, id flow.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range s.calls {
		if s.calls[i].flow == id {
			s.calls[i].failed = true
		}
	}
}

// ended notes what a later request may refer to.
func (t *tracker) ended(s *session, in *flow.Intent, out *flow.Outcome) {
	if out.State != flow.Done || out.Error != "" {
		t.failed(s, in.Flow)
	}
	t.answering(s, in, out.ResponseID)
}

// answering notes the id of a response that a later request may continue: at
// its end, before the client knows of it.
func (t *tracker) answering(s *session, in *flow.Intent, response string) {
	if response == "" {
		return
	}
	response = cleanID(response)
	t.owners.note(in.Principal.Name, in.Session.ID, response)
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.answered(response) != "" {
		return // noted, or read again by another route
	}
	s.ids = append(s.ids, idRecord{response, in.Flow})
	if len(s.ids) > sessionIDs {
		s.ids = s.ids[1:]
	}
}

// block notes a response that no request of its principal may continue, whatever
// session it claims.
func (t *tracker) block(principal, session, response string) {
	if response != "" {
		t.cut.note(principal, session, response)
	}
}

// maxID bounds what a client may call its session.
const maxID = 128

// cleanID is an id that a client claims, made safe to show and to keep: too
// long or unprintable ones are replaced by a fingerprint, and those that no address can
// end with, since it would be read as another.
func cleanID(id string) string {
	clean := len(id) <= maxID && id != "." && id != ".."
	for i := 0; clean && i < len(id); i++ {
		clean = id[i] > ' ' && id[i] < 0x7f
	}
	if clean {
		return id
	}
	return "x" + sumHex([]byte(id))[:24]
}
