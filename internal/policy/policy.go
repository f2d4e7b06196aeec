// Package policy turns what is known of a flow into a Decision: one readable
// file says what follows from each finding, from what could not be read and
// from what a request makes the provider do. It is pure and total: it does no
// I/O, reads no clock, and every input gets a verdict with a why. It never
// holds a flow's content.
package policy

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Mode says what follows from a finding.
type Mode string

// Observe only finds; Report also says what enforcing would have done; Enforce
// does it. Who is not known is blocked in all of them.
const (
	Observe Mode = "observe"
	Report  Mode = "report"
	Enforce Mode = "enforce"
)

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(text []byte) error {
	names := []string{string(Observe), string(Report), string(Enforce)}
	for _, name := range names {
		if name == string(text) {
			*m = Mode(name)
			return nil
		}
	}
	return fmt.Errorf("%q is no mode: %s%s", text, strings.Join(names, ", "), strict.Nearest(string(text), names))
}

// Policy decides. It does not change after it is made, and is safe for
// concurrent use. The zero Policy blocks everything.
type Policy struct {
	set     *set
	allowed Allowances
}

//go:embed default.yaml
var defaultText []byte

//go:embed recommended.yaml
var recommendedText []byte

var builtIn = sync.OnceValue(func() *set {
	s, problems := read("default", defaultText, nil)
	if len(problems) > 0 {
		panic("policy: the built-in policy: " + problems[0].Text)
	}
	return s
})

// Default is the policy that holds when there is no file: it lets every flow
// of a known caller pass, and says what enforcing would have done.
func Default() Policy { return Policy{set: builtIn()} }

// Recommended is the text of a policy file that enforces, with comments: a
// file to begin with.
func Recommended() []byte { return append([]byte(nil), recommendedText...) }

// Version names the policy in every entry that it decided: a name and the
// beginning of the hash of its text.
func (p Policy) Version() string {
	if p.set == nil {
		return "none"
	}
	return p.set.version
}

// Text is the file that the policy was read from; nil for the zero Policy.
func (p Policy) Text() []byte {
	if p.set == nil {
		return nil
	}
	return bytes.Clone(p.set.text)
}

// Mode gives the mode; "" for the zero Policy.
func (p Policy) Mode() Mode {
	if p.set == nil {
		return ""
	}
	return p.set.mode
}

// Enforces reports whether decisions are carried out, not only told. The zero
// Policy does: it blocks.
func (p Policy) Enforces() bool { return p.set == nil || p.set.mode == Enforce }

// Observing gives the same rules in mode observe: what they find is recorded, and
// nothing follows from it. The zero Policy stays as it is.
func (p Policy) Observing() Policy {
	if p.set == nil {
		return p
	}
	own := *p.set
	own.mode = Observe
	return Policy{set: &own, allowed: p.allowed}
}

// HoldsToolCalls reports whether a tool call in an answer is held back until
// it was judged.
func (p Policy) HoldsToolCalls() bool { return p.Enforces() }

// Restores reports whether a pseudonym may be replaced by its value in an
// argument of a tool: path is the names and indexes that lead to it, nil for a
// tool that takes free text. An empty tool means the text of an answer. It does
// not depend on the mode: a conversation that was redacted stays readable.
func (p Policy) Restores(tool string, path []string) bool {
	if p.set == nil {
		return false
	}
	return p.set.restore.covers(tool, path)
}

// Untrusted reports whether what a tool brings are words of others, by the tool's
// name. To the zero Policy all are.
func (p Policy) Untrusted(tool string) bool {
	if p.set == nil {
		return true
	}
	low := strings.ToLower(tool)
	return slices.ContainsFunc(p.set.doc.Taint.Untrusted, func(pattern string) bool { return match(strings.ToLower(pattern), low) })
}

// Subject is whose words are judged, and when.
type Subject struct {
	Principal flow.Principal
	Provider  flow.Provider
	API       flow.API
	Model     string
	Now       time.Time
}
