package agents

import (
	"encoding/json"
	"slices"
	"strings"
)

// Gateway is what a launch points at, and what it starts from.
type Gateway struct {
	URL  string   // "http://127.0.0.1:4000", without a path
	Key  string   // access key, "" for none
	Env  []string // environment that the agent would have, "NAME=value"
	Args []string // arguments that the user gave the agent
	Dir  string   // working folder; "" when it is not known
}

// Launch is how an agent is to be started.
type Launch struct {
	Env   []string // the whole environment
	Args  []string // all arguments, the user's among them
	Set   []string // "NAME=value" lines of Env that were set, for printing
	Unset []string // names that were taken out of Env
	Added []string // arguments that were added, for printing
	Notes []string // what the user should know, one sentence each
}

// Prefix is the gateway's URL with its access key and a provider's path.
func (g Gateway) Prefix(path string) string {
	url := strings.TrimRight(g.URL, "/")
	if g.Key != "" {
		url += "/k/" + g.Key
	}
	return url + path
}

// Launch gives the environment and arguments that point the agent at a gateway,
// each at the agent's highest precedence.
func (a Agent) Launch(g Gateway) Launch {
	if a.launch == nil {
		return launchAny(g)
	}
	return a.launch(g)
}

// start copies what the user gave.
func (g Gateway) start() Launch {
	return Launch{Env: slices.Clone(g.Env), Args: slices.Clone(g.Args)}
}

// set puts a variable into the environment.
func (l *Launch) set(name, value string) {
	l.drop(name)
	l.Env = append(l.Env, name+"="+value)
	l.Set = append(l.Set, name+"="+value)
}

// unset takes variables out of the environment; only those that were there are
// listed.
func (l *Launch) unset(names ...string) {
	for _, name := range names {
		if l.drop(name) {
			l.Unset = append(l.Unset, name)
		}
	}
}

func (l *Launch) drop(name string) (was bool) {
	kept := l.Env[:0]
	for _, line := range l.Env {
		if n, _, _ := strings.Cut(line, "="); n == name {
			was = true
			continue
		}
		kept = append(kept, line)
	}
	l.Env = kept
	return was
}

// add puts arguments before the user's own.
func (l *Launch) add(args ...string) {
	l.Args = slices.Concat(args, l.Args)
	l.Added = append(l.Added, args...)
}

func launchClaude(g Gateway) Launch {
	l := g.start()
	url := g.Prefix("/anthropic")
	l.set("ANTHROPIC_BASE_URL", url)
	l.add("--settings", toJSON(map[string]any{"env": map[string]string{"ANTHROPIC_BASE_URL": url}}))
	return l
}

func launchCodex(g Gateway) Launch {
	l := g.start()
	l.add("-c", "openai_base_url="+toJSON(g.Prefix("/openai/v1")))
	return l
}

func launchGemini(g Gateway) Launch {
	l := g.start()
	l.set("GOOGLE_GEMINI_BASE_URL", g.Prefix("/gemini"))
	l.set("CODE_ASSIST_ENDPOINT", g.Prefix("/gemini"))
	return l
}

func launchOpencode(g Gateway) Launch {
	l := g.start()
	return l
}

func launchAider(g Gateway) Launch { return launchAny(g) }

// launchAny sets every variable that programs commonly read.
func launchAny(g Gateway) Launch {
	l := g.start()
	l.set("ANTHROPIC_BASE_URL", g.Prefix("/anthropic"))
	l.set("ANTHROPIC_API_BASE", g.Prefix("/anthropic"))
	l.set("OPENAI_BASE_URL", g.Prefix("/openai/v1"))
	l.set("OPENAI_API_BASE", g.Prefix("/openai/v1"))
	l.set("GOOGLE_GEMINI_BASE_URL", g.Prefix("/gemini"))
	return l
}

// toJSON quotes for JSON, which TOML's basic strings share.
func toJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of strings can't fail
	}
	return string(raw)
}
