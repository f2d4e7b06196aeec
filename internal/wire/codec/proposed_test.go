package codec_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// Whatever is shown as a call is a part: a call, or what is told not to be known.
func FuzzProposed(f *testing.F) {
	for _, s := range []string{`[{"function":{"name":"a","arguments":"{}"}}]`, `{"type":"tool_use","name":"a","input":{"b":1}}`, `[null,1,"x",{"custom":{"name":"a","input":"b"}}]`, `{"function":{"function":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, p := range append(codec.Proposed(raw), codec.Said(raw)...) {
			if p.Kind != flow.ToolCall && p.Kind != flow.UnknownPart {
				t.Errorf("%s: %+v", raw, p)
			}
		}
	})
}
