package conversation

import (
	"slices"
	"strings"
	"unicode"

	"github.com/workingagents/gatehouse/internal/flow"
)

// promptMost is how many characters of a prompt a round shows.
const promptMost = 200

// injected are the elements that agents put around what a person said, or beside
// it.
var injected = []string{
	"system-reminder", "environment_context", "session_context", "user_instructions", "user_shell_command", "turn_aborted", "skill",
	"permissions instructions", "collaboration_mode", "multi_agent_role", "multi_agent_mode", "skills_instructions", "local-command-stdout",
	"local-command-stderr", "local-command-caveat", "command-stdout", "task-notification", "ide_opened_file", "ide_selection", "hook_context",
	"untrusted_context", "subagent_notification", "context",
}

// openings begin texts that agents write in a person's name.
var openings = []string{
	"# AGENTS.md instructions", "This session is being continued from a previous conversation", "Caveat: The messages below",
	"[Request interrupted by user", "This is the Gemini CLI. We are setting up the context", "Another language model started to solve this problem",
}

// summaries begin texts that stand in for a conversation that became too long.
var summaries = []string{"This session is being continued from a previous conversation", "Another language model started to solve this problem", "<state_snapshot>"}

// summarised reports whether a conversation begins with what another was made short to.
func summarised(parts []*Part) bool {
	return slices.ContainsFunc(parts, func(p *Part) bool {
		if p.Side != Request || p.Kind != flow.Text {
			return false
		}
		text := strings.TrimSpace(p.Text)
		return p.Signed || slices.ContainsFunc(summaries, func(s string) bool { return strings.HasPrefix(text, s) })
	})
}

// prompt gives what a person said in a text, to its end; empty: an agent wrote all of
// it.
func prompt(text string) string {
	for rest, ok := text, true; ok; rest, ok = behind(text) {
		text = strings.TrimLeftFunc(rest, unicode.IsSpace)
	}
	for _, o := range openings {
		if strings.HasPrefix(text, o) {
			return ""
		}
	}
	return text
}

// tell says where the words of a person begin in a part's text.
func (p *Part) tell() {
	p.Prompt = nil
	if p.Side != Request || p.Role != "user" || p.Kind != flow.Text {
		return
	}
	if said := prompt(p.Text); said != "" {
		n := utf16Len(p.Text[:len(p.Text)-len(said)])
		p.Prompt = &n
	}
}

// behind gives what follows the injected element that a text begins with.
func behind(text string) (string, bool) {
	if text == "" || text[0] != '<' {
		return "", false
	}
	for _, name := range injected {
		rest, ok := strings.CutPrefix(text[1:], name)
		if !ok || rest == "" || !strings.ContainsAny(rest[:1], "> #\n") {
			continue
		}
		if i := strings.Index(rest, "</"+strings.Fields(name)[0]); i >= 0 {
			if j := strings.IndexByte(rest[i:], '>'); j >= 0 {
				return rest[i+j+1:], true
			}
		}
		return "", true // it is cut
	}
	return "", false
}

// asks gives the prompt of a person among what a request brings: the last text of a
// user in it. A picture is one only where no tool gave it. behind reports whether
// words of the model, or what a tool gave, stand before it.
func asks(parts []*Part) (said string, behind bool) {
	shown, tools, spoke := "", false, false
	for _, p := range parts {
		tools = tools || p.Kind == flow.ToolResult
		spoke = spoke || tools || modelSays(p)
		if p.Side != Request || p.Role != "user" || p.Kind != flow.Text && p.Kind != flow.Media {
			continue
		}
		if text := prompt(p.Text); text != "" {
			said, behind = strings.TrimSpace(text), spoke
		} else if p.Kind == flow.Media && shown == "" {
			shown = "[" + p.Name + "]"
		}
	}
	if said == "" && !tools {
		return shown, spoke
	}
	return said, behind
}
