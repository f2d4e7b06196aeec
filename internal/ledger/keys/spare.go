package keys

import (
	"fmt"
	"maps"
	"slices"
)

// A new session would wait for two syncs, its key's and its first entry's: two thirds more
// than for one. So a user whose sessions keep coming has spares: session keys made and
// synced ahead, without a name. Who takes one names it by a slot of its own, behind, which
// need not be durable: what the session's entries say names it again after a crash.

// mostSpares is how many keys are made ahead for one user, at most.
const mostSpares = 256

// stock is what one user has of spares.
type stock struct {
	made   int      // sessions that were new since Open
	ready  []uint64 // durable and without a name
	coming int      // made and not yet durable
	asked  bool     // Restock is to make more
}

// fewFrom is after how many new sessions a user gets spares: most users of a gateway that
// somebody starts for an hour have one or two.
const fewFrom = 2

// aim is how many spares a user should have: as many as were needed so far.
func (s *stock) aim() int { return min(s.made, mostSpares) }

// stock is a user's.
func (r *Ring) stock(user uint64) *stock {
	s := r.stocks[user]
	if s == nil {
		s = &stock{}
		r.stocks[user] = s
	}
	return s
}

// count notes that a user has a session more.
func (r *Ring) count(user uint64) {
	s := r.stock(user)
	s.made++
	if s.made >= fewFrom && !s.asked && len(s.ready)+s.coming <= s.aim()/2 {
		s.asked = true
		r.low = append(r.low, user)
	}
}

// spare takes one of a user's spares.
func (r *Ring) spare(user uint64) (id uint64, ok bool) {
	s := r.stock(user)
	if len(s.ready) == 0 {
		return 0, false
	}
	last := len(s.ready) - 1
	id, s.ready = s.ready[last], s.ready[:last]
	return id, true
}

// Low reports whether a user's spares are to be filled up.
func (r *Ring) Low() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.low) > 0
}

// Restock makes the spares that are missing and all that is new durable. After an error
// the ring must not be used for writing again.
func (r *Ring) Restock() error {
	r.mu.Lock()
	low := r.low
	r.low = nil
	for _, user := range low {
		r.stock(user).asked = false // also of those that an error leaves for later
	}
	r.mu.Unlock()
	for _, user := range low {
		if err := r.fillUp(user); err != nil {
			return err
		}
	}
	return r.Flush()
}

// fillUp makes a user's spares one by one: sessions that begin don't wait for all of them.
func (r *Ring) fillUp(user uint64) error {
	r.mu.Lock()
	s := r.stock(user)
	n := s.aim() - len(s.ready) - s.coming
	r.mu.Unlock()
	for range n {
		if err := r.makeSpare(user); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ring) makeSpare(user uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	by, err := r.userKey(user)
	if err != nil {
		return err
	}
	if _, _, err := r.add(spare, user, by, [32]byte{}); err != nil {
		return err
	}
	r.stock(user).coming++
	return nil
}

// stocked takes a spare that is durable.
func (r *Ring) stocked(id, user uint64) {
	s := r.stock(user)
	s.ready = append(s.ready, id)
}

// name gives a spare a name.
func (r *Ring) name(id uint64, by []byte, hash [32]byte) error {
	_, _, err := r.add(naming, id, by, hash)
	return err
}

// called follows a name's slot to the session's key that has the name.
func (r *Ring) called(id uint64) (uint64, error) {
	s, err := r.slot(id)
	if err != nil || s.kind != naming {
		return id, err
	}
	of, err := r.slot(s.parent)
	if err != nil {
		return 0, err
	}
	if of.kind != spare {
		return 0, fmt.Errorf("key %d has a name twice", s.parent)
	}
	by, err := r.userKey(of.parent)
	if err != nil {
		return 0, err
	}
	if _, err := s.unwrap(id, by); err != nil {
		return 0, fmt.Errorf("the name of key %d is not its own: %w", s.parent, err)
	}
	return s.parent, nil
}

// Unnamed gives the spares that had no name when the ring was opened: those that nobody
// took, and those whose name a crash took. Each is to be told to Name or to Unused.
func (r *Ring) Unnamed() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.unnamed))
}

// Name gives a spare the name that its session's entries say.
func (r *Ring) Name(id uint64, principal, name string) error {
	hash := r.hash(session, principal, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	user, by, err := r.user(principal)
	if err != nil {
		return err
	}
	if r.unnamed[id] != user {
		return fmt.Errorf("key %d was not made for the user whose session has it", id)
	}
	delete(r.unnamed, id)
	return r.name(id, by, hash)
}

// Unused says that no entry is sealed with a spare.
func (r *Ring) Unused(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stocked(id, r.unnamed[id])
	delete(r.unnamed, id)
}
