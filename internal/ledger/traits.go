package ledger

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/meta"
)

// A trait is what many flows have in common: of an intent, of an outcome, or a
// sub-agent's id. Rows of the index name traits by number, so that a row is
// small and most filters become a question of numbers; that a path or a model
// stands in the index sealed, once, is the other half. A trait's number is a
// keyed hash of what it says, so it is the same when the index is made anew.
//
// All of a trait is bounded. One of which something was cut says so, and whoever
// needs the whole reads the flow's entries.
type trait struct {
	kind  byte
	cut   bool
	in    flow.Intent  // traitAbout
	out   flow.Outcome // traitEnding
	agent string       // traitAgent
}

const (
	traitAbout  byte = 'i'
	traitEnding byte = 'o'
	traitAgent  byte = 'a'
)

// What is kept of names and sentences, in bytes, and of lists.
const (
	maxName     = 256
	maxSentence = 512
	maxList     = 64
)

// traits makes and opens them.
type traits struct {
	l *Ledger

	mu     sync.Mutex
	sealed map[string]*index.Trait // by what they say, lately written
	opened map[uint64]*trait
}

// Above these numbers the traits are let go, to be made or read again.
const (
	maxSealed = 4096
	maxOpened = 16 << 10
)

func newTraits(l *Ledger) *traits {
	return &traits{l: l, sealed: map[string]*index.Trait{}, opened: map[uint64]*trait{}}
}

// cutter cuts what is too long, and remembers that it did.
type cutter struct{ cut bool }

func (c *cutter) text(s string, most int) string {
	if len(s) <= most {
		return s
	}
	c.cut = true
	return s[:most]
}

func (c *cutter) list(names []string) []string {
	long := func(s string) bool { return len(s) > maxName }
	if len(names) <= maxList && !slices.ContainsFunc(names, long) {
		return names
	}
	c.cut = true
	names = slices.Clone(names[:min(len(names), maxList)])
	for i := range names {
		names[i] = c.text(names[i], maxName)
	}
	return names
}

// findings keeps rule and severity, each pair once.
func (c *cutter) findings(all []flow.Finding) []flow.Finding {
	var kept []flow.Finding
	for i := range all {
		f := flow.Finding{Rule: c.text(all[i].Rule, maxName), Severity: all[i].Severity}
		at, found := slices.BinarySearchFunc(kept, f, func(a, b flow.Finding) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Severity, b.Severity))
		})
		switch {
		case found:
		case len(kept) == maxList:
			c.cut = true
		default:
			kept = slices.Insert(kept, at, f)
		}
	}
	return kept
}

func (c *cutter) decision(d flow.Decision) flow.Decision {
	return flow.Decision{Verdict: d.Verdict, Why: c.text(d.Why, maxSentence), Rules: c.list(d.Rules), Would: c.text(d.Would, maxName)}
}

func (c *cutter) intent(in *flow.Intent) *flow.Intent {
	return &flow.Intent{
		Entrance: in.Entrance, Provider: in.Provider, API: in.API, Agent: c.text(in.Agent, maxName), Model: c.text(in.Model, maxName),
		Method: c.text(in.Method, maxName), Path: c.text(in.Path, maxSentence), Host: c.text(in.Host, maxName),
		Decision: c.decision(in.Decision), Findings: c.findings(in.Findings),
	}
}

func (c *cutter) outcome(out *flow.Outcome) *flow.Outcome {
	kept := &flow.Outcome{
		State: out.State, Status: out.Status, Why: c.text(out.Why, maxSentence), Model: c.text(out.Model, maxName), Stop: c.text(out.Stop, maxName),
		Error: c.text(out.Error, maxName), Tools: c.list(out.Tools), Findings: c.findings(out.Findings),
	}
	if out.Decision != nil {
		d := c.decision(*out.Decision)
		kept.Decision = &d
	}
	return kept
}

// about gives the trait of an intent.
func (t *traits) about(in *flow.Intent) (*index.Trait, error) {
	buf := takeScratch()
	defer buf.give()
	var c cutter
	text, err := meta.AppendIntent(append(buf.b, traitAbout, 0), c.intent(in))
	if err != nil {
		return nil, err
	}
	buf.b = text
	return t.seal(text, c.cut), nil
}

