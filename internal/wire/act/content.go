package act

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// content reads a message, an item or a part. It goes into what is content
// itself, never into the arguments of a call.
func (f *finder) content(raw []byte, depth int) {
	if !f.reads(raw, depth) {
		return
	}
	c := part{finder: f, raw: raw, depth: depth}
	for w := peek.Members(raw); w.Next(); {
		c.member(string(w.Name), w.Value)
	}
	c.end()
}

// part is a piece of content while it is read.
type part struct {
	*finder
	raw      []byte
	depth    int
	kind     string
	address  []byte // that a part of a kind that we don't know may name
	id       []byte
	approves bool
	picture  bool // an image_generation_call brings its picture
}

func (c *part) member(name string, raw []byte) {
	switch name {
	case "type":
		c.kind = peek.Short(raw)
	case "content", "parts", "output":
		each(raw, func(raw []byte) { c.content(raw, c.depth+1) })
	case "source":
		c.source(raw)
	case "image_url", "video_url", "file_url":
		c.url(name, raw)
	case "file_id", "file", "fileData", "file_data", "audio":
		c.file(name, raw)
	case "functionResponse", "function_response":
		each(peek.Get(raw, "parts"), func(raw []byte) { c.content(raw, c.depth+1) })
	default:
		c.rare(name, raw)
	}
}

func (c *part) rare(name string, raw []byte) {
	switch name {
	case "tools":
		each(raw, func(raw []byte) { c.tool(raw, c.depth+1) }) // what an MCP server listed has names and no types
	case "tool":
		c.tool(raw, c.depth+1)
	case "id":
		c.id = raw
	case "approve":
		c.approves = peek.True(raw)
	case "result":
		c.picture = !peek.Null(raw)
	case "url", "uri", "file_uri", "fileUri", "location", "href":
		if !peek.Null(raw) {
			c.address = raw
		}
	}
}

// end judges what needs the part's kind.
func (c *part) end() {
	switch {
	case c.kind == "item_reference":
		c.value(Recall, "item_reference", c.id)
	case c.kind == "mcp_approval_response" && c.approves:
		c.add(Connect, "mcp_approval_response", c.raw)
	case c.kind == "image_generation_call" && !c.picture:
		c.value(Recall, "image_generation_call", c.id)
	case c.kind != "" && c.address != nil && !knownKind(c.kind):
		c.add(Unknown, "content[].type="+short(c.kind), c.raw)
	}
}

// knownKind reports whether an address in such a part is only told, not
// fetched.
func knownKind(kind string) bool {
	switch kind {
	case "message", "text", "input_text", "output_text", "search_result", "reasoning", "function", "custom":
		return true
	}
	return strings.HasSuffix(kind, "_result") || strings.HasSuffix(kind, "_call") || strings.HasSuffix(kind, "_output") || strings.HasSuffix(kind, "_use")
}

// source is Anthropic's of pictures and documents; a search result's is text.
func (c *part) source(raw []byte) {
	if !peek.IsObject(raw) {
		return
	}
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "url":
			c.url("source.url", w.Value)
		case "file_id":
			c.value(Recall, "source.file_id", w.Value)
		case "content":
			each(w.Value, func(raw []byte) { c.content(raw, c.depth+1) })
		case "type":
			switch kind := peek.Short(w.Value); kind {
			case "base64", "text", "content", "url", "file":
			default:
				c.add(Unknown, "source.type="+short(kind), raw)
			}
		}
	}
}

// url reads an address, which may stand in an object. One that holds the data
// itself fetches nothing.
func (c *part) url(name string, raw []byte) {
	if peek.IsObject(raw) {
		c.url(name+".url", peek.Get(raw, "url"))
		c.value(Recall, name+".file_id", peek.Get(raw, "file_id"))
		return
	}
	if peek.IsString(raw) && !data(raw) {
		c.value(Fetch, name, raw)
	}
}

// data reports whether an address begins with data: in whatever escaping.
func data(raw []byte) bool {
	head := append(append(make([]byte, 0, 66), raw[:min(len(raw)-1, 64)]...), '"')
	text := strings.TrimLeft(string(peek.Append(nil, head)), " \t\r\n")
	return len(text) >= 5 && strings.EqualFold(text[:5], "data:")
}

// file reads what names a stored file: by its id, or in Gemini's fileData by an
// address, which is the provider's own store or anywhere.
func (c *part) file(name string, raw []byte) {
	if !peek.IsObject(raw) {
		if name == "file_id" && !strings.HasSuffix(c.kind, "_output") && !strings.HasSuffix(c.kind, "_result") {
			c.value(Recall, name, raw)
		}
		return
	}
	for w := peek.Members(raw); w.Next(); {
		switch inner := string(w.Name); inner {
		case "file_id", "id":
			c.value(Recall, name+"."+inner, w.Value)
		case "file_url":
			c.url(name+"."+inner, w.Value)
		case "fileUri", "file_uri":
			c.fileURI(name+"."+inner, w.Value)
		}
	}
}

const geminiFiles = "https://generativelanguage.googleapis.com/"

func (c *part) fileURI(name string, raw []byte) {
	kind := Fetch
	if uri := peek.Short(raw); strings.HasPrefix(uri, geminiFiles) || strings.HasPrefix(uri, "files/") {
		kind = Recall
	}
	c.value(kind, name, raw)
}
