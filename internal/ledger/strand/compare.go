package strand

import "github.com/workingagents/gatehouse/internal/ledger/object"

// Change is what the blocks of a field are against those of an earlier one.
type Change struct {
	Kept    int
	New     []Block // in their order
	Removed int
	First   int   // index, among the earlier ones, of the first that does not stand where it stood; -1: all do
	Was     Block // that one
}

// Shared gives how many blocks two fields begin with alike, as far as their chains
// tell it: fewer where a marker moved.
func (r *Reader) Shared(a, b *Field) (blocks int, err error) {
	if !alike(a, b) {
		return 0, nil
	}
	c, err := r.Compare(a, b)
	if c.First >= 0 {
		return c.First, err
	}
	return c.Kept, err
}

// alike reports whether two fields may begin alike.
func alike(a, b *Field) bool {
	if a == nil || b == nil {
		return false
	}
	if a.tip != 0 && b.tip != 0 {
		return a.end.root == b.end.root
	}
	return a.tip == b.tip
}

// Compare says what a field has that an earlier one had not; each may be nil.
func (r *Reader) Compare(was, now *Field) (Change, error) {
	above, base := r.fork(was, now)
	before, err := r.after(was, above)
	if err != nil {
		return Change{}, err
	}
	after, err := r.after(now, above)
	if err != nil {
		return Change{}, err
	}
	n := 0
	for n < len(before) && n < len(after) && before[n].Key == after[n].Key {
		n++
	}
	c := Change{Kept: base + n, First: -1}
	if n < len(before) {
		c.First, c.Was = base+n, before[n]
	}
	c.rest(before[n:], after[n:])
	return c, nil
}

// rest sorts what stands behind the first difference: what was moved is kept.
func (c *Change) rest(before, after []Block) {
	had := make(map[uint64]int, len(before))
	for i := range before {
		had[before[i].Key]++
	}
	for _, b := range after {
		if had[b.Key] > 0 {
			had[b.Key]--
			c.Kept++
			continue
		}
		c.New = append(c.New, b)
	}
	for _, n := range had {
		c.Removed += n
	}
}

// fork gives the last node that two fields have in common, and how many blocks
// end there or before. A node's number is above its parent's.
func (r *Reader) fork(a, b *Field) (object.Ref, int) {
	if a == nil || b == nil || a.tip == 0 || b.tip == 0 || a.end.root != b.end.root {
		return 0, 0
	}
	x, y := a.tip, b.tip
	for x != y {
		if x > y {
			x = r.knots[x].parent
		} else {
			y = r.knots[y].parent
		}
	}
	if x == 0 {
		return 0, 0
	}
	return x, r.knots[x].blocks
}
