package rewrite

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// laneKey says which text of an answer a piece belongs to. What the numbers
// mean is the dialect's business.
type laneKey struct {
	kind         uint8
	major, minor int64
}

// most lanes that are followed at a time. More come from a peer that means
// harm.
const most = 4096

// lane is one text of an answer while it comes: prose, or a tool's arguments.
type lane struct {
	r     *Rewriter
	tool  string // "": prose
	outer bool   // pieces are the insides of JSON strings; else they are JSON
	inner bool   // the text is JSON
	allow tri    // values may be restored where the lane stands

	track tracker
	match match
	waits bool

	keep  bool   // text is wanted
	text  []byte // as the model wrote it
	marks []mark // in text
	parts bool   // text is Gemini's pieces of arguments as they came, to be put together
	char  int    // where in text the character begins that is not complete

	link   link   // prose: the word that is written
	piece  []byte // that is read
	at     int    // in piece
	linked int    // how much of piece the link knows
}

// mark says what a stretch of a text was replaced by.
type mark struct {
	from, to int
	put      []byte
}

// tri is yes, no, or not asked yet.
type tri uint8

const (
	unasked tri = iota
	yes
	no
)

// lane gives the lane of a key, made by begin if there is none.
func (r *Rewriter) lane(k laneKey, begin func() *lane) *lane {
	if l := r.lanes[k]; l != nil {
		return l
	}
	if len(r.lanes) >= most {
		return nil
	}
	l := begin()
	r.lanes[k] = l
	return l
}

// prose makes a lane of text for the client to read.
func (r *Rewriter) prose() *lane { return &lane{r: r, outer: true} }

// named gives a tool's name, never that of prose.
func named(tool string) string { return cmp.Or(tool, "?") }

// arguments makes a lane of a tool's JSON arguments that come as a string.
func (r *Rewriter) arguments(tool string) *lane {
	return &lane{r: r, tool: named(tool), outer: true, inner: true, keep: r.o.Hold}
}

// input makes a lane of a tool's free text.
func (r *Rewriter) input(tool string) *lane {
	return &lane{r: r, tool: named(tool), outer: true, keep: r.o.Hold}
}

// object makes a lane of a tool's arguments that come as a JSON value.
func (r *Rewriter) object(tool string) *lane {
	return &lane{r: r, tool: named(tool), inner: true, keep: r.o.Hold}
}

// whole reads a text that comes in one piece.
func (r *Rewriter) whole(l *lane, e *event, raw []byte) *lane {
	if l.tool != "" && l.outer && value(raw) {
		l = r.object(l.tool)
	}
	l.feed(e, raw)
	l.close()
	return l
}

// value reports whether arguments come as they are, and not in a string as their API says:
// some servers send them so, and clients take them.
func value(raw []byte) bool { return peek.IsObject(raw) || peek.IsArray(raw) }

// add feeds the next piece of a tool's text, or all of it as a value.
func (l *lane) add(e *event, raw []byte) {
	if !value(raw) {
		l.feed(e, raw)
		return
	}
	w, at := l.r.whole(l.r.object(l.tool), e, raw), len(l.text)
	for _, m := range w.marks {
		l.marks = append(l.marks, mark{at + m.from, at + m.to, m.put})
	}
	l.text = append(l.text, w.text...)
}

// close ends the text of a key: what was held is no token.
func (r *Rewriter) close(k laneKey) {
	if l := r.lanes[k]; l != nil {
		l.close()
		r.forget(l)
		delete(r.lanes, k)
	}
}

func (r *Rewriter) closeAll() {
	for k := range r.lanes {
		r.close(k)
	}
}

// giveUp lets all go that may yet become tokens: too much is held for them.
func (r *Rewriter) giveUp() {
	for len(r.waits) > 0 {
		l := r.waits[0]
		l.match.drop()
		l.waits, r.waits = false, r.waits[1:]
	}
}

// since gives the start of the event from which on the lane holds.
func (l *lane) since() int64 {
	m := &l.match
	if len(m.spans) == 0 || m.quoted && l.r.numbers {
		return m.open.event
	}
	return m.spans[0].event
}

// wait notes whether the lane holds.
func (l *lane) wait() {
	m := &l.match
	now := len(m.chars) > 0 || len(m.spans) > 0 && l.track.partial() || m.quoted && l.r.numbers
	if now == l.waits {
		return
	}
	l.waits = now
	if now {
		l.r.waits = append(l.r.waits, l)
		return
	}
	l.r.waits = slices.DeleteFunc(l.r.waits, func(w *lane) bool { return w == l })
}

func (l *lane) close() {
	if l.match.whole {
		l.restore(l.match.take(len(l.text)))
	}
	l.match.drop()
	l.wait()
}

// allowed reports whether a value may be put in here.
func (l *lane) allowed() bool {
	switch {
	case l.r.o.Pseudonyms == nil:
		return false
	case l.prosaic():
		l.link.add(l.piece[l.linked:l.at])
		l.linked = l.at
		return l.r.text && !l.link.leaves()
	case l.allow == unasked:
		l.allow = no
		if l.r.o.Restore(l.tool, l.track.path()) {
			l.allow = yes
		}
	}
	return l.allow == yes
}

