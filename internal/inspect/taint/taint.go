// Package taint follows values through a session: which of those that stand in a
// call came first in words that nobody here wrote. A value is a word that can be
// told from prose: an address, a host, a name of a mailbox, a token, a number of
// some length. It keeps keyed hashes, never a text, and judges nothing.
//
// A host or a number in groups is known in all of its spellings. What a model writes
// in other words, in an encoding or in pieces is another value: that is out of its
// reach.
package taint

import (
	"hash/maphash"
	"sync"
)

// The rules of what a session did before. Each finding names both places: where
// the call stands, and where in the session its value, or the secret, came from.
const (
	Carried  = "taint.carried"  // a value that others wrote goes out, or into what a dangerous command does
	Followed = "taint.followed" // an address that others wrote is asked, as it is where links are followed
	Exit     = "taint.exit"     // something leaves a session that holds what is secret
)

// Rules lists their names.
func Rules() []string { return []string{Carried, Followed, Exit} }

// Memory is what one session has seen. The zero Memory is empty and ready. It is
// safe for concurrent use.
type Memory struct {
	mu    sync.Mutex
	words map[uint64]uint32 // hash → number of its origin; 0: it was seen elsewhere before
	from  uint32            // origins that were given out
	full  bool
}

// maxWords is how many different words are remembered of a session: some twenty
// thousand stand in a long one.
const maxWords = 1 << 15

// wordBytes is what a word takes in memory, about.
const wordBytes = 24

// hashes are keyed, so that no text can be made to look like another.
var seed = maphash.MakeSeed()

// Trust notes the words of a text that may be used as they are. It takes back
// nothing: who wrote a word first is not changed by who repeats it.
func (m *Memory) Trust(text []byte, json bool) { m.note(text, json, 0) }

// Taint notes the words of a text that nobody here wrote, and gives the number by
// which Look names it.
func (m *Memory) Taint(text []byte, json bool) (origin uint32) {
	m.mu.Lock()
	m.from++
	origin = m.from
	m.mu.Unlock()
	m.note(text, json, origin)
	return origin
}

func (m *Memory) note(text []byte, json bool, origin uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.words == nil {
		m.words = map[uint64]uint32{}
	}
	each(text, json, func(w Word) {
		h := w.hash()
		if _, ok := m.words[h]; ok {
			return
		}
		if len(m.words) == maxWords {
			m.full = true
			return
		}
		m.words[h] = origin
	})
}

// Hit is a word of a call that came first in a text that was noted by Taint.
type Hit struct {
	Word
	Origin uint32
}

// maxHits is how many hits of a text are told: one is enough to judge it.
const maxHits = 16

// Look gives the words of a text that came first where nobody here wrote, with
// their places.
func (m *Memory) Look(text []byte, json bool) (hits []Hit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from == 0 {
		return nil
	}
	each(text, json, func(w Word) {
		if origin := m.words[w.hash()]; origin > 0 && len(hits) < maxHits {
			hits = append(hits, Hit{w, origin})
		}
	})
	return hits
}

// LookHost is Look for the name of a host that need not stand in the call as it is
// reached: a shell puts it together, or it is written in another way.
func (m *Memory) LookHost(name string) (h Hit, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h.Word = Word{Kind: Host, Text: []byte(name)}
	h.Origin = m.words[h.hash()]
	return h, h.Origin > 0
}

// Full reports whether words were left out because there were too many.
func (m *Memory) Full() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.full
}

// Size is how many bytes of memory it takes, about.
func (m *Memory) Size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return wordBytes * len(m.words)
}
