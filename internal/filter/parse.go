package filter

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What bounds a filter.
const (
	MaxBytes = 4 << 10 // of its text, also as String writes it
	maxTerms = 200     // values and texts
	maxDepth = 32      // of the tree
	maxNest  = 2 * maxDepth
)

// Parse reads a filter. now is what ages count back from; its zone is that of
// times that name none. A blank text gives nil. An error is an *Error.
func Parse(text string, now time.Time) (*Filter, error) {
	if len(text) > MaxBytes {
		return nil, tooLong
	}
	p := &parser{text: []rune(text), now: now}
	if err := p.check(text); err != nil {
		return nil, err
	}
	if p.skip(); p.end() {
		return nil, nil
	}
	root, err := p.either(0)
	if err != nil && err != error(errNothing) {
		return nil, err
	}
	if !p.end() { // either stops at a parenthesis only
		return nil, &Error{p.column(), "this parenthesis closes nothing", ""}
	}
	f := &Filter{root: root}
	if root.depth() > maxDepth {
		return nil, tooDeep(1)
	}
	if len(f.String()) > MaxBytes {
		return nil, tooLong
	}
	return f, nil
}

var tooLong = &Error{1, fmt.Sprintf("the filter is longer than %d bytes", MaxBytes), ""}

func tooDeep(column int) *Error {
	return &Error{column, fmt.Sprintf("parentheses and negations lie more than %d deep", maxDepth), ""}
}

type parser struct {
	text  []rune
	at    int
	terms int
	now   time.Time
}

// check refuses what nobody types, and what a terminal would act on.
func (p *parser) check(text string) error {
	column := 0
	for i, r := range text {
		column++
		_, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			return &Error{column, "the filter is no UTF-8 text", ""}
		}
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return &Error{column, "there is a control character", ""}
		}
	}
	return nil
}

func (p *parser) end() bool   { return p.at >= len(p.text) }
func (p *parser) column() int { return p.at + 1 }

func (p *parser) skip() {
	for !p.end() && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

func (p *parser) next() rune {
	if p.end() {
		return 0
	}
	return p.text[p.at]
}

// keyword takes a word in capitals that stands alone.
func (p *parser) keyword(word string) bool {
	end := p.at + len(word)
	if end > len(p.text) || string(p.text[p.at:end]) != word || end < len(p.text) && !unicode.IsSpace(p.text[end]) && p.text[end] != '(' && p.text[end] != ')' {
		return false
	}
	p.at = end
	p.skip()
	return true
}

// either reads terms that OR joins.
func (p *parser) either(nest int) (*Node, error) {
	n, err := p.both(nest)
	if err != nil {
		return nil, err
	}
	nodes := []*Node{n}
	for at := p.column(); p.keyword("OR"); at = p.column() {
		if n, err = p.both(nest); err != nil {
			return nil, p.missing(err, at, "OR")
		}
		nodes = append(nodes, n)
	}
	return join(Any, nodes), nil
}

// errNothing says that a term was expected.
var errNothing = &Error{}

// missing makes errNothing an error about the word before it.
func (p *parser) missing(err error, column int, word string) error {
	if err != error(errNothing) {
		return err
	}
	return &Error{column, "there is nothing behind " + word, `put the word in quotes to search for it: "` + word + `"`}
}

// both reads terms that stand side by side.
func (p *parser) both(nest int) (*Node, error) {
	var nodes []*Node
	for {
		at := p.column()
		and := p.keyword("AND")
		if and && len(nodes) == 0 {
			return nil, &Error{at, "there is nothing before AND", `put the word in quotes to search for it: "AND"`}
		}
		if p.end() || p.next() == ')' || p.atOr() {
			if and {
				return nil, p.missing(errNothing, at, "AND")
			}
			break
		}
		n, err := p.unary(nest)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		p.skip()
	}
	if len(nodes) > 0 {
		return join(All, nodes), nil
	}
	if p.atOr() {
		return nil, &Error{p.column(), "there is nothing before OR", `put the word in quotes to search for it: "OR"`}
	}
	return nil, errNothing
}

func (p *parser) atOr() bool {
	at := p.at
	defer func() { p.at = at }()
	return p.keyword("OR")
}

func (p *parser) unary(nest int) (*Node, error) {
	if nest > maxNest {
		return nil, tooDeep(p.column())
	}
	at, word := p.column(), "NOT"
	if p.next() == '-' {
		p.at++
		word = "-"
	} else if !p.keyword(word) {
		return p.primary(nest)
	}
	if p.end() || p.next() == ')' || unicode.IsSpace(p.next()) || p.atOr() {
		return nil, p.missing(errNothing, at, word)
	}
	n, err := p.unary(nest + 1)
	if err != nil {
		return nil, err
	}
	if n.Op == Not {
		return n.Nodes[0], nil
	}
	return &Node{Op: Not, Nodes: []*Node{n}}, nil
}

func (p *parser) primary(nest int) (*Node, error) {
	switch p.next() {
	case '(':
		return p.group(nest)
	case '"':
		return p.phrase()
	}
	if field, op, ok := p.head(); ok {
		return p.test(field, op)
	}
	return p.word()
}

func (p *parser) group(nest int) (*Node, error) {
	at := p.column()
	p.at++
	p.skip()
	n, err := p.either(nest + 1)
	if err == error(errNothing) {
		return nil, &Error{at, "there is nothing between the parentheses", ""}
	}
	if err != nil {
		return nil, err
	}
	if p.next() != ')' {
		return nil, &Error{at, "this parenthesis is not closed", ""}
	}
	p.at++
	return n, nil
}

// quoted reads a text in quotes. In it, \" is a quote and \\ a backslash.
func (p *parser) quoted() ([]rune, error) {
	at := p.column()
	p.at++
	var text []rune
	for ; !p.end(); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return text, nil
		case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			text = append(text, p.text[p.at])
		default:
			text = append(text, c)
		}
	}
	return nil, &Error{at, "this quote is not closed", ""}
}

