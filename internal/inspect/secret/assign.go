package secret

import "bytes"

// Bounds of an assignment: how far a name and a value reach.
const (
	maxName  = 80
	maxValue = 4096
	maxGap   = 48 // between a name and its value
)

// found is an assignment: its name, the value's span, and how they were
// joined.
type found struct {
	name       []byte
	start, end int
	quoted     bool
	op         byte // '=', ':', ',' between arguments, '(' of a call, '>' of a tag, ' ' after a flag or a word
	double     bool // == or !=
	tight      bool // no blank before the value: NAME=value
}

// assignment reads the assignment whose name holds the anchor at [at,end), but for
// the sign that an anchor may end with: "pat=", with the value right behind it.
func assignment(text []byte, at, end int) (f found, ok bool) {
	if end > at && end < len(text) && !isName(text[end-1]) && isName(text[end]) {
		end--
	}
	start, stop := nameAround(text, at, end)
	f.name = text[start:stop]
	if inResource(text, start) {
		return f, false
	}
	p, ok := f.operator(text, start, stop)
	if !ok {
		return f, false
	}
	f.name = text[wordsBefore(text, start):stop]
	return f, f.value(text, p)
}

// inResource reports whether the name at start is a part of a resource's name
// or type: arn:aws:…:secret:…, AWS::ApiGateway::ApiKey.
func inResource(text []byte, start int) bool {
	return start > 1 && text[start-1] == ':' && (text[start-2] == ':' || contains(text[max(0, start-80):start], "arn:"))
}

// nameAround gives the name that the anchor stands in, a second word
// included: "secret key", "api-key", "Access Token".
func nameAround(text []byte, at, end int) (int, int) {
	start, stop := at, end
	for start > 0 && at-start < maxName && isName(text[start-1]) {
		start--
	}
	for stop < len(text) && stop-end < maxName && isName(text[stop]) {
		stop++
	}
	if stop+4 < len(text) && text[stop] == ' ' && isLetter(text[stop+1]) {
		for _, word := range []string{"key", "token", "secret", "password", "id", "name", "file", "code"} {
			if n := stop + 1 + len(word); startsWith(text[stop+1:], word) && (n == len(text) || !isName(text[n])) {
				stop = n
				break
			}
		}
	}
	for stop > end && (text[stop-1] == '.' || text[stop-1] == '-') {
		stop--
	}
	return start, stop
}

// wordsBefore takes up to two words before a name that say what kind of key or
// token it is: "client secret", "webhook signing key".
func wordsBefore(text []byte, start int) int {
	for range 2 {
		if start < 4 || text[start-1] != ' ' || !isLetter(text[start-2]) {
			return start
		}
		var word [14]byte
		from, n := start-1, len(word)
		for from > 0 && n > 0 && isLetter(text[from-1]) {
			from--
			n--
			word[n] = lower(text[from])
		}
		if n == 0 || from > 0 && isName(text[from-1]) || !tells[string(word[n:])] {
			return start
		}
		start = from
	}
	return start
}

// operator finds what joins the name to its value and gives where the value
// may begin.
func (f *found) operator(text []byte, start, stop int) (int, bool) {
	p, named := afterName(text, stop)
	gap := p
	for p < len(text) && p-gap < maxGap && isSpace(text[p]) {
		p++
	}
	if p >= len(text) {
		return 0, false
	}
	flag := start < len(text) && (text[start] == '-' || start > 0 && text[start-1] == '-')
	if mayPair(text, p, named) {
		if q := pairedValue(text, gap, named); q > 0 {
			f.op = '='
			return q, true
		}
	}
	switch c := text[p]; {
	case c == '|' && p+1 < len(text) && text[p+1] != '=' && text[p+1] != '|' && cell(text, start):
		f.op = ' '
		return p + 1, true
	case c == '=' || c == ':' || (c == '?' || c == '|' || c == '+' || c == '!') && p+1 < len(text) && (text[p+1] == '=' || text[p+1] == '|'):
		return f.equals(text, p)
	case c == '-' && p+1 < len(text) && text[p+1] == '>':
		f.op = '='
		return p + 2, true
	case c == ',' && named && argument(text, start):
		f.op = ','
		return p + 1, true
	case c == '(':
		f.op = '('
		return p + 1, true
	case c == '>' && start > 0 && (text[start-1] == '<' || tagName(text, start)):
		f.op = '>'
		return p + 1, true
	case p > gap && flag, p > gap+1 && lastColumn(text, p):
		f.op = ' '
		return p, true
	case p > gap && isShouted(text[start:stop]) && bytes.IndexByte(text[start:stop], '_') > 0:
		f.op = ' '
		return p, true
	case p > gap && (c == '"' || c == '\'') && !equalFold(text[start:stop], "pass"):
		f.op = ' '
		return p, true
	case p > gap && startsWith(text[p:], "is ") || startsWith(text[p:], "is: ") || startsWith(text[p:], "as ") || startsWith(text[p:], "to "):
		f.op = ' '
		return p + 3, true
	}
	return 0, false
}

