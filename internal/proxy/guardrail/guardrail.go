// Package guardrail is the entrance for other gateways: LiteLLM's generic guardrail
// API (POST /beta/litellm_basic_guardrail_api). What it is asked about is judged and
// recorded as what goes through us, by the policy for the access key that asks; what
// becomes of it then is the asking gateway's business. It forwards nothing.
package guardrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Path is where LiteLLM asks.
const Path = "/beta/litellm_basic_guardrail_api"

// Options are what the entrance needs. All are required.
type Options struct {
	Gate    *gate.Gate
	Keys    *identity.Keys
	Secret  func(secret []byte) string // keyed fingerprint of a credential, for what is recorded
	MaxBody int64                      // bytes of one question
	Ready   func() error               // nil error: questions are taken
	Log     *slog.Logger
}

// Server answers questions. It is safe for concurrent use.
type Server struct {
	o     Options
	slots chan struct{}
}

// most is how many questions are judged at once, of maxBytes at most: that bounds
// their memory. More are refused.
const (
	most     = 16
	maxBytes = 16 << 20
)

// New makes the entrance.
func New(o Options) *Server {
	o.MaxBody = min(o.MaxBody, maxBytes)
	return &Server{o: o, slots: make(chan struct{}, most)}
}

// ServeHTTP judges one question. A judgement is an answer with status 200; any
// other status says that there is none, and LiteLLM does then what its own settings
// say (unreachable_fallback, fail_on_error).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply, err := s.serve(r)
	status := http.StatusOK
	var refusal *flow.Refusal
	switch {
	case errors.As(err, &refusal):
		status, reply = refusal.Status, gate.Reply(flow.LiteLLM, r.Method, refusal)
	case err != nil:
		s.o.Log.Error("answering as a guardrail", "err", err)
		status, reply = http.StatusInternalServerError, []byte("{}\n")
	}
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
	}
	w.WriteHeader(status)
	w.Write(reply)
}

