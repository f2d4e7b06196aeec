package codec

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// ChannelAt says whose words stand at a place in a piece, an offset in the body,
// and whether it belongs to a part that the provider signed and wants back as it
// is. A piece alone does not tell: a message of Chat holds its text and its calls
// in one piece, and the short members around a conversation lie in one piece
// together. It reads the message around the place, and is meant for places at
// which something was found.
func ChannelAt(api flow.API, doc *split.Doc, piece, at int) (ch flow.Channel, signed bool) {
	k := fieldAt(doc, piece, at)
	if k < 0 {
		return beside(api), false
	}
	ch = channelOf(api, doc.Fields[k].Name)
	if !conversation(doc.Fields[k].Name) {
		return ch, false
	}
	start, end, ok := doc.ElementAt(k, piece, at)
	if !ok {
		return beside(api), false
	}
	w := where{ch: ch}
	w.object(doc.Body[start:end], at-start, 0)
	return w.ch, w.signed
}

// beside is the channel of what is no part of a conversation.
func beside(api flow.API) flow.Channel {
	if api == flow.Opaque {
		return flow.File
	}
	return flow.Envelope
}

// fieldAt gives the innermost field that a place lies in, or -1.
func fieldAt(doc *split.Doc, piece, at int) int {
	if run := doc.Pieces[piece].Run; run >= 0 {
		return run
	}
	for i := len(doc.Fields) - 1; i >= 0; i-- {
		if f := &doc.Fields[i]; f.Start <= at && at < f.End {
			return i
		}
	}
	return -1
}

func conversation(name string) bool {
	return name == "messages" || name == "input" || name == "contents" || name == "structured_messages"
}

// channelOf gives the channel of a top-level member, as far as its name says.
func channelOf(api flow.API, name string) flow.Channel {
	switch name {
	case "system", "instructions", "systemInstruction", "system_instruction":
		return flow.System
	case "tools", "functions", "mcp_servers":
		return flow.ToolDefs
	case "messages", "contents", "structured_messages":
		return flow.User
	case "texts", "images", "tool_calls":
		return asked(api, name)
	case "input", "prompt":
		if api != flow.Opaque {
			return flow.User
		}
	}
	return beside(api)
}

// asked is the channel of a member of LiteLLM's guardrail API.
func asked(api flow.API, name string) flow.Channel {
	switch {
	case api != flow.AskRequest && api != flow.AskResponse:
		return beside(api)
	case name == "tool_calls":
		return flow.ToolCalls
	case api == flow.AskResponse:
		return flow.Assistant
	}
	return flow.User
}

// where goes down to a place in a message.
type where struct {
	ch     flow.Channel
	signed bool
}

// deepest is how far it goes into content in content.
const deepest = 8

// object looks at a message, an item or a part, and goes into the member that
// the place at lies in.
func (w *where) object(raw []byte, at, depth int) {
	if !peek.IsObject(raw) || depth > deepest {
		return
	}
	var name, only, role, kind string
	var inner []byte
	from := 0
	for m := peek.Members(raw); m.Next(); {
		switch string(m.Name) {
		case "role":
			role = peek.Short(m.Value)
		case "type":
			kind = peek.Short(m.Value)
		default:
			if holds(string(m.Name)) {
				only = string(m.Name)
			}
		}
		w.signed = w.signed || seals(string(m.Name), m.Value)
		if start := cap(raw) - cap(m.Value); start <= at && at < start+len(m.Value) {
			name, inner, from = string(m.Name), m.Value, start
		}
	}
	w.role(role)
	w.kind(kind, raw)
	w.member(kind, cmp.Or(name, only))
	w.into(name, inner, at-from, depth)
}

// holds reports whether a member is all that a part of Gemini's has, so that
// what stands beside it belongs to it.
func holds(name string) bool {
	switch name {
	case "functionCall", "function_call", "toolCall", "tool_call", "executableCode", "executable_code", "functionResponse", "function_response",
		"toolResponse", "tool_response", "codeExecutionResult", "code_execution_result":
		return true
	}
	return false
}

