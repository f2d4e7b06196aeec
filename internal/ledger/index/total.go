package index

import (
	"database/sql"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Total is what flows with the same traits, of one day, add up to.
type Total struct {
	Key   uint64 // of their session; 0 unless sessions were asked for
	Day   int64  // since 1970-01-01, in the zone that was asked for
	First int64  // Unix ms, when the first of them started
	Traits
	Flows, Turns int        // a retry shares its turn
	Usage        flow.Usage // Estimated when any of it is
	Cost         *float64   // US dollars, of the flows whose cost is known; nil: of none
	Unpriced     int        // flows with usage and without a known cost
}

// Totals adds up the flows that the filter chooses, whatever its Limit: by
// traits and day (offset is what the zone is ahead of UTC, in ms), and by session
// when asked for.
func (x *Index) Totals(f Filter, offset int64, sessions bool) ([]Total, error) {
	where, args := f.where()
	q := `SELECT CASE WHEN ? THEN key ELSE 0 END AS k, (started + ?) / 86400000 AS day, MIN(started), about, ending, COUNT(*), SUM(turn > 0 AND NOT retry),
	SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cache_write_1h), SUM(reasoning), MAX(estimated), SUM(cost),
	SUM(outcome <> 0 AND cost IS NULL AND input + output + cache_read + cache_write + reasoning > 0)
FROM flows WHERE ` + where + ` GROUP BY k, day, about, ending`
	var list []Total
	err := query(x, q, append([]any{sessions, offset}, args...), func(r *sql.Rows) error {
		var t Total
		var key, about, ending int64
		u := &t.Usage
		err := r.Scan(&key, &t.Day, &t.First, &about, &ending, &t.Flows, &t.Turns, &u.Input, &u.Output, &u.CacheRead, &u.CacheWrite,
			&u.CacheWrite1h, &u.Reasoning, &u.Estimated, &t.Cost, &t.Unpriced)
		t.Key, t.About, t.Ending = uint64(key), uint64(about), uint64(ending)
		list = append(list, t)
		return err
	})
	return list, err
}

// Begun gives, for every trait of an intent, the first flow of it that is a turn.
func (x *Index) Begun() (map[uint64]Place, error) {
	first := map[uint64]Place{}
	const q = "SELECT about, MIN(started), id FROM flows WHERE turn > 0 GROUP BY about" // id is that of the minimum's row
	err := query(x, q, nil, func(r *sql.Rows) error {
		var about int64
		var p Place
		err := r.Scan(&about, &p.Started, &p.ID)
		first[uint64(about)] = p
		return err
	})
	return first, err
}
