package policy_test

import (
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// TestNothingToRedactInACall: a finding about the call as such has no value, and
// a redact of it neither replaces anything nor costs the call.
func TestNothingToRedactInACall(t *testing.T) {
	p, err := policy.Parse("policy.yaml", []byte("version: 1\nmode: enforce\nunredactable: block\nrules:\n  - {rule: coverage.new-host, do: block}\n  - {rule: \"*\", do: redact}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]flow.Action{"coverage.past-redirect": flow.FlagIt, "coverage.new-host": flow.BlockIt, "secret.x": flow.BlockIt} {
		c := policy.Case{Rule: rule, Channel: flow.Envelope, Severity: flow.Medium, Confidence: 90, Fixed: true}
		if got := p.Explain(c, time.Now()).Action; got != want {
			t.Errorf("%s: %s, want %s", rule, got, want)
		}
	}
}
