package text

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
)

// Want is what a text must have: a term, all of several, or one of several.
type Want struct {
	Term     *Term
	All, Any []Want
}

// Query says which texts are looked for.
type Query struct {
	Want   Want
	Keys   []uint64 // of sessions, one of which it is in; nil: of any
	Before uint64   // came with an earlier entry; 0: all
	Since  int64    // of a flow that started then or later, Unix ms; 0: all
	Until  int64    // and then or earlier; 0: all
}

// Hit is a text that has the tokens of a query: the words of exact terms, but
// for one of a billion; of others only whoever reads it can tell.
type Hit struct {
	Text
	ID       string // of the flow that brought it; empty: it is not known any more
	Started  int64  // when that started, Unix ms
	IntentAt Place  // where its intent is
	month    *month
	doc      int64
}

// match says it in FTS5's language. No token has a quote in it.
func (s *Store) match(q *Query) string {
	b := s.want(nil, &q.Want)
	if q.Keys != nil && len(q.Keys) <= maxKeys {
		var any []token
		for _, k := range q.Keys {
			any = append(any, s.keyer.session(k))
		}
		b = oneOf(append(b, " AND "...), any)
	}
	return string(b)
}

func (s *Store) want(b []byte, w *Want) []byte {
	list, between := w.All, " AND "
	if w.Any != nil {
		list, between = w.Any, " OR "
	}
	b = append(b, '(')
	if w.Term != nil {
		for i, any := range s.keyer.query(w.Term) {
			if i > 0 {
				b = append(b, " AND "...)
			}
			b = oneOf(b, any)
		}
	}
	for i := range list {
		if i > 0 {
			b = append(b, between...)
		}
		b = s.want(b, &list[i])
	}
	return append(b, ')')
}

func oneOf(b []byte, any []token) []byte {
	b = append(b, '(')
	for i, t := range any {
		if i > 0 {
			b = append(b, " OR "...)
		}
		b = append(append(append(b, '"'), t[:]...), '"')
	}
	return append(b, ')')
}

// maxKeys bounds the sessions that one query may name to the index; with more of
// them each text is looked at.
const maxKeys = 256

// Find gives the texts that a query may mean, the newest first. It reads as far
// as it is asked to; until then no file is removed.
func (s *Store) Find(q Query) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if q.Keys != nil && len(q.Keys) == 0 {
			return
		}
		match := s.match(&q)
		var heads []*cursor
		defer func() {
			for _, c := range heads {
				c.close()
			}
		}()
		for _, m := range s.months {
			c := &cursor{m: m}
			if err := c.open(match, &q); err != nil {
				yield(Hit{}, fmt.Errorf("searching: %w", err))
				return
			}
			heads = append(heads, c)
		}
		for {
			var newest *cursor
			for _, c := range heads {
				if c.ok && (newest == nil || c.hit.Entry > newest.hit.Entry) {
					newest = c
				}
			}
			if newest == nil {
				return
			}
			hit := newest.hit
			if !yield(hit, nil) {
				return
			}
			if err := newest.next(); err != nil {
				yield(Hit{}, fmt.Errorf("searching: %w", err))
				return
			}
		}
	}
}

// cursor goes through the hits of one file.
type cursor struct {
	m    *month
	rows *sql.Rows
	keys map[uint64]bool
	hit  Hit
	ok   bool
}

const find = `SELECT docs.doc, docs.key, entry, flow, docs.segment, docs.offset, ref, part, veiled, role, kind,
	COALESCE(id, ''), COALESCE(started, 0), COALESCE(flows.segment, 0), COALESCE(flows.offset, 0)
FROM words CROSS JOIN docs ON docs.doc = words.rowid LEFT JOIN flows ON n = flow
WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ? AND (started IS NULL OR started BETWEEN ? AND ?)
ORDER BY words.rowid DESC`

func (c *cursor) open(match string, q *Query) error {
	if len(q.Keys) > maxKeys {
		c.keys = map[uint64]bool{}
		for _, k := range q.Keys {
			c.keys[k] = true
		}
	}
	first, err := c.m.since(q.Since)
	if err != nil {
		return err
	}
	end, err := c.m.end(q.Before)
	if err != nil {
		return err
	}
	until := q.Until
	if until == 0 {
		until = math.MaxInt64
	}
	if c.rows, err = c.m.read.Query(find, match, first, end, q.Since, until); err != nil {
		return c.m.marked(err)
	}
	return c.next()
}

// since gives the number of the first text that a flow brought which started
// then or later.
func (m *month) since(started int64) (int64, error) {
	if started == 0 {
		return 0, nil
	}
	var n int64
	if err := m.read.QueryRow("SELECT COALESCE(MIN(n), -1) FROM flows WHERE started >= ?", started).Scan(&n); err != nil {
		return 0, m.marked(err)
	}
	if n < 0 {
		return math.MaxInt64, nil
	}
	return m.end(uint64(n))
}