// feed takes the next piece: raw is a JSON string or, where the lane has no
// outer one, a JSON value.
func (l *lane) feed(e *event, raw []byte) {
	text := raw
	l.r.said += len(raw)
	if l.outer {
		if len(raw) < 2 || raw[0] != '"' {
			return
		}
		text = raw[1 : len(raw)-1]
	}
	switch {
	case l.prosaic() && !l.r.text:
		return
	case l.prosaic():
		l.linked = 0
		l.bytes(e, text)
		l.link.add(text[l.linked:])
	case l.keep || l.inner || l.allowed():
		l.bytes(e, text)
	}
	l.wait()
}

// prosaic reports whether the lane is text for the client to read.
func (l *lane) prosaic() bool { return l.tool == "" && !l.inner }

// bytes takes the text character by character, where it matters.
func (l *lane) bytes(e *event, text []byte) {
	base := cap(e.data) - cap(text)
	l.piece = text
	skip := skipper{text: text, slash: -1, q: -1, quote: -1, string: l.outer}
	for i := 0; i < len(text); {
		if l.dull() {
			n := skip.from(i)
			if l.keep {
				l.text = append(l.text, text[i:n]...)
			}
			if i = n; i == len(text) {
				return
			}
		}
		c, width := text[i], 1
		if l.outer {
			c, width = unit(text[i:])
		}
		from := len(l.text)
		if l.keep {
			l.text = appendUnit(l.text, text[i:i+width], l.outer)
		}
		l.at = i
		at := e.at(base + i)
		l.byte(c, span{at: at, end: at + int64(width), event: e.start}, from)
		i += width
	}
}

// dull reports whether characters matter only from the next Q, or the string's
// end, on.
func (l *lane) dull() bool {
	m := &l.match
	return len(m.spans) == 0 && !m.quoted && (!l.inner || l.track.state == inText && !l.track.isKey)
}

// skipper finds the next byte of a text that matters. Each byte is searched
// once for each of them.
type skipper struct {
	text            []byte
	slash, q, quote int
	string          bool // the text is the inside of a string: no quote ends it
}

func (s *skipper) from(i int) int {
	s.slash = s.next(i, s.slash, '\\')
	s.q = s.next(i, s.q, 'Q')
	if s.string {
		return min(s.slash, s.q)
	}
	s.quote = s.next(i, s.quote, '"')
	return min(s.slash, s.q, s.quote)
}

// next gives the next c from i on, which is known when it lies there.
func (s *skipper) next(i, known int, c byte) int {
	if known >= i {
		return known
	}
	if j := bytes.IndexByte(s.text[i:], c); j >= 0 {
		return i + j
	}
	return len(s.text)
}

// byte takes a byte of the decoded text, or other for a character that is
// longer.
func (l *lane) byte(c byte, s span, from int) {
	if !l.inner {
		l.character(c, s, from)
		return
	}
	if l.track.state != inEscape {
		l.char = from
	}
	m := &l.match
	what, c := l.track.step(c)
	switch what {
	case opens:
		m.drop()
		l.allow = unasked
		m.quoted, m.open, m.opened = !l.r.numbers || l.allowed(), s, from
	case part:
		if len(m.chars) > 0 || l.allowed() {
			m.part(s)
		}
	case char:
		l.character(c, s, l.char)
	case closes:
		if m.whole {
			l.restore(m.number(s, len(l.text)))
		}
		m.drop()
	case structure:
		m.drop()
	}
}

func (l *lane) character(c byte, s span, from int) {
	m := &l.match
	if len(m.chars) == 0 && (c != 'Q' || !l.allowed()) {
		m.drop()
		return
	}
	if f, ok := m.feed(l.r.o.Pseudonyms, c, s, from, len(l.text), l.r.free); ok {
		l.restore(f)
	}
}

// restore puts the value in place of its token: the first piece is replaced,
// the others are cut.
func (l *lane) restore(f found) {
	level, inside := uint8(0), uint8(0)
	if !f.bare {
		level, inside = l.levels()
	}
	put := Escape(nil, f.value.Text, level)
	e := Edit{At: f.spans[0].at, Put: put, Token: f.token, Escape: level}
	for i, s := range f.spans {
		if i > 0 && s.at != e.At+e.Cut {
			l.r.edit(e)
			e = Edit{At: s.at}
		}
		e.Cut = s.end - e.At
	}
	l.r.edit(e)
	l.r.count(f.token)
	if l.keep {
		l.marks = append(l.marks, mark{f.from, f.to, Escape(nil, f.value.Text, inside)})
	}
}

// levels gives how often a value is escaped in the provider's bytes, and in the
// decoded text.
func (l *lane) levels() (level, inside uint8) {
	if l.inner {
		inside = 1
	}
	level = inside
	if l.outer {
		level++
	}
	return level, inside
}

// restored gives the text with values in it, as the client gets it.
func (l *lane) restored() string {
	var out []byte
	at := 0
	for _, m := range l.marks {
		out = append(append(out, l.text[at:m.from]...), m.put...)
		at = m.to
	}
	return string(append(out, l.text[at:]...))
}
