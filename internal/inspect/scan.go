package inspect

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a scan. What is beyond them is said in Result.Cut.
const (
	maxMatches    = 1000
	maxCandidates = 4 * maxMatches // before overlaps are resolved
	maxRegions    = 1000
	maxDepth      = 5
	maxBytes      = 256 << 20 // of one text; with all that is decoded, offsets fit in 32 bits
	maxRegion     = 8192      // merged windows of one rule, before a new one begins
	maxValue      = 64 << 10  // how far a match may go on behind its window

	// What the steps of a scan cost, in units of about 10 ns in the worst case.
	windowWork   = 4   // for each byte of a window
	leadWork     = 2   // for each byte that a match may have that begins at a known place
	detectorWork = 256 // for each call
	hashWork     = 256
)

// scanner is one scan and its scratch memory.
type scanner struct {
	e        *Engine
	b        []byte
	o        Options
	levels   []*level
	found    []candidate
	seen     map[candidate]bool
	unread   []Region
	cuts     []string
	work     int // that may still be done
	decoded  int // bytes that may still be decoded
	stopped  int // offset in level 0 at which the search was given up; -1: it was not
	level    *level
	depth    int
	windows  []window // per rule
	opened   []int    // rules whose window was in use in this search
	seam     seam
	kept     [maxDepth + 2]level // buffers of earlier scans
	union    []uint64
	inflated bytes.Buffer // of the run that was decompressed last
}

// window is where a rule is at work in a level's text.
type window struct {
	segment    int // index of the segment; -1: none is open
	start, end int // of the merged window; for a rule whose matches begin with an anchor, end is that of its last match
	opened     bool
}

// candidate is a value that a rule found, before overlaps are resolved.
type candidate struct {
	rule       *Rule
	level      int // seamLevel: in the seam
	start, end int
	hull       int // where the match or its anchor begins
	known      bool
}

const seamLevel = -1

func newScanner(e *Engine) *scanner {
	s := &scanner{e: e, seen: make(map[candidate]bool), windows: make([]window, len(e.rules))}
	for i := range s.windows {
		s.windows[i].segment = -1
	}
	return s
}

// maxScratch is the largest buffer that is kept for the next scan.
const maxScratch = 8 << 20

// Scan finds what the engine's rules describe in b. It is safe for concurrent
// use; its time grows with len(b) and no faster, its memory is at most some
// multiples of it.
func (e *Engine) Scan(b []byte, o Options) Result {
	s := e.scanners.Get().(*scanner)
	defer s.release()
	s.scan(b, o)
	return s.result()
}

// scan finds the candidates of all levels.
func (s *scanner) scan(b []byte, o Options) {
	s.begin(b, o)
	s.base()
	for depth := 0; ; depth++ {
		s.search(s.levels[depth], depth)
		if s.stopped >= 0 {
			return // it is not clean already
		}
		next := s.unfold(s.levels[depth])
		if next == nil {
			return
		}
		s.levels = append(s.levels, next)
	}
}

func (s *scanner) begin(b []byte, o Options) {
	if len(b) > maxBytes {
		b = b[:maxBytes]
		s.cut("bytes: more than 256 MiB")
	}
	s.b, s.o = b, o
	s.work = 32<<20 + 4*len(b)
	s.decoded = 64<<10 + 4*len(b)
	s.stopped = -1
}

// release clears what must not be kept and gives the scanner back.
func (s *scanner) release() {
	e := s.e
	clear(s.seen)
	for i := range s.kept {
		s.kept[i] = s.kept[i].emptied()
	}
	clear(s.inflated.Bytes())
	if s.inflated.Reset(); s.inflated.Cap() > maxScratch {
		s.inflated = bytes.Buffer{}
	}
	s.seam = s.seam.emptied()
	s.b, s.o, s.level, s.levels, s.found, s.unread, s.cuts = nil, Options{}, nil, s.levels[:0], nil, nil, nil
	e.scanners.Put(s)
}

