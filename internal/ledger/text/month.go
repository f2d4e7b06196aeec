package text

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrCorrupt is what a call gives when a file turns out to be damaged, missing
// or another version's. Reset makes the index anew; what was in it is in the
// segments.
var ErrCorrupt = errors.New("full text is damaged")

// version is the schema's and the tokens'; another one's files are thrown away.
// Raise it with every change here, in words.go and in token.go, and where the
// ledger takes its texts from.
const version = 4

// schema: a text is known by hash within its session; its number is its row
// in words. Entry orders texts by when they came, flow is the entry of the
// intent that brought it. A text that stands in another object as well is in
// again. Seen is the last segment that is known to have it, and veiled is how many
// bytes of it are not among its words.
//
// contentless_delete needs columnsize; the rest is as small as it gets: which
// texts have a token, and nothing about where or how often. Hashsize is how many bytes
// of new texts are gathered in memory before they are written.
const schema = `
CREATE TABLE mark (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	entry INTEGER NOT NULL
);
INSERT INTO mark VALUES (1, 0);
CREATE TABLE sessions (key INTEGER PRIMARY KEY);
CREATE TABLE flows (
	n       INTEGER PRIMARY KEY,
	key     INTEGER NOT NULL,
	id      TEXT NOT NULL,
	started INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	carried BLOB NOT NULL
);
CREATE INDEX flows_key ON flows (key, n);
CREATE INDEX flows_started ON flows (started);
CREATE TABLE docs (
	doc     INTEGER PRIMARY KEY,
	hash    INTEGER NOT NULL,
	key     INTEGER NOT NULL,
	entry   INTEGER NOT NULL,
	flow    INTEGER NOT NULL,
	seen    INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	ref     INTEGER NOT NULL,
	part    INTEGER NOT NULL,
	veiled  INTEGER NOT NULL,
	role    TEXT NOT NULL,
	kind    TEXT NOT NULL
);
CREATE UNIQUE INDEX docs_hash ON docs (hash);
CREATE TABLE again (
	doc     INTEGER NOT NULL,
	flow    INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	ref     INTEGER NOT NULL,
	part    INTEGER NOT NULL,
	PRIMARY KEY (doc, flow, ref, part)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO words (words, rank) VALUES ('hashsize', 8388608);
`

// month is one file: the sessions that began in a month.
type month struct {
	name  string // YYYY-MM
	path  string
	write *sql.DB
	read  *sql.DB
	mark  uint64 // the last entry that is in
	next  int64  // number of the next doc
}

// The pages that connections keep, in KiB, and how many read.
const (
	writeCache = 4096
	readCache  = 2048
	readers    = 2
)

func openMonth(dir, name string, make bool) (m *month, err error) {
	path := filepath.Join(dir, name+suffix)
	m = &month{name: name, path: path}
	if !make && m.missing() {
		return nil, fmt.Errorf("%w: %s is missing", ErrCorrupt, filepath.Base(path))
	}
	if err := disk.Private(path); err != nil {
		return nil, err
	}
	m.write, err = sql.Open("sqlite", dsn(path, writeCache, "auto_vacuum(incremental)", "journal_mode(wal)", "synchronous(off)", "journal_size_limit(0)", "busy_timeout(5000)"))
	if err != nil {
		return nil, err
	}
	m.write.SetMaxOpenConns(1)
	m.read, err = sql.Open("sqlite", dsn(path, readCache, "query_only(1)", "busy_timeout(5000)"))
	if err != nil {
		m.write.Close()
		return nil, err
	}
	m.read.SetMaxOpenConns(readers)
	if err := m.begin(make); err != nil {
		m.close()
		return nil, m.marked(err)
	}
	return m, nil
}

func (m *month) begin(make bool) error {
	if make {
		if _, err := m.write.Exec(fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT", schema, version)); err != nil {
			return err
		}
	}
	var v int
	if err := m.write.QueryRow("PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	if v != version {
		return ErrCorrupt
	}
	if err := m.write.QueryRow("SELECT entry FROM mark").Scan(&m.mark); err != nil {
		return err
	}
	return m.write.QueryRow("SELECT COALESCE(MAX(doc), 0) + 1 FROM docs").Scan(&m.next)
}

func (m *month) close() error { return errors.Join(m.read.Close(), m.write.Close()) }

