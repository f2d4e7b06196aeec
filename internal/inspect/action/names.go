package action

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/workingagents/gatehouse/internal/flow"
)

// What a shell's text gives names to, beside variables: functions, aliases, arrays,
// and the parameters of a function or of set.

// function is one that the text defines.
type function struct {
	body  *syntax.Stmt
	at    func(offset int) int // of the text that holds it
	whole bool
	open  bool            // it is being walked
	seen  map[string]bool // parameters with which it was
}

// maxCalls is how many calls of functions are followed in one call of a tool, beside
// those with what is vital. Each body is judged once where it stands, with parameters
// that are not known.
const maxCalls = 32

func (s *shell) define(f *syntax.FuncDecl) {
	if f.Name != nil && len(s.funcs) < maxVars {
		s.funcs[f.Name.Value] = &function{body: f.Body, at: s.at, whole: s.whole, seen: map[string]bool{}}
	}
}

// called walks the body of a function with the parameters that a command gives it. It
// reports false when the command is none, or when its body says no more than it did.
func (s *shell) called(c *command, words []word) ([]*command, bool) {
	f := s.funcs[words[0].text]
	given := join(words[1:], " ")
	if f == nil || f.open || given == "" || f.seen[given] {
		return nil, false
	}
	if s.followed++; s.followed > maxCalls && !slices.ContainsFunc(words[1:], func(w word) bool { return vital(s.from(w.text)) }) {
		s.hit(c, Opaque, flow.Low, 60, "more calls of functions than are followed", nil)
		return nil, false
	}
	f.open, f.seen[given] = true, true
	inner := *s
	inner.at, inner.whole = f.at, f.whole
	inner.params = texts(words[1:])
	all := inner.stmt(f.body)
	f.open = false
	s.dir = inner.dir
	return all, true
}

func texts(words []word) (list []string) {
	for _, w := range words {
		list = append(list, w.text)
	}
	return list
}

// list keeps the values of an array.
func (s *shell) list(a *syntax.Assign) {
	var values []string
	for _, e := range a.Array.Elems {
		values = append(values, texts(s.expand(e.Value))...)
	}
	if a.Name == nil || len(s.lists) >= maxVars {
		return
	}
	if a.Append {
		values = append(slices.Clone(s.lists[a.Name.Value]), values...)
	}
	s.lists[a.Name.Value] = values[:min(len(values), maxVars)]
}

// many gives the values of $@, $* and ${a[@]}, and of ${a[1]}.
func (s *shell) many(p *syntax.ParamExp) (values []string, known bool) {
	if p.Param == nil || !bare(p) {
		return nil, false
	}
	name := p.Param.Value
	switch {
	case name == "@" || name == "*":
		return s.params, s.params != nil
	case len(name) == 1 && name >= "1" && name <= "9":
		i := int(name[0] - '1')
		if i < len(s.params) {
			return s.params[i : i+1], true
		}
		return nil, false
	case p.Index == nil:
		return nil, false
	}
	values, known = s.lists[name]
	index, ok := p.Index.(*syntax.Word)
	if !ok || !known {
		return nil, false
	}
	at := index.Lit()
	if at == "@" || at == "*" {
		return values, true
	}
	if i := strings.IndexByte("0123456789", (at + " ")[0]); len(at) == 1 && i >= 0 && i < len(values) {
		return values[i : i+1], true
	}
	return nil, false
}

// bare reports whether an expansion takes a value as it is.
func bare(p *syntax.ParamExp) bool {
	return p.Exp == nil && p.Slice == nil && p.Repl == nil && !p.Length && !p.Excl
}

// cuts reports whether an expansion makes another text of a value than the shell's
// text says: a part of it, one with something replaced, or what another name holds.
func cuts(p *syntax.ParamExp) bool { return p.Slice != nil || p.Repl != nil || p.Excl }

// names follows the commands that give values to names.
func (s *shell) names(c *command) {
	switch c.name {
	case "alias":
		for _, a := range c.args {
			if name, text, ok := strings.Cut(a, "="); ok && len(s.alias) < maxVars {
				s.alias[name] = text
				s.nested(text, c)
			}
		}
	case "set":
		if i := slices.Index(c.args, "--"); i >= 0 {
			s.params = slices.Clone(c.args[i+1:])
		}
	case "read", "mapfile", "readarray":
		s.readNames(c)
	case "printf":
		if len(c.args) > 2 && c.args[0] == "-v" && !c.dyn {
			s.set(c.args[1], bounded(formatted(c.args[2], c.args[3:])))
		}
	}
}

// readNames gives names what read gets from a here-string or a pipe.
func (s *shell) readNames(c *command) {
	text := strings.TrimRight(c.input, "\n")
	if text == "" && len(s.stdin) > 0 {
		text = s.stdin[0]
	}
	names := slices.DeleteFunc(slices.Clone(c.args), func(a string) bool { return strings.HasPrefix(a, "-") })
	if len(names) == 0 || text == "" {
		return
	}
	words := strings.Fields(text)
	if c.name != "read" || has(c.args, "-a", "-ra") {
		s.lists[names[len(names)-1]] = words[:min(len(words), maxVars)]
		return
	}
	for i, name := range names {
		switch {
		case i >= len(words):
		case i == len(names)-1:
			s.set(name, bounded(strings.Join(words[i:], " ")))
		default:
			s.set(name, words[i])
		}
	}
}

// formatted is what printf prints, about: of its directives those for text and numbers.
func formatted(format string, args []string) string {
	format = ansi(format)
	var b strings.Builder
	for {
		used := 0
		for i := 0; i < len(format); i++ {
			if format[i] != '%' || i+1 == len(format) {
				b.WriteByte(format[i])
				continue
			}
			for i++; i+1 < len(format) && strings.IndexByte("-+ 0123456789.", format[i]) >= 0; i++ {
			}
			if format[i] == '%' {
				b.WriteByte('%')
			} else if used < len(args) {
				if b.WriteString(args[used]); b.Len() > maxParse {
					return b.String()
				}
				used++
			}
		}
		if args = args[used:]; used == 0 || len(args) == 0 {
			return b.String()
		}
	}
}

// computes notes that the name of a program is put together in a way that is not
// followed.
func (s *shell) computes(c *command) {
	s.hit(c, Opaque, flow.Medium, 60, "a command that the shell computes", nil)
}