// base makes level 0.
func (s *scanner) base() {
	l := &s.kept[0]
	if s.o.JSON {
		lexJSON(l, s.b, &s.seam)
		if s.seam.full {
			s.cut("strings: more than are joined with their neighbours")
		}
	} else {
		l.raw, l.text, l.borrowed = s.b, s.b, true
		l.segments = append(l.segments, segment{end: int32(len(s.b)), to: int32(len(s.b))})
	}
	s.levels = append(s.levels, l)
}

// cut notes that a bound was reached.
func (s *scanner) cut(what string) {
	if !slices.Contains(s.cuts, what) {
		s.cuts = append(s.cuts, what)
	}
}

// search looks for all rules, known and registered values in one level.
func (s *scanner) search(l *level, depth int) {
	s.level, s.depth = l, depth
	s.anchors(l.text)
	for _, i := range s.opened { // a few of hundreds of rules
		s.flush(i)
		s.windows[i].opened = false
	}
	s.opened = s.opened[:0]
	if s.e.registered != nil {
		s.e.registered.find(s)
	}
}

// anchors looks for the anchors of rules and for known values, in one pass when
// it can.
func (s *scanner) anchors(text []byte) {
	a := s.e.anchors
	rules := func(n *anchor, at int) bool { return s.hit(s.e.rules[n.owner], n, at) }
	if s.o.Known.Len() == 0 {
		grep(text, a.bitmap, a.shift, func(h uint32, at int) bool { return a.verify(text, h, at, rules) })
		return
	}
	k := s.o.Known.anchors
	values := func(n *anchor, at int) bool {
		return s.add(candidate{rule: s.knownRule(n.owner), start: at, end: at + len(n.text), hull: at, known: true})
	}
	if both, ok := union(s.union, a, k); ok {
		s.union = both
		grep(text, both, a.shift, func(h uint32, at int) bool {
			return a.verify(text, h, at, rules) && k.verify(text, h, at, values)
		})
		return
	}
	grep(text, a.bitmap, a.shift, func(h uint32, at int) bool { return a.verify(text, h, at, rules) })
	grep(text, k.bitmap, k.shift, func(h uint32, at int) bool { return k.verify(text, h, at, values) })
}

func (s *scanner) knownRule(i int32) *Rule {
	if r := s.e.byName[s.o.Known.values[i].Rule]; r != nil {
		return r
	}
	return s.o.Known.rules[i]
}

const cutMatches = "matches: more than 1,000"

// spend takes from the work that is left; false when there is none.
func (s *scanner) spend(n int, at int) bool {
	s.work -= n
	if s.work >= 0 {
		return true
	}
	s.cut("work: too many anchors")
	s.stop(at)
	return false
}

// stop notes where in level 0 the search was given up.
func (s *scanner) stop(at int) {
	if s.depth == 0 && (s.stopped < 0 || at < s.stopped) {
		s.stopped = at
	}
}

// hit follows up one anchor.
func (s *scanner) hit(r *rule, a *anchor, at int) bool {
	end := at + len(a.text)
	i := s.level.segmentAt(at)
	seg := &s.level.segments[i]
	if !seg.has(at, end) {
		return true
	}
	switch {
	case r.detector != nil:
		return s.detect(r, seg, at, end)
	case r.pattern == nil:
		return s.value(r, at, at, end)
	case r.leads():
		return s.lead(r, i, at)
	}
	w := &s.windows[a.owner]
	start, stop := max(int(seg.start), at-r.before), min(int(seg.end), at+max(r.after, len(a.text)))
	if w.segment == i && start <= w.end && w.end-w.start < maxRegion {
		w.start, w.end = min(w.start, start), max(w.end, stop)
		return true
	}
	ok := s.flush(int(a.owner))
	s.open(int(a.owner), window{segment: i, start: start, end: stop})
	return ok
}

// open gives a rule a window, until the text is at its end.
func (s *scanner) open(i int, w window) {
	if !s.windows[i].opened {
		s.opened = append(s.opened, i)
	}
	w.opened = true
	s.windows[i] = w
}

