package main

import (
	"encoding/json"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

func (g gen) when() time.Time {
	return time.Date(2026, time.Month(1+g.IntN(12)), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1e9), time.UTC)
}

func (g gen) flowID() flow.ID { return flow.ID(g.chars("0123456789abcdefghjkmnpqrstvwxyz", 26)) }

func (g gen) model() (flow.Provider, flow.API, string, string) {
	switch g.IntN(4) {
	case 0, 1:
		return flow.Anthropic, flow.Messages, g.of([]string{"claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "claude-sonnet-4-6", "claude-opus-4-6"}), "/v1/messages?beta=true"
	case 2:
		return flow.OpenAI, g.api(flow.Responses, flow.Chat), g.of([]string{"gpt-5.1-codex", "gpt-5.2-codex", "gpt-5", "gpt-4o", "gpt-4.1-mini"}), g.of([]string{"/v1/responses", "/v1/chat/completions"})
	}
	m := g.of([]string{"gemini-2.5-pro", "gemini-2.5-flash", "gemini-3-pro-preview"})
	return flow.Gemini, flow.StreamGenerate, m, "/v1beta/models/" + m + ":streamGenerateContent?alt=sse"
}

func (g gen) api(list ...flow.API) flow.API { return list[g.IntN(len(list))] }

func must(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs always have a JSON form
	}
	return string(text)
}

// intent is an Intent as the ledger writes it.
func (g gen) intent() string {
	p, api, model, path := g.model()
	sum := g.hex(64)
	program := map[flow.Provider]string{flow.Anthropic: "claude", flow.OpenAI: "codex", flow.Gemini: "gemini"}[p]
	in := flow.Intent{
		Flow: g.flowID(), Started: g.when(), Entrance: flow.Redirect, Provider: p, API: api, Model: model,
		Method: g.of([]string{"POST", "POST", "POST", "GET", flow.MethodMessage}), Path: path,
		Session: flow.Session{ID: g.uuid(), Claimed: g.IntN(2) == 0}, Turn: g.between(1, 200),
		Principal: flow.Principal{Name: "user/" + program, User: "user", Program: program, PID: g.between(100, 99999), Credential: "fp_" + g.hex(16)},
		Custody:   flow.SameUser, Capture: flow.CaptureFull, Policy: "report-1",
		Decision:     flow.Decision{Verdict: flow.Pass, Why: g.of([]string{"no rule applies", "recorded", "policy observes"})},
		Header:       g.header(p, requestHeader),
		RequestBytes: int64(g.between(500, 900000)), RequestSHA256: sum, ForwardedSHA256: sum,
	}
	return must(in)
}

// outcome is an Outcome as the ledger writes it.
func (g gen) outcome() string {
	p, _, model, _ := g.model()
	cost, sum := float64(g.between(1, 90000))/1e6, g.hex(64)
	out := flow.Outcome{
		Flow: g.flowID(), State: flow.Done, Status: 200, Header: g.header(p, responseHeader), Model: model,
		ResponseBytes: int64(g.between(500, 90000)), ResponseSHA256: sum, DeliveredSHA256: sum,
		Usage: flow.Usage{Input: int64(g.between(1, 9000)), Output: int64(g.between(1, 9000)), CacheRead: int64(g.between(0, 200000)), CacheWrite: int64(g.between(0, 9000))},
		Cost:  &cost, Stop: g.of([]string{"end_turn", "tool_use", "stop", "tool_calls", "STOP", "completed", "max_tokens"}),
		ResponseID: g.responseID(p), ProviderRequestID: "req_011C" + g.base62(20),
		FirstByte: time.Duration(g.between(1e8, 5e9)), Duration: time.Duration(g.between(2e8, 6e10)),
	}
	switch g.IntN(8) {
	case 0:
		out.State, out.Why = flow.Aborted, g.of([]string{"client went away", "provider closed the connection", "provider was silent for 10m0s"})
	case 1:
		out.Status, out.Error = 429, g.of([]string{"rate_limit_error", "overloaded_error", "invalid_request_error", "insufficient_quota", "RESOURCE_EXHAUSTED"})
	}
	return must(out)
}

func (g gen) responseID(p flow.Provider) string {
	switch p {
	case flow.Anthropic:
		return "msg_01" + g.base62(22)
	case flow.OpenAI:
		return "resp_" + g.hex(50)
	}
	return g.base62(22)
}

// checkpoint is a batch of a session's metadata: what an Admin or Access entry
// says.
func (g gen) checkpoint() string {
	return must(map[string]any{"kind": g.of([]string{"start", "stop", "access", "refused", "key.add"}), "flow": g.flowID(), "time": g.when(),
		"why": g.of([]string{"show", "SIGTERM", "no access key", "verify"}), "who": "user/gatehouse", "attrs": map[string]string{"version": "0.2.0", "listen": "127.0.0.1:4000", "pid": g.chars("123456789", 4)}})
}
