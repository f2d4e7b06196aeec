package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder reads a YAML tree into a struct and collects every problem with its
// line. Unlike a plain Unmarshal it goes on after the first.
type decoder struct {
	problems []string
	lines    map[string]int // where each key stands, by its dotted path
}

func decode(text []byte, c *Config) *decoder {
	d := &decoder{lines: map[string]int{}}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		d.problems = append(d.problems, firstLine(err.Error()))
		return d
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			d.value(doc.Body, reflect.ValueOf(c).Elem(), "")
		}
	}
	return d
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func (d *decoder) problem(line int, format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...))
}

// require reports a value that fails its check, at the line of its key, or of
// the nearest key around it that the file holds.
func (d *decoder) require(ok bool, path, format string, args ...any) {
	if ok {
		return
	}
	text := path + ": " + fmt.Sprintf(format, args...)
	for at := path; at != ""; at = parent(at) {
		if line, known := d.lines[at]; known {
			d.problem(line, "%s", text)
			return
		}
	}
	d.problems = append(d.problems, text)
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
	best, least := "", len(key)/2+2
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
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
