package strand

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// state is where a scan of a field's value stands between two nodes. It knows the
// brackets that are open and the element that it is in; blocks are values to it.
// The body was read as JSON before it was stored, so brackets match.
type state struct {
	list   bool   // the value is a list, and elements lie in it; else it is the one element
	depth  int    // of open brackets
	name   bool   // in the element: a member's name comes next
	isRole bool   // and the last one was "role"
	elem   int    // elements that began, so the number of the one at hand
	role   string // that it names
	late   string // role of the element that was at hand before the last glue, told in it
	beside bool   // an element has calls or their ids beside its parts

	cut      bool // inside of a block that goes on in the next node
	nested   int  // brackets that are open there
	str, esc bool // inside of a string there; behind a backslash
}

// at is the depth at which the members of an element stand.
func (s *state) at() int {
	if s.list {
		return 2
	}
	return 1
}

// glue follows what stands between blocks. It is false for what can't be glue.
func (s *state) glue(b []byte) bool {
	first := s.elem
	s.late = ""
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case '"':
			n := quoted(b[i:])
			if n < 0 {
				return false
			}
			s.word(b[i:i+n], first)
			i += n - 1
		case '{', '[':
			s.open(c)
		case '}', ']':
			if s.depth--; s.depth < 0 {
				return false
			}
			s.name = false
		case ',':
			s.name = s.depth == s.at()
		}
	}
	return true
}

func (s *state) open(c byte) {
	if s.depth == 0 {
		s.list = c == '['
	}
	if s.depth++; s.depth == s.at() {
		s.elem++
		s.role, s.isRole, s.name = "", false, c == '{'
	} else {
		s.name = false
	}
}

func (s *state) word(quoted []byte, first int) {
	switch {
	case s.depth != s.at():
	case s.name:
		s.name, s.isRole = false, false
		switch string(quoted) {
		case `"role"`:
			s.isRole = true
		case `"tool_calls"`, `"tool_call_id"`, `"function_call"`:
			s.beside = true
		}
	case s.isRole:
		s.isRole = false
		s.role = peek.Short(quoted)
		if s.elem == first {
			s.late = s.role
		}
	}
}

// value passes a block. In a list it is an element, and names its role itself.
func (s *state) value() {
	s.name, s.isRole = false, false
	if s.depth == 1 && s.list || s.depth == 0 {
		s.elem++
		s.role = ""
	}
}

// long follows a block that may go on in the next node.
func (s *state) long(b []byte) {
	for i := 0; i < len(b); {
		if s.str {
			i += s.inString(b[i:])
			continue
		}
		n := bytes.IndexAny(b[i:], `"{}[]`)
		if n < 0 {
			break
		}
		switch i += n + 1; b[i-1] {
		case '"':
			s.str = true
		case '{', '[':
			s.nested++
		default:
			s.nested--
		}
	}
	s.cut = s.str || s.nested > 0
	if !s.cut {
		s.nested, s.esc = 0, false
	}
}

// inString gives how many bytes of b belong to the string that is open.
func (s *state) inString(b []byte) int {
	i := 0
	if s.esc {
		i, s.esc = 1, false
	}
	for i < len(b) {
		n := bytes.IndexByte(b[i:], '"')
		run := b[i:]
		if n >= 0 {
			run = b[i : i+n]
		}
		if back := bytes.IndexByte(run, '\\'); back >= 0 {
			if i += back + 2; i > len(b) {
				s.esc = true
				return len(b)
			}
			continue
		}
		if n < 0 {
			return len(b)
		}
		s.str = false
		return i + n + 1
	}
	return i
}

// quoted gives the length of the string that b begins with; -1: it does not end.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}
