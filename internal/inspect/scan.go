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
	maxReach      = 8 << 10   // how far a detector looks
	maxBytes      = 256 << 20 // of one text; with all that is decoded, offsets fit in 32 bits
	maxRegion     = 8192      // merged windows of one rule, before a new one begins
	maxValue      = 64 << 10  // how far a match may go on behind its window

	// What the steps of a scan cost, in units of about 10 ns in the worst case.
	windowWork   = 4   // for each byte of a window
	leadWork     = 2   // for each byte that a match may have that begins at a known place
	detectorWork = 256 // for each call
	valueWork    = 16  // for each byte behind the anchor that may be a value
	hashWork     = 256
)

// scanner is one scan and its scratch memory.
type scanner struct {
	e             *Engine
	b             []byte
	o             Options
	levels        []*level
	found         []candidate
	seen          map[candidate]bool
	unread        []Region
	cuts          []string
	work          int // that may still be done
	decoded       int // bytes that may still be decoded
	stopped       int // offset in level 0 at which the search was given up; -1: it was not
	level         *level
	call          call
	report        func(start, end int) // s.reported, made once
	unbroken      Span                 // in the level's text, see reach
	depth         int
	least         int                 // confidence that a rule must have to be tried at its anchors
	windows       []window            // per rule
	opened        []int               // rules whose window was in use in this search
	searches      int                 // so far, of all scans
	tries         []try               // of the patterns that several rules have, the last of each
	starts        [maxToken/2 + 2]int // of the words of a token: each has a byte at least, and a space behind it
	seam          seam
	values, whole weave               // of a join
	joined        level               // of a seam or a weave
	mapped        thread              // an end of the text, while it is made
	kept          [maxDepth + 2]level // buffers of earlier scans
	union         *tables             // of rules and known values
	unionOf       string              // id of the known values
	inflated      bytes.Buffer        // of the run that was decompressed last
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
	s := &scanner{e: e, seen: make(map[candidate]bool), windows: make([]window, len(e.rules)), tries: make([]try, e.twins)}
	s.report = s.reported
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
	s.least = 0
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
	s.values, s.whole = s.values.emptied(), s.whole.emptied()
	s.joined = level{segments: s.joined.segments[:0]}
	if cap(s.joined.segments) > maxScratch/100 {
		s.joined = level{}
	}
	clear(s.mapped.text[:cap(s.mapped.text)])
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
	s.level, s.depth, s.unbroken = l, depth, Span{}
	s.searches++
	s.anchors(l.text)
	s.tokens(l.text)
	for _, i := range s.opened { // a few of hundreds of rules
		s.flush(i)
		s.windows[i].opened = false
	}
	s.opened = s.opened[:0]
	if s.e.registered != nil {
		s.e.registered.find(s)
	}
}

