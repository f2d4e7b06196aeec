package inspect

// escape begins a control sequence of a terminal (ECMA-48 section 5).
const escape = 0x1b

// longestANSI is how long a row of sequences may be that is dropped.
const longestANSI = 256

// stepANSI drops the control sequences that stand before a byte: colours cut words in
// two. The token is that byte.
func stepANSI(raw []byte, i int) (int, [4]byte, int) {
	end := i
	for end < len(raw) && raw[end] == escape {
		n := sequenceANSI(raw[end:min(len(raw), i+longestANSI)])
		if n == 0 {
			break
		}
		end += n
	}
	if end == i || end == len(raw) || raw[end] == 0 {
		return itself(raw[i])
	}
	return end + 1 - i, [4]byte{raw[end]}, 1
}

// sequenceANSI gives the length of the control sequence that a text begins with: one with
// parameters (CSI), a command up to its end (OSC), or a choice of letters; 0 when it
// is none.
func sequenceANSI(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch at := 2; {
	case b[1] == '[':
		at += span(b[at:], '0', '?')
		at += span(b[at:], ' ', '/')
		if at < len(b) && b[at] >= '@' && b[at] <= '~' {
			return at + 1
		}
	case b[1] == ']':
		for at < len(b) && b[at] >= ' ' && b[at] != '"' {
			at++
		}
		switch {
		case at < len(b) && b[at] == '\a':
			return at + 1
		case at+1 < len(b) && b[at] == escape && b[at+1] == '\\':
			return at + 2
		}
	case b[1] >= ' ' && b[1] <= '/':
		at += span(b[at:], ' ', '/')
		if at < len(b) && b[at] >= '0' && b[at] <= '~' {
			return at + 1
		}
	}
	return 0
}

// span counts the bytes from low to high that a text begins with.
func span(b []byte, low, high byte) int {
	n := 0
	for n < len(b) && low <= b[n] && b[n] <= high {
		n++
	}
	return n
}
