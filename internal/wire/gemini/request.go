// Package gemini reads the bodies of Google's Gemini API (generateContent,
// streamGenerateContent, countTokens): what a request says about itself, its
// readable parts, and the answer, whole or chunk by chunk. It never changes a byte
// and never fails on what it does not know: that is kept and marked. Code Assist wraps
// both: the request in "request", each chunk in "response".
//
// The API takes every name in two spellings (functionCall, function_call), so
// both are read. Sources: ai.google.dev/api, the types of google.golang.org/genai
// v1.77, and what the agents were seen to send.
package gemini

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// ErrBody says that a body is not a JSON object, so that it has no parts.
var ErrBody = errors.New("the body is not a JSON object")

// Facts reads the path, which names model and method, for example
// /v1beta/models/gemini-2.5-pro:streamGenerateContent. The body may name the
// model again; the path is what the provider obeys.
func Facts(path string, doc *split.Doc) flow.Facts {
	model, method := target(path)
	f := flow.Facts{Model: model, Stream: method == "streamGenerateContent"}
	if f.Model == "" && doc != nil && doc.JSON {
		if raw, ok := doc.Get("model"); ok {
			f.Model = strings.TrimPrefix(peek.Short(raw), "models/")
		}
	}
	return f
}

// target cuts the path's last part, MODEL:METHOD. A tuned model keeps its
// collection's name, models/ goes.
func target(path string) (model, method string) {
	path, _, _ = strings.Cut(path, "?")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	at := strings.LastIndexByte(path, ':')
	if at < 0 {
		return "", ""
	}
	model, method = path[:at], path[at+1:]
	for _, collection := range []string{"/models/", "/tunedModels/", "/dynamic/"} {
		if i := strings.LastIndex(model, collection); i >= 0 {
			if collection == "/models/" {
				return model[i+len(collection):], method
			}
			return model[i+1:], method
		}
	}
	return "", method
}

// silent are the top-level members that hold no text for or from a model.
// generationConfig may hold a schema.
var silent = map[string]bool{
	"model": true, "toolConfig": true, "safetySettings": true, "labels": true,
	"store": true, "serviceTier": true,
	"project": true, "userPromptId": true, "sessionId": true, "enabledCreditTypes": true, // Code Assist's
}

// Parts gives everything that a request says, system and tools first. Members
// that are not known stand at the end as unknown parts under their name.
func Parts(body []byte) ([]flow.Part, error) {
	if !peek.Whole(body) {
		return nil, ErrBody
	}
	var r request
	for w := peek.Members(body); w.Next(); {
		name := camel(w.Name)
		if !wraps(name) || !peek.IsObject(w.Value) {
			r.take(name, w.Value)
			continue
		}
		for in := peek.Members(w.Value); in.Next(); {
			r.take(camel(in.Name), in.Value)
		}
	}
	return append(append(append(r.system, r.tools...), r.messages...), r.rest...), nil
}

// wraps reports whether a member holds the whole request: countTokens' does, and Code
// Assist's.
func wraps(name string) bool { return name == "generateContentRequest" || name == "request" }

type request struct{ system, tools, messages, rest []flow.Part }

func (r *request) take(name string, raw []byte) {
	switch name {
	case "systemInstruction":
		r.system = system(raw)
	case "tools":
		r.tools = tools(raw)
	case "contents":
		r.messages = contents(raw)
	case "generationConfig":
		if schema(raw) {
			r.rest = append(r.rest, flow.Part{Kind: flow.UnknownPart, Name: name, Text: string(raw)})
		}
	default:
		if !silent[name] {
			r.rest = append(r.rest, flow.Part{Kind: flow.UnknownPart, Name: name, Text: string(raw)})
		}
	}
}

func schema(config []byte) bool {
	for w := peek.Members(config); w.Next(); {
		if strings.HasSuffix(camel(w.Name), "Schema") {
			return true
		}
	}
	return false
}

// system reads a Content, or the text that some clients send in its place.
func system(raw []byte) []flow.Part {
	if peek.IsString(raw) {
		return []flow.Part{{Kind: flow.Text, Role: "system", Text: peek.String(raw)}}
	}
	parts := content("", raw)
	for i := range parts {
		parts[i].Role = "system"
	}
	return parts
}

// contents reads an array of Contents, one Content alone, or a text.
func contents(raw []byte) []flow.Part {
	switch {
	case peek.IsString(raw):
		return []flow.Part{{Kind: flow.Text, Role: "user", Text: peek.String(raw)}}
	case peek.IsObject(raw):
		return content("user", raw)
	}
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, content("user", w.Value)...)
	}
	return parts
}

// content reads a Content. Role is for one that names none; the API's default is
// the user's.
func content(role string, raw []byte) []flow.Part {
	role = cmp.Or(peek.Short(peek.Get(raw, "role")), role)
	list := peek.Get(raw, "parts")
	if peek.IsObject(list) {
		return []flow.Part{one(role, list)}
	}
	if !peek.IsArray(list) {
		return []flow.Part{unknown(role, raw)}
	}
	var parts []flow.Part
	for w := peek.Elements(list); w.Next(); {
		parts = append(parts, one(role, w.Value))
	}
	return parts
}

// tools reads a list of tools, or one alone.
func tools(raw []byte) []flow.Part {
	if peek.IsObject(raw) {
		return tool("", raw)
	}
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, tool("", w.Value)...)
	}
	return parts
}

// tool cuts an element of the list into one part a function; a tool of the
// provider's own is one part.
func tool(role string, raw []byte) []flow.Part {
	var parts []flow.Part
	for m := peek.Members(raw); m.Next(); {
		name := camel(m.Name)
		if name != "functionDeclarations" {
			parts = append(parts, flow.Part{Kind: flow.ToolDef, Role: role, Name: name, Text: string(m.Value)})
			continue
		}
		for f := peek.Elements(m.Value); f.Next(); {
			parts = append(parts, toolDef(role, f.Value))
		}
	}
	return parts
}

func toolDef(role string, raw []byte) flow.Part {
	return flow.Part{Kind: flow.ToolDef, Role: role, Name: peek.Short(peek.Get(raw, "name")), Text: string(raw)}
}

// camel gives a name in the spelling that the answers use: function_call is
// functionCall.
func camel(name []byte) string {
	s := string(name)
	if !strings.Contains(s, "_") || len(s) > 64 {
		return s
	}
	words := strings.Split(s, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
