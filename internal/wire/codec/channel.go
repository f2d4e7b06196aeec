package codec

import (
	"bytes"
	"sort"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Channels says whose words stand where in a body. A piece alone does not tell: a
// message of Chat holds its text and its calls in one piece, and the short members
// around a conversation lie in one piece together. It is meant for places at which
// something was found, asked for in their order: a message is read once for all that
// was found in it.
type Channels struct {
	api flow.API
	doc *split.Doc

	field    int         // of the body's fields, that which elements are of
	elements []stretch   // in order: their ends, without what stands between
	element  int         // index of the one that was read last
	parts    []wordsUpTo // of that one, in order
}

// stretch is a span of the body.
type stretch struct{ start, end int }

// wordsUpTo says whose words stand from where the one before it ends.
type wordsUpTo struct {
	end int
	where
}

// NewChannels reads nothing yet.
func NewChannels(api flow.API, doc *split.Doc) *Channels {
	return &Channels{api: api, doc: doc, field: -1}
}

// At gives the channel of a place in a piece, an offset in the body, and whether it
// belongs to a part that the provider signed and wants back as it is.
func (c *Channels) At(piece, at int) (ch flow.Channel, signed bool) {
	w := c.words(piece, at)
	return w.ch, w.signed
}

func (c *Channels) words(piece, at int) where {
	k := fieldAt(c.doc, piece, at)
	if k < 0 {
		return where{ch: beside(c.api)}
	}
	name := c.doc.Fields[k].Name
	if !conversation(name) {
		return where{ch: channelOf(c.api, name)}
	}
	c.cut(k)
	i := sort.Search(len(c.elements), func(i int) bool { return c.elements[i].end > at })
	if i == len(c.elements) || at < c.elements[i].start {
		return where{ch: beside(c.api)}
	}
	c.read(i)
	return c.parts[sort.Search(len(c.parts), func(i int) bool { return c.parts[i].end > at })].where
}

// Text gives the channel of a place where a part begins, and whether the part is
// something that is read as text: no picture, no file.
func (c *Channels) Text(piece, at int) (ch flow.Channel, ok bool) {
	w := c.words(piece, at)
	return w.ch, !w.media
}

// cut finds the messages of a field.
func (c *Channels) cut(field int) {
	if c.field == field {
		return
	}
	c.field, c.elements, c.element = field, c.elements[:0], -1
	c.doc.Elements(field, nil, func(start, end, _ int) { c.elements = append(c.elements, stretch{start, end}) })
}

// read tells the words of a message apart.
func (c *Channels) read(i int) {
	if c.element == i {
		return
	}
	c.element, c.parts = i, c.parts[:0]
	e := c.elements[i]
	c.object(where{ch: channelOf(c.api, c.doc.Fields[c.field].Name)}, e.start, c.doc.Body[e.start:e.end], 0)
}

// say notes whose words stand before a place.
func (c *Channels) say(w where, end int) {
	if n := len(c.parts); n > 0 && c.parts[n-1].where == w {
		c.parts[n-1].end = end
		return
	}
	c.parts = append(c.parts, wordsUpTo{end, w})
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

// where is whose words something is.
type where struct {
	ch     flow.Channel
	signed bool
	media  bool
}

// deepest is how far it goes into content in content.
const deepest = 8

// object looks at a message, an item or a part that stands at a place in the body,
// and goes into the members that hold more of them.
func (c *Channels) object(w where, at int, raw []byte, depth int) {
	if peek.IsObject(raw) && depth <= deepest {
		var only, kind string
		w, only, kind = w.of(raw)
		for m := peek.Members(raw); m.Next(); {
			start, inner := at+cap(raw)-cap(m.Value), w.in(kind, string(m.Name))
			c.say(w.in(kind, only), start)
			c.into(inner, string(m.Name), start, m.Value, depth)
			c.say(inner, start+len(m.Value))
		}
		w = w.in(kind, only)
	}
	c.say(w, at+len(raw))
}

// carries reports whether a part of Gemini's with this member is media.
func carries(name string) bool {
	switch name {
	case "inlineData", "inline_data", "fileData", "file_data":
		return true
	}
	return false
}

// of reads what an object says of all that is in it, and gives the name of the
// member that is all a part of Gemini's has.
func (w where) of(raw []byte) (of where, only, kind string) {
	var role string
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
			w.media = w.media || carries(string(m.Name))
		}
		w.signed = w.signed || seals(string(m.Name), m.Value)
	}
	w.role(role)
	w.kind(kind, raw)
	return w, only, kind
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
func (c *Channels) into(w where, name string, at int, raw []byte, depth int) {
	switch name {
	case "content", "parts", "output", "tool_calls", "summary", "results", "outputs", "source":
	default:
		return
	}
	if !peek.IsArray(raw) {
		c.object(w, at, raw, depth+1)
		return
	}
	for e := peek.Elements(raw); e.Next(); {
		start := at + cap(raw) - cap(e.Value)
		c.say(w, start)
		c.object(w, start, e.Value, depth+1)
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
	case "image", "document", "container_upload", "image_url", "input_image", "input_audio", "file", "input_file", "computer_screenshot", "video_url":
		w.media = true
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

// in reads what the name of a member says of its value.
func (w where) in(kind, name string) where {
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
	return w
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
