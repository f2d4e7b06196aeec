// Package splice replaces values in JSON, or in other text, by edits of the
// original bytes: an edited JSON text is JSON again and says the same but for
// what was replaced; every byte outside of the edits stays. It does not decide
// what is replaced, and never writes JSON of its own.
package splice

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Kind says where a value stands.
type Kind uint8

// The kinds.
const (
	String Kind = iota // within a JSON string, a name or a value: the text is escaped
	Number             // a bare number, or some of its digits: the whole number becomes a string
	Raw                // not JSON: the text is put as it is
)

// Change asks for one replacement: the bytes [Start,End) by Text.
type Change struct {
	Start, End int // offsets in the body; of a String in whole characters and escapes
	Kind       Kind
	Text       []byte // as it is to be read; UTF-8 unless Raw. Empty takes the value out
}

// Edit is a change of the bytes themselves: Cut bytes at At go, and Put comes.
type Edit struct {
	At, Cut int64
	Put     []byte
}

// Errors of changes that can't be made. State: nothing was changed.
var (
	ErrOverlap = errors.New("two changes overlap")
	ErrRange   = errors.New("a change is not within the body")
	ErrPlace   = errors.New("a change does not stand where its kind says")
	ErrText    = errors.New("a replacement can't be written there")
)

// Edits turns changes into edits in the order of their places, apart from each
// other. Body is a JSON text, or a stretch of one that begins and ends outside
// of strings, as far as the kinds of the changes ask for one. All or none: with
// an error there are no edits.
func Edits(body []byte, changes []Change) ([]Edit, error) {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	end := 0
	for i, c := range sorted {
		if c.Start < 0 || c.End < c.Start || c.End > len(body) {
			return nil, fmt.Errorf("change at %d: %w", c.Start, ErrRange)
		}
		if i > 0 && (c.Start < end || c.Start == end && c.Start == sorted[i-1].Start) {
			return nil, fmt.Errorf("change at %d: %w", c.Start, ErrOverlap)
		}
		end = c.End
	}
	w := writer{body: body, edits: make([]Edit, 0, len(sorted))}
	for len(sorted) > 0 {
		n, err := w.next(sorted)
		if err != nil {
			return nil, fmt.Errorf("change at %d: %w", sorted[0].Start, err)
		}
		sorted = sorted[n:]
	}
	return w.edits, nil
}

// Apply gives the body with its edits, which are in order and apart.
func Apply(body []byte, edits []Edit) []byte {
	size := len(body)
	for _, e := range edits {
		size += len(e.Put) - int(e.Cut)
	}
	out, at := make([]byte, 0, max(size, 0)), int64(0)
	for _, e := range edits {
		out = append(append(out, body[at:e.At]...), e.Put...)
		at = e.At + e.Cut
	}
	return append(out, body[at:]...)
}

// writer goes through the body once, from token to token, as far as there are
// changes.
type writer struct {
	body  []byte
	at    int    // outside of strings and numbers; everything before it was passed
	last  [2]int // the token that was found last
	edits []Edit
}

// next makes the edits for the first changes, those in one token.
func (w *writer) next(changes []Change) (n int, err error) {
	c := changes[0]
	if c.Kind == Raw {
		w.put(c.Start, c.End, c.Text)
		return 1, nil
	}
	start, end, ok := w.token(c.Start)
	if !ok {
		return 0, ErrPlace
	}
	switch quoted := w.body[start] == '"'; {
	case c.Kind == String && quoted:
		return 1, w.inString(c, start+1, end-1)
	case c.Kind == Number && !quoted:
		return w.number(changes, start, end)
	}
	return 0, ErrPlace
}

func (w *writer) put(start, end int, text []byte) {
	w.edits = append(w.edits, Edit{At: int64(start), Cut: int64(end - start), Put: text})
}

// token finds the string or number that a place lies in. The end of a string's
// content lies in it.
func (w *writer) token(place int) (start, end int, ok bool) {
	if start, end = w.last[0], w.last[1]; start <= place && place < end {
		return start, end, true
	}
	for w.at < len(w.body) && w.at <= place {
		c := w.body[w.at]
		switch {
		case c == '"':
			end = quoted(w.body, w.at)
		case c == '-' || '0' <= c && c <= '9':
			end = w.at + digits(w.body[w.at:])
		default:
			w.at++
			continue
		}
		if place < end {
			w.last = [2]int{w.at, min(end, len(w.body))}
			return w.at, end, end <= len(w.body)
		}
		w.at = end
	}
	return 0, 0, false
}

// quoted gives the end of the string that begins at i, behind its quote; more
// than the body's length when it has none.
func quoted(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b) + 1
}

func digits(b []byte) int {
	for i, c := range b {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
			return i
		}
	}
	return len(b)
}

// inString replaces some of a string's content, [start,end).
func (w *writer) inString(c Change, start, end int) error {
	if c.Start < start || c.End > end {
		return ErrPlace
	}
	content := w.body[start:end]
	if splits(content, c.Start-start) || splits(content, c.End-start) {
		return ErrPlace
	}
	if !utf8.Valid(c.Text) {
		return ErrText
	}
	w.put(c.Start, c.End, escape(c.Text))
	return nil
}

// number replaces a number by a string: what is left of its digits stands
// around the replacements.
func (w *writer) number(changes []Change, start, end int) (n int, err error) {
	text, at := []byte{'"'}, start
	for _, c := range changes {
		if c.Kind != Number || c.Start >= end {
			break
		}
		if c.Start < start || c.End > end {
			return 0, ErrPlace
		}
		if !utf8.Valid(c.Text) {
			return 0, ErrText
		}
		text = append(append(text, w.body[at:c.Start]...), escape(c.Text)...)
		at = c.End
		n++
	}
	text = append(append(text, w.body[at:end]...), '"')
	w.put(start, end, text)
	w.at = end
	return n, nil
}
