package index

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// After gives flows of a session that began with the one at hand or after it,
// limit at most, in the order of Flows. A started of 0 and no id is the beginning.
func (x *Index) After(key uint64, started int64, id string, limit int) ([]Flow, error) {
	return x.flows("WHERE key = ?1 AND started >= ?2 AND (started, id) >= (?2, ?3) ORDER BY started, id LIMIT ?4", int64(key), started, id, limit)
}

// Until gives the last flows of a session that began before the one at hand, limit
// at most, in the order of Flows.
func (x *Index) Until(key uint64, started int64, id string, limit int) ([]Flow, error) {
	list, err := x.flows("WHERE key = ?1 AND started <= ?2 AND (started, id) < (?2, ?3) ORDER BY started DESC, id DESC LIMIT ?4", int64(key), started, id, limit)
	slices.Reverse(list)
	return list, err
}

// Reach counts a session's turns, as Sums does, and gives when its first and its last
// flow started, in Unix ms.
func (x *Index) Reach(key uint64) (turns int, first, last int64, err error) {
	const q = "SELECT COALESCE(SUM(turn > 0 AND NOT retry), 0), COALESCE(MIN(started), 0), COALESCE(MAX(started), 0) FROM flows WHERE key = ?"
	err = query(x, q, []any{int64(key)}, func(r *sql.Rows) error { return r.Scan(&turns, &first, &last) })
	return turns, first, last, err
}

// PartsOf tells where the pieces of some flows' answers stand, in order.
func (x *Index) PartsOf(ids []flow.ID) (map[flow.ID][]Pos, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("encoding flows: %w", err)
	}
	all := map[flow.ID][]Pos{}
	const q = "SELECT flow, segment, offset FROM parts WHERE flow IN (SELECT value FROM json_each(?)) ORDER BY flow, segment, offset"
	err = query(x, q, []any{string(list)}, func(r *sql.Rows) error {
		var id flow.ID
		var segment int64
		var p Pos
		err := r.Scan(&id, &segment, &p.Offset)
		p.Segment = uint64(segment)
		all[id] = append(all[id], p)
		return err
	})
	return all, err
}
