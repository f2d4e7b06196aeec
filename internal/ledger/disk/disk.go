// Package disk is the little of a file system that the ledger needs, so that
// tests can put one below it that fails and forgets. It never retries and
// never hides an error.
package disk

import (
	"fmt"
	"io"
	"path/filepath"
)

// File is an open file, read and written at positions. Sync makes what was
// written before it durable, and the file's length if that is needed to read
// the data back.
type File interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
	Close() error
}

// FS opens files. Each Open gives an open file of its own: an error that the
// system reports once for each open file (a failed write-back) is seen by each.
type FS interface {
	Open(name string) (File, error)   // for reading and writing; fs.ErrNotExist when there is none
	Create(name string) (File, error) // as Open, made when missing, readable by its owner only
	Rename(from, to string) error
	Remove(name string) error
	List(dir string) ([]string, error) // names, sorted
	Mkdir(dir string) error            // with its parents; no error when it is there
	SyncDir(dir string) error          // makes names that were added or removed durable
	Free(dir string) (int64, error)    // bytes that may still be written
}

// Put writes a file so that its name holds all of data or what it held before.
func Put(d FS, name string, data []byte) error {
	part := name + ".part"
	f, err := d.Create(part)
	if err != nil {
		return fmt.Errorf("creating %s: %w", part, err)
	}
	if err := fillWith(f, data); err != nil {
		return fmt.Errorf("writing %s: %w", part, err)
	}
	if err := d.Rename(part, name); err != nil {
		return fmt.Errorf("naming %s: %w", name, err)
	}
	if err := d.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("syncing folder of %s: %w", name, err)
	}
	return nil
}

func fillWith(f File, data []byte) error {
	defer f.Close()
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}

// Get reads a whole file.
func Get(d FS, name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data[:n], nil
}
