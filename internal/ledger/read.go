package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// What names a body of a flow.
type What string

// The bodies of a flow.
const (
	Request   What = "request"   // what the client sent
	Forwarded What = "forwarded" // what the provider got
	Response  What = "response"  // what the provider sent
	Delivered What = "delivered" // what the client got
)

// Access says who reads content, and why.
type Access struct{ Who, Why string }

// Chunk is one piece of a body as it came, and when since the flow started.
// A request is one chunk.
type Chunk = object.Chunk

// ErrNotKept says that a flow's bodies were never kept.
var ErrNotKept = errors.New("only metadata of this flow is kept")

// ErrUnrecorded says that content is not given out, since that it is read could
// not be recorded.
var ErrUnrecorded = errors.New("recording the access")

// Read gives a body of a flow, exactly. That it is read is recorded first: no
// record, no content, but an error that is ErrUnrecorded.
func (l *Ledger) Read(id flow.ID, what What, by Access) ([]Chunk, error) {
	row, err := l.find(id)
	if err != nil {
		return nil, err
	}
	if err := l.recordAccess(row, what, by); err != nil {
		return nil, err
	}
	switch what {
	case Request, Forwarded:
		return l.readRequest(row, what)
	case Response, Delivered:
		return l.readAnswer(row, what)
	}
	return nil, fmt.Errorf("there is no body called %q", what)
}

func (l *Ledger) recordAccess(row *index.Flow, what What, by Access) error {
	key, err := l.readers.key(row.Key)
	if err != nil {
		return err
	}
	return l.recordReading(key, access{Flow: string(row.ID), What: what, Who: by.Who, Why: by.Why})
}

// recordReading makes an access durable. Its error is ErrUnrecorded: then nothing is
// given out.
func (l *Ledger) recordReading(key *keys.Key, a access) error {
	meta, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding access: %w", err)
	}
	if err := l.append(key, kindAccess, meta); err != nil {
		return fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	return nil
}

func (l *Ledger) readRequest(row *index.Flow, what What) ([]Chunk, error) {
	e, err := l.entryAt(row.IntentAt)
	if err != nil {
		return nil, err
	}
	in, err := e.intent()
	if err != nil {
		return nil, err
	}
	req, err := decodeRequest(e.body)
	if err != nil {
		return nil, fmt.Errorf("reading request: %w", err)
	}
	if req == nil {
		return nil, ErrNotKept
	}
	if what == Forwarded {
		sent, err := l.forwarded(row, in)
		if err != nil || !sent {
			return nil, err
		}
	}
	runs, err := l.directory(row.Key)
	if err != nil {
		return nil, err
	}
	body, err := l.render(in, req, newShelf(l, runs))
	if err != nil {
		return nil, err
	}
	if what == Forwarded {
		if body, err = l.apply(body, req.edits); err != nil {
			return nil, fmt.Errorf("applying edits: %w", err)
		}
	}
	if len(body) == 0 {
		return nil, nil
	}
	return []Chunk{{Data: body}}, nil
}

// forwarded reports whether anything of a request went to the provider.
func (l *Ledger) forwarded(row *index.Flow, in *flow.Intent) (bool, error) {
	if row.Outcome == 0 || in.ForwardedSHA256 == "" {
		return in.ForwardedSHA256 != "", nil
	}
	e, err := l.entryAt(row.OutcomeAt)
	if err != nil {
		return false, err
	}
	out, err := e.outcome()
	return err == nil && out.Sent(), err
}

// apply makes the edits of a request.
func (l *Ledger) apply(body []byte, edits []Edit) ([]byte, error) {
	edits, err := l.openEdits(edits)
	if err != nil {
		return nil, err
	}
	return object.Apply(body, edits)
}

// applyChunks makes the edits of an answer.
func (l *Ledger) applyChunks(chunks []Chunk, edits []Edit) ([]Chunk, error) {
	edits, err := l.openEdits(edits)
	if err != nil {
		return nil, err
	}
	return object.ApplyChunks(chunks, edits)
}

// render makes the received request again.
func (l *Ledger) render(in *flow.Intent, req *request, src *shelf) ([]byte, error) {
	items, err := object.DecodeSkeleton(req.skeleton)
	if err != nil {
		return nil, fmt.Errorf("reading request: %w", err)
	}
	body, err := object.Render(items, src, src, in.RequestBytes)
	if err != nil {
		return nil, fmt.Errorf("reading request: %w", err)
	}
	return body, nil
}

func (l *Ledger) readAnswer(row *index.Flow, what What) ([]Chunk, error) {
	if r := l.open.find(row.ID); r != nil {
		if err := l.flushRecord(r); err != nil {
			return nil, err
		}
	}
	if kept, err := l.kept(row); err != nil || !kept {
		return nil, errors.Join(err, ErrNotKept)
	}
	parts, err := l.index.Parts(row.ID)
	if err != nil {
		return nil, err
	}
	return l.answerAt(row, parts, what)
}