func (p *parser) phrase() (*Node, error) {
	at := p.column()
	text, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil, &Error{at, "there is nothing between the quotes", ""}
	}
	if c := p.next(); c == '*' {
		return nil, &Error{p.column(), "a text in quotes can't end in *", "write one word without quotes: deploy*"}
	} else if c != 0 && c != ')' && !unicode.IsSpace(c) {
		return nil, &Error{p.column(), "a space is missing behind the quote", ""}
	}
	return p.term(at, &Node{Op: Brings, Text: Text{Words: string(text), Phrase: true}})
}

// word reads a text without quotes.
func (p *parser) word() (*Node, error) {
	at := p.at
	for !p.end() && !unicode.IsSpace(p.next()) && !strings.ContainsRune(`()"`, p.next()) {
		p.at++
	}
	word := string(p.text[at:p.at])
	if strings.ContainsRune("<>=:", p.text[at]) {
		return nil, &Error{at + 1, "a test has no spaces in it", `cost>0.5; to search for ` + word + ` put it in quotes`}
	}
	if c := p.next(); c == '"' || c == '(' {
		return nil, &Error{p.column(), "a space is missing before this", `a text that holds quotes or parentheses stands in quotes: "f(\"x\")"`}
	}
	text := Text{Words: word}
	if cut, ok := strings.CutSuffix(word, "*"); ok {
		text = Text{Words: cut, Prefix: true}
	}
	if strings.Contains(text.Words, "*") || text.Words == "" {
		return nil, &Error{at + 1, "a text can have * at the end of a word only", "deploy*"}
	}
	return p.term(at+1, &Node{Op: Brings, Text: text})
}

