package agents

import (
	"slices"
	"strings"
)

// nameMax is the longest program name that is kept.
const nameMax = 64

// interpreters run programs whose name stands in their arguments.
var interpreters = []string{"node", "nodejs", "bun", "deno", "python", "ruby", "perl", "sh", "bash", "dash", "zsh", "java", "tsx", "uv", "npx"}

// generic names of scripts say nothing; their package's folder does.
var generic = []string{"cli", "index", "main", "__main__", "bin", "dist", "src", "build", "lib", "bundle", "run", "start", "server"}

// Program names the program of a process from its executable's path and its
// arguments: the agent's name where it is a known one ("node …/claude" is
// "claude"), else the script's or the executable's. It is never empty, and made
// of letters, digits and ".", "_", "-", "+", "@".
func Program(exe string, argv []string) string {
	if a, ok := inPackage(exe); ok {
		return a.Name
	}
	name := base(exe)
	if a, ok := For(name); ok {
		return a.Name
	}
	if isInterpreter(name) {
		return interpreted(name, argv)
	}
	// Installers name executables after their version ("…/claude/versions/2.1.197").
	if len(argv) > 0 {
		if a, ok := For(title(argv[0])); ok && strings.Contains(exe, "/"+a.Name+"/") {
			return a.Name
		}
	}
	return Clean(name)
}

func interpreted(name string, argv []string) string {
	if len(argv) == 0 {
		return Clean(name)
	}
	if t := title(argv[0]); t != "" && !isInterpreter(t) { // set by the program itself (process.title)
		return known(t)
	}
	script, module := script(argv[1:])
	if module {
		return known(strings.SplitN(script, ".", 2)[0])
	}
	if a, ok := inPackage(script); ok {
		return a.Name
	}
	if script == "" {
		return Clean(name)
	}
	return known(scriptName(script))
}

// script finds what an interpreter runs; module tells "python -m NAME".
func script(args []string) (name string, module bool) {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-m" && i+1 < len(args):
			return args[i+1], true
		case arg == "-e" || arg == "-c" || arg == "-p" || arg == "--eval" || arg == "-": // code, perhaps content
			return "", false
		case arg == "-r" || arg == "--require" || arg == "--import" || arg == "--loader" || arg == "-W" || arg == "-X":
			i++
		case arg == "run" && len(args) > 1: // bun run, deno run, uv run
		case strings.HasPrefix(arg, "-"):
		default:
			return arg, false
		}
	}
	return "", false
}

// scriptName is the script's name without its extension, or the folder above
// when that says nothing.
func scriptName(path string) string {
	elems := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	for i := len(elems) - 1; i >= 0; i-- {
		name := elems[i]
		if dot := strings.LastIndexByte(name, '.'); dot > 0 && i == len(elems)-1 {
			name = name[:dot]
		}
		if !slices.Contains(generic, name) {
			return name
		}
	}
	return base(path)
}

func known(name string) string {
	if a, ok := For(name); ok {
		return a.Name
	}
	return Clean(name)
}

func inPackage(path string) (Agent, bool) {
	path = strings.ReplaceAll(path, `\`, "/")
	for _, a := range table {
		for _, p := range a.Packages {
			if strings.Contains(path, "node_modules/"+p+"/") || strings.Contains(path, "node_modules/"+p+"-") || strings.Contains(path, "site-packages/"+p+"/") {
				return a, true
			}
		}
	}
	return Agent{}, false
}

// isInterpreter knows "python3.12" and "ruby3.1", too.
func isInterpreter(name string) bool {
	return slices.Contains(interpreters, strings.TrimRight(name, "0123456789."))
}

// title is the first word of an argument 0, without its path.
func title(arg0 string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(arg0), " ")
	return strings.TrimLeft(base(strings.TrimSuffix(word, ":")), "-") // "-bash" is a login shell
}

// Clean makes a name safe to stand in a principal: other characters become
// "_", and an empty name "unknown".
func Clean(name string) string {
	if len(name) > nameMax {
		name = name[:nameMax]
	}
	clean := []byte(name)
	for i, c := range clean {
		ok := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("._-+@", c) >= 0
		if !ok {
			clean[i] = '_'
		}
	}
	if len(clean) == 0 {
		return "unknown"
	}
	return string(clean)
}
