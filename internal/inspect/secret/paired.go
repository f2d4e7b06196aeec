package secret

import "bytes"

// Bounds of a pair that names its parts: {"name": "API_KEY", "value": "…"}.
const (
	maxPair    = 160 // from the name to the value's own name
	maxBetween = 3   // other members between the two
)

// Names of a value, and of what may stand between the name and it.
var (
	valueNames = setOf("value val default body content data string stringvalue defaultvalue initial initialvalue secretstring")
	otherNames = setOf("type id kind class sensitive description required readonly enabled secret scope format label group title mode")
)

// mayPair reports whether what stands behind a name can lead to its value's
// name; most names are followed by an operator or the next word.
func mayPair(text []byte, p int, named bool) bool {
	switch c := text[p]; c {
	case '\n', '\r', '<':
		return true
	case '-':
		return p+2 < len(text) && text[p+1] == '-'
	case ',', '{', '/':
		return named
	default:
		return named && isLetter(c)
	}
}

// pairedValue gives where the value begins of a name that ends before p, when
// what follows calls it so: <add key="ApiKey" value="…">, <key>token</key>
// <string>…, --name TOKEN --value …, variable "token" { default = "…" }. 0
// means that nothing does. A comma between must follow a quoted name.
func pairedValue(text []byte, p int, named bool) int {
	limit := min(len(text), p+maxPair)
	for i, others := p, 0; i < limit; {
		switch c := text[i]; {
		case c == '<':
			n := tagBetween(text[i:limit])
			if n == 0 {
				return 0
			}
			if i += n; !bytes.HasPrefix(text[i-n:], []byte("</")) {
				return i
			}
		case isLetter(c):
			next, found := memberAt(text[:limit], i)
			if found || next == 0 {
				return next
			}
			if others++; others > maxBetween {
				return 0
			}
			i = next
		case c == ',' && !named, !isSpace(c) && !isBreak(c) && bytes.IndexByte([]byte(",\"'`{-\\"), c) < 0:
			return 0
		default:
			i++
		}
	}
	return 0
}

// tagBetween gives the length of the tag at the start of text that closes a
// name or opens a value; 0 when it does neither.
func tagBetween(text []byte) int {
	for _, tag := range []string{"</key>", "</name>", "</string>", "<string>", "<value>"} {
		if startsWith(text, tag) {
			return len(tag)
		}
	}
	return 0
}

// memberAt reads the name of a member at i. It gives the start of the member's
// value when the name is one of a value, or else the end of the member; 0 when
// it is neither.
func memberAt(text []byte, i int) (next int, found bool) {
	flag := i > 1 && text[i-1] == '-' && text[i-2] == '-'
	var name [16]byte
	n := 0
	for i < len(text) && (isAlnum(text[i]) || text[i] == '_' || text[i] == '-') {
		if isAlnum(text[i]) {
			if n == len(name) {
				return 0, false
			}
			name[n] = lower(text[i])
			n++
		}
		i++
	}
	for i < len(text) && bytes.IndexByte([]byte("\"'\\"), text[i]) >= 0 {
		i++
	}
	for blank := i; i < len(text) && isSpace(text[i]); i++ {
		if flag && i > blank {
			break
		}
	}
	if i >= len(text) || text[i] != '=' && text[i] != ':' && !(flag && isSpace(text[i-1])) {
		return 0, false
	}
	if text[i] == '=' || text[i] == ':' {
		i++
	}
	if valueNames[string(name[:n])] {
		return i, true
	}
	if !otherNames[string(name[:n])] {
		return 0, false
	}
	return memberEnd(text, i), false
}

// memberEnd gives the end of a member's value that begins at i.
func memberEnd(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if n := quoteAt(text[i:]); n > 0 {
		return min(len(text), closing(text, i, n)+n)
	}
	for i < len(text) && !isBreak(text[i]) && text[i] != ',' && text[i] != ';' && !isSpace(text[i]) {
		i++
	}
	return i
}

// cell reports whether the name at start stands in a cell of a table of
// Markdown: | API key | … |
func cell(text []byte, start int) bool {
	for from := start; start > 0 && from-start < maxGap && (isSpace(text[start-1]) || isAlnum(text[start-1]) || text[start-1] == '*' || text[start-1] == '`'); {
		start--
	}
	return start > 0 && text[start-1] == '|'
}

// lastColumn reports whether a word begins at p that ends its line and is long
// enough for a secret: what programs print in columns.
func lastColumn(text []byte, p int) bool {
	from := p
	for p < len(text) && p-from < maxValue && isKeyByte(text[p]) {
		p++
	}
	return p-from > 11 && (p == len(text) || isBreak(text[p]))
}

// lineBelow gives the value on the line below one that ends in a colon: "here is
// the token that you asked for:".
func lineBelow(text []byte, p int) (from, to int, ok bool) {
	n := bytes.IndexByte(text[p:min(len(text), p+maxGap)], '\n')
	if n < 1 || text[p+n-1] != ':' {
		return 0, 0, false
	}
	if from = loneLine(text, p+n); from == 0 {
		return 0, 0, false
	}
	return from, bare(text, from, ':'), true
}

// loneLine gives where the random value begins that has the next line to itself,
// or the one after an empty one or after the opening of a block of code; 0 when
// there is none.
func loneLine(text []byte, p int) int {
	for from := p; p < len(text) && p-from < maxGap && (isSpace(text[p]) || isBreak(text[p]) || text[p] == '`'); {
		p++
	}
	stop := p
	for stop < len(text) && stop-p < maxValue && isKeyByte(text[stop]) {
		stop++
	}
	if stop-p < 16 || stop < len(text) && !isBreak(text[stop]) {
		return 0
	}
	if s := measure(text[p:stop]); !isUUID(text[p:stop]) && (s.digits < 2 || !s.isRandom() || s.isSequence()) {
		return 0
	}
	return p
}
