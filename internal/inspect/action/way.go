package action

import (
	"regexp"
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
	verbs, ok := publishing[c.name]
	if !ok {
		return false
	}
	if c.name == "gh" {
		return stores(c)
	}
	return has(c.args, verbs...)
}

// publishing are the words by which programs make public what is here.
var publishing = map[string][]string{
	"git": {"push", "send-email"}, "hg": {"push", "email"}, "svn": {"commit", "ci", "import"}, "gh": nil,
	"npm": {"publish"}, "pnpm": {"publish"}, "yarn": {"publish"}, "bun": {"publish"}, "cargo": {"publish"}, "poetry": {"publish"}, "uv": {"publish"},
	"twine": {"upload"}, "gem": {"push"}, "nuget": {"push"}, "dotnet": {"push"}, "helm": {"push"}, "docker": {"push"}, "podman": {"push"}, "mvn": {"deploy"},
	"glab": tracked, "jira": tracked, "hub": tracked, "tea": tracked,
}

var tracked = []string{"create", "comment", "note", "edit"}

// Programs that show what others have written, from an address that they know.
var (
	trackers = set("glab jira hub tea")
	packages = set("npm pnpm yarn bun")
	browsers = set("lynx w3m links elinks")
)

// takes reports whether a command brings here what others have published, from
// an address that it need not name.
func takes(c *command) bool {
	switch {
	case c.name == "git":
		return has(c.args, "pull", "fetch", "clone", "submodule")
	case packages[c.name]:
		return len(c.args) > 0 && has(c.args[:1], "view", "info", "show", "search")
	case browsers[c.name]:
		return slices.ContainsFunc(c.args, func(a string) bool {
			return strings.Contains(a, "://") || looksHost(a) && !strings.HasSuffix(a, ".html") && !strings.HasSuffix(a, ".htm")
		})
	}
	return trackers[c.name] && len(c.args) > 0
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
	if sendTool.MatchString(tool) || pays(tool) {
		return true
	}
	low := strings.ToLower(tool)
	return strings.HasPrefix(low, remoteTool) && slices.ContainsFunc(telling, func(w string) bool { return strings.Contains(low, w) })
}

var telling = []string{"create", "reply", "share", "invite", "submit", "publish"}

// Words in the names of tools that move money or goods, and of those that only look.
var (
	paying  = set("transfer pay payment payments payout remit wire invoice order checkout purchase buy donate")
	looking = set("get list read find search show fetch view query check describe count status history by sort calculate validate format parse track")
)

// pays reports whether a tool by its name moves money or goods to somebody. Of such
// short words the whole counts: a payload is no payment.
func pays(tool string) bool {
	does := false
	for _, w := range nameWord.FindAllString(tool, -1) {
		w = strings.ToLower(w)
		if looking[w] {
			return false
		}
		does = does || paying[w]
	}
	return does
}

// nameWord is a word of a name that is written like_this or likeThis.
var nameWord = regexp.MustCompile(`[A-Z]*[a-z]+|[A-Z]+`)