// detect calls a rule's detector. One that panics has not looked: the result says
// so.
func (s *scanner) detect(r *rule, seg *segment, at, end int) (ok bool) {
	if !s.spend(detectorWork, at) {
		return false
	}
	ok = true
	begin := int(seg.start)
	text := s.level.text[seg.start:seg.end]
	defer func() {
		if recover() != nil {
			s.cut("detector: " + r.Detector + " failed")
		}
	}()
	r.detector(text, at-begin, end-begin, func(from, to int) {
		if from >= 0 && from < to && to <= len(text) {
			ok = s.value(r, min(at, from+begin), from+begin, to+begin) && ok
		}
	})
	return
}

// lead tries a pattern at an anchor with which its match must begin. A rune of
// context before it is given to the pattern, for \b and the like.
func (s *scanner) lead(r *rule, segment, at int) bool {
	w := &s.windows[r.index]
	if w.segment == segment && at < w.end {
		return true // within the match before
	}
	seg := &s.level.segments[segment]
	begin, end := int(seg.start), int(seg.end)
	from, pattern := at, r.start
	if at > begin {
		_, width := utf8.DecodeLastRune(s.level.text[begin:at])
		from, pattern = at-width, r.behind
	}
	for stop := min(end, at+r.after); ; stop = min(end, at+maxValue) {
		if !s.spend(leadWork*(stop-at), at) {
			return false
		}
		m := pattern.program().FindSubmatchIndex(s.level.text[from:stop])
		switch {
		case m == nil:
			return true
		case from+m[1] == stop && stop < min(end, at+maxValue):
			continue // the value may go on behind the window
		}
		s.open(int(r.index), window{segment: segment, start: at, end: from + m[1]})
		m[0] = at - from // without the rune of context
		return s.submatch(r, from, m, at)
	}
}

func (s *scanner) submatch(r *rule, from int, m []int, hull int) bool {
	start, end := m[2*r.group], m[2*r.group+1]
	if start < 0 || start == end {
		return true
	}
	return s.value(r, hull, from+start, from+end)
}

// flush tries a rule's pattern on its merged window and closes it.
func (s *scanner) flush(i int) bool {
	r, w := s.e.rules[i], s.windows[i]
	s.windows[i].segment = -1
	if w.segment < 0 || r.pattern == nil || r.leads() {
		return true
	}
	all := s.matches(r, w.start, w.end)
	if n := len(all); n > 0 && w.start+all[n-1][1] == w.end {
		// The last value may go on behind the window.
		all = s.matches(r, w.start, min(w.end+maxValue, int(s.level.segments[w.segment].end)))
	}
	for _, m := range all {
		if !s.submatch(r, w.start, m, w.start+m[0]) {
			return false
		}
	}
	return s.work >= 0
}

func (s *scanner) matches(r *rule, start, end int) [][]int {
	if !s.spend(windowWork*(end-start), start) {
		return nil
	}
	return r.pattern.program().FindAllSubmatchIndex(s.level.text[start:end], maxCandidates)
}

// value takes a rule's value when its checks hold.
func (s *scanner) value(r *rule, hull, start, end int) bool {
	for _, c := range r.checks {
		if !c.holds(s.level.text, start, end) {
			return true
		}
	}
	return s.add(candidate{rule: r.Rule, start: start, end: end, hull: hull})
}

// add keeps a candidate; false when there are too many.
func (s *scanner) add(c candidate) bool {
	seg := &s.level.segments[s.level.segmentAt(c.start)]
	if !seg.has(c.start, c.end) || seg.closed && !printable(s.level.text[c.start:c.end]) {
		return true
	}
	c.level = s.depth
	if s.seen[c] {
		return true
	}
	if len(s.found) >= maxCandidates {
		s.cut(cutMatches)
		s.stop(c.start)
		return false
	}
	s.seen[c] = true
	s.found = append(s.found, c)
	return true
}

// printable tells text from what only looks like a value in binary content.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(b)
}

func (s *scanner) cutText() string { return strings.Join(s.cuts, "; ") }
