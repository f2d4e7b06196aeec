package openai

import (
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// usage reads Chat's prompt_… and Responses' input_… counts. There the input
// includes what was read from and written to the cache; here it does not.
func usage(raw []byte) flow.Usage {
	var u flow.Usage
	for w := peek.Members(raw); w.Next(); {
		n := max(0, peek.Int(w.Value))
		switch string(w.Name) {
		case "prompt_tokens", "input_tokens":
			u.Input = n
		case "completion_tokens", "output_tokens":
			u.Output = n
		case "prompt_tokens_details", "input_tokens_details":
			u.CacheRead = max(u.CacheRead, peek.Int(peek.Get(w.Value, "cached_tokens")))
			u.CacheWrite = max(0, peek.Int(peek.Get(w.Value, "cache_write_tokens")))
		case "completion_tokens_details", "output_tokens_details":
			u.Reasoning = max(0, peek.Int(peek.Get(w.Value, "reasoning_tokens")))
		case "prompt_cache_hit_tokens", "cached_tokens": // other servers of the same API
			u.CacheRead = max(u.CacheRead, n)
		}
	}
	u.CacheRead = min(u.CacheRead, u.Input)
	u.CacheWrite = min(u.CacheWrite, u.Input-u.CacheRead)
	u.Input -= u.CacheRead + u.CacheWrite
	u.Reasoning = min(u.Reasoning, u.Output)
	return u
}

// tier gives a service tier that is priced apart; "" for the standard one.
func tier(raw []byte) string {
	switch string(raw) {
	case `"default"`, `"auto"`, `"standard"`:
		return ""
	}
	return peek.Short(raw)
}

// fault gives the error's type in the provider's words, its code where there
// is no type. The message may quote the request and is not kept.
func fault(raw []byte) string {
	for _, name := range []string{"type", "code"} {
		if s := peek.Short(peek.Get(raw, name)); s != "" && s != "error" {
			return s
		}
	}
	return "error"
}
