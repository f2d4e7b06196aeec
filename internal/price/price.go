// Package price turns usage into money by a dated table of list prices. It is
// pure: no I/O, no clock. What the table doesn't know has no price, never a
// price of zero, and never a guess from a similar model.
package price

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

//go:embed prices.yaml
var builtIn []byte

// Table is a set of list prices. It doesn't change after it is made.
type Table struct {
	asOf  time.Time
	lists map[flow.Provider][]*model
}

// model is what one model costs during one span of time.
type model struct {
	names []string // its own first, then aliases
	from  time.Time
	until time.Time        // zero: still
	bands []band           // by the length of the prompt, longest first
	tiers map[string]terms // by the service tier's name
}

// terms are how a service tier's prices differ from the standard ones.
type terms struct {
	bands []band // in place of the standard ones; nil: those
	times float64
	upTo  int64 // prompts of more tokens have no price; 0: no end
}

// band is what a prompt of more than above tokens costs.
type band struct {
	above int64
	rates rates
}

// rates are US dollars for a million tokens; nil is unknown.
type rates struct {
	input, output, cacheRead, cacheWrite, cacheWrite1h *float64
}

var parsed = sync.OnceValue(func() *Table {
	t, err := parse(builtIn)
	if err != nil {
		panic("built-in price table: " + err.Error()) // a test reads it
	}
	return t
})

// Default is the table that is built in.
func Default() *Table { return parsed() }

// AsOf is the day up to which the table was checked.
func (t *Table) AsOf() time.Time { return t.asOf }

// Cost is what usage of a model at a time costs in US dollars; nil when the
// table doesn't know all of it. The time chooses between prices that changed.
func (t *Table) Cost(p flow.Provider, name string, u flow.Usage, at time.Time) *float64 {
	m := t.find(p, name, at)
	if m == nil {
		return nil
	}
	prompt := u.Input + u.CacheRead + u.CacheWrite
	terms, ok := m.terms(u.Tier, prompt)
	if !ok {
		return nil
	}
	sum, ok := bandOf(terms.bands, prompt).cost(u)
	if !ok {
		return nil
	}
	sum *= terms.times
	return &sum
}

// find gives the row with the longest name that the model's name is a version
// of, among those that count at the time.
func (t *Table) find(p flow.Provider, name string, at time.Time) *model {
	name = strings.TrimPrefix(name, "models/")
	var found *model
	longest := 0
	for _, m := range t.lists[p] {
		for _, n := range m.names {
			if len(n) > longest && isVersion(name, n) {
				found, longest = m, len(n)
			}
		}
	}
	if found == nil {
		return nil
	}
	name = found.names[slices.IndexFunc(found.names, func(n string) bool { return len(n) == longest && isVersion(name, n) })]
	for _, m := range t.lists[p] {
		if slices.Contains(m.names, name) && m.counts(at) {
			return m
		}
	}
	return nil
}

func (m *model) counts(at time.Time) bool {
	return !at.Before(m.from) && (m.until.IsZero() || at.Before(m.until))
}

// terms gives what counts for a service tier and a prompt of so many tokens.
// The tier's name is as the codecs make it: parts that each change the price,
// joined by "+". One part that has no price leaves the whole without.
func (m *model) terms(tier string, prompt int64) (terms, bool) {
	sum := terms{bands: m.bands, times: 1}
	if tier == "" {
		return sum, true
	}
	for part := range strings.SplitSeq(tier, "+") {
		t, ok := m.tiers[part]
		if !ok || (t.upTo > 0 && prompt > t.upTo) {
			return terms{}, false
		}
		if t.bands != nil {
			sum.bands = t.bands
		}
		sum.times *= t.times
	}
	return sum, true
}

func bandOf(bands []band, prompt int64) *rates {
	for i := range bands {
		if prompt > bands[i].above {
			return &bands[i].rates
		}
	}
	return &bands[len(bands)-1].rates
}

func (r *rates) cost(u flow.Usage) (float64, bool) {
	short := u.CacheWrite - u.CacheWrite1h
	sum, known := 0.0, true
	for _, part := range []struct {
		tokens int64
		rate   *float64
	}{{u.Input, r.input}, {u.Output, r.output}, {u.CacheRead, r.cacheRead}, {short, r.cacheWrite}, {u.CacheWrite1h, r.cacheWrite1h}} {
		switch {
		case part.tokens < 0:
			known = false
		case part.tokens > 0 && part.rate == nil:
			known = false
		case part.tokens > 0:
			sum += float64(part.tokens) / 1e6 * *part.rate
		}
	}
	return sum, known
}
