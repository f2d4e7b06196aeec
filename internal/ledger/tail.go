package ledger

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// The file is filled with zeros ahead by steps: a sync of bytes in room that
// is there costs half of one that has to move the file's end, too.
const (
	smallStep = 256 << 10
	largeStep = 1 << 20
)

var zeros [64 << 10]byte

// tail is the segment that is written.
type tail struct {
	number uint64
	file   disk.File    // of the writer
	off    int64        // where the next frame goes; the writer's
	seen   atomic.Int64 // off, for others

	// ahead is a second opening of the file. The system reports a failed
	// write-back once for each opening, so that the filler can't swallow an
	// error that the writer must see.
	ahead  disk.File
	extend sync.Mutex
	extent atomic.Int64 // up to here the file is there, zeros behind off
}

func (w *writer) makeTail(number uint64) (*tail, error) {
	t, err := w.openTail(number, 0)
	if err != nil {
		return nil, err
	}
	if err := t.begin(w.l.o.FS, w.l.path("segments"), w.step()); err != nil {
		t.close()
		return nil, fmt.Errorf("making segment %d: %w", number, err)
	}
	return t, nil
}

// step is smallStep, or what small segments have of it.
func (w *writer) step() int64 { return min(smallStep, w.l.o.SegmentBytes) }

func (t *tail) begin(d disk.FS, dir string, size int64) error {
	if _, err := t.file.WriteAt(segment.Head(t.number), 0); err != nil {
		return err
	}
	t.off = segment.FileHead
	t.extent.Store(max(t.extent.Load(), t.off))
	t.seen.Store(t.off)
	if err := t.fill(size); err != nil {
		return err
	}
	if err := t.file.Sync(); err != nil {
		return err
	}
	return d.SyncDir(dir)
}

func (w *writer) openTail(number uint64, off int64) (*tail, error) {
	name := w.l.path("segments", segment.Name(number))
	file, err := w.l.o.FS.Create(name)
	if err != nil {
		return nil, fmt.Errorf("opening segment %d: %w", number, err)
	}
	ahead, err := w.l.o.FS.Open(name)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening segment %d: %w", number, err)
	}
	size, err := file.Size()
	if err != nil {
		file.Close()
		ahead.Close()
		return nil, fmt.Errorf("opening segment %d: %w", number, err)
	}
	t := &tail{number: number, file: file, ahead: ahead, off: off}
	t.extent.Store(size)
	t.seen.Store(off)
	return t, nil
}

// fill makes the file at least end bytes long.
func (t *tail) fill(end int64) error {
	t.extend.Lock()
	defer t.extend.Unlock()
	for at := t.extent.Load(); at < end; at = t.extent.Load() {
		n := min(end-at, int64(len(zeros)))
		if _, err := t.ahead.WriteAt(zeros[:n], at); err != nil {
			return fmt.Errorf("filling segment %d: %w", t.number, err)
		}
		t.extent.Store(at + n)
	}
	return nil
}

// seal gives the zeros at the end back and closes the file.
func (t *tail) seal() error {
	t.extend.Lock()
	defer t.extend.Unlock()
	defer t.close()
	if err := t.file.Truncate(t.off); err != nil {
		return fmt.Errorf("sealing segment %d: %w", t.number, err)
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("sealing segment %d: %w", t.number, err)
	}
	return nil
}

func (t *tail) close() {
	t.file.Close()
	t.ahead.Close()
}
