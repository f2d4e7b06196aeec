package agents

import (
	"encoding/json"
	"net/url"
	"path/filepath"
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
	// Read reads settings files: the user's own, so that what stands there can be
	// kept, and the working folder's. Nil: none is read.
	Read func(path string) ([]byte, error)
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
	l := a.launch(g)
	if g.Key != "" && strings.Contains(strings.Join(l.Added, " "), g.Key) {
		l.note("the access key stands among the arguments of " + a.Title + ", which other users of this machine can read")
	}
	return l
}

// start copies what the user gave, and keeps calls to the gateway off any proxy.
func (g Gateway) start() Launch {
	l := Launch{Env: slices.Clone(g.Env), Args: slices.Clone(g.Args)}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		l.set(name, g.direct(g.env("NO_PROXY", "no_proxy")))
	}
	return l
}

// env gives the first of some variables that is set to something.
func (g Gateway) env(names ...string) string {
	for _, name := range names {
		for _, line := range g.Env {
			if value, ok := strings.CutPrefix(line, name+"="); ok && value != "" {
				return value
			}
		}
	}
	return ""
}

// keep sets variables to what they are, empty when they are not set: a file of
// variables in the working folder fills only those that are missing.
func (l *Launch) keep(g Gateway, names ...string) {
	for _, name := range names {
		l.set(name, g.env(name))
	}
}

// direct adds the gateway to a list of hosts that are called without a proxy:
// with and without its port, because programs differ. Brackets are left out: httpx,
// which the SDKs for Python call by, refuses to start with some in the list, and all
// programs that we tried know the address without them.
func (g Gateway) direct(list string, more ...string) string {
	if list == "*" {
		return list
	}
	u, err := url.Parse(g.URL)
	if err != nil {
		return list
	}
	hosts := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	for _, host := range append(more, u.Hostname(), u.Host) {
		if !slices.Contains(hosts, host) && !strings.Contains(host, "[") {
			hosts = append(hosts, host)
		}
	}
	return strings.Join(hosts, ",")
}

// set puts a variable into the environment.
func (l *Launch) set(name, value string) {
	l.Env, _ = without(l.Env, name)
	l.Set, _ = without(l.Set, name)
	l.Env = append(l.Env, name+"="+value)
	l.Set = append(l.Set, name+"="+value)
}

// unset takes variables out of the environment; only those that were there are
// listed.
func (l *Launch) unset(names ...string) {
	for _, name := range names {
		var was bool
		if l.Env, was = without(l.Env, name); was {
			l.Unset = append(l.Unset, name)
		}
	}
}

// without gives an environment without a variable.
func without(env []string, name string) (kept []string, was bool) {
	n := len(env)
	kept = slices.DeleteFunc(env, func(line string) bool { return strings.HasPrefix(line, name+"=") })
	return kept, len(kept) < n
}

// note says something to the user.
func (l *Launch) note(text string) { l.Notes = append(l.Notes, text) }

// add puts arguments before the user's own.
func (l *Launch) add(args ...string) {
	l.Args = slices.Concat(args, l.Args)
	l.Added = append(l.Added, args...)
}

// cut takes a flag out of the user's arguments, with the value that follows it
// if it takes one.
func (l *Launch) cut(flag string, value bool) {
	for i := 0; i < len(l.Args) && l.Args[i] != "--"; {
		switch arg := l.Args[i]; {
		case arg == flag && value:
			l.Args = slices.Delete(l.Args, i, min(i+2, len(l.Args)))
		case arg == flag, strings.HasPrefix(arg, flag+"="):
			l.Args = slices.Delete(l.Args, i, i+1)
		default:
			i++
		}
	}
}

// above lists a folder and those that it lies in; none for "".
func above(dir string) (dirs []string) {
	for dir != "" {
		dirs = append(dirs, dir)
		if up := filepath.Dir(dir); up != dir {
			dir = up
		} else {
			dir = ""
		}
	}
	return dirs
}

// toJSON quotes for JSON, which TOML's basic strings share.
func toJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of strings can't fail
	}
	return string(raw)
}
