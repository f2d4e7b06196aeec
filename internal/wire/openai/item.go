package openai

import (
	"cmp"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// ResponsesParts gives everything that a Responses request, or one client
// message of its WebSocket, says: instructions and tools first.
func ResponsesParts(body []byte) ([]flow.Part, error) {
	return walk(body, func(r *request, name string, raw []byte) bool {
		switch name {
		case "instructions":
			r.system = content("system", raw)
		case "tools":
			r.tools = tools("", raw)
		case "input":
			r.messages = input(raw)
		default:
			return false
		}
		return true
	})
}

func input(raw []byte) []flow.Part {
	if !peek.IsArray(raw) {
		return content("user", raw)
	}
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, ResponsesBlock("", w.Value)...)
	}
	return parts
}

// ResponsesBlock reads one block by itself: an item of input or output, an
// element of a message's content, or a tool's definition. Role is for what
// names none itself; when there is none, calls are the assistant's and results
// a tool's.
func ResponsesBlock(role string, raw []byte) []flow.Part {
	if peek.IsString(raw) {
		return content(role, raw)
	}
	it := readItem(raw)
	if it.role != nil {
		role = peek.Short(it.role)
	}
	switch it.kind {
	case "message", "":
		if it.content == nil {
			break
		}
		return content(role, it.content)
	case "reasoning":
		return []flow.Part{it.thinking(cmp.Or(role, "assistant"))}
	case "additional_tools", "tool_search_output", "mcp_list_tools":
		return tools(role, it.tools)
	case "compaction", "compaction_summary", "context_compaction":
		return []flow.Part{{Kind: flow.Text, Role: role, Text: inside(it.summary), Signed: it.sealed()}}
	}
	return it.other(role, raw)
}

func (it *item) other(role string, raw []byte) []flow.Part {
	switch {
	case strings.HasSuffix(it.kind, "_call") || it.kind == "mcp_approval_request" || it.kind == "program":
		return it.call(cmp.Or(role, "assistant"))
	case strings.HasSuffix(it.kind, "_output") || it.kind == "mcp_approval_response":
		return []flow.Part{it.result(cmp.Or(role, "tool"), it.output, raw)}
	case definition(it.kind) && it.callID == nil:
		return []flow.Part{toolDef(role, raw)}
	}
	return []flow.Part{contentPart(role, raw)}
}

// knownItem reports whether an output item is of a kind that ResponsesBlock
// reads.
func knownItem(kind string) bool {
	switch kind {
	case "message", "reasoning", "additional_tools", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response",
		"compaction", "compaction_summary", "context_compaction", "program", "program_output":
		return true
	}
	return strings.HasSuffix(kind, "_call") || strings.HasSuffix(kind, "_call_output") || kind == "tool_search_output"
}

// strangers counts what is not known in an output item: itself, or elements
// of its content.
func strangers(raw []byte) (n int) {
	if !knownItem(peek.Short(peek.Get(raw, "type"))) {
		return 1
	}
	for w := peek.Elements(peek.Get(raw, "content")); w.Next(); {
		switch string(peek.Get(w.Value, "type")) {
		case `"output_text"`, `"refusal"`, `"reasoning_text"`, `"output_audio"`:
		default:
			n++
		}
	}
	return n
}

// definition reports whether kind is one of a tool's.
func definition(kind string) bool {
	switch kind {
	case "function", "custom", "namespace", "mcp", "file_search", "computer", "computer_use_preview", "code_interpreter",
		"programmatic_tool_calling", "image_generation", "local_shell", "shell", "tool_search", "apply_patch":
		return true
	}
	return strings.HasPrefix(kind, "web_search")
}

// item is the members of an input or output item, raw.
type item struct {
	kind                                                    string
	role, id, callID, name, namespace, server               []byte
	content, summary, encrypted, arguments, input, output   []byte
	action, actions, code, queries, operation, tools, fault []byte
	outputs, results, status, image, sealedArguments        []byte
}

