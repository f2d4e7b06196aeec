package main

import (
	"fmt"
	"strings"
)

func (g gen) openaiModel() string {
	return g.of([]string{"gpt-5.2-codex", "gpt-5.1-codex-max", "gpt-5.1", "gpt-5-mini-2025-08-07", "gpt-4o-2024-08-06", "gpt-4.1-2025-04-14", "o4-mini"})
}

func (g gen) callID() string { return "call_" + g.base62(24) }

// chatMessage is one message of Chat Completions.
func (g gen) chatMessage() string {
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf(`{"role":"%s","content":%s}`, g.of([]string{"system", "user", "assistant", "developer"}), quote(g.prose()))
	case 1:
		return fmt.Sprintf(`{"role":"assistant","content":null,"tool_calls":[{"id":"%s","type":"function","function":{"name":"%s","arguments":%s}}]}`, g.callID(), g.tool(), quote(g.arguments()))
	case 2:
		return fmt.Sprintf(`{"role":"tool","tool_call_id":"%s","content":%s}`, g.callID(), quote(g.output()))
	}
	return fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":%s},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg%s"}}]}`, quote(g.prose()), g.base64(60))
}

func (g gen) chatRequest() string {
	return fmt.Sprintf(`{"model":"%s","messages":[%s],"tools":[{"type":"function","function":{"name":"%s","description":%s,"parameters":%s,"strict":true}}],"tool_choice":"auto","parallel_tool_calls":true,"temperature":0.2,"max_completion_tokens":4096,"reasoning_effort":"medium","stream":true,"stream_options":{"include_usage":true}}`,
		g.openaiModel(), g.chatMessage(), g.tool(), quote(g.prose()), g.schema())
}

// chatStream is a stretch of a streamed chat completion.
func (g gen) chatStream() string {
	var b strings.Builder
	id, model, print := "chatcmpl-"+g.base62(29), g.openaiModel(), "fp_"+g.hex(10)
	created := 1760000000 + g.IntN(9999999)
	chunk := func(delta, finish string) {
		fmt.Fprintf(&b, `data: {"id":"%s","object":"chat.completion.chunk","created":%d,"model":"%s","service_tier":"default","system_fingerprint":"%s","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null,"obfuscation":"%s"}`+"\n\n",
			id, created, model, print, delta, finish, g.base62(4+g.IntN(10)))
	}
	chunk(`{"role":"assistant","content":"","refusal":null}`, "null")
	if g.IntN(2) == 0 {
		chunk(fmt.Sprintf(`{"tool_calls":[{"index":0,"id":"%s","type":"function","function":{"name":"%s","arguments":""}}]}`, g.callID(), g.tool()), "null")
		for _, d := range g.deltas(g.arguments()) {
			chunk(fmt.Sprintf(`{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}`, quote(d)), "null")
		}
		chunk(`{}`, `"tool_calls"`)
	} else {
		for _, d := range g.deltas(g.prose()) {
			chunk(fmt.Sprintf(`{"content":%s}`, quote(d)), "null")
		}
		chunk(`{}`, `"stop"`)
	}
	in, out := g.between(9, 90000), g.between(1, 9000)
	fmt.Fprintf(&b, `data: {"id":"%s","object":"chat.completion.chunk","created":%d,"model":"%s","service_tier":"default","system_fingerprint":"%s","choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":"%s"}`+"\n\ndata: [DONE]\n\n",
		id, created, model, print, in, out, in+out, g.between(0, 9000), g.between(0, 900), g.base62(8))
	return b.String()
}

// responsesItem is one input item of the Responses API.
func (g gen) responsesItem() string {
	switch g.IntN(8) {
	case 0:
		return fmt.Sprintf(`{"type":"message","role":"%s","content":[{"type":"input_text","text":%s}]}`, g.of([]string{"user", "developer"}), quote(g.prose()))
	case 1:
		return fmt.Sprintf(`{"type":"message","role":"assistant","content":[{"type":"output_text","text":%s}],"phase":"commentary"}`, quote(g.prose()))
	case 2:
		return fmt.Sprintf(`{"type":"function_call","name":"%s","arguments":%s,"call_id":"%s"}`, g.tool(), quote(g.arguments()), g.callID())
	case 3:
		return fmt.Sprintf(`{"type":"function_call_output","call_id":"%s","output":%s}`, g.callID(),
			quote(fmt.Sprintf("Chunk ID: %s\nWall time: 0.0%d seconds\nProcess exited with code 0\nOriginal token count: %d\nOutput:\n%s", g.hex(6), g.IntN(999), g.between(1, 900), g.output())))
	case 4:
		return fmt.Sprintf(`{"type":"custom_tool_call","status":"completed","call_id":"%s","name":"apply_patch","input":%s}`, g.callID(),
			quote("*** Begin Patch\n*** Update File: "+g.path()+"\n@@\n"+g.code("diff")+"*** End Patch\n"))
	case 5:
		return fmt.Sprintf(`{"type":"custom_tool_call_output","call_id":"%s","output":[{"type":"input_text","text":%s}]}`, g.callID(), quote("Script completed\n"+g.output()))
	case 6:
		return fmt.Sprintf(`{"type":"reasoning","summary":[{"type":"summary_text","text":%s}],"encrypted_content":"gAAAAAB%s"}`, quote("**"+g.title()+"**\n\n"+g.paragraph()), g.base64(80))
	}
	return fmt.Sprintf(`{"type":"message","role":"user","content":[{"type":"input_text","text":%s}]}`,
		quote(fmt.Sprintf("<environment_context>\n  <cwd>%s</cwd>\n  <approval_policy>never</approval_policy>\n  <sandbox_mode>workspace-write</sandbox_mode>\n  <network_access>restricted</network_access>\n  <shell>bash</shell>\n  <current_date>2026-11-%02d</current_date>\n  <timezone>Etc/UTC</timezone>\n</environment_context>", g.dir(), 1+g.IntN(28))))
}

