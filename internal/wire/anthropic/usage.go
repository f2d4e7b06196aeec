package anthropic

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// usage adds up the usage objects of one answer. Those of message_delta are
// cumulative, and repeat those of message_start (some providers of the same
// API say 0 first and the number at the end): each count is the largest seen.
type usage struct {
	total counts
	extra counts // of iterations that the totals leave out
	tier  string
	mixed bool // part of it is billed at another model's price
}

type counts struct{ input, output, read, write, hour, thinking int64 }

func (c *counts) grow(n counts) {
	c.input = max(c.input, n.input)
	c.output = max(c.output, n.output)
	c.read = max(c.read, n.read)
	c.write = max(c.write, n.write)
	c.hour = max(c.hour, n.hour)
	c.thinking = max(c.thinking, n.thinking)
}

func (c *counts) add(n counts) {
	c.input += n.input
	c.output += n.output
	c.read += n.read
	c.write += n.write
	c.hour += n.hour
}

func (u *usage) read(raw []byte) {
	var tier, speed, geo []byte
	for w := peek.Members(raw); w.Next(); {
		switch string(w.Name) {
		case "iterations":
			u.iterations(w.Value)
		case "service_tier":
			tier = w.Value
		case "speed":
			speed = w.Value
		case "inference_geo":
			geo = w.Value
		}
	}
	u.total.grow(count(raw))
	if t := tierName(peek.Short(tier), peek.Short(speed), peek.Short(geo)); t != "" {
		u.tier = t
	}
}

func count(raw []byte) (c counts) {
	var short int64 // five-minute cache writes
	for w := peek.Members(raw); w.Next(); {
		n := max(0, peek.Int(w.Value))
		switch string(w.Name) {
		case "input_tokens":
			c.input = n
		case "output_tokens":
			c.output = n
		case "cache_read_input_tokens":
			c.read = n
		case "cache_creation_input_tokens":
			c.write = n
		case "cache_creation":
			c.hour = max(0, peek.Int(peek.Get(w.Value, "ephemeral_1h_input_tokens")))
			short = max(0, peek.Int(peek.Get(w.Value, "ephemeral_5m_input_tokens")))
		case "output_tokens_details":
			c.thinking = max(0, peek.Int(peek.Get(w.Value, "thinking_tokens")))
		}
	}
	c.write = max(c.write, c.hour+short)
	return c
}

// iterations reads what the totals leave out: a compaction's own sampling and
// an advisor's, which another model is billed for.
func (u *usage) iterations(raw []byte) {
	u.extra = counts{}
	for w := peek.Elements(raw); w.Next(); {
		switch string(peek.Get(w.Value, "type")) {
		case `"compaction"`:
			u.extra.add(count(w.Value))
		case `"advisor_message"`:
			u.extra.add(count(w.Value))
			u.mixed = true
		}
	}
}

// tierName names what makes the price differ from the standard one: priority
// or batch, fast mode, and a place that costs extra.
func tierName(tier, speed, geo string) string {
	var names []string
	if tier != "" && tier != "standard" {
		names = append(names, tier)
	}
	if speed != "" && speed != "standard" {
		names = append(names, speed)
	}
	if geo != "" && geo != "global" && geo != "not_available" {
		names = append(names, "geo-"+geo)
	}
	return strings.Join(names, "+")
}

func (u *usage) flow() flow.Usage {
	c := u.total
	c.add(u.extra)
	f := flow.Usage{
		Input: c.input, Output: c.output, CacheRead: c.read, CacheWrite: c.write, CacheWrite1h: min(c.hour, c.write),
		Reasoning: min(c.thinking, c.output), Tier: u.tier,
	}
	if u.mixed {
		f.Tier = strings.TrimPrefix(f.Tier+"+mixed", "+")
	}
	return f
}
