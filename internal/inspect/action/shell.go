package action

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/workingagents/gatehouse/internal/flow"
)

// word is one argument as the shell would make it, as far as that is known.
type word struct {
	text  string
	dyn   bool       // a part of it is only known when it runs
	subs  []*command // the commands whose output that part is
	outs  []string   // the files that this output names, as far as that is known
	cuts  bool       // a part is made of a value in a way that is not followed
	holds secrecy    // how secret what it holds is
	keys  []string   // the variables in it that are named like credentials
}

// command is one simple command, without the wrappers in front of it.
type command struct {
	name    string   // of the program, without its folder, lower case
	program string   // as it was called
	args    []string // without the name
	words   []word   // the same, and what is known of each
	dyn     bool     // an argument is only known when it runs
	line    string   // name and arguments, joined by blanks
	reads   []string // redirected from
	writes  []string // redirected to
	input   string   // a here-document or here-string
	holds   secrecy  // how secret that is
	via     []string // the hosts over which it is led
	sudo    bool
	subs    []*command // the commands whose output stands in an argument
	start   int
	end     int
}

// shell reads one text as a shell's.
type shell struct {
	*judge
	lang    syntax.LangVariant
	at      func(offset int) int // of the text → of the arguments
	parsed  bool                 // what is judged as Windows' is judged as this shell's, too
	whole   bool                 // the text has no place of its own in the arguments: at gives its ends
	depth   int
	cap     int                 // the confidence that a finding may have
	vars    map[string]string   // values that are known
	fetch   map[string]string   // files that were fetched → from which host
	wrote   map[string]string   // files that were written → their text; of decoded and copied ones it is not known
	dir     string              // the working folder: "" is where it began
	via     []string            // the hosts over which settings lead what follows
	stdin   []string            // the files that the pipe to the command names
	params  []string            // $1, $2 …
	lists   map[string][]string // arrays
	alias   map[string]string
	funcs   map[string]*function
	secrets map[string]secrecy // variables, and files by their keys, that hold what is secret
	sockets map[string]string  // descriptors that are connections → /dev/tcp/HOST/PORT
}

// shell gives one that knows nothing yet.
func (j *judge) shell(at func(int) int) *shell {
	return &shell{judge: j, at: at, dir: j.dir, lang: syntax.LangBash, vars: map[string]string{}, fetch: map[string]string{}, wrote: map[string]string{}, sockets: map[string]string{}, secrets: map[string]secrecy{}, lists: map[string][]string{}, alias: map[string]string{}, funcs: map[string]*function{}}
}

// shellText judges a text as commands of a shell. at gives the place in the
// arguments of an offset in it.
func (j *judge) shellText(text string, at func(int) int, cap int) {
	s := j.shell(at)
	s.cap = cap
	s.text(text)
}

// nested judges a text that a command hands to another shell.
func (s *shell) nested(text string, c *command) {
	if s.depth >= maxDepth || len(text) < minText {
		if len(text) >= minText {
			s.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Start: s.at(c.start), End: s.at(c.end), Note: "commands in commands, too deep to be read"})
		}
		return
	}
	inner := *s
	start, end := s.at(c.start), s.at(c.end)
	inner.at = func(offset int) int {
		if offset == 0 {
			return start
		}
		return end
	}
	inner.whole = true
	inner.depth++
	inner.text(text)
}

func (s *shell) text(text string) {
	s.work += len(text)
	if s.work > maxWork {
		s.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Start: s.at(0), End: s.at(len(text)), Note: "more than can be read"})
		return
	}
	own := *s
	own.parsed = true
	own.windows(text)
	if strings.ContainsRune(text, 0) {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	file, err := s.parse(text)
	if err != nil {
		s.loose(text)
		return
	}
	s.stmts(file.Stmts)
}

func (s *shell) parse(text string) (*syntax.File, error) {
	if len(text) > maxParse || nesting(text) > maxNest {
		return nil, errLong
	}
	p := syntax.NewParser(syntax.Variant(s.lang))
	return p.Parse(strings.NewReader(text), "")
}

type constError string

func (e constError) Error() string { return string(e) }

const errLong constError = "too long or too deep to be parsed"

