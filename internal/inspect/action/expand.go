package action

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// expansion makes words of one syntax word. What is only known when it runs
// stands in them as the text of a variable, or as $(…).
type expansion struct {
	*shell
	done  []word
	b     strings.Builder
	dyn   bool
	subs  []*command
	outs  []string
	cuts  bool
	holds secrecy
	keys  []string
	any   bool
}

func (s *shell) expand(w *syntax.Word) (list []word) {
	if w == nil {
		return nil
	}
	if len(w.Parts) == 1 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok && !strings.ContainsAny(lit.Value, `\{`) {
			return []word{{text: lit.Value}}
		}
	}
	for _, parts := range braced(w) {
		e := &expansion{shell: s}
		for _, p := range parts {
			e.part(p, false)
		}
		e.cut()
		list = append(list, e.done...)
	}
	return list
}

// maxBraced is how many words {a,b} may make of one.
const maxBraced = 64

// braced undoes {a,b,c}. A sequence such as {1..9} stays as it is.
func braced(w *syntax.Word) [][]syntax.WordPart {
	if !slices.ContainsFunc(w.Parts, opensBrace) {
		return [][]syntax.WordPart{w.Parts}
	}
	split := *w
	split.Parts = slices.Clone(w.Parts)
	syntax.SplitBraces(&split)
	return alternatives(split.Parts)
}

func opensBrace(p syntax.WordPart) bool {
	lit, ok := p.(*syntax.Lit)
	return ok && strings.Contains(lit.Value, "{")
}

// alternatives gives the words that parts with braces stand for.
func alternatives(parts []syntax.WordPart) [][]syntax.WordPart {
	list := [][]syntax.WordPart{nil}
	for _, p := range parts {
		choices := [][]syntax.WordPart{{p}}
		if b, ok := p.(*syntax.BraceExp); ok && !b.Sequence {
			choices = nil
			for _, elem := range b.Elems {
				choices = append(choices, alternatives(elem.Parts)...)
			}
		}
		var longer [][]syntax.WordPart
		for _, begin := range list {
			for _, c := range choices {
				if len(longer) < maxBraced {
					longer = append(longer, append(slices.Clip(slices.Clone(begin)), c...))
				}
			}
		}
		list = longer
	}
	return list
}

// cut ends a word.
func (e *expansion) cut() {
	if e.any {
		e.done = append(e.done, word{text: e.b.String(), dyn: e.dyn, subs: e.subs, outs: e.outs, cuts: e.cuts, holds: e.holds, keys: e.keys})
	}
	e.b.Reset()
	e.dyn, e.subs, e.outs, e.cuts, e.any = false, nil, nil, false, false
	e.holds, e.keys = notSecret, nil
}

func (e *expansion) write(text string) {
	e.b.WriteString(text)
	e.any = true
}

// several writes words, the first behind what is there.
func (e *expansion) several(texts []string) {
	for i, t := range texts {
		if i > 0 {
			e.cut()
		}
		e.write(t)
	}
}

func (e *expansion) part(p syntax.WordPart, quoted bool) {
	switch p := p.(type) {
	case *syntax.Lit:
		e.write(unescape(p.Value, quoted))
	case *syntax.SglQuoted:
		if p.Dollar {
			e.write(ansi(p.Value))
		} else {
			e.write(p.Value)
		}
	case *syntax.DblQuoted:
		e.any = true
		for _, q := range p.Parts {
			e.part(q, true)
		}
	case *syntax.ParamExp:
		e.param(p, quoted)
	case *syntax.CmdSubst:
		e.substitute(p, quoted)
	case *syntax.ProcSubst:
		e.process(p)
	case *syntax.ExtGlob:
		e.write("*")
	case *syntax.BraceExp:
		e.write("{}")
	default:
		e.within(p)
		e.write("0")
		e.dyn = true
	}
}

// param puts a variable's value in, when it is known.
func (e *expansion) param(p *syntax.ParamExp, quoted bool) {
	name := ""
	if p.Param != nil {
		name = p.Param.Value
	}
	e.holds = max(e.holds, e.secrets["$"+name])
	if keyName.MatchString(name) {
		e.keys = append(e.keys, name)
	}
	if values, known := e.many(p); known {
		if !quoted {
			values = strings.Fields(strings.Join(values, " "))
		}
		e.several(values)
		return
	}
	if p.Exp != nil && p.Exp.Word != nil {
		inner := e.expand(p.Exp.Word)
		if e.vars[name] == "" && (p.Exp.Op == syntax.DefaultUnsetOrNull || p.Exp.Op == syntax.DefaultUnset) && !dyn(inner) {
			e.write(join(inner, " "))
			return
		}
	}
	if name == "IFS" && !quoted {
		e.cut()
		return
	}
	value, known := e.vars[name]
	plain := bare(p) && p.Index == nil
	e.cuts = e.cuts || cuts(p)
	switch {
	case known && plain && !quoted && strings.ContainsAny(value, " \t\n"):
		e.several(strings.Fields(value))
	case known && plain:
		e.write(value)
	default:
		e.write("$" + name)
		e.dyn = true
	}
}

