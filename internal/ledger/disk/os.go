package disk

import (
	"errors"
	"os"
	"sort"
)

// OS is the operating system's file system.
type OS struct{}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Open opens an existing file.
func (OS) Open(name string) (File, error) { return open(name, os.O_RDWR) }

// Create opens a file and makes it when it is missing.
func (OS) Create(name string) (File, error) { return open(name, os.O_RDWR|os.O_CREATE) }

func open(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename gives a file another name, replacing what had it.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (OS) Remove(name string) error { return os.Remove(name) }

// List names the files of a folder.
func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return names, nil
}

// Mkdir makes a folder that only its owner may enter.
func (OS) Mkdir(dir string) error { return os.MkdirAll(dir, 0o700) }

// SyncDir syncs a folder's names.
func (OS) SyncDir(dir string) error { return syncDir(dir) }

// Free gives the bytes that may still be written to a folder's disk.
func (OS) Free(dir string) (int64, error) { return free(dir) }

// Private makes a file that only its owner may read, or an existing one that. Nobody else
// of this process may have it open: closing a file lets go of its locks.
func Private(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// Full reports whether err says that there is no room left.
func Full(err error) bool {
	for _, e := range fullErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
