package action

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// value is one string among the arguments.
type value struct {
	name       string // of the member that holds it, lower case
	text       string
	start, end int // in the arguments, without the quotes
	raw        []byte
	list       int    // which array it is an element of; 0: none
	in         *value // whose text it was read out of; nil: the arguments
}

// at gives the place in the arguments of an offset in the value's text.
func (v *value) at(offset int) int {
	offset = v.behind(offset)
	if v.in != nil {
		return v.in.at(offset)
	}
	return offset
}

// behind is at, for the text that the value was read out of.
func (v *value) behind(offset int) int {
	if len(v.raw) == len(v.text) || offset <= 0 {
		return v.start + min(max(offset, 0), len(v.raw))
	}
	if offset >= len(v.text) {
		return v.end
	}
	var said []byte
	for i, n := 0, 0; i < len(v.raw); {
		if n >= offset {
			return v.start + i
		}
		step, width := peek.Step(said[:0], v.raw[i:])
		said, i, n = step, i+width, n+len(step)
	}
	return v.end
}

// call judges a tool call by its arguments.
func (j *judge) call(args []byte) {
	free := &value{text: string(args), end: len(args), raw: args}
	trimmed := bytes.TrimLeft(args, " \t\r\n")
	switch {
	case !mayBeJSON(free.text):
	case trimmed[0] == '"':
		if free = j.quoted(args, free); free == nil {
			return
		}
	default:
		values, _ := strs(args)
		j.values(j.unpack(values))
		if json.Valid(args) {
			return
		}
		if likeJSON.Match(trimmed) {
			j.add(Found{Rule: Unparsed, Severity: flow.Medium, Confidence: 100, End: len(args), Note: "arguments are no JSON; judged as text"})
		}
	}
	j.freeText(free)
}

// quoted judges arguments that begin with a quote: encoded twice, or free text as a JSON
// string, or words of a shell. It gives what is left to judge as free text.
func (j *judge) quoted(args []byte, free *value) *value {
	values, ok := strs(args)
	valid := json.Valid(args)
	if valid {
		free = &values[0]
	}
	if values = j.unpack(values); !ok || len(values) < 2 {
		return free
	}
	if j.values(values); valid {
		return nil
	}
	return free
}

// likeJSON is how an object or a list of strings begins.
var likeJSON = regexp.MustCompile(`^(\{\s*["}]|\[\s*["\]{])`)

// unpack adds the strings of those texts that are JSON again, as tools get them whose
// arguments were encoded twice. What is only written to a file stays one text. Each
// encoding doubles the backslashes of the one within, so that there are few.
func (j *judge) unpack(values []value) []value {
	writes, lists := writeTool.MatchString(j.tool), 0
	for i := range values {
		lists = max(lists, values[i].list)
	}
	for i := 0; i < len(values); i++ {
		v := values[i]
		if !mayBeJSON(v.text) || contentNames[v.name] || workNames[v.name] || writes && v.name != "" && !packedNames[v.name] {
			continue
		}
		inner, ok := strs([]byte(v.text))
		if !ok {
			continue
		}
		before := lists
		for _, w := range inner {
			w.in, w.name = &v, cmp.Or(w.name, v.name)
			if w.list > 0 {
				w.list += before
			}
			lists = max(lists, w.list)
			values = append(values, w)
		}
	}
	return values
}

// mayBeJSON looks at how a text begins.
func mayBeJSON(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	return text != "" && strings.IndexByte(`{["`, text[0]) >= 0
}

// strs lists the strings among the arguments with the names that lead to them. It is
// as forgiving as the clients that mend what a model broke off or wrote wrong: a
// string need not end, and may hold line breaks. Where the text is no JSON of that
// kind either it stops, and ok is false.
func strs(args []byte) (values []value, ok bool) {
	r := reader{args: args}
	for r.pos < len(args) {
		if !r.step() {
			return r.values, false
		}
	}
	return r.values, true
}

// reader reads the strings out of a JSON text.
type reader struct {
	args   []byte
	pos    int
	stack  []level // at most maxOpen
	closed bool    // a text is over
	lists  int     // so far
	values []value
}

// level is an object or a list that is open.
type level struct {
	object bool
	key    bool // the next string is a name
	name   string
	list   int
}

// step reads one token, and reports whether there was one.
func (r *reader) step() bool {
	top := len(r.stack) - 1
	switch c := r.args[r.pos]; c {
	case ' ', '\t', '\r', '\n':
	case '{', '[':
		if len(r.stack) == maxOpen {
			return false
		}
		r.open(c == '{')
	case '}', ']':
		if top < 0 || r.stack[top].object != (c == '}') {
			return false
		}
		r.stack = r.stack[:top]
	case ',':
		if top < 0 {
			return false
		}
		r.stack[top].key = r.stack[top].object
	case ':':
		if top < 0 || !r.stack[top].object {
			return false
		}
	case '"':
		if top < 0 && r.closed {
			return false // "a" "b": words of a shell
		}
		r.text()
		r.closed = true
		return true
	default:
		n := len(scalar.Find(r.args[r.pos:]))
		r.pos += n
		return n > 0
	}
	r.pos++
	return true
}

var scalar = regexp.MustCompile(`^(?:true|false|null|-?[0-9][0-9.eE+-]*)`)

func (r *reader) open(object bool) {
	l := level{object: object, key: object}
	if top := len(r.stack) - 1; top >= 0 {
		l.name = r.stack[top].name
	}
	if !object {
		r.lists++
		l.list = r.lists
	}
	r.stack = append(r.stack, l)
}

// text takes a string, or what there is of it.
func (r *reader) text() {
	start := r.pos + 1
	end := start
	for end < len(r.args) && r.args[end] != '"' {
		if r.args[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(r.args))
	r.pos = min(end+1, len(r.args))
	quoted := r.args[start-1 : r.pos]
	if end == len(r.args) {
		quoted = append(slices.Clip(quoted), '"')
	}
	top := len(r.stack) - 1
	if top >= 0 && r.stack[top].key {
		r.stack[top].name, r.stack[top].key = strings.ToLower(peek.String(quoted)), false
		return
	}
	v := value{text: peek.String(quoted), start: start, end: end, raw: r.args[start:end]}
	if top >= 0 {
		v.name, v.list = r.stack[top].name, r.stack[top].list
	}
	r.values = append(r.values, v)
}
