// Package policy turns what is known of a flow into a Decision. It is pure and
// total: it does no I/O, reads no clock, and every input gets a verdict with a
// why. It never holds a flow's content.
package policy

import "github.com/workingagents/gatehouse/internal/flow"

// Mode says what follows from a finding.
type Mode string

// Observe only finds; Report also says what enforcing would have done.
const (
	Observe Mode = "observe"
	Report  Mode = "report"
)

// Policy decides. The zero Policy blocks everything.
type Policy struct {
	version string
	mode    Mode
}

// Default is the policy that holds when none is configured: every flow passes
// and says so.
func Default() Policy { return Policy{version: "default-1", mode: Report} }

// Version names the policy in every entry that it decided.
func (p Policy) Version() string {
	if p.version == "" {
		return "none"
	}
	return p.version
}

// Decide judges a flow before it is forwarded.
func (p Policy) Decide(in *flow.Intent) flow.Decision {
	if p.version == "" {
		return flow.Decision{Verdict: flow.Block, Why: "no policy is loaded"}
	}
	if in.Principal.Name == "" {
		return flow.Decision{Verdict: flow.Block, Why: "the caller is not known"}
	}
	return flow.Decision{Verdict: flow.Pass, Why: "no rule applies (" + string(p.mode) + ")"}
}