// nesting is a bound on how deep a text can nest: the parser recurses.
func nesting(text string) (most int) {
	open := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '{', '[', '`', '!':
			open++
		case ')', '}', ']':
			open = max(0, open-1)
		}
		most = max(most, open)
	}
	return max(most, strings.Count(text, "if ")+strings.Count(text, "if\n"), strings.Count(text, "while "), strings.Count(text, "for "), strings.Count(text, "case "), strings.Count(text, "<<")*2)
}

// stmts gives the simple commands in a list of statements.
func (s *shell) stmts(list []*syntax.Stmt) (all []*command) {
	for _, st := range list {
		all = append(all, s.stmt(st)...)
	}
	return all
}

func (s *shell) stmt(st *syntax.Stmt) []*command {
	if st == nil || st.Cmd == nil {
		if st != nil {
			return s.call(nil, nil, st)
		}
		return nil
	}
	switch c := st.Cmd.(type) {
	case *syntax.CallExpr:
		return s.call(c.Assigns, c.Args, st)
	case *syntax.BinaryCmd:
		return s.binary(c, st)
	case *syntax.FuncDecl:
		s.bomb(c, st)
		s.define(c)
		return s.redirected(s.apart(func() []*command { return s.stmt(c.Body) }), st)
	}
	return s.redirected(s.compound(st.Cmd), st)
}

// compound walks what holds other statements.
func (s *shell) compound(cmd syntax.Command) (all []*command) {
	switch c := cmd.(type) {
	case *syntax.Subshell:
		return s.apart(func() []*command { return s.stmts(c.Stmts) })
	case *syntax.Block:
		return s.stmts(c.Stmts)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			all = append(append(all, s.stmts(c.Cond)...), s.stmts(c.Then)...)
		}
	case *syntax.WhileClause:
		return append(s.stmts(c.Cond), s.stmts(c.Do)...)
	case *syntax.ForClause:
		return s.loop(c)
	case *syntax.CaseClause:
		for _, item := range c.Items {
			all = append(all, s.stmts(item.Stmts)...)
		}
	case *syntax.TimeClause:
		return s.stmt(c.Stmt)
	case *syntax.CoprocClause:
		return s.stmt(c.Stmt)
	case *syntax.DeclClause:
		s.assign(c.Args)
	default:
		s.within(cmd)
	}
	return all
}

// within walks the substitutions in what is no command itself.
func (s *shell) within(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			s.stmts(n.Stmts)
			return false
		case *syntax.ProcSubst:
			s.stmts(n.Stmts)
			return false
		}
		return true
	})
}

// apart walks what has a working folder of its own.
func (s *shell) apart(walk func() []*command) []*command {
	dir := s.dir
	all := walk()
	s.dir = dir
	return all
}

// Bounds of loops: how many values of a variable are tried, in one loop and in all, and
// in all of those that are vital.
const (
	maxValuesEach = 8
	maxRounds     = 24
	maxVital      = 96
)

// loop walks a loop for its variable's first values, and for later ones that mean
// something. Where there are more it walks it once without any.
func (s *shell) loop(f *syntax.ForClause) (all []*command) {
	words, ok := f.Loop.(*syntax.WordIter)
	if !ok {
		s.within(f.Loop)
		return s.stmts(f.Do)
	}
	name := words.Name.Value
	values, more := s.loopValues(words.Items)
	for _, v := range values {
		if s.rounds >= maxVital || s.rounds >= maxRounds && !vital(s.from(v)) {
			more = true
			continue
		}
		s.rounds++
		s.set(name, v)
		all = append(all, s.stmts(f.Do)...)
	}
	if more {
		delete(s.vars, name)
		all = append(all, s.stmts(f.Do)...)
	}
	return all
}

// loopValues gives the values to try, and whether there are others.
func (s *shell) loopValues(items []*syntax.Word) (values []string, more bool) {
	for _, item := range items {
		for _, w := range s.expand(item) {
			switch {
			case w.dyn:
				more = true
			case slices.Contains(values, w.text):
			case len(values) < maxValuesEach, len(values) < 2*maxValuesEach && (vital(s.from(w.text)) || len(s.placesOf(w.text)) > 0):
				values = append(values, w.text)
			default:
				more = true
			}
		}
	}
	return values, more || len(values) == 0
}

