// Package said gives what people read in a body: the texts of its parts with
// JSON's escapes undone, without its punctuation, the names of its members and what is
// no text. Full text indexes it, and shows pieces of it, without what is hidden. It gives the same for
// the same bytes each time; it does no I/O, never fails, and its work is bounded
// by the length of what it is given.
package said

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Text is one text of a body.
type Text struct {
	Role string // a word of the formats; empty: none, or another
	Kind flow.Kind
	Text string
	Hide []Span // stretches that are not shown, in their order and apart
}

// Block reads a block: an element of a conversation, or a part of one, as split
// cuts it. There is one text for each of its parts.
func Block(api flow.API, role string, raw []byte) []Text {
	if !peek.Whole(raw) && !peek.IsString(raw) {
		text, _ := Stretch(raw, false)
		return []Text{{Role: role, Kind: flow.UnknownPart, Text: text}}
	}
	return Parts(api, codec.Block(api, role, raw))
}

// Parts gives a text for each part.
func Parts(api flow.API, parts []flow.Part) []Text {
	list := make([]Text, len(parts))
	for i, p := range parts {
		if api == flow.Generate || api == flow.StreamGenerate {
			p.ID = "" // the client's: the model's own call has none, and is the same
		}
		list[i] = Text{Role: word(p.Role), Kind: p.Kind, Text: part(&p)}
	}
	return list
}

