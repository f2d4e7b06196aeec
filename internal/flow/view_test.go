package flow_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

// TestViewJoinsWhatWasFound: what was seen in request and answer stands in one
// list, and the stricter of the two decisions is the flow's.
func TestViewJoinsWhatWasFound(t *testing.T) {
	asked, said := flow.Finding{ID: "f_1", Rule: "secret.a"}, flow.Finding{ID: "f_2", Rule: "secret.b", Place: "answer"}
	for name, tc := range map[string]struct {
		request flow.Decision
		answer  *flow.Decision
		verdict flow.Verdict
		why     string
		would   string
	}{
		"an answer that passed": {flow.Decision{Verdict: flow.Redact, Why: "r"}, nil, flow.Redact, "r", ""},
		"a blocked answer":      {flow.Decision{Verdict: flow.Pass, Why: "p"}, &flow.Decision{Why: "b"}, flow.Block, "b", ""},
		"a milder answer":       {flow.Decision{Verdict: flow.Redact, Why: "r"}, &flow.Decision{Verdict: flow.Pass, Why: "p"}, flow.Redact, "r", ""},
		"report, the answer is worse": {flow.Decision{Verdict: flow.Pass, Why: "p", Would: "redact"},
			&flow.Decision{Verdict: flow.Pass, Why: "p", Would: "block"}, flow.Pass, "p", "block"},
		"report, the request is worse": {flow.Decision{Verdict: flow.Pass, Why: "p", Would: "block"},
			&flow.Decision{Verdict: flow.Pass, Why: "p", Would: "redact"}, flow.Pass, "p", "block"},
		"report, only the answer": {flow.Decision{Verdict: flow.Pass, Why: "p"},
			&flow.Decision{Verdict: flow.Pass, Why: "p", Would: "redact"}, flow.Pass, "p", "redact"},
	} {
		in := &flow.Intent{Decision: tc.request, Findings: []flow.Finding{asked}, ForwardedBytes: 3, ScannedBytes: 2, UnreadableBytes: 1}
		v := flow.NewView(in, &flow.Outcome{Findings: []flow.Finding{said}, Decision: tc.answer, ScannedBytes: 50})
		if v.Verdict != tc.verdict || v.Why != tc.why || v.Would != tc.would {
			t.Errorf("%s: %v %q %q", name, v.Verdict, v.Why, v.Would)
		}
		if len(v.Findings) != 2 || v.Findings[0].ID != "f_1" || v.Findings[1].Place != "answer" || len(in.Findings) != 1 {
			t.Errorf("%s: findings %+v", name, v.Findings)
		}
		if v.ForwardedBytes != 3 || v.ScannedBytes != 2 || v.UnreadableBytes != 1 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
