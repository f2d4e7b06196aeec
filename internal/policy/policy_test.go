package policy_test

import (
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

func TestDecideIsTotal(t *testing.T) {
	known := &flow.Intent{Principal: flow.Principal{Name: "ann/claude"}}
	tests := []struct {
		name   string
		policy policy.Policy
		intent *flow.Intent
		want   flow.Verdict
	}{
		{"the zero policy blocks", policy.Policy{}, known, flow.Block},
		{"an unknown caller is blocked", policy.Default(), &flow.Intent{}, flow.Block},
		{"the default passes", policy.Default(), known, flow.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.policy.Decide(tt.intent, time.Now())
			if got.Verdict != tt.want {
				t.Errorf("verdict = %v, want %v", got.Verdict, tt.want)
			}
			if got.Why == "" {
				t.Error("a decision without a why")
			}
		})
	}
}
