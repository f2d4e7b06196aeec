package index

import (
	"database/sql"
	"fmt"
	"runtime"
	"slices"
)

// maxKnown bounds the traits that are remembered to be in.
const maxKnown = 16 << 10

// Apply takes a batch in, all of it or nothing. Taking in entries that are in
// already changes nothing; the outcome or a part of a flow that is not in (its
// intent was dropped) is left out.
func (x *Index) Apply(b *Batch) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := x.apply(b); err != nil {
		clear(x.known) // some may be of the transaction that was rolled back
		return fmt.Errorf("updating index: %w", mark(err))
	}
	return nil
}

func (x *Index) apply(b *Batch) error {
	tx, err := x.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := &writer{tx: tx, known: x.known}
	w.traits(b.Traits)
	w.flows(b.Flows)
	w.ended(b.Ended)
	w.parts(b.Parts)
	w.sessions(b.Sessions, b.Flows)
	w.objects(b.Objects)
	w.secrets(b.Secrets)
	w.journal(b.Journal)
	m := b.Mark
	w.exec("UPDATE mark SET entry = ?, segment = ?, offset = ?, last = ?, tag = ?", int64(m.Entry), int64(m.Segment), m.Offset, m.Last, m.Tag[:])
	if w.err != nil {
		return w.err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	x.checkpoint()
	return nil
}

// checkpoint moves the write-ahead log into the file, unless a reader is still
// in it: then a later one does. Nothing is lost when it fails. The log is not
// cut to nothing: making it anew each time costs the disk's journal, which the
// ledger's syncs then wait for.
func (x *Index) checkpoint() {
	x.write.Exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(passive); PRAGMA busy_timeout = 2000")
}

// writer writes within one transaction until the first error.
type writer struct {
	tx    *sql.Tx
	known map[uint64]bool
	err   error
}

func (w *writer) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.Exec(query, args...)
	}
}

// each prepares query and runs it n times with the arguments that row fills in.
func (w *writer) each(query string, n int, row func(i int) []any) {
	if n == 0 || w.err != nil {
		return
	}
	stmt, err := w.tx.Prepare(query)
	if err != nil {
		w.err = err
		return
	}
	defer stmt.Close()
	for i := 0; i < n && w.err == nil; i++ {
		runtime.Gosched() // calls go first: nobody waits for the index
		args := row(i)
		if w.err == nil {
			_, w.err = stmt.Exec(args...)
		}
	}
}

// traits enters those that are new.
func (w *writer) traits(list []Trait) {
	list = slices.DeleteFunc(slices.Clone(list), func(t Trait) bool { return w.known[t.ID] })
	const query = `INSERT OR IGNORE INTO traits (trait, data) VALUES (?, ?)`
	w.each(query, len(list), func(i int) []any { return []any{int64(list[i].ID), orEmpty(list[i].Data)} })
	if w.err != nil {
		return
	}
	if len(w.known)+len(list) > maxKnown {
		clear(w.known)
	}
	for i := range list {
		w.known[list[i].ID] = true
	}
}

// endColumns are what an outcome sets, in the order of endArgs.
const endColumns = `outcome, outcome_segment, outcome_offset, ending, response_bytes,
	input, output, cache_read, cache_write, cache_write_1h, reasoning, estimated, cost, first_byte, duration`

const endMarks = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

func endArgs(args []any, entry uint64, at Pos, e *End) []any {
	u := &e.Usage
	return append(args, int64(entry), int64(at.Segment), at.Offset, int64(e.Ending), e.ResponseBytes,
		u.Input, u.Output, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.Reasoning, u.Estimated, e.Cost, e.FirstByte, e.Duration)
}

// flows upserts: an intent that comes again never undoes the outcome that came
// since.
func (w *writer) flows(list []Flow) {
	const query = `INSERT INTO flows (id, started, key, about, path, intent, intent_segment, intent_offset, agent, turn, retry,
	request_bytes, ` + endColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ` + endMarks + `)
