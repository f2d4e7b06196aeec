package main

import (
	"fmt"
	"strings"
)

// geminiPart is a part or a whole content of a Gemini conversation.
func (g gen) geminiPart() string {
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf(`{"parts":[{"text":%s}],"role":"%s"}`, quote(g.prose()), g.of([]string{"user", "model"}))
	case 1:
		return fmt.Sprintf(`{"functionCall":{"name":"%s","args":%s},"thoughtSignature":"%s"}`, g.tool(), g.arguments(), g.base64(80))
	case 2:
		return fmt.Sprintf(`{"functionResponse":{"id":"%s-%d-%s","name":"%s","response":{"output":%s}}}`, g.tool(), 1760000000+g.IntN(9999999), g.hex(13), g.tool(), quote(g.output()))
	case 3:
		return fmt.Sprintf(`{"text":%s,"thought":true}`, quote("**"+g.title()+"**\n\n"+g.paragraph()))
	}
	return fmt.Sprintf(`{"role":"user","parts":[{"functionResponse":{"name":"%s","response":{"output":%s}}}]}`, g.tool(), quote(g.output()))
}

func (g gen) geminiRequest() string {
	return fmt.Sprintf(`{"contents":[{"parts":[{"text":%s}],"role":"user"}],"systemInstruction":{"parts":[{"text":%s}],"role":"user"},"tools":[{"functionDeclarations":[{"name":"%s","description":%s,"parametersJsonSchema":%s}]}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}},"safetySettings":[],"generationConfig":{"temperature":1,"topP":0.95,"topK":64,"maxOutputTokens":8192,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":8192}}}`,
		quote(g.prose()), quote(g.prose()), g.tool(), quote(g.prose()), g.schema())
}

// geminiStream is a streamed answer; Google writes its JSON both tight and
// with a space after the colon.
func (g gen) geminiStream() string {
	var b strings.Builder
	id, space := g.base62(22), g.of([]string{"", " "})
	in, out := g.between(9, 90000), 0
	_, _, model, _ := g.model()
	chunk := func(part, finish string) {
		out += g.between(1, 40)
		line := fmt.Sprintf(`{"candidates":~[{"content":~{"parts":~[%s],"role":~"model"},%s"index":~0}],"usageMetadata":~{"promptTokenCount":~%d,"candidatesTokenCount":~%d,"totalTokenCount":~%d,"cachedContentTokenCount":~%d,"promptTokensDetails":~[{"modality":~"TEXT","tokenCount":~%d}],"thoughtsTokenCount":~%d},"modelVersion":~"%s","responseId":~"%s"}`,
			part, finish, in, out, in+out, g.between(0, 9000), in, g.between(0, 900), model, id)
		fmt.Fprintf(&b, "data: %s\r\n\r\n", strings.ReplaceAll(line, ":~", ":"+space))
	}
	for _, d := range g.deltas(g.prose()) {
		chunk(fmt.Sprintf(`{"text":~%s}`, quote(d)), "")
	}
	if g.IntN(2) == 0 {
		chunk(fmt.Sprintf(`{"functionCall":~{"name":~"%s","args":~%s},"thoughtSignature":~"%s"}`, g.tool(), g.arguments(), g.base64(60)), "")
	}
	chunk(`{"text":~""}`, `"finishReason":~"STOP",`)
	return b.String()
}
