package gemini

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Bounds of arguments that come in pieces. What a model writes has a fraction of them.
const (
	mostValues  = 1 << 14 // members and elements of one call
	deepestPath = 64      // segments of one path
)

// Arguments puts together the arguments of a call that come in pieces: raw is its args
// and partialArgs as they came, one behind the other. It gives false, and raw, when they
// make no object that all readers agree on: a path that is none or leads through a value,
// a value that is told twice without being announced, args and pieces both.
//
// Each piece has a path (RFC 9535, names and indexes only) and a value; texts of one path
// are joined while the piece before says willContinue. Source: PartialArg in
// google.cloud.aiplatform.v1.
func Arguments(raw []byte) (args []byte, ok bool) {
	root := node{object: true}
	a := assembly{root: &root}
	for rest := raw; len(rest) > 0; {
		s := peek.Scan(rest)
		value := s.Value()
		switch {
		case peek.IsArray(value):
			for w := peek.Elements(value); w.Next() && !a.bad; {
				a.add(w.Value)
			}
		case !peek.IsObject(value), len(value) > 2:
			a.bad = true
		}
		if a.bad {
			return raw, false
		}
		rest = raw[cap(raw)-cap(value)+len(value):]
	}
	return root.append(nil), true
}

// assemble gives a call the arguments that its pieces make. What they don't make stays as
// it came.
func assemble(part *flow.Part) {
	if part.Kind != flow.ToolCall || part.Name == "executableCode" || part.Text == "" || part.Text[0] != '[' && !strings.HasPrefix(part.Text, "{}[") {
		return
	}
	if args, ok := Arguments([]byte(part.Text)); ok {
		part.Text = string(args)
	}
}

// assembly is arguments while they are put together.
type assembly struct {
	root   *node
	values int
	bad    bool
}

// node is a value: an object or a list, as it was first used, or a scalar.
type node struct {
	object, list bool
	names        []string
	inner        map[string]*node
	value        []byte // raw; of a text without its quotes
	text         bool
	goesOn       bool // more of it was announced
}

// partial is the members of a piece, raw.
type partial struct {
	path, text, value []byte
	goesOn            bool
}

func (p *partial) read(raw []byte) bool {
	values := 0
	for w := peek.Members(raw); w.Next(); {
		switch camel(w.Name) {
		case "jsonPath":
			p.path = w.Value
			continue
		case "willContinue":
			p.goesOn = peek.True(w.Value)
			continue
		case "stringValue":
			p.text = w.Value
		case "numberValue", "boolValue":
			p.value = w.Value
		case "nullValue":
			p.value = []byte("null")
		default:
			return false
		}
		values++
	}
	return values <= 1 && (p.text == nil || peek.IsString(p.text)) && (p.value == nil || !peek.IsString(p.value) && json.Valid(p.value))
}

func (a *assembly) add(raw []byte) {
	var p partial
	path, ok := []string(nil), p.read(raw)
	if ok {
		path, ok = segments(peek.String(p.path))
	}
	n := a.root
	for i := 0; ok && i < len(path); i++ {
		n, ok = a.into(n, path[i])
	}
	if ok = ok && n.take(&p); !ok {
		a.bad = true
	}
}

// index marks the segment of a path that is one: no name begins with it.
const index = "\x00"

// into gives the value of a member or element, which is made when it is the next one.
func (a *assembly) into(n *node, segment string) (*node, bool) {
	at, list := strings.CutPrefix(segment, index)
	if !n.object && !n.list {
		n.object, n.list = !list, list
	}
	if n.value != nil || n.list != list {
		return nil, false
	}
	if inner := n.inner[segment]; inner != nil {
		return inner, true
	}
	if a.values++; a.values > mostValues || list && at != strconv.Itoa(len(n.names)) {
		return nil, false
	}
	if n.inner == nil {
		n.inner = map[string]*node{}
	}
	inner := &node{}
	n.names, n.inner[segment] = append(n.names, segment), inner
	return inner, true
}

func (n *node) take(p *partial) bool {
	again := n.value != nil
	switch {
	case n.object, n.list, again && !n.goesOn, again && n.text && p.value != nil, again && !n.text && p.text != nil:
		return false
	case p.text != nil:
		n.value, n.text = append(n.value, p.text[1:len(p.text)-1]...), true
		if n.value == nil {
			n.value = []byte{}
		}
	case p.value != nil:
		n.value = p.value
	}
	n.goesOn = p.goesOn
	return true
}

func (n *node) append(b []byte) []byte {
	switch {
	case n.text:
		return append(append(append(b, '"'), n.value...), '"')
	case n.value != nil:
		return append(b, n.value...)
	case !n.object && !n.list:
		return append(b, "null"...) // it was announced, and did not come
	}
	open, end := byte('{'), byte('}')
	if n.list {
		open, end = '[', ']'
	}
	b = append(b, open)
	for i, name := range n.names {
		if i > 0 {
			b = append(b, ',')
		}
		if n.object {
			b = append(append(append(b, '"'), peek.Quotings([]byte(name))[0]...), `":`...)
		}
		b = n.inner[name].append(b)
	}
	return append(b, end)
}

// segments cuts a path: $, then names and indexes.
func segments(path string) (list []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" && len(list) < deepestPath {
		var segment string
		segment, rest, ok = cutSegment(rest)
		list = append(list, segment)
	}
	return list, ok && rest == "" && len(list) > 0
}

func cutSegment(path string) (segment, rest string, ok bool) {
	if rest, ok := strings.CutPrefix(path, "."); ok {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		return name, rest[end:], name != "" && !strings.ContainsAny(name, "*?@ \"'\\\x00")
	}
	for _, quote := range []string{`'`, `"`} {
		if rest, ok := strings.CutPrefix(path, "["+quote); ok {
			name, rest, ok := strings.Cut(rest, quote+"]")
			return name, rest, ok && !strings.ContainsAny(name, "\\\x00"+quote)
		}
	}
	path, ok = strings.CutPrefix(path, "[")
	digits, rest, closed := strings.Cut(path, "]")
	n, err := strconv.Atoi(digits)
	return index + digits, rest, ok && closed && err == nil && strconv.Itoa(n) == digits && n >= 0
}
