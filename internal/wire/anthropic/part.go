package anthropic

import (
	"fmt"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Block reads one block by itself: a content block, a tool's definition, or a whole
// message, when its content is not cut.
func Block(role string, raw []byte) []flow.Part {
	if b := read(raw); b.role != nil && (b.kind == "" || b.kind == "message") {
		return message(raw)
	}
	return []flow.Part{Part(role, raw)}
}

// Part reads a content block, or a tool's definition.
func Part(role string, raw []byte) flow.Part { return part(role, raw, 0) }

// deepest is how far part follows documents inside of results inside of
// documents; what lies deeper is shown raw.
const deepest = 4

func part(role string, raw []byte, depth int) flow.Part {
	if peek.IsString(raw) {
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(raw)}
	}
	b := read(raw)
	switch b.kind {
	case "":
		return untyped(role, raw, &b)
	case "text":
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(b.text)}
	case "thinking":
		return flow.Part{Kind: flow.Thinking, Role: role, Text: peek.String(b.thinking), Signed: b.signed()}
	case "redacted_thinking":
		return flow.Part{Kind: flow.Thinking, Role: role, Signed: true}
	case "compaction":
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(b.content), Signed: b.signed()}
	case "image", "document", "container_upload":
		return media(role, &b, depth)
	case "search_result":
		return flow.Part{Kind: flow.Text, Role: role, Name: peek.Short(b.title), Text: inside(b.content, depth)}
	case "tool_addition", "tool_removal":
		return flow.Part{Kind: flow.ToolDef, Role: role, Name: toolName(b.tool), Text: string(b.tool)}
	case "mcp_tool_listing":
		return flow.Part{Kind: flow.ToolDef, Role: role, Name: peek.Short(b.server), Text: string(b.tools)}
	}
	return tool(role, raw, &b, depth)
}

// tool reads the blocks whose names end alike: client tools, server tools and
// MCP tools.
func tool(role string, raw []byte, b *block, depth int) flow.Part {
	switch {
	case strings.HasSuffix(b.kind, "tool_use"):
		return flow.Part{Kind: flow.ToolCall, Role: role, ID: peek.Short(b.id), Name: peek.Short(b.name), Text: string(b.input)}
	case strings.HasSuffix(b.kind, "tool_result"):
		return flow.Part{
			Kind: flow.ToolResult, Role: role, ID: peek.Short(b.toolUse), Text: inside(b.content, depth),
			Failed: peek.True(b.failed) || strings.HasSuffix(peek.Short(peek.Get(b.content, "type")), "_error"),
			Signed: b.kind != "tool_result" && sealed(b.content),
		}
	}
	if b.name != nil || b.server != nil || b.schema != nil {
		return toolDef(role, raw) // bash_20250124, web_search_20260318, mcp_toolset, custom …
	}
	return unknown(role, raw)
}

// known reports whether a block of an answer is of a kind that Part reads.
// A fallback block says which model took over and holds no text.
func known(kind string) bool {
	switch kind {
	case "text", "thinking", "redacted_thinking", "compaction", "container_upload", "fallback", "mcp_tool_listing":
		return true
	}
	return strings.HasSuffix(kind, "tool_use") || strings.HasSuffix(kind, "tool_result")
}

// block is the members of any block, raw.
type block struct {
	kind                                                string
	text, thinking, signature, encrypted, content, id   []byte
	name, input, toolUse, failed, source, title, server []byte
	tool, tools, role, schema, fileID                   []byte
}

func (b *block) signed() bool { return len(b.signature) > 2 || len(b.encrypted) > 2 }

func read(raw []byte) (b block) {
	for w := peek.Members(raw); w.Next(); {
		if at := b.member(string(w.Name)); at != nil {
			*at = w.Value
		} else if string(w.Name) == "type" {
			b.kind = peek.Short(w.Value)
		}
	}
	return b
}

