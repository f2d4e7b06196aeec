package flow

import (
	"slices"
	"time"
)

// Row is a flow as lists of many show it: a View without what only one who
// looks at one flow wants to know. Its JSON names are a contract.
type Row struct {
	ID            ID        `json:"id"`
	Started       time.Time `json:"started"` // to the millisecond
	State         State     `json:"state"`
	Status        int       `json:"status"`
	Verdict       Verdict   `json:"verdict"`
	Would         string    `json:"would,omitempty"`
	Session       string    `json:"session"`
	Turn          *int      `json:"turn"`
	Retry         bool      `json:"retry,omitempty"`
	Subagent      string    `json:"subagent,omitempty"`
	Agent         string    `json:"agent,omitempty"`
	Principal     string    `json:"principal"`
	Entrance      Entrance  `json:"entrance"`
	Provider      Provider  `json:"provider"`
	API           API       `json:"api"`
	Model         string    `json:"model"`
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Host          string    `json:"host,omitempty"`
	Tools         []string  `json:"tools,omitempty"`
	Rules         []string  `json:"rules,omitempty"`    // that found something, each once
	Severity      string    `json:"severity,omitempty"` // of the worst finding
	Input         int64     `json:"input"`
	Output        int64     `json:"output"`
	CacheRead     int64     `json:"cache_read"`
	CacheWrite    int64     `json:"cache_write"`
	Estimated     bool      `json:"estimated,omitempty"`
	Cost          *float64  `json:"cost_usd"`
	FirstByteMS   *float64  `json:"first_byte_ms"`
	DurationMS    *float64  `json:"duration_ms"`
	RequestBytes  int64     `json:"request_bytes"`
	ResponseBytes int64     `json:"response_bytes"`
	Why           string    `json:"why,omitempty"`
	Error         string    `json:"error,omitempty"`
	Claimed       bool      `json:"-"` // as in View; lists don't show it
}

// NewRow makes the row of a view.
func NewRow(v *View) Row {
	r := Row{
		ID: v.ID, Started: v.Started.UTC().Truncate(time.Millisecond), State: v.State, Status: v.Status, Verdict: v.Verdict, Would: v.Would,
		Session: v.Session, Turn: v.Turn, Retry: v.RetryOf != nil, Subagent: v.Subagent, Agent: v.Agent, Principal: v.Principal,
		Entrance: v.Entrance, Provider: v.Provider, API: v.API, Model: v.Model, Method: v.Method, Path: v.Path, Host: v.Host, Tools: v.Tools,
		Input: v.Usage.Input, Output: v.Usage.Output, CacheRead: v.Usage.CacheRead, CacheWrite: v.Usage.CacheWrite, Estimated: v.Usage.Estimated,
		Cost: v.Cost, FirstByteMS: v.FirstByteMS, DurationMS: v.DurationMS, RequestBytes: v.RequestBytes, ResponseBytes: v.ResponseBytes,
		Why: v.Why, Error: v.Error, Claimed: v.Claimed,
	}
	var worst Severity
	for i := range v.Findings {
		f := &v.Findings[i]
		if r.Rules = append(r.Rules, f.Rule); f.Severity > worst {
			worst, r.Severity = f.Severity, f.Severity.String()
		}
	}
	slices.Sort(r.Rules)
	r.Rules = slices.Compact(r.Rules)
	return r
}