func (s *Server) serve(r *http.Request) ([]byte, error) {
	principal, err := s.principal(r)
	if err != nil {
		return nil, s.turn(err)
	}
	if err := s.o.Ready(); err != nil {
		return nil, s.turn(refuse(http.StatusServiceUnavailable, "draining", err.Error()))
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return nil, s.turn(refuse(http.StatusServiceUnavailable, "busy", "the gateway judges as many texts as it may"))
	}
	m := s.message(r, principal)
	if m.Body, err = io.ReadAll(io.LimitReader(r.Body, s.o.MaxBody+1)); err != nil {
		return nil, s.turn(refuse(http.StatusBadRequest, "unread", "the question did not come whole"))
	}
	if int64(len(m.Body)) > s.o.MaxBody {
		size := max(r.ContentLength, int64(len(m.Body)))
		return nil, s.o.Gate.Refuse(m, size, refuse(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the question is over the limit of %d bytes", s.o.MaxBody)))
	}
	if err := read(m); err != nil {
		return nil, s.o.Gate.Refuse(m, int64(len(m.Body)), err)
	}
	return s.judge(m)
}

// turn counts a question that becomes no flow.
func (s *Server) turn(err error) error {
	var refusal *flow.Refusal
	if errors.As(err, &refusal) {
		s.o.Gate.Turned(refusal.Kind, refusal.Text)
	}
	return err
}

// keyHeaders may carry the access key; LiteLLM's api_key comes in the first.
var keyHeaders = []string{"X-Api-Key", identity.KeyHeader, "Authorization"}

// principal is the access key's. A question without one, or with a wrong one, is
// nobody's.
func (s *Server) principal(r *http.Request) (flow.Principal, error) {
	for _, name := range keyHeaders {
		secret := r.Header.Get(name)
		if scheme, token, ok := strings.Cut(secret, " "); ok && strings.EqualFold(scheme, "Bearer") {
			secret = token
		}
		if secret == "" {
			continue
		}
		key, err := s.o.Keys.Lookup(strings.TrimSpace(secret))
		switch {
		case errors.Is(err, identity.ErrUnknownKey), errors.Is(err, identity.ErrRevoked):
			return flow.Principal{}, &flow.Refusal{Status: http.StatusUnauthorized, Kind: "access_key_unknown", Text: "this access key is not known here", Err: err}
		case err != nil:
			return flow.Principal{}, &flow.Refusal{Status: http.StatusServiceUnavailable, Kind: "access_keys_unreadable", Text: "the access keys can't be read at the moment", Err: err}
		}
		return flow.Principal{Name: "key:" + key.Name, Key: key.Name}, nil
	}
	return flow.Principal{}, refuse(http.StatusUnauthorized, "access_key_missing", "a question needs an access key of this gateway (gatehouse key add NAME) as X-Api-Key: in LiteLLM, api_key")
}

func (s *Server) message(r *http.Request, principal flow.Principal) *gate.Message {
	h := r.Header.Clone()
	for _, name := range keyHeaders {
		h.Del(name)
	}
	return &gate.Message{
		Entrance: flow.Guardrail, Provider: flow.LiteLLM, API: flow.AskRequest, Method: r.Method,
		Path: identity.ScrubPath(r.URL.RequestURI(), s.o.Secret), Route: Path, Header: identity.ScrubHeader(h, s.o.Secret),
		Encoding: strings.Join(h["Content-Encoding"], ","), Type: h.Get("Content-Type"), Principal: principal, Custody: flow.SameUser,
	}
}

// read fills in what the question says of itself: whether it is about a request or
// an answer, and of which conversation.
func read(m *gate.Message) *flow.Refusal {
	if m.Encoding != "" || !peek.Whole(m.Body) || !json.Valid(m.Body) {
		return refuse(http.StatusBadRequest, "no_question", "the question must be one JSON object, not compressed")
	}
	switch kind := peek.Short(peek.Get(m.Body, "input_type")); kind {
	case "request":
	case "response":
		m.API = flow.AskResponse
	default:
		return refuse(http.StatusBadRequest, "no_question", "input_type must be request or response")
	}
	if _, ok := texts(m.Body); !ok {
		return refuse(http.StatusBadRequest, "no_question", "texts must be a list of texts")
	}
	for _, name := range []string{"litellm_trace_id", "litellm_call_id"} {
		if m.Claim.Session == "" {
			m.Claim.Session = peek.Short(peek.Get(m.Body, name))
		}
	}
	return nil
}

// texts gives the texts of a question; none is none.
func texts(body []byte) (list []string, ok bool) {
	raw := peek.Get(body, "texts")
	if peek.Null(raw) {
		return nil, true
	}
	for w := peek.Elements(raw); w.Next(); {
		if !peek.IsString(w.Value) {
			return nil, false
		}
		list = append(list, peek.String(w.Value))
	}
	return list, peek.IsArray(raw)
}

// judgement is our answer.
type judgement struct {
	Action string   `json:"action"` // NONE or GUARDRAIL_INTERVENED; BLOCKED is a refusal's
	Texts  []string `json:"texts,omitempty"`
}

// judge has the gate decide, and gives back the texts as they may go on: with
// pseudonyms in a request, with values again in an answer.
func (s *Server) judge(m *gate.Message) ([]byte, error) {
	came, _ := texts(m.Body)
	p, err := s.o.Gate.Admit(m)
	if err != nil {
		return nil, err
	}
	defer p.End(flow.Aborted, "the gateway failed") // counts when nothing was answered
	body, _ := p.Body()
	on, _ := texts(body)
	if m.API == flow.AskResponse {
		for i := range on {
			if on[i], err = p.Restored(on[i]); err != nil {
				refusal := refuse(http.StatusServiceUnavailable, "internal", "the values of the session can't be read")
				p.Fail(refusal)
				return nil, refusal
			}
		}
	}
	answer := judgement{Action: "NONE"}
	if !slices.Equal(came, on) {
		answer = judgement{"GUARDRAIL_INTERVENED", on}
	}
	var reply bytes.Buffer
	enc := json.NewEncoder(&reply)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		return nil, fmt.Errorf("writing a judgement: %w", err)
	}
	p.Answered(reply.Bytes())
	return reply.Bytes(), nil
}

func refuse(status int, kind, text string) *flow.Refusal {
	return &flow.Refusal{Status: status, Kind: kind, Text: text}
}
