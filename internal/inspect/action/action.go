// Package action judges tool calls that a model proposes: shell commands,
// PowerShell, code, paths, addresses, SQL. It says of which kind a call is and
// names the facts (commands, hosts, paths) by which a policy can tell its own
// from others. It never runs, resolves or opens anything, and what it does not
// recognise is not harmless because of that.
package action

import (
	"cmp"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// The rules. Egress is no more than a remark: data leaves, as it often does.
const (
	Destructive     = "action.destructive"       // deletes, overwrites, stops what is not the project's
	Exfiltration    = "action.exfiltration"      // sends what is private, or to where such things are sent
	Credentials     = "action.credential-access" // reads keys, password stores, cloud credentials
	Persistence     = "action.persistence"       // comes back by itself: cron, services, profiles, accounts
	Privilege       = "action.privilege"         // more rights: setuid, sudoers, escapes from containers
	DownloadRun     = "action.download-run"      // runs what it just fetched
	HiddenRun       = "action.hidden-run"        // runs what can't be read, or under another name
	Lateral         = "action.lateral"           // runs on other machines, opens ways in
	Evasion         = "action.evasion"           // logs, history, firewalls, protection: deleted or switched off
	Collection      = "action.collection"        // screen, keyboard, clipboard, network, packed for leaving
	Discovery       = "action.discovery"         // looks for weaknesses
	Egress          = "action.egress"            // data leaves this machine
	TamperGatehouse = "action.tamper-gatehouse"  // this gateway's data, process or policy
	TamperAgent     = "action.tamper-agent"      // an agent's settings, permissions, hooks
	Opaque          = "action.opaque-code"       // a command that code computes
	Unparsed        = "action.unparsed"          // could not be read as what it is; judged by patterns
)

// Rules lists the names of all rules.
func Rules() []string {
	return []string{Destructive, Exfiltration, Credentials, Persistence, Privilege, DownloadRun, HiddenRun, Lateral,
		Evasion, Collection, Discovery, Egress, TamperGatehouse, TamperAgent, Opaque, Unparsed}
}

// Found is one thing that a call does.
type Found struct {
	Rule       string
	Severity   flow.Severity
	Confidence int      // percent
	Start, End int      // in the arguments: the command or value that does it
	Facts      []string // "cmd=curl", "host=example.com", "path=/etc/shadow"; a host or path that can't be known is ?
	Note       string   // what it is, in words; no content
}

// Bounds. What lies beyond them is a finding.
const (
	maxArgs   = 1 << 20  // bytes of arguments that are read
	maxFound  = 64       // findings
	maxDepth  = 6        // commands in commands
	maxParse  = 64 << 10 // bytes that are parsed as a shell's; longer ones are cut into words only
	maxWork   = 4 << 20  // bytes that are parsed in all
	maxFacts  = 12       // of a finding
	factBytes = 96       // of a fact
	maxSlow   = 96 << 10 // bytes that are searched by patterns, which are slow
	maxRuns   = 4000     // commands that are judged
	maxPaths  = 2000     // different paths that are looked at
	maxVars   = 256      // variables whose values are followed
	maxNest   = 400      // brackets that are open at once where a shell's text is parsed
	maxOpen   = 10000    // objects and lists that are open at once: as many as encoding/json reads
	minText   = 2        // bytes of a text that can do anything
	surely    = 90       // percent from which a policy may block
)

// Own is where this gateway is, beside its usual places: what is done to it there is
// tampering with it, too.
type Own struct {
	Folders []string // its data and settings: absolute, or below ~/
	Ports   []string // the console's first, then the entrances'; none: the usual ones
}

// usualPorts are those of a gateway whose settings name none.
var usualPorts = []string{"4040", "4000", "4001"}

func (o *Own) ports() []string {
	if len(o.Ports) == 0 {
		return usualPorts
	}
	return o.Ports
}

// console reports whether a text calls the console's API.
func (o *Own) console(text string) bool { return strings.Contains(text, ":"+o.ports()[0]+"/api") }

// holds reports whether a path, as normal writes it, is one of the folders or in
// one.
func (o *Own) holds(path string) bool {
	return slices.ContainsFunc(o.Folders, func(f string) bool {
		f = strings.ToLower(strings.ReplaceAll(f, `\`, "/"))
		return path == f || strings.HasPrefix(path, strings.TrimSuffix(f, "/")+"/")
	})
}

// Classify gives what Judge finds in a call.
func Classify(tool string, args []byte) []Found { return Judge(tool, args).Found }

// Judge judges the call of a tool before a gateway in its usual places.
func Judge(tool string, args []byte) Call { return (&Own{}).Judge(tool, args) }

// Judge judges the call of a tool. args are its arguments as the model wrote
// them: a JSON object, or free text.
func (o *Own) Judge(tool string, args []byte) Call {
	j, size := &judge{tool: tool, own: o}, len(args)
	if len(args) > maxArgs {
		j.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Start: maxArgs, End: len(args), Note: "arguments are too long to be read to their end"})
		args = args[:maxArgs]
	}
	j.call(args)
	for i := range j.found {
		f := &j.found[i]
		f.Start, f.End = min(f.Start, size), min(f.End, size)
	}
	slices.SortStableFunc(j.found, func(a, b Found) int {
		return cmp.Or(a.Start-b.Start, int(b.Severity-a.Severity), b.Confidence-a.Confidence)
	})
	j.others()
	if tells(tool) {
		j.way(Way{Out: true, End: size, Facts: []string{"host=?"}})
	}
	for i := range j.ways {
		w := &j.ways[i]
		w.Start, w.End = min(w.Start, size), min(w.End, size)
	}
	return Call{Found: j.found, Ways: j.ways}
}

// judge collects what is found in one call.
type judge struct {
	tool     string
	own      *Own
	found    []Found
	ways     []Way
	work     int // bytes that were parsed
	paths    map[string][]place
	slow     int    // bytes that were searched by patterns
	runs     int    // commands that were judged
	rounds   int    // of loops
	followed int    // calls of functions
	dir      string // the working folder that the call names
}

// afford reports whether n more bytes may be searched by patterns. What is not
// searched is told.
func (j *judge) afford(n int) bool {
	if j.slow += n; j.slow <= maxSlow {
		return true
	}
	j.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Note: "more code than is searched"})
	return false
}

// add notes a finding, once for each rule and place.
func (j *judge) add(f Found) {
	f.Start = max(f.Start, 0)
	f.End = max(f.End, f.Start)
	for i := range j.found {
		g := &j.found[i]
		if g.Rule == f.Rule && g.Start == f.Start && g.End == f.End {
			if f.Severity > g.Severity || f.Severity == g.Severity && f.Confidence > g.Confidence {
				f.Facts = addFacts(f.Facts, g.Facts)
				*g = f
			} else {
				g.Facts = addFacts(g.Facts, f.Facts)
			}
			return
		}
	}
	f.Facts = addFacts(nil, f.Facts)
	if len(j.found) < maxFound {
		j.found = append(j.found, f)
		return
	}
	mildest := 0
	for i := range j.found {
		if milder(&j.found[i], &j.found[mildest]) {
			mildest = i
		}
	}
	if milder(&j.found[mildest], &f) {
		j.found[mildest] = f
	}
}

func milder(a, b *Found) bool {
	return a.Severity < b.Severity || a.Severity == b.Severity && a.Confidence < b.Confidence
}

// addFacts joins two lists, each fact once. A list that is cut says that hosts and
// paths are not all known.
func addFacts(list, more []string) []string {
	for _, f := range more {
		if len(f) > factBytes {
			key, _, _ := strings.Cut(f, "=")
			f = key + "=?"
		}
		f = strings.Map(printable, f)
		if slices.Contains(list, f) {
			continue
		}
		if len(list) == maxFacts {
			list[maxFacts-2], list[maxFacts-1] = "host=?", "path=?"
			break
		}
		list = append(list, f)
	}
	return list
}

func printable(c rune) rune {
	if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x2000 && c < 0x2100 {
		return '.'
	}
	return c
}
