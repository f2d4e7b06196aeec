package rewrite

import (
	"bytes"
	"strconv"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// tracker follows JSON text that comes in pieces and knows where in it each
// string stands. Where the text stops to be JSON it says so and is of no more use:
// a reader might repair it in another way.
type tracker struct {
	state  state
	stack  []frame
	key    []byte // of the string that is read, when it is a member's name
	isKey  bool
	escape []byte // of an escape that is not complete, without the backslash
}

// frame is an object or array that is open.
type frame struct {
	object bool
	key    string
	index  int
}

type state uint8

const (
	atValue state = iota
	atFirst       // value or end of the array
	atKey         // name or end of the object
	atColon
	atNext // comma or end
	inText
	inEscape
	inScalar
	atEnd
	broken
)

// deepest is how far nesting is followed. Arguments of tools lie two or three
// levels deep.
const deepest = 64

// longestKey is the longest name of a member that is followed.
const longestKey = 4096

// mark says what a byte of JSON text is.
type what uint8

const (
	structure what = iota
	opens          // the quote before a string that is a value
	closes         // the quote behind it
	part           // of an escape in it that is not complete
	char           // of it, complete
)

// step takes the next byte. For char, c is the character: ASCII, or other.
func (t *tracker) step(b byte) (w what, c byte) {
	switch t.state {
	case inText:
		return t.inText(b)
	case inEscape:
		return t.inEscape(b)
	case inScalar:
		if scalar(b) {
			return structure, 0
		}
		t.ended()
	}
	if b == ' ' || b == '\n' || b == '\r' || b == '\t' {
		return structure, 0
	}
	return t.structure(b), 0
}

func scalar(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' || b == '+' || b == '.'
}

func (t *tracker) inText(b byte) (what, byte) {
	switch b {
	case '\\':
		t.state, t.escape = inEscape, t.escape[:0]
		return t.say(part), 0
	case '"':
		if t.isKey {
			t.name()
			return structure, 0
		}
		t.ended()
		return closes, 0
	}
	return t.took(b)
}

// took takes a character of a string.
func (t *tracker) took(c byte) (what, byte) {
	if t.isKey {
		if t.key = append(t.key, c); len(t.key) > longestKey {
			t.state = broken
		}
	}
	return t.say(char), c
}

// say: a name's characters are structure.
func (t *tracker) say(w what) what {
	if t.isKey {
		return structure
	}
	return w
}

func (t *tracker) inEscape(b byte) (what, byte) {
	t.escape = append(t.escape, b)
	if t.escape[0] != 'u' {
		t.state = inText
		if !bytes.ContainsRune([]byte(`"\/bfnrt`), rune(b)) {
			t.state = broken
			return structure, 0
		}
		return t.took(peek.Unescape(b))
	}
	if len(t.escape) > 1 {
		if !isHex(b) {
			t.state = broken
			return structure, 0
		}
	}
	if len(t.escape) < 5 {
		return t.say(part), 0
	}
	t.state = inText
	n, _ := strconv.ParseUint(string(t.escape[1:]), 16, 16)
	if n < 0x80 {
		return t.took(byte(n))
	}
	if t.isKey {
		t.key = append(t.key, string(rune(n))...)
		return structure, 0
	}
	return char, other
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// partial reports whether an escape is not complete, and may yet be a Q.
func (t *tracker) partial() bool {
	return t.state == inEscape && !t.isKey && bytes.HasPrefix([]byte("u0051"), t.escape)
}

func (t *tracker) structure(b byte) what {
	switch t.state {
	case atKey:
		return t.atKey(b)
	case atColon:
		t.expect(b, ':', atValue)
	case atNext:
		t.next(b)
	case atFirst:
		if b == ']' {
			t.pop()
			break
		}
		return t.value(b)
	case atValue:
		return t.value(b)
	default:
		t.state = broken
	}
	return structure
}

func (t *tracker) expect(b, want byte, then state) {
	t.state = broken
	if b == want {
		t.state = then
	}
}

func (t *tracker) atKey(b byte) what {
	switch b {
	case '"':
		t.state, t.isKey, t.key = inText, true, t.key[:0]
	case '}':
		t.pop()
	default:
		t.state = broken
	}
	return structure
}

func (t *tracker) value(b byte) what {
	switch {
	case b == '"':
		t.state, t.isKey = inText, false
		return opens
	case b == '{':
		t.push(frame{object: true}, atKey)
	case b == '[':
		t.push(frame{}, atFirst)
	case scalar(b):
		t.state = inScalar
	default:
		t.state = broken
	}
	return structure
}

func (t *tracker) push(f frame, then state) {
	if t.state = then; len(t.stack) == deepest {
		t.state = broken
		return
	}
	t.stack = append(t.stack, f)
}

// pop closes the innermost container. Which bracket was meant is checked by
// the state it stood in.
func (t *tracker) pop() {
	t.stack = t.stack[:len(t.stack)-1]
	t.ended()
}

// ended says that a value is complete.
func (t *tracker) ended() {
	t.state = atNext
	if len(t.stack) == 0 {
		t.state = atEnd
	}
}

func (t *tracker) name() {
	t.state, t.isKey = atColon, false
	t.stack[len(t.stack)-1].key = string(t.key)
}

func (t *tracker) next(b byte) {
	top := &t.stack[len(t.stack)-1]
	switch {
	case b == ',' && top.object:
		t.state = atKey
	case b == ',':
		t.state = atValue
		top.index++
	case b == '}' && top.object, b == ']' && !top.object:
		t.pop()
	default:
		t.state = broken
	}
}

// path gives where the value stands: members' names and, in arrays, indexes.
func (t *tracker) path() []string {
	path := make([]string, 0, len(t.stack))
	for _, f := range t.stack {
		if f.object {
			path = append(path, f.key)
		} else {
			path = append(path, strconv.Itoa(f.index))
		}
	}
	return path
}
