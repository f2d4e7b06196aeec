package index

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

const flowColumns = `SELECT id, started, key, about, path, intent, intent_segment, intent_offset, agent, turn, retry, request_bytes, ` + endColumns + ` FROM flows `

// Mark tells how far the index has come.
func (x *Index) Mark() (Mark, error) {
	var m Mark
	err := query(x, "SELECT entry, segment, offset, last, tag FROM mark", nil, func(r *sql.Rows) error {
		var entry, segment int64
		var tag []byte
		err := r.Scan(&entry, &segment, &m.Offset, &m.Last, &tag)
		m.Entry, m.Segment = uint64(entry), uint64(segment)
		copy(m.Tag[:], tag)
		return err
	})
	return m, err
}

// Flows gives the flows that the filter chooses, in the order in which they
// started (then by id), the newest last.
func (x *Index) Flows(f Filter) ([]Flow, error) {
	where, args := f.where()
	list, err := x.flows("WHERE "+where+" ORDER BY started DESC, id DESC LIMIT ?", append(args, f.limit())...)
	slices.Reverse(list)
	return list, err
}

// Count tells how many flows the filter chooses, whatever its Limit.
func (x *Index) Count(f Filter) (n int, err error) {
	where, args := f.where()
	err = query(x, "SELECT COUNT(*) FROM flows WHERE "+where, args, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// SessionKeys gives the keys of all sessions.
func (x *Index) SessionKeys() ([]uint64, error) {
	return x.numbers("SELECT key FROM sessions")
}

func (x *Index) numbers(q string, args ...any) ([]uint64, error) {
	var list []uint64
	err := query(x, q, args, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		list = append(list, uint64(n))
		return err
	})
	return list, err
}

// Traits calls each with every trait.
func (x *Index) Traits(each func(Trait) error) error {
	return query(x, "SELECT trait, data FROM traits", nil, func(r *sql.Rows) error {
		var id int64
		var t Trait
		if err := r.Scan(&id, &t.Data); err != nil {
			return err
		}
		t.ID = uint64(id)
		return each(t)
	})
}

// Trait gives one trait's data; nil: it is not in.
func (x *Index) Trait(id uint64) (data []byte, err error) {
	err = query(x, "SELECT data FROM traits WHERE trait = ?", []any{int64(id)}, func(r *sql.Rows) error { return r.Scan(&data) })
	return data, err
}

// Sessions calls each with every session.
func (x *Index) Sessions(each func(Session) error) error {
	return query(x, "SELECT key, tag, name FROM sessions", nil, func(r *sql.Rows) error {
		var key int64
		var s Session
		if err := r.Scan(&key, &s.Tag, &s.Name); err != nil {
			return err
		}
		s.Key = uint64(key)
		return each(s)
	})
}

// Session gives one session; ok is false when there is none with that key. Without a name,
// nothing but its flows is known.
func (x *Index) Session(key uint64) (s Session, ok bool, err error) {
	s.Key = key
	err = query(x, "SELECT tag, name FROM sessions WHERE key = ?", []any{int64(key)}, func(r *sql.Rows) error {
		ok = true
		return r.Scan(&s.Tag, &s.Name)
	})
	return s, ok, err
}

// Find gives the flows whose id begins with prefix, two at most: enough to say
// that it is not unique.
func (x *Index) Find(prefix string) ([]Flow, error) {
	return x.flows("WHERE id >= ? AND id < ? ORDER BY id LIMIT 2", prefix, prefix+"\U0010ffff")
}

// Unended gives the flows that have no outcome, oldest first.
func (x *Index) Unended() ([]Flow, error) {
	return x.flows("WHERE outcome = 0 ORDER BY started, id")
}

func (x *Index) flows(where string, args ...any) ([]Flow, error) {
	var list []Flow
	err := query(x, flowColumns+where, args, func(r *sql.Rows) error {
		f, err := scanFlow(r)
		list = append(list, f)
		return err
	})
	return list, err
}

func scanFlow(r *sql.Rows) (Flow, error) {
	var f Flow
	var key, about, path, ending, intent, segment, agent, outcome, ended int64
	u := &f.Usage
	err := r.Scan(&f.ID, &f.Started, &key, &about, &path, &intent, &segment, &f.IntentAt.Offset, &agent, &f.Turn,
		&f.Retry, &f.RequestBytes, &outcome, &ended, &f.OutcomeAt.Offset, &ending, &f.ResponseBytes,
		&u.Input, &u.Output, &u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.Reasoning, &u.Estimated, &f.Cost, &f.FirstByte, &f.Duration)
	f.Key, f.Intent, f.Agent, f.Outcome = uint64(key), uint64(intent), uint64(agent), uint64(outcome)
	f.IntentAt.Segment, f.OutcomeAt.Segment = uint64(segment), uint64(ended)
	f.About, f.Path, f.Ending = uint64(about), uint64(path), uint64(ending)
	return f, err
}

// Parts tells where the pieces of a flow's answer stand, in order.
func (x *Index) Parts(id flow.ID) ([]Pos, error) {
	var list []Pos
	err := query(x, "SELECT segment, offset FROM parts WHERE flow = ? ORDER BY segment, offset", []any{string(id)}, func(r *sql.Rows) error {
		var segment int64
		var p Pos
		err := r.Scan(&segment, &p.Offset)
		p.Segment = uint64(segment)
		list = append(list, p)
		return err
	})
	return list, err
}

// Objects gives a session's object directory, ordered by First.
func (x *Index) Objects(key uint64) ([]Objects, error) {
	var list []Objects
	err := query(x, "SELECT first, count, segment, data FROM objects WHERE key = ? ORDER BY first", []any{int64(key)}, func(r *sql.Rows) error {
		var first, segment int64
		o := Objects{Key: key}
		err := r.Scan(&first, &o.Count, &segment, &o.Data)
		o.First, o.Segment = uint64(first), uint64(segment)
		list = append(list, o)
		return err
	})
	return list, err
}

// Secrets gives the newest values of a vault, limit at most, the newest last;
// those of one session when key is not 0. It then looks at all of the vault's:
// an index by session would take a page in every folder.
func (x *Index) Secrets(owner, key uint64, limit int) ([]Secret, error) {
	var list []Secret
	const q = `SELECT key, ref, entry, segment, offset FROM secrets WHERE owner = ?1 AND (?2 = 0 OR key = ?2)
ORDER BY entry DESC, ref DESC LIMIT ?3`
	err := query(x, q, []any{int64(owner), int64(key), limit}, func(r *sql.Rows) error {
		var key, ref, entry, segment int64
		s := Secret{Owner: owner}
		err := r.Scan(&key, &ref, &entry, &segment, &s.At.Offset)
		s.Key, s.Ref, s.Entry, s.At.Segment = uint64(key), uint64(ref), uint64(entry), uint64(segment)
		list = append(list, s)
		return err
	})
	slices.Reverse(list)
	return list, err
}

// Journal gives the newest entries of the journal before an entry (0: the newest
// of all), limit at most, the newest last; readings says which kind, nil both.
func (x *Index) Journal(before uint64, limit int, readings *bool) ([]Journal, error) {
	var list []Journal
	const q = `SELECT entry, reading, segment, offset FROM journal WHERE (?1 = 0 OR entry < ?1) AND (?2 IS NULL OR reading = ?2)
ORDER BY entry DESC LIMIT ?3`
	err := query(x, q, []any{int64(before), readings, Filter{Limit: limit}.limit()}, func(r *sql.Rows) error {
		var entry, segment int64
		var j Journal
		err := r.Scan(&entry, &j.Reading, &segment, &j.At.Offset)
		j.Entry, j.At.Segment = uint64(entry), uint64(segment)
		list = append(list, j)
		return err
	})
	slices.Reverse(list)
	return list, err
}

// Tagged gives the keys of the sessions that have a tag, in the order in which
// they were last at work.
func (x *Index) Tagged(tag []byte) ([]uint64, error) {
	return x.numbers("SELECT key FROM sessions WHERE tag = ? ORDER BY last, key", orEmpty(tag))
}

// Turns counts a session's turns, as Sums does, and gives when its last flow
// started.
func (x *Index) Turns(key uint64) (turns int, last int64, err error) {
	const q = "SELECT COALESCE(SUM(turn > 0 AND NOT retry), 0), COALESCE(MAX(started), 0) FROM flows WHERE key = ?"
	err = query(x, q, []any{int64(key)}, func(r *sql.Rows) error { return r.Scan(&turns, &last) })
	return turns, last, err
}

// Sums gives the sessions that have a flow that the filter chooses, and what
// all their flows add up to, the one last at work last. Limit counts sessions.
func (x *Index) Sums(f Filter) ([]Sum, error) {
	where, args := f.sessions()
	q := `WITH chosen AS (SELECT key, tag, name, last FROM sessions WHERE ` + where + `
	AND EXISTS (SELECT 1 FROM flows WHERE flows.key = sessions.key) ORDER BY last DESC, key DESC LIMIT ?)
SELECT chosen.key, tag, name, about, ending, COUNT(*), SUM(turn > 0 AND NOT retry), MIN(started), MAX(started),
	MAX(started + CASE WHEN outcome <> 0 THEN duration / 1000 ELSE 0 END),
	SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cache_write_1h), SUM(reasoning), MAX(estimated), SUM(cost),
	SUM(outcome <> 0 AND cost IS NULL AND input + output + cache_read + cache_write + reasoning > 0),
	json_group_array(DISTINCT agent) FILTER (WHERE agent <> 0)
FROM chosen JOIN flows ON flows.key = chosen.key GROUP BY chosen.last, chosen.key, about, ending ORDER BY chosen.last, chosen.key, about, ending`
	var list []Sum
	agents := map[int64]bool{} // of the last one
	err := query(x, q, append(args, f.limit()), func(r *sql.Rows) error {
		part, by, err := scanSum(r)
		if err != nil {
			return err
		}
		if n := len(list); n > 0 && list[n-1].Key == part.Key {
			list[n-1].add(&part)
		} else {
			list = append(list, part)
			clear(agents)
		}
		for _, agent := range by {
			agents[agent] = true
		}
		list[len(list)-1].Agents = len(agents)
		return nil
	})
	return list, err
}

// scanSum reads what those flows of a session add up to that have the same traits, and
// their sub-agents.
func scanSum(r *sql.Rows) (s Sum, agents []int64, err error) {
	var key, about, ending int64
	var list string
	u := &s.Usage
	err = r.Scan(&key, &s.Tag, &s.Name, &about, &ending, &s.Flows, &s.Turns, &s.First, &s.Last, &s.Ended, &u.Input, &u.Output, &u.CacheRead, &u.CacheWrite,
		&u.CacheWrite1h, &u.Reasoning, &u.Estimated, &s.Cost, &s.Unpriced, &list)
	if err != nil {
		return s, nil, err
	}
	s.Key = uint64(key)
	s.Served = []Served{{Traits{uint64(about), uint64(ending)}, s.Flows}}
	err = json.Unmarshal([]byte(list), &agents)
	return s, agents, err
}

// add adds further flows of the session, but for their sub-agents.
func (s *Sum) add(more *Sum) {
	s.Flows, s.Turns, s.Unpriced = s.Flows+more.Flows, s.Turns+more.Turns, s.Unpriced+more.Unpriced
	s.First, s.Last, s.Ended = min(s.First, more.First), max(s.Last, more.Last), max(s.Ended, more.Ended)
	u, w := &s.Usage, &more.Usage
	u.Input, u.Output, u.CacheRead, u.CacheWrite = u.Input+w.Input, u.Output+w.Output, u.CacheRead+w.CacheRead, u.CacheWrite+w.CacheWrite
	u.CacheWrite1h, u.Reasoning, u.Estimated = u.CacheWrite1h+w.CacheWrite1h, u.Reasoning+w.Reasoning, u.Estimated || w.Estimated
	if more.Cost != nil {
		sum := *more.Cost
		if s.Cost != nil {
			sum += *s.Cost
		}
		s.Cost = &sum
	}
	s.Served = append(s.Served, more.Served...)
}

// limit is SQLite's: -1 is none.
func (f Filter) limit() int {
	if f.Limit <= 0 {
		return -1
	}
	return f.Limit
}

// query reads rows on one of the reading connections.
func query(x *Index, q string, args []any, row func(*sql.Rows) error) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	rows, err := x.read.Query(q, args...)
	if err != nil {
		return fmt.Errorf("reading index: %w", mark(err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("reading index: %w", mark(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading index: %w", mark(err))
	}
	return nil
}
