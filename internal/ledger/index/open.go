package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrCorrupt is what a call gives when the file turns out to be damaged. Reset
// makes it anew; what was in it is in the segments.
var ErrCorrupt = errors.New("index is damaged")

// errUnusable is a file that Open throws away.
var errUnusable = errors.New("index is unusable")

// Index is an open index. Apply, Drop and Reset are called by one goroutine at
// a time; the reading methods may run beside them.
type Index struct {
	path string

	mu    sync.RWMutex    // held for writing while the file is exchanged
	write *sql.DB         // one connection
	read  *sql.DB         // two at most
	known map[uint64]bool // traits that are in; Apply's
}

// The pages that connections keep, in KiB: two readers at most, one writer.
const (
	writeCache = 1024
	readCache  = 512
	readers    = 2
)

// Open opens the index at path and makes it when there is none. A file that is
// damaged, of another version, or was in use when the machine (not only the
// process) went down is removed and made anew: then its Mark is zero, and the
// caller replays the segments.
func Open(path string) (*Index, error) {
	x := &Index{path: path}
	if err := x.open(); err != nil {
		return nil, fmt.Errorf("opening index: %w", err)
	}
	return x, nil
}

func (x *Index) open() error {
	err := x.connect()
	if errors.Is(err, errUnusable) || errors.Is(err, ErrCorrupt) {
		if err := x.remove(); err != nil {
			return err
		}
		err = x.connect()
	}
	return err
}

func (x *Index) connect() (err error) {
	x.known = make(map[uint64]bool)
	if err := disk.Private(x.path); err != nil {
		return err
	}
	write, err := sql.Open("sqlite", dsn(x.path, writeCache, "auto_vacuum(incremental)", "journal_mode(wal)",
		"synchronous(off)", "wal_autocheckpoint(0)", "journal_size_limit(0)", "busy_timeout(2000)"))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	if err := revive(write); err != nil {
		write.Close()
		return mark(err)
	}
	read, err := sql.Open("sqlite", dsn(x.path, readCache, "query_only(1)", "busy_timeout(2000)"))
	if err != nil {
		write.Close()
		return err
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(1)
	x.write, x.read = write, read
	return nil
}

// dsn names the file and what each connection to it sets.
func dsn(path string, cache int, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, OmitHost: !filepath.IsAbs(path)}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append(pragmas, fmt.Sprintf("cache_size(-%d)", cache), "mmap_size(0)")}
	u.RawQuery = q.Encode()
	return u.String()
}

// revive makes the schema in a new file, and judges an old one. It leaves the
// file marked dirty, on disk, until Close.
func revive(db *sql.DB) error {
	var app, v int
	if err := db.QueryRow("PRAGMA application_id").Scan(&app); err != nil {
		return err
	}
	if err := db.QueryRow("PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	var tables int
	if err := db.QueryRow("SELECT COUNT(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	boot := bootID()
	switch {
	case tables == 0 && app == 0 && v == 0:
		if err := create(db); err != nil {
			return err
		}
	case app != application || v != version:
		return errUnusable
	default:
		if err := judge(db, boot); err != nil {
			return err
		}
	}
	return setLife(db, 1, boot)
}

func create(db *sql.DB) error {
	_, err := db.Exec(fmt.Sprintf(`BEGIN IMMEDIATE;
%s
INSERT INTO life VALUES (1, 0, '');
INSERT INTO mark VALUES (1, 0, 0, 0, 0, x'');
PRAGMA application_id = %d;
PRAGMA user_version = %d;
COMMIT`, schema, application, version))
	return err
}

// judge refuses a file that was not closed before the machine went down.
// Nothing of it is synced while it is in use, so some of its pages may be older
// than others, and no check finds that. When only the process died, the
// system's page cache has it whole.
func judge(db *sql.DB, boot string) error {
	var dirty bool
	var then string
	if err := db.QueryRow("SELECT dirty, boot FROM life").Scan(&dirty, &then); err != nil {
		return err
	}
	if dirty && (boot == "" || boot != then) {
		return errUnusable
	}
	return nil
}

// setLife writes whether the file is in use, and syncs it.
func setLife(db *sql.DB, dirty int, boot string) error {
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	steps := []string{
		"PRAGMA synchronous = full",
		fmt.Sprintf("UPDATE life SET dirty = %d, boot = '%s'", dirty, boot),
		"PRAGMA wal_checkpoint(truncate)",
		"PRAGMA synchronous = off",
	}
	for _, s := range steps {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the index so that the next Open trusts it.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := errors.Join(x.read.Close(), setLife(x.write, 0, ""), x.write.Close())
	if err != nil {
		return fmt.Errorf("closing index: %w", err)
	}
	return nil
}

// Reset empties the index; its Mark is zero then. After an error it is closed.
func (x *Index) Reset() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.read.Close()
	x.write.Close()
	err := x.remove()
	if err == nil {
		err = x.connect()
	}
	if err != nil {
		return fmt.Errorf("making index anew: %w", err)
	}
	return nil
}

func (x *Index) remove() error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ErrFull is what a call gives when the disk has no room for the index.
var ErrFull = errors.New("the disk is full")

// mark makes SQLite's words for a damaged file and for a full disk ours.
func mark(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}
