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

// A trait is what many flows have in common: of an intent, of an outcome, a
// path, or a sub-agent's id. Rows of the index name traits by number, so that a
// row is small and most filters become a question of numbers; that a path or a
// model stands in the index sealed, once, is the other half. A trait's number is
// a keyed hash of what it says, so it is the same when the index is made anew.
//
// All of a trait is bounded. One of which something was cut says so, and whoever
// needs the whole reads the flow's entries.
type trait struct {
	id   uint64
	kind traitKind
	cut  cuts
	in   *flow.Intent  // traitAbout
	out  *flow.Outcome // traitEnding
	text string        // the others
}

type traitKind byte

const (
	traitAbout traitKind = iota
	traitEnding
	traitPath
	traitAgent
	traitKinds
)

// cuts says of what in a trait something was cut.
type cuts byte

const (
	cutNames cuts = 1 << iota
	cutDecision
	cutFindings
	cutTools
	everything cuts = 1<<8 - 1
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

	look  sync.RWMutex // for all below; not held while flows are recorded
	state int          // of what follows
	count uint64       // how often any of it changed
	known map[uint64]*trait
	kinds [traitKinds][]*trait // mirrored: all that are known, only appended to
}

// What state says. When there are too many they are read one by one, and
// filters look at every flow.
const (
	unread = iota
	mirrored
	tooMany
)

const (
	maxSealed = 4096 // more, and they are let go, to be sealed again
	maxKnown  = 100_000
)

func newTraits(l *Ledger) *traits {
	return &traits{l: l, sealed: map[string]*index.Trait{}}
}

// cutter cuts what is too long, and remembers of what.
type cutter struct{ cut cuts }

func (c *cutter) text(s string, most int, of cuts) string {
	if len(s) <= most {
		return s
	}
	c.cut |= of
	return s[:most]
}

func (c *cutter) list(names []string, of cuts) []string {
	long := func(s string) bool { return len(s) > maxName }
	if len(names) <= maxList && !slices.ContainsFunc(names, long) {
		return names
	}
	c.cut |= of
	names = slices.Clone(names[:min(len(names), maxList)])
	for i := range names {
		names[i] = c.text(names[i], maxName, of)
	}
	return names
}

// findings keeps rule and severity, each pair once.
func (c *cutter) findings(all []flow.Finding) []flow.Finding {
	var kept []flow.Finding
	for i := range all {
		f := flow.Finding{Rule: c.text(all[i].Rule, maxName, cutFindings), Severity: all[i].Severity}
		at, found := slices.BinarySearchFunc(kept, f, func(a, b flow.Finding) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Severity, b.Severity))
		})
		switch {
		case found:
		case len(kept) == maxList:
			c.cut |= cutFindings
		default:
			kept = slices.Insert(kept, at, f)
		}
	}
	return kept
}

func (c *cutter) decision(d flow.Decision) flow.Decision {
	return flow.Decision{
		Verdict: d.Verdict, Why: c.text(d.Why, maxSentence, cutDecision), Rules: c.list(d.Rules, cutDecision), Would: c.text(d.Would, maxName, cutDecision),
	}
}

func (c *cutter) name(s string) string { return c.text(s, maxName, cutNames) }

func (c *cutter) intent(in *flow.Intent) flow.Intent {
	return flow.Intent{
		Entrance: in.Entrance, Provider: in.Provider, API: in.API, Agent: c.name(in.Agent), Model: c.name(in.Model),
		Method: c.name(in.Method), Host: c.name(in.Host), Decision: c.decision(in.Decision), Findings: c.findings(in.Findings),
		Session: flow.Session{Claimed: in.Session.Claimed},
	}
}