func (s *shell) set(name, value string) {
	if len(s.vars) < maxVars || s.vars[name] != "" {
		s.vars[name] = value
	}
}

func (s *shell) binary(c *syntax.BinaryCmd, st *syntax.Stmt) []*command {
	if c.Op != syntax.Pipe && c.Op != syntax.PipeAll {
		left := s.stmt(c.X)
		return s.redirected(append(left, s.stmt(c.Y)...), st)
	}
	left := s.apart(func() []*command { return s.stmt(c.X) })
	before := s.stdin
	s.stdin = outputs(left)
	right := s.apart(func() []*command { return s.stmt(c.Y) })
	s.stdin = before
	s.pipe(left, right, int(st.Pos().Offset()), int(c.Y.End().Offset()))
	return s.redirected(append(left, right...), st)
}

// bomb finds a function that does nothing but start itself twice.
func (s *shell) bomb(f *syntax.FuncDecl, st *syntax.Stmt) {
	if f.Name == nil {
		return
	}
	calls, background := 0, false
	syntax.Walk(f.Body, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if len(n.Args) > 0 && n.Args[0].Lit() == f.Name.Value {
				calls++
			}
		case *syntax.Stmt:
			background = background || n.Background
		}
		return true
	})
	if calls > 1 && background {
		s.add(Found{Rule: Destructive, Severity: flow.Critical, Confidence: 95, Start: s.at(int(st.Pos().Offset())), End: s.at(int(st.End().Offset())), Note: "a fork bomb"})
	}
}

// redirected judges the redirections of a compound statement.
func (s *shell) redirected(all []*command, st *syntax.Stmt) []*command {
	if len(st.Redirs) == 0 {
		return all
	}
	c := &command{start: int(st.Pos().Offset()), end: int(st.End().Offset())}
	s.redirect(c, st.Redirs)
	s.judgeFiles(c)
	for _, in := range all {
		in.writes = append(in.writes, c.writes...)
	}
	return append(all, c)
}

func (s *shell) redirect(c *command, list []*syntax.Redirect) {
	for _, r := range list {
		if r.Hdoc != nil {
			text := s.expand(r.Hdoc)
			c.input, c.holds = join(text, ""), held(text)
			continue
		}
		words := s.expand(r.Word)
		target := join(words, " ")
		if r.N != nil && r.N.Value == "2" && target == "/dev/null" {
			continue
		}
		switch r.Op {
		case syntax.RdrInOut:
			c.writes = append(c.writes, target)
			s.connects(r, target)
		case syntax.RdrIn:
			c.reads = append(c.reads, target)
			s.connects(r, target)
		case syntax.WordHdoc:
			c.input, c.holds = target, held(words)
		case syntax.DplIn:
			if device := s.sockets[target]; device != "" {
				c.reads = append(c.reads, device)
			}
		case syntax.DplOut:
			if device := s.sockets[target]; device != "" {
				c.writes = append(c.writes, device)
			} else if strings.Trim(target, "0123456789-") != "" {
				c.writes = append(c.writes, target) // >&FILE: both outputs
			}
		default:
			c.writes = append(c.writes, target)
			s.connects(r, target)
		}
	}
}

// connects remembers that a descriptor is a connection.
func (s *shell) connects(r *syntax.Redirect, target string) {
	if r.N == nil || !isDevice(target) || len(s.sockets) >= maxVars {
		return
	}
	name := r.N.Value
	if strings.HasPrefix(name, "{") { // the shell chooses the number
		s.set(strings.Trim(name, "{}"), name)
	}
	s.sockets[name] = target
}

func (s *shell) assign(list []*syntax.Assign) {
	for _, a := range list {
		if a.Array != nil {
			s.list(a)
		}
		if a.Value == nil {
			continue
		}
		got := s.expand(a.Value)
		if a.Name == nil {
			continue
		}
		text := join(got, " ")
		s.holds("$"+a.Name.Value, held(got))
		s.variable(a.Name.Value, text, a)
		if dyn(got) {
			delete(s.vars, a.Name.Value)
		} else if a.Append {
			s.set(a.Name.Value, bounded(s.vars[a.Name.Value]+text))
		} else {
			s.set(a.Name.Value, bounded(text))
		}
	}
}

