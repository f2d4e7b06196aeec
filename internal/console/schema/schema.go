// Package schema describes Go types as encoding/json writes them, in the JSON
// Schema of OpenAPI 3.1 (JSON Schema 2020-12). It knows the types that an admin
// API is made of, and panics for others: what is described is chosen by us.
package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Schema is one JSON Schema.
type Schema = map[string]any

// Set collects the schemas of named types, which refer to each other.
type Set struct {
	prefix string // of references
	words  map[reflect.Type][]string
	names  map[reflect.Type]string
	named  map[string]Schema
	types  map[string]reflect.Type
}

// New makes an empty set. Its schemas are referred to as prefix and name. words
// are the values of string-like types that have a fixed list of them, names are
// those of types whose own name is another's, too.
func New(prefix string, words map[reflect.Type][]string, names map[reflect.Type]string) *Set {
	return &Set{prefix: prefix, words: words, names: names, named: map[string]Schema{}, types: map[string]reflect.Type{}}
}

// Named gives the schemas of the named types that were asked for, by name.
func (s *Set) Named() map[string]Schema { return s.named }

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
	textType = reflect.TypeFor[encoding.TextMarshaler]()
	byteType = reflect.TypeFor[[]byte]()
)

// Of gives the schema of a type: a reference when it is a struct with a name.
func (s *Set) Of(t reflect.Type) Schema {
	if words, ok := s.words[t]; ok {
		return Schema{"type": "string", "enum": words}
	}
	switch {
	case t == timeType:
		return Schema{"type": "string", "format": "date-time"}
	case t == rawType:
		return Schema{}
	case t == byteType:
		return Schema{"type": "string", "contentEncoding": "base64"}
	case t.Implements(textType):
		return Schema{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.String:
		return Schema{"type": "string"}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64, reflect.Uint32:
		return Schema{"type": "integer"}
	case reflect.Float64:
		return Schema{"type": "number"}
	case reflect.Slice:
		item := t.Elem()
		if item.Kind() == reflect.Pointer {
			item = item.Elem() // no list holds a nil
		}
		return Schema{"type": "array", "items": s.Of(item)}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": s.Of(t.Elem())}
	case reflect.Pointer:
		return Schema{"anyOf": []Schema{s.Of(t.Elem()), {"type": "null"}}}
	case reflect.Interface:
		return Schema{}
	case reflect.Struct:
		return s.structure(t)
	}
	panic(fmt.Sprintf("schema: %s has no schema", t))
}

func (s *Set) structure(t reflect.Type) Schema {
	name := s.names[t]
	if name == "" {
		name = title(t.Name())
	}
	if name == "" {
		return s.object(t)
	}
	if known, ok := s.types[name]; ok && known != t {
		panic(fmt.Sprintf("schema: %s and %s have one name", known, t))
	}
	if _, ok := s.types[name]; !ok {
		s.types[name] = t // before its members: they may refer to it
		s.named[name] = s.object(t)
	}
	return Schema{"$ref": s.prefix + name}
}

func (s *Set) object(t reflect.Type) Schema {
	o := &object{set: s, members: Schema{}, required: []string{}}
	o.fields(t)
	return Schema{"type": "object", "properties": o.members, "required": o.required}
}

type object struct {
	set      *Set
	members  Schema
	required []string
}

func (o *object) fields(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
			continue
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
			o.fields(f.Type)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		o.member(name, f.Type, strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero"))
	}
}

// member describes one. One that may be left out is never null.
func (o *object) member(name string, t reflect.Type, optional bool) {
	if optional && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	o.members[name] = o.set.Of(t)
	if !optional {
		o.required = append(o.required, name)
	}
}

// title makes the name of a type that only its package sees one for all.
func title(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + name[n:]
}
