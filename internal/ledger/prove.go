package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// verified is what Verify knows of a flow.
type verified struct {
	entry uint64 // of its intent
	ended bool
	kept  bool
	sum   hash.Hash // of the answer so far
	bytes int64
	parts []index.Pos
}

// shelvesBytes bounds what all shelves together keep.
const shelvesBytes = 128 << 20

func (v *verifier) intent(f *segment.Frame, e *entry) error {
	in, err := e.intent()
	if err != nil {
		return errMalformed
	}
	if v.flows[in.Flow] != nil {
		return fmt.Errorf("flow %s has a second intent", in.Flow)
	}
	req, err := decodeRequest(e.body)
	if err != nil {
		return err
	}
	v.report.Flows++
	v.flows[in.Flow] = &verified{entry: f.Entry, kept: req != nil}
	if req == nil {
		return nil
	}
	return v.request(f.Key, in, req)
}

// request makes the bodies of a request and compares their hashes.
func (v *verifier) request(key uint64, in *flow.Intent, req *request) error {
	sh := v.scopes[key]
	if sh == nil {
		sh = newShelf(v.l, nil)
	}
	before := sh.bytes
	body, err := v.l.render(in, req, sh)
	v.spend(sh.bytes - before)
	if errors.Is(err, ErrRemoved) {
		v.report.Expired++
		return nil
	}
	if err != nil {
		return fmt.Errorf("request of flow %s: %w", in.Flow, err)
	}
	if err := v.same("request", in.RequestSHA256, sum(body)); err != nil {
		return fmt.Errorf("flow %s: %w", in.Flow, err)
	}
	if in.ForwardedSHA256 == "" || len(req.edits) == 0 && in.ForwardedSHA256 == in.RequestSHA256 {
		return nil
	}
	if body, err = v.l.apply(body, req.edits); err != nil {
		return fmt.Errorf("edits of flow %s: %w", in.Flow, err)
	}
	if err := v.same("forwarded body", in.ForwardedSHA256, sum(body)); err != nil {
		return fmt.Errorf("flow %s: %w", in.Flow, err)
	}
	return nil
}

// spend keeps the shelves small.
func (v *verifier) spend(bytes int) {
	if v.cached += bytes; v.cached <= shelvesBytes {
		return
	}
	for _, sh := range v.scopes {
		sh.drop()
	}
	v.cached = 0
}

func (v *verifier) same(what, recorded, got string) error {
	if recorded == "" {
		return nil
	}
	if recorded != got {
		return fmt.Errorf("%s does not give its recorded hash", what)
	}
	v.report.Bodies++
	return nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (v *verifier) checkpoint(e *entry, at index.Pos) error {
	id := flow.ID(e.meta)
	chunks, err := v.l.checkpointChunks(e.body)
	if err != nil {
		return err
	}
	f := v.flows[id]
	if f == nil {
		return v.stranger(id)
	}
	if f.ended {
		return fmt.Errorf("flow %s goes on behind its outcome", id)
	}
	f.take(chunks)
	f.parts = append(f.parts, at)
	return nil
}

func (f *verified) take(chunks []object.Chunk) {
	if f.sum == nil {
		f.sum = sha256.New()
	}
	for _, c := range chunks {
		f.sum.Write(c.Data)
		f.bytes += int64(len(c.Data))
	}
}

// stranger: an answer whose intent is not there is one that retention removed.
func (v *verifier) stranger(id flow.ID) error {
	if v.l.removed.Load() > 0 {
		return nil
	}
	return fmt.Errorf("flow %s has no intent", id)
}

func (v *verifier) outcome(fr *segment.Frame, e *entry) error {
	out, err := e.outcome()
	if err != nil {
		return errMalformed
	}
	a, err := decodeAnswer(e.body)
	if err != nil {
		return err
	}
	if a.chunks, err = v.l.openChunks(a.chunks, a.hidden); err != nil {
		return err
	}
	f := v.flows[out.Flow]
	if f == nil {
		return v.stranger(out.Flow)
	}
	if f.ended {
		return fmt.Errorf("flow %s has a second outcome", out.Flow)
	}
	f.ended = true
	if out.State == flow.Unknown {
		v.report.Unknown++
	}
	if !f.kept || out.State == flow.Unknown {
		return nil
	}
	f.take(a.chunks)
	err = v.answer(f, out, a)
	f.sum, f.parts = nil, nil
	return err
}

func (v *verifier) answer(f *verified, out *flow.Outcome, a answer) error {
	response := hex.EncodeToString(f.sum.Sum(nil))
	if err := v.same("answer", out.ResponseSHA256, response); err != nil {
		return fmt.Errorf("flow %s: %w", out.Flow, err)
	}
	if out.DeliveredSHA256 == "" {
		return nil
	}
	if len(a.edits) > 0 {
		var err error
		if response, err = v.delivered(f, a); err != nil {
			return fmt.Errorf("delivered body of flow %s: %w", out.Flow, err)
		}
	}
	if err := v.same("delivered body", out.DeliveredSHA256, response); err != nil {
		return fmt.Errorf("flow %s: %w", out.Flow, err)
	}
	return nil
}

// delivered reads the answer again, for the edits in its last entry say what
// was done to its first bytes.
func (v *verifier) delivered(f *verified, a answer) (string, error) {
	var chunks []object.Chunk
	for _, at := range f.parts {
		more, err := v.l.partAt(at)
		if err != nil {
			return "", err
		}
		chunks = append(chunks, more...)
	}
	chunks, err := v.l.applyChunks(append(chunks, a.chunks...), a.edits)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, c := range chunks {
		h.Write(c.Data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
