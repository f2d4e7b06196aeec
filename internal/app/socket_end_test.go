package app_test

import (
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/workingagents/gatehouse/internal/flow"
)

const socketError = `{"type":"error","status":400,"error":{"type":"invalid_request_error","message":"no JSON"}}`

func TestAMessageThatIsNotJSONIsMarkedAndHasItsAnswer(t *testing.T) {
	h := open(t, t.TempDir(), socketUpstream(t, func(m string) []string {
		if strings.HasPrefix(m, "{") {
			return responseEvents("resp_1", "hello")
		}
		return []string{socketError}
	}), nil)
	c := dial(t, h, "/openai/v1/responses", nil)
	say(t, c, "not JSON", 1)
	say(t, c, `{"type":"response.create","model":"gpt-5-codex","input":[]}`, 3)
	c.Close(websocket.StatusNormalClosure, "")
	views := h.ended(3)
	h.exact(views[1], "not JSON", socketError)
	if v := views[1]; v.Unreadable == "" || v.State != flow.Done {
		t.Errorf("not JSON: %+v", v)
	}
	h.exact(views[2], `{"type":"response.create","model":"gpt-5-codex","input":[]}`, strings.Join(responseEvents("resp_1", "hello"), ""))
}

// Ending the provider's side is our doing then, not the provider's.
func TestAClientThatDropsTheSocketIsNamed(t *testing.T) {
	h := open(t, t.TempDir(), socketUpstream(t, func(string) []string { return responseEvents("resp_1", "hello")[:2] }), nil)
	for n := range 5 {
		c := dial(t, h, "/openai/v1/responses", nil)
		say(t, c, `{"type":"response.create","model":"gpt-5-codex","input":[]}`, 2)
		c.CloseNow()
		if v := h.ended(2 * (n + 1))[2*n+1]; v.State != flow.Aborted || v.Why != "the client went away" {
			t.Errorf("%s: %s", v.State, v.Why)
		}
	}
}
