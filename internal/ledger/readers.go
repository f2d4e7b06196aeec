package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// readers keeps segments open for reading, and the keys that reading needs.
type readers struct {
	l *Ledger

	mu    sync.Mutex
	files map[uint64]disk.File
	keys  map[uint64]*keys.Key
	sizes map[uint64]int64 // of segments that don't change any more
}

// Above these numbers the files and keys are let go, to be opened again.
const (
	maxFiles = 64
	maxKeys  = 1024
)

func newReaders(l *Ledger) *readers {
	return &readers{l: l, files: map[uint64]disk.File{}, keys: map[uint64]*keys.Key{}, sizes: map[uint64]int64{}}
}

// ErrRemoved says that retention removed what is asked for.
var ErrRemoved = errors.New("removed by retention")

func (r *readers) file(number uint64) (disk.File, error) {
	if number <= r.l.removed.Load() {
		return nil, ErrRemoved
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[number]; f != nil {
		return f, nil
	}
	f, err := r.l.o.FS.Open(r.l.path("segments", segment.Name(number)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("segment %d is missing: %w", number, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening segment %d: %w", number, err)
	}
	if len(r.files) >= maxFiles {
		r.closeFiles()
	}
	r.files[number] = f
	return f, nil
}

// size gives the length of a segment's file.
func (r *readers) size(number uint64) (int64, error) {
	r.mu.Lock()
	n, ok := r.sizes[number]
	r.mu.Unlock()
	if ok {
		return n, nil
	}
	n, err := r.l.sizeOf(number)
	if t := r.l.writer.shown.Load(); err == nil && t != nil && number+1 < t.number {
		r.mu.Lock()
		r.sizes[number] = n
		r.mu.Unlock()
	}
	return n, err
}

func (r *readers) closeFiles() {
	for _, f := range r.files {
		f.Close()
	}
	clear(r.files)
}

func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeFiles()
}

// forget closes the files of segments up to number.
func (r *readers) forget(number uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, f := range r.files {
		if n <= number {
			f.Close()
			delete(r.files, n)
		}
	}
	for n := range r.sizes {
		if n <= number {
			delete(r.sizes, n)
		}
	}
}

func (r *readers) key(id uint64) (*keys.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.keys[id]; k != nil {
		return k, nil
	}
	k, err := r.l.ring.Get(id)
	if err != nil {
		return nil, err
	}
	if len(r.keys) >= maxKeys {
		clear(r.keys)
	}
	r.keys[id] = k
	return k, nil
}

// openFrame gives the entry that a frame holds.
func (l *Ledger) openFrame(f *segment.Frame) (*entry, error) {
	key, err := l.readers.key(f.Key)
	if err != nil {
		return nil, err
	}
	data, err := f.Open(nil, key.AEAD)
	if err != nil {
		return nil, err
	}
	if f.Leaf > segment.LeafVersion {
		return nil, fmt.Errorf("entry %d was written by a newer version", f.Entry)
	}
	if data, err = l.codec.unpack(f.Flags, f.Dict, data); err != nil {
		return nil, err
	}
	return decodeEntry(data)
}

// entryAt reads the entry whose frame is at a position.
func (l *Ledger) entryAt(at index.Pos) (*entry, error) {
	f, err := l.frameAt(at)
	if err != nil {
		return nil, err
	}
	return l.openFrame(f)
}

func (l *Ledger) headerAt(at index.Pos) (*segment.Header, error) {
	f, err := l.frameAt(at)
	if err != nil {
		return nil, err
	}
	return &f.Header, nil
}

func (l *Ledger) frameAt(at index.Pos) (*segment.Frame, error) {
	file, err := l.readers.file(at.Segment)
	if err != nil {
		return nil, err
	}
	f, err := segment.ReadAt(file, at.Offset)
	if err != nil {
		return nil, fmt.Errorf("reading segment %d at %d: %w", at.Segment, at.Offset, err)
	}
	return f, nil
}
