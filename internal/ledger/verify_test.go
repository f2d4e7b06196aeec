package ledger_test

import (
	"errors"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestVerifyComparesBodies: a body that does not give the hash that was
// recorded for it is found, each of the four.
func TestVerifyComparesBodies(t *testing.T) {
	body, answer := conversation(2), []byte("the answer")
	edits := []ledger.Edit{{At: 1, Cut: 1, Put: []byte("x")}}
	forwarded := append([]byte("{x"), body[2:]...)
	for name, wrong := range map[string]func(*flow.Intent, *flow.Outcome){
		"":          func(*flow.Intent, *flow.Outcome) {},
		"request":   func(in *flow.Intent, _ *flow.Outcome) { in.RequestSHA256 = sum(nil) },
		"forwarded": func(in *flow.Intent, _ *flow.Outcome) { in.ForwardedSHA256 = sum(body) },
		"response":  func(_ *flow.Intent, out *flow.Outcome) { out.ResponseSHA256 = sum(nil) },
		"delivered": func(_ *flow.Intent, out *flow.Outcome) { out.DeliveredSHA256 = sum(answer) },
	} {
		l := start(t, ledger.Options{})
		in, out := intent("f1", "s", body), outcome("f1", answer)
		in.ForwardedSHA256, out.DeliveredSHA256 = sum(forwarded), sum(answer[:3])
		wrong(in, out)
		r, err := l.Begin(in, ledger.Content{Doc: split.Split(body, nil), Edits: edits})
		if err != nil {
			t.Fatal(err)
		}
		r.Push(answer[:5])
		r.Push(answer[5:])
		if err := r.End(out, []ledger.Edit{{At: 3, Cut: 7}}); err != nil {
			t.Fatal(err)
		}
		rep, err := l.Verify(nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := name != ""; (rep.Code == ledger.Tampered) != want || !want && rep.Bodies != 4 {
			t.Errorf("%q wrong: %+v", name, rep)
		}
	}
}

func TestVerifyFindsSecondIntentsAndOutcomes(t *testing.T) {
	l := start(t, ledger.Options{})
	for range 2 {
		r, err := l.Begin(intent("f1", "s", nil), ledger.Content{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.End(outcome("f1", nil), nil); err != nil {
			t.Fatal(err)
		}
	}
	if rep, err := l.Verify(nil); err != nil || rep.Code != ledger.Tampered || len(rep.Problems) != 2 {
		t.Errorf("verify: %v %+v", err, rep)
	}
}

func TestAfterClose(t *testing.T) {
	l, stop := open(t, ledger.Options{})
	body := conversation(1)
	r, err := l.Begin(intent("f1", "s", body), ledger.Content{Doc: split.Split(body, nil)})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	var refused *flow.Refusal
	if _, err := l.Begin(intent("f2", "s", body), ledger.Content{}); !errors.As(err, &refused) || refused.Status != 503 {
		t.Errorf("begin: %v", err)
	}
	if err := r.End(outcome("f1", nil), nil); err == nil {
		t.Error("an outcome is taken by a closed ledger")
	}
	if err := l.Admin("late", "after the end", nil); err == nil {
		t.Error("an admin entry is taken by a closed ledger")
	}
	if err := l.Close(); err != nil {
		t.Errorf("a second close: %v", err)
	}
}

func TestFlowsByIDAndSession(t *testing.T) {
	l := start(t, ledger.Options{})
	for _, id := range []flow.ID{"ab1", "ab2", "b1"} {
		in := intent(id, "session-"+string(id[:1]), nil)
		in.Session.Subagent = "sub"
		r, err := l.Begin(in, ledger.Content{})
		if err != nil {
			t.Fatal(err)
		}
		if id == "b1" {
			continue // stays open
		}
		if err := r.End(outcome(id, nil), nil); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[flow.ID]error{"ab1": nil, "b": nil, "ab": ledger.ErrAmbiguous, "c": ledger.ErrNotFound, "": ledger.ErrNotFound} {
		if _, _, err := l.Flow(id); !errors.Is(err, want) {
			t.Errorf("flow %q: %v, want %v", id, err, want)
		}
	}
	for q, want := range map[ledger.Query]int{{}: 3, {Limit: 2}: 2, {Session: "session-a"}: 2, {Session: "session-x"}: 0} {
		if views, err := listed(l, q); err != nil || len(views) != want {
			t.Errorf("%+v: %d flows, %v, want %d", q, len(views), err, want)
		}
	}
	sessions, err := gather(l.Sessions(ledger.Query{Session: "session-a"}))
	if err != nil || len(sessions) != 1 || sessions[0].Flows != 2 || sessions[0].Subagents != 1 || sessions[0].Cost == nil || *sessions[0].Cost != 0.5 || sessions[0].Usage.Output != 40 {
		t.Errorf("sessions: %+v, %v", sessions, err)
	}
	if _, out, err := l.Flow("b1"); err != nil || out != nil {
		t.Errorf("the open flow: %+v, %v", out, err)
	}
}
