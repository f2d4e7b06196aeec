package codec

// frames cuts the elements out of a JSON array that comes in pieces: Gemini's
// streams without alt=sse. It looks at brackets and strings only.
type frames struct {
	buf     []byte // of the element that is not complete
	depth   int    // 0 before the array, 1 between elements
	quoted  bool
	escaped bool
	long    bool // the element is over the limit: it is dropped
	closed  bool // the array came to its end
}

// push gives each element that p completes to emit; the bytes are valid during
// the call. It reports whether an element was over the limit.
func (f *frames) push(p []byte, emit func([]byte)) (long bool) {
	start := 0
	for i, c := range p {
		if f.quoted {
			f.inside(c)
			continue
		}
		switch c {
		case '"':
			f.quoted = true
		case '{', '[':
			if f.depth++; f.depth == 2 {
				start = i
			}
		case '}', ']':
			f.depth--
			if f.depth == 1 {
				long = f.end(p[start:i+1], emit) || long
			}
			f.closed = f.closed || f.depth == 0
		}
	}
	if f.depth > 1 {
		f.hold(p[start:])
	}
	return long
}

func (f *frames) inside(c byte) {
	switch {
	case f.escaped:
		f.escaped = false
	case c == '\\':
		f.escaped = true
	case c == '"':
		f.quoted = false
	}
}

func (f *frames) hold(rest []byte) {
	if f.long || len(f.buf)+len(rest) > Limit {
		f.long, f.buf = true, nil
		return
	}
	f.buf = append(f.buf, rest...)
}

func (f *frames) end(rest []byte, emit func([]byte)) (long bool) {
	if len(f.buf) > 0 || f.long {
		f.hold(rest)
		rest = f.buf
	}
	long, f.long = f.long || len(rest) > Limit, false
	if !long {
		emit(rest)
	}
	f.buf = f.buf[:0]
	return long
}
