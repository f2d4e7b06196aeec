package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder reads a YAML tree into a struct and collects every problem with its
// line. Unlike a plain Unmarshal it goes on after the first.
type decoder struct {
	problems []problem
	lines    map[string]int // where each key stands, by its dotted path
	broken   bool           // not YAML: no value can be judged
}

// problem is one thing that is wrong. Line 0 is a default's: the file is silent
// about it.
type problem struct {
	line int
	text string
}

func (p problem) String() string {
	if p.line == 0 {
		return p.text
	}
	return fmt.Sprintf("line %d: %s", p.line, p.text)
}

// err tells all problems in the order of their lines; nil when there is none.
func (d *decoder) err() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text)) })
	var errs []error
	for _, p := range d.problems {
		errs = append(errs, errors.New(p.String()))
	}
	return errors.Join(errs...)
}

func decode(text []byte, c *Config) *decoder {
	d := &decoder{lines: map[string]int{}}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.broken = true
		d.syntax(err)
		return d
	}
	seen := false
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if seen {
			d.problem(lineOf(doc.Body), "a second document begins here: settings are one")
			break
		}
		seen = true
		d.value(doc.Body, reflect.ValueOf(c).Elem(), "")
	}
	return d
}

// syntax tells where the text stops being YAML, without quoting it: a secret
// may stand there.
func (d *decoder) syntax(err error) {
	var e yaml.Error
	if !errors.As(err, &e) {
		d.problem(0, "not YAML")
		return
	}
	line := 0
	if t := e.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	d.problem(line, "not YAML: %s", e.GetMessage())
}

func (d *decoder) problem(line int, format string, args ...any) {
	d.problems = append(d.problems, problem{line, fmt.Sprintf(format, args...)})
}

// require reports a value that fails its check, at the line of its key, or of
// the nearest key around it that the file holds.
func (d *decoder) require(ok bool, path, format string, args ...any) {
	if ok {
		return
	}
	line := 0
	for at := path; at != "" && line == 0; at = parent(at) {
		line = d.lines[at]
	}
	d.problem(line, path+": "+format, args...)
}

func parent(path string) string {
	i := strings.LastIndexAny(path, ".[")
	return path[:max(i, 0)]
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// value reads one node into v.
func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if _, null := n.(*ast.NullNode); null {
		return // "key:" with nothing behind it keeps the default
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := d.scalar(n, path); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				d.problem(lineOf(n), "%s: %v", path, err)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.sequence(n, v, path)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.problem(lineOf(n), "%s: must be true or false", path)
			return
		}
		v.SetBool(b.Value)
	default:
		if text, ok := d.scalar(n, path); ok {
			v.SetString(text)
		}
	}
}

// scalar gives the text of a single value as it was written.
func (d *decoder) scalar(n ast.Node, path string) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	d.problem(lineOf(n), "%s: must be a single value", path)
	return "", false
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		d.problem(lineOf(n), "%s: must be a mapping of keys to values", or(path, "the file"))
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := join(path, key)
		if seen[key] {
			d.problem(lineOf(pair.Key), "%s stands here twice", at)
		}
		seen[key] = true
		d.lines[at] = lineOf(pair.Key)
		d.member(pair, v, key, at)
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// member reads one key of a mapping. In a map, what the defaults hold under
// the key is the start.
func (d *decoder) member(pair *ast.MappingValueNode, v reflect.Value, key, at string) {
	if v.Kind() == reflect.Map {
		element := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(reflect.ValueOf(key)); old.IsValid() {
			element.Set(old)
		}
		d.value(pair.Value, element, at)
		v.SetMapIndex(reflect.ValueOf(key), element)
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			d.value(pair.Value, v.Field(i), at)
			return
		}
	}
	d.problem(lineOf(pair.Key), "%s is no setting%s", at, suggest(key, v.Type()))
}

func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.problem(lineOf(n), "%s: must be a list", path)
		return
	}
	v.SetZero()
	for i, item := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = lineOf(item)
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(item, element, at)
		v.Set(reflect.Append(v, element))
	}
}

// suggest names the key that was probably meant.
func suggest(key string, t reflect.Type) string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return nearest(key, names)
}

// nearest is the part of a sentence that names the one that was probably meant.
func nearest(key string, names []string) string {
	best, least := "", len(key)/2+2
	for _, name := range names {
		if n := distance(key, name); n < least {
			best, least = name, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
