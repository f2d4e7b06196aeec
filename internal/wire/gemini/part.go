package gemini

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Block reads one block by itself: a part of a Content, a whole Content, a
// function's declaration, or an element of the list of tools, which may hold many.
// What has a part's members is one, whatever stands beside them.
func Block(role string, raw []byte) []flow.Part {
	var p piece
	p.read(raw)
	switch {
	case p.known():
	case peek.Get(raw, "parts") != nil:
		return content(role, raw)
	case isTool(raw):
		return tool(role, raw)
	}
	return []flow.Part{one(role, raw)}
}

// isTool reports whether a block is an element of the list of tools.
func isTool(raw []byte) bool {
	for w := peek.Members(raw); w.Next(); {
		switch camel(w.Name) {
		case "functionDeclarations", "retrieval", "googleSearch", "googleSearchRetrieval", "googleMaps", "enterpriseWebSearch",
			"parallelAiSearch", "codeExecution", "urlContext", "computerUse", "fileSearch", "mcpServers":
			return true
		}
	}
	return false
}

func one(role string, raw []byte) flow.Part {
	if peek.IsString(raw) {
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(raw)}
	}
	var p piece
	p.read(raw)
	if p.schema != nil || p.name != nil && !p.known() {
		return toolDef(role, raw)
	}
	part := p.part(role, raw)
	assemble(&part)
	return part
}

// piece is the members of a part, raw. One of them says what it is.
type piece struct {
	text, call, response, inline, file, code, result []byte
	toolCall, toolResponse, signature, transcription []byte
	name, schema                                     []byte
	thought                                          bool
}

func (p *piece) read(raw []byte) {
	s := peek.Scan(raw)
	if !s.Object() {
		return
	}
	for s.Member() {
		switch string(s.Name) {
		case "text":
			p.text = s.Value()
		case "thought":
			p.thought = peek.True(s.Value())
		case "thoughtSignature", "thought_signature":
			p.signature = s.Value()
		case "functionCall", "function_call":
			p.call = s.Value()
		case "functionResponse", "function_response":
			p.response = s.Value()
		default:
			p.rare(string(s.Name), s.Value())
		}
	}
}

func (p *piece) rare(name string, raw []byte) {
	switch name {
	case "inlineData", "inline_data":
		p.inline = raw
	case "fileData", "file_data":
		p.file = raw
	case "executableCode", "executable_code":
		p.code = raw
	case "codeExecutionResult", "code_execution_result":
		p.result = raw
	case "toolCall", "tool_call":
		p.toolCall = raw
	case "toolResponse", "tool_response":
		p.toolResponse = raw
	case "audioTranscription", "audio_transcription":
		p.transcription = raw
	case "name":
		p.name = raw
	case "parameters", "parametersJsonSchema", "parameters_json_schema":
		p.schema = raw
	}
}

func (p *piece) known() bool {
	for _, raw := range [][]byte{p.text, p.call, p.response, p.inline, p.file, p.code, p.result, p.toolCall, p.toolResponse, p.signature, p.transcription} {
		if raw != nil {
			return true
		}
	}
	return false
}

func (p *piece) part(role string, raw []byte) flow.Part {
	part := p.flow(role, raw)
	part.Signed = len(p.signature) > 2 && peek.IsString(p.signature)
	return part
}

func (p *piece) flow(role string, raw []byte) flow.Part {
	switch {
	case p.call != nil:
		return call(role, p.call, "name")
	case p.response != nil:
		return response(role, p.response, "name")
	case p.toolCall != nil:
		return call(role, p.toolCall, "toolType")
	case p.toolResponse != nil:
		return response(role, p.toolResponse, "toolType")
	case p.code != nil:
		return flow.Part{Kind: flow.ToolCall, Role: role, Name: "executableCode", Text: peek.String(peek.Get(p.code, "code"))}
	case p.result != nil:
		outcome := peek.Short(peek.Get(p.result, "outcome"))
		return flow.Part{
			Kind: flow.ToolResult, Role: role, Name: "codeExecutionResult", Text: peek.String(peek.Get(p.result, "output")),
			Failed: outcome != "" && outcome != "OUTCOME_OK",
		}
	case p.inline != nil:
		return media(role, p.inline)
	case p.file != nil:
		return media(role, p.file)
	case p.transcription != nil && p.text == nil:
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(peek.Get(p.transcription, "text"))}
	case p.thought, p.text == nil && p.signature != nil:
		return flow.Part{Kind: flow.Thinking, Role: role, Text: peek.String(p.text)}
	case p.text != nil:
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(p.text)}
	}
	return unknown(role, raw)
}

// call reads a function call. A call that streams its arguments brings them
// as partialArgs, which are put together once they are whole.
func call(role string, raw []byte, name string) flow.Part {
	part := flow.Part{Kind: flow.ToolCall, Role: role}
	for w := peek.Members(raw); w.Next(); {
		switch camel(w.Name) {
		case name:
			part.Name = peek.Short(w.Value)
		case "id":
			part.ID = peek.Short(w.Value)
		case "args", "partialArgs":
			part.Text += string(w.Value)
		}
	}
	return part
}

// response reads what a function gave: by the API's convention an object
// with "output" or "error".
func response(role string, raw []byte, name string) flow.Part {
	part := flow.Part{Kind: flow.ToolResult, Role: role}
	for w := peek.Members(raw); w.Next(); {
		switch camel(w.Name) {
		case name:
			part.Name = peek.Short(w.Value)
		case "id":
			part.ID = peek.Short(w.Value)
		case "response":
			part.Text = string(w.Value)
			part.Failed = !peek.Null(peek.Get(w.Value, "error"))
		case "parts":
			part.Text = strings.TrimSpace(part.Text + attachments(w.Value))
		}
	}
	return part
}

func attachments(raw []byte) string {
	var b strings.Builder
	for w := peek.Elements(raw); w.Next(); {
		b.WriteString("\n[" + one("", w.Value).Name + "]")
	}
	return b.String()
}

func media(role string, raw []byte) flow.Part {
	part := flow.Part{Kind: flow.Media, Role: role}
	for w := peek.Members(raw); w.Next(); {
		switch camel(w.Name) {
		case "mimeType":
			part.Name = peek.Short(w.Value)
		case "fileUri", "displayName":
			part.Text = strings.TrimSpace(part.Text + " " + peek.String(w.Value))
		}
	}
	return part
}

func unknown(role string, raw []byte) flow.Part {
	return flow.Part{Kind: flow.UnknownPart, Role: role, Text: string(raw)}
}