func (m *month) has(key uint64) (ok bool, err error) {
	err = m.write.QueryRow("SELECT EXISTS (SELECT 1 FROM sessions WHERE key = ?)", int64(key)).Scan(&ok)
	return ok, m.marked(err)
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

// marked makes SQLite's words for a damaged file ours. All else stays as it is: no
// room, no file handle or no right to a file damages none, and is over some day.
func (m *month) marked(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	damaged := false
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		damaged = true
	case sqlite3.SQLITE_CANTOPEN:
		damaged = m.missing()
	case sqlite3.SQLITE_ERROR: // what was asked is wrong, or the schema that it is asked of
		damaged = m.foreign()
	}
	if damaged {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// missing reports whether the file is gone.
func (m *month) missing() bool {
	_, err := os.Stat(m.path)
	return errors.Is(err, fs.ErrNotExist)
}

// foreign reports whether the file has not all that schema makes. It asks by a
// connection of its own: others may be waiting for it.
func (m *month) foreign() bool {
	db, err := sql.Open("sqlite", dsn(m.path, readCache, "query_only(1)", "busy_timeout(5000)"))
	if err != nil {
		return false
	}
	defer db.Close()
	for _, probe := range probes {
		var e *sqlite.Error
		if rows, err := db.Query(probe); err == nil {
			rows.Close()
		} else if errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_ERROR || e.Code()&0xff == sqlite3.SQLITE_CORRUPT) {
			return true
		}
	}
	return false
}

// probes can be asked of every file of this schema.
var probes = [...]string{
	"SELECT entry FROM mark",
	"SELECT key FROM sessions",
	"SELECT n, key, id, started, segment, offset, carried FROM flows",
	"SELECT doc, hash, key, entry, flow, seen, segment, offset, ref, part, veiled, role, kind FROM docs",
	"SELECT doc, flow, segment, offset, ref, part FROM again",
	"SELECT rowid FROM words WHERE words MATCH 'a'",
}

// apply takes in what a batch has for this file and is not in it yet.
func (m *month) apply(flows []*Flow, texts []*doc, entry uint64, pause func()) error {
	tx, err := m.write.Begin()
	if err != nil {
		return m.marked(err)
	}
	defer tx.Rollback()
	w := &monthWriter{m: m, tx: tx, next: m.next, numbers: map[uint64]*Flow{}, pause: pause}
	w.flows(flows)
	w.texts(texts)
	w.carried(flows)
	w.exec("UPDATE mark SET entry = ?", int64(entry))
	if w.err != nil {
		return m.marked(w.err)
	}
	if err := tx.Commit(); err != nil {
		return m.marked(err)
	}
	m.mark, m.next = entry, w.next
	return nil
}

type monthWriter struct {
	m       *month
	tx      *sql.Tx
	err     error
	next    int64
	numbers map[uint64]*Flow
	pause   func()
}

func (w *monthWriter) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.Exec(query, args...)
	}
}

func (w *monthWriter) prepare(query string) *sql.Stmt {
	if w.err != nil {
		return nil
	}
	var stmt *sql.Stmt
	stmt, w.err = w.tx.Prepare(query)
	return stmt
}

func (w *monthWriter) flows(flows []*Flow) {
	for _, f := range flows {
		if f.N <= w.m.mark {
			continue
		}
		w.numbers[f.N] = f
		w.exec("INSERT OR IGNORE INTO sessions VALUES (?)", int64(f.Key))
	}
}

