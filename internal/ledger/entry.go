package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/meta"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// kind says what an entry is. It stands inside the encryption.
type kind uint8

const (
	kindIntent     kind = 1 // meta: flow.Intent; body: objects, skeleton, edits
	kindOutcome    kind = 2 // meta: flow.Outcome; body: the last chunks, edits
	kindCheckpoint kind = 3 // meta: flow id; body: chunks
	kindObjects    kind = 4 // meta: flow id; body: objects of an intent that follows
	kindAdmin      kind = 5 // meta: admin
	kindAccess     kind = 6 // meta: access
)

// entry is what a frame holds: kind, time, meta and body.
type entry struct {
	kind kind
	at   time.Time
	meta []byte
	body []byte // aliases the frame; of an entry that is made it comes apart
}

var errMalformed = errors.New("malformed entry")

func (e *entry) append(dst []byte) []byte {
	dst = append(dst, byte(e.kind))
	dst = binary.AppendUvarint(dst, uint64(e.at.UnixMicro()))
	dst = binary.AppendUvarint(dst, uint64(len(e.meta)))
	dst = append(dst, e.meta...)
	return append(dst, e.body...)
}

func decodeEntry(b []byte) (*entry, error) {
	if len(b) == 0 {
		return nil, errMalformed
	}
	e := &entry{kind: kind(b[0])}
	b = b[1:]
	micros, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errMalformed
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, errMalformed
	}
	b = b[n:]
	e.at = time.UnixMicro(int64(micros)).UTC()
	e.meta, e.body = b[:size:size], b[size:]
	return e, nil
}

// intent reads the meta of an intent.
func (e *entry) intent() (*flow.Intent, error) {
	if e.kind != kindIntent {
		return nil, errMalformed
	}
	return meta.Intent(e.meta)
}

// outcome reads the meta of an outcome.
func (e *entry) outcome() (*flow.Outcome, error) {
	if e.kind != kindOutcome {
		return nil, errMalformed
	}
	return meta.Outcome(e.meta)
}

// span is a run of objects as an entry carries it.
type span struct {
	first object.Ref
	floor object.Ref // the objects refer to none below it
	count int
	data  []byte // the objects, encoded
}

func (s *span) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, s.first)
	dst = binary.AppendUvarint(dst, s.first-s.floor)
	dst = binary.AppendUvarint(dst, uint64(s.count))
	dst = binary.AppendUvarint(dst, uint64(len(s.data)))
	return append(dst, s.data...)
}

func decodeSpan(b []byte) (s span, rest []byte, err error) {
	var v [4]uint64
	for i := range v {
		var n int
		if v[i], n = binary.Uvarint(b); n <= 0 {
			return span{}, nil, errMalformed
		}
		b = b[n:]
	}
	if v[1] > v[0] || v[2] > v[3] || v[3] > uint64(len(b)) {
		return span{}, nil, errMalformed
	}
	s = span{first: v[0], floor: v[0] - v[1], count: int(v[2]), data: b[:v[3]:v[3]]}
	return s, b[v[3]:], nil
}

// each calls f for every object of the span.
func (s *span) each(f func(object.Ref, object.Object) error) error {
	b := s.data
	for i := range s.count {
		self := s.first + uint64(i)
		o, rest, err := object.Decode(b, self)
		if err != nil {
			return fmt.Errorf("reading object %d: %w", self, err)
		}
		if err := f(self, o); err != nil {
			return err
		}
		b = rest
	}
	if len(b) != 0 {
		return errMalformed
	}
	return nil
}

// The body of an intent is empty for a flow of which only metadata is kept,
// else: objects, length of the skeleton, skeleton, edits.
type request struct {
	span     span
	skeleton []byte
	edits    []object.Edit // forwarded against request
}

func (r *request) append(dst []byte) []byte {
	dst = r.span.append(dst)
	dst = binary.AppendUvarint(dst, uint64(len(r.skeleton)))
	dst = append(dst, r.skeleton...)
	return object.AppendEdits(dst, r.edits)
}

// decodeRequest gives nil for an empty body.
func decodeRequest(b []byte) (*request, error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := &request{}
	var err error
	if r.span, b, err = decodeSpan(b); err != nil {
		return nil, err
	}
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, errMalformed
	}
	r.skeleton, b = b[k:uint64(k)+n], b[uint64(k)+n:]
	if r.edits, b, err = object.DecodeEdits(b); err != nil || len(b) != 0 {
		return nil, errMalformed
	}
	return r, nil
}

// answer is the body of an outcome. A checkpoint's is its chunks alone.
type answer struct {
	chunks []object.Chunk
	hidden []byte        // the chunks, sealed, in their place
	edits  []object.Edit // delivered against response
}

func (a *answer) append(dst []byte) []byte {
	dst = appendChunks(dst, a.chunks, a.hidden)
	return object.AppendEdits(dst, a.edits)
}

// sealedChunks stands where else the number of the chunks does: there are never
// so many.
const sealedChunks = 1 << 40

func appendChunks(dst []byte, chunks []object.Chunk, hidden []byte) []byte {
	if hidden == nil {
		return object.AppendChunks(dst, chunks)
	}
	dst = binary.AppendUvarint(dst, sealedChunks)
	dst = binary.AppendUvarint(dst, uint64(len(hidden)))
	return append(dst, hidden...)
}

func decodeChunks(b []byte) (chunks []object.Chunk, hidden, rest []byte, err error) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count != sealedChunks {
		chunks, rest, err = object.DecodeChunks(b)
		return chunks, nil, rest, err
	}
	size, k := binary.Uvarint(b[n:])
	if b = b[n+max(k, 0):]; k <= 0 || size == 0 || size > uint64(len(b)) {
		return nil, nil, nil, errMalformed
	}
	return nil, b[:size:size], b[size:], nil
}

func decodeAnswer(b []byte) (a answer, err error) {
	if len(b) == 0 {
		return a, nil
	}
	if a.chunks, a.hidden, b, err = decodeChunks(b); err != nil {
		return a, err
	}
	if a.edits, b, err = object.DecodeEdits(b); err != nil || len(b) != 0 {
		return answer{}, errMalformed
	}
	return a, nil
}

// admin is the meta of an entry about the ledger or the gateway itself.
type admin struct {
	Kind  string            `json:"kind"`
	Why   string            `json:"why"`
	Attrs map[string]string `json:"attrs,omitempty"`
}

// access is the meta of an entry that says who read what.
type access struct {
	Flow      string `json:"flow,omitempty"`
	Principal string `json:"principal,omitempty"` // whose vault or session was read
	Session   string `json:"session,omitempty"`   // of a window of a session: which
	Last      string `json:"last,omitempty"`      // and the last of its flows, Flow being the first
	Part      string `json:"part,omitempty"`      // of the flow, when it was not all: a part's number, or a finding and its span; of a session: what it was read for
	What      What   `json:"what"`
	Query     string `json:"query,omitempty"` // of a search
	Who       string `json:"who"`
	Why       string `json:"why"`
}