func readItem(raw []byte) (it item) {
	for w := peek.Members(raw); w.Next(); {
		if at := it.member(string(w.Name)); at != nil {
			*at = w.Value
		} else if string(w.Name) == "type" {
			it.kind = peek.Short(w.Value)
		}
	}
	return it
}

func (it *item) member(name string) *[]byte {
	switch name {
	case "role":
		return &it.role
	case "id":
		return &it.id
	case "call_id":
		return &it.callID
	case "name":
		return &it.name
	case "namespace":
		return &it.namespace
	case "content":
		return &it.content
	case "summary":
		return &it.summary
	case "encrypted_content":
		return &it.encrypted
	case "arguments":
		return &it.arguments
	case "input":
		return &it.input
	case "output":
		return &it.output
	case "status":
		return &it.status
	}
	return it.rare(name)
}

func (it *item) rare(name string) *[]byte {
	switch name {
	case "server_label":
		return &it.server
	case "action":
		return &it.action
	case "actions":
		return &it.actions
	case "code":
		return &it.code
	case "queries":
		return &it.queries
	case "operation":
		return &it.operation
	case "tools":
		return &it.tools
	case "error":
		return &it.fault
	case "outputs":
		return &it.outputs
	case "results":
		return &it.results
	case "result":
		return &it.image
	case "encrypted_function_args":
		return &it.sealedArguments
	}
	return nil
}

func (it *item) sealed() bool {
	return len(it.encrypted) > 2 && peek.IsString(it.encrypted) || len(it.sealedArguments) > 2 && peek.IsArray(it.sealedArguments)
}

func (it *item) thinking(role string) flow.Part {
	text := inside(it.summary)
	if own := inside(it.content); own != "" {
		text = strings.TrimPrefix(text+"\n"+own, "\n")
	}
	return flow.Part{Kind: flow.Thinking, Role: role, Text: text, Signed: it.sealed()}
}

// call reads a call of any tool. The provider's own tools carry what came back
// in the same item: that is a second part.
func (it *item) call(role string) []flow.Part {
	p := flow.Part{Kind: flow.ToolCall, Role: role, ID: it.ref(), Name: it.tool(), Signed: it.sealed()}
	for _, raw := range [][]byte{it.arguments, it.input, it.action, it.actions, it.code, it.operation, it.queries} {
		if !peek.Null(raw) {
			p.Text = argument(raw)
			break
		}
	}
	parts := []flow.Part{p}
	for _, raw := range [][]byte{it.output, it.outputs, it.results, it.fault} {
		if !peek.Null(raw) {
			result := it.result(role, raw, raw)
			result.Name = p.Name
			parts = append(parts, result)
		}
	}
	if it.pictured() {
		parts = append(parts, flow.Part{Kind: flow.Media, Role: role, ID: it.ref(), Name: it.kind})
	}
	return parts
}

// pictured reports whether an image_generation_call brought its picture.
func (it *item) pictured() bool { return len(it.image) > 2 && peek.IsString(it.image) }

// argument is a call's argument: decoded text, or raw JSON.
func argument(raw []byte) string {
	if peek.IsString(raw) || peek.Null(raw) {
		return peek.String(raw)
	}
	return string(raw)
}

func (it *item) ref() string {
	if id := peek.Short(it.callID); id != "" {
		return id
	}
	return peek.Short(it.id)
}

// tool gives the tool's name; the provider's own tools are named by the kind of
// their calls.
func (it *item) tool() string {
	name := peek.Short(it.name)
	if name == "" {
		name = strings.TrimSuffix(it.kind, "_call")
	}
	for _, in := range [][]byte{it.namespace, it.server} {
		if space := peek.Short(in); space != "" {
			name = space + "." + name
		}
	}
	return name
}

func (it *item) result(role string, output, raw []byte) flow.Part {
	if output == nil {
		return unknown(role, raw)
	}
	failed := peek.Is(it.status, "failed") || !peek.Null(it.fault)
	return flow.Part{Kind: flow.ToolResult, Role: role, ID: it.ref(), Name: peek.Short(it.name), Text: inside(output), Failed: failed}
}
