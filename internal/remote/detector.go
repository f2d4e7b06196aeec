package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Bounds of what one request may take.
const (
	batchTexts   = 64   // of one call
	overlapBytes = 256  // that two stretches of a long text share: what a cut would halve is whole in one of them
	mostFindings = 1000 // of one detector in one request
	mostNames    = 64   // kinds of findings of one detector that get a rule of their own
)

// span is one thing that a detector said about a text.
type span struct {
	start, end int // bytes
	whole      bool
	name       string // what it is, in our words
	severity   flow.Severity
	confidence int
	note       string
}

// verdict is what a detector said about one text. It is not changed after it is
// made.
type verdict struct {
	spans []span
	fault error // it can't be believed: the text counts as not judged
}

// protocol is one way to ask.
type protocol interface {
	request(texts []string, way Direction) any
	// read gives a verdict for each text. It must hold for any reply.
	read(reply []byte, texts []string) ([]verdict, error)
}

type detector struct {
	o        Options
	protocol protocol
	client   *client
	cache    *cache
	breaker  breaker
	calls    *semaphore.Weighted
	watch    func(Event)
	now      func() time.Time

	mu    sync.Mutex
	names map[string]bool
}

func newDetector(o Options, c *cache, watch func(Event), now func() time.Time) (*detector, error) {
	address, err := Address(o.Kind, o.URL)
	if err != nil {
		return nil, err
	}
	d := &detector{
		o: o, client: newClient(address, o), cache: c, calls: semaphore.NewWeighted(int64(o.Concurrency)),
		watch: watch, now: now, names: map[string]bool{},
	}
	switch o.Kind {
	case Presidio:
		d.protocol = presidio{d}
	case Guardrail:
		d.protocol = guardrail{d}
	case Moderation:
		d.protocol = moderation{d}
	default:
		return nil, fmt.Errorf("%q is no kind of detector", o.Kind)
	}
	return d, nil
}

func (d *detector) wants(way Direction, c flow.Channel) bool {
	return slices.Contains(d.o.Directions, way) && slices.Contains(d.o.Channels, c)
}

// stretch is a text, or a part of one that is too long for a call.
type stretch struct {
	text, at int // index of the text; where it begins there
	said     string
	verdict  *verdict // nil: not judged
}

type result struct {
	found   []Finding
	failure *Failure
}

