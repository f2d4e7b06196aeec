package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TypeScript writes named schemas as the declarations of a module. They are those
// that a Set makes; of others it panics.
func TypeScript(named map[string]Schema) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(named)) {
		fmt.Fprintf(&b, "\nexport interface %s {\n  %s\n}\n", name, strings.Join(members(named[name]), "\n  "))
	}
	return b.String()
}

// members declares those of an object.
func members(s Schema) (list []string) {
	required, types := s["required"].([]string), s["properties"].(Schema)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		mark := "?"
		if slices.Contains(required, name) {
			mark = ""
		}
		list = append(list, name+mark+": "+typeOf(types[name].(Schema))+";")
	}
	return list
}

func typeOf(s Schema) string {
	switch {
	case s["$ref"] != nil:
		ref := s["$ref"].(string)
		return ref[strings.LastIndexByte(ref, '/')+1:]
	case s["anyOf"] != nil:
		var types []string
		for _, one := range s["anyOf"].([]Schema) {
			types = append(types, typeOf(one))
		}
		return strings.Join(types, " | ")
	case s["enum"] != nil:
		var words []string
		for _, word := range s["enum"].([]string) {
			words = append(words, fmt.Sprintf("%q", word))
		}
		return strings.Join(words, " | ")
	}
	switch s["type"] {
	case "string", "boolean", "null":
		return s["type"].(string)
	case "integer", "number":
		return "number"
	case "array":
		return arrayOf(typeOf(s["items"].(Schema)))
	case "object":
		if s["properties"] != nil {
			return "{ " + strings.Join(members(s), " ") + " }"
		}
		return fmt.Sprintf("Record<string, %s>", typeOf(s["additionalProperties"].(Schema)))
	case nil:
		return "unknown"
	}
	panic(fmt.Sprintf("schema: %v has no type", s))
}

func arrayOf(item string) string {
	if strings.ContainsAny(item, " ") {
		return "(" + item + ")[]"
	}
	return item + "[]"
}