func (c *cutter) outcome(out *flow.Outcome) flow.Outcome {
	kept := flow.Outcome{
		State: out.State, Status: out.Status, Why: c.text(out.Why, maxSentence, cutDecision), Model: c.name(out.Model), Stop: c.name(out.Stop),
		Error: c.name(out.Error), Tools: c.list(out.Tools, cutTools), Findings: c.findings(out.Findings),
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
	kept := c.intent(in)
	text, err := meta.AppendIntent(append(buf.b, byte(traitAbout), 0), &kept)
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
	kept := c.outcome(out)
	text, err := meta.AppendOutcome(append(buf.b, byte(traitEnding), 0), &kept)
	if err != nil {
		return nil, err
	}
	buf.b = text
	return t.seal(text, c.cut), nil
}

func (t *traits) path(path string) *index.Trait {
	return t.word(traitPath, 0, path)
}

// subagent gives the trait of a sub-agent, which is one within its session.
func (t *traits) subagent(key uint64, id string) *index.Trait {
	return t.word(traitAgent, key, id)
}

func (t *traits) word(kind traitKind, owner uint64, word string) *index.Trait {
	buf := takeScratch()
	defer buf.give()
	var c cutter
	word = c.text(word, maxSentence, cutNames)
	text := binary.LittleEndian.AppendUint64(append(buf.b, byte(kind), 0), owner)
	buf.b = append(text, word...)
	return t.seal(buf.b, c.cut)
}

// traitLabel tells traits from the other things that the house's key seals.
var traitLabel = []byte("gatehouse index trait")

// seal gives the trait that says text, whose second byte tells what was cut.
func (t *traits) seal(text []byte, cut cuts) *index.Trait {
	text[1] = byte(cut)
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
	t.look.RLock()
	known := t.known[id]
	t.look.RUnlock()
	if known != nil {
		return known, nil
	}
	data, err := t.l.index.Trait(id)
	if err != nil {
		return nil, err
	}
	if data == nil && t.l.removed.Load() > 0 {
		return nil, ErrRemoved // since the index gave its number
	}
	made, err := t.unseal(index.Trait{ID: id, Data: data})
	if err == nil {
		t.remember(made)
	}
	return made, err
}

// pair gives what flows with these traits have in common. The outcome is nil when they
// have none; the error is ErrRemoved when the flows are gone.
func (t *traits) pair(of index.Traits) (in *flow.Intent, out *flow.Outcome, err error) {
	about, err := t.open(of.About)
	if err != nil {
		return nil, nil, err
	}
	if of.Ending == 0 {
		return about.in, nil, nil
	}
	ending, err := t.open(of.Ending)
	if err != nil {
		return nil, nil, err
	}
	return about.in, ending.out, nil
}

// remember keeps a trait that was read by itself.
func (t *traits) remember(made *trait) {
	t.look.Lock()
	defer t.look.Unlock()
	if t.state == mirrored { // it has come with its batch, or will
		return
	}
	if t.known == nil || len(t.known) >= maxKnown {
		t.known = map[uint64]*trait{}
	}
	t.known[made.id] = made
}

// unseal opens what the index gave.
func (t *traits) unseal(sealed index.Trait) (*trait, error) {
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
	made.id = sealed.ID
	return made, nil
}

func decodeTrait(text []byte) (*trait, error) {
	if len(text) < 2 {
		return nil, errMalformed
	}
	t := &trait{kind: traitKind(text[0]), cut: cuts(text[1])}
	switch text = text[2:]; t.kind {
	case traitAbout:
		in, err := meta.Intent(text)
		if err != nil {
			return nil, err
		}
		t.in = in
	case traitEnding:
		out, err := meta.Outcome(text)
		if err != nil {
			return nil, err
		}
		t.out = out
	case traitPath, traitAgent:
		if len(text) < 8 {
			return nil, errMalformed
		}
		t.text = string(text[8:])
	default:
		return nil, errMalformed
	}
	return t, nil
}

// changes tells whether all would give others than before.
func (t *traits) changes() uint64 {
	t.look.RLock()
	defer t.look.RUnlock()
	return t.count
}

// all gives the traits of each kind; ok: there are not too many.
func (t *traits) all() (kinds [traitKinds][]*trait, ok bool, err error) {
	t.look.RLock()
	state := t.state
	kinds = t.kinds
	t.look.RUnlock()
	if state != unread {
		return kinds, state == mirrored, nil
	}
	t.look.Lock()
	defer t.look.Unlock()
	if t.state == unread {
		err = t.load()
	}
	return t.kinds, t.state == mirrored, err
}

// load reads all. t.look is held.
func (t *traits) load() error {
	t.known, t.kinds, t.state = map[uint64]*trait{}, [traitKinds][]*trait{}, mirrored
	t.count++
	err := t.l.index.Traits(t.enter)
	if err != nil {
		t.state = unread
	}
	return err
}

// enter takes one in. t.look is held.
func (t *traits) enter(sealed index.Trait) error {
	if t.state != mirrored || t.known[sealed.ID] != nil {
		return nil
	}
	t.count++
	if len(t.known) >= maxKnown {
		t.known, t.kinds, t.state = nil, [traitKinds][]*trait{}, tooMany
		return nil
	}
	made, err := t.unseal(sealed)
	if err != nil {
		return err
	}
	t.known[made.id] = made
	t.kinds[made.kind] = append(t.kinds[made.kind], made)
	return nil
}

// applied takes in what the index has now.
func (t *traits) applied(list []index.Trait) {
	t.look.Lock()
	defer t.look.Unlock()
	for i := range list {
		if err := t.enter(list[i]); err != nil {
			t.state = unread // whoever asks next reads all, and gets the error
			return
		}
	}
}

// forget lets all go: the index has dropped some.
func (t *traits) forget() {
	t.look.Lock()
	defer t.look.Unlock()
	t.known, t.kinds, t.state = nil, [traitKinds][]*trait{}, unread
	t.count++
}
