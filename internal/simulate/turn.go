package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// turn is what a request asks for, whatever its API.
type turn struct {
	model   string
	stream  bool
	usage   bool     // the client wants usage in its stream (Chat)
	user    string   // the last text that a person wrote
	results []string // what tools gave back since then
	tools   []tool
	schema  json.RawMessage // the answer must be JSON of this shape
	blocks  [][]byte        // the prompt as a cache sees it: pieces in order
	cached  int             // pieces up to the last cache marker
}

// tool is one tool that the client offers.
type tool struct {
	name      string
	namespace string // Responses: the group it stands in
	free      bool   // its input is free text, not JSON
	schema    json.RawMessage
}

// call is one tool call of an answer.
type call struct {
	tool  tool
	id    string
	args  string // JSON, or free text
	delta int    // characters in one delta; 0: as the providers do
}

// reply is what the model answers, whatever the API.
type reply struct {
	model    string
	thinking string
	text     string
	huge     int // bytes of the text that come in one delta
	calls    []call
	usage    usage
	script   script
}

// usage counts tokens: fresh input excludes what a cache held or took in.
type usage struct{ fresh, read, write, output, thought int }

// input is all that was read, from wherever.
func (u usage) input() int { return u.fresh + u.read + u.write }

// tokens estimates as everyone does who has no tokenizer.
func tokens(bytes int) int { return (bytes + 3) / 4 }

// wrapper reports whether a text in a user's message is the client's own: a
// reminder, the environment, instructions from a file. Clients put them in tags.
func wrapper(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "<") || strings.HasPrefix(text, "# AGENTS.md") || text == ""
}

// answer decides what the model says to a turn.
func (t turn) answer(s script) reply {
	r := reply{model: t.model, script: s}
	if s.think {
		r.thinking = "The script asks me to think before I answer."
	}
	r.calls = t.calls(s)
	switch {
	case len(r.calls) > 0:
	case t.schema != nil:
		r.text = instance(t.schema)
	default:
		r.text = t.text(s)
	}
	if s.huge > 0 {
		r.huge = s.huge
		r.text = strings.Repeat("x", s.huge) + r.text
	}
	r.usage.thought = tokens(len(r.thinking))
	r.usage.output = tokens(len(r.text)+len(r.thinking)) + 20*len(r.calls)
	return r
}

// calls gives the tool calls of this round: the next one that the script
// wants, or none when all have their results or the client has no such tool.
func (t turn) calls(s script) []call {
	done := len(t.results)
	if done >= len(s.calls) {
		return nil
	}
	next := s.calls[done : done+1]
	if s.parallel {
		next = s.calls[done:]
	}
	var calls []call
	for _, w := range next {
		if c, ok := t.find(w); ok {
			c.delta = s.delta
			calls = append(calls, c)
		}
	}
	return calls
}

func (t turn) text(s script) string {
	switch {
	case s.say != "":
		return s.say
	case s.words > 0:
		return prose(s.words)
	case len(t.results) > 0:
		return "The command printed:\n" + strings.Join(t.results, "\n")
	case len(s.calls) > 0:
		return "This client offers no tool that could do that."
	}
	return "Simulated answer to: " + clip(t.user, 200)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// prose is a text of n words that is always the same.
func prose(n int) string {
	sentence := strings.Fields("the gate stands open and every word that passes is counted kept and known by its number.")
	words := make([]string, n)
	for i := range words {
		words[i] = sentence[i%len(sentence)]
	}
	return strings.Join(words, " ")
}

// pieces cuts a text into what single delta events carry: a few words, or the
// huge piece that a script asked for.
func (r reply) pieces() iter.Seq[string] {
	return func(yield func(string) bool) {
		text := r.text
		if r.huge > 0 {
			if !yield(text[:r.huge]) {
				return
			}
			text = text[r.huge:]
		}
		rest := cuts(text, 12)
		if n := r.script.delta; n > 0 {
			rest = runes(text, n)
		}
		for p := range rest {
			if !yield(p) {
				return
			}
		}
	}
}

// runes cuts into n characters each.
func runes(text string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for p := range slices.Chunk([]rune(text), n) {
			if !yield(string(p)) {
				return
			}
		}
	}
}

// cuts cuts after the first space that follows n bytes.
func cuts(text string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			end := len(text)
			if len(text) > n {
				if i := strings.IndexAny(text[n:], " \n"); i >= 0 {
					end = n + i + 1
				}
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

// shells are the names under which clients offer a tool that runs commands,
// the best first.
var shells = []string{"bash", "exec_command", "shell_command", "shell", "run_shell_command", "exec", "local_shell",
	"run_command", "execute_command", "run_terminal_cmd"}

// find looks for the tool that a script wants among those of the client.
func (t turn) find(w wanted) (call, bool) {
	if w.command == "" {
		i := slices.IndexFunc(t.tools, func(o tool) bool { return o.name == w.name })
		if i < 0 {
			return call{}, false
		}
		return call{tool: t.tools[i], args: t.tools[i].input(w.args)}, true
	}
	for _, name := range shells {
		for _, o := range t.tools {
			if strings.EqualFold(o.name, name) {
				return call{tool: o, args: o.run(w.command)}, true
			}
		}
	}
	return call{}, false
}

// input is what a script gives a tool: JSON, or, where the tool takes free
// text, what a JSON string says.
func (o tool) input(args string) string {
	var text string
	if o.free && json.Unmarshal([]byte(args), &text) == nil {
		return text
	}
	return args
}

// run writes the arguments with which the tool runs a command.
func (o tool) run(command string) string {
	if o.free {
		// Codex's exec takes JavaScript; its own tools hang on an object there.
		return fmt.Sprintf("const r = await tools.exec_command({cmd: %s});\ntext(r.output);\n", quote(command))
	}
	var s schema
	_ = json.Unmarshal(o.schema, &s)
	args := map[string]any{}
	for name, prop := range s.Properties {
		switch {
		case name == "command" || name == "cmd":
			args[name] = prop.command(command)
		case name == "description":
			args[name] = "Run what the script says"
		case slices.Contains(s.Required, name):
			args[name] = prop.value(0)
		}
	}
	if len(args) == 0 {
		args["command"] = command
	}
	return marshal(args)
}

func (s *schema) command(command string) any {
	if s.is("array") {
		return []string{"bash", "-lc", command}
	}
	return command
}
