package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// handler answers, or returns why it can't.
type handler func(http.ResponseWriter, *http.Request) error

func refuse(status int, kind, text string) error {
	return &flow.Refusal{Status: status, Kind: kind, Text: text}
}

// problem is the body of every refusal.
type problem struct {
	Error struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Column  int    `json:"column,omitempty"` // of a filter, in characters, from 1
		Hint    string `json:"hint,omitempty"`   // what to write in a filter instead
	} `json:"error"`
}

// newProblem makes the body for an error whose refusal is r.
func newProblem(r *flow.Refusal, err error) problem {
	var p problem
	p.Error.Kind, p.Error.Message = r.Kind, r.Text
	var f *filter.Error
	if errors.As(err, &f) {
		p.Error.Column, p.Error.Hint = f.Column, f.Hint
	}
	return p
}

// serve runs a handler and answers its error: as the status, or, when the
// answer has begun, as its last line.
func (c *Console) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := &answer{ResponseWriter: w}
		err := h(out, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		refusal := c.asRefusal(r, err)
		if !out.begun {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(refusal.Status)
		}
		json.NewEncoder(w).Encode(newProblem(refusal, err)) // a client that is gone needs no answer
	}
}

// known are the errors that a client may read, and what they are to it.
var known = []struct {
	err    error
	status int
	kind   string
}{
	{ledger.ErrNotFound, http.StatusNotFound, "not_found"},
	{ledger.ErrAmbiguous, http.StatusBadRequest, "ambiguous"},
	{ledger.ErrNoSession, http.StatusNotFound, "not_found"},
	{ledger.ErrShared, http.StatusBadRequest, "ambiguous"},
	{ledger.ErrNotKept, http.StatusNotFound, "not_kept"},
	{ledger.ErrRemoved, http.StatusGone, "removed"},
	{identity.ErrNoSuchName, http.StatusNotFound, "not_found"},
	{identity.ErrName, http.StatusBadRequest, "name"},
	{identity.ErrNameTaken, http.StatusConflict, "name_taken"},
}

// asRefusal gives what the client may know. The cause of an inner error is
// for the log; neither ever holds content.
func (c *Console) asRefusal(r *http.Request, err error) *flow.Refusal {
	var refusal *flow.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	var wrong *filter.Error
	if errors.As(err, &wrong) {
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "filter", Text: wrong.Text}
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return &flow.Refusal{Status: k.status, Kind: k.kind, Text: err.Error()}
		}
	}
	c.o.Log.Error("answering the console", "method", r.Method, "route", r.Pattern, "err", err)
	return &flow.Refusal{Status: http.StatusInternalServerError, Kind: "internal", Text: "the gateway could not answer; its log says why"}
}

// answer remembers whether the answer has begun.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

// lines writes JSON lines.
type lines struct {
	w   http.ResponseWriter
	enc *json.Encoder
}

func newLines(w http.ResponseWriter) lines {
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return lines{w, enc}
}

func (l lines) add(v any) error { return l.enc.Encode(v) }

// flush sends what was added.
func (l lines) flush() error { return http.NewResponseController(l.w).Flush() }