// afterName skips the quotes and brackets that close a name, and tells whether
// there were any.
func afterName(text []byte, stop int) (p int, named bool) {
	p = stop
	for p < len(text) && p-stop < 4 && bytes.IndexByte([]byte("\"'`\\]?*"), text[p]) >= 0 {
		named = named || text[p] != '?' && text[p] != '*'
		p++
	}
	if n := entityQuote(text[p:]); n > 0 {
		return p + n, true
	}
	return p, named
}

// argument reports whether the quoted name at start is the first argument of a
// call: setenv("PASSWORD", …).
func argument(text []byte, start int) bool {
	return start > 1 && text[start-2] == '('
}

// tagName reports whether the name at start ends an XML tag: <ns:password>,
// <add name="password">.
func tagName(text []byte, start int) bool {
	for i := start - 1; i >= 0 && start-i < maxName; i-- {
		switch text[i] {
		case '<':
			return true
		case '>', '\n':
			return false
		}
	}
	return false
}

// equals reads =, :, :=, =>, ==, !=, ?=, ||= and a type after a colon.
func (f *found) equals(text []byte, p int) (int, bool) {
	f.op = text[p]
	if f.op != ':' {
		f.op = '='
	}
	begin := p
	for p < len(text) && p-begin < 4 && bytes.IndexByte([]byte("=:>?|+!~"), text[p]) >= 0 {
		p++
	}
	op := text[begin:p]
	f.double = bytes.Contains(op, []byte("==")) || op[0] == '!'
	if f.op == ':' && len(op) == 1 {
		if q := typeAfter(text, p); q > 0 {
			f.op = '='
			return q, true
		}
	}
	return p, true
}

// typeAfter skips a type between a colon and an equals sign: "token: str =".
// 0 means that there is none.
func typeAfter(text []byte, p int) int {
	q := p
	for q < len(text) && q-p < 32 && (isAlnum(text[q]) || bytes.IndexByte([]byte(" &'<>[]?_.:|"), text[q]) >= 0) {
		q++
	}
	if q < len(text)-1 && q > p+2 && text[q] == '=' && text[q+1] != '=' && text[q+1] != '>' && text[q-1] == ' ' && isLetter(text[p+1]) {
		return q + 1
	}
	return 0
}

// value finds the value that begins at or soon after p.
func (f *found) value(text []byte, p int) bool {
	from := p
	f.tight = p < len(text) && !isSpace(text[p])
	for p < len(text) && p-from < maxGap && (isSpace(text[p]) || isBreak(text[p]) && (f.op == ':' || f.op == '=' || f.op == '(' || f.op == ',')) {
		if isBreak(text[p]) && !quoteAhead(text[p:]) {
			if p = loneLine(text, p); f.op != ':' || p == 0 {
				return false
			}
			f.start, f.end = p, bare(text, p, f.op)
			return true
		}
		p++
	}
	if f.op == ':' && bytes.HasPrefix(text[min(p, len(text)):], []byte("** ")) {
		p += len("** ") // **API key:** …
	}
	p = wrapped(text, p)
	if p >= len(text) {
		return false
	}
	if n := quoteAt(text[p:]); n > 0 {
		f.quoted = true
		f.start = p + n
		f.end = closing(text, p, n)
		return f.end > f.start && !isGlue(text[f.start:f.end])
	}
	if f.op == '(' || f.op == ',' {
		return false
	}
	f.start, f.end = p, bare(text, p, f.op)
	return f.end > f.start
}