// into goes on in a member that holds parts or calls.
func (w *where) into(name string, raw []byte, at, depth int) {
	switch name {
	case "content", "parts", "output", "tool_calls", "summary", "results", "outputs", "source":
	default:
		return
	}
	if !peek.IsArray(raw) {
		w.object(raw, at, depth+1)
		return
	}
	for e := peek.Elements(raw); e.Next(); {
		if start := cap(raw) - cap(e.Value); start <= at && at < start+len(e.Value) {
			w.object(e.Value, at-start, depth+1)
			return
		}
	}
}

func (w *where) role(role string) {
	switch role {
	case "system", "developer":
		w.ch = flow.System
	case "user":
		w.ch = flow.User
	case "assistant", "model":
		w.ch = flow.Assistant
	case "tool", "function":
		w.ch = flow.ToolResults
	}
}

// kind reads what a part's or item's type says.
func (w *where) kind(kind string, raw []byte) {
	switch kind {
	case "thinking", "redacted_thinking":
		w.ch, w.signed = flow.Assistant, true
	case "reasoning", "compaction", "compaction_summary", "context_compaction":
		w.ch = flow.Assistant
	case "additional_tools", "tool_search_output", "mcp_list_tools", "mcp_tool_listing", "tool_addition", "tool_removal":
		w.ch = flow.ToolDefs
	case "mcp_approval_request", "mcp_approval_response", "program":
		w.ch = flow.ToolCalls
	default:
		w.called(kind, raw)
	}
}

// called tells calls and results by how their types end.
func (w *where) called(kind string, raw []byte) {
	switch {
	case strings.HasSuffix(kind, "tool_use"), strings.HasSuffix(kind, "_call"):
		w.ch = flow.ToolCalls
	case strings.HasSuffix(kind, "_output"):
		w.ch = flow.ToolResults
	case strings.HasSuffix(kind, "tool_result"):
		w.ch = flow.ToolResults
		// What a tool of the provider found is sealed as a whole.
		w.signed = w.signed || kind != "tool_result" && (bytes.Contains(raw, []byte(`"encrypted_content"`)) || bytes.Contains(raw, []byte(`"encrypted_index"`)))
	}
}

// member reads what the name of the member that the place lies in says.
func (w *where) member(kind, name string) {
	switch name {
	case "tool_calls", "function_call", "functionCall", "toolCall", "tool_call", "executableCode", "executable_code":
		w.ch = flow.ToolCalls
	case "functionResponse", "function_response", "toolResponse", "tool_response", "codeExecutionResult", "code_execution_result":
		w.ch = flow.ToolResults
	case "results", "outputs", "output":
		if strings.HasSuffix(kind, "_call") { // the provider's own tools keep both in one item
			w.ch = flow.ToolResults
		}
	case "reasoning_details":
		w.ch, w.signed = flow.Assistant, true
	case "reasoning_content", "reasoning":
		w.ch = flow.Assistant
	}
}

// unsigned reports whether a thought signature is one of those that a client
// writes itself where the provider gave none (ai.google.dev, "Thought
// signatures", FAQ). Gemini CLI does.
func unsigned(signature string) bool {
	return signature == "skip_thought_signature_validator" || signature == "context_engineering_is_the_way_to_go"
}

// seals reports whether a member says that the provider signed what it stands
// beside.
func seals(name string, raw []byte) bool {
	switch name {
	case "signature", "encrypted_content":
		return peek.IsString(raw) && len(raw) > 2
	case "thoughtSignature", "thought_signature":
		return peek.IsString(raw) && len(raw) > 2 && !unsigned(peek.Short(raw))
	case "encrypted_function_args":
		return peek.IsArray(raw) && len(raw) > 2
	case "extra_content": // Gemini behind the Chat API
		return bytes.Contains(raw, []byte(`"thought_signature"`))
	}
	return false
}
