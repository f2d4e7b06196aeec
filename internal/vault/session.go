package vault

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Session is the pseudonyms that were put into one session of a principal, and
// what they stand for. It is safe for concurrent use.
type Session struct {
	owner   *principal
	load    sync.Once
	loadErr error

	mu     sync.RWMutex
	values map[string]Value  // by pseudonym
	tokens map[string]string // by value: the pseudonym that the session knows it by
	sorted []string          // the pseudonyms; in order unless loose
	loose  bool
	number bool // one of them stands for a bare number
	weak   int  // values of low entropy
	bytes  int
}

// Bounds of a session. A page that lists thousands of candidates to see which
// pseudonym a model names must not get through them.
const (
	maxWeak   = 1000    // distinct values of low entropy
	maxValues = 1 << 14 // distinct values
	weakBits  = 64      // below so many bits a value can be guessed
)

// ErrTooMany says that a session has had more distinct values replaced than it
// may: the request must be blocked.
var ErrTooMany = errors.New("more values were found in this session than may be replaced")

func newSession(p *principal) *Session {
	return &Session{owner: p, values: map[string]Value{}, tokens: map[string]string{}}
}

func (s *Session) restore(store Store, principal, session string) error {
	entries, err := store.VaultIn(principal, session)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Pseudonym != "" {
			s.add(e.Pseudonym, Value{Text: e.Value, Rule: e.Rule, Origin: e.Origin, Number: e.Number})
		}
	}
	return nil
}

// Redact gives the pseudonym of a value, and makes it one that Lookup finds in
// this session. Before what it stands in is forwarded, the ledger must have it,
// and the vault must have learnt it: it comes back to the agent, which says it
// again.
func (s *Session) Redact(v Value) (string, error) {
	token := s.owner.pseudonym(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[token]; ok {
		return token, nil
	}
	if len(s.values) >= maxValues || guessable(v.Text) && s.weak >= maxWeak {
		return "", ErrTooMany
	}
	v.Text = bytes.Clone(v.Text) // it may be a piece of a long body
	s.add(token, v)
	return token, nil
}

// add is for who has the lock.
func (s *Session) add(token string, v Value) {
	if _, ok := s.values[token]; ok {
		return
	}
	s.values[token] = v
	s.number = s.number || v.Number
	if text := string(v.Text); s.tokens[text] == "" {
		s.tokens[text] = token
	}
	s.sorted, s.loose = append(s.sorted, token), true
	s.bytes += valueBytes + 2*len(v.Text) + 2*len(token)
	if guessable(v.Text) {
		s.weak++
	}
}

// Lookup gives the value that was replaced by a pseudonym in this session.
// number says that it stood there as a bare JSON number. The value must not be
// changed.
func (s *Session) Lookup(token []byte) (value []byte, number, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.values[string(token)]
	return v.Text, v.Number, ok
}

// Token gives the pseudonym that a value had first in this session, whoever's
// words it stood in then: a model that was told one says that one, and what it
// says comes back in the next request.
func (s *Session) Token(value []byte) (token string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	token, ok = s.tokens[string(value)]
	return token, ok
}

// MayStart reports whether a pseudonym of this session begins with suffix,
// which is not empty, and goes on after it. Of a quotation mark it reports
// whether one of them stands for a bare number: it stood in quotes, which go
// with it when it is restored.
func (s *Session) MayStart(suffix []byte) bool {
	if len(suffix) == 1 && suffix[0] == '"' {
		return s.numbers()
	}
	if len(suffix) == 0 || len(suffix) >= tokenSize {
		return false
	}
	if n := min(len(suffix), len(tokenMark)); string(suffix[:n]) != tokenMark[:n] {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for s.loose {
		s.mu.RUnlock()
		s.sort()
		s.mu.RLock()
	}
	i := sort.SearchStrings(s.sorted, string(suffix))
	return i < len(s.sorted) && strings.HasPrefix(s.sorted[i], string(suffix))
}

func (s *Session) numbers() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.number
}

func (s *Session) sort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sorted)
	s.loose = false
}

// Longest is the length of the longest pseudonym; 0: the session has none.
func (s *Session) Longest() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.values) == 0 {
		return 0
	}
	return tokenSize
}

func (s *Session) size() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return ownBytes + s.bytes
}

// guessable reports whether a value has few enough bits that somebody who can
// ask about candidates finds it: its length times the entropy of its bytes.
func guessable(text []byte) bool {
	var counts [256]int
	for _, c := range text {
		counts[c]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			bits -= float64(n) * math.Log2(float64(n)/float64(len(text)))
		}
	}
	return bits < weakBits
}
