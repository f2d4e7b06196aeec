package split

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// lexer reads JSON (RFC 8259), strictly, and moves over it at memory speed. The
// first mistake sticks: why is set, and every method gives false from then on.
type lexer struct {
	b   []byte
	i   int
	why string // what the mistake is
	at  int    // where it is
}

func (l *lexer) fail(why string) bool {
	if l.why == "" {
		l.why, l.at = why, l.i
	}
	return false
}

func (l *lexer) reason() string { return fmt.Sprintf("not JSON at byte %d: %s", l.at, l.why) }

const (
	cutShort   = "it ends too early"
	unexpected = "unexpected character"
	tooDeep    = "nested too deep"
	tooMany    = "too many top-level members"
	badEscape  = "invalid escape"
	badUTF8    = "invalid UTF-8"
	badControl = "control character in a string"
	trailing   = "data after the value"
)

// space skips white space and gives the byte that follows, which is not
// consumed; 0 at the end.
func (l *lexer) space() byte {
	for l.i < len(l.b) {
		c := l.b[l.i]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		l.i++
	}
	return 0
}

// wrong fails because of the byte at hand, or its absence.
func (l *lexer) wrong() bool {
	if l.i >= len(l.b) {
		return l.fail(cutShort)
	}
	return l.fail(unexpected)
}

