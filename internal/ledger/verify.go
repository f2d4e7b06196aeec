package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// The codes of a report.
const (
	Sound      = 0
	Tampered   = 1 // something is not as it was written
	Incomplete = 2 // something that was written is not there
)

// Report is what Verify found.
type Report struct {
	Code     int       `json:"code"`
	Segments int       `json:"segments"`
	Entries  uint64    `json:"entries"`
	First    uint64    `json:"first"` // number of the first entry that is there
	Last     uint64    `json:"last"`
	Flows    int       `json:"flows"`
	Open     int       `json:"open"`    // flows that go on
	Unknown  int       `json:"unknown"` // flows that a crash cut short
	Bodies   int       `json:"bodies"`  // requests and answers that gave their recorded hash
	Expired  int       `json:"expired"` // requests of which retention removed a part
	Cut      int       `json:"cut"`     // torn tails that were cut off and kept aside
	Bytes    int64     `json:"bytes"`
	Problems []Problem `json:"problems,omitempty"` // the first ones
	More     int       `json:"more,omitempty"`     // problems that are not listed
}

// Problem is one thing that is wrong.
type Problem struct {
	Code    int     `json:"code"`
	Entry   uint64  `json:"entry,omitempty"`
	Segment uint64  `json:"segment,omitempty"`
	Offset  int64   `json:"offset,omitempty"`
	Flow    flow.ID `json:"flow,omitempty"`
	Text    string  `json:"text"`
}

const maxProblems = 100

// Verify reads everything that is durable and proves it: that frames are as
// they were sealed and follow each other, that every flow has one intent and
// one outcome, and that every body gives the hash that was recorded for it.
// progress, which may be nil, gets the bytes done and to do. The error is for
// what kept it from looking; what it found is in the report.
func (l *Ledger) Verify(progress func(done, total int64)) (Report, error) {
	l.keep.RLock()
	defer l.keep.RUnlock()
	l.drive()
	if l.o.Mode == Bounded {
		l.writer.syncNow()
	}
	v := &verifier{l: l, flows: map[flow.ID]*verified{}, scopes: map[uint64]*shelf{}, progress: progress}
	if mark := l.writer.durable.Load(); mark != nil {
		v.end = *mark
	}
	if err := v.walk(); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	if err := v.conclude(); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	return v.report, nil
}

// verifier goes through the entries in their order and trusts nothing but
// them and the keys.
type verifier struct {
	l        *Ledger
	end      index.Mark // nothing behind it is looked at
	report   Report
	progress func(done, total int64)
	done     int64
	total    int64

	prev    index.Mark // of the last entry
	loose   bool       // what stands before the next entry could not be read
	first   *segment.Header
	retired *retired

	flows  map[flow.ID]*verified
	scopes map[uint64]*shelf // what the entries so far have stored
	cached int
}

// retired is what the last removal by retention said.
type retired struct {
	segment, entry uint64
	tag            string
}

func (v *verifier) problem(p Problem) {
	if v.report.Code != Tampered {
		v.report.Code = p.Code
	}
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, p)
		return
	}
	v.report.More++
}

func (v *verifier) walk() error {
	numbers, err := v.l.numbers()
	if err != nil {
		return err
	}
	numbers = slices.DeleteFunc(numbers, func(n uint64) bool { return n > v.end.Segment })
	for _, n := range numbers {
		size, err := v.l.sizeOf(n)
		if err != nil {
			return err
		}
		v.total += size
	}
	for i, n := range numbers {
		if i > 0 && n != numbers[i-1]+1 {
			v.problem(Problem{Code: Incomplete, Segment: numbers[i-1] + 1, Text: "segment is missing"})
			v.loose = true
		}
		if err := v.segment(n); err != nil {
			return err
		}
	}
	if v.prev.Entry < v.end.Entry {
		v.problem(Problem{Code: Incomplete, Entry: v.prev.Entry + 1, Text: "acknowledged entries at the end are missing"})
	}
	return nil
}

func (v *verifier) segment(n uint64) error {
	file, err := v.l.readers.file(n)
	if err != nil {
		return err
	}
	size, err := file.Size()
	if err != nil {
		return err
	}
	v.report.Segments++
	v.report.Bytes += size
	if n == v.end.Segment {
		size = min(size, v.end.Offset)
	}
	if err := checkFileHead(file, n); err != nil {
		v.problem(Problem{Code: Tampered, Segment: n, Text: "head of the segment is damaged"})
	}
	reader := segment.NewReader(file, segment.FileHead, size)
	for {
		more, err := v.frame(n, reader)
		if err != nil || !more {
			return err
		}
	}
}

func (v *verifier) frame(n uint64, reader *segment.Reader) (more bool, err error) {
	at := reader.Offset()
	f, err := reader.Next()
	if errors.Is(err, segment.ErrEnd) {
		clean, err := reader.Zeros()
		if err != nil || clean {
			return false, err
		}
		reader.Rewind(at)
		return v.damage(n, at, reader)
	}
	if errors.Is(err, segment.ErrDamaged) {
		return v.damage(n, at, reader)
	}
	if err != nil {
		return false, err
	}
	v.chain(f, n, at)
	v.advance(int64(f.Size))
	e, err := v.l.openFrame(f)
	if err != nil {
		v.problem(Problem{Code: Tampered, Entry: f.Entry, Segment: n, Offset: at, Text: "entry does not open: " + err.Error()})
		return true, nil
	}
	v.entry(f, e, index.Pos{Segment: n, Offset: at})
	return true, nil
}

func (v *verifier) advance(n int64) {
	v.done += n
	if v.progress != nil {
		v.progress(v.done, max(v.done, v.total))
	}
}