// substitute puts a command's output in, when it can be foreseen.
func (e *expansion) substitute(p *syntax.CmdSubst, quoted bool) {
	e.depth++
	var all []*command
	if e.depth <= maxDepth*4 {
		all = e.apart(func() []*command { return e.stmts(p.Stmts) })
	}
	e.depth--
	if out, ok := foreseen(all); ok {
		if quoted || !strings.ContainsAny(out, " \t\n") {
			e.write(out)
			return
		}
		e.several(strings.Fields(out))
		return
	}
	e.write("$(" + names(all) + ")")
	e.dyn, e.subs, e.outs = true, append(e.subs, all...), outputs(all)
	e.holds = max(e.holds, e.mostSecret(all))
}

func (e *expansion) process(p *syntax.ProcSubst) {
	e.depth++
	var all []*command
	if e.depth <= maxDepth*4 {
		all = e.apart(func() []*command { return e.stmts(p.Stmts) })
	}
	e.depth--
	e.write("<(" + names(all) + ")")
	e.dyn, e.subs, e.holds = true, append(e.subs, all...), max(e.holds, e.mostSecret(all))
}

// names tells which commands a substitution runs.
func names(all []*command) string {
	var b strings.Builder
	for i, c := range all {
		if i > 8 {
			break
		}
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(c.name)
	}
	return b.String()
}

// foreseen gives the output of commands that only print what is known.
func foreseen(all []*command) (string, bool) {
	if len(all) == 0 {
		return "", false
	}
	c := all[0]
	if c.dyn && c.name != "which" && c.name != "command" {
		return "", false
	}
	switch c.name {
	case "which", "command", "type", "whereis":
		for _, a := range c.args {
			if !strings.HasPrefix(a, "-") {
				return a, true
			}
		}
	case "echo", "printf":
		if len(all) == 1 {
			return printed(c), true
		}
		if text, ok := decoded(printed(c), all[1:]); ok {
			return text, true
		}
	}
	return "", false
}

// printed gives what echo or printf prints, about.
func printed(c *command) string {
	args := c.args
	escapes := c.name == "printf"
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		escapes = escapes || strings.Contains(args[0], "e")
		args = args[1:]
	}
	if c.name == "printf" && len(args) > 1 && strings.Contains(args[0], "%") {
		return formatted(args[0], args[1:])
	}
	text := strings.Join(args, " ")
	if escapes && strings.Contains(text, `\`) {
		text = ansi(text)
	}
	return text
}

// unescape takes the backslashes out of a literal.
func unescape(text string, quoted bool) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if text[i+1] == '\n' {
				i++
				continue
			}
			if !quoted || strings.IndexByte("$`\"\\", text[i+1]) >= 0 {
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// ansi undoes the escapes of $'…' and of printf.
func ansi(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		i += escape(&b, text, i)
	}
	return b.String()
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': '\f', 'v': '\v', 'e': 27, 'E': 27}

// escape writes the character that the escape at i means, and gives how many more
// bytes than one it takes.
func escape(b *strings.Builder, text string, i int) int {
	digits := func(from, most, base int) int {
		n := 0
		for n < most && from+n < len(text) {
			if _, err := strconv.ParseUint(text[from+n:from+n+1], base, 8); err != nil {
				break
			}
			n++
		}
		return n
	}
	switch c := text[i]; {
	case c >= '0' && c <= '7':
		n := digits(i, 4, 8)
		v, _ := strconv.ParseUint(text[i:i+n], 8, 16)
		b.WriteByte(byte(v))
		return n - 1
	case c == 'x' || c == 'u' || c == 'U':
		n := digits(i+1, map[byte]int{'x': 2, 'u': 4, 'U': 8}[c], 16)
		if v, err := strconv.ParseUint(text[i+1:i+1+n], 16, 32); err == nil && n > 0 {
			if c == 'x' {
				b.WriteByte(byte(v))
			} else {
				b.WriteRune(rune(v))
			}
			return n
		}
		b.WriteByte(c)
	default:
		if to, ok := escapes[c]; ok {
			c = to
		}
		b.WriteByte(c)
	}
	return 0
}
