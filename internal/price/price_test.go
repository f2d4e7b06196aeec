package price_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/price"
)

var today = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// dollars writes a cost so that a table can compare it.
func dollars(cost *float64) string {
	if cost == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.6f", *cost)
}

const million = 1_000_000

func TestCost(t *testing.T) {
	tests := []struct {
		name     string
		provider flow.Provider
		model    string
		usage    flow.Usage
		at       time.Time
		want     string
	}{
		// 2×5 + 1×25 + 10×0.5 + 3×6.25 + 1×10, a thousandth of it
		{"anthropic, all kinds", flow.Anthropic, "claude-opus-4-5-20251101", flow.Usage{Input: 2000, Output: 1000, CacheRead: 10000, CacheWrite: 4000, CacheWrite1h: 1000}, today, "0.068750"},
		{"reasoning is in the output", flow.OpenAI, "gpt-5.1-2025-11-13", flow.Usage{Input: million, Output: million, Reasoning: million}, today, "11.250000"},
		{"cached input", flow.OpenAI, "gpt-5.1-codex-max", flow.Usage{Input: 100_000, CacheRead: 900_000}, today, "0.237500"},
		{"openai cache writes", flow.OpenAI, "gpt-6.2-sol", flow.Usage{CacheWrite: 100_000}, today, "0.250000"},
		{"gemini", flow.Gemini, "gemini-2.5-flash", flow.Usage{Input: million, Output: million, CacheRead: million}, today, "2.830000"},
		{"nothing used", flow.Gemini, "gemini-2.5-flash", flow.Usage{}, today, "0.000000"},

		{"short prompt", flow.Gemini, "gemini-2.5-pro", flow.Usage{Input: 200_000, Output: 1000}, today, "0.260000"},
		{"long prompt: all of it", flow.Gemini, "gemini-2.5-pro", flow.Usage{Input: 200_001, Output: 1000}, today, "0.515003"},
		{"cached tokens make it long, too", flow.Gemini, "gemini-2.5-pro", flow.Usage{Input: 1000, CacheRead: 200_000}, today, "0.052500"},
		{"long prompt, small model", flow.Anthropic, "claude-haiku-5-5", flow.Usage{Input: 100, CacheWrite: 100_000, Output: 1000}, today, "0.065050"},

		{"batch", flow.Anthropic, "claude-sonnet-4-5-20250929", flow.Usage{Input: million, Tier: "batch"}, today, "3.000000"},
		{"two tiers", flow.Anthropic, "claude-opus-5-5", flow.Usage{Output: million, Tier: "fast+geo-us"}, today, "44.000000"},
		{"one of two tiers unknown", flow.Anthropic, "claude-opus-5-5", flow.Usage{Output: million, Tier: "fast+mixed"}, today, "unknown"},
		{"tier by contract", flow.Anthropic, "claude-opus-4-5", flow.Usage{Output: 1, Tier: "priority"}, today, "unknown"},
		{"tier with prices of its own", flow.OpenAI, "gpt-4o-mini-2024-07-18", flow.Usage{Input: million, CacheRead: million, Tier: "priority"}, today, "0.375000"},
		{"tier without a rate", flow.OpenAI, "gpt-4.1", flow.Usage{Input: million, CacheRead: 1, Tier: "batch"}, today, "unknown"},
		{"tier up to a length", flow.OpenAI, "gpt-5.4", flow.Usage{Input: 272_000, Tier: "priority"}, today, "1.360000"},
		{"and beyond", flow.OpenAI, "gpt-5.4", flow.Usage{Input: 272_001, Tier: "priority"}, today, "unknown"},

		{"before a change", flow.Gemini, "gemini-4-carbon", flow.Usage{Input: million}, today, "2.000000"},
		{"after it", flow.Gemini, "gemini-4-carbon", flow.Usage{Input: million}, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), "4.000000"},
		{"before the first known price", flow.OpenAI, "gpt-5.6-luna", flow.Usage{Input: million}, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "unknown"},

		{"unknown model", flow.Anthropic, "claude-sonata-9", flow.Usage{Input: 1}, today, "unknown"},
		{"no model", flow.Anthropic, "", flow.Usage{Input: 1}, today, "unknown"},
		{"another provider's", flow.OpenAI, "claude-opus-4-5", flow.Usage{Input: 1}, today, "unknown"},
		{"missing rate", flow.OpenAI, "gpt-5-pro", flow.Usage{Input: million, CacheRead: 1}, today, "unknown"},
		{"missing rate, not needed", flow.OpenAI, "gpt-5-pro", flow.Usage{Input: million}, today, "15.000000"},
		{"nonsense", flow.Anthropic, "claude-opus-4-5", flow.Usage{Input: 5, CacheWrite: 1, CacheWrite1h: 2}, today, "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := dollars(price.Default().Cost(tt.provider, tt.model, tt.usage, tt.at)); got != tt.want {
				t.Errorf("Cost = %s, want %s", got, tt.want)
			}
		})
	}
}

