package conversation

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// titleMost is how many characters a title has.
const titleMost = 120

// title names a tool call by what it is about: "Read src/main.go", "Bash git push".
func title(name, args string) string {
	subject := about([]byte(args))
	if subject == "" && args != "" && args[0] != '{' && args[0] != '[' {
		subject = script(args)
	}
	return strings.TrimSpace(name + " " + firstLine(subject, titleMost))
}

// subjects are the arguments that say what a call is about, the best first.
var subjects = []string{
	"command", "cmd", "file_path", "filePath", "absolute_path", "notebook_path", "pattern", "path", "query", "url", "uri",
	"description", "skill", "subject", "name", "prompt", "task", "message", "q", "dir_path", "file", "filename",
}

// about finds the argument that says what a call is about.
func about(args []byte) string {
	if !peek.IsObject(args) {
		return ""
	}
	found := map[string][]byte{}
	first := ""
	for w := peek.Members(args); w.Next(); {
		found[string(w.Name)] = w.Value
		if first == "" && peek.IsString(w.Value) {
			first = string(w.Name)
		}
	}
	for _, name := range append(subjects, first) {
		if text := commandOf(found[name]); text != "" {
			return text
		}
	}
	return ""
}

// commandOf gives a string, or a list of them joined: a command and its arguments.
func commandOf(raw []byte) string {
	if peek.IsString(raw) {
		return peek.String(raw)
	}
	if !peek.IsArray(raw) {
		return ""
	}
	var list []string
	for w := peek.Elements(raw); w.Next() && len(list) < 64; {
		if peek.IsString(w.Value) {
			list = append(list, peek.String(w.Value))
		}
	}
	if len(list) > 2 && (strings.HasSuffix(list[0], "sh")) && strings.HasPrefix(list[1], "-") {
		list = list[2:] // bash -lc COMMAND
	}
	return strings.Join(list, " ")
}

// script finds the command in a call whose argument is a program, as Codex writes
// them: tools.exec_command({cmd: "…"}); and the file in a patch.
func script(text string) string {
	for _, mark := range []string{`cmd: "`, `"cmd":"`, `"cmd": "`, `command: "`} {
		if _, rest, ok := strings.Cut(text, mark); ok {
			if n := closed([]byte(`"` + rest)); n > 2 && n <= len(rest)+1 {
				return peek.String([]byte(`"` + rest[:n-1]))
			}
		}
	}
	for _, mark := range []string{"*** Update File: ", "*** Add File: ", "*** Delete File: "} {
		if _, rest, ok := strings.Cut(text, mark); ok {
			return rest
		}
	}
	return text
}

// firstLine gives the first line that says something, n characters at most.
func firstLine(text string, n int) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return short(line, n)
		}
	}
	return ""
}

// clean is a name as it may be shown: valid UTF-8.
func clean(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

func short(text string, n int) string {
	if text = clean(text); len(text) <= n {
		return text
	}
	count := 0
	for i := range text {
		if count == n {
			return text[:i] + "…"
		}
		count++
	}
	return text
}