// ask judges the texts of the detector's channels: from what is known, and for the
// rest by asking.
func (d *detector) ask(ctx context.Context, way Direction, texts []Text) result {
	stretches, open := d.recall(way, texts)
	if len(stretches) == 0 {
		return result{}
	}
	if len(open) == 0 {
		d.tell(Cached, 0)
		return d.result(stretches, nil)
	}
	if !d.breaker.enter(d.now()) {
		d.tell(Refused, 0)
		return d.result(stretches, errOpen)
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	answered, err := d.askAll(ctx, way, open)
	d.breaker.leave(answered, d.now())
	for i := range stretches {
		if s := &stretches[i]; s.verdict == nil {
			s.verdict = open[s.said]
		}
	}
	return d.result(stretches, err)
}

// recall cuts the texts into stretches and fills in what is known of them. open
// are those that nothing is known of, each once.
func (d *detector) recall(way Direction, texts []Text) (stretches []stretch, open map[string]*verdict) {
	open = map[string]*verdict{}
	for i, t := range texts {
		if !d.wants(way, t.Channel) || strings.TrimSpace(t.Said) == "" {
			continue
		}
		for _, at := range cuts(t.Said, d.o.TextBytes) {
			s := stretch{text: i, at: at[0], said: t.Said[at[0]:at[1]]}
			if s.verdict = d.cache.get(d.o.Name, way, s.said); s.verdict == nil {
				open[s.said] = nil
			}
			stretches = append(stretches, s)
		}
	}
	return stretches, open
}

// cuts gives the stretches of a text that have at most so many bytes, as starts and
// ends. They overlap, and cut no character.
func cuts(text string, most int) (list [][2]int) {
	for at := 0; ; {
		if len(text)-at <= most {
			return append(list, [2]int{at, len(text)})
		}
		end := runeStart(text, at+most)
		list = append(list, [2]int{at, end})
		at = runeStart(text, end-min(overlapBytes, most/2))
	}
}

func runeStart(text string, i int) int {
	for n := 0; i > 0 && n < utf8.UTFMax && !utf8.RuneStart(text[i]); n++ {
		i--
	}
	return i
}

// askAll asks about all open texts in as few calls as their size permits, several
// at once, and fills in the verdicts. answered says that any call was of use; the
// error is the first one.
func (d *detector) askAll(ctx context.Context, way Direction, open map[string]*verdict) (answered bool, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, batch := range batches(open, d.o.TextBytes) {
		all.Go(func() {
			said, e := d.call(ctx, way, batch)
			mu.Lock()
			defer mu.Unlock()
			for i, v := range said {
				if v.fault == nil {
					open[batch[i]], answered = &said[i], true
				} else if e == nil {
					e = v.fault
				}
			}
			if err == nil {
				err = e
			}
		})
	}
	all.Wait()
	return answered, err
}

// batches groups texts for calls, in an order that depends on them alone.
func batches(open map[string]*verdict, most int) (list [][]string) {
	texts := make([]string, 0, len(open))
	for text := range open {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	size := 0
	for _, text := range texts {
		last := len(list) - 1
		if last < 0 || size+len(text) > most || len(list[last]) == batchTexts {
			list, size = append(list, nil), 0
			last++
		}
		list[last], size = append(list[last], text), size+len(text)
	}
	return list
}

// call makes one call, waits for its turn first, and remembers what it said. Of a
// batch that a guardrail blocks each text is asked about by itself.
func (d *detector) call(ctx context.Context, way Direction, texts []string) ([]verdict, error) {
	said, err := d.exchange(ctx, way, texts)
	if errors.Is(err, errSome) {
		return d.single(ctx, way, texts)
	}
	if err != nil {
		return nil, err
	}
	for i := range said {
		if said[i].fault == nil {
			d.cache.put(d.o.Name, way, texts[i], &said[i])
		}
	}
	return said, nil
}

// errSome says that a verdict is about some text of several.
var errSome = errors.New("it is about some of the texts")

// single asks about each text by itself, to find out which is meant. When none is,
// it is meant of all together.
func (d *detector) single(ctx context.Context, way Direction, texts []string) ([]verdict, error) {
	said, errs := make([]verdict, len(texts)), make([]error, len(texts))
	var all sync.WaitGroup
	for i := range texts {
		all.Go(func() {
			var one []verdict
			if one, errs[i] = d.call(ctx, way, texts[i:i+1]); errs[i] == nil {
				said[i] = one[0]
			} else {
				said[i] = verdict{fault: errs[i]}
			}
		})
	}
	all.Wait()
	if !slices.ContainsFunc(said, func(v verdict) bool { return v.fault != nil || len(v.spans) > 0 }) {
		for i, text := range texts {
			said[i] = verdict{spans: []span{together(text)}}
		}
	}
	return said, nil
}

func (d *detector) exchange(ctx context.Context, way Direction, texts []string) ([]verdict, error) {
	if d.calls.Acquire(ctx, 1) != nil {
		d.tell(Failed, 0)
		return nil, d.late()
	}
	defer d.calls.Release(1)
	began := d.now()
	reply, err := d.client.post(ctx, d.protocol.request(texts, way))
	var said []verdict
	if err == nil {
		said, err = d.protocol.read(reply, texts)
	} else if ctx.Err() != nil {
		err = d.late()
	}
	outcome := Answered
	if err != nil && !errors.Is(err, errSome) || slices.ContainsFunc(said, func(v verdict) bool { return v.fault != nil }) {
		outcome = Failed
	}
	d.tell(outcome, d.now().Sub(began))
	return said, err
}

func (d *detector) late() error { return fmt.Errorf("no answer within %s", d.o.Timeout) }

func (d *detector) tell(o Outcome, took time.Duration) {
	d.watch(Event{Detector: d.o.Name, Outcome: o, Took: took})
}

// result makes findings of what is known of the stretches, and a failure when
// something of them is not.
func (d *detector) result(stretches []stretch, err error) (r result) {
	missing, first := 0, -1
	for i := range stretches {
		s := &stretches[i]
		if s.verdict == nil {
			if missing++; first < 0 {
				first = s.text
			}
			continue
		}
		for _, x := range s.verdict.spans {
			if len(r.found) == mostFindings {
				r.failure = d.failure(s.text, fmt.Sprintf("more than %d findings in one request", mostFindings))
				return r
			}
			r.add(d.finding(s, &x))
		}
	}
	if missing > 0 {
		if err == nil {
			err = errNothing
		}
		r.failure = d.failure(first, fmt.Sprintf("%v; %d of %d texts were not judged", err, missing, len(stretches)))
	}
	return r
}

var errNothing = errors.New("nothing was said")

// add leaves out what the overlap of two stretches shows twice.
func (r *result) add(f Finding) {
	if !slices.Contains(r.found[max(0, len(r.found)-batchTexts):], f) {
		r.found = append(r.found, f)
	}
}

func (d *detector) failure(text int, note string) *Failure {
	return &Failure{Rule: d.rule("failed"), Text: text, Note: note}
}

func (d *detector) finding(s *stretch, x *span) Finding {
	return Finding{
		Text: s.text, Start: s.at + x.start, End: s.at + x.end, Whole: x.whole,
		Rule: d.rule(x.name), Severity: x.severity, Confidence: x.confidence, Note: x.note,
	}
}

func (d *detector) rule(name string) string { return Family + "." + d.o.Name + "-" + name }

// nameOf makes a part of a rule's name of what a detector calls it: lower case
// letters and digits. There are only so many: rules' names are labels of metrics.
func (d *detector) nameOf(word string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(word)) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.TrimSuffix(b.String(), "-")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.names[name]:
	case name == "" || name == "failed" || len(name) > 40 || len(d.names) == mostNames:
		return "other"
	default:
		d.names[name] = true
	}
	return name
}

// counts reports whether what a detector calls by a word, and is so sure of, is a
// finding.
func (d *detector) counts(word string, score float64) bool {
	return score >= d.o.MinScore && (len(d.o.Entities) == 0 || slices.ContainsFunc(d.o.Entities, func(e string) bool { return strings.EqualFold(e, word) }))
}

// percent makes a confidence of a score between 0 and 1.
func percent(score float64) int { return max(1, min(100, int(score*100+.5))) }
