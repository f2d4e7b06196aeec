package flow

import (
	"slices"
	"time"
)

// View is a flow as reading commands show it: intent and outcome in one row.
// Its JSON names are a contract with other tools.
type View struct {
	ID                ID        `json:"id"`
	Session           string    `json:"session"`
	Turn              *int      `json:"turn"`
	RetryOf           *ID       `json:"retry_of"`
	Entrance          Entrance  `json:"entrance"`
	Provider          Provider  `json:"provider"`
	Model             string    `json:"model"`
	Method            string    `json:"method"`
	Path              string    `json:"path"`
	Host              string    `json:"host,omitempty"`
	Status            int       `json:"status"`
	State             State     `json:"state"`
	Verdict           Verdict   `json:"verdict"`
	Why               string    `json:"why"`
	Principal         string    `json:"principal"`
	Custody           Custody   `json:"custody"`
	RequestBytes      int64     `json:"request_bytes"`
	RequestSHA256     string    `json:"request_sha256"`
	ForwardedSHA256   string    `json:"forwarded_sha256"`
	ResponseBytes     int64     `json:"response_bytes"`
	ResponseSHA256    string    `json:"response_sha256"`
	DeliveredSHA256   string    `json:"delivered_sha256"`
	Usage             UsageView `json:"usage"`
	Cost              *float64  `json:"cost_usd"`
	ProviderRequestID string    `json:"provider_request_id"`
	Started           time.Time `json:"started"`
	FirstByteMS       *float64  `json:"first_byte_ms"`
	DurationMS        *float64  `json:"duration_ms"`

	API         API    `json:"api"`
	Agent       string `json:"agent,omitempty"`   // empty: none that is known
	Claimed     bool   `json:"claimed,omitempty"` // the agent named its session
	Subagent    string `json:"subagent,omitempty"`
	Predecessor ID     `json:"predecessor,omitempty"`
	Stop        string `json:"stop,omitempty"`
	Error       string `json:"error,omitempty"`
	Credential  string `json:"credential,omitempty"`
	Unreadable  string `json:"unreadable,omitempty"`

	ForwardedBytes  int64     `json:"forwarded_bytes"`            // of the request's body
	ScannedBytes    int64     `json:"scanned_bytes"`              // of the request's decoded body, that detectors read to the end
	UnreadableBytes int64     `json:"unreadable_bytes,omitempty"` // of it, that could not be decoded to the end
	Findings        []Finding `json:"findings,omitempty"`         // the request's, then the answer's
	Rules           []string  `json:"rules,omitempty"`            // that decided, and "limit:KIND" or "blind:KIND" where no rule did
	Tools           []string  `json:"tools,omitempty"`            // that the answer calls, each once
	Would           string    `json:"would,omitempty"`            // in mode report: the verdict that enforcing would have given

	ClientTLS   *Leg  `json:"client_tls,omitempty"`
	ProviderTLS *Leg  `json:"provider_tls,omitempty"`
	SentBytes   int64 `json:"sent_bytes,omitempty"` // through a tunnel, by the client
}

// UsageView is Usage without the parts that only pricing needs.
type UsageView struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Reasoning  int64 `json:"reasoning"`
	Estimated  bool  `json:"estimated"`
}

// NewView joins an intent and its outcome. A nil outcome is an open flow.
func NewView(in *Intent, out *Outcome) View {
	v := View{
		ID: in.Flow, Session: in.Session.ID, Entrance: in.Entrance, Provider: in.Provider,
		Model: in.Model, Method: in.Method, Path: in.Path, Host: in.Host, State: Open,
		Verdict: in.Decision.Verdict, Why: in.Decision.Why, Principal: in.Principal.Name, Custody: in.Custody,
		RequestBytes: in.RequestBytes, RequestSHA256: in.RequestSHA256, ForwardedSHA256: in.ForwardedSHA256,
		Started: in.Started, API: in.API, Agent: in.Agent, Subagent: in.Session.Subagent, Predecessor: in.Session.Predecessor,
		Credential: in.Principal.Credential, Unreadable: in.Unreadable,
		ForwardedBytes: in.ForwardedBytes, ScannedBytes: in.ScannedBytes, UnreadableBytes: in.UnreadableBytes,
		Findings: in.Findings, Rules: in.Decision.Rules, Claimed: in.Session.Claimed, Would: in.Decision.Would, ClientTLS: in.TLS,
	}
	if in.Turn > 0 {
		turn := in.Turn
		v.Turn = &turn
	}
	if in.RetryOf != "" {
		id := in.RetryOf
		v.RetryOf = &id
	}
	if out != nil {
		v.end(out)
	}
	return v
}

func (v *View) end(out *Outcome) {
	v.State, v.Status = out.State, out.Status
	if !out.Sent() { // though it was admitted
		v.ForwardedSHA256, v.ForwardedBytes = "", 0
	}
	if out.Why != "" {
		v.Why = out.Why
	}
	if out.Model != "" {
		v.Model = out.Model
	}
	v.ResponseBytes, v.ResponseSHA256, v.DeliveredSHA256 = out.ResponseBytes, out.ResponseSHA256, out.DeliveredSHA256
	u := out.Usage
	v.Usage = UsageView{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.Reasoning, u.Estimated}
	v.Cost, v.ProviderRequestID = out.Cost, out.ProviderRequestID
	v.Stop, v.Error, v.Tools = out.Stop, out.Error, out.Tools
	if out.Unreadable != "" {
		v.Unreadable = out.Unreadable
	}
	v.judge(out)
	if out.FirstByte > 0 {
		v.FirstByteMS = millis(out.FirstByte)
	}
	v.DurationMS = millis(out.Duration)
	v.ProviderTLS, v.SentBytes = out.TLS, out.SentBytes
}

// judge adds what was seen in the answer. Its verdict is the flow's when it is
// the stricter one; the request's own scanned bytes stay as they are.
func (v *View) judge(out *Outcome) {
	if len(out.Findings) > 0 {
		v.Findings = append(slices.Clip(v.Findings), out.Findings...)
	}
	d := out.Decision
	if d == nil {
		return
	}
	if d.Verdict < v.Verdict {
		v.Verdict, v.Why, v.Rules = d.Verdict, d.Why, d.Rules
	}
	v.Would = stricter(v.Would, d.Would)
}

// stricter gives the stricter one of two verdicts' names; "" is none.
func stricter(a, b string) string {
	var x, y Verdict
	if b == "" || x.UnmarshalText([]byte(a)) == nil && y.UnmarshalText([]byte(b)) == nil && x <= y {
		return a
	}
	return b
}

func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
