package main

import (
	"fmt"
	"strings"
)

// anthropicBlock is a content block of a message.
func (g gen) anthropicBlock() string {
	switch g.IntN(6) {
	case 0:
		return fmt.Sprintf(`{"type":"text","text":%s}`, quote(g.prose()))
	case 1:
		return fmt.Sprintf(`{"type":"tool_use","id":"toolu_01%s","name":"%s","input":%s}`, g.base62(22), g.tool(), g.arguments())
	case 2:
		return fmt.Sprintf(`{"tool_use_id":"toolu_01%s","type":"tool_result","content":%s}`, g.base62(22), quote(g.output()))
	case 3:
		return fmt.Sprintf(`{"tool_use_id":"toolu_01%s","type":"tool_result","content":[{"type":"text","text":%s}],"is_error":%v}`, g.base62(22), quote(g.output()), g.IntN(4) == 0)
	case 4:
		return fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":"%s"}`, quote(g.paragraph()), g.base64(80))
	}
	return fmt.Sprintf(`{"role":"%s","content":[{"type":"text","text":%s}]}`, g.of([]string{"user", "assistant"}),
		quote("<system-reminder>\n"+g.paragraph()+"\n</system-reminder>\n"+g.prose()))
}

// anthropicRequest is what stands around the conversation, with a first
// message.
func (g gen) anthropicRequest() string {
	_, _, model, _ := g.model()
	return fmt.Sprintf(`{"model":"%s","messages":[{"role":"user","content":[{"type":"text","text":%s},{"type":"text","text":%s,"cache_control":{"type":"ephemeral"}}]}],"system":[{"type":"text","text":%s},{"type":"text","text":%s,"cache_control":{"type":"ephemeral","ttl":"1h"}}],"tools":[%s],"metadata":{"user_id":"user_%s_account_%s_session_%s"},"max_tokens":32000,"temperature":1,"thinking":{"type":"adaptive"},"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},"output_config":{"effort":"medium"},"stream":true}`,
		model, quote(g.paragraph()), quote(g.prose()), quote(g.sentence()), quote(g.prose()), g.anthropicTool(), g.hex(64), g.uuid(), g.uuid())
}

func (g gen) anthropicTool() string {
	return fmt.Sprintf(`{"name":"%s","description":%s,"input_schema":%s}`, g.tool(), quote(g.prose()), g.schema())
}

// anthropicStream is a stretch of a streamed answer.
func (g gen) anthropicStream() string {
	var b strings.Builder
	ev := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":\"%s\"%s}\n\n", name, name, fmt.Sprintf(format, args...))
	}
	_, _, model, _ := g.model()
	if g.IntN(2) == 0 {
		ev("message_start", `,"message":{"model":"%s","id":"msg_01%s","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":0},"output_tokens":%d,"service_tier":"standard","inference_geo":"not_available"}}`,
			model, g.base62(22), g.between(1, 9000), g.between(0, 9000), g.between(0, 90000), g.between(0, 9000), g.between(1, 9))
		ev("content_block_start", `,"index":0,"content_block":{"type":"%s"`, g.of([]string{`text","text":""}`, `thinking","thinking":"","signature":""}`}))
		ev("ping", "")
	}
	at := g.IntN(3)
	switch g.IntN(3) {
	case 0:
		for _, d := range g.deltas(g.prose()) {
			ev("content_block_delta", `,"index":%d,"delta":{"type":"text_delta","text":%s}`, at, quote(d))
		}
	case 1:
		for _, d := range g.deltas(g.paragraph()) {
			ev("content_block_delta", `,"index":%d,"delta":{"type":"thinking_delta","thinking":%s}`, at, quote(d))
		}
		ev("content_block_delta", `,"index":%d,"delta":{"type":"signature_delta","signature":"%s"}`, at, g.base64(80))
	case 2:
		ev("content_block_start", `,"index":%d,"content_block":{"type":"tool_use","id":"toolu_01%s","name":"%s","input":{}}`, at, g.base62(22), g.tool())
		ev("content_block_delta", `,"index":%d,"delta":{"type":"input_json_delta","partial_json":""}`, at)
		for _, d := range g.deltas(g.arguments()) {
			ev("content_block_delta", `,"index":%d,"delta":{"type":"input_json_delta","partial_json":%s}`, at, quote(d))
		}
	}
	if g.IntN(2) == 0 {
		ev("content_block_stop", `,"index":%d`, at)
		ev("message_delta", `,"delta":{"stop_reason":"%s","stop_sequence":null},"usage":{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"output_tokens":%d},"context_management":{"applied_edits":[]}`,
			g.of([]string{"end_turn", "tool_use", "max_tokens"}), g.between(1, 9000), g.between(0, 9000), g.between(0, 90000), g.between(1, 9000))
		ev("message_stop", "")
	}
	return b.String()
}
