package index

import "slices"

// Oldest gives what Flows gives, but of it the oldest when there is a Limit: a page
// of those that come after a place.
func (x *Index) Oldest(f Filter) ([]Flow, error) {
	where, args := f.where()
	by := ""
	if f.After != nil {
		by = f.onward()
	}
	return x.flows(by+"WHERE "+where+" ORDER BY started, id LIMIT ?", append(args, f.limit())...)
}

// onward says how to go through flows part by part. Where a filter names many sessions
// or flows SQLite would look all of them up, and sort them, for each part; going through
// what started after a place looks at each flow once in all parts.
func (f *Filter) onward() string {
	if f.wide() {
		return "NOT INDEXED "
	}
	return ""
}

// wide reports whether a filter names many sessions or flows.
func (f *Filter) wide() bool {
	return len(f.Keys) > inline || f.Where != nil && f.Where.wide()
}

func (c *Cond) wide() bool {
	switch c.Op {
	case In:
		return c.Column == Key && len(c.Set) > inline
	case IsID:
		return len(c.IDs) > inline
	}
	return slices.ContainsFunc(c.Conds, func(d Cond) bool { return d.wide() })
}

// Recent gives the keys of the sessions that Sums adds up, in the same order.
func (x *Index) Recent(f Filter) ([]uint64, error) {
	where, args := f.sessions()
	keys, err := x.numbers(`SELECT key FROM sessions WHERE `+where+`
	AND EXISTS (SELECT 1 FROM flows WHERE flows.key = sessions.key) ORDER BY last DESC, key DESC LIMIT ?`, append(args, f.limit())...)
	slices.Reverse(keys)
	return keys, err
}
