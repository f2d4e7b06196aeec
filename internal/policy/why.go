package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Of many rulings a why tells the first; a decision names the first rules.
const (
	toldRulings = 3
	toldRules   = 20
	toldName    = 60 // bytes of a name that a request brought
)

// names lists the rules that decided, each once.
func names(rulings []ruling) (rules []string) {
	for _, r := range rulings {
		if !slices.Contains(rules, r.Rule) && len(rules) < toldRules {
			rules = append(rules, r.Rule)
		}
	}
	return rules
}

// why is the sentence of a decision.
func (p Policy) why(strictest flow.Action, deciding []ruling) string {
	if len(deciding) == 0 {
		return "no rule applies (" + string(p.set.mode) + ")"
	}
	var b strings.Builder
	b.WriteString(p.verb(strictest))
	for i, r := range deciding {
		if i == toldRulings {
			fmt.Fprintf(&b, "; and %d more", len(deciding)-i)
			break
		}
		b.WriteString(separator(i))
		b.WriteString(r.sentence())
	}
	if strictest < flow.RedactIt {
		b.WriteString(wayOut(deciding))
	}
	return b.String()
}

func separator(i int) string {
	if i == 0 {
		return ": "
	}
	return "; "
}

// verb says what happens, or would.
func (p Policy) verb(a flow.Action) string {
	done := map[flow.Action]string{
		flow.BlockIt: "blocked", flow.AskFirst: "blocked, because it needs an approval and approvals don't exist yet",
		flow.RedactIt: "redacted", flow.FlagIt: "flagged",
	}[a]
	if p.Enforces() || a == flow.FlagIt {
		return done
	}
	return "would be " + done + " (" + string(p.set.mode) + ")"
}

// sentence tells one ruling: what, where, which line, why.
func (r ruling) sentence() string {
	var b strings.Builder
	b.WriteString(r.what())
	fmt.Fprintf(&b, " (%s", r.line)
	if r.why != "" {
		b.WriteString(": " + r.why)
	}
	if r.do == flow.RedactIt && r.action < flow.RedactIt {
		b.WriteString("; it stands where nothing can be replaced")
	}
	b.WriteString(")")
	return b.String()
}

// kinds of special cases in words.
var special = map[string]string{
	"unreadable.media":     "an image, a document or another medium that can't be searched",
	"unreadable.encoded":   "content in an encoding that could not be undone",
	"unreadable.malformed": "a body that could not be read as its API says",
	"unreadable.cut":       "content beyond what is searched",
	"provider.fetch":       "the provider would fetch something by itself",
	"provider.search":      "the provider would search by itself",
	"provider.execute":     "the provider would execute code by itself",
	"provider.recall":      "the provider would recall what it keeps",
	"provider.store":       "the provider would keep content",
	"provider.connect":     "the provider would call another server by itself",
	"provider.unknown":     "the provider would do something that we don't know",
}

// places where a text stands, in words.
var inWords = map[flow.Channel]string{
	flow.System: "the system instruction", flow.User: "the user's text", flow.Assistant: "the model's text",
	flow.ToolDefs: "a tool's definition", flow.ToolCalls: "a tool call", flow.ToolResults: "a tool result",
	flow.File: "a file", flow.Envelope: "the request's envelope", flow.ProviderActor: "what the provider does",
}

func (r ruling) what() string {
	text := r.Rule
	if words, ok := special[r.Rule]; ok {
		text = words + ", " + r.Rule
		if r.Name != "" {
			text += " " + clean(r.Name)
		}
	} else if words, ok := inWords[r.Channel]; ok {
		text += " in " + words
	}
	if isFailure(r.Rule) {
		text = "text that a detector elsewhere did not judge, " + text
	}
	if r.Finding != "" {
		text += ", finding " + r.Finding
	}
	return text
}

// clean shortens a name that came with a request, and takes out what a
// terminal would obey.
func clean(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '.'
		}
		return c
	}, name)
	if len(name) > toldName {
		name = name[:toldName] + "…"
	}
	return name
}

// wayOut says how a false alarm is allowed. What has no finding is a matter of
// the file.
func wayOut(deciding []ruling) string {
	for _, r := range deciding {
		if r.Finding != "" {
			return ". A false alarm? gatehouse allow " + r.Finding + " --reason TEXT --until 7d"
		}
	}
	if len(deciding) > 0 {
		return ". Meant? " + deciding[0].path + " in the policy file decides"
	}
	return ""
}
