package rewrite

import "bytes"

// span is where a character, or a part of its escape, lies in the provider's
// bytes.
type span struct {
	at, end int64
	event   int64 // start of the event that it came in
	char    int   // which character of the run it belongs to
}

// match finds tokens in the characters of one text. It holds no more than what
// may be the start of one.
type match struct {
	chars  []byte // a proper prefix of a token, or a whole one that stands for a number
	spans  []span // of chars, then of an escape that is not complete
	begins []int  // where chars begin in the decoded text
	value  Value
	whole  bool // chars is a token that stands for a number, and its string may end here
	quoted bool // the quote that opens the string comes right before chars
	open   span // that quote
	opened int  // where it stands in the decoded text
}

// found is a token in a text.
type found struct {
	token    string
	value    Value
	spans    []span
	from, to int  // in the decoded text
	bare     bool // the value takes the place of the quotes, too
}

// drop forgets what was held.
func (m *match) drop() {
	m.chars, m.spans, m.begins, m.quoted, m.whole = m.chars[:0], m.spans[:0], m.begins[:0], false, false
}

// part takes a piece of an escape that is not complete, or the last one.
func (m *match) part(s span) {
	s.char = len(m.chars)
	m.spans = append(m.spans, s)
}

// feed takes a character that stands at [from, to) of the decoded text and
// whose last piece is s. Offsets below free are gone.
func (m *match) feed(p Pseudonyms, c byte, s span, from, to int, free int64) (f found, ok bool) {
	if m.whole { // the string goes on: it is no number
		f, ok = m.take(from), true
	}
	m.part(s)
	m.chars, m.begins = append(m.chars, c), append(m.begins, from)
	if !m.starts() {
		m.shift()
	}
	for len(m.chars) > 1 {
		if v, known := p.Lookup(m.chars); known {
			m.value = v
			if m.whole = v.Number && m.quoted && m.open.at >= free && number(v.Text); m.whole {
				return f, ok
			}
			return m.take(to), true
		}
		if p.MayStart(m.chars) {
			return f, ok
		}
		m.shift()
	}
	return f, ok
}

// starts reports whether what is held may be the start of a token.
func (m *match) starts() bool {
	return len(m.chars) == 0 || m.chars[0] == 'Q' && (len(m.chars) == 1 || m.chars[1] == 'Z')
}

// shift forgets characters up to the next that may start a token.
func (m *match) shift() {
	m.cut(1)
	for !m.starts() {
		n := len(m.chars)
		if i := bytes.IndexByte(m.chars[1:], 'Q'); i >= 0 {
			n = i + 1
		}
		m.cut(n)
	}
}

// cut forgets the first n characters.
func (m *match) cut(n int) {
	k := 0
	for k < len(m.spans) && m.spans[k].char < n {
		k++
	}
	m.chars = m.chars[:copy(m.chars, m.chars[n:])]
	m.begins = m.begins[:copy(m.begins, m.begins[n:])]
	m.spans = m.spans[:copy(m.spans, m.spans[k:])]
	for i := range m.spans {
		m.spans[i].char -= n
	}
	m.quoted, m.whole = false, false
}

// take gives the token that is held, whose text ends at to, and forgets it.
func (m *match) take(to int) found {
	f := found{token: string(m.chars), value: m.value, from: m.begins[0], to: to}
	for _, s := range m.spans {
		if s.char < len(m.chars) {
			f.spans = append(f.spans, s)
		}
	}
	m.cut(len(m.chars))
	return f
}

// number gives the token that is a whole string, with the quotes around it.
func (m *match) number(close span, to int) found {
	open, opened := m.open, m.opened
	f := m.take(to)
	f.spans = append(append([]span{open}, f.spans...), close)
	f.from, f.bare = opened, true
	return f
}
