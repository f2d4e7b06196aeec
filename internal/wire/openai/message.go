package openai

import (
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// ChatParts gives everything that a Chat request says, tools first (system
// messages stand in the conversation, where Chat has them).
func ChatParts(body []byte) ([]flow.Part, error) {
	return walk(body, func(r *request, name string, raw []byte) bool {
		switch name {
		case "tools", "functions":
			r.tools = append(r.tools, tools("", raw)...)
		case "messages":
			r.messages = nil
			for w := peek.Elements(raw); w.Next(); {
				r.messages = append(r.messages, message(w.Value)...)
			}
		default:
			return false
		}
		return true
	})
}

// ChatBlock reads one block by itself: a message, an element of its content, a
// tool call or a tool's definition.
func ChatBlock(role string, raw []byte) []flow.Part {
	switch {
	case peek.Get(raw, "role") != nil, peek.Get(raw, "type") == nil && peek.Get(raw, "content") != nil:
		return message(raw)
	case peek.Get(raw, "function", "arguments") != nil || peek.Get(raw, "custom", "input") != nil:
		return []flow.Part{call(role, raw)}
	case peek.Get(raw, "function", "name") != nil || peek.Get(raw, "custom", "name") != nil || peek.Get(raw, "parameters") != nil,
		peek.Get(raw, "type") == nil && peek.Get(raw, "name") != nil:
		return []flow.Part{toolDef(role, raw)}
	}
	part := contentPart(role, raw)
	if part.Kind == flow.Text && (role == "tool" || role == "function") {
		part.Kind = flow.ToolResult // an element of a result; its call is named around it
	}
	return []flow.Part{part}
}

// message reads one message of a request, or the one of an answer that is no
// stream. What other servers of the API add (reasoning) comes first, as it did.
func message(raw []byte) []flow.Part {
	var m chatMessage
	s := peek.Scan(raw)
	m.read(&s)
	role := peek.Short(m.role)
	if role == "tool" || role == "function" {
		return []flow.Part{{Kind: flow.ToolResult, Role: role, ID: peek.Short(m.callID), Name: peek.Short(m.name), Text: inside(m.content)}}
	}
	var parts []flow.Part
	if peek.IsString(m.reasoning) {
		parts = append(parts, flow.Part{Kind: flow.Thinking, Role: role, Text: peek.String(m.reasoning)})
	}
	parts = append(parts, content(role, m.content)...)
	if peek.IsString(m.refusal) {
		parts = append(parts, flow.Part{Kind: flow.Text, Role: role, Text: peek.String(m.refusal)})
	}
	for w := peek.Elements(m.calls); w.Next(); {
		parts = append(parts, call(role, w.Value))
	}
	if peek.IsObject(m.function) {
		parts = append(parts, flow.Part{Kind: flow.ToolCall, Role: role, Name: peek.Short(peek.Get(m.function, "name")), Text: argument(peek.Get(m.function, "arguments"))})
	}
	if peek.IsObject(m.audio) {
		parts = append(parts, flow.Part{Kind: flow.Media, Role: role, Name: "audio", ID: peek.Short(peek.Get(m.audio, "id")), Text: peek.String(peek.Get(m.audio, "transcript"))})
	}
	for _, strange := range m.strange {
		parts = append(parts, strange.part(role))
	}
	if len(parts) == 0 && role == "" {
		return []flow.Part{unknown(role, raw)}
	}
	return parts
}

// chatMessage is the members of a message or of a delta of one, raw.
type chatMessage struct {
	strange                                                                 []member // that are not known
	role, content, reasoning, refusal, calls, function, audio, callID, name []byte
}

func (m *chatMessage) read(s *peek.Scanner) {
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "role":
			m.role = s.Value()
		case "content":
			m.content = s.Value()
		case "reasoning_content", "reasoning":
			m.reasoning = s.Value()
		case "refusal":
			m.refusal = s.Value()
		case "tool_calls":
			m.calls = s.Value()
		case "function_call":
			m.function = s.Value()
		case "audio":
			m.audio = s.Value()
		case "tool_call_id":
			m.callID = s.Value()
		case "name":
			m.name = s.Value()
		case "annotations", "reasoning_details", "cache_control", "prompt_cache_breakpoint", "id", "status", "obfuscation":
		default:
			if name, raw := string(s.Name), s.Value(); !peek.Null(raw) {
				m.strange = append(m.strange, member{name, raw})
			}
		}
	}
}

type member struct {
	name string
	raw  []byte
}

func (m member) part(role string) flow.Part {
	return flow.Part{Kind: flow.UnknownPart, Role: role, Name: m.name, Text: string(m.raw)}
}

// call reads a tool call: of a function with JSON arguments, or of a custom
// tool with free text.
func call(role string, raw []byte) flow.Part {
	p := flow.Part{Kind: flow.ToolCall, Role: role, ID: peek.Short(peek.Get(raw, "id"))}
	if f := peek.Get(raw, "function"); f != nil {
		p.Name, p.Text = peek.Short(peek.Get(f, "name")), argument(peek.Get(f, "arguments"))
		return p
	}
	if c := peek.Get(raw, "custom"); c != nil {
		p.Name, p.Text = peek.Short(peek.Get(c, "name")), argument(peek.Get(c, "input"))
		return p
	}
	return unknown(role, raw)
}
