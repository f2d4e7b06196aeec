// Package anthropic reads the bodies of Anthropic's Messages API: what a
// request says about itself, its readable parts, and the answer, whole or as a
// stream of events. It never changes a byte and never fails on what it does not
// know: that is kept and marked.
//
// Sources: platform.claude.com/docs (Messages, streaming, tool use, extended
// thinking, prompt caching), the types of anthropic-sdk-go v1.84, and what the
// agents were seen to send.
package anthropic

import (
	"errors"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// ErrBody says that a body is not a JSON object, so that it has no parts.
var ErrBody = errors.New("the body is not a JSON object")

// Facts reads the members beside the conversation.
func Facts(doc *split.Doc) flow.Facts {
	var f flow.Facts
	if doc == nil || !doc.JSON {
		return f
	}
	for _, field := range doc.Fields {
		raw := doc.Body[field.Start:field.End]
		switch field.Name {
		case "model":
			f.Model = peek.Short(raw)
		case "stream":
			f.Stream = peek.True(raw)
		case "metadata":
			f.Session = session(peek.Get(raw, "user_id"))
		}
	}
	return f
}

// session finds the session id that Claude Code puts into metadata.user_id:
// a JSON object as text (2.1) or `user_…_account_…_session_UUID` (before).
func session(userID []byte) string {
	text := []byte(peek.String(userID))
	if id := peek.Short(peek.Get(text, "session_id")); id != "" {
		return id
	}
	const mark = "_session_"
	s := string(text)
	if at := strings.LastIndex(s, mark); at >= 0 && strings.HasPrefix(s, "user_") && len(s) <= 512 {
		return s[at+len(mark):]
	}
	return ""
}

// silent are the top-level members that hold no text for or from a model.
var silent = map[string]bool{
	"model": true, "max_tokens": true, "stream": true, "temperature": true, "top_k": true, "top_p": true,
	"metadata": true, "service_tier": true, "speed": true, "inference_geo": true, "tool_choice": true,
	"thinking": true, "cache_control": true, "context_management": true,
	"anthropic_version": true, "anthropic_beta": true, "betas": true, "diagnostics": true,
}

// Parts gives everything that a request says, system and tools first. Members
// that are not known stand at the end as unknown parts under their name.
func Parts(body []byte) ([]flow.Part, error) {
	if !peek.Whole(body) {
		return nil, ErrBody
	}
	var system, tools, messages, rest []flow.Part
	for w := peek.Members(body); w.Next(); {
		switch name := string(w.Name); name {
		case "system":
			system = content("system", w.Value)
		case "tools", "mcp_servers":
			tools = append(tools, each(w.Value, "", toolDef)...)
		case "messages":
			messages = nil
			for m := peek.Elements(w.Value); m.Next(); {
				messages = append(messages, message(m.Value)...)
			}
		default:
			if !silent[name] && (name != "output_config" || peek.Get(w.Value, "format") != nil) {
				rest = append(rest, flow.Part{Kind: flow.UnknownPart, Name: name, Text: string(w.Value)})
			}
		}
	}
	return append(append(append(system, tools...), messages...), rest...), nil
}

func message(raw []byte) []flow.Part {
	role := peek.Short(peek.Get(raw, "role"))
	var parts, rest []flow.Part
	for w := peek.Members(raw); w.Next(); {
		switch name := string(w.Name); name {
		case "content":
			parts = content(role, w.Value)
		case "role", "id", "type":
		default:
			rest = append(rest, flow.Part{Kind: flow.UnknownPart, Role: role, Name: name, Text: string(w.Value)})
		}
	}
	if len(parts)+len(rest) == 0 {
		return []flow.Part{unknown(role, raw)}
	}
	return append(parts, rest...)
}

// content reads a string or an array of blocks.
func content(role string, raw []byte) []flow.Part {
	switch {
	case peek.IsString(raw):
		return []flow.Part{{Kind: flow.Text, Role: role, Text: peek.String(raw)}}
	case peek.IsArray(raw):
		return each(raw, role, Part)
	}
	return []flow.Part{unknown(role, raw)}
}

func each(raw []byte, role string, read func(string, []byte) flow.Part) []flow.Part {
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, read(role, w.Value))
	}
	return parts
}
