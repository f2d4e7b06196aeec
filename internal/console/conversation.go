package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Teller tells sessions and flows with what is new in each. A *ledger.Ledger is
// one. It records who is told, and why, before it tells.
type Teller interface {
	Tell(ledger.Window, ledger.Access, func(*ledger.Told) error) (*ledger.Telling, error)
	TellFlow(id flow.ID, part string, by ledger.Access) (*ledger.Telling, *ledger.Told, error)
	FindingID(rule string, value []byte) string
}

// mostTold is how much text and pictures one answer holds before it says where to go
// on.
const mostTold = 32 << 20

// conversation answers with a window of a session.
func (c *Console) conversation(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	why := q.Get("why")
	if err := reason(why); err != nil {
		return err
	}
	limit, err := whole(q, "limit", 0)
	if err != nil {
		return err
	}
	window := ledger.Window{Session: r.PathValue("id"), Principal: q.Get("principal"), From: flow.ID(q.Get("from")), End: q.Get("end") == "1", Limit: limit}
	var b conversation.Builder
	var values *conversation.Values
	told, err := c.o.Talk.Tell(window, ledger.Access{Who: who(r), Why: why}, func(t *ledger.Told) error {
		if values == nil {
			values = asValues(t)
		}
		if b.Add(c.asFlow(t, values)); b.Bytes() > mostTold {
			return ledger.ErrEnough
		}
		return r.Context().Err()
	})
	if err != nil {
		return err
	}
	b.Middle = told.Prev != ""
	return writePlain(w, about(b.Done(), told))
}

// about adds what the session says of itself.
func about(c *conversation.Conversation, t *ledger.Telling) *conversation.Conversation {
	c.Session, c.Principal, c.Custody = t.Session, t.Principal, t.Custody
	c.First, c.Last, c.Turns = t.First, t.Last, t.Turns
	c.From, c.Next, c.Prev = t.From, t.Next, t.Prev
	return c
}

// flowConversation answers with one flow, all of its request.
func (c *Console) flowConversation(w http.ResponseWriter, r *http.Request) error {
	why := r.URL.Query().Get("why")
	if err := reason(why); err != nil {
		return err
	}
	telling, told, err := c.o.Talk.TellFlow(flow.ID(r.PathValue("id")), "", ledger.Access{Who: who(r), Why: why})
	if err != nil {
		return err
	}
	var b conversation.Builder
	b.Add(c.asFlow(told, asValues(told)))
	return writePlain(w, about(b.Done(), telling))
}

// part answers with one part, its whole text.
func (c *Console) part(w http.ResponseWriter, r *http.Request) error {
	why := r.URL.Query().Get("why")
	if err := reason(why); err != nil {
		return err
	}
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 0 {
		return refuse(http.StatusNotFound, "not_found", "a part's number is a whole number")
	}
	_, told, err := c.o.Talk.TellFlow(flow.ID(r.PathValue("id")), "part "+r.PathValue("n"), ledger.Access{Who: who(r), Why: why})
	if err != nil {
		return err
	}
	if p := conversation.PartOf(c.asFlow(told, asValues(told)), n); p != nil {
		return writePlain(w, p)
	}
	return unread(told, refuse(http.StatusNotFound, "not_found", "the flow has no such part"))
}

// unread gives the reason why a flow can't be read, if there is one.
func unread(t *ledger.Told, otherwise error) error {
	if t.Unread != nil {
		return t.Unread
	}
	return otherwise
}

// revealed is the one answer that holds a value which a rule found.
type revealed struct {
	Value string `json:"value"`
}

// revealBody says where a value stands, as its mark does.
type revealBody struct {
	Finding string `json:"finding,omitempty"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Place   string `json:"place"`
	Part    int64  `json:"part,omitempty"` // its n, where the place is the answer
	Why     string `json:"why"`
}

// reveal answers with a value that is masked, or that a pseudonym stands for.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request) error {
	var in revealBody
	if err := strictly(w, r, &in, `{"finding", "start", "end", "place", "part", "why"}`); err != nil {
		return err
	}
	if err := reason(in.Why); err != nil {
		return err
	}
	if len(in.Finding) > 64 || len(in.Place) > 256 {
		return refuse(http.StatusBadRequest, "body", "there is no such finding or place")
	}
	what := fmt.Sprintf("reveal %s %s %d-%d", in.Finding, in.Place, in.Start, in.End)
	_, told, err := c.o.Talk.TellFlow(flow.ID(r.PathValue("id")), what, ledger.Access{Who: who(r), Why: in.Why})
	if err != nil {
		return err
	}
	value, err := conversation.Reveal(c.asFlow(told, asValues(told)), in.Place, in.Part, in.Start, in.End)
	if errors.Is(err, conversation.ErrPlace) {
		return unread(told, refuse(http.StatusNotFound, "not_found", err.Error()))
	}
	if err != nil {
		return err
	}
	return writePlain(w, revealed{value})
}

// writePlain writes JSON in which <, > and & stand as they are: there is much text
// in it, and no browser takes it for a page.
func writePlain(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// asFlow gives what the ledger tells in the words of a conversation.
func (c *Console) asFlow(t *ledger.Told, values *conversation.Values) *conversation.Flow {
	f := &conversation.Flow{
		Intent: t.Intent, Outcome: t.Outcome, Before: t.Before, Gap: t.Gap, At: t.Change.At, Role: t.Change.Role, Tooled: t.Tooled,
		Change: conversation.Change{Kept: t.Change.Kept, Added: t.Change.Added, Removed: t.Change.Removed, System: t.Change.System, Tools: t.Change.Tools},
		Hide:   values, Loose: t.Loose, Left: t.Left, Rest: t.Rest, Text: t.Text, Unread: c.why(t.Unread), NoReply: c.why(t.Unanswered), Names: c.o.Talk.FindingID,
	}
	for i := range t.Blocks {
		f.Blocks = append(f.Blocks, asBlock(&t.Blocks[i]))
	}
	for _, e := range t.Edits {
		f.Edits = append(f.Edits, conversation.Edit{At: e.At, Cut: e.Cut, Put: e.Put})
	}
	for _, chunk := range t.Answer {
		f.Chunks = append(f.Chunks, chunk.Data)
	}
	return f
}

func asBlock(b *ledger.Block) conversation.Block {
	out := conversation.Block{Field: b.Field, Role: b.Role, Start: b.Start, Raw: b.Raw, Found: b.Found, First: b.First, Turn: b.Turn}
	for _, s := range b.Secrets {
		out.Secrets = append(out.Secrets, conversation.Secret(s))
	}
	return out
}

// why gives the sentence for a body that is not there.
func (c *Console) why(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ledger.ErrNotKept):
		return "Only metadata of this flow is kept."
	case errors.Is(err, ledger.ErrRemoved):
		return "Part of the content was removed by retention."
	}
	if errors.Is(err, ledger.ErrNoParts) {
		return "The body can't be read as a conversation; its bytes can be."
	}
	if errors.Is(err, ledger.ErrLong) {
		return "The body is too long to be shown as a conversation; its bytes can be read."
	}
	c.o.Log.Warn("reading a flow for a conversation", "err", err)
	return "The content can't be read; the gateway's log says more."
}

// asValues gives the session's values: the same for all of its flows.
func asValues(t *ledger.Told) *conversation.Values {
	list := make([]conversation.Value, 0, len(t.Values))
	for _, v := range t.Values {
		list = append(list, conversation.Value{Text: string(v.Value), Rule: v.Rule})
	}
	return conversation.NewValues(list)
}
