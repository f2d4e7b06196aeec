package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// samples makes up n texts, one entry's content each.
func samples(seed uint64, n int) [][]byte {
	g := newGen(seed)
	shapes := []func() string{
		g.intent, g.intent, g.outcome, g.outcome, g.checkpoint,
		g.anthropicBlock, g.anthropicBlock, g.anthropicBlock, g.anthropicRequest, g.anthropicTool, g.anthropicStream,
		g.chatMessage, g.chatRequest, g.chatStream,
		g.responsesItem, g.responsesItem, g.responsesRequest, g.responsesStream,
		g.geminiPart, g.geminiRequest, g.geminiStream,
	}
	texts := make([][]byte, n)
	for i := range texts {
		texts[i] = []byte(shapes[i%len(shapes)]())
	}
	return texts
}

// quote writes s as the agents' JSON does: no HTML escapes.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always has a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (g gen) tool() string {
	return g.of([]string{"Bash", "Read", "Edit", "Write", "Grep", "Glob", "Task", "TodoWrite", "WebFetch", "shell",
		"apply_patch", "exec_command", "run_shell_command", "read_file", "write_file", "replace", "search_file_content",
		"list_directory", "update_plan", g.of(verbs) + "_" + g.of(nouns)})
}

// arguments is the input of a tool call, as one JSON object.
func (g gen) arguments() string {
	file := quote(g.dir() + "/" + g.path())
	lang := g.of(languages)
	switch g.IntN(9) {
	case 0, 1:
		return fmt.Sprintf(`{"command":%s,"description":%s}`, quote(strings.TrimSpace(g.fill(g.of(snippets["bash"][1:])))), quote(g.words(4)))
	case 2:
		return fmt.Sprintf(`{"file_path":%s}`, file)
	case 3:
		return fmt.Sprintf(`{"file_path":%s,"offset":%d,"limit":%d}`, file, g.between(1, 900), g.between(10, 300))
	case 4:
		return fmt.Sprintf(`{"replace_all":false,"file_path":%s,"old_string":%s,"new_string":%s}`, file, quote(g.code(lang)), quote(g.code(lang)))
	case 5:
		return fmt.Sprintf(`{"file_path":%s,"content":%s}`, file, quote(g.code(lang)))
	case 6:
		return fmt.Sprintf(`{"pattern":%s,"path":%s,"output_mode":"content","-n":true}`, quote(g.ident()), quote(g.dir()))
	case 7:
		return fmt.Sprintf(`{"todos":[{"content":%s,"status":"completed","activeForm":%s},{"content":%s,"status":"in_progress","activeForm":%s},{"content":%s,"status":"pending","activeForm":%s}]}`,
			quote(g.sentence()), quote(g.words(3)), quote(g.sentence()), quote(g.words(3)), quote(g.sentence()), quote(g.words(3)))
	}
	return fmt.Sprintf(`{"%s":%s,"%s":%d,"%s":true}`, g.of(nouns), quote(g.words(3)), g.of(nouns), g.between(1, 99), g.of(nouns))
}

// schema is the JSON schema of a tool's input.
func (g gen) schema() string {
	var b strings.Builder
	var names []string
	b.WriteString(`{"type":"object","properties":{`)
	for i := range 1 + g.IntN(5) {
		if i > 0 {
			b.WriteByte(',')
		}
		name := g.of(nouns) + g.of([]string{"", "_" + g.of(nouns)})
		names = append(names, quote(name))
		fmt.Fprintf(&b, `%s:{%s"description":%s}`, quote(name), g.of([]string{`"type":"string",`, `"type":"number",`, `"type":"boolean","default":false,`,
			`"type":"array","items":{"type":"string"},`, `"type":"string","enum":["content","files_with_matches","count"],`, `"type":"integer","minimum":0,`}), quote(g.sentence()))
	}
	fmt.Fprintf(&b, `},"required":[%s],"additionalProperties":false,"$schema":"%s"}`, names[0],
		g.of([]string{"https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"}))
	return b.String()
}

// deltas cuts text as models stream it: a few characters at a time.
func (g gen) deltas(text string) []string {
	var list []string
	for text != "" {
		n := min(len(text), 2+g.IntN(12))
		for n < len(text) && text[n]&0xc0 == 0x80 {
			n++
		}
		list = append(list, text[:n])
		text = text[n:]
	}
	return list[:min(len(list), 30)]
}
