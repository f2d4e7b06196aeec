package text

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Term is what to look for: words that follow each other. Where the query joins
// two of them (main.go, a_b) the text must, too. Make one with Parse.
type Term struct {
	words  []queried
	prefix bool // the last word may go on
}

type queried struct {
	text   []byte
	joined bool
	wide   bool
}

// The lengths of beginnings of words that are indexed, in characters.
var beginnings = [...]int{6, 3}

// ErrNoWord says that a query has no letter or digit.
var ErrNoWord = errors.New("there is no letter and no digit to search for")

// ErrShort says that a prefix is too short.
var ErrShort = fmt.Errorf("the beginning of a word needs %d characters", beginnings[len(beginnings)-1])

// Parse reads a term: one word, or several that follow each other. With prefix
// the last one is the beginning of a word.
func Parse(words string, prefix bool) (Term, error) {
	t := Term{prefix: prefix}
	Words(words, func(w Word) bool {
		r, _ := utf8.DecodeRune(w.Text)
		t.words = append(t.words, queried{bytes.Clone(w.Text), w.Joined && len(t.words) > 0, class(r) == wide})
		return len(t.words) < maxQueried
	})
	if len(t.words) == 0 {
		return t, ErrNoWord
	}
	if last := &t.words[len(t.words)-1]; last.wide {
		t.prefix = false // whatever follows it
	} else if prefix && utf8.RuneCount(last.text) < beginnings[len(beginnings)-1] {
		return t, ErrShort
	}
	return t, nil
}

// maxQueried bounds the words of a term; what follows in it is not looked for.
const maxQueried = 32

// Exact reports whether the index alone tells where the term stands.
func (t *Term) Exact() bool { return len(t.words) == 1 && !t.prefix }

// Span is where a term stands in a text.
type Span struct{ Start, End int }

// In gives where the term stands in a text, the first so many.
func (t *Term) In(text string, limit int) []Span {
	var found []Span
	m := matcher{t: t, starts: make([]int, len(t.words))}
	Words(text, func(w Word) bool {
		if start, ok := m.step(w); ok {
			found = append(found, Span{start, w.End})
		}
		return len(found) < limit
	})
	return found
}

// matcher follows the places where the term may be under way: bit i says that
// the words up to i stand in front of here.
type matcher struct {
	t      *Term
	state  uint32
	starts []int
}

func (m *matcher) step(w Word) (start int, ok bool) {
	last := len(m.t.words) - 1
	var next uint32
	for i := last; i >= 0; i-- {
		if i > 0 && m.state&(1<<(i-1)) == 0 || !m.fits(i, w) {
			continue
		}
		next |= 1 << i
		if i == 0 {
			m.starts[0] = w.Start
		} else {
			m.starts[i] = m.starts[i-1]
		}
	}
	m.state = next
	return m.starts[last], next&(1<<last) != 0
}

func (m *matcher) fits(i int, w Word) bool {
	q := &m.t.words[i]
	if q.joined && !w.Joined {
		return false
	}
	if i == len(m.t.words)-1 && m.t.prefix {
		return bytes.HasPrefix(w.Text, q.text)
	}
	return bytes.Equal(w.Text, q.text)
}
