package act

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

var storesByDefault = flow.Act{Kind: Store, Name: "store=default"}

// ran are the types of tools that the provider runs. A type may go on with a
// version: web_search_20250305, web_search_preview.
var ran = []struct{ kind, of string }{
	{"web_search", Search}, {"web_fetch", Fetch}, {"code_execution", Execute}, {"advisor", Execute},
	{"mcp_toolset", Connect}, {"mcp_server", Connect}, {"mcp", Connect},
	{"file_search", Recall}, {"retrieval", Recall}, {"code_interpreter", Execute}, {"image_generation", Execute},
	{"programmatic_tool_calling", Execute},
	{"google_search", Search}, {"google_maps", Search}, {"url_context", Fetch},
}

// local are the types that only define a tool for the client, or search among
// the request's own definitions.
var local = map[string]bool{
	"function": true, "custom": true, "namespace": true, "local_shell": true, "apply_patch": true,
	"computer": true, "computer_use": true, "computer_use_preview": true, "tool_search": true,
	"tool_search_tool_regex": true, "tool_search_tool_bm25": true,
	"bash": true, "text_editor": true, "memory": true, "browser_toolset": true, "computer_toolset": true,
}

// members of Gemini's tools, in both spellings without underscores and in lower
// case. functionDeclarations are the client's, and so is computerUse.
var geminiTools = map[string]string{
	"googlesearch": Search, "googlesearchretrieval": Search, "enterprisewebsearch": Search, "parallelaisearch": Search,
	"googlemaps": Search, "urlcontext": Fetch, "codeexecution": Execute, "filesearch": Recall, "retrieval": Recall,
	"mcpservers": Connect,
}

// tool reads one definition.
func (f *finder) tool(raw []byte, depth int) {
	if !f.reads(raw, depth) {
		return
	}
	known, some := false, ""
	for w := peek.Members(raw); w.Next(); {
		name := string(w.Name)
		switch {
		case name == "type":
			f.toolType(raw, w.Value)
			known = known || peek.IsString(w.Value)
		case name == "tools":
			each(w.Value, func(raw []byte) { f.tool(raw, depth+1) })
		case geminiTools[plain(name)] != "":
			known = true
			if !peek.Null(w.Value) {
				f.add(geminiTools[plain(name)], "tools[]."+name, w.Value)
			}
		case defines(name):
			known = true
		case some == "":
			some = name
		}
	}
	if !known && some != "" {
		f.add(Unknown, "tools[]."+short(some), raw)
	}
}

// plain brings both spellings of Gemini's names together.
func plain(name string) string {
	if len(name) > 40 {
		return name
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// defines reports whether a member says that a definition is the client's.
func defines(name string) bool {
	switch name {
	case "name", "function", "custom", "input_schema", "parameters",
		"functionDeclarations", "function_declarations", "computerUse", "computer_use":
		return true
	}
	return false
}

func (f *finder) toolType(tool, raw []byte) {
	if peek.Null(raw) {
		return
	}
	kind := peek.Short(raw)
	if kind == "shell" {
		f.shell(tool)
		return
	}
	if local[unversioned(kind)] {
		return
	}
	of := Unknown
	for _, r := range ran {
		if rest, ok := strings.CutPrefix(kind, r.kind); ok && (rest == "" || rest[0] == '_') {
			of = r.of
			break
		}
	}
	f.add(of, "tools[].type="+short(kind), tool)
}

// shell runs where its environment says: with the client, or in a container of
// the provider. Without one it can't be told.
func (f *finder) shell(tool []byte) {
	switch where := peek.Short(peek.Get(tool, "environment", "type")); where {
	case "local":
	case "":
		f.add(Unknown, "tools[].type=shell", tool)
	default:
		f.add(Execute, "tools[].type=shell", tool)
	}
}

// unversioned takes a date off a type: bash_20250124 is bash.
func unversioned(kind string) string {
	at := strings.LastIndexByte(kind, '_')
	if at < 0 || len(kind)-at != 9 || strings.Trim(kind[at+1:], "0123456789") != "" {
		return kind
	}
	return kind[:at]
}

// short bounds a name that a client chose.
func short(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), 80)], "")
}
