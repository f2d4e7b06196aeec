// Package remote asks other people's detectors what they see in a text: an
// HTTP service in the shape of Presidio's analyze, of LiteLLM's generic guardrail
// API, or of OpenAI's moderation. It believes nothing that can be checked, waits
// no longer than it was told to, and never fails: what a detector did not judge is
// said in the result. It never decides what follows from a finding, and no text
// and no key stands in what it reports.
package remote

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Family is the first part of the names of what remote detectors find.
const Family = "remote"

// Direction says which way a text goes.
type Direction string

// The directions, as policy names them.
const (
	Request Direction = "request"
	Answer  Direction = "answer"
)

// Kind is the protocol of a detector.
type Kind string

// The protocols.
const (
	Presidio   Kind = "presidio"   // Presidio's POST /analyze
	Guardrail  Kind = "guardrail"  // LiteLLM's generic guardrail API
	Moderation Kind = "moderation" // OpenAI's POST /v1/moderations
)

// Kinds are all protocols.
var Kinds = []Kind{Presidio, Guardrail, Moderation}

// Options describe one detector.
type Options struct {
	Name        string // in rule names: lower case letters, digits, "-"
	Kind        Kind
	URL         string // base address, or with the protocol's path; see Address
	Key         string // "": none
	Channels    []flow.Channel
	Directions  []Direction
	Timeout     time.Duration // of one Ask, however many calls it takes
	MinScore    float64       // 0 to 1: what is less sure is no finding
	Entities    []string      // entities or categories that count, in the detector's words; empty: all
	Language    string        // Presidio: of the texts
	Model       string        // Moderation: may be empty
	TextBytes   int           // of one call; a longer text is cut
	Concurrency int           // calls at once
}

// Event is what happened when a detector was to be asked.
type Event struct {
	Detector string
	Outcome  Outcome
	Took     time.Duration // of one call that was made
}

// Outcome is how one call ended.
type Outcome string

// The outcomes. Cached counts a request of which everything was known.
const (
	Answered Outcome = "answered"
	Failed   Outcome = "failed"
	Cached   Outcome = "cached"
	Refused  Outcome = "open" // nothing was asked: the circuit is open
)

// Text is what a detector is asked about.
type Text struct {
	Channel flow.Channel
	Said    string
}

// Finding is what a detector reports, checked. It holds no content but Note,
// which is bounded and printable.
type Finding struct {
	Text       int  // index of the text
	Start, End int  // bytes of Said
	Whole      bool // it is about the text as a whole: there is no span that could be replaced
	Rule       string
	Severity   flow.Severity
	Confidence int // percent
	Note       string
}

// Failure says that a detector did not judge all that it was asked about.
type Failure struct {
	Rule string
	Text int // index of the first text that it did not judge
	Note string
}

// Set is all detectors of a gateway. It is safe for concurrent use; a nil Set has
// none.
type Set struct {
	detectors []*detector
	cache     *cache
}

// cacheBytes is the memory for what detectors said.
const cacheBytes = 8 << 20

// New makes a set. It asks nothing yet. watch is called for each event and must be
// quick; nil: nobody looks. A nil now is time.Now.
func New(list []Options, watch func(Event), now func() time.Time) (*Set, error) {
	if watch == nil {
		watch = func(Event) {}
	}
	if now == nil {
		now = time.Now
	}
	s := &Set{cache: newCache(cacheBytes)}
	for _, o := range list {
		d, err := newDetector(o, s.cache, watch, now)
		if err != nil {
			return nil, fmt.Errorf("detector %s: %w", o.Name, err)
		}
		s.detectors = append(s.detectors, d)
	}
	return s, nil
}

// Wants reports whether any detector is to be asked about a channel.
func (s *Set) Wants(d Direction, c flow.Channel) bool {
	return s != nil && slices.ContainsFunc(s.detectors, func(x *detector) bool { return x.wants(d, c) })
}

// Any reports whether any detector looks at what goes in a direction.
func (s *Set) Any(d Direction) bool {
	return s != nil && slices.ContainsFunc(s.detectors, func(x *detector) bool { return slices.Contains(x.o.Directions, d) })
}

// Ask asks all detectors at the same time, each about the texts of its channels,
// and waits for the slowest timeout at most. Findings are ordered by text, then by
// detector.
func (s *Set) Ask(ctx context.Context, way Direction, texts []Text) ([]Finding, []Failure) {
	if s == nil {
		return nil, nil
	}
	said := make([]result, len(s.detectors))
	var all sync.WaitGroup
	for i, d := range s.detectors {
		all.Go(func() { said[i] = d.ask(ctx, way, texts) })
	}
	all.Wait()
	var found []Finding
	var failures []Failure
	for _, r := range said {
		found = append(found, r.found...)
		if r.failure != nil {
			failures = append(failures, *r.failure)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Text - b.Text })
	return found, failures
}

// Open says of each detector whether it is left alone now, because it failed too
// often.
func (s *Set) Open() map[string]bool {
	open := map[string]bool{}
	if s != nil {
		for _, d := range s.detectors {
			open[d.o.Name] = d.breaker.isOpen(d.now())
		}
	}
	return open
}

// Close lets go of idle connections.
func (s *Set) Close() error {
	if s != nil {
		for _, d := range s.detectors {
			d.client.http.CloseIdleConnections()
		}
	}
	return nil
}
