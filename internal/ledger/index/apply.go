package index

import (
	"database/sql"
	"fmt"
	"runtime"

	"github.com/workingagents/gatehouse/internal/flow"
)

// kind is the three strings that most flows share.
type kind struct {
	provider flow.Provider
	api      flow.API
	model    string
}

// maxKinds bounds the kinds that are remembered: models are named by clients.
const maxKinds = 4096

// maxName is how many bytes of a model's name are kept.
const maxName = 256

// Apply takes a batch in, all of it or nothing. Taking in entries that are in
// already changes nothing; the outcome or a part of a flow that is not in (its
// intent was dropped) is left out.
func (x *Index) Apply(b *Batch) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := x.apply(b); err != nil {
		clear(x.kinds) // some may be of the transaction that was rolled back
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
	w := &writer{tx: tx, kinds: x.kinds}
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
	kinds map[kind]int64
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

// endColumns are what an outcome sets, in the order of endArgs.
const endColumns = `outcome, outcome_segment, outcome_offset, state, status, response_bytes,
	input, output, cache_read, cache_write, cache_write_1h, reasoning, estimated, tier, cost, duration`

const endMarks = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

func endArgs(args []any, entry uint64, at Pos, e *End) []any {
	state := e.State
	if state == "" {
		state = flow.Open
	}
	u := &e.Usage
	return append(args, int64(entry), int64(at.Segment), at.Offset, string(state), e.Status, e.ResponseBytes,
		u.Input, u.Output, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.Reasoning, u.Estimated, u.Tier, e.Cost, e.DurationMS)
}

// flows upserts: an intent that comes again never undoes the outcome that came
// since.
func (w *writer) flows(list []Flow) {
	const query = `INSERT INTO flows (id, started, key, kind, intent, intent_segment, intent_offset, agent, verdict, turn, retry,
	request_bytes, served, ` + endColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ` + endMarks + `)
ON CONFLICT (id) DO UPDATE SET (served, ` + endColumns + `) = (excluded.served, ` + excludedEnd + `)
	WHERE excluded.outcome <> 0`
	args := make([]any, 0, 32)
	w.each(query, len(list), func(i int) []any {
		f := &list[i]
		model := cut(f.Model)
		var served any = cut(f.Served)
		if served == model {
			served = nil
		}
		args = append(args[:0], string(f.ID), f.Started, int64(f.Key), w.kind(kind{f.Provider, f.API, model}), int64(f.Intent),
			int64(f.IntentAt.Segment), f.IntentAt.Offset, int64(f.Agent), int(f.Verdict), f.Turn, f.Retry, f.RequestBytes, served)
		return endArgs(args, f.Outcome, f.OutcomeAt, &f.End)
	})
}

const excludedEnd = `excluded.outcome, excluded.outcome_segment, excluded.outcome_offset, excluded.state, excluded.status,
	excluded.response_bytes, excluded.input, excluded.output, excluded.cache_read, excluded.cache_write, excluded.cache_write_1h,
	excluded.reasoning, excluded.estimated, excluded.tier, excluded.cost, excluded.duration`

// kind gives the number of a kind and enters a new one.
func (w *writer) kind(k kind) int64 {
	if n, ok := w.kinds[k]; ok {
		return n
	}
	w.exec("INSERT OR IGNORE INTO kinds (provider, api, model) VALUES (?, ?, ?)", string(k.provider), string(k.api), k.model)
	if w.err != nil {
		return 0
	}
	var n int64
	w.err = w.tx.QueryRow("SELECT kind FROM kinds WHERE provider = ? AND api = ? AND model = ?", string(k.provider), string(k.api), k.model).Scan(&n)
	if len(w.kinds) >= maxKinds {
		clear(w.kinds)
	}
	w.kinds[k] = n
	return n
}

func (w *writer) ended(list []Ended) {
	const query = `UPDATE flows SET (` + endColumns + `) = (` + endMarks + `),
	served = NULLIF(?, (SELECT model FROM kinds WHERE kinds.kind = flows.kind)) WHERE id = ?`
	args := make([]any, 0, 32)
	w.each(query, len(list), func(i int) []any {
		e := &list[i]
		args = endArgs(args[:0], e.Outcome, e.OutcomeAt, &e.End)
		return append(args, cut(e.Served), string(e.ID))
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
	w.exec("DELETE FROM kinds WHERE kind NOT IN (SELECT kind FROM flows)")
	if w.err != nil {
		return w.err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	clear(x.kinds)
	_, err = x.write.Exec("PRAGMA incremental_vacuum")
	x.checkpoint()
	return err
}

// cut bounds a name that a client or a provider chose.
func cut(name string) string { return name[:min(len(name), maxName)] }

// orEmpty keeps a nil slice from becoming NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
