package openai

import (
	"fmt"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// content reads a string or an array of content parts.
func content(role string, raw []byte) []flow.Part {
	switch {
	case peek.Null(raw):
		return nil
	case peek.IsString(raw):
		return []flow.Part{{Kind: flow.Text, Role: role, Text: peek.String(raw)}}
	case !peek.IsArray(raw):
		return []flow.Part{unknown(role, raw)}
	}
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, contentPart(role, w.Value))
	}
	return parts
}

// contentPart reads one element of a message's content, in the words of Chat
// (text, image_url …) or of Responses (input_text, input_image …).
func contentPart(role string, raw []byte) flow.Part {
	if peek.IsString(raw) {
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(raw)}
	}
	switch kind := peek.Short(peek.Get(raw, "type")); kind {
	case "text", "input_text", "output_text":
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(peek.Get(raw, "text"))}
	case "summary_text", "reasoning_text":
		return flow.Part{Kind: flow.Thinking, Role: role, Text: peek.String(peek.Get(raw, "text"))}
	case "refusal":
		return flow.Part{Kind: flow.Text, Role: role, Text: peek.String(peek.Get(raw, "refusal"))}
	case "image_url", "input_image", "input_audio", "output_audio", "file", "input_file", "computer_screenshot", "video_url":
		return media(role, kind, raw)
	}
	return unknown(role, raw)
}

// media looks for an address or a file's id, one level deep: image_url and
// file stand either beside the type or in an object of that name.
func media(role, kind string, raw []byte) flow.Part {
	p := flow.Part{Kind: flow.Media, Role: role, Name: kind}
	inner := peek.Get(raw, kind)
	for _, from := range [][]byte{raw, inner} {
		for w := peek.Members(from); w.Next(); {
			switch string(w.Name) {
			case "image_url", "url", "file_url", "file_data":
				address(&p, peek.String(w.Value))
			case "file_id", "filename":
				p.Text = strings.TrimSpace(p.Text + " " + peek.String(w.Value))
			case "transcript":
				p.Text = peek.String(w.Value)
			}
		}
	}
	return p
}

// address takes a URL, or a data URL's type without its data.
func address(p *flow.Part, url string) {
	data, isData := strings.CutPrefix(url, "data:")
	if !isData {
		p.Text = strings.TrimSpace(p.Text + " " + url)
		return
	}
	if kind, _, ok := strings.Cut(data, ";"); ok && len(kind) < 100 {
		p.Name = kind
	}
}

// inside gives the readable text of a tool's result.
func inside(raw []byte) string {
	switch {
	case peek.Null(raw):
		return ""
	case peek.IsString(raw):
		return peek.String(raw)
	case !peek.IsArray(raw):
		return string(raw)
	}
	var lines []string
	for w := peek.Elements(raw); w.Next(); {
		lines = append(lines, line(w.Value))
	}
	return strings.Join(lines, "\n")
}

func line(raw []byte) string {
	switch p := contentPart("", raw); p.Kind {
	case flow.Text, flow.Thinking:
		return p.Text
	case flow.Media:
		if p.Text == "" {
			return fmt.Sprintf("[%s, %d bytes of JSON]", p.Name, len(raw))
		}
		return fmt.Sprintf("[%s] %s", p.Name, p.Text)
	}
	return string(raw)
}

// tools reads an array of definitions; a namespace is one definition with its
// tools inside.
func tools(role string, raw []byte) []flow.Part {
	var parts []flow.Part
	for w := peek.Elements(raw); w.Next(); {
		parts = append(parts, toolDef(role, w.Value))
	}
	return parts
}

func toolDef(role string, raw []byte) flow.Part {
	p := flow.Part{Kind: flow.ToolDef, Role: role, Text: string(raw)}
	for _, path := range [][]string{{"name"}, {"function", "name"}, {"custom", "name"}, {"server_label"}, {"type"}} {
		if p.Name = peek.Short(peek.Get(raw, path...)); p.Name != "" {
			break
		}
	}
	return p
}

func unknown(role string, raw []byte) flow.Part {
	return flow.Part{Kind: flow.UnknownPart, Role: role, Text: string(raw)}
}