// ending gives the trait of an outcome.
func (t *traits) ending(out *flow.Outcome) (*index.Trait, error) {
	buf := takeScratch()
	defer buf.give()
	var c cutter
	text, err := meta.AppendOutcome(append(buf.b, traitEnding, 0), c.outcome(out))
	if err != nil {
		return nil, err
	}
	buf.b = text
	return t.seal(text, c.cut), nil
}

// subagent gives the trait of an intent's sub-agent, which is one within its
// session; nil when there is none.
func (t *traits) subagent(in *flow.Intent, key uint64) *index.Trait {
	if in.Session.Subagent == "" {
		return nil
	}
	var c cutter
	name := c.text(in.Session.Subagent, maxName)
	text := binary.LittleEndian.AppendUint64([]byte{traitAgent, 0}, key)
	return t.seal(append(text, name...), c.cut)
}

// traitLabel tells traits from the other things that the house's key seals.
var traitLabel = []byte("gatehouse index trait")

// seal gives the trait that says text, whose second byte tells that it was cut.
func (t *traits) seal(text []byte, cut bool) *index.Trait {
	if cut {
		text[1] = 1
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.sealed[string(text)]; s != nil {
		return s
	}
	aead := t.l.house.AEAD
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	rand.Read(nonce)
	id := binary.LittleEndian.Uint64(t.l.tag("trait", string(text)))
	s := &index.Trait{ID: max(id, 1), Data: aead.Seal(nonce, nonce, text, traitLabel)}
	if len(t.sealed) >= maxSealed {
		clear(t.sealed)
	}
	t.sealed[string(text)] = s
	return s
}

// open gives the trait with a number.
func (t *traits) open(id uint64) (*trait, error) {
	t.mu.Lock()
	known := t.opened[id]
	t.mu.Unlock()
	if known != nil {
		return known, nil
	}
	data, err := t.l.index.Trait(id)
	if err != nil {
		return nil, err
	}
	return t.take(index.Trait{ID: id, Data: data})
}

// take opens what the index gave.
func (t *traits) take(sealed index.Trait) (*trait, error) {
	aead := t.l.house.AEAD
	n := aead.NonceSize()
	if len(sealed.Data) < n {
		return nil, errors.New("a sealed trait is too short")
	}
	text, err := aead.Open(nil, sealed.Data[:n], sealed.Data[n:], traitLabel)
	if err != nil {
		return nil, fmt.Errorf("opening trait: %w", err)
	}
	made, err := decodeTrait(text)
	if err != nil {
		return nil, fmt.Errorf("reading trait: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.opened) >= maxOpened {
		clear(t.opened)
	}
	t.opened[sealed.ID] = made
	return made, nil
}

func decodeTrait(text []byte) (*trait, error) {
	if len(text) < 2 {
		return nil, errMalformed
	}
	t := &trait{kind: text[0], cut: text[1] != 0}
	switch text = text[2:]; t.kind {
	case traitAbout:
		in, err := meta.Intent(text)
		if err != nil {
			return nil, err
		}
		t.in = *in
	case traitEnding:
		out, err := meta.Outcome(text)
		if err != nil {
			return nil, err
		}
		t.out = *out
	case traitAgent:
		if len(text) < 8 {
			return nil, errMalformed
		}
		t.agent = string(text[8:])
	default:
		return nil, errMalformed
	}
	return t, nil
}

// fewTraits is how many are read one by one. For more, all are.
const fewTraits = 64

// all gives every trait of the index.
func (t *traits) all() (map[uint64]*trait, error) {
	ids, err := t.l.index.TraitIDs()
	if err != nil {
		return nil, err
	}
	all := make(map[uint64]*trait, len(ids))
	missing := 0
	t.mu.Lock()
	for _, id := range ids {
		if all[id] = t.opened[id]; all[id] == nil {
			missing++
		}
	}
	t.mu.Unlock()
	if missing > fewTraits {
		return all, t.read(all)
	}
	for id, known := range all {
		if known == nil {
			if all[id], err = t.open(id); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// read fills in those that are nil.
func (t *traits) read(all map[uint64]*trait) error {
	return t.l.index.Traits(func(sealed index.Trait) error {
		if all[sealed.ID] != nil {
			return nil
		}
		made, err := t.take(sealed)
		all[sealed.ID] = made
		return err
	})
}
