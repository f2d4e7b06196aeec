package flow

import "fmt"

// Verdict is what may happen to a flow. The zero value blocks: a path that
// forgets to decide is a path that blocks.
type Verdict int

// The verdicts.
const (
	Block Verdict = iota
	Ask
	Redact
	Pass
)

var verdictNames = [...]string{"block", "ask", "redact", "pass"}

func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictNames) {
		return verdictNames[Block]
	}
	return verdictNames[v]
}

// MarshalText gives the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name. An unknown name is an error and leaves
// Block.
func (v *Verdict) UnmarshalText(text []byte) error {
	*v = Block
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", text)
}

// Decision is a verdict, its why, and the rules that decided. Would is what
// enforcing would have made of the flow, where the mode is report.
type Decision struct {
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why"`
	Rules   []string `json:"rules,omitempty"`
	Would   string   `json:"would,omitempty"` // a verdict's name; empty: the same, or the mode is not report
}

// Refusal is the error of a call that we end ourselves. Text is for the
// client and names no content; Err is the cause for the log.
type Refusal struct {
	Status int    // HTTP status
	Kind   string // short machine name: "too_large", "ledger_full", "draining" …
	Text   string
	Err    error
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return r.Text
	}
	return r.Text + ": " + r.Err.Error()
}

func (r *Refusal) Unwrap() error { return r.Err }
