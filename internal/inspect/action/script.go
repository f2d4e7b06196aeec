package action

import (
	"regexp"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Codex runs JavaScript that calls tools: tools.exec_command({cmd: "…"}),
// tools.apply_patch(`…`). What stands there as a literal is judged as what the
// tool gets; what is computed is a finding.

var (
	scriptCall = regexp.MustCompile(`\btools\s*(?:\.\s*([A-Za-z_$][\w$]*)|\[\s*(["'])([\w$]+)["']\s*\]|(\[))`)
	scriptTool = regexp.MustCompile(`\btools\b\s*(\.|\[)|\bcodex\.(tool|exec)`)
)

// isScript reports whether a text is JavaScript that calls an agent's tools.
func isScript(text string) bool {
	return strings.Contains(text, "tools") && scriptTool.MatchString(text)
}

// javascript judges the calls of tools in a script.
func (j *judge) javascript(text string, at func(int) int) {
	calls := scriptCall.FindAllStringSubmatchIndex(text, 64)
	constants := scriptConstants(text)
	for _, m := range calls {
		name := ""
		switch {
		case m[2] >= 0:
			name = text[m[2]:m[3]]
		case m[6] >= 0:
			name = text[m[6]:m[7]]
		}
		open := m[1]
		for open < len(text) && (text[open] == ' ' || text[open] == '\n' || text[open] == '\t') {
			open++
		}
		end := scriptEnd(text, open)
		if m[8] >= 0 { // tools[x]
			j.opaque(at(m[0]), at(min(end, len(text))), "calls a tool whose name is computed")
			continue
		}
		if open >= len(text) || text[open] != '(' {
			j.opaque(at(m[0]), at(m[1]), "hands a tool on")
			continue
		}
		j.scriptArgs(name, text[open+1:max(open+1, end-1)], func(o int) int { return at(open + 1 + o) }, constants)
	}
	s := j.shell(at)
	if strings.Contains(text, "child_process") || strings.Contains(text, "require(") || strings.Contains(text, "fetch(") || strings.Contains(text, "eval(") || strings.Contains(text, "Function(") {
		s.code(text, &command{end: len(text)})
	}
	if len(calls) == 0 || scriptAlias.MatchString(text) {
		j.opaque(at(0), at(len(text)), "tools under another name")
	}
}

var scriptAlias = regexp.MustCompile(`(?:=|\(|,|\{)\s*tools\s*(?:[;,)\n]|$)|\.\.\.\s*tools\b`)

func (j *judge) opaque(start, end int, note string) {
	j.add(Found{Rule: Opaque, Severity: flow.Medium, Confidence: 80, Start: start, End: end, Note: note})
}

// scriptArgs judges the arguments of one call.
func (j *judge) scriptArgs(tool, args string, at func(int) int, constants map[string]string) {
	inner := &judge{tool: tool, own: j.own}
	defer func() {
		j.work += inner.work
		for _, f := range inner.found {
			j.add(f)
		}
		j.ways = append(j.ways, inner.ways[:min(len(inner.ways), maxFound-len(j.ways))]...)
	}()
	computed := false
	values := []value{}
	for _, l := range scriptValues(args, constants) {
		l := l
		computed = computed || l.computed && matters(l.name)
		values = append(values, value{name: l.name, text: l.text, start: at(l.start), end: at(l.end), raw: []byte(args[l.start:l.end]), list: l.list})
	}
	for i := range values {
		v := &values[i]
		if v.name != "" {
			continue
		}
		switch {
		case strings.Contains(v.text, "*** Begin Patch"):
			inner.patch(v.text, v.at)
		case shellTool.MatchString(tool) || strings.Contains(tool, "exec"):
			v.name = "cmd"
		}
	}
	inner.values(values)
	if computed || len(values) == 0 && strings.TrimSpace(args) != "" && strings.TrimSpace(args) != "{}" {
		inner.opaque(at(0), at(len(args)), "a command that code computes")
	}
}

func matters(name string) bool {
	return name == "" || commandNames[name] || pathNames[name] || name == "input" || name == "patch" || urlNames[name]
}

// scriptValue is one literal in the arguments of a call.
type scriptValue struct {
	name       string
	text       string
	start, end int
	computed   bool // a part is only known when it runs
	list       int
}

// scriptEnd gives the end of what the bracket at open begins.
func scriptEnd(text string, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			i = literalEnd(text, i) - 1
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
			if depth <= 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// literalEnd gives the end of the string literal that begins at i.
func literalEnd(text string, i int) int {
	quote := text[i]
	for k := i + 1; k < len(text); k++ {
		switch text[k] {
		case '\\':
			k++
		case quote:
			return k + 1
		case '\n':
			if quote != '`' {
				return k
			}
		}
	}
	return len(text)
}

// maxValues is how many arguments of one call are looked at.
const maxValues = 2000

var scriptName = regexp.MustCompile(`([\w$]+)["']?\s*:\s*$`)

// scriptValues lists the literals in arguments with the names before them. An
// expression that is no literal is a computed value.
func scriptValues(args string, constants map[string]string) (list []scriptValue) {
	name, lists, inList, braces := "", 0, 0, false
	rest := func(text string) bool { // what stands between literals and is more than structure
		return strings.Trim(text, " \t\r\n,(){}[]:;") != ""
	}
	last := 0
	for i := 0; i < len(args); i++ {
		c := args[i]
		switch {
		case c == '{':
			braces = true
		case c == '[':
			lists++
			inList = lists
		case c == ']':
			inList = 0
		case c == ':':
			if m := scriptName.FindStringSubmatch(args[last : i+1]); m != nil {
				name = strings.ToLower(m[1])
				last = i + 1
			}
		case c == '"' || c == '\'' || c == '`':
			end := literalEnd(args, i)
			if k := skipBlank(args, end); k < len(args) && args[k] == ':' && c != '`' {
				name = strings.ToLower(args[i+1 : max(i+1, end-1)])
				last = k + 1
				i = k
				continue
			}
			v := scriptValue{name: name, start: min(i+1, len(args)), end: max(i+1, end-1), list: inList}
			v.text, v.computed = scriptLiteral(args[i:end], constants)
			v.computed = v.computed || rest(args[last:i])
			if k := skipBlank(args, end); k < len(args) && (args[k] == '+' || args[k] == '.') {
				v.computed = true
			}
			list = append(list, v)
			last, i = end, end-1
		case c == ',' && inList == 0:
			list = appendWord(list, args, last, i, name, constants)
			last = i + 1
			if !braces {
				name = ""
			}
			if len(list) > maxValues {
				return list
			}
		}
	}
	return appendWord(list, args, last, len(args), name, constants)
}

func skipBlank(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t') {
		i++
	}
	return i
}

// appendWord adds an expression that is no literal: a constant's value, or what is
// computed.
func appendWord(list []scriptValue, args string, start, end int, name string, constants map[string]string) []scriptValue {
	word := strings.Trim(args[start:end], " \t\r\n(){}[]:;")
	switch {
	case word == "" || word == "true" || word == "false" || word == "null" || strings.Trim(word, "0123456789._") == "":
		return list
	case strings.HasPrefix(word, "+") && len(list) > 0:
		list[len(list)-1].computed = true
		return list
	}
	if i := strings.LastIndexByte(word, ':'); i >= 0 && name == "" {
		name = strings.ToLower(strings.TrimSpace(word[:i]))
	}
	if name == "" && plainName.MatchString(word) && strings.ContainsAny(args[:min(len(args), 256)], "{") {
		name = strings.ToLower(word) // {cmd}
	}
	text, known := constants[word]
	return append(list, scriptValue{name: name, text: text, start: start, end: start, computed: !known})
}

var plainName = regexp.MustCompile(`^[A-Za-z_$][\w$]*$`)

// scriptLiteral gives a literal's text, and whether a template in it is computed.
func scriptLiteral(lit string, constants map[string]string) (string, bool) {
	if len(lit) < 2 {
		return "", false
	}
	body := lit[1:]
	if body[len(body)-1] == lit[0] {
		body = body[:len(body)-1]
	}
	body = ansi(body)
	if lit[0] != '`' || !strings.Contains(body, "${") {
		return body, false
	}
	computed := false
	body = template.ReplaceAllStringFunc(body, func(m string) string {
		if v, ok := constants[strings.TrimSpace(m[2:len(m)-1])]; ok {
			return v
		}
		computed = true
		return "$" + "COMPUTED"
	})
	return body, computed
}

var (
	template = regexp.MustCompile(`\$\{[^{}]*\}`)
	constant = regexp.MustCompile("(?:const|let|var)\\s+([A-Za-z_$][\\w$]*)\\s*=\\s*(\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|`[^`$]*`)\\s*(?:;|\\n|$)")
)

// scriptConstants are the names that stand for a literal, and only for one.
func scriptConstants(text string) map[string]string {
	m := map[string]string{}
	for _, c := range constant.FindAllStringSubmatch(text, 64) {
		if _, twice := m[c[1]]; twice || regexp.MustCompile(regexp.QuoteMeta(c[1])+`\s*\+?=[^=>]`).FindAllStringIndex(text, 3) != nil && len(regexp.MustCompile(`(^|[^\w$])`+regexp.QuoteMeta(c[1])+`\s*\+?=[^=>]`).FindAllStringIndex(text, 3)) > 1 {
			m[c[1]+" changes"] = ""
			delete(m, c[1])
			continue
		}
		m[c[1]], _ = scriptLiteral(c[2], nil)
	}
	return m
}
