// Package refusal writes our own refusals in the shape in which each provider
// reports an error, so that an agent shows the text instead of a parse error.
// It does no I/O and never repeats what a client sent.
package refusal

import (
	"encoding/json"
	"net/http"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Body gives the JSON error body for a refusal, with a newline at its end.
//
// Shapes: Anthropic "Errors" (type/error), OpenAI "Error codes" (error with
// message, type, param, code), Google AIP-193 (error with code, message,
// status), LiteLLM "Generic Guardrail API" (action, blocked_reason).
func Body(p flow.Provider, r *flow.Refusal) []byte {
	text := "Gatehouse: " + r.Text
	var v any
	switch p {
	case flow.Anthropic:
		v = map[string]any{"type": "error", "error": map[string]any{"type": anthropicType(r.Status), "message": text}}
	case flow.Gemini:
		v = map[string]any{"error": map[string]any{"code": r.Status, "message": text, "status": googleStatus(r.Status)}}
	case flow.LiteLLM:
		v = map[string]any{"action": "BLOCKED", "blocked_reason": text}
	default:
		v = map[string]any{"error": openaiError(r, text)}
	}
	return encode(v)
}

// Blocked is the HTTP status with which something is told that policy blocks. To
// LiteLLM it is an answer: by another status it would go as it goes for a guardrail
// that is down.
func Blocked(p flow.Provider) int {
	if p == flow.LiteLLM {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// Message gives the same as one event of the Responses API's WebSocket
// transport.
func Message(r *flow.Refusal) []byte {
	return encode(map[string]any{
		"type": "error", "status": r.Status, "error": openaiError(r, "Gatehouse: "+r.Text),
	})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // maps of strings and numbers always encode
		panic(err)
	}
	return append(b, '\n')
}

func openaiError(r *flow.Refusal, text string) map[string]any {
	return map[string]any{"message": text, "type": openaiType(r.Status), "param": nil, "code": "gatehouse_" + r.Kind}
}

func anthropicType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

func openaiType(status int) string {
	if status >= 500 {
		return "server_error"
	}
	return "invalid_request_error"
}

func googleStatus(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if status >= 500 {
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}