func (g gen) responsesTool() string {
	if g.IntN(3) == 0 {
		return fmt.Sprintf(`{"type":"custom","name":"%s","description":%s,"format":{"type":"grammar","syntax":"lark","definition":%s}}`, g.tool(), quote(g.sentence()), quote("start: "+g.words(4)))
	}
	return fmt.Sprintf(`{"type":"function","name":"%s","description":%s,"strict":false,"parameters":%s}`, g.tool(), quote(g.prose()), g.schema())
}

func (g gen) responsesRequest() string {
	return fmt.Sprintf(`{"type":"response.create","model":"%s","instructions":%s,"previous_response_id":"resp_%s","input":[%s],"tools":[%s,%s],"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"medium","summary":"auto"},"store":false,"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"%s","text":{"verbosity":"low"},"client_metadata":{"x-codex-installation-id":"%s"}}`,
		g.openaiModel(), quote(g.prose()), g.hex(50), g.responsesItem(), g.responsesTool(), g.responsesTool(), g.uuid(), g.uuid())
}

// responsesStream is a stretch of a streamed response, also as it comes over
// a WebSocket: one event a message.
func (g gen) responsesStream() string {
	var b strings.Builder
	socket, seq := g.IntN(2) == 0, g.between(0, 300)
	ev := func(name, format string, args ...any) {
		if !socket {
			fmt.Fprintf(&b, "event: %s\ndata: ", name)
		}
		fmt.Fprintf(&b, `{"type":"%s"%s,"sequence_number":%d}`, name, fmt.Sprintf(format, args...), seq)
		seq++
		if !socket {
			b.WriteString("\n\n")
		}
	}
	item := g.of([]string{"msg_", "fc_", "rs_"}) + g.hex(50)
	if g.IntN(2) == 0 {
		r := g.responseObject("in_progress", "null")
		ev("response.created", `,"response":%s`, r)
		ev("response.in_progress", `,"response":%s`, r)
	}
	switch g.IntN(3) {
	case 0:
		ev("response.output_item.added", `,"item":{"id":"%s","type":"message","status":"in_progress","content":[],"role":"assistant"},"output_index":0`, item)
		ev("response.content_part.added", `,"content_index":0,"item_id":"%s","output_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}`, item)
		text := g.prose()
		for _, d := range g.deltas(text) {
			ev("response.output_text.delta", `,"content_index":0,"delta":%s,"item_id":"%s","logprobs":[],"obfuscation":"%s","output_index":0`, quote(d), item, g.base62(12))
		}
		ev("response.output_text.done", `,"content_index":0,"item_id":"%s","logprobs":[],"output_index":0,"text":%s`, item, quote(text))
		ev("response.output_item.done", `,"item":{"id":"%s","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":%s}],"role":"assistant"},"output_index":0`, item, quote(text))
	case 1:
		ev("response.output_item.added", `,"item":{"id":"%s","type":"function_call","status":"in_progress","arguments":"","call_id":"%s","name":"%s"},"output_index":1`, item, g.callID(), g.tool())
		args := g.arguments()
		for _, d := range g.deltas(args) {
			ev("response.function_call_arguments.delta", `,"delta":%s,"item_id":"%s","obfuscation":"%s","output_index":1`, quote(d), item, g.base62(12))
		}
		ev("response.function_call_arguments.done", `,"arguments":%s,"item_id":"%s","output_index":1`, quote(args), item)
		ev("response.output_item.done", `,"item":{"id":"%s","type":"function_call","status":"completed","arguments":%s,"call_id":"%s","name":"%s"},"output_index":1`, item, quote(args), g.callID(), g.tool())
	case 2:
		ev("response.output_item.added", `,"item":{"id":"%s","type":"reasoning","encrypted_content":"gAAAAAB%s","summary":[]},"output_index":0`, item, g.base64(60))
		for _, d := range g.deltas(g.paragraph()) {
			ev("response.reasoning_summary_text.delta", `,"delta":%s,"item_id":"%s","obfuscation":"%s","output_index":0,"summary_index":0`, quote(d), item, g.base62(12))
		}
		ev("response.custom_tool_call_input.delta", `,"delta":%s,"item_id":"%s","obfuscation":"%s","output_index":1`, quote("const r = await tools.exec_command({cmd: "), item, g.base62(12))
	}
	if g.IntN(2) == 0 {
		in, out := g.between(9, 90000), g.between(1, 9000)
		ev("response.completed", `,"response":%s`, g.responseObject("completed", fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`, in, g.between(0, 9000), out, g.between(0, 900), in+out)))
	}
	return b.String()
}

func (g gen) responseObject(status, usage string) string {
	return fmt.Sprintf(`{"id":"resp_%s","object":"response","created_at":17%s,"status":"%s","background":false,"completed_at":null,"error":null,"frequency_penalty":0.0,"incomplete_details":null,"instructions":%s,"max_output_tokens":null,"max_tool_calls":null,"model":"%s","output":[],"parallel_tool_calls":true,"presence_penalty":0.0,"previous_response_id":null,"prompt_cache_key":"%s","prompt_cache_retention":null,"reasoning":{"effort":"medium","summary":"detailed"},"safety_identifier":null,"service_tier":"auto","store":false,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"low"},"tool_choice":"auto","tools":[%s],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":%s,"user":null,"metadata":{}}`,
		g.hex(50), g.chars("0123456789", 8), status, quote(g.sentence()), g.openaiModel(), g.uuid(), g.responsesTool(), usage)
}