// bounded keeps values from doubling again and again.
func bounded(text string) string {
	if len(text) > 4096 {
		return text[:4096]
	}
	return text
}

// holds remembers how secret a variable or a file is.
func (s *shell) holds(name string, secret secrecy) {
	if secret == notSecret {
		delete(s.secrets, name)
	} else if len(s.secrets) < maxVars {
		s.secrets[name] = secret
	}
}

// held tells how secret the most secret of some words is.
func held(list []word) (most secrecy) {
	for _, w := range list {
		most = max(most, w.holds)
	}
	return most
}

func dyn(list []word) bool {
	for _, w := range list {
		if w.dyn {
			return true
		}
	}
	return false
}

func join(list []word, sep string) string {
	if len(list) == 1 {
		return list[0].text
	}
	var b strings.Builder
	for i, w := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// call judges one simple command, and gives it with those that it starts.
func (s *shell) call(assigns []*syntax.Assign, args []*syntax.Word, st *syntax.Stmt) []*command {
	s.assign(assigns)
	c := &command{start: int(st.Pos().Offset()), end: int(st.End().Offset())}
	s.redirect(c, st.Redirs)
	var words []word
	total := 0
	for _, a := range args {
		got := s.expand(a)
		for _, w := range got {
			total += len(w.text)
		}
		if total > maxParse {
			break
		}
		words = append(words, got...)
	}
	return s.run(c, words)
}

// run judges a command of which the words are known.
func (s *shell) run(c *command, words []word) []*command {
	if s.runs++; s.runs > maxRuns {
		s.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Note: "more commands than are judged"})
		return nil
	}
	if len(words) == 0 {
		s.judgeFiles(c)
		return []*command{c}
	}
	if text, ok := s.alias[words[0].text]; ok {
		words = append(fields(text), words[1:]...)
	}
	if len(words) == 1 && strings.ContainsAny(words[0].text, " \t") && words[0].dyn {
		words = fields(words[0].text)
	}
	if all, ok := s.called(c, words); ok {
		return all
	}
	for _, w := range words {
		c.dyn = c.dyn || w.dyn
		c.subs = append(c.subs, w.subs...)
	}
	s.name(c, words)
	if words[0].cuts {
		s.computes(c)
	}
	inner := s.unwrap(c)
	c.via = s.via
	s.judgeCommand(c)
	s.settles(c)
	return append([]*command{c}, inner...)
}

// name splits off the program's name.
func (s *shell) name(c *command, words []word) {
	c.program = words[0].text
	c.name = programName(c.program)
	if rest, ok := strings.CutPrefix(c.name, "$"); ok && !strings.HasPrefix(rest, "(") { // the best guess: $CURL, ${which_gpg}
		c.name = strings.TrimPrefix(strings.Trim(rest, "{}"), "which_")
	}
	if hasGlob(c.name) {
		c.name = globbedProgram(c.name)
	}
	c.words = words[1:]
	c.args = make([]string, 0, len(words)-1)
	for _, w := range words[1:] {
		c.args = append(c.args, w.text)
	}
	c.line = strings.Join(append([]string{c.name}, c.args...), " ")
}

// programName is the last part of a path, without what Windows adds to it.
func programName(program string) string {
	name := program[strings.LastIndexAny(program, `/\`)+1:]
	name = strings.ToLower(name)
	for _, ext := range [...]string{".exe", ".com", ".cmd", ".bat"} {
		if cut, ok := strings.CutSuffix(name, ext); ok && cut != "" {
			return cut
		}
	}
	return name
}

// usualPrograms are names that a pattern is tried on where a program's name is one.
var usualPrograms = strings.Fields("rm sh bash zsh dd nc cat curl wget chmod chown mkfs find base64 python3 perl")

// globbedProgram is the program that a pattern such as /bin/r? fits.
func globbedProgram(name string) string {
	if strings.Trim(name, "[") == "" { // a test
		return name
	}
	for _, p := range usualPrograms {
		if fits, err := path.Match(name, p); fits && err == nil {
			return p
		}
	}
	return name
}

// fields cuts a text at blanks.
func fields(text string) (list []word) {
	for _, f := range strings.Fields(text) {
		list = append(list, word{text: f, dyn: strings.Contains(f, "$")})
	}
	return list
}
