package codec

import (
	"cmp"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Proposed reads the tool calls that another gateway shows: a list of them or one,
// each as whichever API has it. What has no such form is an unknown part.
func Proposed(raw []byte) (calls []flow.Part) {
	if !peek.IsArray(raw) {
		return proposed(raw)
	}
	for w := peek.Elements(raw); w.Next(); {
		calls = append(calls, proposed(w.Value)...)
	}
	return calls
}

// Said is Proposed for messages, in which calls stand beside other content.
func Said(raw []byte) (calls []flow.Part) {
	if !peek.IsArray(raw) {
		return said(raw)
	}
	for w := peek.Elements(raw); w.Next(); {
		calls = append(calls, said(w.Value)...)
	}
	return calls
}

// said reads the calls of one message: in members of their own, among its content, or
// an item of Responses that is one.
func said(message []byte) (calls []flow.Part) {
	for w := peek.Members(message); w.Next(); {
		switch string(w.Name) {
		case "tool_calls", "function_call":
			calls = append(calls, Proposed(w.Value)...)
		case "content", "parts":
			for part := peek.Elements(w.Value); part.Next(); {
				calls = append(calls, likely(part.Value)...)
			}
		}
	}
	if calls == nil {
		calls = likely(message)
	}
	return calls
}

// likely reads a call where other things may stand.
func likely(raw []byte) []flow.Part {
	if c := readCall(raw, true); c.name != "" && len(c.arguments) > 0 {
		return c.parts()
	}
	return nil
}

func proposed(raw []byte) []flow.Part {
	if peek.Null(raw) {
		return nil
	}
	c := readCall(raw, true)
	if c.name == "" || len(c.arguments) == 0 && c.odd {
		return []flow.Part{{Kind: flow.UnknownPart, Name: c.name, Text: text(raw)}}
	}
	return c.parts()
}

// proposal is a tool call in any API's form.
type proposal struct {
	id, name  string
	arguments [][]byte // of several each counts: who reads it may take any
	odd       bool     // it has members that are none of a call
}

// readCall reads the members of a call, and, of an outer one, of those that hold its
// name and arguments in some APIs.
func readCall(raw []byte, outer bool) (c proposal) {
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "function", "custom", "function_call", "functionCall", "toolUse", "toolCall", "tool_call":
			if !outer || !peek.IsObject(w.Value) {
				c.odd = true
				continue
			}
			inner := readCall(w.Value, false)
			c.name, c.odd = cmp.Or(inner.name, c.name), c.odd || inner.odd
			c.arguments = append(c.arguments, inner.arguments...)
		case "name":
			c.name = peek.Short(w.Value)
		case "arguments", "input", "args", "parameters":
			c.arguments = append(c.arguments, w.Value)
		case "id", "call_id", "toolUseId":
			c.id = cmp.Or(c.id, peek.Short(w.Value))
		case "type", "index", "status":
		default:
			c.odd = true
		}
	}
	return c
}

func (c *proposal) parts() (list []flow.Part) {
	p := flow.Part{Kind: flow.ToolCall, ID: c.id, Name: c.name}
	if len(c.arguments) == 0 {
		return []flow.Part{p}
	}
	for _, raw := range c.arguments {
		p.Text = text(raw)
		list = append(list, p)
	}
	return list
}

// text is what a string says, and any other value as it stands.
func text(raw []byte) string {
	if peek.IsString(raw) {
		return peek.String(raw)
	}
	return string(raw)
}
