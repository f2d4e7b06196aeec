package index

import (
	"database/sql"
	"math"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Total is what some flows with the same traits, of one day, add up to.
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

// stretch is how many flows are added up at a time: of each there may be a total.
var stretch = 20_000

// Totals adds up the flows that the filter chooses, whatever its Limit: by
// traits and day (offset is what the zone is ahead of UTC, in ms), and by session
// when asked for. What has the same of all these may come in several totals.
func (x *Index) Totals(f Filter, offset int64, sessions bool, each func(*Total) error) error {
	for from := int64(math.MinInt64); from < math.MaxInt64; {
		to, err := x.stretch(f, from)
		if err != nil {
			return err
		}
		list, err := x.totals(f, from, to, offset, sessions)
		if err != nil {
			return err
		}
		for i := range list {
			if err := each(&list[i]); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// stretch gives when the last of so many flows started that started after a time.
func (x *Index) stretch(f Filter, from int64) (to int64, err error) {
	where, args := f.where()
	to = math.MaxInt64
	err = query(x, "SELECT started FROM flows "+f.onward()+"WHERE "+where+" AND started > ? ORDER BY started LIMIT 1 OFFSET ?", append(args, from, stretch-1), func(r *sql.Rows) error {
		return r.Scan(&to)
	})
	return to, err
}

func (x *Index) totals(f Filter, from, to, offset int64, sessions bool) (list []Total, err error) {
	where, args := f.where()
	q := `SELECT CASE WHEN ? THEN key ELSE 0 END AS k, (started + ?) / 86400000 AS day, MIN(started), about, ending, COUNT(*), SUM(turn > 0 AND NOT retry),
	SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cache_write_1h), SUM(reasoning), MAX(estimated), SUM(cost),
	SUM(outcome <> 0 AND cost IS NULL AND input + output + cache_read + cache_write + reasoning > 0)
FROM flows ` + f.onward() + `WHERE ` + where + ` AND started > ? AND started <= ? GROUP BY k, day, about, ending`
	args = append(append([]any{sessions, offset}, args...), from, to)
	err = query(x, q, args, func(r *sql.Rows) error {
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
