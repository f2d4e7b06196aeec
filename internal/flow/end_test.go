package flow_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

// TestHowAFlowEnded: the page's own test reads the same file.
func TestHowAFlowEnded(t *testing.T) {
	text, err := os.ReadFile("testdata/ends.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		flow.View
		Is     string
		Failed bool
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list) == 0 {
		t.Fatalf("%d ends: %v", len(list), err)
	}
	for _, c := range list {
		if got := c.End().String(); got != c.Is || c.End().Failed() != c.Failed {
			t.Errorf("%+v: got %q, failed %v; want %q, %v", c.End(), got, c.End().Failed(), c.Is, c.Failed)
		}
	}
}