// answerAt puts an answer together from the pieces that came before its end, and
// from that.
func (l *Ledger) answerAt(row *index.Flow, parts []index.Pos, what What) ([]Chunk, error) {
	var all []Chunk
	for _, at := range parts {
		chunks, err := l.partAt(at)
		if err != nil {
			return nil, err
		}
		all = append(all, chunks...)
	}
	if row.OutcomeAt.Segment == 0 {
		return all, nil
	}
	e, err := l.entryAt(row.OutcomeAt)
	if err != nil {
		return nil, err
	}
	a, err := decodeAnswer(e.body)
	if err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	if a.chunks, err = l.openChunks(a.chunks, a.hidden); err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	all = append(all, a.chunks...)
	if what == Response {
		return all, nil
	}
	return l.applyChunks(all, a.edits)
}

// kept reports whether the flow's bodies were to be kept.
func (l *Ledger) kept(row *index.Flow) (bool, error) {
	e, err := l.entryAt(row.IntentAt)
	if err != nil {
		return false, err
	}
	return len(e.body) > 0, nil
}

// flushRecord makes what an open flow holds readable.
func (l *Ledger) flushRecord(r *Record) error {
	r.mu.Lock()
	err := r.checkpoint()
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return l.catchUp()
}

func (o *openRecords) find(id flow.ID) *Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	for r := range o.all {
		if r.in.Flow == id {
			return r
		}
	}
	return nil
}

func (l *Ledger) partAt(at index.Pos) ([]Chunk, error) {
	e, err := l.entryAt(at)
	if err != nil {
		return nil, err
	}
	if e.kind != kindCheckpoint {
		return nil, errMalformed
	}
	return l.checkpointChunks(e.body)
}

// shelf gives the objects of one session, from the entries that hold them.
type shelf struct {
	l     *Ledger
	runs  []run
	open  map[int][]object.Object // by run
	bytes int
}

// shelfBytes of entries are kept while a body is read.
const shelfBytes = 64 << 20

func newShelf(l *Ledger, runs []run) *shelf {
	return &shelf{l: l, runs: runs, open: map[int][]object.Object{}}
}

// Object gives an object by number.
func (s *shelf) Object(ref object.Ref) (object.Object, error) {
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].first > ref }) - 1
	if i < 0 {
		return object.Object{}, s.lost(ref)
	}
	objects, ok := s.open[i]
	if !ok {
		var err error
		if objects, err = s.load(i); err != nil {
			return object.Object{}, err
		}
	}
	n := ref - s.runs[i].first
	if n >= uint64(len(objects)) {
		return object.Object{}, s.lost(ref)
	}
	return objects[n], nil
}

// Value gives what stands in a body where a block refers to the vault.
func (s *shelf) Value(ref object.Ref) ([]byte, error) {
	o, err := s.Object(ref)
	if err != nil {
		return nil, err
	}
	if o.Secret == nil {
		return nil, fmt.Errorf("object %d is no secret: %w", ref, errMalformed)
	}
	k, err := s.l.take(o.Secret)
	if err != nil {
		return nil, err
	}
	return k.bytes(), nil
}

func (s *shelf) lost(ref object.Ref) error {
	if s.l.removed.Load() > 0 && (len(s.runs) == 0 || ref < s.runs[0].first) {
		return fmt.Errorf("part of the content: %w", ErrRemoved)
	}
	return fmt.Errorf("object %d is missing", ref)
}

func (s *shelf) load(i int) ([]object.Object, error) {
	e, err := s.l.entryAt(s.runs[i].at)
	if err != nil {
		return nil, err
	}
	sp, err := e.span()
	if err != nil {
		return nil, err
	}
	objects := make([]object.Object, 0, sp.count)
	err = sp.each(func(_ object.Ref, o object.Object) error {
		objects = append(objects, o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.bytes+len(sp.data) > shelfBytes {
		s.drop()
	}
	s.bytes += len(sp.data)
	s.open[i] = slices.Clip(objects)
	return objects, nil
}

func (s *shelf) drop() {
	clear(s.open)
	s.bytes = 0
}

// span gives the objects that an entry brings; none for most kinds.
func (e *entry) span() (span, error) {
	switch e.kind {
	case kindObjects:
		s, rest, err := decodeSpan(e.body)
		if err != nil || len(rest) != 0 {
			return span{}, errMalformed
		}
		return s, nil
	case kindIntent:
		r, err := decodeRequest(e.body)
		if err != nil || r == nil {
			return span{}, err
		}
		return r.span, nil
	}
	return span{}, nil
}