// part puts the name by which people know a part in front of what it says, and its id
// behind.
func part(p *flow.Part) string {
	text := p.Text
	switch p.Kind {
	case flow.Text, flow.Thinking:
		return text
	case flow.ToolCall:
		if b := []byte(text); peek.IsObject(b) || peek.IsArray(b) {
			text = values(b, true)
		}
	case flow.ToolDef, flow.UnknownPart:
		if b := []byte(text); peek.IsObject(b) || peek.IsArray(b) {
			text = values(b, false)
		}
	}
	if p.Kind == flow.ToolDef {
		return text // it has its name
	}
	lines := []string{p.Name, strings.TrimSuffix(text, "\n"), p.ID}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

func values(raw []byte, numbers bool) string {
	r := reader{b: raw, numbers: numbers}
	r.read(false)
	return string(r.out)
}

// Stretch gives the strings in a stretch of JSON that need not be whole: one that
// begins inside of a string, or ends there, which inside tells.
func Stretch(raw []byte, begins bool) (text string, inside bool) {
	r := reader{b: raw}
	inside = r.read(begins)
	return string(r.out), inside
}

// reader collects the values in JSON, each on a line of its own.
type reader struct {
	b       []byte
	numbers bool
	around  bool // objects that a client keeps for itself are passed over
	out     []byte
	name    []byte // of the member whose value comes
}

func (r *reader) read(inside bool) bool {
	at := 0
	if inside {
		if at, inside = r.string(0); inside {
			return true
		}
	}
	for at < len(r.b) {
		switch c := r.b[at]; {
		case c == '"':
			if at, inside = r.string(at + 1); inside {
				return true
			}
		case c == '{' && r.around && own(string(r.name)):
			at = behind(r.b, at)
		case c == ',' || c == '{' || c == '[':
			r.name = nil
			at++
		case r.numbers && (c == '-' || '0' <= c && c <= '9'):
			at = r.number(at)
		default:
			at++
		}
	}
	return false
}

// own are members in which clients say each turn what is no one's words.
func own(name string) bool { return name == "metadata" || name == "client_metadata" }

// behind gives the place behind the object that begins here.
func behind(b []byte, at int) int {
	for depth := 0; at < len(b); at++ {
		switch b[at] {
		case '"':
			at = closing(b, at+1)
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
	return len(b)
}

// string reads from behind a quote, and gives where it goes on; inside: the
// string does not end here.
func (r *reader) string(at int) (next int, inside bool) {
	end := closing(r.b, at)
	inside = end == len(r.b)
	next = end + 1
	if !inside && named(r.b, next) {
		r.name = r.b[at:end]
		return next, false
	}
	if !structural(string(r.name)) {
		r.out = unescape(r.out, r.b[at:end])
		if !inside {
			r.out = append(r.out, '\n')
		}
	}
	return next, inside
}

// closing gives the place of the quote that ends a string.
func closing(b []byte, at int) int {
	for at < len(b) {
		i := bytes.IndexAny(b[at:], `"\`)
		if i < 0 {
			return len(b)
		}
		if at += i; b[at] == '"' {
			return at
		}
		at += 2
	}
	return len(b)
}

// named reports whether a colon comes: what stood before it is a name.
func named(b []byte, at int) bool {
	for ; at < len(b); at++ {
		switch b[at] {
		case ' ', '\t', '\r', '\n':
		case ':':
			return true
		default:
			return false
		}
	}
	return false
}

// unescape undoes escapes. What is no whole escape, at an end, stays as it is.
func unescape(dst, raw []byte) []byte {
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		raw = raw[i:]
		if len(raw) == 1 {
			return dst
		}
		var n int
		if dst, n = peek.Step(dst, raw); n <= 0 {
			return dst
		}
		raw = raw[min(n, len(raw)):]
	}
	return dst
}

func (r *reader) number(at int) int {
	end := at
	for end < len(r.b) && bytes.IndexByte([]byte("+-.eE0123456789"), r.b[end]) >= 0 {
		end++
	}
	r.out = append(append(r.out, r.b[at:end]...), '\n')
	return end
}

// structural are members whose values are words of a format, or data.
func structural(name string) bool {
	switch name {
	case "type", "role", "object", "model", "media_type", "mime_type", "mimeType", "signature", "thoughtSignature", "thought_signature", "encrypted_content", "encoding_format":
		return true
	}
	return false
}

// Plain gives the text that bytes are, with a line end where they are none.
// Bytes that are mostly none have no text.
func Plain(b []byte) string {
	if bytes.IndexByte(b[:min(len(b), 8<<10)], 0) >= 0 {
		return ""
	}
	head := b[:min(len(b), 8<<10)]
	bad := 0
	for at := 0; at < len(head); {
		r, n := utf8.DecodeRune(head[at:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != 0x1b {
			bad++
		}
		at += n
	}
	if bad*20 > len(head) {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\n")
}

// Body gives the text of a body, or of a stretch of one, that no codec reads.
func Body(b []byte) string {
	if JSON(b) {
		text, _ := Stretch(b, false)
		return text
	}
	return Plain(b)
}

// Around gives the text of what stands around a conversation.
func Around(b []byte) string {
	if !JSON(b) {
		return Plain(b)
	}
	r := reader{b: b, around: true}
	r.read(false)
	return string(r.out)
}

// JSON reports whether bytes begin as an object or an array does that holds
// anything.
func JSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(b[1:min(len(b), 256)], " \t\r\n")
	if len(next) == 0 {
		return true
	}
	return next[0] == '"' || b[0] == '[' && (next[0] == '{' || next[0] == '[') || next[0] == b[0]+2
}

// pieceBytes is about how long a text may be before it is cut: a hit in a log of
// a megabyte must tell where.
const pieceBytes = 64 << 10

// cut cuts a long text.
func cut(text string) []string {
	var list []string
	for len(text) > pieceBytes {
		at := strings.LastIndexAny(text[:pieceBytes], "\n")
		if at < pieceBytes/2 {
			at = strings.LastIndexAny(text[:pieceBytes], " \t")
		}
		if at < pieceBytes/2 {
			at = pieceBytes - 1
			for at > pieceBytes-utf8.UTFMax && !utf8.RuneStart(text[at+1]) {
				at--
			}
		}
		list = append(list, text[:at+1])
		text = text[at+1:]
	}
	return append(list, text)
}

// Role tells whose a block is by the bytes in front of it, back to the block
// before. ok is false when it is in the same element as that.
func Role(glue []byte) (role string, ok bool) {
	i := bytes.LastIndexByte(glue, '{')
	return roleIn(glue[i+1:]), i >= 0
}

// RoleBehind tells whose a block is by the bytes behind it: some clients write
// the role there.
func RoleBehind(glue []byte) string {
	if i := bytes.IndexByte(glue, '}'); i >= 0 {
		glue = glue[:i]
	}
	return roleIn(glue)
}

func roleIn(glue []byte) string {
	i := bytes.LastIndex(glue, []byte(`"role"`))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(glue[i+len(`"role"`):], ": \t\r\n")
	return word(peek.Short(rest[:min(len(rest), closing(rest, 1)+1)]))
}

// word gives a role that the formats know. Any other is what a client says, and
// roles stand beside the index in clear.
func word(role string) string {
	switch role {
	case "system", "developer", "user", "assistant", "model", "tool", "function":
		return role
	}
	return ""
}

// Member gives the name of the member whose value comes behind these bytes.
func Member(before []byte) string {
	before = bytes.TrimRight(before, " \t\r\n[")
	rest, ok := bytes.CutSuffix(before, []byte(":"))
	rest = bytes.TrimRight(rest, " \t\r\n")
	if !ok || len(rest) < 2 || rest[len(rest)-1] != '"' {
		return ""
	}
	i := bytes.LastIndexByte(rest[:len(rest)-1], '"')
	if i < 0 {
		return ""
	}
	return string(rest[i+1 : len(rest)-1])
}

// RoleIn is whose the blocks of a member are that name nobody.
func RoleIn(member string) string {
	switch member {
	case "system", "instructions", "systemInstruction", "system_instruction":
		return "system"
	}
	return ""
}