func (b *block) member(name string) *[]byte {
	switch name {
	case "text":
		return &b.text
	case "thinking":
		return &b.thinking
	case "signature":
		return &b.signature
	case "encrypted_content":
		return &b.encrypted
	case "content":
		return &b.content
	case "id":
		return &b.id
	case "name":
		return &b.name
	case "input":
		return &b.input
	case "tool_use_id":
		return &b.toolUse
	case "is_error":
		return &b.failed
	}
	return b.rare(name)
}

func (b *block) rare(name string) *[]byte {
	switch name {
	case "source":
		return &b.source
	case "title":
		return &b.title
	case "mcp_server_name":
		return &b.server
	case "tool":
		return &b.tool
	case "tools":
		return &b.tools
	case "role":
		return &b.role
	case "input_schema":
		return &b.schema
	case "file_id":
		return &b.fileID
	}
	return nil
}

// untyped reads what carries no type: a tool of one's own.
func untyped(role string, raw []byte, b *block) flow.Part {
	if b.name != nil && b.role == nil {
		return toolDef(role, raw)
	}
	return unknown(role, raw)
}

func toolDef(role string, raw []byte) flow.Part {
	return flow.Part{Kind: flow.ToolDef, Role: role, Name: toolName(raw), Text: string(raw)}
}

// toolName looks where the different shapes of a definition have the name.
func toolName(raw []byte) string {
	for _, path := range [][]string{{"name"}, {"definition", "name"}, {"mcp_server_name"}, {"type"}} {
		if name := peek.Short(peek.Get(raw, path...)); name != "" {
			return name
		}
	}
	return ""
}

// media reads a picture, a document or a file: text where the source holds
// text, the address where it names one.
func media(role string, b *block, depth int) flow.Part {
	p := flow.Part{Kind: flow.Media, Role: role, Name: b.kind, Text: peek.String(b.fileID)}
	for w := peek.Members(b.source); w.Next(); {
		switch string(w.Name) {
		case "media_type":
			p.Name = peek.Short(w.Value)
		case "url", "file_id":
			p.Text = peek.String(w.Value)
		case "content":
			p.Text = inside(w.Value, depth)
		}
	}
	if peek.Is(peek.Get(b.source, "type"), "text") {
		p.Text = peek.String(peek.Get(b.source, "data"))
	}
	return p
}

// inside gives the readable text of a result: a string, the texts of an array
// of blocks with a placeholder for each picture, or the raw JSON of anything else.
func inside(raw []byte, depth int) string {
	switch {
	case peek.Null(raw):
		return ""
	case peek.IsString(raw):
		return peek.String(raw)
	case !peek.IsArray(raw) || depth >= deepest:
		return string(raw)
	}
	var lines []string
	for w := peek.Elements(raw); w.Next(); {
		lines = append(lines, line(w.Value, depth+1))
	}
	return strings.Join(lines, "\n")
}

func line(raw []byte, depth int) string {
	switch p := part("", raw, depth); p.Kind {
	case flow.Text:
		return p.Text
	case flow.Media:
		if p.Text == "" {
			return fmt.Sprintf("[%s, %d bytes of JSON]", p.Name, len(raw))
		}
		return fmt.Sprintf("[%s] %s", p.Name, p.Text)
	}
	return string(raw)
}

// sealed reports whether a server tool's result carries content that only the
// provider can read and wants back as it is.
func sealed(content []byte) bool {
	if len(peek.Get(content, "encrypted_content")) > 2 {
		return true
	}
	for w := peek.Elements(content); w.Next(); {
		if len(peek.Get(w.Value, "encrypted_content")) > 2 || len(peek.Get(w.Value, "encrypted_index")) > 2 {
			return true
		}
	}
	return false
}

func unknown(role string, raw []byte) flow.Part {
	return flow.Part{Kind: flow.UnknownPart, Role: role, Text: string(raw)}
}