ON CONFLICT DO UPDATE SET (` + endColumns + `) = (` + excludedEnd + `)
	WHERE excluded.outcome <> 0`
	args := make([]any, 0, 32)
	w.each(query, len(list), func(i int) []any {
		f := &list[i]
		args = append(args[:0], string(f.ID), f.Started, int64(f.Key), int64(f.About), int64(f.Path), int64(f.Intent),
			int64(f.IntentAt.Segment), f.IntentAt.Offset, int64(f.Agent), f.Turn, f.Retry, f.RequestBytes)
		return endArgs(args, f.Outcome, f.OutcomeAt, &f.End)
	})
}

const excludedEnd = `excluded.outcome, excluded.outcome_segment, excluded.outcome_offset, excluded.ending,
	excluded.response_bytes, excluded.input, excluded.output, excluded.cache_read, excluded.cache_write, excluded.cache_write_1h,
	excluded.reasoning, excluded.estimated, excluded.cost, excluded.first_byte, excluded.duration`

func (w *writer) ended(list []Ended) {
	const query = `UPDATE flows SET (` + endColumns + `) = (` + endMarks + `) WHERE id = ?`
	args := make([]any, 0, 32)
	w.each(query, len(list), func(i int) []any {
		e := &list[i]
		args = endArgs(args[:0], e.Outcome, e.OutcomeAt, &e.End)
		return append(args, string(e.ID))
	})
}

func (w *writer) parts(list []Part) {
	const query = `INSERT OR IGNORE INTO parts SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM flows WHERE id = ?)`
	w.each(query, len(list), func(i int) []any {
		p := &list[i]
		return []any{string(p.Flow), int64(p.At.Segment), p.At.Offset, string(p.Flow)}
	})
}

// sessions enters the sessions, also those that are only known by their flows,
// and when each was last at work.
func (w *writer) sessions(list []Session, flows []Flow) {
	last := make(map[uint64]int64)
	for i := range flows {
		f := &flows[i]
		last[f.Key] = max(last[f.Key], f.Started)
	}
	const named = `INSERT INTO sessions (key, tag, name, last) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET tag = excluded.tag, name = excluded.name, last = max(last, excluded.last)`
	w.each(named, len(list), func(i int) []any {
		s := &list[i]
		at := last[s.Key]
		delete(last, s.Key)
		return []any{int64(s.Key), orEmpty(s.Tag), orEmpty(s.Name), at}
	})
	keys := make([]uint64, 0, len(last))
	for k := range last {
		keys = append(keys, k)
	}
	const seen = `INSERT INTO sessions (key, tag, name, last) VALUES (?, x'', x'', ?)
ON CONFLICT (key) DO UPDATE SET last = max(last, excluded.last)`
	w.each(seen, len(keys), func(i int) []any { return []any{int64(keys[i]), last[keys[i]]} })
}

func (w *writer) objects(list []Objects) {
	const query = `INSERT OR REPLACE INTO objects (key, first, count, segment, data) VALUES (?, ?, ?, ?, ?)`
	w.each(query, len(list), func(i int) []any {
		o := &list[i]
		return []any{int64(o.Key), int64(o.First), o.Count, int64(o.Segment), orEmpty(o.Data)}
	})
}

func (w *writer) secrets(list []Secret) {
	const query = `INSERT OR REPLACE INTO secrets (owner, entry, ref, key, segment, offset) VALUES (?, ?, ?, ?, ?, ?)`
	w.each(query, len(list), func(i int) []any {
		s := &list[i]
		return []any{int64(s.Owner), int64(s.Entry), int64(s.Ref), int64(s.Key), int64(s.At.Segment), s.At.Offset}
	})
}

func (w *writer) journal(list []Journal) {
	const query = `INSERT OR REPLACE INTO journal (entry, reading, segment, offset) VALUES (?, ?, ?, ?)`
	w.each(query, len(list), func(i int) []any {
		j := &list[i]
		return []any{int64(j.Entry), j.Reading, int64(j.At.Segment), j.At.Offset}
	})
}

// Drop forgets what stands in segments up to and with segment, whose files are
// gone: flows whose intent is there, parts, objects, secrets and the journal's there, parts of flows
// that are gone, and sessions of which nothing is left. A session that goes on
// after that must be given to Apply anew.
func (x *Index) Drop(segment uint64) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := x.drop(int64(segment)); err != nil {
		return fmt.Errorf("dropping segments from index: %w", mark(err))
	}
	return nil
}

func (x *Index) drop(segment int64) error {
	tx, err := x.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := &writer{tx: tx}
	w.exec("DELETE FROM flows WHERE intent_segment <= ?", segment)
	w.exec("DELETE FROM parts WHERE segment <= ? OR NOT EXISTS (SELECT 1 FROM flows WHERE id = parts.flow)", segment)
	w.exec("DELETE FROM objects WHERE segment <= ?", segment)
	w.exec("DELETE FROM secrets WHERE segment <= ?", segment)
	w.exec("DELETE FROM journal WHERE segment <= ?", segment)
	w.exec(`DELETE FROM sessions WHERE NOT EXISTS (SELECT 1 FROM flows WHERE flows.key = sessions.key)
	AND NOT EXISTS (SELECT 1 FROM objects WHERE objects.key = sessions.key)`)
	w.exec("DELETE FROM traits WHERE trait NOT IN (SELECT about FROM flows UNION SELECT path FROM flows UNION SELECT ending FROM flows UNION SELECT agent FROM flows)")
	if w.err != nil {
		return w.err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	clear(x.known)
	_, err = x.write.Exec("PRAGMA incremental_vacuum")
	x.checkpoint()
	return err
}

// orEmpty keeps a nil slice from becoming NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
