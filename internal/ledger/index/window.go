package index

import "slices"

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
