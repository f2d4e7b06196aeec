package simulate

import (
	"bytes"
	"encoding/json"
	"strings"
)

// schema is as much of JSON Schema as clients use to ask for a shape.
type schema struct {
	Type       any                `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Const      any                `json:"const"`
	AnyOf      []*schema          `json:"anyOf"`
	OneOf      []*schema          `json:"oneOf"`
	MinItems   int                `json:"minItems"`
}

// instance gives the smallest JSON value that a schema allows.
func instance(raw json.RawMessage) string {
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return "{}"
	}
	return marshal(s.value(0))
}

// is reports whether the schema allows a type. Google writes types in upper
// case.
func (s *schema) is(name string) bool {
	switch t := s.Type.(type) {
	case string:
		return strings.EqualFold(t, name)
	case []any:
		for _, one := range t {
			if n, ok := one.(string); ok && strings.EqualFold(n, name) {
				return true
			}
		}
	}
	return false
}

func (s *schema) value(depth int) any {
	if s == nil || depth > 20 {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return s.AnyOf[0].value(depth + 1)
	case len(s.OneOf) > 0:
		return s.OneOf[0].value(depth + 1)
	case s.is("object") || s.Properties != nil:
		return s.object(depth)
	case s.is("array"):
		list := []any{}
		for range s.MinItems {
			list = append(list, s.Items.value(depth+1))
		}
		return list
	case s.is("string"):
		return "simulated"
	case s.is("number"), s.is("integer"):
		return 1
	case s.is("boolean"):
		return false
	}
	return nil
}

func (s *schema) object(depth int) any {
	object := map[string]any{}
	for name, prop := range s.Properties {
		object[name] = prop.value(depth + 1)
	}
	return object
}

// marshal writes JSON as the providers do: no HTML escapes.
func marshal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func quote(s string) string { return marshal(s) }
