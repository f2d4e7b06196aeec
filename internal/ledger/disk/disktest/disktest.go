// Package disktest is a disk in memory that fails where a test says and that,
// at a crash, forgets what was not synced. It is for tests only and keeps the
// promises of a real disk, no more: an unsynced write may be there afterwards,
// or half of it, or nothing.
package disktest

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
)

// Fault says how an operation fails.
type Fault int

// The faults. None: it does not fail. Before: nothing happens. After: it
// happens and persists, and fails all the same. Torn: its first half persists.
// Full: nothing happens, for lack of room. Gone: nothing happens, nor after it.
const (
	None Fault = iota
	Before
	After
	Torn
	Full
	Gone
)

func (f Fault) String() string {
	return [...]string{"none", "before", "after", "torn", "full", "gone"}[f]
}

// Op is an operation that changes the disk.
type Op struct {
	N    int    // counts from 1
	Kind string // write, sync, truncate, create, rename, remove, syncdir
	Name string // base name of the file
}

// sector is what a disk writes whole or not at all.
const sector = 512

// FS is a disk in memory.
type FS struct {
	mu    sync.Mutex
	fail  func(Op) Fault // nil: nothing fails
	n     int
	names map[string]*inode // as programs see them
	kept  map[string]*inode // as they are after a crash
	free  int64
	dead  bool // after a crash nothing of this disk works
}

type inode struct {
	data  []byte   // as programs see it
	kept  []byte   // as it is after a crash
	dirty [][2]int // spans of data that were not synced
}

// New makes an empty disk with so much room.
func New(free int64) *FS {
	return &FS{names: map[string]*inode{}, kept: map[string]*inode{}, free: free}
}

// Fail sets what fails from now on; nil: nothing.
func (d *FS) Fail(f func(Op) Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

// Ops is the number of operations so far.
func (d *FS) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// SetFree sets the room that is left.
func (d *FS) SetFree(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = n
}

// Crash gives the disk as it is after the power went: what was synced is
// there; with a source of chance, each sector and each name that was not may
// be there too; with nil none is. The old disk is dead then.
func (d *FS) Crash(chance *rand.Rand) *FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	n := New(d.free)
	luck := func() bool { return chance != nil && chance.IntN(2) == 0 }
	for name, ino := range d.kept {
		n.names[name] = ino
	}
	for _, name := range sorted(d.names) {
		if n.names[name] == nil && luck() {
			n.names[name] = d.names[name]
		}
	}
	copies := map[*inode]*inode{}
	for _, name := range sorted(n.names) {
		ino := n.names[name]
		if copies[ino] == nil {
			copies[ino] = ino.after(luck)
		}
		n.names[name], n.kept[name] = copies[ino], copies[ino]
	}
	return n
}

func sorted(m map[string]*inode) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (i *inode) after(luck func() bool) *inode {
	data := slices.Clone(i.kept)
	for _, s := range i.dirty {
		for at := s[0]; at < s[1]; at += sector - at%sector {
			if end := min(s[1], at+sector-at%sector, len(i.data)); at < end && luck() {
				data = put(data, i.data[at:end], at)
			}
		}
	}
	return &inode{data: data, kept: slices.Clone(data)}
}

func put(dst, b []byte, at int) []byte {
	if n := at + len(b); n > len(dst) {
		dst = append(dst, make([]byte, n-len(dst))...)
	}
	copy(dst[at:], b)
	return dst
}

// Bytes gives what programs see in a file.
func (d *FS) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ino := d.names[name]; ino != nil {
		return slices.Clone(ino.data)
	}
	return nil
}

// Change alters a file behind everybody's back, durably.
func (d *FS) Change(name string, f func([]byte) []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := d.names[name]
	ino.data = f(ino.data)
	ino.kept, ino.dirty = slices.Clone(ino.data), nil
}

// op counts an operation and decides its fate. d.mu is held.
func (d *FS) op(kind, name string) Fault {
	d.n++
	if d.fail == nil {
		return None
	}
	return d.fail(Op{N: d.n, Kind: kind, Name: filepath.Base(name)})
}

