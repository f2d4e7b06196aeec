package policy

import (
	"slices"
	"strings"
)

// restore says where a value may come back.
type restore struct {
	text  bool
	tools []restoreTool
}

type restoreTool struct {
	tool     string
	fields   [][]string // patterns, cut into segments
	freeText bool
}

// A value that comes back in one of these leaves the machine, or is executed.
// No wildcard reaches them: who wants a value there names the tool.
var (
	leavingTools  = []string{"*bash*", "*shell*", "*exec*", "*command*", "*terminal*", "*fetch*", "*http*", "*url*", "*browser*", "*search*", "mcp__*", "*__*"}
	leavingFields = []string{"*command*", "cmd", "*url*", "*uri*", "href", "*header*", "query", "endpoint", "host"}
)

// reaches reports whether a pattern fits a name, where only a pattern that
// spells it out fits a name of the guarded ones.
func reaches(pattern, name string, guarded []string) bool {
	if !match(pattern, name) {
		return false
	}
	low := strings.ToLower(name)
	return !isWild(pattern) || !slices.ContainsFunc(guarded, func(g string) bool { return match(g, low) })
}

func (r restore) covers(tool string, path []string) bool {
	if tool == "" {
		return r.text
	}
	return slices.ContainsFunc(r.tools, func(t restoreTool) bool { return t.covers(tool, path) })
}

func (t restoreTool) covers(tool string, path []string) bool {
	if !reaches(t.tool, tool, leavingTools) && !sameServer(t.tool, tool) {
		return false
	}
	if len(path) == 0 {
		return t.freeText
	}
	return slices.ContainsFunc(t.fields, func(field []string) bool { return fieldReaches(field, path) })
}

// sameServer lets a pattern name one MCP server with all its tools:
// mcp__files__*.
func sameServer(pattern, tool string) bool {
	server, rest, ok := strings.Cut(strings.TrimPrefix(pattern, "mcp__"), "__")
	return ok && rest == "*" && server != "" && !isWild(server) && strings.HasPrefix(pattern, "mcp__") && match(pattern, tool)
}

// fieldReaches guards every name on the way: what lies under "headers" is as
// guarded as it.
func fieldReaches(field, path []string) bool {
	if !matchPath(field, path) {
		return false
	}
	for _, name := range path {
		low := strings.ToLower(name)
		guarded := slices.ContainsFunc(leavingFields, func(g string) bool { return match(g, low) })
		if guarded && !slices.Contains(field, name) {
			return false
		}
	}
	return true
}