// texts enters the texts that the session does not have yet, and where those
// stand that it has.
func (w *monthWriter) texts(list []*doc) {
	if len(list) == 0 {
		return
	}
	find := w.prepare("SELECT doc, seen, veiled FROM docs WHERE hash = ?")
	put := w.prepare("INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	words := w.prepare("INSERT INTO words (rowid, t) VALUES (?, ?)")
	for _, d := range list {
		w.pause()
		if w.err != nil {
			return
		}
		if d.Entry <= w.m.mark {
			continue
		}
		var number, seen, veiled int64
		err := find.QueryRow(d.hash).Scan(&number, &seen, &veiled)
		switch {
		case err == nil:
			w.again(d, number, uint64(seen))
			if d.Veiled > veiled && !d.known { // only now something was found in it
				w.exec("DELETE FROM words WHERE rowid = ?", number)
				w.run(words, number, d.words)
				w.exec("UPDATE docs SET veiled = ? WHERE doc = ?", d.Veiled, number)
			}
		case !errors.Is(err, sql.ErrNoRows):
			w.err = err
		case d.known:
			continue // its place is gone since
		default:
			number = w.next
			w.next++
			w.run(put, number, d.hash, int64(d.Key), int64(d.Entry), int64(d.Flow), int64(d.At.Segment),
				int64(d.At.Segment), d.At.Offset, int64(d.At.Ref), d.At.Part, d.Veiled, d.Role, d.Kind)
			w.run(words, number, d.words)
		}
		if f := w.numbers[d.Flow]; f != nil {
			switch d.In {
			case Loose:
				f.loose = append(f.loose, number)
			case Order:
				f.order = append(f.order, number)
			}
		}
	}
}

func (w *monthWriter) run(stmt *sql.Stmt, args ...any) {
	if w.err == nil {
		_, w.err = stmt.Exec(args...)
	}
}

// again notes another place of a text: each block that holds it, to tell who
// sends it, and else one in each segment, for when the first is removed.
func (w *monthWriter) again(d *doc, number int64, seen uint64) {
	if d.At.Ref == 0 && d.At.Segment <= seen {
		return
	}
	w.exec("INSERT OR IGNORE INTO again VALUES (?, ?, ?, ?, ?, ?)", number, int64(d.Flow), int64(d.At.Segment), d.At.Offset, int64(d.At.Ref), d.At.Part)
	if d.At.Segment > seen {
		w.exec("UPDATE docs SET seen = ? WHERE doc = ?", int64(d.At.Segment), number)
	}
}

// carried writes the flows: only now their texts have numbers.
func (w *monthWriter) carried(flows []*Flow) {
	for _, f := range flows {
		if w.numbers[f.N] == nil {
			continue
		}
		c := carried{nodes: f.Nodes, tips: f.Tips, loose: f.loose, order: f.order}
		if f.orders != nil {
			f.orders.shorten(f, &c)
		}
		w.exec("INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?, ?, ?, ?)", int64(f.N), int64(f.Key), f.ID, f.Started, int64(f.Segment), f.Offset, c.append(nil, f.N))
	}
}

// orders are the texts of the last requests that were stored as one piece, so
// that the next one says only how it differs.
type orders struct{ last []ordered }

type ordered struct {
	key, n uint64
	docs   []int64
}

// maxOrders is how many are kept. What is not among them is said in full.
const maxOrders = 32

// shorten makes c refer to the flow that has the most in common.
func (o *orders) shorten(f *Flow, c *carried) {
	if len(f.order) == 0 {
		return
	}
	best := -1
	for i := range o.last {
		l := &o.last[i]
		if l.key != f.Key {
			continue
		}
		n := 0
		for n < len(l.docs) && n < len(f.order) && l.docs[n] == f.order[n] {
			n++
		}
		if n > c.kept {
			best, c.kept, c.like = i, n, l.n
		}
	}
	c.order = f.order[c.kept:]
	if best >= 0 {
		o.last = slices.Delete(o.last, best, best+1)
	} else if len(o.last) == maxOrders {
		o.last = slices.Delete(o.last, 0, 1)
	}
	o.last = append(o.last, ordered{f.Key, f.N, f.order})
}

// drop forgets what stood in segments up to a number. A text that came again
// later is then known by that place.
func (m *month) drop(segment uint64) (empty bool, err error) {
	tx, err := m.write.Begin()
	if err != nil {
		return false, m.marked(err)
	}
	defer tx.Rollback()
	w := &monthWriter{m: m, tx: tx}
	s := int64(segment)
	w.exec("DELETE FROM again WHERE segment <= ?", s)
	w.exec("UPDATE docs SET (flow, segment, offset, ref, part) = (SELECT flow, segment, offset, ref, part FROM again WHERE again.doc = docs.doc ORDER BY flow LIMIT 1)"+
		" WHERE segment <= ? AND EXISTS (SELECT 1 FROM again WHERE again.doc = docs.doc)", s)
	w.exec("DELETE FROM words WHERE rowid IN (SELECT doc FROM docs WHERE segment <= ?)", s)
	w.exec("DELETE FROM docs WHERE segment <= ?", s)
	w.exec("DELETE FROM flows WHERE segment <= ?", s)
	w.exec("DELETE FROM sessions WHERE key NOT IN (SELECT key FROM flows) AND key NOT IN (SELECT key FROM docs)")
	return w.end()
}

// erase forgets a session. Deleted rows, and what merging left behind, stand in
// the file until it is optimized and written anew.
func (m *month) erase(key uint64) error {
	tx, err := m.write.Begin()
	if err != nil {
		return m.marked(err)
	}
	defer tx.Rollback()
	w := &monthWriter{m: m, tx: tx}
	k := int64(key)
	w.exec("DELETE FROM words WHERE rowid IN (SELECT doc FROM docs WHERE key = ?)", k)
	w.exec("DELETE FROM again WHERE doc IN (SELECT doc FROM docs WHERE key = ?)", k)
	w.exec("DELETE FROM docs WHERE key = ?", k)
	w.exec("DELETE FROM flows WHERE key = ?", k)
	w.exec("DELETE FROM sessions WHERE key = ?", k)
	w.exec("INSERT INTO words (words) VALUES ('optimize')")
	if _, err = w.end(); err == nil {
		_, err = m.write.Exec("VACUUM; PRAGMA wal_checkpoint(truncate)")
	}
	return m.marked(err)
}

func (w *monthWriter) end() (empty bool, err error) {
	if w.err == nil {
		w.err = w.tx.QueryRow("SELECT NOT EXISTS (SELECT 1 FROM sessions)").Scan(&empty)
	}
	if w.err != nil {
		return false, w.m.marked(w.err)
	}
	if err := w.tx.Commit(); err != nil {
		return false, w.m.marked(err)
	}
	_, err = w.m.write.Exec("PRAGMA incremental_vacuum")
	return empty, w.m.marked(err)
}
