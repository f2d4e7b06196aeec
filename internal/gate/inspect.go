package gate

import (
	"net/http"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// found is one value that a detector saw, with what policy and the vault need
// of it. Its span counts from the start of the piece that it lies in. A value
// that is cut in pieces by structure is found once for each of them.
type found struct {
	finding    flow.Finding // without its place in the body
	start, end int
	value      []byte // as it stands there, escapes undone; nil: it can't be replaced
	plain      []byte // with all encodings undone, when that is something else
	number     bool   // a bare JSON number
	nested     bool   // a number of a JSON text that stands in a string: arguments
	part       bool   // one of the pieces of a value that structure cuts
	secret     bool   // belongs into the vault
	told       bool   // recorded of this session before: judged, and recorded again only where it stops the call
	aside      bool   // of what the asking gateway says of itself: kept, and not judged
}

// view is what is known of one piece of a conversation: what was found in it
// and, once it was forwarded, with which edits. The later turns that carry the
// piece share it; it does not change after the turn that made it. A nil view is
// a piece that was read to its end, holds nothing, and was not forwarded yet.
type view struct {
	found  []found
	edits  []pieceEdit // in order, without overlaps
	unread int64       // bytes that could not be decoded
	sent   bool        // forwarded with these edits: they are frozen
}

// clean is the view of a piece that was forwarded and held nothing.
var clean = &view{sent: true}

// pieceEdit replaces a span of a piece by a pseudonym.
type pieceEdit struct {
	at, cut int
	put     string
	token   string // the pseudonym in put
}

// seen is what inspection made of a body that is JSON: a view for each of its
// pieces.
type seen struct {
	engine string // version of the rules
	views  []*view
	acts   []flow.Act

	edges []pieceEdge
	said  lastSaid
	end   *inspect.Edge // of the last block of the conversation, where the next turn goes on
	key   blockKey      // of that block
}

func (s *seen) view(i int) *view {
	if s == nil || i < 0 || i >= len(s.views) {
		return nil
	}
	return s.views[i]
}

// size is how many bytes of memory the views take, about.
func (s *seen) size() (n int) {
	if s == nil {
		return 0
	}
	for _, v := range s.views {
		n += v.size()
	}
	return n + edgeBytes*len(s.edges) + s.said.size()
}

func (v *view) size() int {
	if v == nil || v == clean {
		return 0
	}
	n := foundBytes * (1 + len(v.found) + len(v.edits))
	for i := range v.found {
		n += len(v.found[i].value) + len(v.found[i].plain)
	}
	return n
}

// foundBytes is what a finding takes beside its value, about.
const foundBytes = 320

// examiner looks at one request.
type examiner struct {
	g      *Gate
	engine *inspect.Engine
	m      *Message
	in     *flow.Intent
	doc    *split.Doc // of the decoded body
	json   bool       // it is cut along its parts, and each piece is looked at by itself; else all of it is one text
	base   *seen      // of the request that doc was cut against, or nil
	known  *inspect.Known
	vault  *vault.Session // nil: not asked for yet

	before ending // of the message that this one continues, if it does
	after  ending // of this one

	out    *seen      // by itself: later turns keep it, and not all of this
	outer  []found    // in headers and the path: not in the body
	judged []flow.Act // of out.acts, what policy is asked about
	fresh  []bool     // by piece: no earlier turn has seen it
	keys   []blockKey // by piece, those that were asked for
	sums   []inspect.Sum
	edges  []*inspect.Edge

	channels *codec.Channels // of doc
}

// examine scans what is new in a request. What an earlier turn saw it takes
// over; after a change of the rules everything is scanned again.
func (g *Gate) examine(m *Message, in *flow.Intent, r *reading, s *session) (*examiner, error) {
	engine, err := g.rules()
	if err != nil {
		return nil, err
	}
	known, err := g.known(in.Principal.Name)
	if err != nil {
		return nil, err
	}
	x := &examiner{g: g, engine: engine, m: m, in: in, doc: r.text, json: inParts(r.text), known: known, channels: codec.NewChannels(m.API, r.text)}
	if r.facts.Previous != "" || x.goesOn() {
		x.before = g.tracker.end(s, m.API)
	}
	if r.text == r.doc {
		x.base = r.base.seenIn(in)
	}
	n := len(x.doc.Pieces)
	x.out = &seen{engine: x.engine.Version(), views: make([]*view, n)}
	x.fresh = make([]bool, n)
	x.scan()
	if more := x.news(); len(more) > 0 { // what was found by its context may stand elsewhere without it
		x.known = x.known.With(more)
		x.scan()
	}
	x.elsewhere()
	x.asked()
	x.envelope()
	x.outer = append(x.outer, g.standing(in, s)...)
	x.acts(r)
	return x, nil
}

// goesOn reports whether the message may go on in the next one: an upload, or a
// message of a socket that is not read as a conversation.
func (x *examiner) goesOn() bool {
	return !x.json || x.m.Method == flow.MethodMessage && x.m.API == flow.Opaque
}

// inParts reports whether the pieces of a body are whole JSON values. A list, or
// a body with too many parts, is cut by its content: in the middle of strings.
func inParts(d *split.Doc) bool {
	return d.JSON && (len(d.Pieces) == 0 || d.Pieces[0].Kind != split.Block || d.Pieces[0].Run >= 0)
}

// acts finds what the request makes the provider do by itself. To continue a
// response that this session made recalls nothing that was not judged.
func (x *examiner) acts(r *reading) {
	var acts []flow.Act
	switch {
	case !x.doc.JSON:
		acts = codec.UploadActs(x.doc.Body, x.m.stretches(x.doc.Body))
	case x.base != nil:
		acts = codec.MoreActs(x.m.API, x.doc, r.base.doc, x.base.acts)
	default:
		acts = codec.Acts(x.m.API, x.doc)
	}
	x.out.acts = acts
	if x.in.Session.Previous != "" {
		acts = slices.DeleteFunc(slices.Clone(acts), func(a flow.Act) bool { return a.Name == "previous_response_id" })
	}
	x.judged = acts
}

// rules gives the rules in force. Without any nothing may pass.
func (g *Gate) rules() (*inspect.Engine, error) {
	if e := g.o.Rules(); e != nil {
		return e, nil
	}
	return nil, errNoRules
}

var errNoRules = &flow.Refusal{Status: http.StatusServiceUnavailable, Kind: "no_rules", Text: "the gateway has no rules to inspect by, so nothing was forwarded"}

func (x *examiner) scan() {
	if !x.json {
		x.stretches()
		return
	}
	x.edges = make([]*inspect.Edge, len(x.doc.Pieces))
	for i := range x.doc.Pieces {
		x.view(i)
	}
	for i := 0; i < len(x.fresh); i++ {
		if !x.fresh[i] {
			continue
		}
		first := i
		for i < len(x.fresh) && x.fresh[i] {
			i++
		}
		x.join(x.behind(first), min(i+1, len(x.fresh)))
	}
	x.keep()
	x.converse()
	x.continues()
}

// continues looks at the joints with the messages before and after this one: the
// ends of its conversation, or, where it has none, of the whole.
func (x *examiner) continues() {
	first, last := 0, len(x.doc.Pieces)-1
	if blocks := x.doc.Conversation(); len(blocks) > 0 {
		first, last = blocks[0], blocks[len(blocks)-1]
	} else if !x.goesOn() {
		return
	}
	if last < 0 {
		return
	}
	x.follow(first)
	x.after = ending{x.edge(last), x.out.said}
	if isBlock(&x.doc.Pieces[last]) {
		x.out.end, x.out.key = x.after.last, x.key(last)
	}
}

// edge gives the ends of a piece, also of one that an earlier turn has seen.
func (x *examiner) edge(i int) *inspect.Edge {
	if x.edges[i] == nil {
		x.edges[i] = x.kept(i)
	}
	switch {
	case x.edges[i] != nil:
	case x.base != nil && x.base.end != nil && isBlock(&x.doc.Pieces[i]) && x.key(i) == x.base.key:
		x.edges[i] = x.base.end // with or without its marker: what was forwarded is not cut any more
	default:
		x.edges[i] = new(inspect.Edge)
		*x.edges[i] = x.result(i).Edge
	}
	return x.edges[i]
}

// follow looks for a value that the message before this one began and that
// ends in the first text of this one.
func (x *examiner) follow(first int) {
	if x.before.last == nil || !x.fresh[first] {
		return
	}
	for _, c := range x.engine.Join([]*inspect.Edge{x.before.last, x.edges[first]}, x.options()) {
		for _, p := range c.Parts {
			if p.Index == 1 {
				x.fragment(first, p.Span, c.Rule, c.Value)
			}
		}
	}
}

func (x *examiner) options() inspect.Options {
	return inspect.Options{JSON: x.json, Known: x.known}
}

// lookBack is how many pieces before what is new may hold the beginning of what
// it ends: glue holds no text.
const lookBack = 4

func (x *examiner) view(i int) {
	was, known := x.was(i)
	if known {
		x.out.views[i] = was
		return
	}
	x.fresh[i] = true
	v := x.look(i)
	if p := &x.doc.Pieces[i]; was != nil && (p.Same >= 0 || !v.inHoles(p)) {
		// Other rules than then, or another marker in it: what was forwarded
		// stays as it was.
		v = v.with(was)
	}
	x.out.views[i] = v
}

// cacheFrom is the length of a block from which its result is kept: shorter
// ones are scanned nearly as quickly as they are looked up. What stands between
// blocks is the same in many turns.
const cacheFrom = 256

func (x *examiner) result(i int) inspect.Result {
	p := &x.doc.Pieces[i]
	o := x.options()
	b := x.doc.Body[p.Start:p.End]
	o.Media = isBlock(p) && inspect.MayHoldMedia(b) && !x.isText(i)
	if len(b) < cacheFrom && p.Kind == split.Block {
		return x.engine.Scan(b, o)
	}
	if len(p.Holes) > 0 {
		return x.g.cache.Scan(x.engine, b, o)
	}
	return x.g.cache.ScanSum(x.engine, b, x.sum(i), o)
}

// isText reports whether a part is something that is read as text.
func (x *examiner) isText(i int) bool {
	_, ok := x.channels.Text(i, x.doc.Pieces[i].Start)
	return ok
}

// look scans one piece.
func (x *examiner) look(i int) *view {
	r := x.result(i)
	x.edges[i] = new(inspect.Edge)
	*x.edges[i] = r.Edge
	if len(r.Matches) == 0 && len(r.Inner) == 0 && len(r.Unread) == 0 && r.Cut == "" {
		return nil
	}
	c := x.collector(i)
	c.take(&r, len(c.body))
	return c.seen()
}

func (x *examiner) collector(i int) collector {
	p := &x.doc.Pieces[i]
	return collector{g: x.g, body: x.doc.Body[p.Start:p.End], json: true, where: func(at int) (flow.Channel, bool) {
		return x.channels.At(i, p.Start+at)
	}}
}

// always gives the same channel for every place.
func always(c flow.Channel, fixed bool) func(int) (flow.Channel, bool) {
	return func(int) (flow.Channel, bool) { return c, fixed }
}

// join looks for values that the edges between the pieces [first,end) cut in
// two: in the bytes as they stand, and in the texts without the structure
// between them.
func (x *examiner) join(first, end int) {
	row := make([]*inspect.Edge, 0, end-first)
	for i := first; i < end; i++ {
		row = append(row, x.edge(i))
	}
	for _, c := range x.engine.Join(row, x.options()) {
		for _, p := range c.Parts {
			x.fragment(first+p.Index, p.Span, c.Rule, c.Value)
		}
	}
}

// fragment adds one part of a cut value to what was found in its piece.
func (x *examiner) fragment(i int, s inspect.Span, rule *inspect.Rule, value []byte) {
	v := x.out.views[i]
	if v != nil && v.sent || s.Start == s.End {
		return // it is with the provider; the other part need not be
	}
	c := x.collector(i)
	if v != nil {
		if v.has(s, rule) {
			return
		}
		c.view = *v
		c.found = append([]found(nil), v.found...)
	}
	c.part(s, rule, value)
	x.out.views[i] = c.seen()
}

// has reports whether a part of a cut value was found before: by the texts beside it,
// and by those of its voice.
func (v *view) has(s inspect.Span, rule *inspect.Rule) bool {
	return slices.ContainsFunc(v.found, func(f found) bool {
		return f.part && f.start == s.Start && f.end == s.End && f.finding.Rule == rule.Name()
	})
}

// stretches scans a body that is no JSON text: form parts, lines of a batch,
// or whatever it is, as text.
func (x *examiner) stretches() {
	body := x.doc.Body
	c := collector{g: x.g, body: body, where: always(x.besides(), false)}
	row, starts := []*inspect.Edge{x.before.last}, []int{0}
	for _, s := range x.m.stretches(body) {
		if s.Coding != "" && x.message(&c, s) {
			row, starts = append(row, &inspect.Edge{}), append(starts, s.Start)
			continue
		}
		if s.Binary {
			c.unreadable(s.Start, s.End, s.Why) // and scanned for what stands in the clear
		}
		r := x.g.cache.Scan(x.engine, body[s.Start:s.End], inspect.Options{JSON: s.JSON, Known: x.known})
		known := len(c.found)
		c.at, c.json = s.Start, s.JSON
		if c.take(&r, s.End-s.Start); s.Binary {
			c.unread += int64(r.Scanned)
		}
		for i := known; i < len(c.found) && s.Fixed; i++ {
			c.found[i].finding.Fixed = true
		}
		row, starts = append(row, &r.Edge), append(starts, s.Start)
	}
	for _, m := range x.engine.Join(row, x.options()) {
		for _, p := range m.Parts {
			if p.Index > 0 {
				c.at, c.json = starts[p.Index], false
				c.part(p.Span, m.Rule, m.Value)
			}
		}
	}
	x.after.last = row[len(row)-1]
	x.out.views = []*view{c.seen()}
	x.fresh = []bool{true}
}

// stretches cuts a body that is no conversation.
func (m *Message) stretches(body []byte) []codec.Stretch {
	coding := ""
	for _, h := range m.Header {
		if h.Name == "Grpc-Encoding" || h.Name == "Connect-Content-Encoding" {
			coding = h.Value
		}
	}
	return codec.Stretches(m.Type, coding, body)
}

// message scans a compressed message of a stream. What is found in it can't be cut
// out there. It is false when it can't be read.
func (x *examiner) message(c *collector, s codec.Stretch) bool {
	text, err := coding.Decode(s.Coding, x.doc.Body[s.Start:s.End], coding.Limit{Bytes: x.g.o.DecodeMax})
	if err != nil {
		return false
	}
	for _, inner := range codec.Stretches("application/proto", "", text) {
		r := x.engine.Scan(text[inner.Start:inner.End], inspect.Options{JSON: inner.JSON, Known: x.known})
		for i := range r.Matches {
			m := &r.Matches[i]
			f := found{finding: c.finding(m.Rule.Name(), m.Secret, m.Rule.Severity, m.Rule.Confidence, ""), start: s.Start, end: s.End}
			f.finding.Via, f.finding.Fixed = append([]string{s.Coding}, m.Via...), true
			c.add(f)
		}
		for i := range r.Inner {
			m := &r.Inner[i]
			f := found{finding: c.finding(m.Rule.Name(), m.Value, m.Rule.Severity, m.Rule.Confidence, ""), start: s.Start, end: s.End}
			f.finding.Via, f.finding.Fixed = []string{s.Coding}, true
			c.add(f)
		}
		for _, u := range r.Unread {
			c.unreadable(s.Start, s.End, u.Why)
		}
		if !inner.Binary {
			c.unread += int64(min(inner.End-inner.Start-r.Scanned, s.End-s.Start))
		}
		switch {
		case inner.Binary:
			c.unreadable(s.Start, s.End, inner.Why)
			c.unread += int64(s.End - s.Start)
			return true // of its message nobody can say how much was read
		case r.Cut != "":
			c.add(found{finding: c.finding(unreadableCut, []byte(r.Cut), flow.High, 100, r.Cut), start: s.Start, end: s.End})
		}
	}
	return true
}

// news gives the values that this request holds and the vault does not.
func (x *examiner) news() (values []inspect.KnownValue) {
	for i, v := range x.out.views {
		if v == nil || !x.fresh[i] {
			continue
		}
		for j := range v.found {
			if f := &v.found[j]; f.lasting() && !x.known.Has(f.said()) {
				values = append(values, inspect.KnownValue{Value: f.said(), Rule: f.finding.Rule})
			}
		}
	}
	return values
}

// A value is looked for everywhere when it is long and more likely a secret than
// not: short and doubtful ones stand in any text.
const (
	lastingBytes      = 8
	lastingConfidence = 50
)

func (f *found) lasting() bool {
	return f.secret && !f.part && len(f.said()) >= lastingBytes && f.finding.Confidence >= lastingConfidence
}

// said is the value itself, whatever encoding it stands in.
func (f *found) said() []byte {
	if f.plain != nil {
		return f.plain
	}
	return f.value
}

// envelope scans what the provider reads beside the body: headers and the
// path with its query. Credentials stand there as fingerprints.
func (x *examiner) envelope() {
	text := make([]byte, 0, 2<<10)
	starts := make([]int, 0, len(x.m.Header)+1)
	for _, h := range x.m.Header {
		starts = append(starts, len(text))
		if handshake[h.Name] {
			continue
		}
		text = append(text, h.Name...)
		if !isFingerprint(h.Value) {
			text = append(append(text, ": "...), h.Value...)
		}
		text = append(text, '\n')
	}
	starts = append(starts, len(text))
	text = append(text, x.m.Path...)
	r := x.g.cache.Scan(x.engine, text, inspect.Options{Known: x.known})
	c := collector{g: x.g, body: text, where: always(flow.Envelope, true)}
	c.take(&r, len(text))
	secrets := map[int][]found{}
	for _, f := range c.found {
		i := len(starts) - 1
		for starts[i] > f.start {
			i--
		}
		f.finding.Place = "query"
		f.start, f.end = f.start-starts[i], f.end-starts[i]
		if i < len(x.m.Header) {
			f.finding.Place = "header " + x.m.Header[i].Name
		}
		f.finding.Start, f.finding.End = int64(f.start), int64(f.end)
		x.outer = append(x.outer, f)
		if f.secret {
			secrets[i] = append(secrets[i], f)
		}
	}
	x.cover(secrets)
	for _, h := range x.m.Veiled {
		x.veiled(h)
	}
}

// veiledConfidence is what a rule for secrets must have to be believed behind the name of
// a credential: tokens of sessions stand there, which providers gave out themselves.
const veiledConfidence = 90

// veiled scans a value that is recorded as a fingerprint.
func (x *examiner) veiled(h flow.Header) {
	r := x.engine.Scan([]byte(h.Value), inspect.Options{Known: x.known})
	c := collector{g: x.g, body: []byte(h.Value), where: always(flow.Envelope, true)}
	c.take(&r, len(h.Value))
	for _, f := range c.found {
		if !f.secret || f.finding.Confidence < veiledConfidence {
			continue
		}
		f.finding.Place = "query"
		if h.Name != "" {
			f.finding.Place = "header " + h.Name
		}
		f.finding.Start, f.finding.End = int64(f.start), int64(f.end)
		x.outer = append(x.outer, f)
	}
}

// cover has the record keep a fingerprint in the place of a secret in an address or a
// header, as it does of credentials: both are shown to whoever lists flows, and what the
// vault keeps is cut out of bodies only. Secrets are by line: behind the headers' is the
// address.
func (x *examiner) cover(secrets map[int][]found) {
	if len(secrets) == 0 {
		return
	}
	x.in.Header = slices.Clone(x.in.Header)
	for i := range x.in.Header {
		h := &x.in.Header[i]
		h.Value = covered(h.Value, len(h.Name)+len(": "), secrets[i])
	}
	x.in.Path = covered(x.in.Path, 0, secrets[len(x.in.Header)])
}

// covered puts a fingerprint over each secret in a text, which begins at skip of what
// was scanned.
func covered(text string, skip int, list []found) string {
	slices.SortStableFunc(list, func(a, b found) int { return a.start - b.start })
	var b strings.Builder
	at := 0
	for i := range list {
		start, end := max(0, list[i].start-skip), min(list[i].end-skip, len(text))
		if end <= at {
			continue
		}
		if start >= at {
			b.WriteString(text[at:start])
			b.WriteString("fp_" + strings.TrimPrefix(list[i].finding.ID, "f_"))
		}
		at = end
	}
	return b.String() + text[at:]
}

// handshake are the headers of one connection's WebSocket, which are made anew
// for the provider's.
var handshake = map[string]bool{"Sec-Websocket-Key": true, "Sec-Websocket-Version": true, "Sec-Websocket-Extensions": true}

// isFingerprint reports whether a value is what stands for a credential: see
// identity.Fingerprint.
func isFingerprint(value string) bool {
	sum, ok := strings.CutPrefix(value, "fp_")
	return ok && len(sum) == 16 && strings.Trim(sum, "0123456789abcdef") == ""
}