// isGlue reports whether what stands between two quotes is what joins two
// strings: "PASSWORD=" + value.
func isGlue(v []byte) bool {
	for len(v) > 0 && isSpace(v[0]) {
		v = v[1:]
	}
	return len(v) == 0 || v[0] == '+' || v[0] == ',' || v[0] == ')' || v[0] == ';'
}

// quoteAhead reports whether the next line begins with a quoted value.
func quoteAhead(text []byte) bool {
	for i, c := range text[:min(len(text), maxGap)] {
		if !isSpace(c) && !isBreak(c) {
			return quoteAt(text[i:]) > 0
		}
	}
	return false
}

// wrapped skips what stands before a quoted value: a string's prefix, one
// call: b"…", Buffer.from("…"), []byte("…"), Some("…").
func wrapped(text []byte, p int) int {
	q := p
	for q < len(text) && q-p < 40 && (isAlnum(text[q]) || bytes.IndexByte([]byte("_.:[]&@!<>"), text[q]) >= 0) {
		q++
	}
	if startsWith(text[p:], "new ") {
		return wrapped(text, p+4)
	}
	if q == p || q >= len(text) {
		return p
	}
	call := text[q] == '('
	if call {
		if contains(text[p:q], "env") || contains(text[p:q], "prompt") || contains(text[p:q], "input") {
			return p
		}
		q++
	}
	if q < len(text) && quoteAt(text[q:]) > 0 && text[q] != '\\' && (call || q-p <= 2) {
		return q
	}
	return p
}

// entityQuote gives the length of a quote written as an HTML entity at the
// start of text, or 0.
func entityQuote(text []byte) int {
	for _, e := range []string{"&#34;", "&quot;", "&#39;", "&apos;", "&#x22;", "%22"} {
		if startsWith(text, e) {
			return len(e)
		}
	}
	return 0
}

// quoteAt gives the length of the quote at the start of text, its
// backslashes included; 0 when there is none.
func quoteAt(text []byte) int {
	i := 0
	for i < len(text) && i < 3 && text[i] == '\\' {
		i++
	}
	if i < len(text) && (text[i] == '"' || text[i] == '\'' || text[i] == '`') {
		if i == 0 && len(text) > 2 && text[1] == text[0] && text[2] == text[0] {
			return 3
		}
		return i + 1
	}
	if bytes.HasPrefix(text, []byte("“")) {
		return len("“")
	}
	return entityQuote(text)
}

// closing gives where the value ends that the quote at p, n bytes long,
// opens. It doesn't leave the line.
func closing(text []byte, p, n int) int {
	mark := string(text[p : p+n])
	if mark == "“" {
		mark = "”"
	}
	for i := p + n; i < len(text) && i-p < maxValue; i++ {
		switch {
		case isBreak(text[i]) && n < 3:
			return i
		case text[i] == mark[0] && bytes.HasPrefix(text[i:], []byte(mark)):
			return i
		case text[i] == '\\' && mark[0] != '\\' && i+1 < len(text) && (text[i+1] == mark[0] || text[i+1] == '\\'):
			i++
		}
	}
	return min(len(text), p+maxValue)
}

// bare gives the end of a value without quotes.
func bare(text []byte, p int, op byte) int {
	i := p
	for i < len(text) && i-p < maxValue && !isSpace(text[i]) && !isBreak(text[i]) {
		switch text[i] {
		case '"', '\'', '`', '<', ';':
			return i
		case ',', '&', ')', '}', ']', '|', '>':
			if op == '>' {
				break
			}
			return i
		case '\\':
			if i+1 < len(text) && (text[i+1] == 'n' || text[i+1] == '"' || text[i+1] == '\n') {
				return i
			}
		}
		i++
	}
	for i > p && (text[i-1] == '.' || text[i-1] == ':') {
		i--
	}
	return i
}
