package flow

import (
	"fmt"
	"strings"
)

// Channel says whose words a text is, as policy tells them apart.
type Channel string

// The channels. What fits none of the others is Envelope: it is scanned all
// the same.
const (
	System        Channel = "system"
	User          Channel = "user"
	Assistant     Channel = "assistant" // what a model said: in an answer, or as the agent sends it again
	ToolDefs      Channel = "tool_definition"
	ToolCalls     Channel = "tool_call"
	ToolResults   Channel = "tool_result"
	File          Channel = "file"     // uploads, batches, inputs of embeddings
	Envelope      Channel = "envelope" // members around the conversation, headers, query
	ProviderActor Channel = "provider" // what the request makes the provider do by itself; the provider
)

// Severity says how bad a finding is when it is true.
type Severity int

// The severities.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

var severityNames = [...]string{"", "low", "medium", "high", "critical"}

func (s Severity) String() string {
	if s < Low || s > Critical {
		return "unknown"
	}
	return severityNames[s]
}

// MarshalText gives the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severityNames {
		if i > 0 && name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("unknown severity %q: low, medium, high or critical", text)
}

// Action is what policy does about a finding.
type Action int

// The actions, from the mildest to the strictest. The zero Action blocks.
const (
	BlockIt Action = iota
	AskFirst
	RedactIt
	FlagIt
	Ignore
)

var actionNames = [...]string{"block", "ask", "redact", "flag", "off"}

func (a Action) String() string {
	if a < 0 || int(a) >= len(actionNames) {
		return actionNames[BlockIt]
	}
	return actionNames[a]
}

// MarshalText gives the action's name.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an action's name. An unknown name is an error and leaves
// BlockIt.
func (a *Action) UnmarshalText(text []byte) error {
	*a = BlockIt
	for i, name := range actionNames {
		if name == string(text) {
			*a = Action(i)
			return nil
		}
	}
	return fmt.Errorf("unknown action %q: off, flag, redact, ask or block", text)
}

// InToolName is the note of what was found in the name of a tool that an answer calls: it
// has no span.
const InToolName = "in the name of a tool"

// Finding is what a detector saw. It holds no content: ID is a keyed
// fingerprint of rule and value, so the same value found again by the same
// rule has the same ID.
type Finding struct {
	ID         string   `json:"id"`
	Rule       string   `json:"rule"` // family and name: "secret.github-token"
	Severity   Severity `json:"severity"`
	Confidence int      `json:"confidence"` // percent
	Channel    Channel  `json:"channel"`
	Start      int64    `json:"start"`             // span in the decoded body, in bytes; of a header or query: in its value
	End        int64    `json:"end"`               // exclusive
	Place      string   `json:"place,omitempty"`   // "header NAME", "query", "answer", "connection"; empty: the request's body
	Fixed      bool     `json:"fixed,omitempty"`   // can't be replaced where it stands: the provider signed it, or its form forbids it
	Via        []string `json:"via,omitempty"`     // encodings that were undone, the outermost first
	Facts      []string `json:"facts,omitempty"`   // of an action that a model proposes: "cmd=curl", "host=example.com", "path=/etc/hosts"; bounded
	Action     Action   `json:"action"`            // what policy does about it, or would do
	Note       string   `json:"note,omitempty"`    // what was cut or could not be read; no content
	Allowed    string   `json:"allowed,omitempty"` // id of the allowance that switched it off
	From       *Origin  `json:"from,omitempty"`    // the other place, of a finding that joins two
}

// Origin is where in a session something stood before.
type Origin struct {
	Flow    ID      `json:"flow"`
	Channel Channel `json:"channel"`
	Start   int64   `json:"start"`          // of the part, or the value, in that flow's decoded body
	End     int64   `json:"end"`            // exclusive
	Tool    string  `json:"tool,omitempty"` // whose result it is
	Rule    string  `json:"rule,omitempty"` // that found something there
}

// Act is something that a request makes the provider do, or recall, by itself.
type Act struct {
	Kind  string `json:"kind"`  // fetch, execute, recall, store, connect, search, unknown
	Name  string `json:"name"`  // field or tool type as the API names it: "tools[].type=web_search_20250305"
	Start int64  `json:"start"` // span in the decoded body
	End   int64  `json:"end"`
}

// InAddress tells in which half of an address, before or behind its question mark, a
// finding of place "query" begins.
func (f *Finding) InAddress(address string) (path, query bool) {
	if f.Place != "query" {
		return false, false
	}
	before, _, _ := strings.Cut(address, "?")
	path = f.Start < int64(len(before))
	return path, !path
}