// name reads a member's name and the colon, up to the value. It gives the
// bytes between the quotes.
func (l *lexer) name() (raw []byte, ok bool) {
	start := l.i + 1
	if l.i >= len(l.b) || l.b[l.i] != '"' {
		return nil, l.wrong()
	}
	if !l.str() {
		return nil, false
	}
	raw = l.b[start : l.i-1]
	if l.space() != ':' {
		return nil, l.wrong()
	}
	l.i++
	l.space()
	return raw, true
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads a string from its opening quote.
func (l *lexer) str() bool {
	b, i := l.b, l.i+1
	for {
		// Eight bytes at a time: stop at a quote, a backslash, a control
		// character or a byte above 0x7f, which keeps its high bit in one of
		// the terms at least. A borrow can only mark bytes after a true mark,
		// so the lowest mark is always a true one.
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			mark := (((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ')) & highs
			if mark != 0 {
				i += bits.TrailingZeros64(mark) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			l.i = len(b)
			return l.fail(cutShort)
		}
		switch c := b[i]; {
		case c == '"':
			l.i = i + 1
			return true
		case c == '\\':
			if i+1 < len(b) && short[b[i+1]] {
				i += 2
				continue
			}
			n := escape(b[i:])
			if n == 0 {
				l.i = i
				return l.fail(badEscape)
			}
			i += n
		case c >= utf8.RuneSelf:
			n := runes(b[i:])
			if n == 0 {
				l.i = i
				return l.fail(badUTF8)
			}
			i += n
		case c < ' ':
			l.i = i
			return l.fail(badControl)
		default:
			i++
		}
	}
}

// short has the letters of the escapes of two bytes.
var short = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape gives the length of the long escape that b begins with, 0 when it is
// none. Lone surrogates are grammatical, and agents that cut a string in the
// middle of an emoji send them.
func escape(b []byte) int {
	if len(b) >= 6 && b[1] == 'u' && hex(b[2]) && hex(b[3]) && hex(b[4]) && hex(b[5]) {
		return 6
	}
	return 0
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// runes gives the length of the well-formed non-ASCII runes that b begins with,
// 0 when the first is malformed. Text in other scripts stays in this loop.
func runes(b []byte) int {
	i := 0
	for i < len(b) && b[i] >= utf8.RuneSelf {
		// The common three-byte form: E1–EC or EE, two continuation bytes.
		if c := b[i]; c > 0xe0 && c < 0xef && c != 0xed && i+3 <= len(b) && b[i+1]&0xc0 == 0x80 && b[i+2]&0xc0 == 0x80 {
			i += 3
			continue
		}
		_, n := utf8.DecodeRune(b[i:])
		if n == 1 {
			return i
		}
		i += n
	}
	return i
}

// value reads one value that stands in depth containers.
func (l *lexer) value(depth int) bool {
	if l.i >= len(l.b) {
		return l.fail(cutShort)
	}
	switch l.b[l.i] {
	case '"':
		return l.str()
	case '{', '[':
		return l.container(depth)
	}
	return l.scalar()
}

// container reads an object or array with all that it holds. Instead of
// recursing it keeps one bit a level.
func (l *lexer) container(depth int) bool {
	var object [maxDepth/64 + 1]uint64
	base := depth
	for {
		opened, ok := l.open(depth, &object)
		if !ok {
			return false
		}
		if opened {
			depth++
			continue
		}
		for depth > base {
			in := object[depth/64]&(1<<(depth%64)) != 0
			more, ok := l.after(in)
			if !ok {
				return false
			}
			if more {
				break
			}
			depth--
		}
		if depth == base {
			return true
		}
	}
}

// open reads what a value begins with: all of a string, number, literal or
// empty container; or a container's start up to its first value.
func (l *lexer) open(depth int, object *[maxDepth/64 + 1]uint64) (opened, ok bool) {
	if l.i >= len(l.b) {
		return false, l.fail(cutShort)
	}
	c := l.b[l.i]
	if c == '"' {
		return false, l.str()
	}
	if c != '{' && c != '[' {
		return false, l.scalar()
	}
	if depth++; depth > maxDepth {
		return false, l.fail(tooDeep)
	}
	l.i++
	if l.space() == c+2 { // '}' is '{'+2, ']' is '['+2
		l.i++
		return false, true
	}
	if c == '[' {
		object[depth/64] &^= 1 << (depth % 64)
		return true, true
	}
	object[depth/64] |= 1 << (depth % 64)
	_, ok = l.name()
	return true, ok
}

// after reads what follows a value in a container: a comma up to the next
// value, or the container's end.
func (l *lexer) after(object bool) (more, ok bool) {
	switch c := l.space(); {
	case c == ',':
		l.i++
		l.space()
		if object {
			_, ok = l.name()
			return true, ok
		}
		return true, true
	case object && c == '}', !object && c == ']':
		l.i++
		return false, true
	}
	return false, l.wrong()
}

// scalar reads a number, true, false or null.
func (l *lexer) scalar() bool {
	if l.i >= len(l.b) {
		return l.fail(cutShort)
	}
	switch c := l.b[l.i]; {
	case c == 't':
		return l.word("true")
	case c == 'f':
		return l.word("false")
	case c == 'n':
		return l.word("null")
	case c == '-' || digit(c):
		return l.number()
	}
	return l.fail(unexpected)
}

func (l *lexer) word(w string) bool {
	for j := range len(w) {
		if l.i >= len(l.b) || l.b[l.i] != w[j] {
			return l.wrong()
		}
		l.i++
	}
	return true
}

func (l *lexer) number() bool {
	if l.b[l.i] == '-' {
		l.i++
	}
	if l.i < len(l.b) && l.b[l.i] == '0' {
		l.i++
	} else if !l.digits() {
		return false
	}
	if l.i < len(l.b) && l.b[l.i] == '.' {
		l.i++
		if !l.digits() {
			return false
		}
	}
	if l.i < len(l.b) && l.b[l.i]|0x20 == 'e' {
		l.i++
		if l.i < len(l.b) && (l.b[l.i] == '+' || l.b[l.i] == '-') {
			l.i++
		}
		return l.digits()
	}
	return true
}

// digits reads one digit or more.
func (l *lexer) digits() bool {
	start := l.i
	for l.i < len(l.b) && digit(l.b[l.i]) {
		l.i++
	}
	return l.i > start || l.wrong()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// member finds the last member of that name in an object that is known to be
// well-formed.
func member(object []byte, name string) (raw []byte, ok bool) {
	l := lexer{b: object}
	if l.space() != '{' {
		return nil, false
	}
	l.i++
	if l.space() == '}' {
		return nil, false
	}
	for {
		key, fine := l.name()
		start := l.i
		if !fine || !l.value(0) {
			return nil, false
		}
		if string(key) == name || bytes.IndexByte(key, '\\') >= 0 && unescape(key) == name {
			raw, ok = object[start:l.i], true
		}
		if l.space() != ',' {
			return raw, ok
		}
		l.i++
		l.space()
	}
}

// decode gives the name that stands between the quotes.
func decode(raw []byte) string {
	if known, ok := names[string(raw)]; ok {
		return known
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		return unescape(raw)
	}
	return string(raw)
}

func unescape(raw []byte) string {
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(raw) // the lexer has accepted it: cannot be
	}
	return s
}

// names are those that every request has; they need no memory of their own.
var names = intern(
	"model", "messages", "system", "tools", "metadata", "max_tokens", "stream", "temperature", "thinking",
	"context_management", "output_config", "tool_choice", "stop_sequences", "top_p", "top_k", "service_tier",
	"instructions", "input", "parallel_tool_calls", "reasoning", "store", "include", "prompt_cache_key",
	"client_metadata", "text", "type", "previous_response_id", "generate", "truncation", "user",
	"stream_options", "max_completion_tokens", "reasoning_effort", "response_format", "n", "stop", "seed",
	"contents", "systemInstruction", "generationConfig", "safetySettings", "toolConfig", "request", "project",
	"session_id", "user_prompt_id", "cachedContent", "labels", "prompt", "cache_control",
)

func intern(list ...string) map[string]string {
	m := make(map[string]string, len(list))
	for _, name := range list {
		m[name] = name
	}
	return m
}