func failure(f Fault) error {
	switch f {
	case None:
		return nil
	case Full:
		return syscall.ENOSPC
	}
	return syscall.EIO
}

type file struct {
	d    *FS
	name string
	ino  *inode
}

// Open opens a file that is there.
func (d *FS) Open(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return nil, syscall.EIO
	}
	ino := d.names[name]
	if ino == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{d, name, ino}, nil
}

// Create opens a file, made when it is missing.
func (d *FS) Create(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return nil, syscall.EIO
	}
	if d.names[name] == nil {
		f := d.op("create", name)
		if f == None || f == After {
			d.names[name] = &inode{}
		}
		if f != None {
			return nil, failure(f)
		}
	}
	return &file{d, name, d.names[name]}, nil
}

// Rename gives a file another name.
func (d *FS) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.op("rename", to)
	if f == None || f == After {
		d.names[to] = d.names[from]
		delete(d.names, from)
	}
	return failure(f)
}

// Remove removes a file's name.
func (d *FS) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[name] == nil {
		return fs.ErrNotExist
	}
	f := d.op("remove", name)
	if f == None || f == After {
		delete(d.names, name)
	}
	return failure(f)
}

// List names the files in a folder.
func (d *FS) List(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, name := range sorted(d.names) {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

// Mkdir does nothing: folders are there.
func (d *FS) Mkdir(string) error { return nil }

// SyncDir makes a folder's names durable.
func (d *FS) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.op("syncdir", dir)
	if f == None || f == After {
		d.keepNames(dir)
	}
	return failure(f)
}

func (d *FS) keepNames(dir string) {
	for name := range d.kept {
		if filepath.Dir(name) == dir && d.names[name] == nil {
			delete(d.kept, name)
		}
	}
	for name, ino := range d.names {
		if filepath.Dir(name) == dir {
			d.kept[name] = ino
		}
	}
}

// Free gives the room that is left.
func (d *FS) Free(string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free, nil
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if off >= int64(len(f.ino.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.ino.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.dead {
		return 0, syscall.EIO
	}
	grow := off + int64(len(b)) - int64(len(f.ino.data))
	if grow > f.d.free {
		return 0, syscall.ENOSPC
	}
	fate := f.d.op("write", f.name)
	switch fate {
	case None:
		f.write(b, off)
		return len(b), nil
	case After:
		f.write(b, off)
		f.sync()
	case Torn:
		f.write(b[:len(b)/2], off)
		f.sync()
	}
	return 0, failure(fate)
}

func (f *file) write(b []byte, off int64) {
	if grow := off + int64(len(b)) - int64(len(f.ino.data)); grow > 0 {
		f.d.free -= grow
	}
	f.ino.data = put(f.ino.data, b, int(off))
	f.ino.dirty = append(f.ino.dirty, [2]int{int(off), int(off) + len(b)})
}

func (f *file) sync() {
	for _, s := range f.ino.dirty {
		end := min(s[1], len(f.ino.data))
		if s[0] < end {
			f.ino.kept = put(f.ino.kept, f.ino.data[s[0]:end], s[0])
		}
	}
	f.ino.dirty = nil
}

// Sync makes what was written durable. One that fails drops it for good: a
// second sync has nothing to write and says that all is well, as systems do.
func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.dead {
		return syscall.EIO
	}
	fate := f.d.op("sync", f.name)
	switch fate {
	case None, After:
		f.sync()
	case Torn:
		f.ino.dirty = f.ino.dirty[:len(f.ino.dirty)/2]
		f.sync()
	default:
		f.ino.dirty = nil
	}
	return failure(fate)
}

// Truncate is durable at once: simpler than a real disk, and a ledger does
// not rely on a truncation that is not synced.
func (f *file) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	fate := f.d.op("truncate", f.name)
	if fate == None || fate == After {
		f.ino.data = resize(f.ino.data, size)
		if int64(len(f.ino.kept)) > size {
			f.ino.kept = f.ino.kept[:size]
		}
	}
	return failure(fate)
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return put(b, nil, int(size))
}

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.ino.data)), nil
}

func (f *file) Close() error { return nil }
