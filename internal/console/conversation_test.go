package console_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// talker tells one flow and notes who asked for what.
type talker struct {
	asked []string
	fault error
}

func (k *talker) told() *ledger.Told {
	return &ledger.Told{
		Intent: &flow.Intent{Flow: "f1", API: flow.Messages, Turn: 1, Decision: flow.Decision{Verdict: flow.Pass}}, Change: ledger.Change{At: -1},
		Blocks: []ledger.Block{{Field: "messages", Role: "user", Raw: []byte(`{"type":"text","text":"<b>hello"}`)}},
	}
}

func (k *talker) Tell(w ledger.Window, by ledger.Access, visit func(*ledger.Told) error) (*ledger.Telling, error) {
	k.asked = append(k.asked, w.Session+" "+w.Principal+" "+string(w.From)+" "+by.Why)
	if k.fault != nil {
		return nil, k.fault
	}
	return &ledger.Telling{}, visit(k.told())
}

func (k *talker) TellFlow(id flow.ID, part string, by ledger.Access) (*ledger.Telling, *ledger.Told, error) {
	k.asked = append(k.asked, string(id)+" "+part+" "+by.Why)
	return &ledger.Telling{}, k.told(), k.fault
}

func (k *talker) FindingID(string, []byte) string { return "" }

func TestConversationsNeedAReason(t *testing.T) {
	d := newDesk(t)
	for _, call := range [][3]string{
		{"GET", "/sessions/s/conversation", ""}, {"GET", "/flows/f1/conversation?why=", ""}, {"GET", "/flows/f1/parts/0", ""},
		{"POST", "/flows/f1/reveal", `{"finding":"f_1","start":0,"end":3,"place":""}`},
	} {
		if w := d.ask(call[0], "/api/v1"+call[1], call[2]); w.Code != 400 || !strings.Contains(w.Body.String(), `"kind":"why"`) {
			t.Errorf("%s: %d %s, want 400 and the why", call[1], w.Code, w.Body)
		}
	}
	if len(d.talk.asked) != 0 {
		t.Errorf("the ledger was asked %q, want nothing", d.talk.asked)
	}
}

func TestConversationsAreToldToWhoGivesOne(t *testing.T) {
	d := newDesk(t)
	for _, call := range []struct{ method, path, body, want, asked string }{
		{"GET", "/sessions/a%2Fb/conversation?principal=p&from=f0&why=audit", "", `"text":"<b>hello"`, "a/b p f0 audit"},
		{"GET", "/flows/f1/conversation?why=audit", "", `"turns":[{"flow":"f1"`, "f1  audit"},
		{"GET", "/flows/f1/parts/0?why=audit", "", `"text":"<b>hello"`, "f1 part 0 audit"},
		{"POST", "/flows/f1/reveal", `{"finding":"f_1","start":23,"end":26,"place":"","why":"audit"}`, `{"value":"<b>"}`, "f1 reveal f_1  23-26 audit"},
	} {
		w := d.ask(call.method, "/api/v1"+call.path, call.body)
		if w.Code != 200 || !strings.Contains(w.Body.String(), call.want) {
			t.Errorf("%s: %d %s, want %s", call.path, w.Code, w.Body, call.want)
		}
		if got := d.talk.asked[len(d.talk.asked)-1]; got != call.asked {
			t.Errorf("%s: asked %q, want %q", call.path, got, call.asked)
		}
	}
}

func TestConversationsThatAreNotThere(t *testing.T) {
	d := newDesk(t)
	for _, call := range []struct {
		method, path, body string
		fault              error
		want               int
	}{
		{"GET", "/sessions/s/conversation?why=audit", "", ledger.ErrNotFound, 404},
		{"GET", "/sessions/s/conversation?why=audit", "", ledger.ErrShared, 400},
		{"GET", "/sessions/s/conversation?why=audit&limit=x", "", nil, 400},
		{"GET", "/flows/f1/parts/9?why=audit", "", nil, 404},
		{"GET", "/flows/f1/parts/x?why=audit", "", nil, 404},
		{"GET", "/flows/f1/conversation?why=audit", "", errors.New("inner"), 500},
		{"POST", "/flows/f1/reveal", `{"start":0,"end":99,"place":"","why":"audit"}`, nil, 404},
		{"POST", "/flows/f1/reveal", `{"start":-1,"end":9,"place":"header X","why":"audit"}`, nil, 404},
		{"POST", "/flows/f1/reveal", `{"begin":0}`, nil, 400},
	} {
		d.talk.fault = call.fault
		if w := d.ask(call.method, "/api/v1"+call.path, call.body); w.Code != call.want {
			t.Errorf("%s %s: %d %s, want %d", call.path, call.body, w.Code, w.Body, call.want)
		}
	}
}
