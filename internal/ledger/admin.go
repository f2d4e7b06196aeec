package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

// Admin records something about the gateway itself: start, stop, key.add … It
// is durable when Admin returns.
func (l *Ledger) Admin(kind, why string, attrs map[string]string) error {
	meta, err := json.Marshal(admin{Kind: kind, Why: why, Attrs: attrs})
	if err != nil {
		return fmt.Errorf("encoding admin entry: %w", err)
	}
	return l.append(l.house, kindAdmin, meta)
}

// append records an entry that is only its meta.
func (l *Ledger) append(key *keys.Key, k kind, meta []byte) error {
	if f := l.fault.Load(); f != nil {
		return f
	}
	it := l.item(entry{kind: k, meta: meta}, nil, key, note{journal: journalRow(k)})
	it.refuse = true
	l.wait(l.submit(it))
	if it.err != nil {
		return it.err
	}
	if l.o.Mode == Bounded {
		l.writer.syncNow()
		if f := l.fault.Load(); f != nil {
			return f
		}
	}
	return nil
}
