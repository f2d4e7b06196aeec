package gate

import (
	"sync"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// values keeps, for each principal, the matcher of what is known of it: making
// one anew for each request would cost what all its values cost.
type values struct {
	mu sync.Mutex
	of map[string]knownOf
}

type knownOf struct {
	generation uint64
	known      *inspect.Known
}

// maxMatchers bounds the principals whose matcher is kept.
const maxMatchers = 256

// known gives the matcher of a principal's values.
func (g *Gate) known(principal string) (*inspect.Known, error) {
	k, err := g.o.Vault.Known(principal)
	if err != nil {
		return nil, err
	}
	if len(k.Values) == 0 {
		return nil, nil
	}
	v := &g.values
	v.mu.Lock()
	defer v.mu.Unlock()
	if had, ok := v.of[principal]; ok && had.generation == k.Generation {
		return had.known, nil
	}
	list := make([]inspect.KnownValue, len(k.Values))
	for i, value := range k.Values {
		list[i] = inspect.KnownValue{Value: value.Text, Rule: value.Rule}
	}
	if v.of == nil || len(v.of) >= maxMatchers {
		v.of = map[string]knownOf{}
	}
	known := inspect.NewKnown(list)
	v.of[principal] = knownOf{k.Generation, known}
	return known, nil
}