// head takes a field's name with the operator behind it.
func (p *parser) head() (field, op string, ok bool) {
	i := p.at
	for i < len(p.text) && (isLetter(p.text[i]) || i > p.at && strings.ContainsRune("0123456789.-", p.text[i])) {
		i++
	}
	if i == p.at {
		return "", "", false
	}
	rest := string(p.text[i:min(i+2, len(p.text))])
	for _, o := range []string{">=", "<=", "!=", ">", "<", ":", "="} {
		if strings.HasPrefix(rest, o) {
			field = string(p.text[p.at:i])
			p.at = i + len(o)
			return field, o, true
		}
	}
	return "", "", false
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' }

// test reads the values behind a field.
func (p *parser) test(name, op string) (*Node, error) {
	at := p.column() - len(name) - len(op)
	f := Field(strings.ToLower(name))
	d, known := table[f]
	if !known && f != isField {
		return nil, noField(at, name, op+p.rest())
	}
	if op == "=" {
		op = ":"
	}
	if op == "!=" {
		return nil, &Error{at + len(name), "there is no !=", fmt.Sprintf("-%s:%s", f, p.rest())}
	}
	if op != ":" && (d.kind == Name || d.kind == Choice || d.kind == Moment || f == isField) {
		return nil, &Error{at + len(name), fmt.Sprintf("%s can't be compared", f), fmt.Sprintf("%s:VALUE, as in %s", f, exampleOf(f))}
	}
	values, err := p.values(f, op)
	if err != nil {
		return nil, err
	}
	if f == isField {
		return p.shorthand(values)
	}
	n := &Node{Op: Is, Field: f}
	for _, r := range values {
		v, err := d.value(f, r, op, p.now)
		if err != nil {
			return nil, err
		}
		n.Values = append(n.Values, v)
	}
	return p.count(at, n, len(n.Values))
}

// rest is the word that goes on here, for hints.
func (p *parser) rest() string {
	i := p.at
	for i < len(p.text) && !unicode.IsSpace(p.text[i]) && p.text[i] != ')' {
		i++
	}
	return string(p.text[p.at:i])
}

func exampleOf(f Field) string {
	if f == isField {
		return "is:blocked"
	}
	return table[f].example
}

// values reads what stands behind the operator, at commas.
func (p *parser) values(f Field, op string) ([]raw, error) {
	var list []raw
	for {
		r, err := p.value()
		if err != nil {
			return nil, err
		}
		if len(r.runes) == 0 {
			return nil, noValue(f, r)
		}
		if list = append(list, r); p.next() != ',' {
			break
		}
		if op != ":" || table[f].kind == Moment {
			return nil, &Error{p.column(), fmt.Sprintf("%s takes one value here", f), exampleOf(f)}
		}
		p.at++
	}
	if p.next() == '(' {
		return nil, &Error{p.column(), "a value that holds a parenthesis stands in quotes", fmt.Sprintf(`%s:"f(x)"`, f)}
	}
	return list, nil
}

func noValue(f Field, r raw) *Error {
	hint := exampleOf(f)
	if r.quoted != nil { // there were quotes
		hint = fmt.Sprintf("%s:unknown finds the flows that have none", f)
	}
	return &Error{r.column, fmt.Sprintf("%s needs a value", f), hint}
}

func (p *parser) value() (raw, error) {
	r := raw{column: p.column()}
	for !p.end() && !unicode.IsSpace(p.next()) && !strings.ContainsRune("(),", p.next()) {
		if p.next() != '"' {
			r.runes, r.quoted = append(r.runes, p.next()), append(r.quoted, false)
			p.at++
			continue
		}
		text, err := p.quoted()
		if err != nil {
			return r, err
		}
		r.runes = append(r.runes, text...)
		r.quoted = append(r.quoted, slices.Repeat([]bool{true}, len(text))...)
		if r.quoted == nil {
			r.quoted = []bool{} // there were quotes, with nothing in them
		}
	}
	return r, nil
}

func (p *parser) shorthand(values []raw) (*Node, error) {
	var nodes []*Node
	for _, r := range values {
		text, ok := shorthands[strings.ToLower(string(r.runes))]
		if !ok {
			return nil, &Error{r.column, fmt.Sprintf("is can't be %s", string(r.runes)), near(string(r.runes), isNames(), list(isNames()))}
		}
		sub := &parser{text: []rune(text), now: p.now}
		n, err := sub.either(0)
		if err != nil {
			return nil, err
		}
		if _, err := p.count(r.column, n, sub.terms); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return join(Any, nodes), nil
}

func (p *parser) term(column int, n *Node) (*Node, error) { return p.count(column, n, 1) }

// count takes terms in, up to maxTerms.
func (p *parser) count(column int, n *Node, terms int) (*Node, error) {
	if p.terms += terms; p.terms > maxTerms {
		return nil, &Error{column, fmt.Sprintf("the filter has more than %d terms", maxTerms), ""}
	}
	return n, nil
}

// join makes one node of several. What is joined in the same way already
// becomes part of it.
func join(op Op, nodes []*Node) *Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	all := &Node{Op: op}
	for _, n := range nodes {
		if n.Op == op {
			all.Nodes = append(all.Nodes, n.Nodes...)
		} else {
			all.Nodes = append(all.Nodes, n)
		}
	}
	return all
}

func (n *Node) depth() int {
	deepest := 0
	for _, m := range n.Nodes {
		deepest = max(deepest, m.depth())
	}
	return deepest + 1
}
