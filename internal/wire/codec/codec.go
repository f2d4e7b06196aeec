// Package codec chooses the codec of an API: it frames what an answer's bytes
// are (SSE, one JSON body, a JSON array, WebSocket messages) and hands events
// and bodies to the provider's package. It does no I/O and never changes a byte.
package codec

import (
	"bytes"
	"errors"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/anthropic"
	"github.com/workingagents/gatehouse/internal/wire/gemini"
	"github.com/workingagents/gatehouse/internal/wire/openai"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// ErrOpaque says that an API is not read as a conversation.
var ErrOpaque = errors.New("the operation is not read as a conversation")

// Facts gives what a request says about itself beside its content. It looks at
// the top-level members of doc only; Gemini's model stands in the path (without
// the entrance's prefixes). A body that is not JSON says nothing.
func Facts(api flow.API, path string, doc *split.Doc) flow.Facts {
	switch api {
	case flow.Messages, flow.CountTokens:
		return anthropic.Facts(doc)
	case flow.Chat:
		return openai.ChatFacts(doc)
	case flow.Responses, flow.ResponsesSocket:
		return openai.ResponsesFacts(doc)
	case flow.Generate, flow.StreamGenerate, flow.GeminiCount:
		return gemini.Facts(path, doc)
	case flow.AskRequest, flow.AskResponse:
		model, _ := doc.Get("model")
		return flow.Facts{Model: peek.Short(model)}
	}
	return flow.Facts{}
}

// Parts gives a whole request as readable parts: system, tools, messages, then
// members that are not known. It fails for a body that is not one JSON object and
// for an API that is not read.
func Parts(api flow.API, body []byte) ([]flow.Part, error) {
	switch api {
	case flow.Messages, flow.CountTokens:
		return anthropic.Parts(body)
	case flow.Chat:
		return openai.ChatParts(body)
	case flow.Responses, flow.ResponsesSocket:
		return openai.ResponsesParts(body)
	case flow.Generate, flow.StreamGenerate, flow.GeminiCount:
		return gemini.Parts(body)
	}
	return nil, ErrOpaque
}

// Block reads one block by itself: the raw JSON of an element or part as split
// cuts it. Role is for a block that names none itself. There is always at least one
// part; a whole message, or a list of functions, has several.
func Block(api flow.API, role string, block []byte) []flow.Part {
	var parts []flow.Part
	switch api {
	case flow.Messages, flow.CountTokens:
		parts = anthropic.Block(role, block)
	case flow.Chat:
		parts = openai.ChatBlock(role, block)
	case flow.Responses, flow.ResponsesSocket:
		parts = openai.ResponsesBlock(role, block)
	case flow.Generate, flow.StreamGenerate, flow.GeminiCount:
		parts = gemini.Block(role, block)
	}
	if len(parts) == 0 {
		return []flow.Part{{Kind: flow.UnknownPart, Role: role, Text: string(block)}}
	}
	return parts
}

// MayCall reports whether a block may hold a tool call, in any API: cheaply, and never
// false where there is one that Block reads.
func MayCall(block []byte) bool {
	for _, word := range [...]string{"tool_use", "_call", "functionCall", "toolCall", "function", "executable"} {
		if bytes.Contains(block, []byte(word)) {
			return true
		}
	}
	return bytes.IndexByte(block, '\\') >= 0 && bytes.Contains(block, []byte(`\u`)) // names may be written with escapes
}

// Envelope is what a WebSocket message of the Responses API says about itself.
type Envelope struct {
	Type     string // "response.create", "response.output_text.delta", "error" …
	Stream   string // stream_id: the lane, when several responses share a socket
	Response string // id of the response that the event names; most name none
}

// ReadEnvelope reads the envelope of a message in either direction. What is not
// an object has an empty one.
func ReadEnvelope(message []byte) Envelope {
	var e Envelope
	for w := peek.Members(message); w.Next(); {
		switch string(w.Name) {
		case "type":
			e.Type = peek.Short(w.Value)
		case "stream_id":
			e.Stream = peek.Short(w.Value)
		case "response_id":
			e.Response = peek.Short(w.Value)
		case "response":
			e.Response = peek.Short(peek.Get(w.Value, "id"))
		}
	}
	return e
}
