// Package coverage says what of an agent's traffic came by the gateway, and how:
// a report of recorded flows, and the findings about calls that come another way
// than those before, or go where the agent was never seen to go. It is pure, and
// knows nothing of connections that never came here.
package coverage

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/flow"
)

// The names under which policy knows the findings.
const (
	PastRedirect = "coverage.past-redirect" // a model call that comes another way than those before
	NewHost      = "coverage.new-host"      // a host that the agent was never seen to call
	NewPath      = "coverage.new-path"      // a path of a known one
)

// Rules lists their names.
func Rules() []string { return []string{PastRedirect, NewHost, NewPath} }

// Place is where these findings stand: they are about the call, and no text in it.
const Place = "call"

// Percent. What another version does is less likely to matter than what the
// known one never did.
const (
	sameSession   = 90 // the agent named it
	samePrincipal = 60
	knownVersion  = 70
	otherVersion  = 40
)

// Past makes the finding of a model call that came by one entrance, where home
// is the one that calls of its session (named: the agent's own id says so), or of
// its principal, came by. from is the last of those. It has no id yet.
func Past(in *flow.Intent, home flow.Entrance, from flow.ID, session bool) flow.Finding {
	f := finding(PastRedirect, flow.Medium, samePrincipal, "entrance="+string(in.Entrance), "provider="+string(in.Provider))
	f.From = &flow.Origin{Flow: from, Channel: flow.Envelope}
	of := "other model calls of its principal"
	if session {
		of = "its session"
		if in.Session.Claimed {
			f.Confidence = sameSession
		}
	}
	if in.Host != "" {
		f.Facts = append(f.Facts, hostFact(in.Host))
	}
	f.Note = "it came by " + string(in.Entrance) + ", " + of + " by " + string(home)
	return f
}

// Drift makes the finding of a call to a host, or for a path, that its agent was
// never seen to use; nil: there is nothing to say. It has no id yet. Of a tunnel
// only the host is known.
func Drift(in *flow.Intent) *flow.Finding {
	a, version, ok := agents.Caller(in.Principal.Program, in.Header)
	if !ok || !a.Run() {
		return nil
	}
	path, _, _ := strings.Cut(in.Path, "?")
	switch {
	case in.Host != "" && !a.Calls(in.Host):
		return strange(NewHost, a, version, hostFact(in.Host))
	case in.Entrance == flow.Tunnel || a.Asks(in.Host, path):
		return nil
	case in.Host == "":
		return strange(NewPath, a, version, "path="+agents.Shape(path))
	}
	return strange(NewPath, a, version, hostFact(in.Host), "path="+agents.Shape(path))
}

func strange(rule string, a agents.Agent, version string, facts ...string) *flow.Finding {
	f := finding(rule, flow.Low, knownVersion, append([]string{"agent=" + a.Name}, facts...)...)
	f.Note = a.Title + " " + a.Checked + " was never seen to use it"
	switch version {
	case a.Checked:
	case "":
		f.Confidence, f.Note = otherVersion, f.Note+"; the call does not tell its version"
	default:
		f.Confidence, f.Note = otherVersion, f.Note+"; version "+version+" is not known"
	}
	return &f
}

// maxHost bounds what an imported call may say of its host (RFC 1035 section 2.3.4).
const maxHost = 255

// hostFact is a host as it may stand among facts, which are words.
func hostFact(host string) string {
	return "host=" + strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f {
			return '.'
		}
		return c
	}, host[:min(len(host), maxHost)])
}

func finding(rule string, s flow.Severity, confidence int, facts ...string) flow.Finding {
	return flow.Finding{Rule: rule, Severity: s, Confidence: confidence, Channel: flow.Envelope, Place: Place, Facts: facts}
}
