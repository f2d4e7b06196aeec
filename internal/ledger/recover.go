package ledger

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/meta"
	"github.com/workingagents/gatehouse/internal/ledger/object"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// replay goes through the segments behind the index's mark and brings index
// and tail to where they would be had the server not stopped.
type replay struct {
	l       *Ledger
	last    index.Mark // of the last good entry
	notes   []noted
	sealed  bool            // the last segment must not be written any more
	cut     *cutting        // what was cut off
	damaged uint64          // the last entry that the index knows, when it is not as it was written
	named   map[uint64]bool // sessions whose name is noted
	address map[uint64]*object.Addresser
}

// cutting is a torn tail that was cut off and kept aside.
type cutting struct {
	segment uint64
	offset  int64
	bytes   int64
	name    string
}

// recover is the normal path for every start: after a clean stop it finds
// nothing to do.
func (l *Ledger) recover() error {
	r := &replay{l: l, named: map[uint64]bool{}, address: map[uint64]*object.Addresser{}}
	l.writer = &writer{l: l, fillWake: make(chan struct{}, 1), keysWake: make(chan struct{}, 1)}
	known, err := l.index.Mark()
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	numbers, err := l.dropEmpty()
	if err != nil {
		return err
	}
	if len(numbers) > 0 && numbers[0] > 1 {
		l.removed.Store(numbers[0] - 1)
		if err := l.dropIndexed(numbers[0] - 1); err != nil {
			return err
		}
	}
	r.last = known
	if !r.covers(numbers, known) {
		if err := l.index.Reset(); err != nil {
			return fmt.Errorf("emptying the index: %w", err)
		}
		r.last = index.Mark{}
	} else {
		if err := r.checkLast(known); err != nil {
			return err
		}
	}
	if err := r.segments(numbers); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	if err := l.nameSpares(); err != nil {
		return fmt.Errorf("naming keys: %w", err)
	}
	return r.resume(known)
}

// nameSpares gives keys the names that a crash took, as the index has them, which has all
// entries by now. A session whose name can't be told goes on under another key.
func (l *Ledger) nameSpares() error {
	for _, id := range l.ring.Unnamed() {
		row, ok, err := l.index.Session(id)
		if err != nil {
			return err
		}
		if !ok {
			l.ring.Unused(id)
			continue
		}
		if len(row.Name) == 0 {
			continue // what named its session is damaged
		}
		name, err := l.openName(&row)
		if err == nil {
			err = l.ring.Name(id, name.Principal, name.Session)
		}
		if err != nil {
			l.log.Error("a session's key stays without its name", "key", id, "err", err)
		}
	}
	return nil
}

// checkLast looks at the last entry that the index knows: the only one that no
// later entry names, so that writing behind it would go on from what may have
// been changed.
func (r *replay) checkLast(known index.Mark) error {
	if known.Last == 0 {
		return nil
	}
	at := index.Pos{Segment: known.Segment, Offset: known.Last}
	f, err := r.l.frameAt(at)
	if err == nil {
		_, err = r.l.openFrame(f)
	}
	if errors.Is(err, keys.ErrMissing) {
		return fmt.Errorf("keys.db was cut, or is older than the segments: put back the one that belongs to them: entry %d: %w", known.Entry, err)
	}
	if err == nil && f.Entry == known.Entry && f.Tag() == known.Tag {
		return nil
	}
	r.damaged, r.sealed = known.Entry, true
	r.l.log.Error("the last entry is not as it was written: `gatehouse verify` tells more", "entry", known.Entry, "segment", at.Segment, "offset", at.Offset, "err", err)
	return nil
}

