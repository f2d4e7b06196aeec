package e2e

import (
	"bytes"
	"encoding/json"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// counted is what any of the providers says about tokens, at any place of an
// event.
type counted struct {
	ID       string
	Usage    *providerUsage
	Message  struct{ Usage *providerUsage }
	Response struct{ Usage *providerUsage }
	Google   *struct {
		Prompt     int64 `json:"promptTokenCount"`
		Cached     int64 `json:"cachedContentTokenCount"`
		Candidates int64 `json:"candidatesTokenCount"`
		Thoughts   int64 `json:"thoughtsTokenCount"`
	} `json:"usageMetadata"`
}

type providerUsage struct {
	Input      int64 `json:"input_tokens"`
	Prompt     int64 `json:"prompt_tokens"`
	CacheRead  int64 `json:"cache_read_input_tokens"`
	CacheWrite int64 `json:"cache_creation_input_tokens"`
	Output     int64 `json:"output_tokens"`
	Completion int64 `json:"completion_tokens"`
	InDetails  struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	PromptDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	OutDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	CompletionDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// billed reads from the provider's bytes what a flow must say about tokens. It
// is not ok when the request makes no model answer.
func billed(p rig.Pair) (u rig.Usage, ok bool) {
	if p.Seen.Out.Status != 200 || bytes.Contains(p.Seen.Body, []byte(`"generate":false`)) {
		return u, false
	}
	for _, data := range events(p.Seen) {
		var c counted
		if json.Unmarshal(data, &c) != nil {
			continue
		}
		for _, o := range []*providerUsage{c.Usage, c.Message.Usage, c.Response.Usage} {
			if o != nil {
				u, ok = o.normal(p.Provider), true
			}
		}
		if g := c.Google; g != nil {
			u, ok = rig.Usage{Input: g.Prompt - g.Cached, CacheRead: g.Cached, Output: g.Candidates + g.Thoughts, Reasoning: g.Thoughts}, true
		}
	}
	return u, ok
}

// normal writes usage as Gatehouse does: input never holds cached tokens.
func (o *providerUsage) normal(provider string) rig.Usage {
	if provider == "anthropic" {
		return rig.Usage{Input: o.Input, Output: o.Output, CacheRead: o.CacheRead, CacheWrite: o.CacheWrite}
	}
	cached := o.InDetails.Cached + o.PromptDetails.Cached
	return rig.Usage{Input: o.Input + o.Prompt - cached, CacheRead: cached, Output: o.Output + o.Completion,
		Reasoning: o.OutDetails.Reasoning + o.CompletionDetails.Reasoning}
}

// events gives the JSON of an answer: its messages, its SSE data, or itself.
func events(x rig.Exchange) (list [][]byte) {
	if rest := x.Answer; len(x.Out.Messages) > 0 {
		for _, n := range x.Out.Messages {
			list = append(list, rest[:n])
			rest = rest[n:]
		}
		return list
	}
	for line := range bytes.Lines(x.Answer) {
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			list = append(list, bytes.TrimSpace(data))
		}
	}
	if list == nil {
		list = append(list, x.Answer)
	}
	return list
}

// requestID is the provider's name for a request, as it sent it.
func requestID(p rig.Pair) string {
	for _, h := range p.Seen.Out.Header {
		if h[0] == "Request-Id" || h[0] == "X-Request-Id" {
			return h[1]
		}
	}
	return ""
}
