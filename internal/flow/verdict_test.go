package flow_test

import (
	"encoding/json"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

func TestZeroVerdictBlocks(t *testing.T) {
	var d flow.Decision
	if d.Verdict != flow.Block {
		t.Errorf("zero verdict = %v, want block", d.Verdict)
	}
	if got := flow.Verdict(99).String(); got != "block" {
		t.Errorf("a verdict out of range reads %q, want block", got)
	}
}

func TestVerdictSurvivesJSON(t *testing.T) {
	for _, want := range []flow.Verdict{flow.Block, flow.Ask, flow.Redact, flow.Pass} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got flow.Verdict
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s came back as %v (%v)", text, got, err)
		}
	}
	got := flow.Pass
	if err := json.Unmarshal([]byte(`"pas"`), &got); err == nil || got != flow.Block {
		t.Errorf("an unknown name gave %v, %v; want block and an error", got, err)
	}
}