// numbers lists the segments' numbers, the lowest first.
func (l *Ledger) numbers() ([]uint64, error) {
	names, err := l.o.FS.List(l.path("segments"))
	if err != nil {
		return nil, fmt.Errorf("listing segments: %w", err)
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := segment.Number(name); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// dropEmpty lists the segments' numbers and removes the last ones that were
// made ahead and hold nothing yet: the one before them may end in a torn write.
func (l *Ledger) dropEmpty() ([]uint64, error) {
	numbers, err := l.numbers()
	if err != nil {
		return nil, err
	}
	for len(numbers) > 0 {
		last := numbers[len(numbers)-1]
		empty, err := l.empty(last)
		if err != nil {
			return nil, fmt.Errorf("looking into segment %d: %w", last, err)
		}
		if !empty {
			break
		}
		l.readers.forget(last)
		if err := l.o.FS.Remove(l.path("segments", segment.Name(last))); err != nil {
			return nil, fmt.Errorf("removing empty segment %d: %w", last, err)
		}
		numbers = numbers[:len(numbers)-1]
	}
	return numbers, nil
}

// empty reports whether a segment holds a head, or not even that, and zeros.
func (l *Ledger) empty(number uint64) (bool, error) {
	file, err := l.readers.file(number)
	if err != nil {
		return false, err
	}
	size, err := file.Size()
	if err != nil {
		return false, err
	}
	start := int64(segment.FileHead)
	err = checkFileHead(file, number)
	switch {
	case errors.Is(err, segment.ErrEnd):
		start = 0
	case errors.Is(err, segment.ErrDamaged):
		return false, nil
	case err != nil:
		return false, err
	}
	return segment.NewReader(file, start, size).Zeros()
}

// covers reports whether the segments hold at least what the index knows.
func (r *replay) covers(numbers []uint64, m index.Mark) bool {
	if m.Entry == 0 {
		return false
	}
	for _, n := range numbers {
		if n == m.Segment {
			size, err := r.l.sizeOf(n)
			return err == nil && size >= m.Offset
		}
	}
	return false
}

func (r *replay) segments(numbers []uint64) error {
	for i, n := range numbers {
		if n < r.last.Segment {
			continue
		}
		if err := r.segment(n, i == len(numbers)-1); err != nil {
			return fmt.Errorf("replaying segment %d: %w", n, err)
		}
	}
	return nil
}

// segment replays one file. The last one may end in a torn write.
func (r *replay) segment(number uint64, last bool) error {
	file, err := r.l.readers.file(number)
	if err != nil {
		return err
	}
	size, err := file.Size()
	if err != nil {
		return err
	}
	start := int64(segment.FileHead)
	if number == r.last.Segment {
		start = r.last.Offset
	} else if err := r.head(file, number); err != nil {
		return err
	}
	if number != r.last.Segment {
		r.last.Segment, r.last.Offset = number, start
	}
	s := &scan{r: r, number: number, reader: segment.NewReader(file, start, size)}
	for {
		damage, err := s.run()
		if err != nil || damage < 0 {
			return err
		}
		more, err := s.beyond(damage, last)
		if err != nil {
			return err
		}
		if !more {
			return r.torn(number, damage, size, last)
		}
		// Later frames were written after a sync: what is damaged was
		// acknowledged once. It stays where it is for Verify to report.
		r.sealed = true
		r.l.log.Error("segment is damaged in the middle", "segment", number, "offset", damage)
	}
}

func checkFileHead(file disk.File, number uint64) error {
	b := make([]byte, segment.FileHead)
	n, err := file.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return err
	}
	return segment.CheckHead(b[:n], number)
}

// head looks at a segment's head. When it is damaged the frames behind it may
// be whole all the same; nothing is written to such a file any more, and
// Verify reports it.
func (r *replay) head(file disk.File, number uint64) error {
	err := checkFileHead(file, number)
	if errors.Is(err, segment.ErrEnd) || errors.Is(err, segment.ErrDamaged) {
		r.sealed = true
		r.l.log.Error("head of the segment is damaged", "segment", number)
		return nil
	}
	return err
}

// torn cuts the last segment. In an earlier one it is damage.
func (r *replay) torn(number uint64, at, size int64, last bool) error {
	if !last {
		r.l.log.Error("segment is damaged at its end", "segment", number, "offset", at)
		return nil
	}
	if err := r.keepAside(number, at, size); err != nil {
		return err
	}
	file, err := r.l.o.FS.Open(r.l.path("segments", segment.Name(number)))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(at); err != nil {
		return fmt.Errorf("cutting: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("cutting: %w", err)
	}
	return nil
}

func (r *replay) keepAside(number uint64, at, size int64) error {
	file, err := r.l.readers.file(number)
	if err != nil {
		return err
	}
	b := make([]byte, size-at)
	if _, err := file.ReadAt(b, at); err != nil && err != io.EOF {
		return fmt.Errorf("reading torn tail: %w", err)
	}
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	name := fmt.Sprintf("%s.cut-%s", segment.Name(number), r.l.o.Now().UTC().Format("20060102T150405.000000"))
	if err := disk.Put(r.l.o.FS, r.l.path("segments", name), b); err != nil {
		return fmt.Errorf("keeping torn tail aside: %w", err)
	}
	r.cut = &cutting{number, at, int64(len(b)), name}
	r.l.log.Warn("torn tail was cut off and kept aside", "segment", number, "offset", at, "bytes", len(b), "file", name)
	return nil
}

// scan reads the frames of a segment.
type scan struct {
	r      *replay
	number uint64
	reader *segment.Reader
}

// run takes frames until the end or damage, and gives the damage's offset, or
// -1.
func (s *scan) run() (damage int64, err error) {
	for {
		at := s.reader.Offset()
		f, err := s.reader.Next()
		switch {
		case errors.Is(err, segment.ErrEnd):
			return s.rest(at)
		case errors.Is(err, segment.ErrDamaged):
			return at, nil
		case err != nil:
			return 0, err
		}
		e, err := s.r.l.openFrame(f)
		if err != nil {
			// Its key was never made durable, or it is not what was sealed.
			s.r.l.log.Warn("entry can't be opened", "segment", s.number, "offset", at, "err", err)
			return at, nil
		}
		if err := s.r.take(f, e, index.Pos{Segment: s.number, Offset: at}); err != nil {
			return 0, err
		}
	}
}

// rest checks that only zeros follow the last frame.
func (s *scan) rest(at int64) (int64, error) {
	clean, err := s.reader.Zeros()
	if err != nil || clean {
		return -1, err
	}
	s.reader.Rewind(at)
	return at, nil
}

// beyond looks behind damage for a frame that shows the damage to be no torn
// write, and goes on there.
func (s *scan) beyond(damage int64, last bool) (bool, error) {
	for {
		found, err := s.reader.Resync()
		if err != nil || !found {
			return false, err
		}
		at := s.reader.Offset()
		f, err := s.reader.Next()
		if err != nil {
			return false, err
		}
		if !last || f.Flags&segment.Synced != 0 {
			s.reader.Rewind(at)
			return true, nil
		}
	}
}

// take notes an entry for the index.
func (r *replay) take(f *segment.Frame, e *entry, at index.Pos) error {
	n, err := r.note(f.Key, e)
	if err != nil {
		return fmt.Errorf("reading entry %d: %w", f.Entry, err)
	}
	r.notes = append(r.notes, noted{note: n, entry: f.Entry, at: at})
	r.last = index.Mark{Entry: f.Entry, Segment: at.Segment, Offset: at.Offset + int64(f.Size), Last: at.Offset, Tag: f.Tag()}
	if len(r.notes) >= 4096 {
		return r.flush()
	}
	return nil
}

func (r *replay) flush() error {
	if r.last.Entry == 0 {
		return nil
	}
	b := gather(r.notes)
	b.Mark = r.last
	r.notes = r.notes[:0]
	if err := r.l.index.Apply(b); err != nil {
		return fmt.Errorf("indexing: %w", err)
	}
	r.l.indexed = r.last
	return nil
}

func (r *replay) note(key uint64, e *entry) (note, error) {
	var n note
	switch e.kind {
	case kindIntent:
		in, err := e.intent()
		if err != nil {
			return n, err
		}
		if n, err = r.l.begunNote(in, key); err != nil {
			return n, err
		}
		if !r.named[key] {
			r.named[key] = true
			k, err := r.l.readers.key(key)
			if err != nil {
				return n, err
			}
			if n.session, err = r.l.sessionRow(k, in.Principal.Name, in.Session.ID); err != nil {
				return n, err
			}
		}
	case kindOutcome:
		out, err := e.outcome()
		if err != nil {
			return n, err
		}
		if n, err = r.l.endedNote(out); err != nil {
			return n, err
		}
	case kindCheckpoint:
		n.part = flow.ID(e.meta)
	case kindAdmin, kindAccess:
		n.journal = journalRow(e.kind)
	}
	var err error
	n.run, err = r.run(key, e)
	return n, err
}

// run makes the directory's entry of the objects that e brings.
func (r *replay) run(key uint64, e *entry) (*run, error) {
	s, err := e.span()
	if err != nil || s.count == 0 {
		return nil, err
	}
	a, err := r.addresser(key)
	if err != nil {
		return nil, err
	}
	n := &run{key: key, first: s.first, floor: s.floor, count: s.count}
	err = s.each(func(ref object.Ref, o object.Object) error {
		n.addresses = append(n.addresses, a.Of(o))
		if o.Secret != nil && !o.Secret.Part {
			n.owner, n.secrets = sealedBy(o.Secret.Data), append(n.secrets, ref)
		}
		return nil
	})
	return n, err
}

func (r *replay) addresser(key uint64) (*object.Addresser, error) {
	if a := r.address[key]; a != nil {
		return a, nil
	}
	k, err := r.l.readers.key(key)
	if err != nil {
		return nil, err
	}
	if len(r.address) > maxKeys {
		clear(r.address)
	}
	r.address[key] = object.NewAddresser(k.Address)
	return r.address[key], nil
}

// resume makes the ledger ready to write behind what was found.
func (r *replay) resume(known index.Mark) error {
	w := r.l.writer
	w.prev, w.next, w.clean = r.last.Tag, max(r.last.Entry, known.Entry)+1, true
	t, err := r.tail()
	if err != nil {
		return err
	}
	w.enter(t)
	if r.last.Entry > 0 {
		mark := r.last
		w.durable.Store(&mark)
		r.l.pending.mark = mark
	}
	if err := r.tell(known); err != nil {
		return err
	}
	if err := r.l.endUnended(); err != nil {
		return err
	}
	r.l.Room()
	if err := r.l.applyPending(); err != nil {
		return err
	}
	if err := r.l.retain(); err != nil {
		r.l.log.Warn("old segments stay", "err", err)
	}
	return nil
}

// tail opens the last segment for writing, or makes the next.
func (r *replay) tail() (*tail, error) {
	numbers, err := r.l.numbers()
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return r.l.writer.makeTail(r.last.Segment + 1)
	}
	last := numbers[len(numbers)-1]
	if r.sealed || last != r.last.Segment {
		return r.l.writer.makeTail(last + 1)
	}
	return r.l.writer.openTail(last, r.last.Offset)
}

// tell records what recovery found.
func (r *replay) tell(known index.Mark) error {
	if c := r.cut; c != nil {
		err := r.l.Admin("recover.cut", "a torn tail was cut off and kept aside", map[string]string{
			"segment": strconv.FormatUint(c.segment, 10), "offset": strconv.FormatInt(c.offset, 10),
			"bytes": strconv.FormatInt(c.bytes, 10), "file": c.name,
		})
		if err != nil {
			return err
		}
	}
	if r.damaged > 0 {
		err := r.l.Admin("recover.damaged", "the last entry of the run before is not as it was written", map[string]string{
			"entry": strconv.FormatUint(r.damaged, 10), "segment": strconv.FormatUint(known.Segment, 10), "offset": strconv.FormatInt(known.Last, 10),
		})
		if err != nil {
			return err
		}
	}
	if known.Entry <= r.last.Entry {
		return nil
	}
	r.l.log.Error("acknowledged entries are missing", "first", r.last.Entry+1, "last", known.Entry)
	return r.l.Admin("recover.lost", "entries that had been acknowledged are missing", map[string]string{
		"first": strconv.FormatUint(r.last.Entry+1, 10), "last": strconv.FormatUint(known.Entry, 10),
	})
}

// endUnended gives the flows that a crash left open their outcome.
func (l *Ledger) endUnended() error {
	rows, err := l.index.Unended()
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	for i := range rows {
		if err := l.endUnknown(&rows[i]); err != nil {
			return fmt.Errorf("ending flow %s: %w", rows[i].ID, err)
		}
	}
	return nil
}

func (l *Ledger) endUnknown(row *index.Flow) error {
	key, err := l.readers.key(row.Key)
	if err != nil {
		return err
	}
	out := &flow.Outcome{Flow: row.ID, State: flow.Unknown, Why: "the gateway stopped before the outcome was recorded"}
	if err := l.measure(row, out); err != nil {
		l.log.Warn("answer of a flow that was cut short can't be measured", "flow", row.ID, "err", err)
	}
	text, err := meta.AppendOutcome(nil, out)
	if err != nil {
		return err
	}
	ended, err := l.endedNote(out)
	if err != nil {
		return err
	}
	it := l.item(entry{kind: kindOutcome, meta: text}, (&answer{}).append, key, ended)
	l.wait(l.submit(it))
	return it.err
}

// measure fills in what the checkpoints tell of an answer.
func (l *Ledger) measure(row *index.Flow, out *flow.Outcome) error {
	parts, err := l.index.Parts(row.ID)
	if err != nil {
		return err
	}
	var last time.Duration
	for _, at := range parts {
		chunks, err := l.partAt(at)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			if out.FirstByte == 0 {
				out.FirstByte = c.At
			}
			out.ResponseBytes += int64(len(c.Data))
			last = c.At
		}
	}
	out.Duration = last
	return nil
}
