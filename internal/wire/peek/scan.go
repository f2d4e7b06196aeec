package peek

// Scanner reads JSON from front to back. The caller's code mirrors the
// nesting: after Object is true, Member is called until it is false; after Array,
// Element. A value that the caller neither takes nor enters is passed over.
type Scanner struct {
	Name []byte // of the member, decoded

	raw   []byte
	pos   int
	ahead bool // at pos stands a value that was not taken yet
	bad   bool
}

// Scan begins at a value.
func Scan(raw []byte) Scanner { return Scanner{raw: raw, pos: space(raw, 0), ahead: true} }

// Bad reports whether the text stopped to be JSON.
func (s *Scanner) Bad() bool { return s.bad }

// Object enters the value if it is an object.
func (s *Scanner) Object() bool { return s.enter('{') }

// Array enters the value if it is an array.
func (s *Scanner) Array() bool { return s.enter('[') }

func (s *Scanner) enter(open byte) bool {
	if !s.ahead || s.pos >= len(s.raw) || s.raw[s.pos] != open {
		return false
	}
	s.pos, s.ahead = s.pos+1, false
	return true
}

// Value takes the value. It is nil when there is none, or where the text stops
// to be JSON.
func (s *Scanner) Value() []byte {
	if !s.ahead {
		return nil
	}
	end := skip(s.raw, s.pos)
	if end < 0 {
		s.fail()
		return nil
	}
	value := s.raw[s.pos:end]
	s.pos, s.ahead = end, false
	return value
}

// Element steps to the next element of the array that was entered, and out of
// it at its end.
func (s *Scanner) Element() bool {
	if !s.step(']') {
		return false
	}
	s.ahead = true
	return true
}

// Member steps to the next member of the object that was entered, and out of
// it at its end.
func (s *Scanner) Member() bool {
	if !s.step('}') {
		return false
	}
	if !s.name() {
		return s.fail()
	}
	s.ahead = true
	return true
}

// step passes over a value that was not taken, and finds the next thing; at
// the closing bracket it leaves the container.
func (s *Scanner) step(end byte) bool {
	if s.ahead && s.Value() == nil || s.bad {
		return false
	}
	i := s.pos
	for i < len(s.raw) && (s.raw[i] <= ' ' || s.raw[i] == ',') {
		i++
	}
	s.pos = i
	if i == len(s.raw) {
		return s.fail()
	}
	if s.raw[i] == end {
		s.pos++
		return false
	}
	return true
}

// name reads `"…" :` and goes to the value.
func (s *Scanner) name() bool {
	raw, i := s.raw, s.pos
	if raw[i] != '"' {
		return false
	}
	end, escaped := quoted(raw, i)
	if end < 0 {
		return false
	}
	s.Name = raw[i+1 : end-1]
	if escaped {
		s.Name = Append(nil, raw[i:end])
	}
	if end = space(raw, end); end == len(raw) || raw[end] != ':' {
		return false
	}
	s.pos = space(raw, end+1)
	return true
}

func (s *Scanner) fail() bool {
	s.bad, s.ahead, s.Name, s.pos = true, false, nil, len(s.raw)
	return false
}