// anchors looks for the anchors of rules and for known values, in one pass.
func (s *scanner) anchors(text []byte) {
	a := s.e.anchors
	rules := func(n *anchor, at int) bool { return s.hits(n, at) }
	if s.o.Known.Len() == 0 {
		a.tables.grep(text, func(gram uint32, at int) bool { return a.verify(text, gram, at, rules) })
		return
	}
	k := s.o.Known.anchors
	values := func(n *anchor, at int) bool {
		return s.add(candidate{rule: s.knownRule(n.owners[0]), start: at, end: at + len(n.text), hull: at, known: true})
	}
	if s.unionOf != s.o.Known.id {
		if s.union == nil {
			s.union = new(tables)
		}
		s.union.union(a, k)
		s.unionOf = s.o.Known.id
	}
	s.union.grep(text, func(gram uint32, at int) bool {
		return a.verify(text, gram, at, rules) && k.verify(text, gram, at, values)
	})
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

// hits follows up one anchor for all rules that have it.
func (s *scanner) hits(a *anchor, at int) bool {
	i := s.level.segmentAt(at)
	if !s.level.segments[i].has(at, at+len(a.text)) {
		return true
	}
	for _, owner := range a.owners {
		if r := s.e.rules[owner]; r.Confidence >= s.least && !s.hit(r, i, at, at+len(a.text)) {
			return false
		}
	}
	return true
}

func (s *scanner) hit(r *rule, segment, at, end int) bool {
	switch {
	case r.detector != nil:
		return s.detect(r, segment, at, end)
	case r.pattern == nil:
		return s.value(r, at, at, end)
	case r.leads():
		return s.lead(r, segment, at)
	}
	seg, w := &s.level.segments[segment], &s.windows[r.index]
	start, stop := max(int(seg.start), at-r.before), min(int(seg.end), max(end, at+r.after))
	if w.segment == segment && start <= w.end && w.end-w.start < maxRegion {
		w.start, w.end = min(w.start, start), max(w.end, stop)
		return true
	}
	ok := s.flush(int(r.index))
	s.open(int(r.index), window{segment: segment, start: start, end: stop})
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

// call is the detector's call that is going on.
type call struct {
	rule  *rule
	begin int // of the text that it was given
	end   int
	at    int // of the anchor
	ok    bool
}

// detect calls a rule's detector. One that panics has not looked: the result says
// so.
func (s *scanner) detect(r *rule, segment, at, end int) bool {
	if !s.spend(detectorWork+valueWork*s.reach(at, end), at) {
		return false
	}
	return s.ask(r, segment, at, end)
}

// ask calls a detector whose work is accounted for.
func (s *scanner) ask(r *rule, segment, at, end int) bool {
	seg := &s.level.segments[segment]
	s.call = call{r, int(seg.start), int(seg.end), at, true}
	defer func() {
		if recover() != nil {
			s.cut("detector: " + r.Detector + " failed")
		}
	}()
	r.detector(s.level.text[seg.start:seg.end], at-s.call.begin, end-s.call.begin, s.report)
	return s.call.ok
}

// reported takes a value from the detector that is called.
func (s *scanner) reported(from, to int) {
	c := &s.call
	from, to = from+c.begin, to+c.begin
	if from >= c.begin && from < to && to <= c.end {
		c.ok = s.value(c.rule, min(c.at, from), from, to) && c.ok
	}
}

// reach is how much text stands behind an anchor without a break, as far as a
// detector may look: about what the call costs. It is measured once for all
// anchors in it.
func (s *scanner) reach(at, end int) int {
	if at < s.unbroken.Start || end > s.unbroken.End {
		stop := min(len(s.level.text), end+maxReach)
		for end < stop && !breaks[s.level.text[end]] {
			end++
		}
		s.unbroken = Span{at, end}
	}
	return s.unbroken.End - at
}

// breaks are the bytes at which values end.
var breaks = func() (t [256]bool) {
	for c := range ' ' + 1 {
		t[c] = true
	}
	for _, c := range "\"'`,;<>(){}[]" {
		t[c] = true
	}
	return t
}()

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
		m := s.tried(r, pattern, from, stop)[0]
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
	return s.tried(r, r.pattern, start, end)
}

// try is what a pattern made of a stretch of a text.
type try struct {
	pattern            *pattern
	search, start, end int
	matches            [][]int
}

// tried gives what one of a rule's patterns makes of a stretch: all matches, or
// the only one that it can have, which is nil for none. A rule with the same
// pattern may have asked just before.
func (s *scanner) tried(r *rule, p *pattern, start, end int) [][]int {
	text := s.level.text[start:end]
	if r.twins < 0 {
		return r.run(p, text)
	}
	t := &s.tries[r.twins]
	if t.pattern != p || t.search != s.searches || t.start != start || t.end != end {
		*t = try{p, s.searches, start, end, r.run(p, text)}
	}
	return t.matches
}

func (r *rule) run(p *pattern, text []byte) [][]int {
	if p == r.pattern {
		return p.program().FindAllSubmatchIndex(text, maxCandidates)
	}
	return [][]int{p.program().FindSubmatchIndex(text)}
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
	if !seg.has(c.start, c.end) || seg.closed && !printable(s.level.text[c.start:c.end]) || seg.coding == inFolds && !s.folded(c) {
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

// folded reports whether a candidate holds a character that was folded. One that
// does not stands in the level above as it is, among more of its text.
func (s *scanner) folded(c candidate) bool {
	text, raw, _ := s.level.align(c.hull, c.end)
	return text.End-text.Start != raw.End-raw.Start
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
