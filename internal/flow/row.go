package flow

import (
	"slices"
	"time"
)

// Row is a flow as long lists show it: what View says, without what is only
// looked at in one flow. Its JSON names are those of the View.
type Row struct {
	ID        ID        `json:"id"`
	Started   time.Time `json:"started"`
	State     State     `json:"state"`
	Status    int       `json:"status"`
	Verdict   Verdict   `json:"verdict"`
	Would     string    `json:"would,omitempty"`
	Session   string    `json:"session"`
	Turn      *int      `json:"turn"`
	Retry     bool      `json:"retry,omitempty"` // its turn is that of the call before it
	Subagent  string    `json:"subagent,omitempty"`
	Agent     string    `json:"agent,omitempty"`
	Principal string    `json:"principal"`
	Entrance  Entrance  `json:"entrance"`
	Provider  Provider  `json:"provider"`
	API       API       `json:"api"`
	Model     string    `json:"model"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Host      string    `json:"host,omitempty"`
	Tools     []string  `json:"tools,omitempty"`
	Rules     []string  `json:"rules,omitempty"`    // of the findings, each once
	Severity  string    `json:"severity,omitempty"` // the highest of the findings

	Input      int64    `json:"input"` // tokens, as in Usage
	Output     int64    `json:"output"`
	CacheRead  int64    `json:"cache_read"`
	CacheWrite int64    `json:"cache_write"`
	Estimated  bool     `json:"estimated,omitempty"`
	Cost       *float64 `json:"cost_usd"` // US dollars; nil: unknown

	FirstByteMS   *float64 `json:"first_byte_ms"`
	DurationMS    *float64 `json:"duration_ms"`
	RequestBytes  int64    `json:"request_bytes"`
	ResponseBytes int64    `json:"response_bytes"`

	Why   string `json:"why,omitempty"` // unless it just passed
	Error string `json:"error,omitempty"`
}

// NewRow makes the row of a view.
func NewRow(v *View) Row {
	r := Row{
		ID: v.ID, Started: v.Started, State: v.State, Status: v.Status, Verdict: v.Verdict, Would: v.Would,
		Session: v.Session, Turn: v.Turn, Retry: v.RetryOf != nil, Subagent: v.Subagent, Agent: v.Agent, Principal: v.Principal,
		Entrance: v.Entrance, Provider: v.Provider, API: v.API, Model: v.Model, Method: v.Method, Path: v.Path, Host: v.Host, Tools: v.Tools,
		Input: v.Usage.Input, Output: v.Usage.Output, CacheRead: v.Usage.CacheRead, CacheWrite: v.Usage.CacheWrite,
		Estimated: v.Usage.Estimated, Cost: v.Cost, FirstByteMS: v.FirstByteMS, DurationMS: v.DurationMS,
		RequestBytes: v.RequestBytes, ResponseBytes: v.ResponseBytes, Error: v.Error,
	}
	if v.Verdict != Pass || v.State == Aborted || v.State == Refused {
		r.Why = v.Why
	}
	var worst Severity
	for i := range v.Findings {
		f := &v.Findings[i]
		worst = max(worst, f.Severity)
		if !slices.Contains(r.Rules, f.Rule) {
			r.Rules = append(r.Rules, f.Rule)
		}
	}
	if worst > 0 {
		r.Severity = worst.String()
	}
	return r
}
