package action

import (
	"slices"
	"strings"
)

// Call is what a proposed call does.
type Call struct {
	Found []Found // by Start, the worst first where several begin together
	Ways  []Way   // in no order; at most 64
}

// Way is a place in a call by which it reaches other machines. What only speaks
// to this one is no way.
type Way struct {
	Out        bool // something of this machine goes along; else an address is asked for what it has
	Start, End int  // in the arguments
	Facts      []string
}

// Asks reports whether what others wrote comes back in the call's result.
func (c *Call) Asks() bool { return len(c.Ways) > 0 }

// way notes a place by which a call reaches other machines.
func (j *judge) way(w Way) {
	w.End = max(w.Start, w.End)
	for i := range j.ways {
		if had := &j.ways[i]; had.Start == w.Start && had.End == w.End {
			had.Out, had.Facts = had.Out || w.Out, addFacts(had.Facts, w.Facts)
			return
		}
	}
	if len(j.ways) < maxFound {
		j.ways = append(j.ways, w)
	}
}

// reaches notes the way of a command that asks or sends: one whose arguments
// name hosts, or that is known to leave the machine without them.
func (s *shell) reaches(c *command, sending bool) {
	if localHost(c) {
		return
	}
	out := sending || publishes(c)
	if out || network[c.name] && len(hosts(c)) > 0 || takes(c) {
		s.way(Way{Out: out, Start: s.at(c.start), End: s.at(c.end), Facts: addFacts(s.facts(c), remote(c))})
	}
}

// publishes reports whether a command makes public what is here.
func publishes(c *command) bool {
	return c.name == "git" && has(c.args, "push") || c.name == "npm" && has(c.args, "publish") || c.name == "docker" && has(c.args, "push") || c.name == "gh" && has(c.args, "gist")
}

// takes reports whether a command brings here what others have published, from
// an address that it need not name.
func takes(c *command) bool {
	return c.name == "git" && has(c.args, "pull", "fetch", "clone", "submodule")
}

// others notes the ways that are findings already, so that what reads them by
// patterns, not as commands, has its ways, too.
func (j *judge) others() {
	for _, f := range j.found {
		switch f.Rule {
		case Egress, Exfiltration:
			j.way(Way{Out: true, Start: f.Start, End: f.End, Facts: f.Facts})
		case DownloadRun:
			j.way(Way{Start: f.Start, End: f.End, Facts: f.Facts})
		}
	}
}

// remoteTool is what the tools of other programs are called by agents that speak
// MCP.
const remoteTool = "mcp_"

// tells reports whether a tool by its name hands its arguments to somebody.
func tells(tool string) bool {
	if sendTool.MatchString(tool) {
		return true
	}
	low := strings.ToLower(tool)
	return strings.HasPrefix(low, remoteTool) && slices.ContainsFunc(telling, func(w string) bool { return strings.Contains(low, w) })
}

var telling = []string{"create", "reply", "share", "invite", "submit", "publish"}
