package inspect

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Bounds of a rules file. Beyond them it is an error, never cut.
const (
	maxFile   = 1 << 20
	maxNested = 16 // lists within lists; more is no rules file
)

// Parse reads a rules file. Keys that it does not know are errors; all problems
// are told together, each with file, line and column. The examples under match
// and miss are rotated in the file (see Rotate) and plain in the Set.
func Parse(file string, text []byte) (*Set, error) {
	r := &reader{file: file, set: &Set{File: file}}
	switch {
	case len(text) > maxFile:
		return nil, place{file: file}.errorf("%d bytes: a rules file has at most %d", len(text), maxFile)
	case deep(text):
		return nil, place{file: file}.errorf("nested more than %d deep", maxNested)
	}
	doc, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, r.syntax(err)
	}
	r.documents(doc.Docs)
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return r.set, nil
}

// deep finds what would make the YAML parser recurse without end.
func deep(text []byte) bool {
	depth, dashes := 0, 0
	for i, c := range text {
		if c == '-' || c == '?' {
			if dashes++; dashes > maxNested && bytes.HasPrefix(text[i:], []byte{c, ' '}) {
				return true
			}
		} else if c != ' ' {
			dashes = 0
		}
		switch c {
		case '[', '{':
			if depth++; depth > maxNested*4 {
				return true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		case '\n':
			depth = max(depth-maxNested, 0)
		}
	}
	return false
}

// reader reads the tree of a rules file into a Set and collects every problem.
type reader struct {
	file string
	set  *Set
	errs []error
}

func (r *reader) at(n ast.Node) place {
	p := place{file: r.file, line: 1, column: 1}
	if n == nil {
		return p
	}
	return r.token(n.GetToken(), p)
}

func (r *reader) token(t *token.Token, otherwise place) place {
	if t == nil || t.Position == nil {
		return otherwise
	}
	return place{r.file, t.Position.Line, t.Position.Column}
}

func (r *reader) problem(n ast.Node, format string, args ...any) {
	r.errs = append(r.errs, r.at(n).errorf(format, args...))
}

// syntax tells where the text stops being YAML, without quoting it.
func (r *reader) syntax(err error) error {
	p := place{file: r.file, line: 1, column: 1}
	var e yaml.Error
	if !errors.As(err, &e) {
		return p.errorf("not YAML")
	}
	return r.token(e.GetToken(), p).errorf("not YAML: %s", e.GetMessage())
}

func (r *reader) documents(docs []*ast.DocumentNode) {
	seen := false
	for _, doc := range docs {
		switch {
		case doc.Body == nil:
		case seen:
			r.problem(doc.Body, "a second document begins here: a rules file is one")
		default:
			seen = true
			r.root(doc.Body)
		}
	}
	if !seen {
		r.problem(nil, "the file is empty")
	}
}

func (r *reader) root(n ast.Node) {
	r.fields(n, "the file", map[string]func(ast.Node){
		"family":       func(n ast.Node) { r.set.Family = r.family(n) },
		"version":      func(n ast.Node) { r.set.Version = r.text(n) },
		"rules":        func(n ast.Node) { r.each(n, r.rule) },
		"dictionaries": func(n ast.Node) { r.each(n, r.dictionary) },
		"canaries":     func(n ast.Node) { r.each(n, r.canary) },
		"registered":   func(n ast.Node) { r.each(n, r.registered) },
		"key":          func(n ast.Node) { r.set.Key, r.set.keyPlace = r.text(n), r.at(n) },
	})
	if r.set.Family == "" {
		r.problem(n, "family is missing")
	}
	for i := range r.set.Rules {
		r.set.Rules[i].family = cmp.Or(r.set.Rules[i].family, r.set.Family)
	}
	if r.set.Family == CanaryFamily { // its hashes are of canaries
		for i := range r.set.Registered {
			r.set.Registered[i].Rule.family = CanaryFamily
		}
	}
}

// Families that values have whatever file they stand in: what policy does about
// them doesn't depend on the file.
const (
	CanaryFamily     = "canary"
	RegisteredFamily = "registered"
)

// family reads the first part of the rules' names. Two families are policy's
// own words for what no rule finds.
func (r *reader) family(n ast.Node) string {
	name := r.text(n)
	switch {
	case !ruleID.MatchString(name):
		r.problem(n, "the family must be lower case letters, digits and -")
	case name == "unreadable" || name == "provider":
		r.problem(n, "the family %s is the gateway's own: choose another name", name)
	}
	return name
}

func (r *reader) rule(n ast.Node) {
	rule := Rule{place: r.at(n)}
	fields := r.common(&rule)
	for key, read := range map[string]func(ast.Node){
		"anchors":      func(n ast.Node) { rule.Anchors = r.texts(n) },
		"shapes":       func(n ast.Node) { rule.Shapes = r.texts(n) },
		"source":       func(n ast.Node) { rule.Source = r.text(n) },
		"case_anchors": func(n ast.Node) { rule.CaseAnchors = r.flag(n) },
		"words":        func(n ast.Node) { rule.Words = r.flag(n) },
		"pattern":      func(n ast.Node) { rule.Pattern, rule.place = r.text(n), r.at(n) },
		"before":       func(n ast.Node) { rule.Before = r.number(n, maxWindow) },
		"after":        func(n ast.Node) { rule.After = r.number(n, maxWindow) },
		"detector":     func(n ast.Node) { rule.Detector = r.text(n) },
		"checks":       func(n ast.Node) { rule.Checks = r.texts(n) },
		"match":        func(n ast.Node) { rule.Examples = rotated(r.texts(n)) },
		"miss":         func(n ast.Node) { rule.Misses = rotated(r.texts(n)) },
	} {
		fields[key] = read
	}
	r.add(n, &rule, fields)
}

// dictionary reads a list of words as one rule.
func (r *reader) dictionary(n ast.Node) {
	rule := Rule{place: r.at(n), Words: true}
	fields := r.common(&rule)
	fields["words"] = func(n ast.Node) { rule.Anchors = r.texts(n) }
	fields["case"] = func(n ast.Node) { rule.CaseAnchors = r.flag(n) }
	r.add(n, &rule, fields)
}

// canary reads an exact string that nobody has a reason to send.
func (r *reader) canary(n ast.Node) {
	rule := Rule{place: r.at(n), CaseAnchors: true, family: CanaryFamily}
	fields := r.common(&rule)
	fields["value"] = func(n ast.Node) { rule.Anchors = []string{r.text(n)} }
	rule.Severity, rule.Confidence = flow.Critical, 100
	r.add(n, &rule, fields)
}

func (r *reader) registered(n ast.Node) {
	v := Registered{Rule: Rule{place: r.at(n), Severity: flow.High, Confidence: 100, family: RegisteredFamily}}
	fields := r.common(&v.Rule)
	fields["length"] = func(n ast.Node) { v.Length = r.number(n, maxRegistered) }
	fields["hash"] = func(n ast.Node) { r.hex(n, v.Hash[:]) }
	fields["tag"] = func(n ast.Node) { r.hex(n, v.Tag[:]) }
	r.fields(n, "a registered value", fields)
	r.set.Registered = append(r.set.Registered, v)
}

// common are the keys that all kinds of rules have.
func (r *reader) common(rule *Rule) map[string]func(ast.Node) {
	return map[string]func(ast.Node){
		"id":         func(n ast.Node) { rule.ID = r.text(n) },
		"title":      func(n ast.Node) { rule.Title = r.text(n) },
		"severity":   func(n ast.Node) { rule.Severity = r.severity(n) },
		"confidence": func(n ast.Node) { rule.Confidence = r.number(n, 100) },
	}
}

func (r *reader) add(n ast.Node, rule *Rule, fields map[string]func(ast.Node)) {
	r.fields(n, "a rule", fields)
	r.set.Rules = append(r.set.Rules, *rule)
}

func (r *reader) severity(n ast.Node) (s flow.Severity) {
	if err := s.UnmarshalText([]byte(r.text(n))); err != nil {
		r.problem(n, "%v", err)
	}
	return s
}

func (r *reader) hex(n ast.Node, into []byte) {
	b, err := hex.DecodeString(r.text(n))
	if err != nil || len(b) != len(into) {
		r.problem(n, "must be %d hex digits", 2*len(into))
		return
	}
	copy(into, b)
}

// fields reads a mapping. An unknown key and one that stands twice are problems.
func (r *reader) fields(n ast.Node, what string, known map[string]func(ast.Node)) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.problem(n, "%s must be a mapping of keys to values", what)
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, read := "", (func(ast.Node))(nil)
		if t := pair.Key.GetToken(); t != nil {
			key = t.Value
			read = known[key]
		}
		switch {
		case read == nil:
			r.problem(pair.Key, "unknown key %q in %s; it has %s", key, what, names(known))
		case seen[key]:
			r.problem(pair.Key, "%s stands here twice", key)
		default:
			read(pair.Value)
		}
		seen[key] = true
	}
}

func names(known map[string]func(ast.Node)) string {
	var keys []string
	for k := range known {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

func (r *reader) each(n ast.Node, read func(ast.Node)) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			read(item)
		}
	case *ast.NullNode:
	default:
		r.problem(n, "must be a list")
	}
}

func (r *reader) texts(n ast.Node) (all []string) {
	r.each(n, func(item ast.Node) { all = append(all, r.text(item)) })
	return all
}

func (r *reader) text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	r.problem(n, "must be a single value")
	return ""
}

func (r *reader) number(n ast.Node, most int) int {
	v, err := strconv.Atoi(r.text(n))
	if err != nil || v < 0 || v > most {
		r.problem(n, "must be a number from 0 to %d", most)
		return 0
	}
	return v
}

func (r *reader) flag(n ast.Node) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.problem(n, "must be true or false")
		return false
	}
	return b.Value
}

func rotated(list []string) []string {
	for i := range list {
		list[i] = Rotate(list[i])
	}
	return list
}
