package gate

import (
	"strconv"
	"sync"
)

// tally counts what was refused without an entry of its own, so that nobody
// fills the disk with refusals.
type tally struct {
	mu     sync.Mutex
	counts map[string]int64
	texts  map[string]string
}

// tallyKinds bounds the kinds that are told apart.
const tallyKinds = 64

func (t *tally) add(kind, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts, t.texts = map[string]int64{}, map[string]string{}
	}
	if _, known := t.counts[kind]; !known && len(t.counts) >= tallyKinds {
		kind = "other"
	}
	t.counts[kind]++
	t.texts[kind] = text
}

func (t *tally) take() (counts map[string]int64, texts map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts, texts = t.counts, t.texts
	t.counts, t.texts = nil, nil
	return counts, texts
}

// Turned counts a call that was refused before anybody was known to have made
// it: no principal, no provider, a browser. Flush records the counts.
func (g *Gate) Turned(kind, text string) {
	g.tally.add(kind, text)
	if g.o.Turned != nil {
		g.o.Turned(kind)
	}
}

// Flush writes one entry for each kind of refusal counted since the last
// Flush. What the ledger does not take is counted again.
func (g *Gate) Flush() {
	counts, texts := g.tally.take()
	for kind, n := range counts {
		attrs := map[string]string{"kind": kind, "count": strconv.FormatInt(n, 10)}
		if err := g.o.Ledger.Admin("refused", texts[kind], attrs); err != nil {
			g.o.Log.Warn("refusals not recorded", "kind", kind, "count", n, "err", err)
			for range n {
				g.tally.add(kind, texts[kind])
			}
		}
	}
}