// end gives the number of the first text that came with an entry or later.
// Texts are numbered in the order of their entries.
func (m *month) end(before uint64) (int64, error) {
	lo, hi := int64(0), int64(0)
	if err := m.read.QueryRow("SELECT COALESCE(MAX(doc), 0) + 1 FROM docs").Scan(&hi); err != nil {
		return 0, m.marked(err)
	}
	for before != 0 && lo < hi {
		mid := lo + (hi-lo)/2
		var doc, entry int64
		err := m.read.QueryRow("SELECT doc, entry FROM docs WHERE doc >= ? ORDER BY doc LIMIT 1", mid).Scan(&doc, &entry)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && uint64(entry) >= before:
			hi = mid
		case err != nil:
			return 0, m.marked(err)
		default:
			lo = doc + 1
		}
	}
	return hi, nil
}

func (c *cursor) next() error {
	for c.rows.Next() {
		h := Hit{month: c.m}
		var key, entry, flow, segment, ref, intent int64
		err := c.rows.Scan(&h.doc, &key, &entry, &flow, &segment, &h.At.Offset, &ref, &h.At.Part, &h.Veiled, &h.Role, &h.Kind,
			&h.ID, &h.Started, &intent, &h.IntentAt.Offset)
		if err != nil {
			return c.m.marked(err)
		}
		h.Key, h.Entry, h.Flow, h.At.Segment, h.At.Ref = uint64(key), uint64(entry), uint64(flow), uint64(segment), uint64(ref)
		h.IntentAt.Segment = uint64(intent)
		if c.keys != nil && !c.keys[h.Key] {
			continue
		}
		c.hit, c.ok = h, true
		return nil
	}
	c.ok = false
	return c.m.marked(c.rows.Err())
}

func (c *cursor) close() {
	if c.rows != nil {
		c.rows.Close()
	}
}

// BroughtBy gives the number of the flow that brought a text to a session; false
// when the index does not have it.
func (s *Store) BroughtBy(key uint64, text string) (flow uint64, ok bool, err error) {
	_, hash, _ := s.keyer.tokens(key, text)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, m := range s.months {
		var n int64
		err := m.read.QueryRow("SELECT flow FROM docs WHERE hash = ?", hash).Scan(&n)
		if err == nil {
			return uint64(n), true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, false, fmt.Errorf("reading full text: %w", m.marked(err))
		}
	}
	return 0, false, nil
}

// Carried tells for each hit how often later flows sent it again. Hits of one session
// are counted together.
func (s *Store) Carried(hits []Hit) ([]Carrying, error) {
	out := make([]Carrying, len(hits))
	type session struct {
		m   *month
		key uint64
	}
	together := map[session][]int{}
	for i := range hits {
		at := session{hits[i].month, hits[i].Key}
		together[at] = append(together[at], i)
	}
	for at, list := range together {
		if err := at.m.carrying(at.key, hits, list, out); err != nil {
			return nil, fmt.Errorf("reading full text: %w", at.m.marked(err))
		}
	}
	return out, nil
}

func (m *month) carrying(key uint64, hits []Hit, list []int, out []Carrying) error {
	first := hits[list[0]].Flow
	all := make([]*follower, len(list))
	for i, at := range list {
		f, err := m.follow(&hits[at])
		if err != nil {
			return err
		}
		all[i], first = f, min(first, f.first)
	}
	rows, err := m.read.Query("SELECT n, id, carried FROM flows WHERE key = ? AND n >= ? ORDER BY n", int64(key), int64(first))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var id string
		var data sql.RawBytes
		if err := rows.Scan(&n, &id, &data); err != nil {
			return err
		}
		c, err := decodeCarried(data, uint64(n))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		for _, f := range all {
			f.take(uint64(n), id, &c)
		}
	}
	for i, at := range list {
		out[at] = all[i].Carrying
	}
	return rows.Err()
}

// follow gives the blocks that hold a text.
func (m *month) follow(h *Hit) (*follower, error) {
	f := &follower{doc: h.doc, first: h.Flow, blocks: map[uint64]struct{}{}}
	if h.At.Ref != 0 {
		f.blocks[h.At.Ref] = struct{}{}
	}
	rows, err := m.read.Query("SELECT ref FROM again WHERE doc = ? AND ref <> 0", h.doc)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var ref int64
		if err := rows.Scan(&ref); err != nil {
			return nil, err
		}
		f.blocks[uint64(ref)] = struct{}{}
	}
	return f, rows.Err()
}

// Figures are the size of an index.
type Figures struct {
	Texts int64
	Bytes int64
}

// Figures gives the index's size: texts, and bytes of its files.
func (s *Store) Figures() (f Figures, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, m := range s.months {
		var texts, pages, size int64
		for q, into := range map[string]*int64{"SELECT COUNT(*) FROM docs": &texts, "PRAGMA page_count": &pages, "PRAGMA page_size": &size} {
			if err := m.read.QueryRow(q).Scan(into); err != nil {
				return f, fmt.Errorf("reading full text: %w", m.marked(err))
			}
		}
		f.Texts += texts
		f.Bytes += pages * size
	}
	return f, nil
}