// damage reports bytes that are no frame, and goes on behind them.
func (v *verifier) damage(n uint64, at int64, reader *segment.Reader) (bool, error) {
	v.problem(Problem{Code: Tampered, Entry: v.prev.Entry + 1, Segment: n, Offset: at, Text: "bytes are not what was written"})
	v.loose = true
	return reader.Resync()
}

// chain checks that a frame follows the one before it.
func (v *verifier) chain(f *segment.Frame, n uint64, at int64) {
	v.report.Entries++
	switch {
	case v.first == nil:
		h := f.Header
		v.first = &h
		v.report.First = f.Entry
	case f.Entry <= v.prev.Entry:
		v.problem(Problem{Code: Tampered, Entry: f.Entry, Segment: n, Offset: at, Text: fmt.Sprintf("entry stands behind entry %d", v.prev.Entry)})
	case v.loose:
		if gap := f.Entry - v.prev.Entry - 1; gap > 0 {
			v.problem(Problem{Code: Incomplete, Entry: v.prev.Entry + 1, Segment: n, Text: fmt.Sprintf("%d entries can't be read", gap)})
		}
	case f.Prev != v.prev.Tag:
		v.problem(Problem{Code: Tampered, Entry: f.Entry, Segment: n, Offset: at, Text: fmt.Sprintf("entry does not follow entry %d", v.prev.Entry)})
	case f.Entry != v.prev.Entry+1:
		v.problem(Problem{Code: Incomplete, Entry: v.prev.Entry + 1, Segment: n, Text: fmt.Sprintf("%d acknowledged entries were missing at a start", f.Entry-v.prev.Entry-1)})
	}
	v.loose = false
	v.prev = index.Mark{Entry: f.Entry, Segment: n, Offset: at + int64(f.Size), Tag: f.Tag()}
	v.report.Last = f.Entry
}

func (v *verifier) entry(f *segment.Frame, e *entry, at index.Pos) {
	if err := v.learn(f.Key, e, at); err != nil {
		v.problem(Problem{Code: Tampered, Entry: f.Entry, Segment: at.Segment, Offset: at.Offset, Text: "objects: " + err.Error()})
	}
	var err error
	switch e.kind {
	case kindIntent:
		err = v.intent(f, e)
	case kindOutcome:
		err = v.outcome(f, e)
	case kindCheckpoint:
		err = v.checkpoint(e, at)
	case kindAdmin:
		err = v.admin(e)
	case kindAccess, kindObjects:
	default:
		err = fmt.Errorf("entry of unknown kind %d", e.kind)
	}
	if err != nil {
		v.problem(Problem{Code: Tampered, Entry: f.Entry, Segment: at.Segment, Offset: at.Offset, Text: err.Error()})
	}
}

// learn takes the objects of an entry to what the session has stored.
func (v *verifier) learn(key uint64, e *entry, at index.Pos) error {
	s, err := e.span()
	if err != nil || s.count == 0 {
		return err
	}
	sh := v.scopes[key]
	if sh == nil {
		sh = newShelf(v.l, nil)
		v.scopes[key] = sh
	}
	if n := len(sh.runs); n > 0 && sh.runs[n-1].end() != s.first {
		err = fmt.Errorf("object %d is followed by %d", sh.runs[n-1].end()-1, s.first)
	}
	sh.runs = append(sh.runs, run{key: key, first: s.first, count: s.count, floor: s.floor, at: at})
	return err
}

func (v *verifier) admin(e *entry) error {
	var a admin
	if err := json.Unmarshal(e.meta, &a); err != nil {
		return errMalformed
	}
	switch a.Kind {
	case "recover.cut":
		v.report.Cut++
	case adminRetain:
		r := &retired{tag: a.Attrs["tag"]}
		var err, err2 error
		r.segment, err = strconv.ParseUint(a.Attrs["segment"], 10, 64)
		r.entry, err2 = strconv.ParseUint(a.Attrs["entry"], 10, 64)
		if err != nil || err2 != nil {
			return errMalformed
		}
		v.retired = r
	}
	return nil
}

// conclude checks what only the whole tells.
func (v *verifier) conclude() error {
	v.beginning()
	for id, f := range v.flows {
		if f.ended {
			continue
		}
		open, err := v.goesOn(id)
		if err != nil {
			return err
		}
		if open {
			v.report.Open++
			continue
		}
		v.problem(Problem{Code: Incomplete, Entry: f.entry, Flow: id, Text: "flow has no outcome"})
	}
	return nil
}

// beginning checks that what is missing before the first entry is what
// retention said that it removes.
func (v *verifier) beginning() {
	r, h := v.retired, v.first
	if h == nil {
		return
	}
	switch {
	case r == nil && h.Entry == 1:
		if h.Prev != (segment.Tag{}) {
			v.problem(Problem{Code: Tampered, Entry: 1, Text: "the first entry names one before it"})
		}
	case r == nil || h.Entry > r.entry+1:
		v.problem(Problem{Code: Incomplete, Entry: h.Entry, Text: "entries before the first one are missing"})
	case h.Entry == r.entry+1 && hex.EncodeToString(h.Prev[:]) != r.tag:
		v.problem(Problem{Code: Tampered, Entry: h.Entry, Text: "the first entry does not follow what retention removed"})
	}
}

// goesOn reports whether a flow without outcome is open now, or ended after
// the walk began.
func (v *verifier) goesOn(id flow.ID) (bool, error) {
	if v.l.open.find(id) != nil {
		return true, nil
	}
	row, err := v.l.find(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return row.Outcome > v.end.Entry, nil
}