// A new model never gets the price of an old one whose name it begins with.
func TestNames(t *testing.T) {
	table := merged(t, `models: [
	{provider: openai, model: base, input: 1, output: 1},
	{provider: openai, model: base-mini, input: 2, output: 2},
	{provider: openai, model: base-2025-01-02, input: 3, output: 3}]`)
	for name, want := range map[string]string{
		"base":                   "1.000000",
		"base-20250929":          "1.000000",
		"base@20250929":          "1.000000",
		"base-2025-08-07":        "1.000000",
		"base-2025-01-02":        "3.000000",
		"base-latest":            "1.000000",
		"base-001":               "1.000000",
		"base-preview-05-06":     "1.000000",
		"base-preview-09-2025":   "1.000000",
		"base-latest[1m]":        "1.000000",
		"models/base":            "1.000000",
		"base-mini":              "2.000000",
		"base-mini-2025-08-07":   "2.000000",
		"base-preview":           "unknown",
		"base-max":               "unknown",
		"base-mini-max":          "unknown",
		"base2":                  "unknown",
		"base-2":                 "unknown",
		"base-2025":              "unknown",
		"base-2025-08-07-custom": "unknown",
		"base-latest-mini":       "unknown",
		"base-latestmini":        "unknown",
		"base-":                  "unknown",
		"bas":                    "unknown",
		"ft:base-2025-08-07:a::": "unknown",
		"BASE":                   "unknown",
	} {
		if got := dollars(table.Cost(flow.OpenAI, name, flow.Usage{Input: million}, today)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func merged(t *testing.T, text string) *price.Table {
	t.Helper()
	table, err := price.Default().Merge([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestMergeStandsInPlace(t *testing.T) {
	table := merged(t, `
as_of: 2027-02-03
models:
  - {provider: gemini, model: gemini-4-argon, input: 7, output: 8}
  - provider: openai
    model: house-model
    input: 0
    output: 0.5
    above:
      - {tokens: 1000, input: 1, output: 1}
    tiers:
      night: 0.1
      day:
        input: 3
        output: 3
        above: [{tokens: 10, input: 4, output: 4}]
`)
	at := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		provider flow.Provider
		model    string
		usage    flow.Usage
		at       time.Time
		want     string
	}{
		{flow.Gemini, "gemini-4-argon", flow.Usage{Input: million}, at(2026), "7.000000"}, // every span of it
		{flow.Gemini, "gemini-4-argon", flow.Usage{Input: million}, at(2027), "7.000000"},
		{flow.Gemini, "gemini-4-argon", flow.Usage{CacheRead: 1}, at(2027), "unknown"}, // nothing of the old row is left
		{flow.Gemini, "gemini-4-carbon", flow.Usage{Input: million}, at(2027), "4.000000"},
		{flow.OpenAI, "house-model", flow.Usage{Input: 1000, Output: 1000}, at(2026), "0.000500"}, // free is a price
		{flow.OpenAI, "house-model", flow.Usage{Input: 2000, Tier: "night"}, at(2026), "0.000200"},
		{flow.OpenAI, "house-model", flow.Usage{Input: 2000, Tier: "day"}, at(2026), "0.008000"},
		{flow.Anthropic, "claude-opus-4-5", flow.Usage{Input: million}, at(2026), "5.000000"},
	} {
		if got := dollars(table.Cost(tt.provider, tt.model, tt.usage, tt.at)); got != tt.want {
			t.Errorf("%s %+v: %s, want %s", tt.model, tt.usage, got, tt.want)
		}
	}
	if got := table.AsOf().Format(time.DateOnly); got != "2027-02-03" {
		t.Errorf("AsOf = %s", got)
	}
	if got := dollars(price.Default().Cost(flow.Gemini, "gemini-4-argon", flow.Usage{Input: million}, today)); got != "2.000000" {
		t.Errorf("the built-in table changed: %s", got)
	}
}

func TestBadTables(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"not YAML":      {"models: [", "price table"},
		"unknown key":   {"models: [{provider: openai, model: a, input: 1, output: 1, ouput: 2}]", "ouput"},
		"no output":     {"models: [{provider: openai, model: a, input: 1}]", "input and output"},
		"negative":      {"models: [{provider: openai, model: a, input: -1, output: 1}]", "0 at least"},
		"not a number":  {"models: [{provider: openai, model: a, input: .nan, output: 1}]", "0 at least"},
		"provider":      {"models: [{provider: acme, model: a, input: 1, output: 1}]", "acme"},
		"no name":       {"models: [{provider: openai, input: 1, output: 1}]", "name"},
		"date":          {"models: [{provider: openai, model: a, input: 1, output: 1, from: yesterday}]", "YYYY-MM-DD"},
		"span":          {"models: [{provider: openai, model: a, input: 1, output: 1, from: 2026-02-02, until: 2026-02-02}]", "before"},
		"twice":         {"models: [{provider: openai, model: a, input: 1, output: 1}, {provider: openai, model: b, aliases: [a], input: 2, output: 1, from: 2026-01-01}]", "another price"},
		"tier":          {"models: [{provider: openai, model: a, input: 1, output: 1, tiers: {batch: -1}}]", "batch"},
		"half a tier":   {"models: [{provider: openai, model: a, input: 1, output: 1, tiers: {batch: {input: 1}}}]", "batch"},
		"both kinds":    {"models: [{provider: openai, model: a, input: 1, output: 1, tiers: {batch: {times: 2, input: 1, output: 1}}}]", "batch"},
		"length":        {"models: [{provider: openai, model: a, input: 1, output: 1, above: [{tokens: 0, input: 1, output: 1}]}]", "above"},
		"length twice":  {"models: [{provider: openai, model: a, input: 1, output: 1, above: [{tokens: 5, input: 1, output: 1}, {tokens: 5, input: 2, output: 1}]}]", "above"},
		"all at once":   {"models: [{provider: acme, model: a}, {provider: openai, model: zz}]", "zz"},
		"where it is":   {"models:\n  - {provider: openai, model: a, input: 1, output: 1}\n  - {provider: openai, model: b, input: x, output: 1}\n", "3"},
		"tier's tokens": {"models: [{provider: openai, model: a, input: 1, output: 1, tiers: {batch: {times: 1, up_to: -5}}}]", "batch"},
	} {
		table, err := price.Default().Merge([]byte(tt.text))
		if err == nil || table != nil {
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a word of %q", name, err, tt.want)
		}
	}
}

// The example of the reference page works, and means what it says.
func TestReferencePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/prices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	table := merged(t, text)
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for tier, want := range map[string]string{"": "0.420000", "batch": "0.210000", "priority": "0.630000", "fast": "0.840000", "flex": "unknown"} {
		if got := dollars(table.Cost(flow.OpenAI, "house-model-large-latest", flow.Usage{Input: 170_000, Output: 10_000, Tier: tier}, at)); got != want {
			t.Errorf("tier %q: %s, want %s", tier, got, want)
		}
	}
}

// An empty override is one: a file of comments.
func TestEmptyTable(t *testing.T) {
	table := merged(t, "# nothing yet\n")
	if got := dollars(table.Cost(flow.Anthropic, "claude-opus-4-5", flow.Usage{Input: million}, today)); got != "5.000000" {
		t.Errorf("Cost = %s", got)
	}
}

// The agents' models of the day have a price with all that they use.
func TestCurrentModels(t *testing.T) {
	use := flow.Usage{Input: 1000, Output: 100, CacheRead: 5000}
	for model, p := range map[string]flow.Provider{
		"claude-opus-5-5": flow.Anthropic, "claude-sonnet-5-5": flow.Anthropic, "claude-haiku-5-5": flow.Anthropic,
		"claude-opus-4-6": flow.Anthropic, "claude-sonnet-4-6": flow.Anthropic, "claude-haiku-4-5-20251001": flow.Anthropic, "claude-fable-5-1": flow.Anthropic,
		"gpt-6.2-sol": flow.OpenAI, "gpt-6.1-terra": flow.OpenAI, "gpt-6-luna": flow.OpenAI, "gpt-5.2-codex": flow.OpenAI, "gpt-5-codex": flow.OpenAI, "gpt-4o": flow.OpenAI, "o4-mini": flow.OpenAI,
		"gemini-3-pro-preview": flow.Gemini, "gemini-3.8-flash": flow.Gemini, "gemini-2.5-pro": flow.Gemini, "gemini-2.5-flash-lite": flow.Gemini,
	} {
		if p == flow.Anthropic {
			use.CacheWrite, use.CacheWrite1h = 2000, 1000
		} else {
			use.CacheWrite, use.CacheWrite1h = 0, 0
		}
		cost := price.Default().Cost(p, model, use, today)
		if cost == nil || *cost <= 0 || *cost > 1 || math.IsNaN(*cost) {
			t.Errorf("%s: %s", model, dollars(cost))
		}
	}
}

func BenchmarkCost(b *testing.B) {
	table, use := price.Default(), flow.Usage{Input: 1000, Output: 1000, CacheRead: 100_000}
	b.ReportAllocs()
	for b.Loop() {
		table.Cost(flow.Anthropic, "claude-haiku-4-5-20251001", use, today)
	}
}
