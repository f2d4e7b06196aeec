package conversation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

const (
	leastCached = 1024            // tokens: shorter prompts are cached by nobody
	cacheLife   = 5 * time.Minute // since a prefix was last used, where nothing else is asked for
	longLife    = time.Hour
)

// prompted counts the tokens of a prompt, from a cache or not.
func prompted(u flow.UsageView) int64 { return u.Input + u.CacheRead + u.CacheWrite }

// cached counts the tokens of a prompt that the next one may read from the cache.
// Anthropic keeps what it was asked to keep; others keep all.
func cached(p flow.Provider, u flow.UsageView) int64 {
	if p == flow.Anthropic {
		return u.CacheRead + u.CacheWrite
	}
	return prompted(u)
}

// last is what the cache may hold of a conversation.
type last struct {
	usage flow.UsageView
	known bool // the provider told
	fresh bool // nothing was answered yet
	long  bool // some of it was to be kept for an hour
	at    time.Time
	model string
}

// explain says why a turn's prompt was read from the cache, or not.
func explain(f *Flow, t *Turn, was *last) Cache {
	c := Cache{Read: t.Usage.CacheRead}
	if f.Outcome == nil || prompted(t.Usage) == 0 {
		return c
	}
	if was == nil || !was.known {
		return firstOf(t, c, was == nil && f.Before == "" && !f.Gap || was != nil && was.fresh)
	}
	c.Expected = cached(f.Intent.Provider, was.usage)
	missed := c.Expected - c.Read
	if c.Expected == 0 {
		c.Text = "The turn before it asked for nothing to be kept in the cache."
		return c
	}
	if missed <= max(leastCached, c.Expected/20) && c.Read > 0 {
		c.Text = fmt.Sprintf("%s of %s tokens came from the cache.", count(c.Read), count(c.Expected))
		return c
	}
	c.Reason, c.Text = reason(f, t, was, c)
	return c
}

func firstOf(t *Turn, c Cache, begins bool) Cache {
	switch {
	case !begins:
		c.Reason, c.Text = "unknown", "What the turn before it left in the cache is not known."
	case c.Read > 0:
		c.Reason, c.Text = "first", fmt.Sprintf("The conversation begins here; %s tokens of its head were in the cache already.", count(c.Read))
	default:
		c.Reason, c.Text = "first", "The conversation begins here, so nothing of it was in the cache."
	}
	return c
}

// reason finds why tokens were missed. What is certain comes before what is likely.
func reason(f *Flow, t *Turn, was *last, c Cache) (string, string) {
	missed := "so " + count(c.Expected-c.Read) + " tokens were read anew."
	gap := t.Started.Sub(was.at)
	switch {
	case t.Change.Model:
		return "model", fmt.Sprintf("The model changed from %s to %s, which has a cache of its own, %s", was.model, t.Model, missed)
	case c.Expected < leastCached:
		return "short", fmt.Sprintf("The prompt before it had %s tokens: too short to be cached.", count(c.Expected))
	case t.Change.Tools:
		return "tools", "The tool definitions changed, " + missed
	case t.Change.System:
		return "system", "The system prompt changed, " + missed
	case c.Read == 0 && gap > life(was):
		return "expired", fmt.Sprintf("%s passed since the turn before it, longer than the cache lives, %s", span(gap), missed)
	case f.At >= 0 && (f.Role == "system" || f.Role == "developer"):
		return "system", fmt.Sprintf("The instructions in block %d of the conversation changed, %s", f.At+1, missed)
	case f.At >= 0:
		return "history", fmt.Sprintf("The conversation changed from its block %d on, %s", f.At+1, missed)
	case gap > cacheLife && f.Intent.Provider == flow.Anthropic && !was.long:
		return "expired", fmt.Sprintf("%s passed since the turn before it, longer than the cache lives, %s", span(gap), missed)
	}
	return "unknown", "The request goes on where the one before it ended, and why the cache did not serve it can't be told: " + strings.TrimPrefix(missed, "so ")
}

// life is how long the cache lives, for what the turn before asked for. Others than
// Anthropic say it of nobody; after an hour it is gone anywhere.
func life(was *last) time.Duration {
	if was.long || was.usage.CacheWrite == 0 {
		return longLife
	}
	return cacheLife
}

// count writes a number with commas.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func span(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	}
	return fmt.Sprintf("%d seconds", int(d.Seconds()))
}
