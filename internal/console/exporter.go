package console

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"

	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// exporter reads flows for one export, one after the other.
type exporter struct {
	c       *Console
	by      ledger.Access
	content bool // bodies are wanted
	har     bool // one body for each side is enough
	request bool // nothing is wanted of the answer
	mask    bool // what rules found is masked

	sessions map[sessionKey]*learned
	asked    int // how often one of them was
}

type sessionKey struct{ principal, session string }

// learned are the values of a session, and the flows that they are from.
type learned struct {
	export.Values
	ended map[flow.ID]bool // whether it had when it was looked at
	asked int              // exporter.asked, when it was last
}

// mostLearned is for how many sessions values are kept at once.
const mostLearned = 32

// exporter reads redact and why. The reason is needed for content only.
func (c *Console) exporter(r *http.Request, content bool) (*exporter, error) {
	v := r.URL.Query()
	x := &exporter{c: c, by: ledger.Access{Who: who(r), Why: v.Get("why")}, content: content, sessions: map[sessionKey]*learned{}}
	switch redact := v.Get("redact"); redact {
	case "", "none":
	case "values":
		x.mask = true
	default:
		return nil, refuse(http.StatusBadRequest, "redact", "redact is none or values")
	}
	if c.o.Archive == nil {
		return nil, refuse(http.StatusNotFound, "not_found", "there is nothing to export from")
	}
	if content {
		return x, reason(x.by.Why)
	}
	return x, nil
}

// all writes flows. One that can't be read is there all the same, and says so.
func (x *exporter) all(ctx context.Context, rows iter.Seq2[flow.Row, error], out writer) error {
	for row, err := range rows {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		in, end, err := x.c.o.Archive.Flow(row.ID)
		if err != nil {
			in, end = x.unreadable(row.ID, err)
		}
		f, err := x.flow(in, end)
		if err != nil {
			return err
		}
		if err := out.Add(f); err != nil {
			return err
		}
	}
	return out.Close()
}

// unreadable stands for a flow of which nothing is to be had.
func (x *exporter) unreadable(id flow.ID, err error) (*flow.Intent, *flow.Outcome) {
	in := &flow.Intent{Flow: id, Capture: flow.CaptureMetadata, Unreadable: x.why(id, err)}
	return in, &flow.Outcome{Flow: id, State: flow.Unknown}
}

// why says for people why something could not be read.
func (x *exporter) why(id flow.ID, err error) string {
	switch {
	case errors.Is(err, ledger.ErrNotKept):
		return "only metadata of this flow is kept"
	case errors.Is(err, ledger.ErrRemoved), errors.Is(err, ledger.ErrNotFound):
		return "retention removed it"
	}
	x.c.o.Log.Warn("reading a flow for an export", "flow", id, "err", err)
	return "it can't be read; the gateway's log says more"
}

// flow reads what is given out of one flow.
func (x *exporter) flow(in *flow.Intent, out *flow.Outcome) (*export.Flow, error) {
	f := &export.Flow{Intent: in, Outcome: out}
	if x.content {
		for _, what := range x.bodies(in, out) {
			b, err := x.body(in, out, what)
			if err != nil {
				return nil, err
			}
			f.Bodies = append(f.Bodies, b)
		}
	}
	if !x.mask {
		return f, nil
	}
	values := &export.Values{}
	if x.content {
		var err error
		if values, err = x.values(in, out); err != nil {
			return nil, err
		}
	}
	values.Mask(f)
	return f, nil
}

