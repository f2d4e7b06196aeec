// Package strict reads YAML into a struct: an unknown key, a key that stands
// twice and a value of another kind are problems, each with its line and
// column and what was probably meant. It goes on after the first, does no I/O,
// and quotes no value by itself: a secret may stand there.
package strict

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Position is where something stands, both counted from 1. The zero Position is
// a default's: the text is silent about it.
type Position struct{ Line, Column int }

// Problem is one thing that is wrong.
type Problem struct {
	Position
	Text string // a sentence: "limits.body: must be a single value"
}

// List is a list of words; a single one may stand without brackets.
type List []string

// Reading is a YAML text that was read into a struct, and what is wrong with it.
type Reading struct {
	Broken bool // not YAML: no value can be judged

	problems []Problem
	places   map[string]Position // where each key stands, by its dotted path
}

// Problems gives all problems in the order of their places.
func (d *Reading) Problems() []Problem {
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(d.problems)
}

// At gives the place of the key at a dotted path ("limits.body", "capture[0]"),
// or of the nearest key around it that the text holds.
func (d *Reading) At(path string) Position {
	for at := path; at != ""; at = parent(at) {
		if p, ok := d.places[at]; ok {
			return p
		}
	}
	return Position{}
}

// Has reports whether the text holds the key at a dotted path.
func (d *Reading) Has(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Require reports a value that fails its check, at the place of its key.
func (d *Reading) Require(ok bool, path, format string, args ...any) {
	if !ok {
		d.problem(d.At(path), path+": "+format, args...)
	}
}

// Bounds of a text: the parser's time grows with the square of its lines and
// of its depth.
const (
	maxBytes = 128 << 10
	maxDepth = 64 // of brackets, or of lists and keys that begin on one line
)

// Read reads a YAML text over what the struct behind into holds. Fields carry
// their key as the tag `yaml`. A field may be a struct, map, slice, List, bool,
// int, string, or whatever reads itself from text.
func Read(text []byte, into any) *Reading {
	d := &Reading{places: map[string]Position{}}
	if why := tooMuch(text); why != "" {
		d.Broken = true
		d.problem(Position{}, "%s", why)
		return d
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.Broken = true
		d.syntax(err)
		return d
	}
	seen := false
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if seen {
			d.problem(placeOf(doc.Body), "a second document begins here: settings are one")
			break
		}
		seen = true
		d.value(doc.Body, reflect.ValueOf(into).Elem(), "")
	}
	return d
}

// syntax tells where the text stops being YAML, without quoting it: a secret
// may stand there.
func (d *Reading) syntax(err error) {
	var e yaml.Error
	if !errors.As(err, &e) {
		d.problem(Position{}, "not YAML")
		return
	}
	at := Position{}
	if t := e.GetToken(); t != nil && t.Position != nil {
		at = Position{t.Position.Line, t.Position.Column}
	}
	d.problem(at, "not YAML: %s", e.GetMessage())
}

func (d *Reading) problem(at Position, format string, args ...any) {
	d.problems = append(d.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// tooMuch says why a text is not given to the parser.
func tooMuch(text []byte) string {
	if len(text) > maxBytes {
		return fmt.Sprintf("has more than %d bytes", maxBytes)
	}
	depth, begun, last := 0, 0, byte('\n')
	for _, c := range text {
		switch {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth = max(depth-1, 0)
		case c == ' ' && (last == '-' || last == '?'):
			begun++ // "- - - x": a list in a list in a list
		case c != ' ' && c != '-' && c != '?':
			begun = 0
		}
		if last = c; max(depth, begun) > maxDepth {
			return fmt.Sprintf("nests more than %d deep", maxDepth)
		}
	}
	return ""
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

func placeOf(n ast.Node) Position {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Position{t.Position.Line, t.Position.Column}
	}
	return Position{}
}

// value reads one node into v.
func (d *Reading) value(n ast.Node, v reflect.Value, path string) {
	if _, null := n.(*ast.NullNode); null {
		return // "key:" with nothing behind it keeps the default
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := d.scalar(n, path); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				d.problem(placeOf(n), "%s: %v", path, err)
			}
		}
		return
	}
	if list, ok := v.Addr().Interface().(*List); ok {
		d.list(n, list, path)
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
			d.problem(placeOf(n), "%s: must be true or false", path)
			return
		}
		v.SetBool(b.Value)
	case reflect.Int:
		i, err := strconv.Atoi(n.GetToken().Value)
		if _, ok := n.(*ast.IntegerNode); !ok || err != nil {
			d.problem(placeOf(n), "%s: must be a whole number", path)
			return
		}
		v.SetInt(int64(i))
	default:
		if text, ok := d.scalar(n, path); ok {
			v.SetString(text)
		}
	}
}

// list reads words, or a single one.
func (d *Reading) list(n ast.Node, into *List, path string) {
	if _, ok := n.(*ast.SequenceNode); ok {
		var words []string
		d.sequence(n, reflect.ValueOf(&words).Elem(), path)
		*into = words
		return
	}
	if text, ok := d.scalar(n, path); ok {
		*into = List{text}
	}
}

// scalar gives the text of a single value as it was written.
func (d *Reading) scalar(n ast.Node, path string) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	d.problem(placeOf(n), "%s: must be a single value", path)
	return "", false
}

func (d *Reading) mapping(n ast.Node, v reflect.Value, path string) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		d.problem(placeOf(n), "%s: must be a mapping of keys to values", or(path, "the file"))
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := join(path, key)
		if seen[key] {
			d.problem(placeOf(pair.Key), "%s stands here twice", at)
		}
		seen[key] = true
		d.places[at] = placeOf(pair.Key)
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
func (d *Reading) member(pair *ast.MappingValueNode, v reflect.Value, key, at string) {
	if v.Kind() == reflect.Map {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(reflect.ValueOf(key)); old.IsValid() {
			element.Set(old)
		}
		d.value(pair.Value, element, at)
		v.SetMapIndex(reflect.ValueOf(key), element)
		return
	}
	if field, ok := fieldOf(v, key); ok {
		d.value(pair.Value, field, at)
		return
	}
	d.problem(placeOf(pair.Key), "%s is no setting%s", at, Nearest(key, keysOf(v.Type())))
}

// inline marks a struct whose fields stand among those around it.
const inline = ",inline"

func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		switch v.Type().Field(i).Tag.Get("yaml") {
		case key:
			return v.Field(i), true
		case inline:
			if f, ok := fieldOf(v.Field(i), key); ok {
				return f, true
			}
		}
	}
	return reflect.Value{}, false
}

func (d *Reading) sequence(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.problem(placeOf(n), "%s: must be a list", path)
		return
	}
	v.SetZero()
	for i, item := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at] = placeOf(item)
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(item, element, at)
		v.Set(reflect.Append(v, element))
	}
}

func keysOf(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		field := t.Field(i)
		if key := field.Tag.Get("yaml"); key != inline {
			keys = append(keys, key)
		} else {
			keys = append(keys, keysOf(field.Type)...)
		}
	}
	return keys
}

// Nearest is the part of a sentence that names the one that was probably meant:
// "; did you mean listen?", or "" when none is near.
func Nearest(key string, names []string) string {
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
