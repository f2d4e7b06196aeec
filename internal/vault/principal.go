package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"sync"
	"sync/atomic"
)

// Known are the values that are known of a principal at one moment. It is not
// changed after it is made.
type Known struct {
	Generation uint64 // differs from that of every other Known of this process with other values
	Values     []KnownValue
}

// KnownValue is one of them.
type KnownValue struct {
	Text []byte
	Rule string // that found it first
}

var generations atomic.Uint64

// principal is what is known of a principal.
type principal struct {
	load    sync.Once
	loadErr error
	keys    [4][]byte // of pseudonyms: by origin, twice as many for numbers

	mu       sync.Mutex
	has      map[string]bool
	values   []KnownValue // the oldest first
	bytes    int
	snapshot *Known // nil: made when it is asked for
}

func (p *principal) restore(store Store, name string) error {
	p.has = map[string]bool{}
	entries, err := store.VaultOf(name) // before a key is made: without one it need not look
	if err != nil {
		return err
	}
	for _, e := range entries {
		p.learn(Value{Text: e.Value, Rule: e.Rule})
	}
	purposes := [...]string{"pseudonyms of own words", "pseudonyms of tools", "pseudonyms of own numbers", "pseudonyms of tools' numbers"}
	for i, purpose := range purposes {
		key, err := store.VaultSecret(name, purpose)
		if err != nil {
			return err
		}
		p.keys[i] = key
	}
	return nil
}

// tokens has no letter or digit that is read as another one: neither I and
// 1 nor O and 0.
var tokens = base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding)

const (
	tokenMark = "QZ"
	tokenSize = 22
)

func (p *principal) pseudonym(v Value) string {
	i := 0
	if v.Origin != Own {
		i = 1
	}
	if v.Number {
		i += 2
	}
	mac := hmac.New(sha256.New, p.keys[i])
	mac.Write(v.Text)
	return tokenMark + tokens.EncodeToString(mac.Sum(nil))[:tokenSize-len(tokenMark)]
}

func (p *principal) learn(v Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := string(v.Text)
	if p.has[text] || text == "" || len(text) > maxValue {
		return
	}
	p.has[text] = true
	p.values = append(p.values, KnownValue{Text: []byte(text), Rule: v.Rule})
	p.bytes += valueBytes + 2*len(text)
	for len(p.values) > maxKnown || p.bytes > maxBytes/4 {
		oldest := string(p.values[0].Text)
		p.bytes -= valueBytes + 2*len(oldest)
		delete(p.has, oldest)
		p.values[0] = KnownValue{}
		p.values = p.values[1:]
	}
	p.snapshot = nil
}

func (p *principal) known() *Known {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.snapshot == nil {
		p.snapshot = &Known{Generation: generations.Add(1), Values: slices.Clone(p.values)}
	}
	return p.snapshot
}

// What principals and sessions take, about: each, and for each value.
const (
	ownBytes   = 1 << 10
	valueBytes = 192
)

func (p *principal) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ownBytes + p.bytes
}