// bodies says which bodies are given out: all that differ. With values masked
// those are enough that the provider had, in which what was redacted is.
func (x *exporter) bodies(in *flow.Intent, out *flow.Outcome) (list []export.What) {
	forwarded := in.ForwardedSHA256 != "" && (out == nil || out.Sent())
	differs := forwarded && in.ForwardedSHA256 != in.RequestSHA256
	switch {
	case in.RequestBytes == 0:
	case x.mask && differs:
		list = append(list, export.Forwarded)
	default:
		list = append(list, export.Request)
		if differs && !x.har && !x.request {
			list = append(list, export.Forwarded)
		}
	}
	if x.request || out != nil && out.ResponseBytes == 0 && out.DeliveredSHA256 == "" {
		return list
	}
	differs = out != nil && out.DeliveredSHA256 != "" && out.DeliveredSHA256 != out.ResponseSHA256
	if !differs || x.mask || !x.har {
		list = append(list, export.Response)
	}
	if differs && !x.mask {
		list = append(list, export.Delivered)
	}
	return list
}

// body reads a body. Only that the access could not be recorded ends the export.
func (x *exporter) body(in *flow.Intent, out *flow.Outcome, what export.What) (export.Body, error) {
	b := export.Body{What: what}
	switch {
	case in.Capture == flow.CaptureMetadata:
		b.Left = x.why(in.Flow, ledger.ErrNotKept)
		return b, nil
	case out == nil && what == export.Response:
		b.Left = "the answer is still coming"
		return b, nil
	}
	chunks, err := x.c.o.Archive.Read(in.Flow, ledger.What(what), x.by)
	var refusal *flow.Refusal
	if errors.Is(err, ledger.ErrUnrecorded) || errors.As(err, &refusal) {
		return b, err
	}
	if err != nil {
		b.Left = x.why(in.Flow, err)
		return b, nil
	}
	for _, c := range chunks {
		b.Chunks = append(b.Chunks, export.Chunk{Data: c.Data, At: c.At})
	}
	return b, nil
}

// values gives what rules found in a flow's session, in whichever of its flows.
func (x *exporter) values(in *flow.Intent, out *flow.Outcome) (*export.Values, error) {
	key := sessionKey{in.Principal.Name, in.Session.ID}
	known, ok := x.sessions[key]
	if !ok {
		known = &learned{Values: export.Values{Names: x.c.o.Archive.FindingID}, ended: map[flow.ID]bool{}}
		if len(x.sessions) >= mostLearned {
			x.forget()
		}
		x.sessions[key] = known
		if err := x.session(key, known); err != nil {
			return nil, err
		}
	}
	x.asked++
	known.asked = x.asked
	return &known.Values, x.learn(known, in, out)
}

// forget lets the values go that were needed longest ago. To learn them again all
// flows of their session are read.
func (x *exporter) forget() {
	var last sessionKey
	at := x.asked + 1
	for key, known := range x.sessions {
		if known.asked < at {
			last, at = key, known.asked
		}
	}
	delete(x.sessions, last)
}

func (x *exporter) session(key sessionKey, known *learned) error {
	if key.session == "" {
		return nil
	}
	vault, err := x.c.o.Archive.VaultIn(key.principal, key.session)
	if err != nil {
		return err
	}
	for _, e := range vault {
		known.Add(e.Rule, e.Value)
	}
	chosen, err := x.c.o.Archive.Choose(ledger.Query{Session: key.session})
	if err != nil {
		return err
	}
	for row, err := range chosen.Rows {
		if err != nil {
			return err
		}
		if row.Principal != key.principal || !slices.ContainsFunc(row.Rules, export.Hides) {
			continue
		}
		in, out, err := x.c.o.Archive.Flow(row.ID)
		if err != nil {
			known.Miss(row.ID)
			continue
		}
		if err := x.learn(known, in, out); err != nil {
			return err
		}
	}
	return nil
}

// learn takes the values of one flow, again when it has ended since.
func (x *exporter) learn(known *learned, in *flow.Intent, out *flow.Outcome) error {
	if ended, ok := known.ended[in.Flow]; ok && (ended || out == nil) {
		return nil
	}
	known.ended[in.Flow] = out != nil
	f := &export.Flow{Intent: in, Outcome: out}
	for _, what := range f.Sources() {
		b, err := x.body(in, out, what)
		if err != nil {
			return err
		}
		f.Bodies = append(f.Bodies, b)
	}
	known.Learn(f)
	return nil
}
