// Package openai reads the bodies of OpenAI's two conversation APIs, Chat
// Completions and Responses (over HTTP, and the messages of its WebSocket
// transport): what a request says about itself, its readable parts, and the
// answer, whole or as a stream of events. It never changes a byte and never
// fails on what it does not know: that is kept and marked.
//
// Sources: the API reference, the types of openai-go v3.98, and what the agents
// were seen to send.
package openai

import (
	"errors"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// ErrBody says that a body is not a JSON object, so that it has no parts.
var ErrBody = errors.New("the body is not a JSON object")

// ChatFacts reads the members beside the conversation of a Chat request.
func ChatFacts(doc *split.Doc) flow.Facts {
	var f flow.Facts
	each(doc, func(name string, raw []byte) {
		switch name {
		case "model":
			f.Model = peek.Short(raw)
		case "stream":
			f.Stream = peek.True(raw)
		case "stream_options":
			f.Usage = peek.True(peek.Get(raw, "include_usage"))
		case "prompt_cache_key":
			f.Session = peek.Short(raw)
		}
	})
	return f
}

// ResponsesFacts reads the members beside the conversation of a Responses
// request, or of a response.create message (whose stream is implied).
func ResponsesFacts(doc *split.Doc) flow.Facts {
	var f flow.Facts
	var cacheKey, conversation, claims []byte
	each(doc, func(name string, raw []byte) {
		switch name {
		case "model":
			f.Model = peek.Short(raw)
		case "stream":
			f.Stream = f.Stream || peek.True(raw)
		case "type":
			f.Stream = f.Stream || peek.Is(raw, "response.create")
		case "generate":
			f.Warmup = string(raw) == "false"
		case "previous_response_id":
			f.Previous = peek.Short(raw)
		case "prompt_cache_key":
			cacheKey = raw
		case "conversation":
			conversation = raw
		case "client_metadata":
			claims = raw
		}
	})
	claim(&f, claims)
	for _, raw := range [][]byte{cacheKey, conversation, peek.Get(conversation, "id")} {
		if f.Session == "" {
			f.Session = peek.Short(raw)
		}
	}
	return f
}

// claim reads what Codex says in client_metadata: ids of session, thread and
// parent thread, as members and once more in a JSON text. The thread of a
// sub-agent differs from the session, whose id is the first thread's.
func claim(f *flow.Facts, raw []byte) {
	turn := []byte(peek.String(peek.Get(raw, "x-codex-turn-metadata")))
	find := func(names ...string) string {
		for _, from := range [][]byte{raw, turn} {
			for _, name := range names {
				if id := peek.Short(peek.Get(from, name)); id != "" {
					return id
				}
			}
		}
		return ""
	}
	f.Session = find("session_id")
	f.Parent = find("parent_thread_id", "x-codex-parent-thread-id")
	thread := find("thread_id")
	switch {
	case thread == "":
		f.Subagent = find("x-openai-subagent")
	case f.Session != "" && thread != f.Session, f.Parent != "" && thread != f.Parent:
		f.Subagent = thread
	}
}

func each(doc *split.Doc, visit func(name string, raw []byte)) {
	if doc == nil || !doc.JSON {
		return
	}
	for _, field := range doc.Fields {
		visit(field.Name, doc.Body[field.Start:field.End])
	}
}

// silent are the top-level members that hold no text for or from a model.
var silent = map[string]bool{
	"model": true, "stream": true, "stream_options": true, "temperature": true, "top_p": true, "n": true, "seed": true, "stop": true,
	"max_tokens": true, "max_completion_tokens": true, "max_output_tokens": true, "max_tool_calls": true,
	"presence_penalty": true, "frequency_penalty": true, "logit_bias": true, "logprobs": true, "top_logprobs": true,
	"user": true, "safety_identifier": true, "service_tier": true, "metadata": true, "client_metadata": true, "store": true,
	"parallel_tool_calls": true, "tool_choice": true, "function_call": true, "modalities": true, "audio": true,
	"reasoning_effort": true, "reasoning": true, "verbosity": true, "include": true, "truncation": true, "background": true,
	"prompt_cache_key": true, "prompt_cache_retention": true, "prompt_cache_options": true,
	"previous_response_id": true, "conversation": true, "generate": true, "type": true, "stream_id": true, "event_id": true,
	"context_management": true,
}

// plain are the members that hold text only when they hold a schema.
func plain(name string, raw []byte) bool {
	switch name {
	case "text":
		return peek.Get(raw, "format", "schema") == nil
	case "response_format":
		return peek.Get(raw, "json_schema") == nil
	}
	return silent[name]
}

// walk cuts a request into system, tools, messages and the rest: take puts a
// member's parts where they belong and says whether it knew the member.
func walk(body []byte, take func(r *request, name string, raw []byte) bool) ([]flow.Part, error) {
	if !peek.Whole(body) {
		return nil, ErrBody
	}
	var r request
	for w := peek.Members(body); w.Next(); {
		name := string(w.Name)
		if !take(&r, name, w.Value) && !plain(name, w.Value) {
			r.rest = append(r.rest, flow.Part{Kind: flow.UnknownPart, Name: name, Text: string(w.Value)})
		}
	}
	return append(append(append(r.system, r.tools...), r.messages...), r.rest...), nil
}

type request struct{ system, tools, messages, rest []flow.Part }
